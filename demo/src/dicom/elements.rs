//! Elements and their values, as this room writes them.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, value::DataSetSequence};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::Study;

/// A decimal string of at most 16 characters (PS3.5 6.2, DS).
pub(super) fn number(value: f32) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Puts an ASCII value; an empty one has length 0.
pub(super) fn put(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    let value = if value.is_empty() { PrimitiveValue::Empty } else { PrimitiveValue::from(value) };
    object.put(DataElement::new(tag, vr, value));
}

/// Puts a sequence.
pub(super) fn sequence(object: &mut InMemDicomObject, tag: Tag, items: Vec<InMemDicomObject>) {
    object.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

/// An item of a code sequence.
pub(super) fn coded(value: &str, scheme: &str, meaning: &str) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put(&mut item, tags::CODE_VALUE, VR::SH, value);
    put(&mut item, tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme);
    put(&mut item, tags::CODE_MEANING, VR::LO, meaning);
    item
}

/// A data set in the making.
pub(super) struct Set<'a> {
    pub object: InMemDicomObject,
    pub study: &'a Study,
}

impl Set<'_> {
    /// ASCII; several values are joined by a backslash.
    pub fn plain(&mut self, tag: Tag, vr: VR, value: &str) {
        put(&mut self.object, tag, vr, value);
    }

    /// Text in the site's character set.
    pub fn text(&mut self, tag: Tag, vr: VR, value: &str) {
        put(&mut self.object, tag, vr, &self.study.charset.text(value));
    }

    /// A person's name in the site's character set.
    pub fn name(&mut self, tag: Tag, value: &str) {
        put(&mut self.object, tag, VR::PN, &self.study.charset.name(value));
    }

    /// Any value that is already of its representation.
    pub fn short(&mut self, tag: Tag, vr: VR, value: PrimitiveValue) {
        self.object.put(DataElement::new(tag, vr, value));
    }

    /// A spacing that is equal both ways, mm.
    pub fn spacing(&mut self, tag: Tag, mm: f32) {
        let mm = number(mm);
        self.plain(tag, VR::DS, &format!("{mm}\\{mm}"));
    }

    /// A sequence; empty is a sequence without items.
    pub fn sequence(&mut self, tag: Tag, items: Vec<InMemDicomObject>) {
        sequence(&mut self.object, tag, items);
    }
}
