//! Tariffs: prices in whole yen without tax, by modality and region, with surcharges for urgency.
//!
//! A tariff has a name, which contracts refer to, and versions by first day. A
//! version that a ledger line was priced by is never rewritten: another begins on
//! a later day, with the same lines to start from.

use chrono::{Days, NaiveDate};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::tariffs::{self, TariffLineRow, TariffRow};
use dokuei_models::{Actor, Connection, StoreError, TariffId, TariffLineId};
use dokuei_terms::{Modality, Priority, Region};
use serde::Deserialize;

use super::typed::{Faults, Typed};
use crate::error::codes::{admin as codes, common};
use crate::error::{Code, Error, Result};
use crate::state::State;

/// The most yen a line may have.
const MOST_YEN: i64 = 10_000_000;
/// What a place in the table may cost: a case's first part, each further one, and what the reader gets for either.
pub const KINDS: [&str; 3] = ["reading_first", "reading_further", "reader_fee"];
/// Priorities that may cost more.
pub const SURCHARGED: [Priority; 3] = [Priority::Stat, Priority::Urgent, Priority::Priority];

/// A new tariff, or a new version of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TariffForm {
    /// Its name; a version has its tariff's.
    pub name: String,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
}

/// Prices of one place of the table. An amount that is left out removes its line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PriceForm {
    /// The modality; all of them where it is empty.
    pub modality: Typed<Modality>,
    /// The region with those below; all of them where it is empty.
    pub region: Typed<Region>,
    /// A case's first part.
    pub first: Typed<i64>,
    /// Each further part.
    pub further: Typed<i64>,
    /// What the reader gets for a part.
    pub reader: Typed<i64>,
}

/// Surcharges of a case by its priority.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SurchargeForm {
    /// Stat.
    pub stat: Typed<i64>,
    /// Urgent.
    pub urgent: Typed<i64>,
    /// Priority.
    pub priority: Typed<i64>,
}

/// A version with its lines.
#[derive(Debug, Clone)]
pub struct TariffSheet {
    /// The version.
    pub tariff: TariffRow,
    /// Its lines.
    pub lines: Vec<TariffLineRow>,
    /// Whether the ledger was priced by it.
    pub used: bool,
    /// Every version of its name, the newest first.
    pub versions: Vec<TariffRow>,
}

/// Loads a version.
///
/// # Errors
/// `not_found`.
pub async fn sheet(state: &State, tariff: TariffId) -> Result<TariffSheet> {
    let load = move |conn: &mut Connection| {
        let tariff = tariffs::tariff_get(conn, tariff)?;
        let mut versions = tariffs::tariff_list(conn)?;
        versions.retain(|one| one.name == tariff.name);
        Ok(TariffSheet {
            lines: tariffs::tariff_line_list(conn, tariff.id)?,
            used: tariffs::tariff_is_used(conn, tariff.id)?,
            versions,
            tariff,
        })
    };
    Ok(state.db.read(load).await?)
}

/// Every version with how many lines it has and whether it is used, by name.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State) -> Result<Vec<(TariffRow, usize, bool)>> {
    let load = |conn: &mut Connection| {
        let mut list = Vec::new();
        for tariff in tariffs::tariff_list(conn)? {
            let lines = tariffs::tariff_line_list(conn, tariff.id)?.len();
            let used = tariffs::tariff_is_used(conn, tariff.id)?;
            list.push((tariff, lines, used));
        }
        Ok(list)
    };
    Ok(state.db.read(load).await?)
}

fn invalid(field: &'static str, code: &'static Code) -> Error {
    Error::new(&common::FORM_INVALID).field(field, code)
}

/// Makes a tariff under a new name.
///
/// # Errors
/// `form_invalid`.
pub async fn create(state: &State, actor: Actor, form: &TariffForm) -> Result<TariffId> {
    let mut faults = Faults::default();
    let name = faults.text("name", &form.name, 60);
    let (from_day, _) = faults.days(&form.from_day, &Typed::Empty);
    faults.done()?;
    let made = state
        .db
        .tx(move |conn| {
            if tariffs::tariff_list(conn)?.iter().any(|one| one.name == name) {
                return Ok(None);
            }
            let id = tariffs::tariff_insert_in_tx(conn, &name, from_day, None)?;
            let detail = serde_json::json!({ "name": name, "from": from_day }).to_string();
            append_in_tx(conn, &actor, "tariff.create", Subject::row("tariff", id.0, None), "done", &detail)?;
            Ok(Some(id))
        })
        .await?;
    made.ok_or_else(|| invalid("name", &codes::CODE_TAKEN))
}

/// Begins a new version of a tariff on a day, with the lines of the version that it follows, which ends on the eve.
///
/// # Errors
/// `not_found`, `form_invalid`, `begins_too_early` when a version from that day or later is there.
pub async fn next(state: &State, actor: Actor, tariff: TariffId, form: &TariffForm) -> Result<TariffId> {
    let mut faults = Faults::default();
    let (from_day, _) = faults.days(&form.from_day, &Typed::Empty);
    faults.done()?;
    let made = state
        .db
        .tx(move |conn| {
            let name = tariffs::tariff_get(conn, tariff)?.name;
            let versions = tariffs::tariff_list(conn)?;
            let Some(newest) = versions.into_iter().find(|one| one.name == name) else {
                return Err(StoreError::NotFound("the tariff"));
            };
            if newest.from_day >= from_day {
                return Ok(Err(newest.from_day));
            }
            if newest.to_day.is_none_or(|last| last >= from_day) {
                tariffs::tariff_end_in_tx(conn, newest.id, Some(from_day - Days::new(1)))?;
            }
            let id = tariffs::tariff_insert_in_tx(conn, &name, from_day, None)?;
            for line in tariffs::tariff_line_list(conn, newest.id)? {
                tariffs::tariff_line_insert_in_tx(conn, &TariffLineRow { tariff_id: id, ..line })?;
            }
            let detail = serde_json::json!({ "follows": newest.id, "from": from_day }).to_string();
            append_in_tx(conn, &actor, "tariff.next", Subject::row("tariff", id.0, None), "done", &detail)?;
            Ok(Ok(id))
        })
        .await?;
    made.map_err(|day| Error::new(&codes::BEGINS_TOO_EARLY).with("day", day).field("from_day", &codes::DAYS_OVERLAP))
}

/// Removes a version that the ledger was not priced by; the one before is open again.
///
/// # Errors
/// `not_found`, `in_use`.
pub async fn remove(state: &State, actor: Actor, tariff: TariffId) -> Result<()> {
    let removed = state
        .db
        .tx(move |conn| {
            let row = tariffs::tariff_get(conn, tariff)?;
            let all = tariffs::tariff_list(conn)?;
            // A contract names a tariff, whichever of its versions is in force: without any, everything would cost nothing.
            let last = all.iter().filter(|one| one.name == row.name).count() == 1;
            if tariffs::tariff_is_used(conn, tariff)? || last && tariffs::tariff_is_agreed(conn, &row.name)? {
                return Ok(false);
            }
            tariffs::tariff_remove_in_tx(conn, tariff)?;
            let eve = row.from_day - Days::new(1);
            let before = all;
            if let Some(before) = before.iter().find(|one| one.name == row.name && one.to_day == Some(eve)) {
                tariffs::tariff_end_in_tx(conn, before.id, row.to_day)?;
            }
            let detail = serde_json::json!({ "name": row.name, "from": row.from_day }).to_string();
            append_in_tx(conn, &actor, "tariff.remove", Subject::row("tariff", tariff.0, None), "done", &detail)?;
            Ok(true)
        })
        .await?;
    if removed { Ok(()) } else { Err(Error::new(&codes::IN_USE)) }
}

fn amount(faults: &mut Faults, field: &'static str, typed: &Typed<i64>) -> Option<i64> {
    match typed {
        Typed::Empty => None,
        Typed::Is(yen) if (0..=MOST_YEN).contains(yen) => Some(*yen),
        _ => {
            faults.add(field, &codes::AMOUNT);
            None
        }
    }
}

/// Writes the prices of one place.
///
/// # Errors
/// `not_found`, `form_invalid`, `in_use`.
pub async fn set_price(state: &State, actor: Actor, tariff: TariffId, form: &PriceForm) -> Result<()> {
    let mut faults = Faults::default();
    let modality = faults.optional("modality", &form.modality).map(|one| one.code().to_owned());
    let region = faults.optional("region", &form.region).map(|one| one.code().to_owned());
    let amounts = [("first", &form.first), ("further", &form.further), ("reader", &form.reader)]
        .map(|(field, typed)| amount(&mut faults, field, typed));
    faults.done()?;
    let lines = KINDS
        .iter()
        .zip(amounts)
        .map(|(kind, yen)| line(tariff, kind, (modality.clone(), region.clone(), None), yen))
        .collect();
    write(state, actor, tariff, "tariff.price", lines).await
}

/// Writes the surcharges.
///
/// # Errors
/// `not_found`, `form_invalid`, `in_use`.
pub async fn set_surcharges(state: &State, actor: Actor, tariff: TariffId, form: &SurchargeForm) -> Result<()> {
    let mut faults = Faults::default();
    let amounts = [("stat", &form.stat), ("urgent", &form.urgent), ("priority", &form.priority)]
        .map(|(field, typed)| amount(&mut faults, field, typed));
    faults.done()?;
    let lines = SURCHARGED
        .iter()
        .zip(amounts)
        .map(|(priority, yen)| line(tariff, "urgency", (None, None, Some(priority.code().to_owned())), yen))
        .collect();
    write(state, actor, tariff, "tariff.surcharge", lines).await
}

type Place = (Option<String>, Option<String>, Option<String>);

/// A line with its amount; none removes it.
fn line(tariff: TariffId, kind: &str, place: Place, yen: Option<i64>) -> (TariffLineRow, bool) {
    let (modality, region, priority) = place;
    let row = TariffLineRow {
        id: TariffLineId(0),
        tariff_id: tariff,
        kind: kind.to_owned(),
        modality,
        region,
        priority,
        amount_yen: yen.unwrap_or(0),
    };
    (row, yen.is_some())
}

async fn write(
    state: &State,
    actor: Actor,
    tariff: TariffId,
    action: &'static str,
    lines: Vec<(TariffLineRow, bool)>,
) -> Result<()> {
    let written = state
        .db
        .tx(move |conn| {
            tariffs::tariff_get(conn, tariff)?;
            if tariffs::tariff_is_used(conn, tariff)? {
                return Ok(false);
            }
            let mut told = Vec::new();
            for (line, stays) in &lines {
                tariffs::tariff_line_remove_in_tx(conn, line)?;
                if *stays {
                    tariffs::tariff_line_insert_in_tx(conn, line)?;
                }
                told.push(serde_json::json!({
                    "kind": line.kind, "modality": line.modality, "region": line.region, "priority": line.priority,
                    "yen": stays.then_some(line.amount_yen),
                }));
            }
            let detail = serde_json::json!({ "lines": told }).to_string();
            append_in_tx(conn, &actor, action, Subject::row("tariff", tariff.0, None), "done", &detail)?;
            Ok(true)
        })
        .await?;
    if written { Ok(()) } else { Err(Error::new(&codes::IN_USE)) }
}
