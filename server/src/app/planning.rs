//! Turns a pool's rows into the assigner's problem, and its plan back into rows.
//!
//! Loading is one snapshot; solving holds no connection; applying is item by
//! item, each with the version that was seen, so that a read which changed
//! meanwhile is skipped and planned again. The lease's fencing number is
//! checked once when the plan is applied.

mod apply;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_assigner::constraints::first_blocked;
use dokuei_assigner::{Exclude, ExclusionReason, PartWork, Privileges, Problem, Read, Reader, Settings, SkillTable};
use dokuei_models::state::{OverrideKind, ReadKind, ReadState};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::read_history::SignedRead;
use dokuei_models::store::readers::{self, ReaderRow, ShiftRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{overrides, read_history};
use dokuei_models::{CaseId, Connection, PatientId, PoolId, ReadId, ReaderId, StoreError};

pub use self::apply::{Applied, apply_in_tx, lease_name};

use super::due::day_in_japan;

/// How long a read is kept from the reader who did not start it in time, while another can take it.
const MISSED_REST: TimeDelta = TimeDelta::minutes(60);

/// What the planner saw.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The pool.
    pub pool: PoolId,
    /// The problem, in the assigner's words.
    pub problem: Problem,
    /// The rows behind its reads.
    pub reads: BTreeMap<ReadId, ReadRow>,
    /// When it was taken.
    pub at: NaiveDateTime,
}

/// Loads a pool as it is now.
///
/// # Errors
/// What the database says.
pub fn snapshot(conn: &mut Connection, pool: PoolId, now: NaiveDateTime) -> Result<Snapshot, StoreError> {
    let rows = reads::read_list_to_plan(conn, pool)?;
    let case_ids: BTreeSet<CaseId> = rows.iter().map(|read| read.case_id).collect();
    let case_ids: Vec<CaseId> = case_ids.into_iter().collect();
    let mut case_rows: HashMap<CaseId, CaseRow> = HashMap::new();
    for case in cases::case_list_by_id(conn, &case_ids)? {
        case_rows.insert(case.id, case);
    }
    let mut parts: HashMap<CaseId, Vec<PartWork>> = HashMap::new();
    for (case, part) in cases::case_part_list_of(conn, &case_ids)? {
        parts.entry(case).or_default().push(PartWork { part: part.part, minutes: part.minutes.max(0.1) });
    }
    let siblings = reads::read_list_of_cases(conn, &case_ids)?;
    let read_ids: Vec<ReadId> = rows.iter().map(|read| read.id).collect();
    let declines = reads::decline_list(conn, &read_ids)?;
    let decisions = overrides::override_list(conn, &case_ids)?;
    let people = readers::reader_list(conn, Some(pool))?;
    let shifts = readers::shift_list(conn, now, now + TimeDelta::hours(24))?;
    let privileges = readers::privilege_list(conn, day_in_japan(now))?;
    let skills = readers::skill_list(conn, None)?;

    let mut problem = Problem { settings: Settings::default(), ..Problem::default() };
    let past = Past::of(conn, &people, &shifts, &case_rows, now)?;
    for (reader, _, _) in &people {
        let in_hand: Vec<&ReadRow> = rows
            .iter()
            .filter(|read| read.reader_id == Some(reader.id) && read.state == ReadState::InProgress)
            .collect();
        let table: SkillTable = skills
            .iter()
            .filter(|cell| cell.reader == reader.id)
            .map(|cell| ((cell.region, cell.modality), f64::from(cell.declared)))
            .collect();
        let sites: BTreeSet<i64> =
            privileges.iter().filter(|(who, _)| *who == reader.id).map(|(_, site)| site.0).collect();
        let shift = shifts.iter().find(|shift| shift.reader_id == reader.id);
        let mut planned = reader_of(reader, shift, &in_hand, table, Privileges::Sites(sites), now);
        planned.done_minutes = past.done_minutes(reader, shift, now);
        planned.knows_patients = past.patients_of(reader.id);
        let in_hand = in_hand.iter().filter_map(|read| Some(case_rows.get(&read.case_id)?.patient_id.0));
        planned.knows_patients.extend(in_hand);
        problem.readers.push(planned);
    }
    for read in rows.iter().filter(|read| read.state != ReadState::InProgress) {
        let (Some(case), Some(parts)) = (case_rows.get(&read.case_id), parts.get(&read.case_id)) else { continue };
        let mut excluded: Vec<Exclude> = declines
            .iter()
            .filter(|(declined, _, _)| *declined == read.id)
            .map(|(_, who, _)| Exclude { reader: who.0, reason: ExclusionReason::Declined })
            .collect();
        let may_have_it =
            |who: &ReaderId| is_there(*who, &people, &shifts, now) && !excluded.iter().any(|one| one.reader == who.0);
        let mut pin = read.preferred_reader_id.filter(may_have_it).map(|who| who.0);
        for decision in decisions
            .iter()
            .filter(|one| one.case_id == read.case_id && one.read_id.is_none_or(|which| which == read.id))
        {
            match (decision.kind, decision.reader_id) {
                (OverrideKind::Pin, Some(who)) => pin = Some(who.0),
                (OverrideKind::Exclude, Some(who)) => {
                    excluded.push(Exclude { reader: who.0, reason: ExclusionReason::Dispatcher });
                }
                _ => {}
            }
        }
        let not_reader_of = siblings
            .iter()
            .filter(|other| other.case_id == read.case_id && other.id != read.id)
            // What is added to a signed report is its signer's, if he can have it.
            .filter(|_| read.kind != ReadKind::Reopened)
            // Whoever signed what was withdrawn may read it again.
            .filter(|other| other.state == ReadState::InProgress || other.stands_signed(case))
            .filter_map(|other| other.reader_id.map(|who| who.0))
            .collect();
        let mut planned = Read {
            id: read.id.0,
            case: read.case_id.0,
            site: case.site_id.0,
            patient: Some(case.patient_id.0),
            parts: parts.clone(),
            priority: case.priority,
            urgency: case.urgency.clamp(0.0, 1.0),
            due_in_minutes: minutes_between(now, case.due_at),
            waited_minutes: minutes_between(case.ready_at.unwrap_or(case.created_at), now).max(0.0),
            current: read.reader_id.filter(|_| read.state == ReadState::Assigned).map(|who| who.0),
            pin,
            excluded,
            not_reader_of,
        };
        keep_from_who_missed_it(&mut planned, read, &problem.readers, &problem.settings, now);
        problem.reads.push(planned);
    }
    let reads = rows.into_iter().map(|read| (read.id, read)).collect();
    Ok(Snapshot { pool, problem, reads, at: now })
}

/// Another reader goes before the one who left the read unstarted; where there is no other he may have it again.
fn keep_from_who_missed_it(
    planned: &mut Read,
    row: &ReadRow,
    readers: &[Reader],
    settings: &Settings,
    now: NaiveDateTime,
) {
    let (Some(who), Some(at)) = (row.missed_by, row.missed_at) else { return };
    let another =
        || readers.iter().any(|reader| reader.id != who.0 && first_blocked(planned, reader, settings).is_none());
    if now - at < MISSED_REST && planned.pin != Some(who.0) && another() {
        planned.excluded.push(Exclude { reader: who.0, reason: ExclusionReason::NotStarted });
    }
}

fn minutes_between(from: NaiveDateTime, to: NaiveDateTime) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of days, far below 2^53 ms")]
    let millis = (to - from).num_milliseconds() as f64;
    millis / 60_000.0
}

/// Whether a reader of a pool is there now: what would be given to him would be begun.
///
/// # Errors
/// What the database says.
pub fn is_there_now(
    conn: &mut Connection,
    pool: PoolId,
    reader: ReaderId,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let people = readers::reader_list(conn, Some(pool))?;
    let shifts = readers::shift_list(conn, now, now + TimeDelta::hours(24))?;
    Ok(is_there(reader, &people, &shifts, now))
}

/// A reader is there from the beginning of his shift until its end, unless he has logged out or paused in it.
fn is_there(who: ReaderId, people: &[(ReaderRow, String, String)], shifts: &[ShiftRow], now: NaiveDateTime) -> bool {
    let shift = shifts.iter().find(|shift| shift.reader_id == who && shift.starts_at <= now && shift.ends_at > now);
    let reader = people.iter().find(|(reader, _, _)| reader.id == who).map(|(reader, _, _)| reader);
    matches!((shift, reader), (Some(shift), Some(reader)) if has_not_left(reader, shift) && !reader.paused)
}

/// Whoever said in this shift that he goes has gone; whoever said nothing in it is expected.
fn has_not_left(reader: &ReaderRow, shift: &ShiftRow) -> bool {
    reader.logged_in || reader.presence_at.is_none_or(|at| at < shift.starts_at)
}

fn reader_of(
    reader: &ReaderRow,
    shift: Option<&ShiftRow>,
    in_hand: &[&ReadRow],
    skills: SkillTable,
    privileges: Privileges,
    now: NaiveDateTime,
) -> Reader {
    let busy: f64 = in_hand
        .iter()
        .map(|read| {
            let worked = read.started_at.map_or(0.0, |begun| minutes_between(begun, now));
            (read.expected_minutes * reader.pace - worked).max(1.0)
        })
        .sum();
    // Without a shift in the next day he is not available at all, which the plan says.
    let (from, until) =
        shift.map_or((0.0, 0.0), |shift| (minutes_between(now, shift.starts_at), minutes_between(now, shift.ends_at)));
    Reader {
        id: reader.id.0,
        skills,
        privileges,
        available_from_minutes: from,
        available_until_minutes: until,
        logged_in: shift.is_some_and(|shift| has_not_left(reader, shift)),
        paused: reader.paused,
        busy_minutes: busy,
        capacity_minutes: f64::from(reader.capacity_minutes.max(1)),
        done_minutes: 0.0,
        pace: reader.pace.max(0.1),
        knows_patients: BTreeSet::new(),
    }
}

/// What the pool's readers have signed: two queries, whatever there is to plan.
struct Past {
    signed: Vec<SignedRead>,
    known: Vec<(ReaderId, PatientId)>,
}

impl Past {
    fn of(
        conn: &mut Connection,
        people: &[(ReaderRow, String, String)],
        shifts: &[ShiftRow],
        case_rows: &HashMap<CaseId, CaseRow>,
        now: NaiveDateTime,
    ) -> Result<Self, StoreError> {
        let ids: Vec<ReaderId> = people.iter().map(|(reader, _, _)| reader.id).collect();
        let begun = shifts.iter().map(|shift| shift.starts_at).min().unwrap_or(now);
        let patients: BTreeSet<PatientId> = case_rows.values().map(|case| case.patient_id).collect();
        let patients: Vec<PatientId> = patients.into_iter().collect();
        Ok(Self {
            signed: read_history::read_list_signed_since(conn, &ids, begun)?,
            known: read_history::patient_list_known(conn, &ids, &patients)?,
        })
    }

    /// Minutes of work at the reader's pace that he has signed in the shift he is in.
    fn done_minutes(&self, reader: &ReaderRow, shift: Option<&ShiftRow>, now: NaiveDateTime) -> f64 {
        let Some(shift) = shift.filter(|shift| shift.starts_at <= now) else { return 0.0 };
        let of_shift = self.signed.iter().filter(|one| one.reader == reader.id && one.at >= shift.starts_at);
        of_shift.fold(0.0, |sum, one| sum + one.minutes.max(0.0) * reader.pace.max(0.1))
    }

    fn patients_of(&self, reader: ReaderId) -> BTreeSet<i64> {
        self.known.iter().filter(|(who, _)| *who == reader).map(|(_, patient)| patient.0).collect()
    }
}
