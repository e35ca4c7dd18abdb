//! A data set as a value: read tolerantly, written exactly.
//!
//! Text is UTF-8 here whatever character set it was read from, decoded before any
//! splitting; numbers are little endian bytes; a value larger than a stated bound
//! stays where it is, as an offset and a length, so that a 2 GB object's data set
//! costs what its header costs. Reading borrows [`header`](crate::header)'s walk:
//! bounded depth, no allocation by a length field.
//!
//! `Debug` shows tags and VRs, never values: a data set is a patient's.

mod build;
mod json;
mod read;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use crate::charset::PersonName;

pub use json::{Bulk, to_json};
pub use read::{Limits, ReadError, read, read_file, read_first};
pub use write::{Syntax, WriteError, Written, write};

#[cfg(test)]
mod tests;

/// The elements of a data set or of a sequence's item, in the order of their tags.
#[derive(Clone, Default, PartialEq)]
pub struct DataSet {
    elements: BTreeMap<Tag, Element>,
}

/// A data element.
#[derive(Clone, PartialEq)]
pub struct Element {
    /// As written, or the dictionary's where the encoding says none.
    pub vr: VR,
    /// Its value.
    pub value: Value,
}

/// An element's value.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Text values without padding; none for an empty element. ST, LT, UT and UR have one at most.
    Text(Vec<String>),
    /// PN values.
    Names(Vec<PersonName>),
    /// Any other VR: little endian, as many bytes as there are.
    Bytes(Bytes),
    /// Items.
    Sequence(Vec<DataSet>),
    /// A value that was left in the source.
    Elsewhere {
        /// Offset in the data set as read (inflated, if it was deflated), in bytes.
        at: u64,
        /// In bytes; `None` for encapsulated fragments, which begin at `at`.
        length: Option<u64>,
    },
}

impl Value {
    /// Whether the element is there without a value (for a query: a key that matches everything).
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(values) => values.iter().all(String::is_empty),
            Self::Names(names) => names.iter().all(PersonName::is_empty),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Sequence(items) => items.is_empty(),
            Self::Elsewhere { .. } => false,
        }
    }
}

impl DataSet {
    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Its elements by tag.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &Element)> {
        self.elements.iter().map(|(tag, element)| (*tag, element))
    }

    /// The element of this tag.
    pub fn get(&self, tag: Tag) -> Option<&Element> {
        self.elements.get(&tag)
    }

    /// Whether the element is there, with or without a value.
    pub fn has(&self, tag: Tag) -> bool {
        self.elements.contains_key(&tag)
    }

    /// The text values of an element; none if it is absent or no text.
    pub fn texts(&self, tag: Tag) -> &[String] {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Text(values)) => values,
            _ => &[],
        }
    }

    /// The first text value, or "".
    pub fn text(&self, tag: Tag) -> &str {
        self.texts(tag).first().map_or("", String::as_str)
    }

    /// The first person name.
    pub fn name(&self, tag: Tag) -> Option<&PersonName> {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Names(names)) => names.first(),
            _ => None,
        }
    }

    /// The items of a sequence; none if it is absent.
    pub fn items(&self, tag: Tag) -> &[Self] {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Sequence(items)) => items,
            _ => &[],
        }
    }

    /// The first number of an IS, US, SS, UL or SL.
    pub fn integer(&self, tag: Tag) -> Option<i64> {
        let element = self.get(tag)?;
        match (&element.value, element.vr) {
            (Value::Text(values), _) => values.first()?.trim().parse().ok(),
            (Value::Bytes(bytes), VR::SS) => Some(i64::from(i16::from_le_bytes(first(bytes)?))),
            (Value::Bytes(bytes), VR::US) => Some(i64::from(u16::from_le_bytes(first(bytes)?))),
            (Value::Bytes(bytes), VR::SL) => Some(i64::from(i32::from_le_bytes(first(bytes)?))),
            (Value::Bytes(bytes), VR::UL) => Some(i64::from(u32::from_le_bytes(first(bytes)?))),
            _ => None,
        }
    }

    /// Sets an element with a VR of the caller's.
    pub fn insert(&mut self, tag: Tag, vr: VR, value: Value) {
        self.elements.insert(tag, Element { vr, value });
    }

    /// Sets a text with the VR of the dictionary (a name is parted into its groups).
    pub fn put(&mut self, tag: Tag, text: impl Into<String>) -> &mut Self {
        self.put_all(tag, vec![text.into()])
    }

    /// Sets several text values with the VR of the dictionary.
    pub fn put_all(&mut self, tag: Tag, mut values: Vec<String>) -> &mut Self {
        if values.len() == 1 && values[0].is_empty() {
            values.clear();
        }
        let vr = dictionary_vr(tag);
        let value = match vr {
            VR::PN => Value::Names(values.iter().map(|value| PersonName::parse(value)).collect()),
            _ => Value::Text(values),
        };
        self.insert(tag, vr, value);
        self
    }

    /// Sets a name.
    pub fn put_name(&mut self, tag: Tag, name: PersonName) -> &mut Self {
        self.insert(tag, VR::PN, Value::Names(if name.is_empty() { Vec::new() } else { vec![name] }));
        self
    }

    /// Sets a sequence.
    pub fn put_items(&mut self, tag: Tag, items: Vec<Self>) -> &mut Self {
        self.insert(tag, VR::SQ, Value::Sequence(items));
        self
    }

    /// Sets a US.
    pub fn put_u16(&mut self, tag: Tag, number: u16) -> &mut Self {
        self.insert(tag, VR::US, Value::Bytes(Bytes::copy_from_slice(&number.to_le_bytes())));
        self
    }

    /// Sets an element without value.
    pub fn put_empty(&mut self, tag: Tag, vr: VR) -> &mut Self {
        let value = match vr {
            VR::SQ => Value::Sequence(Vec::new()),
            VR::PN => Value::Names(Vec::new()),
            vr if is_text(vr) => Value::Text(Vec::new()),
            _ => Value::Bytes(Bytes::new()),
        };
        self.insert(tag, vr, value);
        self
    }

    /// Takes an element out.
    pub fn remove(&mut self, tag: Tag) -> Option<Element> {
        self.elements.remove(&tag)
    }
}

impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.elements.iter().map(|(tag, element)| (tag.to_string(), element.vr))).finish()
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(***)", self.vr)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The VR that the standard's dictionary gives, UN where it knows none.
pub fn dictionary_vr(tag: Tag) -> VR {
    if tag.group() % 2 == 1 && (0x10..=0xFF).contains(&tag.element()) {
        return VR::LO;
    }
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Whether a VR is text.
fn is_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::IS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::ST
            | VR::TM
            | VR::UC
            | VR::UI
            | VR::UR
            | VR::UT
    )
}

/// Whether a VR's text is in the data set's character set (PS3.5 6.1.2.2).
fn is_in_character_set(vr: VR) -> bool {
    matches!(vr, VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT)
}

/// Whether `\` is an ordinary character of a VR.
fn is_single(vr: VR) -> bool {
    matches!(vr, VR::LT | VR::ST | VR::UT | VR::UR)
}

/// Bytes of one number of a VR, 1 where order does not matter.
fn width(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW | VR::AT => 2,
        VR::UL | VR::SL | VR::FL | VR::OF | VR::OL => 4,
        VR::FD | VR::OD | VR::SV | VR::UV | VR::OV => 8,
        _ => 1,
    }
}

fn first<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.get(..N)?.try_into().ok()
}
