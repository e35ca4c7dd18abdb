//! Calls every watched peer with a C-ECHO, so that a broken line is known before a report has to go out.
//!
//! One round calls those that are due, side by side: a peer that is down costs its own patience and delays nobody.
//! Rounds are spread by the peer's number, so that they do not all ring at once. A peer counts as failing after the
//! second echo in a row without answer; its row keeps since when, how often and why, and the first answer clears it.
//! Nothing is mailed and nothing is written to the trail: a flapping line must not drown what matters.

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_dicom_gateway::scu::Timeouts;
use dokuei_models::EndpointId;
use dokuei_models::store::endpoint_states;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Job;
use crate::app::endpoints;
use crate::state::State;
use crate::wake::Topic;

/// How long one peer is waited for.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(10) };
/// Calls at once.
const AT_ONCE: usize = 32;
/// Echoes in a row that may go unanswered before a peer counts as failing.
const TOLERATED: i32 = 1;

/// One round.
///
/// # Errors
/// The database failed; the next round comes.
pub async fn run(state: State, _: Job) -> anyhow::Result<()> {
    let minutes = state.config.work.echo_minutes;
    if minutes == 0 {
        return Ok(());
    }
    let now = state.now();
    let watched = state.db.read(endpoint_states::endpoint_list_watched).await?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    for (row, last) in watched {
        if !is_due(row.id, last, now, minutes) {
            continue;
        }
        let (state, places) = (state.clone(), Arc::clone(&places));
        calls.spawn(async move {
            let _place = places.acquire_owned().await;
            let echo = endpoints::call(&state, &row, PATIENCE).await;
            let result = if echo.failure.is_none() { "answered" } else { "failed" };
            metrics::counter!("dokuei_echoes_total", "outcome" => result).increment(1);
            let (id, at) = (row.id, state.now());
            state.db.tx(move |conn| endpoints::note_in_tx(conn, id, &echo, TOLERATED, at)).await
        });
    }
    let mut failed = None;
    let mut called = 0;
    while let Some(ended) = calls.join_next().await {
        called += 1;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed = Some(anyhow::Error::from(error)),
            Err(error) => failed = Some(anyhow::Error::from(error)),
        }
    }
    if called > 0 {
        state.wake.tell(Topic::Deliveries);
    }
    failed.map_or(Ok(()), Err)
}

/// Whether a peer is to be called again: after the interval, up to a tenth sooner or later by its number.
fn is_due(endpoint: EndpointId, last: Option<NaiveDateTime>, now: NaiveDateTime, minutes: u32) -> bool {
    let interval = i64::from(minutes) * 60;
    let spread = (endpoint.0.wrapping_mul(2_654_435_761)).rem_euclid(201) - 100;
    let wait = TimeDelta::seconds(interval + interval * spread / 1_000);
    last.is_none_or(|last| now - last >= wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_called_after_the_interval_and_not_all_at_the_same_moment() {
        let now = NaiveDateTime::default() + TimeDelta::days(20_000);
        assert!(is_due(EndpointId(1), None, now, 5));
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        let due = |seconds| (1..=50).filter(|id| is_due(EndpointId(*id), ago(seconds), now, 5)).count();
        assert_eq!((due(269), due(331)), (0, 50));
        assert!((10..=40).contains(&due(300)), "{}", due(300));
    }
}
