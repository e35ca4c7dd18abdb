//! Writes a data set as bytes (PS3.5 7.1, 7.5): little endian, stated lengths, even
//! values, no group lengths.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{DataSet, Element, Value, is_in_character_set, is_single};
use crate::charset::{NameForm, Repertoire};
use crate::header::element::is_long;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Explicit VR Little Endian, 1.2.840.10008.1.2.1.
    Explicit,
    /// Implicit VR Little Endian, 1.2.840.10008.1.2.
    Implicit,
}

impl Syntax {
    /// The syntax of a transfer syntax UID, if it is one of these.
    pub fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax {
            "1.2.840.10008.1.2.1" => Some(Self::Explicit),
            "1.2.840.10008.1.2" => Some(Self::Implicit),
            _ => None,
        }
    }
}

/// A written data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A character was replaced because the character set lacks it, or a name was dropped.
    pub lossy: bool,
}

/// Why a data set can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// This value was left in its source.
    #[error("the value of {0} is not at hand")]
    Elsewhere(Tag),
    /// Longer than 4 GiB.
    #[error("the value of {0} is too long")]
    TooLong(Tag),
}

/// Writes a data set with its text in `repertoire`, which is also declared in
/// (0008,0005): there if the repertoire is not the default one, and only at the top.
///
/// # Errors
/// A value that was left in its source, or one above 4 GiB.
pub fn write(
    dataset: &DataSet,
    syntax: Syntax,
    repertoire: &Repertoire,
    names: NameForm,
) -> Result<Written, WriteError> {
    let mut pen = Pen { syntax, repertoire, names, lossy: false };
    let mut bytes = Vec::with_capacity(1024);
    pen.dataset(dataset, true, &mut bytes)?;
    Ok(Written { bytes, lossy: pen.lossy })
}

struct Pen<'a> {
    syntax: Syntax,
    repertoire: &'a Repertoire,
    names: NameForm,
    lossy: bool,
}

impl Pen<'_> {
    /// Recursive, as deep as the value is nested, which the reader bounds at
    /// [`MAX_DEPTH`](crate::header::MAX_DEPTH).
    fn dataset(&mut self, dataset: &DataSet, top: bool, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let declared = self.repertoire.declared();
        let mut declare = top && !declared.is_empty();
        for (tag, element) in dataset.iter() {
            if tag.element() == 0 || tag == tags::SPECIFIC_CHARACTER_SET {
                continue;
            }
            if declare && tag > tags::SPECIFIC_CHARACTER_SET {
                self.element(tags::SPECIFIC_CHARACTER_SET, VR::CS, declared.as_bytes().to_vec(), out)?;
                declare = false;
            }
            let value = self.value(tag, element)?;
            self.element(tag, element.vr, value, out)?;
        }
        if declare {
            self.element(tags::SPECIFIC_CHARACTER_SET, VR::CS, declared.as_bytes().to_vec(), out)?;
        }
        Ok(())
    }

    fn value(&mut self, tag: Tag, element: &Element) -> Result<Vec<u8>, WriteError> {
        match &element.value {
            Value::Bytes(bytes) => Ok(bytes.to_vec()),
            Value::Elsewhere { .. } => Err(WriteError::Elsewhere(tag)),
            Value::Names(names) => {
                let written = self.repertoire.names(names, self.names);
                self.lossy |= written.lossy;
                Ok(written.bytes)
            }
            Value::Text(values) if is_in_character_set(element.vr) => {
                let written = match values.first() {
                    Some(text) if is_single(element.vr) => self.repertoire.text(text),
                    _ => self.repertoire.values(values),
                };
                self.lossy |= written.lossy;
                Ok(written.bytes)
            }
            Value::Text(values) => {
                let byte = |c: char| if c.is_ascii() { c as u8 } else { b'?' };
                Ok(values.join("\\").chars().map(byte).collect())
            }
            Value::Sequence(items) => {
                let mut out = Vec::new();
                for item in items {
                    let mut body = Vec::new();
                    self.dataset(item, false, &mut body)?;
                    out.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
                    out.extend_from_slice(&length(tag, body.len())?.to_le_bytes());
                    out.extend_from_slice(&body);
                }
                Ok(out)
            }
        }
    }

    fn element(&mut self, tag: Tag, vr: VR, mut value: Vec<u8>, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if value.len() % 2 == 1 {
            value.push(if matches!(vr, VR::UI | VR::OB | VR::UN) { 0 } else { b' ' });
        }
        out.extend_from_slice(&tag.group().to_le_bytes());
        out.extend_from_slice(&tag.element().to_le_bytes());
        match (self.syntax, u16::try_from(value.len())) {
            (Syntax::Implicit, _) => out.extend_from_slice(&length(tag, value.len())?.to_le_bytes()),
            (Syntax::Explicit, Ok(short)) if !is_long(vr) => {
                out.extend_from_slice(&vr.to_bytes());
                out.extend_from_slice(&short.to_le_bytes());
            }
            (Syntax::Explicit, _) => {
                // A short VR with a long value becomes UN (PS3.5 6.2.2, note 2 of UN).
                let vr = if is_long(vr) { vr } else { VR::UN };
                out.extend_from_slice(&vr.to_bytes());
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&length(tag, value.len())?.to_le_bytes());
            }
        }
        out.extend_from_slice(&value);
        Ok(())
    }
}

fn length(tag: Tag, length: usize) -> Result<u32, WriteError> {
    u32::try_from(length).ok().filter(|length| *length != u32::MAX).ok_or(WriteError::TooLong(tag))
}
