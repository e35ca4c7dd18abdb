//! A rejection note: a Key Object Selection whose title withdraws what it refers to (IHE RAD TF-2, IOCM).

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dokuei_models::store::images::{Rejection, WithdrawalCause};

use super::element::Encoding;
use super::value::ascii;
use super::walk::{Element, Step, Visit, walk};

/// Most references that are read of one note.
const MOST: usize = 100_000;

/// What a data set rejects. `None` for every other object, also for a Key Object Selection with another title.
pub fn rejection(dataset: &[u8], transfer_syntax: &str, sop_class: &str) -> Option<Rejection> {
    if sop_class != uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE {
        return None;
    }
    let mut note = Note::default();
    // What was read before a fault counts: whatever is rejected must not be shown.
    let _ = walk(dataset, Encoding::of(transfer_syntax, dataset), &mut note);
    if note.scheme != "DCM" {
        return None;
    }
    Some(Rejection { cause: WithdrawalCause::of_title(&note.code)?, instances: note.instances })
}

#[derive(Default)]
struct Note {
    code: String,
    scheme: String,
    instances: Vec<String>,
}

impl Visit for Note {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let sequences = |wanted: &[Tag]| path.iter().map(|step| step.sequence).eq(wanted.iter().copied());
        if sequences(&[tags::CONCEPT_NAME_CODE_SEQUENCE]) {
            match element.tag {
                tags::CODE_VALUE => self.code = ascii(&element),
                tags::CODING_SCHEME_DESIGNATOR => self.scheme = ascii(&element),
                _ => {}
            }
        }
        let referred = sequences(&[
            tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
            tags::REFERENCED_SERIES_SEQUENCE,
            tags::REFERENCED_SOP_SEQUENCE,
        ]);
        if referred && element.tag == tags::REFERENCED_SOP_INSTANCE_UID && self.instances.len() < MOST {
            self.instances.push(ascii(&element));
        }
    }

    fn skipped(&mut self, _: Tag) {}
}
