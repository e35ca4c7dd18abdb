//! Finds any case by patient ID, kanji or kana name, or accession number.
//!
//! What was looked for is never kept; whose cases were shown is.

use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseOrder, CasePart, CaseQuery, CaseRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::requests;
use dokuei_models::{CaseId, Connection, SiteId, StoreError};

use super::board::{self, Names};
use crate::authority::{Person, Reach};
use crate::error::Result;
use crate::state::State;

/// How many are shown at the most.
pub const MOST: usize = 20;
/// How many are looked through for open ones, which come first.
const LOOKED_AT: i64 = 200;

/// A case that was found.
#[derive(Clone)]
pub struct Found {
    /// The case.
    pub case: CaseRow,
    /// Its patient.
    pub patient: PatientRow,
    /// Its accession number.
    pub accession_number: String,
    /// What is to be read.
    pub parts: Vec<CasePart>,
}

/// What was found: open cases first, then the newest.
#[derive(Clone)]
pub struct Finding {
    /// [`MOST`] at the most.
    pub cases: Vec<Found>,
    /// Whether there are more.
    pub more: bool,
    /// Names.
    pub names: Names,
}

/// Looks for `text`.
///
/// # Errors
/// What the database says.
pub async fn find(state: &State, person: &Person, reach: Reach, text: &str) -> Result<Finding> {
    let text = text.trim().to_owned();
    let found = state.db.read(move |conn| find_in(conn, &reach, &text)).await?;
    let actor = person.actor(state.now());
    let shown: Vec<i64> = found.cases.iter().map(|found| found.case.id.0).collect();
    let detail = serde_json::json!({ "cases": shown }).to_string();
    state
        .db
        .tx(move |conn| audit::append_in_tx(conn, &actor, "case.search", Subject::none("case"), "done", &detail))
        .await?;
    Ok(found)
}

/// The same, on a connection.
///
/// # Errors
/// What the database says.
pub fn find_in(conn: &mut Connection, reach: &Reach, text: &str) -> std::result::Result<Finding, StoreError> {
    let names = Names::load(conn)?;
    if text.is_empty() {
        return Ok(Finding { cases: Vec::new(), more: false, names });
    }
    let sites: Vec<SiteId> = board::sites_within(conn, reach)?.iter().map(|site| site.id).collect();
    let query = CaseQuery {
        sites: Some(sites),
        text: Some(text.to_owned()),
        order: CaseOrder::Newest,
        limit: LOOKED_AT,
        ..CaseQuery::default()
    };
    let mut rows = cases::case_list(conn, &query)?;
    rows.sort_by_key(|case| !case.state.is_open());
    let more = rows.len() > MOST;
    rows.truncate(MOST);
    let ids: Vec<CaseId> = rows.iter().map(|case| case.id).collect();
    let parts = cases::case_part_list_of(conn, &ids)?;
    let mut found = Vec::new();
    for case in rows {
        found.push(Found {
            patient: patients::patient_get(conn, case.patient_id)?,
            accession_number: requests::request_get(conn, case.request_id)?.accession_number,
            parts: parts.iter().filter(|(of, _)| *of == case.id).map(|(_, part)| part.clone()).collect(),
            case,
        });
    }
    Ok(Finding { cases: found, more, names })
}
