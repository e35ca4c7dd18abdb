//! Reads: rows, lists, and the changes that a case's events bring.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, InstanceId, PlanId, PoolId, ReadId, ReaderId};
use crate::schema::{cases, declines, image_views, reads};
use crate::state::{CaseState, ReadEvent, ReadKind, ReadState, read_apply_in_tx};
use crate::store::cases::CaseRow;

/// A read.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = reads)]
pub struct ReadRow {
    /// The row's id.
    pub id: ReadId,
    /// The case.
    pub case_id: CaseId,
    /// 1, 2, 3 ... within the case.
    pub number: i32,
    /// What kind of reading it is.
    pub kind: ReadKind,
    /// Where it stands.
    pub state: ReadState,
    /// Whether a hold stops it.
    pub frozen: bool,
    /// Who has it.
    pub reader_id: Option<ReaderId>,
    /// Who should get it back after a hold, if he is there.
    pub preferred_reader_id: Option<ReaderId>,
    /// The plan that gave it.
    pub plan_id: Option<PlanId>,
    /// The order in the reader's list, smallest first.
    pub place_in_list: i32,
    /// The assigner's explanation as JSON, or empty.
    pub explanation: String,
    /// Why nobody has it, as a code.
    pub waiting_reason: Option<String>,
    /// When a person looks at the latest.
    pub waiting_until: Option<NaiveDateTime>,
    /// Expected reading minutes.
    pub expected_minutes: f64,
    /// When it was assigned.
    pub assigned_at: Option<NaiveDateTime>,
    /// When its reader saw it on his list.
    pub seen_at: Option<NaiveDateTime>,
    /// When it was opened.
    pub started_at: Option<NaiveDateTime>,
    /// When its reader was last heard of.
    pub heartbeat_at: Option<NaiveDateTime>,
    /// When it was signed.
    pub signed_at: Option<NaiveDateTime>,
    /// While it is assigned: since when the time to start it runs. A hold pushes it on.
    pub clock_from: Option<NaiveDateTime>,
    /// How often it was taken from a reader who had not started it in time.
    pub missed_starts: i32,
    /// From whom it was taken last for that.
    pub missed_by: Option<ReaderId>,
    /// When.
    pub missed_at: Option<NaiveDateTime>,
    /// Grows with each change.
    pub version: i32,
}

impl ReadRow {
    /// Whether it is signed and its report is in force: not withdrawn with its case's reports.
    pub fn stands_signed(&self, case: &CaseRow) -> bool {
        self.state == ReadState::Signed && case.withdrawn_at.is_none_or(|at| self.signed_at.is_some_and(|one| one > at))
    }
}

/// One read.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn read_get(conn: &mut Connection, read: ReadId) -> Result<ReadRow, StoreError> {
    reads::table.find(read).select(ReadRow::as_select()).first(conn).or_not_found("the read")
}

/// The reads of a case.
///
/// # Errors
/// What the database says.
pub fn read_list_of_case(conn: &mut Connection, case: CaseId) -> Result<Vec<ReadRow>, StoreError> {
    read_list_of_cases(conn, &[case])
}

/// The reads of several cases.
///
/// # Errors
/// What the database says.
pub fn read_list_of_cases(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<ReadRow>, StoreError> {
    Ok(reads::table
        .filter(reads::case_id.eq_any(of))
        .order((reads::case_id, reads::number))
        .select(ReadRow::as_select())
        .load(conn)?)
}

/// A reader's list in the system's order: in progress first, then assigned.
///
/// # Errors
/// What the database says.
pub fn read_list_of_reader(conn: &mut Connection, reader: ReaderId) -> Result<Vec<ReadRow>, StoreError> {
    Ok(reads::table
        .filter(reads::reader_id.eq(reader))
        .filter(reads::state.eq_any([ReadState::Assigned, ReadState::InProgress]))
        .order((reads::state.desc(), reads::place_in_list, reads::id))
        .select(ReadRow::as_select())
        .load(conn)?)
}

/// The reads of a pool that the planner must think of: open, assigned or in progress, of cases that may be read.
///
/// # Errors
/// What the database says.
pub fn read_list_to_plan(conn: &mut Connection, pool: PoolId) -> Result<Vec<ReadRow>, StoreError> {
    Ok(reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .filter(cases::pool_id.eq(pool))
        .filter(cases::state.eq_any([CaseState::Ready, CaseState::Reading]))
        .filter(reads::state.eq_any([ReadState::Open, ReadState::Assigned, ReadState::InProgress]))
        .filter(reads::frozen.eq(false))
        .order(reads::id)
        .select(ReadRow::as_select())
        .load(conn)?)
}

/// Who declined which of these reads, and why.
///
/// # Errors
/// What the database says.
pub fn decline_list(conn: &mut Connection, of: &[ReadId]) -> Result<Vec<(ReadId, ReaderId, String)>, StoreError> {
    Ok(declines::table
        .filter(declines::read_id.eq_any(of))
        .order(declines::id)
        .select((declines::read_id, declines::reader_id, declines::reason))
        .load(conn)?)
}

/// Notes that the reader is still at it. Returns whether it is still his.
///
/// # Errors
/// What the database says.
pub fn read_heartbeat_in_tx(
    conn: &mut Connection,
    read: ReadId,
    reader: ReaderId,
    at: NaiveDateTime,
) -> Result<bool, StoreError> {
    let touched = diesel::update(
        reads::table.find(read).filter(reads::reader_id.eq(reader)).filter(reads::state.eq(ReadState::InProgress)),
    )
    .set(reads::heartbeat_at.eq(Some(at)))
    .execute(conn)?;
    Ok(touched == 1)
}

/// Notes that the reader's list showed its reads.
///
/// # Errors
/// What the database says.
pub fn read_seen_in_tx(conn: &mut Connection, reader: ReaderId, at: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(
        reads::table
            .filter(reads::reader_id.eq(reader))
            .filter(reads::state.eq(ReadState::Assigned))
            .filter(reads::seen_at.is_null()),
    )
    .set(reads::seen_at.eq(Some(at)))
    .execute(conn)?;
    Ok(())
}

/// Notes images that were opened in the reading room; those noted before stay as they are.
///
/// # Errors
/// What the database says.
pub fn image_view_in_tx(
    conn: &mut Connection,
    read: ReadId,
    seen: &[InstanceId],
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    use diesel::sql_types::{BigInt, Timestamp};
    for instance in seen {
        diesel::sql_query(
            "INSERT INTO image_views (read_id, instance_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind::<BigInt, _>(read)
        .bind::<BigInt, _>(*instance)
        .bind::<Timestamp, _>(at)
        .execute(conn)?;
    }
    Ok(())
}

/// The images that were opened for a read.
///
/// # Errors
/// What the database says.
pub fn image_view_list(conn: &mut Connection, read: ReadId) -> Result<Vec<InstanceId>, StoreError> {
    Ok(image_views::table.filter(image_views::read_id.eq(read)).select(image_views::instance_id).load(conn)?)
}

/// Freezes or thaws a case's open reads, with their clocks.
///
/// # Errors
/// What the database says.
pub fn freeze_in_tx(conn: &mut Connection, case: CaseId, frozen: bool) -> Result<(), StoreError> {
    diesel::update(
        reads::table.filter(reads::case_id.eq(case)).filter(reads::state.ne_all([ReadState::Signed, ReadState::Void])),
    )
    .set((reads::frozen.eq(frozen), reads::version.eq(reads::version + 1)))
    .execute(conn)?;
    Ok(())
}

/// Voids every read of a case that is not signed.
///
/// # Errors
/// What the database says.
pub fn void_all_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId, reason: &str) -> Result<(), StoreError> {
    let open: Vec<ReadId> = reads::table
        .filter(reads::case_id.eq(case))
        .filter(reads::state.ne_all([ReadState::Signed, ReadState::Void]))
        .select(reads::id)
        .load(conn)?;
    for read in open {
        read_apply_in_tx(conn, actor, read, &ReadEvent::Void { reason: reason.to_owned() })?;
    }
    Ok(())
}

/// Remembers who should get a read back after a hold.
///
/// # Errors
/// What the database says.
pub fn read_prefer_in_tx(conn: &mut Connection, read: ReadId, reader: Option<ReaderId>) -> Result<(), StoreError> {
    diesel::update(reads::table.find(read)).set(reads::preferred_reader_id.eq(reader)).execute(conn)?;
    Ok(())
}

/// Writes why a read waits, as the planner tells it.
///
/// # Errors
/// What the database says.
pub fn read_explain_in_tx(conn: &mut Connection, read: ReadId, explanation: &str) -> Result<(), StoreError> {
    diesel::update(reads::table.find(read)).set(reads::explanation.eq(explanation)).execute(conn)?;
    Ok(())
}

/// Marks a read that a dispatcher must look at; it stays where it is.
///
/// # Errors
/// What the database says.
pub fn read_alarm_in_tx(
    conn: &mut Connection,
    read: ReadId,
    reason: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(reads::table.find(read).filter(reads::waiting_reason.is_null()))
        .set((reads::waiting_reason.eq(Some(reason)), reads::waiting_until.eq(Some(at))))
        .execute(conn)?;
    Ok(())
}
