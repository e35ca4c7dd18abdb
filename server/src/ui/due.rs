//! The due clock: how long until the report is owed, in words that a script keeps current.
//!
//! Rendered whole on the server (it is right without a script); `app.js` ticks
//! it from `data-due` with the same words and steps: *late* after the time, *soon* in
//! the last 30 minutes, *ahead* before.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_terms::Language;

use super::Html;
use crate::words;

/// The last stretch before the time is called *soon*.
pub const SOON: TimeDelta = TimeDelta::minutes(30);

/// The clock for `due_at` as it stands at `now` (both UTC).
pub fn clock(due_at: NaiveDateTime, now: NaiveDateTime, language: Language) -> Html {
    let left = due_at - now;
    let step = step(left);
    let text = if left < TimeDelta::zero() {
        words::word_with(language, "due-late", &[("value", length(-left, language).into())])
    } else {
        words::word_with(language, "due-left", &[("value", length(left, language).into())])
    };
    let stamp = due_at.format("%Y-%m-%dT%H:%M:%SZ");
    let local = dokuei_models::japan::local(due_at).format("%m/%d %H:%M");
    Html::raw(format!(
        "<time class=\"due due-{step}\" datetime=\"{stamp}\" data-due=\"{stamp}\" title=\"{local}\">{text}</time>"
    ))
}

fn step(left: TimeDelta) -> &'static str {
    if left < TimeDelta::zero() {
        "late"
    } else if left <= SOON {
        "soon"
    } else {
        "ahead"
    }
}

/// A length of time in two units at the most, whole minutes rounded down: `2日4時間`, `1時間20分`, `8分`.
pub fn length(length: TimeDelta, language: Language) -> String {
    let minutes = length.num_minutes().max(0);
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match language {
        Language::Ja if days > 0 => format!("{days}日{hours}時間"),
        Language::Ja if hours > 0 => format!("{hours}時間{rest:02}分"),
        Language::Ja => format!("{rest}分"),
        Language::En if days > 0 => format!("{days} d {hours} h"),
        Language::En if hours > 0 => format!("{hours} h {rest:02} min"),
        Language::En => format!("{rest} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> NaiveDateTime {
        chrono::DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap().naive_utc()
    }

    #[test]
    fn lateness_is_said_in_words() {
        let late = clock(at(0), at(12), Language::Ja).to_string();
        assert!(late.contains("due-late") && late.contains("12分") && late.contains("超過"), "{late}");
        let soon = clock(at(30), at(0), Language::En).to_string();
        assert!(soon.contains("due-soon") && soon.contains("30 min"), "{soon}");
        assert!(clock(at(31), at(0), Language::En).to_string().contains("due-ahead"));
    }

    #[test]
    fn a_length_has_two_units_at_the_most() {
        assert_eq!(length(TimeDelta::minutes(80), Language::Ja), "1時間20分");
        assert_eq!(length(TimeDelta::minutes(3125), Language::Ja), "2日4時間");
        assert_eq!(length(TimeDelta::minutes(65), Language::En), "1 h 05 min");
        assert_eq!(length(TimeDelta::seconds(59), Language::En), "0 min");
    }
}
