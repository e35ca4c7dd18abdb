//! Turns a pool's rows into the assigner's problem, and its plan back into rows.
//!
//! Loading is one snapshot; solving holds no connection; applying is item by
//! item, each with the version that was seen, so that a read which changed
//! meanwhile is skipped and planned again. The lease's fencing number is
//! checked once when the plan is applied.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_assigner::constraints::first_blocked;
use dokuei_assigner::{
    Exclude, ExclusionReason, PartWork, Plan, Privileges, Problem, Read, Reader, Settings, SkillTable, WaitReason,
};
use dokuei_models::state::{AssignedRead, OverrideKind, ReadEvent, ReadState, read_apply_in_tx, read_assign_in_tx};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::plans::{self, PlanRow};
use dokuei_models::store::readers::{self, ReaderRow, ShiftRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{leases, overrides};
use dokuei_models::{Actor, CaseId, Connection, PlanId, PoolId, ReadId, ReaderId, StoreError};

use super::due::day_in_japan;

/// How long a read that nobody can take waits before a person looks, by nothing but its priority's due time at most.
const LOOK_AGAIN_MINUTES: i64 = 15;

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
        problem.readers.push(reader_of(reader, shift, &in_hand, table, Privileges::Sites(sites), &case_rows, now));
    }
    for read in rows.iter().filter(|read| read.state != ReadState::InProgress) {
        let (Some(case), Some(parts)) = (case_rows.get(&read.case_id), parts.get(&read.case_id)) else { continue };
        let mut excluded: Vec<Exclude> = declines
            .iter()
            .filter(|(declined, _, _)| *declined == read.id)
            .map(|(_, who, _)| Exclude { reader: who.0, reason: ExclusionReason::Declined })
            .collect();
        let mut pin = read.preferred_reader_id.filter(|who| is_there(*who, &people, &shifts, now)).map(|who| who.0);
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
            .filter(|other| matches!(other.state, ReadState::Signed | ReadState::InProgress))
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
    case_rows: &HashMap<CaseId, CaseRow>,
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
        knows_patients: in_hand.iter().filter_map(|read| Some(case_rows.get(&read.case_id)?.patient_id.0)).collect(),
    }
}

/// What a plan changed, for those who must hear of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The plan's row.
    pub plan: Option<PlanId>,
    /// Readers whose list changed.
    pub readers: BTreeSet<ReaderId>,
    /// Items written.
    pub applied: i32,
    /// Items whose read had changed meanwhile.
    pub stale: i32,
    /// Reads that have nobody.
    pub waiting: i32,
}

/// Applies a plan item by item.
///
/// # Errors
/// [`StoreError::Stale`] when the lease was lost, or what the database says. Stale items are no error.
pub fn apply_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    snapshot: &Snapshot,
    plan: &Plan,
    fencing: i64,
    solve_ms: i32,
) -> Result<Applied, StoreError> {
    if !leases::lease_holds(conn, &lease_name(snapshot.pool), fencing)? {
        return Err(StoreError::Stale("the lease on the pool's plan"));
    }
    let parent = plans::plan_newest(conn, snapshot.pool)?.map(|(id, _)| id);
    let headline = plan.headline();
    let row = PlanRow {
        pool_id: snapshot.pool,
        parent_id: parent,
        fencing,
        seed: i64::try_from(plan.seed).unwrap_or(i64::MAX),
        reads: count(snapshot.problem.reads.len()),
        readers: count(snapshot.problem.readers.len()),
        assigned: count(plan.items.len()),
        waiting: count(plan.waiting.len()),
        applied: 0,
        stale: 0,
        objective: headline.map_or(0.0, |level| level.value),
        bound: headline.map_or(0.0, |level| level.bound),
        gap: headline.map_or(0.0, |level| level.gap),
        stopped_by: code_of(&plan.stopped_by),
        solve_ms,
        at: snapshot.at,
    };
    let id = plans::plan_create_in_tx(conn, &row)?;
    let mut done = Applied { plan: Some(id), waiting: count(plan.waiting.len()), ..Applied::default() };
    for item in &plan.items {
        let Some(seen) = snapshot.reads.get(&ReadId(item.read)) else { continue };
        apply_item(conn, actor, id, seen, item, &mut done)?;
    }
    for waiting in &plan.waiting {
        let Some(seen) = snapshot.reads.get(&ReadId(waiting.read)) else { continue };
        apply_waiting(conn, actor, id, seen, waiting, snapshot.at, &mut done)?;
    }
    plans::plan_applied_in_tx(conn, id, done.applied, done.stale)?;
    Ok(done)
}

/// The lease under which a pool is planned.
pub fn lease_name(pool: PoolId) -> String {
    format!("plan:{pool}")
}

fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// A vocabulary value's stable name, as it is in JSON.
fn code_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(serde_json::Value::Object(map)) => {
            map.get("reason").and_then(|reason| reason.as_str()).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn apply_item(
    conn: &mut Connection,
    actor: &Actor,
    plan: PlanId,
    seen: &ReadRow,
    item: &dokuei_assigner::Item,
    done: &mut Applied,
) -> Result<(), StoreError> {
    let reader = ReaderId(item.reader);
    // Sparse, so that a read can be put between two others.
    let place = i32::try_from(item.rank).unwrap_or(i32::MAX / 10).saturating_mul(10);
    let same_reader = seen.state == ReadState::Assigned && seen.reader_id == Some(reader);
    if same_reader && seen.place_in_list == place && !seen.explanation.is_empty() {
        return Ok(());
    }
    let explanation = to_json(&item.explanation)?;
    let assigned = AssignedRead {
        read: seen.id,
        seen_version: seen.version,
        reader,
        plan: Some(plan),
        place_in_list: place,
        explanation: explanation.clone(),
    };
    let outcome = match read_assign_in_tx(conn, actor, &assigned) {
        Ok(()) => "applied",
        Err(StoreError::Stale(_) | StoreError::NotFound(_)) => "stale",
        Err(error) => return Err(error),
    };
    if outcome == "applied" {
        done.applied += 1;
        done.readers.insert(reader);
        done.readers.extend(seen.reader_id);
    } else {
        done.stale += 1;
    }
    if !same_reader {
        plans::plan_item_add_in_tx(conn, plan, seen.id, Some(reader), place, &explanation, outcome)?;
    }
    Ok(())
}

fn apply_waiting(
    conn: &mut Connection,
    actor: &Actor,
    plan: PlanId,
    seen: &ReadRow,
    waiting: &dokuei_assigner::Waiting,
    at: NaiveDateTime,
    done: &mut Applied,
) -> Result<(), StoreError> {
    let reason = match waiting.reason {
        WaitReason::NoReader => "no_reader",
        WaitReason::NobodyEligible => "nobody_eligible",
        WaitReason::PinBlocked { .. } => "pin_blocked",
        WaitReason::PinUnknown { .. } => "pin_unknown",
        WaitReason::OthersOfCase => "others_of_case",
    };
    let result = (|| {
        if seen.state == ReadState::Assigned {
            let gone = ReadEvent::Unassign { reason: "nobody_can_take_it_now".to_owned() };
            read_apply_in_tx(conn, actor, seen.id, &gone)?;
            done.readers.extend(seen.reader_id);
        } else if seen.waiting_reason.as_deref() == Some(reason) {
            return Ok(false);
        }
        let until = at + TimeDelta::minutes(LOOK_AGAIN_MINUTES);
        read_apply_in_tx(conn, actor, seen.id, &ReadEvent::Wait { reason: reason.to_owned(), until })?;
        reads::read_explain_in_tx(conn, seen.id, &to_json(waiting)?)?;
        Ok(true)
    })();
    match result {
        Ok(changed) => {
            if changed {
                done.applied += 1;
                plans::plan_item_add_in_tx(conn, plan, seen.id, None, 0, &to_json(waiting)?, "applied")?;
            }
            Ok(())
        }
        Err(StoreError::Conflict { .. } | StoreError::Repeat(_) | StoreError::NotFound(_)) => {
            done.stale += 1;
            Ok(())
        }
        Err(error) => Err(error),
    }
}
