//! The last day of a board, replayed from the cases' own events.
//!
//! A case's state at a moment is what its events up to then make of it. Its due
//! time is the one it has now: who moved it later moved it for the whole line.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::CaseId;
use dokuei_models::state::CaseState;
use dokuei_models::store::board::{CaseMark, Turn};
use dokuei_models::store::readers::ShiftRow;

/// How far back a line goes.
pub const SPAN: TimeDelta = TimeDelta::hours(24);
/// How many steps a line has; one more point than steps, the last is now.
const STEPS: i32 = 48;

/// Numbers at equal steps, oldest first, the last one now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lines {
    /// Cases that wait for a reader to begin.
    pub waiting: Vec<f64>,
    /// Open cases whose due time has passed, or passes within the warning.
    pub late: Vec<f64>,
    /// The longest wait of a waiting case, in minutes.
    pub worst_wait_minutes: Vec<f64>,
    /// Readers whose shift it is.
    pub on_shift: Vec<f64>,
    /// How far the newest plan was from the best possible, in per cent.
    pub gap_percent: Vec<f64>,
}

/// The moments of a line that ends `now`.
pub fn moments(now: NaiveDateTime) -> Vec<NaiveDateTime> {
    (0..=STEPS).map(|step| now - SPAN + SPAN / STEPS * step).collect()
}

/// Draws the five lines.
pub fn lines(
    marks: &[CaseMark],
    turns: &[Turn],
    shifts: &[ShiftRow],
    gaps: &[(NaiveDateTime, f64)],
    now: NaiveDateTime,
    warning: TimeDelta,
) -> Lines {
    let histories = replay(turns);
    let mut lines = Lines::default();
    for at in moments(now) {
        let mut waiting = 0;
        let mut late = 0;
        let mut worst = 0.0_f64;
        for mark in marks {
            let Some(state) = histories.get(&mark.case).and_then(|history| state_at(history, at)) else { continue };
            if state.is_open() && mark.due_at - warning <= at {
                late += 1;
            }
            if waits(state) {
                waiting += 1;
                worst = worst.max(minutes(at - mark.since));
            }
        }
        let on_shift = shifts.iter().filter(|shift| shift.starts_at <= at && shift.ends_at > at).count();
        lines.waiting.push(f64::from(waiting));
        lines.late.push(f64::from(late));
        lines.worst_wait_minutes.push(worst);
        lines.on_shift.push(count(on_shift));
        if let Some((_, gap)) = gaps.iter().rev().find(|(made, _)| *made <= at) {
            lines.gap_percent.push(gap * 100.0);
        }
    }
    lines
}

/// Whether a case waits for a reader to begin.
pub const fn waits(state: CaseState) -> bool {
    matches!(state, CaseState::Receiving | CaseState::WaitingRequest | CaseState::Ready)
}

type History = Vec<(NaiveDateTime, CaseState)>;

fn replay(turns: &[Turn]) -> HashMap<CaseId, History> {
    let mut histories: HashMap<CaseId, (History, Option<CaseState>)> = HashMap::new();
    for turn in turns {
        let (history, before_hold) = histories.entry(turn.case).or_default();
        let now = history.last().map(|(_, state)| *state);
        let next = match turn.kind.as_str() {
            "create" => CaseState::Receiving,
            "await_request" => CaseState::WaitingRequest,
            "ready" | "stop_reading" => CaseState::Ready,
            "start_reading" | "reopen" => CaseState::Reading,
            "report" => CaseState::Reported,
            "return" => CaseState::Returned,
            "hold" => {
                *before_hold = now;
                CaseState::OnHold
            }
            "withdraw" => {
                *before_hold = Some(CaseState::Ready);
                CaseState::OnHold
            }
            "release" => before_hold.take().unwrap_or(CaseState::Ready),
            "cancel" => CaseState::Cancelled,
            _ => continue,
        };
        history.push((turn.at, next));
    }
    histories.into_iter().map(|(case, (history, _))| (case, history)).collect()
}

/// The state at a moment; `None` before the case was there.
fn state_at(history: &History, at: NaiveDateTime) -> Option<CaseState> {
    history.iter().rev().find(|(since, _)| *since <= at).map(|(_, state)| *state)
}

fn minutes(length: TimeDelta) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of days")]
    let minutes = length.num_seconds().max(0) as f64 / 60.0;
    minutes
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> NaiveDateTime {
        chrono::DateTime::from_timestamp(1_800_000_000 + hour * 3600, 0).unwrap().naive_utc()
    }

    fn turn(case: i64, kind: &str, hour: i64) -> Turn {
        Turn { case: CaseId(case), kind: kind.to_owned(), at: at(hour) }
    }

    #[test]
    fn a_held_case_is_no_waiting_one_and_waits_again_when_it_is_released() {
        let marks = [CaseMark { case: CaseId(1), since: at(2), due_at: at(100) }];
        let turns = [turn(1, "create", 2), turn(1, "ready", 2), turn(1, "hold", 10), turn(1, "release", 20)];
        let drawn = lines(&marks, &turns, &[], &[], at(24), TimeDelta::minutes(30));
        let hour = |hour: usize| drawn.waiting[hour * 2];
        assert_eq!([hour(1), hour(5), hour(15), hour(22)], [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(drawn.worst_wait_minutes[48], 22.0 * 60.0, "the wait counts from when it could be read");
    }

    #[test]
    fn a_case_is_late_until_it_is_reported_and_not_after() {
        let marks = [CaseMark { case: CaseId(1), since: at(1), due_at: at(6) }];
        let turns = [turn(1, "create", 1), turn(1, "ready", 1), turn(1, "start_reading", 8), turn(1, "report", 9)];
        let drawn = lines(&marks, &turns, &[], &[(at(3), 0.02)], at(24), TimeDelta::minutes(30));
        let hour = |hour: usize| drawn.late[hour * 2];
        assert_eq!([hour(5), hour(6), hour(8), hour(10)], [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(drawn.gap_percent.len(), 43, "no plan, no number");
    }
}
