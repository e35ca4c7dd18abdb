//! A reader must be on shift, or be so within the look-ahead.

use super::Blocked;
use crate::{Read, Reader, Settings};

/// Keeps reads from a reader whose shift is over, or begins later than the look-ahead.
pub fn shift(_: &Read, reader: &Reader, settings: &Settings) -> Option<Blocked> {
    if reader.available_until_minutes <= reader.available_from_minutes.max(0.0) {
        return Some(Blocked::ShiftOver);
    }
    (reader.available_from_minutes > settings.look_ahead_minutes)
        .then_some(Blocked::ShiftAhead { begins_in_minutes: reader.available_from_minutes })
}

#[cfg(test)]
mod tests {
    use super::super::verify::{a_read, a_reader, verify};
    use super::*;

    #[test]
    fn nothing_is_given_to_a_reader_who_went_home() {
        for until in [-1.0, 0.0] {
            let reader = Reader { available_until_minutes: until, ..a_reader() };
            verify(shift).given(&a_read(), &reader).breaks_hard_by(1).because(Blocked::ShiftOver);
        }
    }

    #[test]
    fn the_next_shift_counts_only_within_the_look_ahead() {
        let reader = Reader { available_from_minutes: 20.0, ..a_reader() };
        let ahead = Blocked::ShiftAhead { begins_in_minutes: 20.0 };
        verify(shift).given(&a_read(), &reader).breaks_hard_by(1).because(ahead);
        let settings = Settings { look_ahead_minutes: 30.0, ..Settings::default() };
        verify(shift).with(settings).given(&a_read(), &reader).breaks_hard_by(0);
    }
}
