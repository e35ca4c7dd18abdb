//! Japan's time: nine hours ahead of UTC (明治28年勅令第167号), no summer time. Rows hold UTC; days are Japan's.

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// How far Japan's clocks are ahead of UTC, in seconds.
const AHEAD_SECONDS: i32 = 9 * 3600;

/// How far Japan's clocks are ahead of UTC.
pub const AHEAD: TimeDelta = TimeDelta::seconds(AHEAD_SECONDS as i64);

/// What a clock in Japan shows at a UTC time.
pub fn local(at: NaiveDateTime) -> NaiveDateTime {
    at + AHEAD
}

/// The UTC time at which a clock in Japan shows `local`.
pub fn utc(local: NaiveDateTime) -> NaiveDateTime {
    local - AHEAD
}

/// The day in Japan at a UTC time.
pub fn day(at: NaiveDateTime) -> NaiveDate {
    local(at).date()
}

/// The UTC time at which a day begins in Japan.
pub fn midnight(day: NaiveDate) -> NaiveDateTime {
    utc(day.and_time(NaiveTime::MIN))
}

/// The offset, for formats that write it.
pub fn offset() -> FixedOffset {
    FixedOffset::east_opt(AHEAD_SECONDS).expect("nine hours are less than a day")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_japan_begins_at_three_in_the_afternoon_of_the_day_before() {
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let begins = midnight(day);
        assert_eq!(begins.to_string(), "2026-03-31 15:00:00");
        assert_eq!((self::day(begins), self::day(begins - TimeDelta::seconds(1))), (day, day.pred_opt().unwrap()));
        assert_eq!(utc(local(begins)), begins);
        assert_eq!(offset().local_minus_utc(), 32_400);
    }
}
