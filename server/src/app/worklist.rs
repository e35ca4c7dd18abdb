//! A reader's worklist: what is on it, starting, declining, coming and going.
//!
//! Who reads what is decided by the `UPDATE` behind a read's event: a reader who
//! reaches for a case that another holds is refused there, however old his page.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::japan;
use dokuei_models::state::{
    CaseEvent, CaseState, Place, ReadEvent, ReadKind, ReadState, VersionState, case_apply_in_tx, read_apply_in_tx,
};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::jobs;
use dokuei_models::store::readers::{self, ReaderRow, ShiftRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports::{self, DraftText, SignedWork};
use dokuei_models::store::shifts;
use dokuei_models::store::worklists::{self, Asked, WorklistRow};
use dokuei_models::{Actor, CaseId, Connection, ReadId, StoreError, UserId};

use super::form::{self, need_reason};
use crate::authority::Person;
use crate::error::codes::{common, reading as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// How long a reader may offer himself outside his shifts, in hours.
pub const LONGEST_EXTRA_HOURS: i64 = 12;

/// The states of a case that has been signed, or is read and held again after it was.
const SIGNED_STATES: &[CaseState] =
    &[CaseState::Reading, CaseState::OnHold, CaseState::Reported, CaseState::Returned, CaseState::Acknowledged];

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Worklist {
    /// The reader.
    pub reader: ReaderRow,
    /// His reads in the system's order.
    pub rows: Vec<WorklistRow>,
    /// What he signed today (Japan).
    pub today: SignedWork,
    /// The shift he is in, else the next within a day.
    pub shift: Option<ShiftRow>,
    /// Whether the plan counts on him now.
    pub on_duty: bool,
    /// His signed reads whose report he is asked to compare with another's.
    pub to_compare: Vec<ReadId>,
    /// His signed reads, with their cases, whose withdrawal is asked for.
    pub asked: Vec<(ReadId, CaseId)>,
}

/// The reader that a person is.
///
/// # Errors
/// `reader_unknown` when the person is none.
pub async fn reader_of(state: &State, person: &Person) -> Result<ReaderRow> {
    let user = person.id;
    let reader = state.db.read(move |conn| readers::reader_of_user(conn, user)).await?;
    reader.filter(|reader| reader.active).ok_or_else(|| Error::new(&codes::READER_UNKNOWN))
}

/// The worklist as it is now. What stands on it for the first time counts as seen from now on.
///
/// # Errors
/// `reader_unknown`.
pub async fn worklist(state: &State, person: &Person) -> Result<Worklist> {
    let (user, now) = (person.id, state.now());
    let found = state.db.read(move |conn| load(conn, user, now)).await?;
    let list = found.ok_or_else(|| Error::new(&codes::READER_UNKNOWN))?;
    let unseen = |row: &WorklistRow| row.read.state == ReadState::Assigned && row.read.seen_at.is_none();
    if list.rows.iter().any(unseen) {
        let (reader, actor) = (list.reader.id, person.actor(now));
        let newly: Vec<_> =
            list.rows.iter().filter(|row| unseen(row)).map(|row| (row.read.id, row.case.site_id)).collect();
        state
            .db
            .tx(move |conn| {
                reads::read_seen_in_tx(conn, reader, now)?;
                for (read, site) in &newly {
                    audit::append_in_tx(conn, &actor, "worklist.show", Subject::read(*read, *site), "done", "")?;
                }
                Ok(())
            })
            .await?;
    }
    Ok(list)
}

fn load(conn: &mut Connection, user: UserId, now: NaiveDateTime) -> Result<Option<Worklist>, StoreError> {
    let Some(reader) = readers::reader_of_user(conn, user)?.filter(|reader| reader.active) else { return Ok(None) };
    let midnight = japan::midnight(japan::day(now));
    let shifts = readers::shift_list(conn, now, now + TimeDelta::hours(24))?;
    let shift = shifts.into_iter().find(|shift| shift.reader_id == reader.id);
    let on_duty = shift.is_some_and(|shift| {
        shift.starts_at <= now && (reader.logged_in || reader.presence_at.is_none_or(|at| at < shift.starts_at))
    });
    let mut to_compare = Vec::new();
    for (read, case) in worklists::read_list_asked(conn, reader.id, Asked::Compare, &[CaseState::Reading])? {
        if super::comparing::is_asked(conn, &case, read)? {
            to_compare.push(read);
        }
    }
    let asked = worklists::read_list_asked(conn, reader.id, Asked::Withdraw, SIGNED_STATES)?;
    Ok(Some(Worklist {
        to_compare,
        asked: asked.into_iter().map(|(read, case)| (read, case.id)).collect(),
        rows: worklists::worklist(conn, reader.id)?,
        today: reports::signed_since(conn, reader.id, midnight)?,
        shift,
        on_duty,
        reader,
    }))
}

/// Opens a read that is on the reader's list; one that is open already stays so.
///
/// # Errors
/// `read_held_by_another`, `read_on_hold`, `reader_unknown`.
pub async fn start(state: &State, person: &Person, read: ReadId) -> Result<()> {
    let reader = reader_of(state, person).await?;
    let (actor, id) = (person.actor(state.now()), reader.id);
    let case = state.db.tx(move |conn| start_in_tx(conn, &actor, &reader, read)).await.map_err(refused)?;
    tell(state, &case, Some(id.0));
    Ok(())
}

/// The reason that stands in the addendum of a case that late images reopened; its reader may write another.
const WHY_REOPENED: &str = "画像が追加されたため";

/// The same within a transaction; returns the case as it is then.
///
/// # Errors
/// What the state machines refuse.
pub fn start_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    reader: &ReaderRow,
    read: ReadId,
) -> Result<CaseRow, StoreError> {
    match read_apply_in_tx(conn, actor, read, &ReadEvent::Start { reader: reader.id }) {
        Ok(()) | Err(StoreError::Repeat(_)) => {}
        Err(error) => return Err(error),
    }
    let row = reads::read_get(conn, read)?;
    let case = cases::case_get(conn, row.case_id)?;
    if matches!(case.state, CaseState::Receiving | CaseState::Ready) {
        case_apply_in_tx(conn, actor, case.id, &CaseEvent::StartReading { read })?;
    }
    if row.kind == ReadKind::Check {
        begin_with_first(conn, reader, &row, actor.at)?;
    }
    if row.kind == ReadKind::Reopened {
        // Reopened by itself: its draft begins with why. One that its signer reopened has a draft already.
        reports::draft_open_in_tx(conn, read, reader.id, reader.user_id, WHY_REOPENED, actor.at)?;
    }
    cases::case_get(conn, row.case_id)
}

/// A checking read begins with the words of the first: its reader edits and finalises them.
fn begin_with_first(
    conn: &mut Connection,
    reader: &ReaderRow,
    check: &ReadRow,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    if reports::draft_of_read(conn, check.id)?.is_some() {
        return Ok(());
    }
    let versions = reports::version_list_of_case(conn, check.case_id)?;
    let Some((_, first)) = versions.into_iter().rev().find(|(_, version)| version.state == VersionState::Preliminary)
    else {
        return Ok(());
    };
    let text = DraftText { seen: 0, findings: first.findings, impression: first.impression };
    reports::draft_save_in_tx(conn, check.id, reader.id, reader.user_id, &text, at)?;
    Ok(())
}

/// Gives a read back for good, with a reason. A draft is kept.
///
/// # Errors
/// `field_reason_required` within `form_invalid`, `read_held_by_another`, `read_on_hold`.
pub async fn decline(state: &State, person: &Person, read: ReadId, reason: &str) -> Result<()> {
    let reason = need_reason("reason", reason)?;
    let reader = reader_of(state, person).await?;
    let actor = person.actor(state.now());
    let id = reader.id;
    let case = state
        .db
        .tx(move |conn| {
            let event = ReadEvent::Decline { reader: id, reason: reason.clone() };
            read_apply_in_tx(conn, &actor, read, &event)?;
            stop_reading_in_tx(conn, &actor, read)
        })
        .await
        .map_err(refused)?;
    tell(state, &case, Some(id.0));
    Ok(())
}

/// Takes the case out of *reading* when nobody reads it any more.
///
/// # Errors
/// What the database says.
pub fn stop_reading_in_tx(conn: &mut Connection, actor: &Actor, read: ReadId) -> Result<CaseRow, StoreError> {
    let row = reads::read_get(conn, read)?;
    let case = cases::case_get(conn, row.case_id)?;
    let goes_on = reads::read_list_of_case(conn, case.id)?
        .iter()
        .any(|other| other.id != read && (other.state == ReadState::InProgress || other.stands_signed(&case)));
    if case.state == CaseState::Reading && !goes_on {
        case_apply_in_tx(conn, actor, case.id, &CaseEvent::StopReading { read })?;
    }
    cases::case_get(conn, case.id)
}

/// What a reader says of himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// I am here.
    On,
    /// I go.
    Off,
    /// No new cases for a while.
    Pause,
    /// Go on.
    Resume,
}

impl std::str::FromStr for Presence {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "pause" => Ok(Self::Pause),
            "resume" => Ok(Self::Resume),
            _ => Err(Error::new(&common::BAD_REQUEST).with("reason", "presence")),
        }
    }
}

/// Notes that the reader came, went, pauses or goes on; the pool is planned anew.
///
/// Who comes outside his shifts says for how many `hours` he stays: that becomes a
/// shift of its own, ended where his next one begins.
///
/// # Errors
/// `reader_unknown`; `form_invalid` without hours (1 to 12) where they are needed.
pub async fn be(state: &State, person: &Person, presence: Presence, hours: Option<i64>) -> Result<()> {
    let reader = reader_of(state, person).await?;
    if hours.is_some_and(|hours| !(1..=LONGEST_EXTRA_HOURS).contains(&hours)) {
        return Err(form::invalid("hours"));
    }
    let (now, actor) = (state.now(), person.actor(state.now()));
    let (here, paused) = match presence {
        Presence::On | Presence::Resume => (true, false),
        Presence::Off => (false, false),
        Presence::Pause => (true, true),
    };
    let (id, pool) = (reader.id, reader.pool_id);
    let action = match presence {
        Presence::On => "reader.on_duty",
        Presence::Off => "reader.off_duty",
        Presence::Pause => "reader.pause",
        Presence::Resume => "reader.resume",
    };
    let known = state
        .db
        .tx(move |conn| {
            if presence == Presence::On && readers::shift_now(conn, id, now)?.is_none() {
                let Some(hours) = hours else { return Ok(false) };
                let until = now + TimeDelta::hours(hours);
                let next = readers::shift_list(conn, now, until)?.into_iter().find(|shift| shift.reader_id == id);
                let until = next.map_or(until, |next| next.starts_at);
                shifts::shift_add_in_tx(conn, id, now..until, Place::Home)?;
            }
            readers::reader_presence_in_tx(conn, id, here, paused, now)?;
            jobs::enqueue_plan_in_tx(conn, pool, now)?;
            audit::append_in_tx(conn, &actor, action, Subject::row("reader", id.0, None), "done", "")?;
            Ok(true)
        })
        .await?;
    if !known {
        return Err(Error::new(&common::FORM_INVALID).field("hours", &common::FIELD_REQUIRED));
    }
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Worklist(id.0));
    state.wake.tell(Topic::Board(pool.0));
    Ok(())
}

/// Tells everybody who looks at this case.
pub fn tell(state: &State, case: &CaseRow, reader: Option<i64>) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Case(case.id.0));
    state.wake.tell(Topic::Board(case.pool_id.0));
    state.wake.tell(Topic::Portal(case.site_id.0));
    if let Some(reader) = reader {
        state.wake.tell(Topic::Worklist(reader));
    }
}

/// A refusal of a read's event, in the words of its reader.
pub fn refused(error: StoreError) -> Error {
    match &error {
        StoreError::Conflict { state, .. } if state == "held_by_another" => Error::new(&codes::READ_HELD_BY_ANOTHER),
        StoreError::Conflict { state, .. } if state == "on_hold" => Error::new(&codes::READ_ON_HOLD),
        StoreError::Conflict { .. } => Error::new(&codes::READ_NOT_OPEN),
        StoreError::Stale("the draft") => Error::new(&codes::DRAFT_STALE),
        _ => error.into(),
    }
}
