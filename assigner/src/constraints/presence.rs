//! A reader must be there: logged in and not paused.

use super::Blocked;
use crate::{Read, Reader, Settings};

/// Keeps reads from a reader who is logged out or paused.
pub fn presence(_: &Read, reader: &Reader, _: &Settings) -> Option<Blocked> {
    match (reader.logged_in, reader.paused) {
        (false, _) => Some(Blocked::LoggedOut),
        (true, true) => Some(Blocked::Paused),
        (true, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify::{a_read, a_reader, verify};
    use super::*;

    #[test]
    fn nothing_goes_to_a_reader_who_is_not_there() {
        let out = Reader { logged_in: false, ..a_reader() };
        verify(presence).given(&a_read(), &out).breaks_hard_by(1).because(Blocked::LoggedOut);
        let paused = Reader { paused: true, ..a_reader() };
        verify(presence).given(&a_read(), &paused).breaks_hard_by(1).because(Blocked::Paused);
        verify(presence).given(&a_read(), &a_reader()).breaks_hard_by(0);
    }
}
