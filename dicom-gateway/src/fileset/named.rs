//! Reads the DICOMDIR of a foreign medium: which instances of which study it names (PS3.3 annex F).
//!
//! Tolerant: records are followed by their offsets; what no offset leads to belongs to the study record that stands
//! before it, as every writer in use puts them. Offsets may point anywhere and in circles. Iterative, and bounded by
//! [`MOST`].

use std::collections::{HashMap, HashSet};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::charset::CharacterSets;
use crate::header::element::Encoding;
use crate::header::value::ascii;
use crate::header::walk::{Element, Step, Visit, walk};
use crate::header::{HeaderError, split_file};

/// Most records that are read. A DVD of CT series has some ten thousand.
const MOST: usize = 200_000;
/// An item's own head, and that of the element that begins a record, in bytes.
const BEFORE_FIRST_VALUE: usize = 16;

/// A study that a directory names.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedStudy {
    /// Study Instance UID.
    pub study_uid: String,
    /// Study Date as written, or empty.
    pub date: String,
    /// Study Description, or empty.
    pub description: String,
    /// SOP Instance UIDs of its files, each once.
    pub instances: Vec<String>,
}

/// The studies that a DICOMDIR names, in its order.
///
/// # Errors
/// It cannot be read, or names no instance at all.
pub fn named(bytes: &[u8]) -> Result<Vec<NamedStudy>, HeaderError> {
    let parts = split_file(bytes)?;
    let dataset = bytes.get(parts.dataset_at..).unwrap_or_default();
    let mut reading = Reading { file: bytes, root: 0, records: Vec::new(), sets: CharacterSets::parse(b"") };
    walk(dataset, Encoding::of(&parts.transfer_syntax, dataset), &mut reading)?;
    let studies = gather(&reading.records, reading.root);
    if studies.iter().all(|study| study.instances.is_empty()) {
        return Err(HeaderError::Missing("referenced files"));
    }
    Ok(studies)
}

/// A directory record.
#[derive(Default)]
struct Record {
    /// Where its item begins in the file.
    at: usize,
    next: usize,
    lower: usize,
    is_study: bool,
    study_uid: String,
    date: String,
    description: String,
    instance: String,
}

struct Reading<'a> {
    file: &'a [u8],
    root: usize,
    records: Vec<Record>,
    sets: CharacterSets,
}

impl Visit for Reading<'_> {
    fn item(&mut self, path: &[Step]) {
        if let [Step { sequence: tags::DIRECTORY_RECORD_SEQUENCE, .. }] = path
            && self.records.len() < MOST
        {
            self.records.push(Record::default());
            self.sets = CharacterSets::parse(b"");
        }
    }

    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let offset = || match element.value {
            [a, b, c, d] => element.encoding.u32([*a, *b, *c, *d]) as usize,
            _ => 0,
        };
        match path {
            [] if element.tag == tags::OFFSET_OF_THE_FIRST_DIRECTORY_RECORD_OF_THE_ROOT_DIRECTORY_ENTITY => {
                self.root = offset();
            }
            [Step { sequence: tags::DIRECTORY_RECORD_SEQUENCE, item }] => {
                // Where a slice of the file begins in it.
                let value_at = (element.value.as_ptr() as usize).saturating_sub(self.file.as_ptr() as usize);
                let Some(record) = self.records.get_mut(*item) else { return };
                match element.tag {
                    tags::OFFSET_OF_THE_NEXT_DIRECTORY_RECORD => {
                        record.at = value_at.saturating_sub(BEFORE_FIRST_VALUE);
                        record.next = offset();
                    }
                    tags::OFFSET_OF_REFERENCED_LOWER_LEVEL_DIRECTORY_ENTITY => record.lower = offset(),
                    tags::DIRECTORY_RECORD_TYPE => record.is_study = ascii(&element) == "STUDY",
                    tags::SPECIFIC_CHARACTER_SET => self.sets = CharacterSets::parse(element.value),
                    tags::STUDY_INSTANCE_UID => record.study_uid = ascii(&element),
                    tags::STUDY_DATE => record.date = ascii(&element),
                    tags::STUDY_DESCRIPTION => record.description = self.sets.first(element.value),
                    tags::REFERENCED_SOP_INSTANCE_UID_IN_FILE => record.instance = ascii(&element),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn skipped(&mut self, _: Tag) {}
}

/// The study of each record: the one whose lower levels lead to it, else the last one before it.
fn gather(records: &[Record], root: usize) -> Vec<NamedStudy> {
    let by_offset: HashMap<usize, usize> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.at > 0)
        .map(|(index, record)| (record.at, index))
        .collect();
    let mut study_of: Vec<Option<usize>> = vec![None; records.len()];
    let mut visited = HashSet::new();
    let mut open: Vec<(usize, Option<usize>)> = vec![(root, None)];
    while let Some((offset, study)) = open.pop() {
        let Some(&index) = by_offset.get(&offset) else { continue };
        if !visited.insert(index) {
            continue;
        }
        let record = &records[index];
        let own = if record.is_study { Some(index) } else { study };
        study_of[index] = own;
        open.push((record.next, study));
        open.push((record.lower, own));
    }
    let mut last = None;
    let mut order: Vec<NamedStudy> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut seen = HashSet::new();
    for (index, record) in records.iter().enumerate() {
        if record.is_study {
            last = Some(index);
        }
        let Some(study) = study_of[index].or(last).map(|study| &records[study]) else { continue };
        let place = *places.entry(&study.study_uid).or_insert_with(|| {
            order.push(NamedStudy {
                study_uid: study.study_uid.clone(),
                date: study.date.clone(),
                description: study.description.clone(),
                instances: Vec::new(),
            });
            order.len() - 1
        });
        if !record.instance.is_empty() && seen.insert(&record.instance) {
            order[place].instances.push(record.instance.clone());
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: usize, next: usize, lower: usize, study: &str, instance: &str) -> Record {
        Record {
            at,
            next,
            lower,
            is_study: !study.is_empty(),
            study_uid: study.to_owned(),
            instance: instance.to_owned(),
            ..Record::default()
        }
    }

    fn gathered(records: &[Record], root: usize) -> Vec<(String, Vec<String>)> {
        gather(records, root).into_iter().map(|study| (study.study_uid, study.instances)).collect()
    }

    #[test]
    fn offsets_say_whose_an_image_is_whatever_the_order() {
        // Both studies first, then an image of the first one, then one of the second.
        let records = [
            record(10, 20, 30, "1", ""),
            record(20, 0, 40, "2", ""),
            record(30, 0, 0, "", "a"),
            record(40, 0, 0, "", "b"),
        ];
        let wanted = [("1".to_owned(), vec!["a".to_owned()]), ("2".to_owned(), vec!["b".to_owned()])];
        assert_eq!(gathered(&records, 10), wanted);
    }

    #[test]
    fn without_offsets_the_order_says_it_and_a_circle_ends() {
        let records =
            [record(0, 0, 0, "1", ""), record(0, 0, 0, "", "a"), record(0, 0, 0, "2", ""), record(0, 0, 0, "", "b")];
        let wanted = [("1".to_owned(), vec!["a".to_owned()]), ("2".to_owned(), vec!["b".to_owned()])];
        assert_eq!(gathered(&records, 0), wanted);
        let circle = [record(10, 10, 20, "1", ""), record(20, 10, 20, "", "a"), record(30, 0, 0, "", "a")];
        assert_eq!(gathered(&circle, 10), [("1".to_owned(), vec!["a".to_owned()])]);
    }
}
