//! A reader needs more than 0 in the skill table for every part.

use super::Blocked;
use crate::{Read, Reader, Settings};

/// Keeps a reader from a read if he never reads one of its parts, however good he is at the others.
pub fn skill(read: &Read, reader: &Reader, _: &Settings) -> Option<Blocked> {
    read.parts
        .iter()
        .find(|work| reader.skills.value(work.part.region, work.part.modality) <= 0.0)
        .map(|work| Blocked::Skill { part: work.part })
}

#[cfg(test)]
mod tests {
    use dokuei_terms::Modality;

    use super::super::verify::{a_read, a_reader, part, verify};
    use super::*;
    use crate::PartWork;

    #[test]
    fn one_part_he_never_reads_keeps_him_from_the_whole_read() {
        let mut read = a_read();
        let orbit = part("head.orbit", Modality::Mr);
        read.parts.push(PartWork { part: orbit, minutes: 1.0 });
        verify(skill).given(&read, &a_reader()).breaks_hard_by(1).because(Blocked::Skill { part: orbit });
    }

    #[test]
    fn an_empty_cell_is_read_with_the_skill_of_the_region_above() {
        verify(skill).given(&a_read(), &a_reader()).breaks_hard_by(0);
    }

    #[test]
    fn an_own_zero_keeps_him_from_it_though_the_region_above_is_good() {
        let mut reader = a_reader();
        reader.skills.set(part("head.brain", Modality::Ct).region, Modality::Ct, 0.0);
        verify(skill).given(&a_read(), &reader).breaks_hard_by(1);
    }
}
