//! Finding and counting cases.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::CaseRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{PatientId, PoolId, SiteId};
use crate::names::fold;
use crate::schema::{cases, patients, requests};
use crate::state::CaseState;

/// What a list of cases asks for; empty fields match all.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// In one of these states.
    pub states: Vec<CaseState>,
    /// Of one of these sites.
    pub sites: Option<Vec<SiteId>>,
    /// Of this pool.
    pub pool: Option<PoolId>,
    /// Part of a patient ID, a name in kanji or kana, or an accession number.
    pub text: Option<String>,
    /// Made at or after.
    pub from: Option<NaiveDateTime>,
    /// Made before.
    pub to: Option<NaiveDateTime>,
    /// Which come first.
    pub order: CaseOrder,
    /// How many at the most.
    pub limit: i64,
}

/// The order of a list of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseOrder {
    /// The soonest due first.
    #[default]
    SoonestDue,
    /// The newest case first.
    Newest,
}

/// Lists cases.
///
/// # Errors
/// What the database says.
pub fn case_list(conn: &mut Connection, query: &CaseQuery) -> Result<Vec<CaseRow>, StoreError> {
    let mut rows = cases::table
        .inner_join(patients::table.on(patients::id.eq(cases::patient_id)))
        .inner_join(requests::table.on(requests::id.eq(cases::request_id)))
        .limit(query.limit.clamp(1, 5000))
        .select(CaseRow::as_select())
        .into_boxed();
    rows = match query.order {
        CaseOrder::SoonestDue => rows.order((cases::due_at, cases::id)),
        CaseOrder::Newest => rows.order(cases::id.desc()),
    };
    if !query.states.is_empty() {
        rows = rows.filter(cases::state.eq_any(query.states.clone()));
    }
    if let Some(sites) = &query.sites {
        rows = rows.filter(cases::site_id.eq_any(sites.clone()));
    }
    if let Some(pool) = query.pool {
        rows = rows.filter(cases::pool_id.eq(pool));
    }
    if let Some(from) = query.from {
        rows = rows.filter(cases::created_at.ge(from));
    }
    if let Some(to) = query.to {
        rows = rows.filter(cases::created_at.lt(to));
    }
    if let Some(text) = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let pattern = format!("%{}%", escape_like(&fold(text)));
        let number = format!("{}%", escape_like(text));
        // The ID as the request writes it too: its leading zeros may not be the patient's key's.
        rows = rows.filter(
            patients::search_text
                .like(pattern)
                .escape('!')
                .or(requests::accession_number.like(number.clone()).escape('!'))
                .or(requests::patient_id.like(number).escape('!')),
        );
    }
    Ok(rows.load(conn)?)
}

/// Makes `%` and `_` ordinary letters of a pattern whose escape is `!`.
fn escape_like(text: &str) -> String {
    text.chars().flat_map(|letter| ['!'].into_iter().filter(move |_| "%_!".contains(letter)).chain([letter])).collect()
}

/// How many cases of a pool stand in each state.
///
/// # Errors
/// What the database says.
pub fn case_counts(conn: &mut Connection, pool: Option<PoolId>) -> Result<Vec<(CaseState, i64)>, StoreError> {
    let rows = cases::table.group_by(cases::state).select((cases::state, diesel::dsl::count_star()));
    Ok(match pool {
        Some(pool) => rows.filter(cases::pool_id.eq(pool)).load(conn)?,
        None => rows.load(conn)?,
    })
}

/// The cases of a patient, oldest first; cancelled ones left out.
///
/// # Errors
/// What the database says.
pub fn case_list_of_patient(conn: &mut Connection, patient: PatientId) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table
        .filter(cases::patient_id.eq(patient))
        .filter(cases::state.ne(CaseState::Cancelled))
        .order(cases::id)
        .select(CaseRow::as_select())
        .load(conn)?)
}

/// The cases of some sites that carry a flag, oldest first.
///
/// # Errors
/// What the database says.
pub fn case_list_flagged(
    conn: &mut Connection,
    sites: &[SiteId],
    flag: &str,
    limit: i64,
) -> Result<Vec<CaseRow>, StoreError> {
    let pattern = format!("%\"{}\"%", escape_like(flag));
    Ok(cases::table
        .filter(cases::site_id.eq_any(sites))
        .filter(cases::flags.like(pattern).escape('!'))
        .filter(cases::state.ne(CaseState::Cancelled))
        .order(cases::id)
        .limit(limit)
        .select(CaseRow::as_select())
        .load(conn)?)
}
