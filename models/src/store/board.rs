//! What the dispatcher's board shows, in a handful of queries whatever its length.
//!
//! Everything is asked for a list of sites: those within the reach of whoever
//! looks. No name of a patient is read here; age and sex are.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use dokuei_terms::Modality;

use crate::codes::Code;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, PoolId, ReaderId, SiteId};
use crate::schema::{case_events, case_parts, cases, patients, plans, reads, requests, studies};
use crate::state::{CaseState, MatchState, ReadState, RequestState};
use crate::store::cases::{self as case_store, CasePart, CaseRow};
use crate::store::reads::{self as read_store, ReadRow};
use crate::store::requests::RequestRow;
use crate::store::studies::StudyRow;

/// One card.
#[derive(Clone, PartialEq)]
pub struct BoardCase {
    /// The case.
    pub case: CaseRow,
    /// The patient's birth date.
    pub birth_date: Option<NaiveDate>,
    /// The patient's sex.
    pub sex: String,
    /// What is to be read.
    pub parts: Vec<CasePart>,
    /// Its reads.
    pub reads: Vec<ReadRow>,
}

impl std::fmt::Debug for BoardCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BoardCase").field("case", &self.case.id).finish_non_exhaustive()
    }
}

/// The order of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneOrder {
    /// The soonest due first.
    SoonestDue,
    /// The newest report first, those since a time only.
    NewestReport(NaiveDateTime),
}

/// The cases of one lane, `limit` at the most.
///
/// # Errors
/// What the database says.
pub fn board_case_list(
    conn: &mut Connection,
    sites: &[SiteId],
    states: &[CaseState],
    order: LaneOrder,
    limit: i64,
) -> Result<Vec<BoardCase>, StoreError> {
    let rows = cases::table
        .inner_join(patients::table.on(patients::id.eq(cases::patient_id)))
        .filter(cases::site_id.eq_any(sites))
        .filter(cases::state.eq_any(states))
        .limit(limit)
        .select((CaseRow::as_select(), patients::birth_date, patients::sex));
    let rows: Vec<(CaseRow, Option<NaiveDate>, String)> = match order {
        LaneOrder::SoonestDue => rows.order((cases::due_at, cases::id)).load(conn)?,
        LaneOrder::NewestReport(since) => rows
            .filter(cases::reported_at.ge(since).assume_not_null())
            .order((cases::reported_at.desc(), cases::id.desc()))
            .load(conn)?,
    };
    let ids: Vec<CaseId> = rows.iter().map(|(case, ..)| case.id).collect();
    let parts = case_store::case_part_list_of(conn, &ids)?;
    let reads = read_store::read_list_of_cases(conn, &ids)?;
    Ok(rows
        .into_iter()
        .map(|(case, birth_date, sex)| BoardCase {
            birth_date,
            sex,
            parts: parts.iter().filter(|(of, _)| *of == case.id).map(|(_, part)| part.clone()).collect(),
            reads: reads.iter().filter(|read| read.case_id == case.id).cloned().collect(),
            case,
        })
        .collect())
}

/// The states of a case whose report stands.
const REPORTED: [CaseState; 3] = [CaseState::Reported, CaseState::Returned, CaseState::Acknowledged];

/// How many cases stand in each state; those whose report stands, since a time only.
///
/// # Errors
/// What the database says.
pub fn board_case_counts(
    conn: &mut Connection,
    sites: &[SiteId],
    reported_since: NaiveDateTime,
) -> Result<Vec<(CaseState, i64)>, StoreError> {
    Ok(cases::table
        .filter(cases::site_id.eq_any(sites))
        // A case that was opened again has its old report's time and is as much work as any other.
        .filter(cases::state.ne_all(REPORTED).or(cases::reported_at.ge(reported_since).assume_not_null()))
        .group_by(cases::state)
        .select((cases::state, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The studies of some sites in some match states, the longest waiting first, and how many there are in all.
///
/// # Errors
/// What the database says.
pub fn board_study_list(
    conn: &mut Connection,
    sites: &[SiteId],
    states: &[MatchState],
    limit: i64,
) -> Result<(Vec<StudyRow>, i64), StoreError> {
    let wanted = studies::site_id.eq_any(sites).and(studies::match_state.eq_any(states));
    let count = studies::table.filter(wanted).count().get_result(conn)?;
    let wanted = studies::site_id.eq_any(sites).and(studies::match_state.eq_any(states));
    let rows = studies::table
        .filter(wanted)
        .order((studies::first_received_at, studies::id))
        .limit(limit)
        .select(StudyRow::as_select())
        .load(conn)?;
    Ok((rows, count))
}

/// The requests of some sites in some states, the oldest first, and how many there are in all.
///
/// # Errors
/// What the database says.
pub fn board_request_list(
    conn: &mut Connection,
    sites: &[SiteId],
    states: &[RequestState],
    limit: i64,
) -> Result<(Vec<RequestRow>, i64), StoreError> {
    let wanted = requests::site_id.eq_any(sites).and(requests::state.eq_any(states));
    let count = requests::table.filter(wanted).count().get_result(conn)?;
    let wanted = requests::site_id.eq_any(sites).and(requests::state.eq_any(states));
    let rows = requests::table
        .filter(wanted)
        .order((requests::created_at, requests::id))
        .limit(limit)
        .select(RequestRow::as_select())
        .load(conn)?;
    Ok((rows, count))
}

/// Work that is not signed yet, of one modality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// The modality.
    pub modality: Modality,
    /// Its parts.
    pub parts: i64,
    /// Their expected minutes.
    pub minutes: f64,
}

/// The parts of cases that wait or are read, by modality, the most minutes first.
///
/// # Errors
/// What the database says.
pub fn board_backlog(conn: &mut Connection, sites: &[SiteId]) -> Result<Vec<Backlog>, StoreError> {
    let rows: Vec<(Code<Modality>, i64, Option<f64>)> = case_parts::table
        .inner_join(cases::table.on(cases::id.eq(case_parts::case_id)))
        .filter(cases::site_id.eq_any(sites))
        .filter(cases::state.eq_any([
            CaseState::Receiving,
            CaseState::WaitingRequest,
            CaseState::Ready,
            CaseState::Reading,
        ]))
        .group_by(case_parts::modality)
        .select((case_parts::modality, diesel::dsl::count_star(), diesel::dsl::sum(case_parts::minutes)))
        .load(conn)?;
    let mut backlog: Vec<Backlog> = rows
        .into_iter()
        .map(|(modality, parts, minutes)| Backlog { modality: modality.0, parts, minutes: minutes.unwrap_or(0.0) })
        .collect();
    backlog.sort_by(|a, b| b.minutes.total_cmp(&a.minutes));
    Ok(backlog)
}

/// One read in a reader's hands, or one that he has signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldRead {
    /// The reader.
    pub reader: ReaderId,
    /// Assigned, in progress or signed.
    pub state: ReadState,
    /// Its expected minutes.
    pub minutes: f64,
}

/// What readers have on their lists now, and what they have signed since a time.
///
/// # Errors
/// What the database says.
pub fn board_held_reads(
    conn: &mut Connection,
    readers: &[ReaderId],
    signed_since: NaiveDateTime,
) -> Result<Vec<HeldRead>, StoreError> {
    let in_hand = reads::state.eq_any([ReadState::Assigned, ReadState::InProgress]);
    let signed = reads::state.eq(ReadState::Signed).and(reads::signed_at.ge(signed_since).assume_not_null());
    let rows: Vec<(Option<ReaderId>, ReadState, f64)> = reads::table
        .filter(reads::reader_id.eq_any(readers).assume_not_null())
        .filter(in_hand.or(signed))
        .select((reads::reader_id, reads::state, reads::expected_minutes))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(reader, state, minutes)| Some(HeldRead { reader: reader?, state, minutes }))
        .collect())
}

/// A case as the last day is drawn from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseMark {
    /// The case.
    pub case: CaseId,
    /// Since when it could be read, or was made.
    pub since: NaiveDateTime,
    /// When the report is owed, as it stands now.
    pub due_at: NaiveDateTime,
}

/// Events that change a case's state.
const TURNS: [&str; 12] = [
    "create",
    "await_request",
    "ready",
    "start_reading",
    "stop_reading",
    "report",
    "return",
    "reopen",
    "hold",
    "withdraw",
    "release",
    "cancel",
];

/// One change of a case's state.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Turn {
    /// The case.
    pub case: CaseId,
    /// The event's stable name.
    pub kind: String,
    /// When.
    pub at: NaiveDateTime,
}

/// The cases that were open at any moment since a time, with every change of their state, oldest first.
///
/// # Errors
/// What the database says.
pub fn board_history(
    conn: &mut Connection,
    sites: &[SiteId],
    since: NaiveDateTime,
) -> Result<(Vec<CaseMark>, Vec<Turn>), StoreError> {
    // A cancelled case has no column that says when; one made a week before is not looked at any more.
    let week = since - chrono::TimeDelta::days(7);
    macro_rules! touched {
        () => {
            cases::state
                .eq_any([
                    CaseState::Receiving,
                    CaseState::WaitingRequest,
                    CaseState::Ready,
                    CaseState::Reading,
                    CaseState::OnHold,
                ])
                .or(cases::reported_at.ge(since).assume_not_null())
                .or(cases::state.eq(CaseState::Cancelled).and(cases::created_at.ge(week)))
        };
    }
    let rows: Vec<(CaseId, NaiveDateTime, Option<NaiveDateTime>, NaiveDateTime)> = cases::table
        .filter(cases::site_id.eq_any(sites))
        .filter(touched!())
        .select((cases::id, cases::created_at, cases::ready_at, cases::due_at))
        .load(conn)?;
    let marks = rows
        .into_iter()
        .map(|(case, created, ready, due_at)| CaseMark { case, since: ready.unwrap_or(created), due_at })
        .collect();
    let turns = case_events::table
        .inner_join(cases::table.on(cases::id.eq(case_events::case_id)))
        .filter(cases::site_id.eq_any(sites))
        .filter(touched!())
        .filter(case_events::kind.eq_any(TURNS))
        .order(case_events::id)
        .select((case_events::case_id, case_events::kind, case_events::at))
        .load(conn)?;
    Ok((marks, turns))
}

/// When plans of some pools were made and how far each was from the best possible, oldest first: those since a time,
/// and the last before it, which stood until the first of them.
///
/// # Errors
/// What the database says.
pub fn board_plan_gaps(
    conn: &mut Connection,
    pools: &[PoolId],
    since: NaiveDateTime,
) -> Result<Vec<(NaiveDateTime, f64)>, StoreError> {
    let last: Option<(NaiveDateTime, f64)> = plans::table
        .filter(plans::pool_id.eq_any(pools))
        .filter(plans::at.lt(since))
        .order(plans::id.desc())
        .select((plans::at, plans::gap))
        .first(conn)
        .optional()?;
    let newer: Vec<(NaiveDateTime, f64)> = plans::table
        .filter(plans::pool_id.eq_any(pools))
        .filter(plans::at.ge(since))
        .order(plans::id)
        .select((plans::at, plans::gap))
        .load(conn)?;
    Ok(last.into_iter().chain(newer).collect())
}

/// The cases of a patient, the newest first.
///
/// # Errors
/// What the database says.
pub fn case_list_of_patient(conn: &mut Connection, patient: crate::ids::PatientId) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table
        .filter(cases::patient_id.eq(patient))
        .order(cases::id.desc())
        .select(CaseRow::as_select())
        .load(conn)?)
}
