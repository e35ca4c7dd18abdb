//! Compares two objects of one SOP Instance UID: the same, another header, or other pixels.
//!
//! Elements are compared by tag and value, whatever their encoding: lengths, VR
//! and byte order of numbers do not count, nor padding, group lengths and the
//! encapsulated offset tables. Pixels are compared by their bytes where syntax
//! and format are equal, else by their decoded samples. What cannot be decoded,
//! or is too large to be held twice, counts as different: a person decides.
//!
//! Works on whole objects; both are bounded by [`MOST`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use crate::header::element::Encoding;
use crate::header::walk::{Element, Pixels, Step, Visit, walk};
use crate::header::{self, HeaderError};
use crate::render;

/// Objects above this size in bytes are not compared.
pub const MOST: usize = 64 << 20;
/// The tag that stands for a difference behind the pixels.
const BEHIND_PIXELS: &str = "7FE10000";
/// Deflated Explicit VR Little Endian.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// Most tags that are named.
const NAMED: usize = 64;

/// What two objects of one UID are to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Equal elements and equal pixels.
    Same,
    /// Equal pixels; these tags differ (eight hexadecimal digits, nested ones by their outermost).
    Header(Vec<String>),
    /// Other pixels, or other content where there are none; and these tags.
    Pixels(Vec<String>),
}

/// Compares two Part 10 files.
///
/// # Errors
/// One of them cannot be read.
pub fn compare(one: &[u8], other: &[u8]) -> Result<Compared, HeaderError> {
    if one.len() > MOST || other.len() > MOST {
        return Ok(Compared::Pixels(Vec::new()));
    }
    let (a, b) = (Object::open(one)?, Object::open(other)?);
    let recoded = a.transfer_syntax != b.transfer_syntax;
    let mut changed: Vec<Tag> = Vec::new();
    for key in a.elements.keys().chain(b.elements.keys()) {
        let top = key.0.first().map_or(key.1, |(sequence, _)| *sequence);
        if a.elements.get(key) != b.elements.get(key) && !changed.contains(&top) {
            changed.push(top);
        }
    }
    if recoded {
        // What encoding pixels otherwise changes; the samples themselves are compared below.
        changed.retain(|tag| !matches!(*tag, tags::PHOTOMETRIC_INTERPRETATION | tags::PLANAR_CONFIGURATION));
    }
    changed.sort();
    let format = changed.iter().any(|tag| is_pixel_format(*tag));
    let same = match (&a.pixels, &b.pixels) {
        (None, None) => changed.iter().all(|tag| is_header(*tag)),
        (Some(_), Some(_)) if format => false,
        (Some(_), Some(_)) if !recoded && a.raw_pixels() == b.raw_pixels() => true,
        // Native pixels in one syntax are their bytes, to the last one.
        (Some(a), Some(b)) if !recoded && a.length.is_some() && b.length.is_some() => false,
        (Some(_), Some(_)) if is_lossless(&a.transfer_syntax) && is_lossless(&b.transfer_syntax) => {
            render::same_samples(one, other).unwrap_or(false)
        }
        _ => false,
    };
    let mut named: Vec<String> =
        changed.iter().take(NAMED).map(|tag| format!("{:04X}{:04X}", tag.group(), tag.element())).collect();
    if !recoded && a.behind_pixels() != b.behind_pixels() {
        named.push(BEHIND_PIXELS.to_owned());
    }
    Ok(match (same, named.is_empty()) {
        (true, true) => Compared::Same,
        (true, false) => Compared::Header(named),
        (false, _) => Compared::Pixels(named),
    })
}

/// Image Pixel attributes that say what the bytes mean (PS3.3 C.7.6.3).
fn is_pixel_format(tag: Tag) -> bool {
    matches!(
        tag,
        tags::ROWS
            | tags::COLUMNS
            | tags::NUMBER_OF_FRAMES
            | tags::SAMPLES_PER_PIXEL
            | tags::PHOTOMETRIC_INTERPRETATION
            | tags::PLANAR_CONFIGURATION
            | tags::BITS_ALLOCATED
            | tags::BITS_STORED
            | tags::HIGH_BIT
            | tags::PIXEL_REPRESENTATION
    )
}

/// Whether a tag of an object without pixels speaks of patient, study or order, and is not its content.
fn is_header(tag: Tag) -> bool {
    match tag.group() {
        0x0008 | 0x0010 | 0x0012 | 0x0020 | 0x0032 | 0x0038 => true,
        // Procedure step and request attributes; from A000 on it is structured content.
        0x0040 => tag.element() < 0xA000,
        _ => false,
    }
}

/// Whether pixels in this transfer syntax are what the device made of them, and can be decoded here (PS3.5 A.4).
fn is_lossless(transfer_syntax: &str) -> bool {
    matches!(
        transfer_syntax.strip_prefix("1.2.840.10008.1.2").unwrap_or(transfer_syntax),
        "" | ".1"
            | ".2"
            | ".1.99"
            | ".5"
            | ".4.57"
            | ".4.70"
            | ".4.80"
            | ".4.90"
            | ".4.201"
            | ".4.202"
            | "1.2.840.113619.5.2"
    )
}

/// The data set as it is before it was deflated, if it was.
fn inflated<'a>(body: &'a [u8], transfer_syntax: &str) -> Result<Cow<'a, [u8]>, HeaderError> {
    if transfer_syntax != DEFLATED {
        return Ok(Cow::Borrowed(body));
    }
    let mut whole = Vec::new();
    let read = DeflateDecoder::new(body).take(MOST as u64 + 1).read_to_end(&mut whole);
    match read {
        Ok(_) if whole.len() <= MOST => Ok(Cow::Owned(whole)),
        Ok(_) => Err(HeaderError::HeaderTooLarge),
        Err(_) => Err(HeaderError::Deflate),
    }
}

type Key = (Vec<(Tag, usize)>, Tag);

struct Object<'a> {
    dataset: Cow<'a, [u8]>,
    transfer_syntax: String,
    elements: BTreeMap<Key, Vec<u8>>,
    pixels: Option<Pixels>,
}

impl<'a> Object<'a> {
    fn open(file: &'a [u8]) -> Result<Self, HeaderError> {
        let parts = header::split_file(file)?;
        let body = &file[parts.dataset_at.min(file.len())..];
        let dataset = inflated(body, &parts.transfer_syntax)?;
        let encoding = Encoding::of(&parts.transfer_syntax, &dataset);
        let mut collect = Collect::default();
        let walked = walk(&dataset, encoding, &mut collect)?;
        Ok(Self { dataset, transfer_syntax: parts.transfer_syntax, elements: collect.elements, pixels: walked.pixels })
    }

    /// The pixel data's value as it lies there; of an encapsulated one everything from its first item on.
    fn raw_pixels(&self) -> &[u8] {
        let Some(pixels) = &self.pixels else { return &[] };
        &self.dataset[pixels.value_at.min(self.dataset.len())..self.pixels_end(pixels)]
    }

    fn pixels_end(&self, pixels: &Pixels) -> usize {
        let end = pixels.length.map(|length| pixels.value_at.saturating_add(length as usize));
        end.unwrap_or(self.dataset.len()).min(self.dataset.len())
    }

    /// What follows native pixels, but padding (PS3.3 C.12.1.1.8 and trailing zeros).
    fn behind_pixels(&self) -> &[u8] {
        let Some(pixels) = &self.pixels else { return &[] };
        let rest = &self.dataset[self.pixels_end(pixels)..];
        let padding = rest.iter().all(|byte| *byte == 0) || rest.starts_with(&[0xFC, 0xFF, 0xFC, 0xFF]);
        if padding { &[] } else { rest }
    }
}

#[derive(Default)]
struct Collect {
    elements: BTreeMap<Key, Vec<u8>>,
}

impl Visit for Collect {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let tag = element.tag;
        // Group lengths, Length to End, and offset tables tell of the encoding.
        if tag.element() == 0 || tag == Tag(0x0008, 0x0001) || tag.group() == 0x7FE0 {
            return;
        }
        let path = path.iter().map(|step| (step.sequence, step.item)).collect();
        self.elements.insert((path, tag), value_of(element));
    }

    fn skipped(&mut self, sequence: Tag) {
        // What cannot be read equals only what cannot be read at the same place.
        self.elements.insert((Vec::new(), sequence), b"unreadable".to_vec());
    }
}

/// A value without padding, numbers little endian.
fn value_of(element: Element<'_>) -> Vec<u8> {
    let width = match element.vr {
        VR::US | VR::SS | VR::OW | VR::AT => 2,
        VR::UL | VR::SL | VR::FL | VR::OF | VR::OL => 4,
        VR::FD | VR::OD | VR::SV | VR::UV | VR::OV => 8,
        _ => 1,
    };
    let mut value = element.value.to_vec();
    if element.encoding.big_endian && width > 1 {
        value.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    if width == 1 && element.vr != VR::OB {
        while matches!(value.last(), Some(0 | b' ')) {
            value.pop();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part10;

    /// A data set in Explicit VR Little Endian, or Implicit.
    fn file(explicit: bool, elements: &[(u16, u16, &[u8; 2], &[u8])]) -> Vec<u8> {
        let syntax = if explicit { "1.2.840.10008.1.2.1" } else { "1.2.840.10008.1.2" };
        let mut bytes = part10::file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4", syntax);
        for (group, element, vr, value) in elements {
            bytes.extend_from_slice(&group.to_le_bytes());
            bytes.extend_from_slice(&element.to_le_bytes());
            let length = value.len() as u32;
            if explicit {
                bytes.extend_from_slice(*vr);
                if matches!(*vr, b"OW" | b"OB" | b"UN" | b"SQ") {
                    bytes.extend_from_slice(&[0, 0]);
                    bytes.extend_from_slice(&length.to_le_bytes());
                } else {
                    bytes.extend_from_slice(&(length as u16).to_le_bytes());
                }
            } else {
                bytes.extend_from_slice(&length.to_le_bytes());
            }
            bytes.extend_from_slice(value);
        }
        bytes
    }

    fn image(explicit: bool, patient: &[u8], rows: u8, pixels: &[u8]) -> Vec<u8> {
        file(
            explicit,
            &[
                (0x0008, 0x0018, b"UI", b"1.2.3.4\0"),
                (0x0010, 0x0020, b"LO", patient),
                (0x0028, 0x0002, b"US", &[1, 0]),
                (0x0028, 0x0004, b"CS", b"MONOCHROME2 "),
                (0x0028, 0x0010, b"US", &[rows, 0]),
                (0x0028, 0x0011, b"US", &[2, 0]),
                (0x0028, 0x0100, b"US", &[16, 0]),
                (0x0028, 0x0101, b"US", &[16, 0]),
                (0x0028, 0x0102, b"US", &[15, 0]),
                (0x0028, 0x0103, b"US", &[0, 0]),
                (0x7FE0, 0x0010, b"OW", pixels),
            ],
        )
    }

    const PIXELS: &[u8] = &[1, 0, 2, 0, 3, 0, 4, 0];

    #[test]
    fn another_encoding_of_the_same_is_the_same() {
        let (one, other) = (image(true, b"0012", 2, PIXELS), image(false, b"0012", 2, PIXELS));
        assert_eq!(compare(&one, &other), Ok(Compared::Same));
        assert_eq!(compare(&one, &image(true, b"0012  ", 2, PIXELS)), Ok(Compared::Same), "padding is no value");
    }

    #[test]
    fn another_header_is_named_and_other_pixels_are_told_apart() {
        let one = image(true, b"0012", 2, PIXELS);
        let named = |tag: &str| vec![tag.to_owned()];
        assert_eq!(compare(&one, &image(true, b"0021", 2, PIXELS)), Ok(Compared::Header(named("00100020"))));
        assert_eq!(compare(&one, &image(false, b"0021", 2, PIXELS)), Ok(Compared::Header(named("00100020"))));
        let other = [9, 0, 2, 0, 3, 0, 4, 0];
        assert_eq!(compare(&one, &image(true, b"0012", 2, &other)), Ok(Compared::Pixels(Vec::new())));
        assert_eq!(compare(&one, &image(false, b"0012", 2, &other)), Ok(Compared::Pixels(Vec::new())));
        assert_eq!(compare(&one, &image(true, b"0012", 1, PIXELS)), Ok(Compared::Pixels(named("00280010"))));
    }

    #[test]
    fn an_object_without_pixels_is_its_content() {
        let report = |patient: &[u8], text: &[u8]| {
            file(
                true,
                &[
                    (0x0008, 0x0018, b"UI", b"1.2.3.4\0"),
                    (0x0010, 0x0020, b"LO", patient),
                    (0x0042, 0x0011, b"OB", text),
                ],
            )
        };
        let one = report(b"0012", b"%PDF");
        assert_eq!(compare(&one, &report(b"0021", b"%PDF")), Ok(Compared::Header(vec!["00100020".to_owned()])));
        assert_eq!(compare(&one, &report(b"0012", b"%PDX")), Ok(Compared::Pixels(vec!["00420011".to_owned()])));
    }

    #[test]
    fn two_objects_too_large_to_be_compared_are_for_a_person() {
        let large = vec![0; MOST + 1];
        assert_eq!(compare(&large, &large), Ok(Compared::Pixels(Vec::new())));
    }
}
