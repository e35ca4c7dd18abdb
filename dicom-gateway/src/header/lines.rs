//! A header as lines for a person to look at, also of an object that cannot be filed.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::element::Encoding;
use super::value::{decimals, integer};
use super::walk::{Element, Step, Visit, walk};
use super::{HeaderError, split_file};
use crate::charset::CharacterSets;

/// Longest value that is shown, in characters.
const LONGEST: usize = 120;
/// Most lines.
const MOST: usize = 400;

/// One top-level element. Holds patient data: for a page, never for a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Eight hexadecimal digits.
    pub tag: String,
    /// The keyword of PS3.6, or empty.
    pub keyword: &'static str,
    /// The value as text, cut to a length; of binary data its size.
    pub value: String,
}

/// The top-level elements of a file as far as it can be read, and what stopped the reading.
pub fn lines(file: &[u8]) -> (Vec<Line>, Option<HeaderError>) {
    let parts = match split_file(file) {
        Ok(parts) => parts,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let dataset = &file[parts.dataset_at.min(file.len())..];
    let mut collect = Lines { sets: CharacterSets::parse(b""), lines: Vec::new() };
    let walked = walk(dataset, Encoding::of(&parts.transfer_syntax, dataset), &mut collect);
    (collect.lines, walked.err())
}

struct Lines {
    sets: CharacterSets,
    lines: Vec<Line>,
}

impl Visit for Lines {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let outermost = path.first().map(|step| step.sequence);
        if let Some(sequence) = outermost {
            if self.lines.last().is_none_or(|line| line.tag != digits(sequence)) {
                self.push(sequence, "…".to_owned());
            }
            return;
        }
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            self.sets = CharacterSets::parse(element.value);
        }
        let value = self.text_of(&element);
        self.push(element.tag, value);
    }

    fn skipped(&mut self, sequence: Tag) {
        self.push(sequence, "?".to_owned());
    }
}

impl Lines {
    fn push(&mut self, tag: Tag, value: String) {
        if self.lines.len() < MOST && tag.element() != 0 {
            let keyword = StandardDataDictionary.by_tag(tag).map_or("", |entry| entry.alias());
            self.lines.push(Line { tag: digits(tag), keyword, value });
        }
    }

    fn text_of(&self, element: &Element<'_>) -> String {
        match element.vr {
            VR::US | VR::SS | VR::UL => integer(element).map(|number| number.to_string()).unwrap_or_default(),
            VR::FD | VR::FL => decimals(element).iter().map(|number| number.to_string()).collect::<Vec<_>>().join("\\"),
            VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV | VR::UN | VR::AT | VR::SL | VR::SV | VR::UV => {
                format!("({} bytes)", element.value.len())
            }
            _ => {
                let cut = &element.value[..element.value.len().min(4 * LONGEST)];
                let text = self.sets.text(cut);
                text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).chars().take(LONGEST).collect()
            }
        }
    }
}

fn digits(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_before_the_damage_is_shown_with_what_stopped_it() {
        let mut file = crate::part10::file_meta("1.2", "1.2.3", "1.2.840.10008.1.2.1");
        file.extend_from_slice(&[0x10, 0, 0x20, 0, b'L', b'O', 4, 0, b'0', b'0', b'1', b'2']);
        file.extend_from_slice(&[0x20, 0, 0x0D, 0, b'U', b'I', 64, 0, b'1', b'.']);
        let (found, stopped) = lines(&file);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].keyword, found[0].value.as_str()), ("PatientID", "0012"));
        assert!(matches!(stopped, Some(HeaderError::Truncated { .. })));
        assert!(lines(b"no DICOM at all").1.is_some());
    }
}
