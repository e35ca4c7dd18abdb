//! Two readings of a case need two readers.
//!
//! This function keeps apart what is fixed: readings that were signed or are in
//! progress. Readings that are both in the plan are kept apart by the model
//! (`apart` in `solve::model`).

use super::Blocked;
use crate::{Read, Reader, Settings};

/// Keeps a reader from a second reading of what he read himself.
pub fn separation(read: &Read, reader: &Reader, _: &Settings) -> Option<Blocked> {
    read.not_reader_of.contains(&reader.id).then_some(Blocked::Separation)
}

#[cfg(test)]
mod tests {
    use super::super::verify::{a_read, a_reader, verify};
    use super::*;

    #[test]
    fn nobody_checks_his_own_reading() {
        let read = Read { not_reader_of: vec![7], ..a_read() };
        verify(separation).given(&read, &a_reader()).breaks_hard_by(1).because(Blocked::Separation);
        verify(separation).given(&read, &Reader { id: 8, ..a_reader() }).breaks_hard_by(0);
    }
}
