//! A reader needs the privilege of the site that asks.

use super::Blocked;
use crate::{Privileges, Read, Reader, Settings};

/// Keeps a reader from the reads of sites he has no privilege for.
pub fn privilege(read: &Read, reader: &Reader, _: &Settings) -> Option<Blocked> {
    match &reader.privileges {
        Privileges::All => None,
        Privileges::Sites(sites) => (!sites.contains(&read.site)).then_some(Blocked::Privilege { site: read.site }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify::{a_read, a_reader, verify};
    use super::*;

    #[test]
    fn a_reader_without_the_sites_privilege_never_reads_for_it() {
        let reader = Reader { privileges: Privileges::Sites([2, 3].into()), ..a_reader() };
        verify(privilege).given(&a_read(), &reader).breaks_hard_by(1).because(Blocked::Privilege { site: 1 });
        verify(privilege).given(&Read { site: 3, ..a_read() }, &reader).breaks_hard_by(0);
    }

    #[test]
    fn a_reader_for_all_sites_reads_for_any() {
        verify(privilege).given(&a_read(), &a_reader()).breaks_hard_by(0);
    }
}
