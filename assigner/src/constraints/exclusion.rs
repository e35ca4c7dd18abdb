//! A reader who declined, or whom a person kept from a read, does not get it.

use super::Blocked;
use crate::{Read, Reader, Settings};

/// Keeps a reader from a read from which he was excluded; the first reason given counts.
pub fn exclusion(read: &Read, reader: &Reader, _: &Settings) -> Option<Blocked> {
    read.excluded
        .iter()
        .find(|exclude| exclude.reader == reader.id)
        .map(|exclude| Blocked::Exclusion { reason: exclude.reason })
}

#[cfg(test)]
mod tests {
    use super::super::verify::{a_read, a_reader, verify};
    use super::*;
    use crate::{Exclude, ExclusionReason};

    #[test]
    fn a_declined_read_does_not_come_back_to_who_declined_it() {
        let reason = ExclusionReason::Declined;
        let read = Read { excluded: vec![Exclude { reader: 7, reason }], ..a_read() };
        verify(exclusion).given(&read, &a_reader()).breaks_hard_by(1).because(Blocked::Exclusion { reason });
        verify(exclusion).given(&read, &Reader { id: 8, ..a_reader() }).breaks_hard_by(0);
    }
}
