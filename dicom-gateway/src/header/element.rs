//! One data element's head: tag, VR and length, in each encoding.

use dicom_core::{
    Tag, VR,
    dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr},
};
use dicom_dictionary_std::StandardDataDictionary;

/// The length that means "until the delimiter".
pub(crate) const UNDEFINED: u32 = u32::MAX;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub explicit: bool,
    pub big_endian: bool,
}

impl Encoding {
    pub const IMPLICIT: Self = Self { explicit: false, big_endian: false };
    pub const EXPLICIT: Self = Self { explicit: true, big_endian: false };
    pub const BIG: Self = Self { explicit: true, big_endian: true };

    /// The encoding that a transfer syntax stands for.
    pub fn declared(transfer_syntax: &str) -> Self {
        match transfer_syntax {
            // Implicit, and GE's private variant with big endian pixels.
            "1.2.840.10008.1.2" | "1.2.840.113619.5.2" => Self::IMPLICIT,
            "1.2.840.10008.1.2.2" => Self::BIG,
            _ => Self::EXPLICIT,
        }
    }

    /// The declared encoding, or the bytes' own word where they contradict it.
    pub fn of(transfer_syntax: &str, dataset: &[u8]) -> Self {
        Self::seen(dataset).unwrap_or(Self::declared(transfer_syntax))
    }

    /// What the first element looks like. `None` if it looks like neither.
    pub fn seen(dataset: &[u8]) -> Option<Self> {
        let [g0, g1, _, _, v0, v1, ..] = *dataset else { return None };
        let explicit = known(v0, v1).is_some();
        match (g0, g1) {
            // Groups 0002 to 0010 begin a data set; BE shows them swapped.
            (0x00, 0x02..=0x20) if explicit => Some(Self::BIG),
            (0x02..=0x20, 0x00) if explicit => Some(Self::EXPLICIT),
            (0x02..=0x20, 0x00) => Some(Self::IMPLICIT),
            _ => None,
        }
    }

    /// Whether the bytes of a VR stand where an explicit element has them.
    pub fn seen_vr(rest: &[u8]) -> bool {
        matches!(*rest, [_, _, _, _, first, second, ..] if known(first, second).is_some())
    }

    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// A data element's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub tag: Tag,
    pub vr: VR,
    pub length: u32,
    /// Bytes of the head itself: 8 or 12.
    pub size: usize,
}

/// Reads the head at the start of `rest`; `None` if too few bytes are left.
pub(crate) fn head(rest: &[u8], encoding: Encoding) -> Option<Head> {
    let [a, b, c, d, e, f, g, h, ..] = *rest else { return None };
    let tag = Tag(encoding.u16([a, b]), encoding.u16([c, d]));
    let implicit = |vr| Head { tag, vr, length: encoding.u32([e, f, g, h]), size: 8 };
    if tag.group() == 0xFFFE {
        return Some(implicit(VR::UN));
    }
    if !encoding.explicit {
        return Some(implicit(dictionary_vr(tag)));
    }
    let short = |vr| Head { tag, vr, length: u32::from(encoding.u16([g, h])), size: 8 };
    let long = |vr| match *rest {
        [_, _, _, _, _, _, _, _, i, j, k, l, ..] => {
            Some(Head { tag, vr, length: encoding.u32([i, j, k, l]), size: 12 })
        }
        _ => None,
    };
    match known(e, f) {
        Some(vr) if is_long(vr) => long(vr),
        Some(vr) => Some(short(vr)),
        // A VR of the future has the long form (PS3.5 7.1.2).
        None if e.is_ascii_uppercase() && f.is_ascii_uppercase() && (g, h) == (0, 0) => long(VR::UN),
        None => {
            // Not a VR at all: an implicit element inside an explicit object, or
            // a broken VR with a sound length. What fits is believed.
            let (implicit, short) = (implicit(dictionary_vr(tag)), short(dictionary_vr(tag)));
            let fits = implicit.length as usize <= rest.len() - 8 || implicit.length == UNDEFINED;
            Some(if fits { implicit } else { short })
        }
    }
}

fn known(first: u8, second: u8) -> Option<VR> {
    VR::from_binary([first, second])
}

pub(crate) fn is_long(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}

fn dictionary_vr(tag: Tag) -> VR {
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Whether an element is US or SS, as Pixel Representation says.
pub(crate) fn is_us_or_ss(tag: Tag) -> bool {
    StandardDataDictionary.by_tag(tag).is_some_and(|entry| entry.vr() == VirtualVr::Xs)
}
