//! How long a person must wait after wrong passwords.
//!
//! Per login name and per address, the longer of the two. `free` attempts cost
//! nothing; each further failure doubles the wait from one second up to `most`.
//! An address gets ten times as many free ones: a hospital is one address.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::login_attempts::Failures;

/// Failures older than this are forgotten.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// How many times as many free attempts an address has.
pub const ADDRESS_FACTOR: u32 = 10;

/// Whole seconds still to wait at `now`; 0 when an attempt is welcome.
pub fn wait_seconds(failures: Failures, free: u32, most: u32, now: NaiveDateTime) -> u64 {
    let Some(last) = failures.last_at else { return 0 };
    let beyond = failures.count - i64::from(free);
    if beyond < 0 {
        return 0;
    }
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(31);
    let wait = (1u64 << doublings).min(u64::from(most));
    let until = last + TimeDelta::seconds(i64::try_from(wait).unwrap_or(i64::MAX / 1000));
    let left = until - now;
    if left <= TimeDelta::zero() { 0 } else { u64::try_from(left.num_milliseconds()).unwrap_or(0).div_ceil(1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NaiveDateTime {
        chrono::DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap().naive_utc()
    }

    fn failed(count: i64) -> Failures {
        Failures { count, last_at: Some(at(0)) }
    }

    #[test]
    fn a_few_mistakes_cost_nothing() {
        assert_eq!(wait_seconds(Failures::default(), 5, 900, at(0)), 0);
        assert_eq!(wait_seconds(failed(4), 5, 900, at(0)), 0);
    }

    #[test]
    fn each_further_mistake_doubles_the_wait_up_to_the_longest() {
        assert_eq!(wait_seconds(failed(5), 5, 900, at(0)), 1);
        assert_eq!(wait_seconds(failed(6), 5, 900, at(0)), 2);
        assert_eq!(wait_seconds(failed(10), 5, 900, at(0)), 32);
        assert_eq!(wait_seconds(failed(15), 5, 900, at(0)), 900);
        assert_eq!(wait_seconds(failed(1_000_000), 5, 900, at(0)), 900);
    }

    #[test]
    fn the_wait_passes() {
        assert_eq!(wait_seconds(failed(10), 5, 900, at(31)), 1);
        assert_eq!(wait_seconds(failed(10), 5, 900, at(32)), 0);
    }
}
