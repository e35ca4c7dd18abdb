//! The bytes of a DICOMDIR (PS3.3 F.3, PS3.10 8.6).
//!
//! Records point at each other by their offset in the file, so they are written one
//! by one, their two offsets being the first things in them, and patched when their
//! places are known.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{FileSet, Series, Study};
use crate::charset::{NameForm, Repertoire};
use crate::dataset::{self, DataSet, Syntax, Value, WriteError};
use crate::part10;

/// Media Storage Directory Storage (PS3.4 annex I).
const MEDIA_DIRECTORY: &str = "1.2.840.10008.1.3.10";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
/// An item's head: tag and length.
const ITEM_HEAD: usize = 8;
/// The value of (0004,1400), the first element of a record.
const NEXT_AT: usize = ITEM_HEAD + 8;
/// The value of (0004,1420), behind (0004,1400) of 12 bytes and (0004,1410) of 10.
const LOWER_AT: usize = ITEM_HEAD + 12 + 10 + 8;

/// Why there is no directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Beyond what its offsets can say.
    #[error("the directory would be larger than 4 GiB")]
    TooLarge,
    /// A record could not be written.
    #[error(transparent)]
    Record(#[from] WriteError),
}

/// A record on its way: its bytes as an item, and what it points at, by number.
struct Entry {
    item: Vec<u8>,
    next: Option<usize>,
    lower: Option<usize>,
}

#[derive(Default)]
struct Entries(Vec<Entry>);

impl Entries {
    /// Adds a record behind its elder sibling, if it has one. Returns its number.
    fn add(&mut self, record: &DataSet, elder: Option<usize>) -> Result<usize, DirectoryError> {
        let number = self.0.len();
        self.0.push(Entry { item: item(record)?, next: None, lower: None });
        if let Some(elder) = elder {
            self.0[elder].next = Some(number);
        }
        Ok(number)
    }
}

pub(super) fn write(set: &FileSet) -> Result<Vec<u8>, DirectoryError> {
    let mut entries = Entries::default();
    let (mut elder, mut first) = (None, None);
    for patient in &set.patients {
        let number = entries.add(&patient.record, elder)?;
        first = first.or(Some(number));
        elder = Some(number);
        let lower = studies(&mut entries, &patient.studies)?;
        entries.0[number].lower = lower;
    }
    let mut file = part10::file_meta(MEDIA_DIRECTORY, set.instance.as_str(), EXPLICIT_LITTLE);
    let head = head(set);
    let begin = file.len() + head.len() + 12;
    let mut places = Vec::with_capacity(entries.0.len());
    let mut at = begin;
    for entry in &entries.0 {
        places.push(u32::try_from(at).map_err(|_| DirectoryError::TooLarge)?);
        at += entry.item.len();
    }
    let length = u32::try_from(at - begin).map_err(|_| DirectoryError::TooLarge)?;
    let place = |of: Option<usize>| of.map_or(0, |number| places[number]).to_le_bytes();
    let head_at = file.len();
    file.extend_from_slice(&head);
    // The two offsets of the root stand behind the File-set ID.
    let id = file_set_id(set).len();
    file[head_at + id + 8..head_at + id + 12].copy_from_slice(&place(first));
    file[head_at + id + 20..head_at + id + 24].copy_from_slice(&place(elder));
    let Tag(group, element) = tags::DIRECTORY_RECORD_SEQUENCE;
    file.extend_from_slice(&group.to_le_bytes());
    file.extend_from_slice(&element.to_le_bytes());
    file.extend_from_slice(b"SQ\0\0");
    file.extend_from_slice(&length.to_le_bytes());
    for mut entry in entries.0 {
        entry.item[NEXT_AT..NEXT_AT + 4].copy_from_slice(&place(entry.next));
        entry.item[LOWER_AT..LOWER_AT + 4].copy_from_slice(&place(entry.lower));
        file.extend_from_slice(&entry.item);
    }
    Ok(file)
}

fn studies(entries: &mut Entries, of: &[Study]) -> Result<Option<usize>, DirectoryError> {
    let (mut elder, mut first) = (None, None);
    for study in of {
        let number = entries.add(&study.record, elder)?;
        first = first.or(Some(number));
        elder = Some(number);
        let lower = series(entries, &study.series)?;
        entries.0[number].lower = lower;
    }
    Ok(first)
}

fn series(entries: &mut Entries, of: &[Series]) -> Result<Option<usize>, DirectoryError> {
    let (mut elder, mut first) = (None, None);
    for series in of {
        let number = entries.add(&series.record, elder)?;
        first = first.or(Some(number));
        elder = Some(number);
        let (mut youngest, mut lower) = (None, None);
        for record in series.instances.values() {
            let number = entries.add(record, youngest)?;
            lower = lower.or(Some(number));
            youngest = Some(number);
        }
        entries.0[number].lower = lower;
    }
    Ok(first)
}

/// A record as an item, its offsets still zero.
fn item(record: &DataSet) -> Result<Vec<u8>, DirectoryError> {
    let mut record = record.clone();
    let zero = || Value::Bytes(0_u32.to_le_bytes().to_vec().into());
    record.insert(tags::OFFSET_OF_THE_NEXT_DIRECTORY_RECORD, VR::UL, zero());
    record.put_u16(tags::RECORD_IN_USE_FLAG, 0xFFFF);
    record.insert(tags::OFFSET_OF_REFERENCED_LOWER_LEVEL_DIRECTORY_ENTITY, VR::UL, zero());
    let bytes = encoded(&record)?;
    let length = u32::try_from(bytes.len()).map_err(|_| DirectoryError::TooLarge)?;
    let mut item = Vec::with_capacity(ITEM_HEAD + bytes.len());
    item.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
    item.extend_from_slice(&length.to_le_bytes());
    item.extend_from_slice(&bytes);
    Ok(item)
}

/// In the character set that most devices here read, or in UTF-8 where a letter is not in it.
fn encoded(record: &DataSet) -> Result<Vec<u8>, DirectoryError> {
    let kanji = dataset::write(record, Syntax::Explicit, &Repertoire::kanji(), NameForm::All)?;
    if !kanji.lossy {
        return Ok(kanji.bytes);
    }
    Ok(dataset::write(record, Syntax::Explicit, &Repertoire::utf8(), NameForm::All)?.bytes)
}

fn file_set_id(set: &FileSet) -> Vec<u8> {
    let mut label = set.label.as_bytes().to_vec();
    if label.len() % 2 == 1 {
        label.push(b' ');
    }
    let mut out = vec![0x04, 0x00, 0x30, 0x11, b'C', b'S'];
    // At most 16 letters.
    out.extend_from_slice(&u16::try_from(label.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&label);
    out
}

/// What stands before the records: File-set ID, the root's two offsets, consistency flag.
fn head(set: &FileSet) -> Vec<u8> {
    let mut out = file_set_id(set);
    for element in [0x1200_u16, 0x1202] {
        out.extend_from_slice(&[0x04, 0x00]);
        out.extend_from_slice(&element.to_le_bytes());
        out.extend_from_slice(b"UL\x04\x00\0\0\0\0");
    }
    out.extend_from_slice(&[0x04, 0x00, 0x12, 0x12, b'U', b'S', 2, 0, 0, 0]);
    out
}
