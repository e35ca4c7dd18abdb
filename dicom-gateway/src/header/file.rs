//! A file's outer layers: preamble, file meta information, data set.

use super::HeaderError;
use super::element::{self, Encoding};

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";

/// Where a file's data set begins and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileParts {
    /// Offset of the data set in the file, in bytes.
    pub dataset_at: usize,
    /// From the file meta information, or guessed from the first element.
    pub transfer_syntax: String,
    /// Media Storage SOP Class UID, if there was file meta information.
    pub sop_class: Option<String>,
    /// Media Storage SOP Instance UID, if there was file meta information.
    pub sop_instance: Option<String>,
}

/// Finds the data set of a Part 10 file, of one without preamble, or of a bare
/// data set. The group length is not believed: the group ends where it ends.
pub fn split_file(bytes: &[u8]) -> Result<FileParts, HeaderError> {
    let meta_at = if bytes.get(128..132) == Some(b"DICM") {
        132
    } else if bytes.starts_with(b"DICM") {
        4
    } else {
        0
    };
    let mut parts =
        FileParts { dataset_at: meta_at, transfer_syntax: String::new(), sop_class: None, sop_instance: None };
    while let Some(rest) = bytes.get(parts.dataset_at..) {
        // File meta information is explicit little endian; some old writers used
        // implicit, which `head` falls back to by itself.
        let Some(head) = element::head(rest, Encoding::EXPLICIT) else { break };
        if head.tag.group() != 0x0002 {
            break;
        }
        let value = rest
            .get(head.size..head.size.saturating_add(head.length as usize))
            .ok_or(HeaderError::Truncated { at: parts.dataset_at })?;
        let text = || Some(String::from_utf8_lossy(value).trim_matches(['\0', ' ']).to_owned());
        match head.tag.element() {
            0x0002 => parts.sop_class = text(),
            0x0003 => parts.sop_instance = text(),
            0x0010 => parts.transfer_syntax = text().unwrap_or_default(),
            _ => {}
        }
        parts.dataset_at += head.size + head.length as usize;
    }
    if parts.transfer_syntax.is_empty() {
        let seen = Encoding::seen(&bytes[parts.dataset_at.min(bytes.len())..]).ok_or(HeaderError::NotDicom)?;
        let guess = match seen {
            Encoding::BIG => EXPLICIT_BIG,
            Encoding::IMPLICIT => IMPLICIT_LITTLE,
            _ => EXPLICIT_LITTLE,
        };
        guess.clone_into(&mut parts.transfer_syntax);
    }
    Ok(parts)
}
