//! When a report is owed.
//!
//! Stat and urgent run by the clock. Priority and routine run by the clock too,
//! but a due time that falls on a day on which the site is closed moves to the
//! same time of its next open day. What the site asked for (`wanted_by`) can
//! make it earlier, never later; a higher priority is never owed later than a lesser one. All in the site's time, Japan Standard Time.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use dokuei_models::japan;
use dokuei_models::store::sites::{self, ContractRow, SiteRow};
use dokuei_models::{Connection, StoreError};
use dokuei_terms::Priority;

/// Minutes that a contract grants.
pub fn granted_minutes(contract: Option<&ContractRow>, priority: Priority) -> i64 {
    // Without a contract: what Japanese services promise, see reference on peers (stat 2 h or less, CT/MR next business day).
    let (stat, urgent, soon, routine) = contract.map_or((60, 120, 480, 1440), |contract| {
        (
            contract.due_stat_minutes,
            contract.due_urgent_minutes,
            contract.due_priority_minutes,
            contract.due_routine_minutes,
        )
    });
    i64::from(match priority {
        Priority::Stat => stat,
        Priority::Urgent => urgent,
        Priority::Priority => soon,
        Priority::Routine => routine,
    })
}

pub use dokuei_models::japan::day as day_in_japan;

/// When the report is owed, counted from `from` (UTC).
///
/// # Errors
/// What the database says.
pub fn due_at(
    conn: &mut Connection,
    site: &SiteRow,
    contract: Option<&ContractRow>,
    priority: Priority,
    wanted_by: Option<NaiveDateTime>,
    from: NaiveDateTime,
) -> Result<NaiveDateTime, StoreError> {
    let closed = sites::closed_days(conn, site.id, day_in_japan(from))?;
    let due = owed(priority, |priority| granted_minutes(contract, priority), from, &closed);
    Ok(wanted_by.map_or(due, |wanted| due.min(wanted.max(from))))
}

/// The due time of a priority, never later than that of a lesser one: of two that fall on closed days, the shorter may
/// keep the later time of day.
fn owed(
    priority: Priority,
    granted: impl Fn(Priority) -> i64,
    from: NaiveDateTime,
    closed: &[NaiveDate],
) -> NaiveDateTime {
    let by_itself = |priority: Priority| {
        let by_clock = from + TimeDelta::minutes(granted(priority));
        match priority {
            Priority::Stat | Priority::Urgent => by_clock,
            Priority::Priority | Priority::Routine => to_open_day(by_clock, closed),
        }
    };
    let lesser = Priority::ALL.iter().copied().filter(|other| granted(*other) > granted(priority)).map(by_itself);
    lesser.fold(by_itself(priority), NaiveDateTime::min)
}

/// Moves a UTC time that falls on a closed day (or a Sunday) in Japan to the same time of the next open day.
fn to_open_day(due: NaiveDateTime, closed: &[NaiveDate]) -> NaiveDateTime {
    let local = japan::local(due);
    let mut day = local.date();
    // A year of closed days would be a mistake in the calendar: better due too early than never.
    for _ in 0..31 {
        if day.weekday() != Weekday::Sun && !closed.contains(&day) {
            break;
        }
        day = day + Days::new(1);
    }
    japan::utc(day.and_time(local.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    #[test]
    fn a_due_time_on_a_sunday_in_japan_moves_to_monday() {
        // 2026-11-21 16:00 UTC is Sunday 01:00 in Japan.
        assert_eq!(to_open_day(utc("2026-11-21 16:00"), &[]), utc("2026-11-22 16:00"));
        // One hour earlier it is Saturday there.
        assert_eq!(to_open_day(utc("2026-11-21 14:00"), &[]), utc("2026-11-21 14:00"));
    }

    #[test]
    fn a_due_time_on_a_holiday_moves_on() {
        let labour_day = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        assert_eq!(to_open_day(utc("2026-11-22 16:00"), &[labour_day]), utc("2026-11-23 16:00"));
    }

    #[test]
    fn a_calendar_that_is_always_closed_does_not_hang() {
        let day = |offset| NaiveDate::from_ymd_opt(2026, 11, 1).unwrap() + Days::new(offset);
        let closed: Vec<_> = (0..400).map(day).collect();
        assert!(to_open_day(utc("2026-11-02 00:00"), &closed) > utc("2026-11-02 00:00"));
    }

    #[test]
    fn a_higher_priority_is_never_owed_later() {
        // Received at twenty past midnight of a Sunday before a holiday.
        let (from, monday) = (utc("2026-11-21 15:20"), NaiveDate::from_ymd_opt(2026, 11, 23).unwrap());
        let due = |priority| owed(priority, |priority| granted_minutes(None, priority), from, &[monday]);
        assert_eq!(due(Priority::Routine), utc("2026-11-23 15:20"));
        assert_eq!(due(Priority::Priority), utc("2026-11-23 15:20"), "alone it would be 08:20 of the same Tuesday");
        assert_eq!(due(Priority::Stat), from + TimeDelta::minutes(60));
        for hour in 0..24 * 14 {
            let from = utc("2026-04-25 00:00") + TimeDelta::hours(hour);
            let closed: Vec<NaiveDate> = (29..=30).filter_map(|day| NaiveDate::from_ymd_opt(2026, 4, day)).collect();
            let due = |priority| owed(priority, |priority| granted_minutes(None, priority), from, &closed);
            assert!(due(Priority::Stat) <= due(Priority::Urgent) && due(Priority::Urgent) <= due(Priority::Priority));
            assert!(due(Priority::Priority) <= due(Priority::Routine), "{from}");
        }
    }
}
