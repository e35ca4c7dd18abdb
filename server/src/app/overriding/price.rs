//! What a pin would cost and whom it would make late, told before it is made: the plan is made twice, without and
//! with it.

use std::collections::BTreeMap;
use std::time::Instant;

use dokuei_assigner::constraints::Blocked;
use dokuei_assigner::{Budget, Plan, Problem, Quote, QuoteError};
use dokuei_models::{CaseId, ReadId, ReaderId};

use super::{case_within, need_reader, read_of, refused};
use crate::app::planning;
use crate::authority::Reach;
use crate::error::{Error, Result};
use crate::state::State;

/// A case that a pin makes late, or later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delayed {
    /// The case.
    pub case: CaseId,
    /// Minutes beyond its due time without the pin; 0 when in time.
    pub before_minutes: f64,
    /// The same with it.
    pub after_minutes: f64,
}

/// What a pin would cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Price {
    /// It can be done.
    Costs {
        /// The offer beside who has it now, or the next best.
        quote: Quote,
        /// Minutes from now until he would end it; none if the plan gives no time.
        ends_in_minutes: Option<f64>,
        /// Minutes from now until it is due.
        due_in_minutes: f64,
        /// Whom it makes late.
        delayed: Vec<Delayed>,
    },
    /// A hard rule forbids it, and no price buys that.
    Forbidden(Blocked),
    /// The read is in progress, held or done: nothing to price.
    NotOpen,
}

/// Differences below this are not worth a word.
const WORTH_MINUTES: f64 = 5.0;
/// What a dispatcher waits for before he sees a price.
const QUICK_SECONDS: f64 = 2.0;

/// Prices a pin before it is made. Changes nothing.
///
/// # Errors
/// `not_found` outside reach.
pub async fn price(state: &State, reach: Reach, case: CaseId, read: ReadId, reader: ReaderId) -> Result<Price> {
    let now = state.now();
    let problem = state
        .db
        .read(move |conn| {
            let row = case_within(conn, &reach, case)?;
            read_of(conn, &row, read)?;
            need_reader(conn, &row, reader)?;
            Ok(planning::snapshot(conn, row.pool_id, now)?.problem)
        })
        .await
        .map_err(refused)?;
    tokio::task::spawn_blocking(move || price_of(problem, read, reader)).await.map_err(Error::internal)?
}

fn price_of(mut problem: Problem, read: ReadId, reader: ReaderId) -> Result<Price> {
    let quote = match dokuei_assigner::price(&problem, read.0, reader.0) {
        Ok(quote) => quote,
        Err(QuoteError::Excluded(blocked)) => return Ok(Price::Forbidden(blocked)),
        Err(QuoteError::UnknownRead(_) | QuoteError::UnknownReader(_)) => return Ok(Price::NotOpen),
        Err(error @ QuoteError::Problem(_)) => return Err(Error::internal(error)),
    };
    let before = quick_plan(&problem)?;
    let late_before = lateness(&problem, &before);
    let Some(pinned) = problem.reads.iter_mut().find(|one| one.id == read.0) else { return Ok(Price::NotOpen) };
    pinned.pin = Some(reader.0);
    let due_in_minutes = pinned.due_in_minutes;
    let after = quick_plan(&problem)?;
    let late_after = lateness(&problem, &after);
    let mut delayed: Vec<Delayed> = late_after
        .iter()
        .map(|(case, after)| Delayed {
            case: CaseId(*case),
            before_minutes: late_before.get(case).copied().unwrap_or(0.0),
            after_minutes: *after,
        })
        .filter(|one| one.after_minutes > one.before_minutes + WORTH_MINUTES || one.before_minutes <= 0.0)
        .collect();
    delayed.sort_by(|a, b| b.after_minutes.total_cmp(&a.after_minutes));
    let ends_in_minutes = after.items.iter().find(|item| item.read == read.0).map(|item| item.ends_in_minutes);
    Ok(Price::Costs { quote, ends_in_minutes, due_in_minutes, delayed })
}

fn quick_plan(problem: &Problem) -> Result<Plan> {
    let begun = Instant::now();
    let spent = || begun.elapsed().as_secs_f64() / QUICK_SECONDS;
    dokuei_assigner::plan(problem, 1, &Budget::default(), &spent).map_err(Error::internal)
}

/// Case => minutes beyond its due time at the end of its reading, for those that are late by the plan.
fn lateness(problem: &Problem, plan: &Plan) -> BTreeMap<i64, f64> {
    let mut late: BTreeMap<i64, f64> = BTreeMap::new();
    for item in &plan.items {
        let Some(read) = problem.reads.iter().find(|read| read.id == item.read) else { continue };
        let minutes = item.ends_in_minutes - read.due_in_minutes;
        if minutes > 0.0 {
            let most = late.entry(read.case).or_insert(0.0);
            *most = most.max(minutes);
        }
    }
    late
}
