//! What every form that a person fills in must hold.

use chrono::TimeDelta;
use dokuei_models::state::HoldActor;

use crate::error::codes::common;
use crate::error::{Code, Error, Result};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// The longest hold.
const LONGEST_HOLD: TimeDelta = TimeDelta::days(31);

/// A reason that says something, without the space around it.
///
/// # Errors
/// `form_invalid` with the field marked.
pub fn need_reason(field: &'static str, reason: &str) -> Result<String> {
    need_text(field, reason, LONGEST_REASON, &common::FIELD_REASON_REQUIRED)
}

/// A text of 1 to `longest` characters, without the space around it; `missing` is said where there is none.
///
/// # Errors
/// `form_invalid` with the field marked.
pub fn need_text(field: &'static str, text: &str, longest: usize, missing: &'static Code) -> Result<String> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    match text.chars().count() {
        0 => Err(invalid_with(field, missing)),
        length if length > longest => Err(invalid_with(field, &common::FIELD_TOO_LONG)),
        _ => Ok(text),
    }
}

/// Who must act on a held case, and for how long it is held at the most: 1 minute to 31 days.
///
/// # Errors
/// `form_invalid` with `actor` or `minutes` marked.
pub fn need_hold(actor: &str, minutes: &str) -> Result<(HoldActor, TimeDelta)> {
    let actor = actor.parse().map_err(|_| invalid("actor"))?;
    let length = minutes.parse().ok().and_then(TimeDelta::try_minutes).ok_or_else(|| invalid("minutes"))?;
    if length < TimeDelta::minutes(1) || length > LONGEST_HOLD {
        return Err(invalid("minutes"));
    }
    Ok((actor, length))
}

/// A field holds what is none of its values.
pub fn invalid(field: &'static str) -> Error {
    invalid_with(field, &common::FIELD_INVALID)
}

fn invalid_with(field: &'static str, fault: &'static Code) -> Error {
    Error::new(&common::FORM_INVALID).field(field, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_lasts_from_a_minute_to_a_month() {
        assert_eq!(need_hold("site", "1").unwrap().1, TimeDelta::minutes(1));
        assert!(need_hold("site", "44640").is_ok());
        for (actor, minutes) in [("nobody", "1"), ("site", "0"), ("site", "-5"), ("site", "44641"), ("site", "1.5")] {
            assert!(need_hold(actor, minutes).is_err(), "{actor} {minutes}");
        }
        assert!(need_hold("site", "9223372036854775807").is_err(), "no overflow");
    }

    #[test]
    fn a_reason_says_something() {
        assert!(need_reason("reason", " \u{3000}").is_err());
        assert_eq!(need_reason("reason", " 電話で確認 ").unwrap(), "電話で確認");
        assert!(need_reason("reason", &"あ".repeat(1000)).is_ok());
        assert!(need_reason("reason", &"あ".repeat(1001)).is_err());
    }
}
