//! Cases: making them and reading them. Parts, studies, lists and flags have files of their own.

mod flags;
mod lists;
mod parts;
mod studies;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use dokuei_terms::Priority;

pub use self::flags::{
    COMPARE, IDENTITY_CHANGED, IMAGE_CONFLICT, IMAGES_WITHDRAWN, INCOMPLETE, LATE_IMAGES, PRIOR_REMOVED,
    STANDING_FLAGS, WITHDRAWAL_ASKED, case_flag_in_tx, case_prescreened_in_tx,
};
pub use self::lists::{CaseOrder, CaseQuery, case_counts, case_list, case_list_flagged, case_list_of_patient};
pub use self::parts::{CasePart, case_part_list, case_part_list_of, case_parts_replace_in_tx};
pub use self::studies::{case_study_add_in_tx, case_study_list, case_study_remove_in_tx};

use crate::actor::Actor;
use crate::codes::Code;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, ContractId, PatientId, PoolId, ReadId, RequestId, SiteId, StudyId};
use crate::schema::{cases, reads};
use crate::state::{CaseState, CaseStudyRole, HoldActor, ReadKind, ReadState};
use crate::store::{audit, case_events};

/// A case.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = cases)]
pub struct CaseRow {
    /// The row's id, which is the case number people say.
    pub id: CaseId,
    /// The referring site.
    pub site_id: SiteId,
    /// The pool it is planned in.
    pub pool_id: PoolId,
    /// The patient.
    pub patient_id: PatientId,
    /// The request.
    pub request_id: RequestId,
    /// The contract in force when it was made.
    pub contract_id: Option<ContractId>,
    /// Where it stands.
    pub state: CaseState,
    /// Where it goes on after a hold.
    pub held_state: Option<CaseState>,
    /// Why it is held.
    pub hold_reason: Option<String>,
    /// Who must act.
    pub hold_actor: Option<HoldActor>,
    /// When somebody looks at the latest.
    pub hold_until: Option<NaiveDateTime>,
    /// Since when it is held.
    pub held_at: Option<NaiveDateTime>,
    /// What a person asked for, a dispatcher's change included.
    #[diesel(deserialize_as = Code<Priority>)]
    pub priority: Priority,
    /// 0..1, from the newest prescreen.
    pub urgency: f64,
    /// Whether an engine's finding may be shown.
    pub ai_help: bool,
    /// Label flags and doubts, as a JSON array of codes.
    pub flags: String,
    /// How many prior studies there are.
    pub priors: i32,
    /// When the report is owed.
    pub due_at: NaiveDateTime,
    /// When its first image or its request came, the later.
    pub received_at: NaiveDateTime,
    /// When it could be planned.
    pub ready_at: Option<NaiveDateTime>,
    /// When it was first signed.
    pub reported_at: Option<NaiveDateTime>,
    /// When every required delivery was done.
    pub returned_at: Option<NaiveDateTime>,
    /// When the ordering doctor accepted it.
    pub acknowledged_at: Option<NaiveDateTime>,
    /// When its reports were withdrawn last: what was signed until then is not in force.
    pub withdrawn_at: Option<NaiveDateTime>,
    /// The case that has taken in everything of this one.
    pub merged_into_id: Option<CaseId>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Grows with each change.
    pub version: i32,
}

/// A case to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCase {
    /// The referring site.
    pub site: SiteId,
    /// The pool.
    pub pool: PoolId,
    /// The patient.
    pub patient: PatientId,
    /// The request.
    pub request: RequestId,
    /// The contract.
    pub contract: Option<ContractId>,
    /// The priority.
    pub priority: Priority,
    /// When the report is owed.
    pub due_at: NaiveDateTime,
    /// When image and request were both here.
    pub received_at: NaiveDateTime,
    /// The studies to be read.
    pub studies: Vec<StudyId>,
    /// The parts.
    pub parts: Vec<CasePart>,
    /// The reads to be made: none for AI only.
    pub reads: Vec<ReadKind>,
}

/// Makes a case in state `receiving` with its parts, studies and reads.
///
/// # Errors
/// What the database says.
pub fn case_create_in_tx(conn: &mut Connection, actor: &Actor, new: &NewCase) -> Result<CaseId, StoreError> {
    let case: CaseId = diesel::insert_into(cases::table)
        .values((
            cases::site_id.eq(new.site),
            cases::pool_id.eq(new.pool),
            cases::patient_id.eq(new.patient),
            cases::request_id.eq(new.request),
            cases::contract_id.eq(new.contract),
            cases::state.eq(CaseState::Receiving),
            cases::priority.eq(new.priority.code()),
            cases::urgency.eq(0.0),
            cases::ai_help.eq(false),
            cases::flags.eq("[]"),
            cases::priors.eq(0),
            cases::due_at.eq(new.due_at),
            cases::received_at.eq(new.received_at),
            cases::created_at.eq(actor.at),
            cases::version.eq(1),
        ))
        .returning(cases::id)
        .get_result(conn)?;
    case_parts_replace_in_tx(conn, case, &new.parts)?;
    for study in &new.studies {
        case_study_add_in_tx(conn, case, *study, CaseStudyRole::Current)?;
    }
    let minutes: f64 = new.parts.iter().map(|part| part.minutes).sum();
    for (at, kind) in new.reads.iter().enumerate() {
        read_create_in_tx(conn, actor, case, i32::try_from(at).unwrap_or(0) + 1, *kind, minutes)?;
    }
    case_events::append_in_tx(conn, actor, case, None, "create", &serde_json::json!({ "studies": new.studies }))?;
    audit::append_in_tx(conn, actor, "case.create", audit::Subject::case(case, new.site), "done", "")?;
    Ok(case)
}

/// Makes an open read.
///
/// # Errors
/// [`StoreError::Rule`] when the case has a read of that number.
pub fn read_create_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    number: i32,
    kind: ReadKind,
    expected_minutes: f64,
) -> Result<ReadId, StoreError> {
    Ok(diesel::insert_into(reads::table)
        .values((
            reads::case_id.eq(case),
            reads::number.eq(number),
            reads::kind.eq(kind),
            reads::state.eq(ReadState::Open),
            reads::frozen.eq(false),
            reads::place_in_list.eq(0),
            reads::explanation.eq(""),
            reads::expected_minutes.eq(expected_minutes),
            reads::missed_starts.eq(0),
            reads::created_at.eq(actor.at),
            reads::version.eq(1),
        ))
        .returning(reads::id)
        .get_result(conn)?)
}

/// Holds a case until the transaction ends, so that what is read of it and its reads from here on stays true until the
/// commit. PostgreSQL locks the row; SQLite has one writer anyway.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn case_lock_in_tx(conn: &mut Connection, case: CaseId) -> Result<(), StoreError> {
    let held = diesel::update(cases::table.find(case)).set(cases::version.eq(cases::version)).execute(conn)?;
    if held == 1 { Ok(()) } else { Err(StoreError::NotFound("the case")) }
}

/// One case.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn case_get(conn: &mut Connection, case: CaseId) -> Result<CaseRow, StoreError> {
    cases::table.find(case).select(CaseRow::as_select()).first(conn).or_not_found("the case")
}

/// The cases of a request.
///
/// # Errors
/// What the database says.
pub fn case_list_of_request(conn: &mut Connection, request: RequestId) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table.filter(cases::request_id.eq(request)).order(cases::id).select(CaseRow::as_select()).load(conn)?)
}

/// Several cases.
///
/// # Errors
/// What the database says.
pub fn case_list_by_id(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table.filter(cases::id.eq_any(of)).order(cases::id).select(CaseRow::as_select()).load(conn)?)
}

/// Notes which case has taken in everything of another.
///
/// # Errors
/// What the database says.
pub fn case_merged_in_tx(conn: &mut Connection, from: CaseId, into: CaseId) -> Result<(), StoreError> {
    diesel::update(cases::table.find(from)).set(cases::merged_into_id.eq(Some(into))).execute(conn)?;
    Ok(())
}

/// The case in which a request is read now: its own open one, or the open one that has taken in its own.
///
/// # Errors
/// What the database says.
pub fn case_open_of_request(conn: &mut Connection, request: RequestId) -> Result<Option<CaseRow>, StoreError> {
    for mut case in case_list_of_request(conn, request)? {
        // A case ends when it is taken in, so that each step leads to a later merge.
        while let Some(into) = case.merged_into_id.filter(|_| !case.state.is_open()) {
            case = case_get(conn, into)?;
        }
        if case.state.is_open() {
            return Ok(Some(case));
        }
    }
    Ok(None)
}
