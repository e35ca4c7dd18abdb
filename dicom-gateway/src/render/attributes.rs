//! The attributes that a picture needs, gathered in one walk over the object.

use std::borrow::Cow;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{Excerpt, Image, RenderError};
use crate::charset::CharacterSets;
use crate::header::element::Encoding;
use crate::header::split_file;
use crate::header::value;
use crate::header::walk::{Element, Pixels, Step, Visit, walk};

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// GE's private implicit little endian with big endian pixels.
const GE_BIG_PIXELS: &str = "1.2.840.113619.5.2";
/// Most bytes that a deflated data set may grow to.
const MAX_INFLATED: u64 = 512 << 20;
/// Functional group, macro: nothing that is needed lies deeper.
const MAX_PATH: usize = 2;

const WANTED: &[Tag] = &[
    tags::SPECIFIC_CHARACTER_SET,
    tags::SOP_CLASS_UID,
    tags::CODE_MEANING,
    tags::PATIENT_ORIENTATION,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::LATERALITY,
    tags::IMAGE_LATERALITY,
    tags::FRAME_LATERALITY,
    tags::VIEW_POSITION,
    tags::IMAGER_PIXEL_SPACING,
    tags::NOMINAL_SCANNED_PIXEL_SPACING,
    tags::PIXEL_SPACING,
    tags::ROWS,
    tags::COLUMNS,
    tags::NUMBER_OF_FRAMES,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PLANAR_CONFIGURATION,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_PADDING_RANGE_LIMIT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
    tags::VOILUT_FUNCTION,
    tags::RESCALE_SLOPE,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_TYPE,
    tags::MODALITY_LUT_TYPE,
    tags::LUT_DESCRIPTOR,
    tags::LUT_DATA,
    tags::LUT_EXPLANATION,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::EXTENDED_OFFSET_TABLE,
];

struct Kept {
    path: Vec<Step>,
    tag: Tag,
    vr: VR,
    value: Vec<u8>,
    encoding: Encoding,
}

#[derive(Default)]
struct Gather {
    kept: Vec<Kept>,
    /// Repeating groups 60xx that carry Overlay Data, with their labels.
    overlays: Vec<(u16, Vec<u8>)>,
}

impl Visit for Gather {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let tag = element.tag;
        if path.is_empty() && (0x6000..0x6020).contains(&tag.group()) && tag.group().is_multiple_of(2) {
            self.overlay(element);
        }
        if path.len() <= MAX_PATH && WANTED.contains(&tag) {
            let Element { vr, value, encoding, .. } = element;
            self.kept.push(Kept { path: path.to_vec(), tag, vr, value: value.to_vec(), encoding });
        }
    }

    fn skipped(&mut self, _: Tag) {}
}

impl Gather {
    fn overlay(&mut self, element: Element<'_>) {
        let group = element.tag.group();
        let at = self.overlays.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
            self.overlays.push((group, Vec::new()));
            self.overlays.len() - 1
        });
        // Overlay Label, else Overlay Description.
        match element.tag.element() {
            0x1500 => self.overlays[at].1 = element.value.to_vec(),
            0x0022 if self.overlays[at].1.is_empty() => self.overlays[at].1 = element.value.to_vec(),
            _ => {}
        }
    }
}

/// An object, opened for drawing.
pub(super) struct File<'a> {
    pub dataset: Cow<'a, [u8]>,
    pub transfer_syntax: String,
    pub pixels: Option<Pixels>,
    pub pixels_big_endian: bool,
    pub sets: CharacterSets,
    /// The only frame, where not the whole object is at hand.
    pub excerpt: Option<&'a Excerpt>,
    gather: Gather,
}

impl<'a> File<'a> {
    pub fn open(image: Image<'a>) -> Result<Self, RenderError> {
        match image {
            Image::Whole(bytes) => Self::read(bytes),
            // Its frame is little endian already.
            Image::Frame(excerpt) => {
                Ok(Self { excerpt: Some(excerpt), pixels_big_endian: false, ..Self::read(&excerpt.head)? })
            }
        }
    }

    fn read(bytes: &'a [u8]) -> Result<Self, RenderError> {
        let parts = split_file(bytes)?;
        let body = &bytes[parts.dataset_at.min(bytes.len())..];
        let dataset = if parts.transfer_syntax == DEFLATED { Cow::Owned(inflate(body)?) } else { Cow::Borrowed(body) };
        let encoding = Encoding::of(&parts.transfer_syntax, &dataset);
        let mut gather = Gather::default();
        let walked = walk(&dataset, encoding, &mut gather)?;
        let mut file = Self {
            pixels_big_endian: encoding.big_endian || parts.transfer_syntax == GE_BIG_PIXELS,
            dataset,
            transfer_syntax: parts.transfer_syntax,
            pixels: walked.pixels,
            sets: CharacterSets::parse(b""),
            excerpt: None,
            gather,
        };
        let sets = file.top(tags::SPECIFIC_CHARACTER_SET).map(|element| CharacterSets::parse(element.value));
        if let Some(sets) = sets {
            file.sets = sets;
        }
        Ok(file)
    }

    /// An element at the top level.
    pub fn top(&self, tag: Tag) -> Option<Element<'_>> {
        self.at(&[], tag)
    }

    /// An element in the first item of a top-level sequence.
    pub fn inside(&self, sequence: Tag, item: usize, tag: Tag) -> Option<Element<'_>> {
        self.at(&[Step { sequence, item }], tag)
    }

    /// An element of a frame: from its own functional group, else the shared one,
    /// else the top level (PS3.3 C.7.6.16).
    pub fn of_frame(&self, frame: u32, group: Tag, tag: Tag) -> Option<Element<'_>> {
        let within = |sequence, item| {
            let path = [Step { sequence, item }, Step { sequence: group, item: 0 }];
            self.at(&path, tag)
        };
        within(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frame as usize)
            .or_else(|| within(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0))
            .or_else(|| self.top(tag))
    }

    fn at(&self, path: &[Step], tag: Tag) -> Option<Element<'_>> {
        let kept = self.gather.kept.iter().find(|kept| kept.tag == tag && kept.path == path)?;
        (!kept.value.is_empty()).then_some(Element { tag, vr: kept.vr, value: &kept.value, encoding: kept.encoding })
    }

    pub fn integer(&self, tag: Tag) -> Option<i64> {
        self.top(tag).and_then(|element| value::integer(&element))
    }

    pub fn code(&self, tag: Tag) -> String {
        self.top(tag).map(|element| value::ascii(&element)).unwrap_or_default()
    }

    pub fn text(&self, element: &Element<'_>) -> String {
        self.sets.first(element.value).trim().to_owned()
    }

    /// Names of the overlay planes, which are not drawn.
    pub fn overlays(&self) -> Vec<String> {
        let name = |(group, label): &(u16, Vec<u8>)| {
            let label = self.sets.first(label).trim().to_owned();
            if label.is_empty() { format!("{group:04X}") } else { label }
        };
        self.gather.overlays.iter().map(name).collect()
    }
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, RenderError> {
    use std::io::Read;
    let mut out = Vec::new();
    let read = flate2::read::DeflateDecoder::new(body).take(MAX_INFLATED + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() as u64 > MAX_INFLATED => Err(RenderError::Implausible),
        Ok(_) => Ok(out),
        // What came before the damage may still hold whole frames.
        Err(_) if !out.is_empty() => Ok(out),
        Err(_) => Err(RenderError::Unreadable(crate::header::HeaderError::Deflate)),
    }
}
