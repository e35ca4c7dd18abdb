//! Lookup tables: modality, VOI and palette (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

use dicom_core::VR;

use crate::header::walk::Element;

/// A table over stored or modality values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lut {
    /// Input that maps to the first entry; inputs outside are clamped.
    pub first: i64,
    /// Bits per entry, 8 to 16.
    pub bits: u32,
    pub entries: Vec<u16>,
}

impl Lut {
    /// `None` if descriptor and data do not fit one another.
    pub fn read(descriptor: &Element<'_>, data: &Element<'_>, signed_input: bool) -> Option<Self> {
        let (count, first, bits) = Self::descriptor(descriptor, signed_input)?;
        let words = words(data);
        let entries = if bits <= 8 && data.value.len() < 2 * count {
            // Two entries in each word, the first in the low byte.
            words.iter().flat_map(|word| word.to_le_bytes().map(u16::from)).take(count).collect::<Vec<_>>()
        } else {
            words.into_iter().take(count).collect()
        };
        (entries.len() == count).then_some(Self { first, bits, entries })
    }

    /// Entries (0 means 65,536), first input, bits.
    pub fn descriptor(descriptor: &Element<'_>, signed_input: bool) -> Option<(usize, i64, u32)> {
        let &[a, b, c, d, e, f, ..] = descriptor.value else { return None };
        let encoding = descriptor.encoding;
        let count = match encoding.u16([a, b]) {
            0 => 1 << 16,
            count => usize::from(count),
        };
        let first = encoding.u16([c, d]);
        let signed = signed_input || descriptor.vr == VR::SS;
        let first = if signed { i64::from(first.cast_signed()) } else { i64::from(first) };
        let bits = u32::from(encoding.u16([e, f]));
        (1..=16).contains(&bits).then_some((count, first, bits))
    }

    pub fn map(&self, input: i64) -> u16 {
        let last = self.entries.len() as i64 - 1;
        self.entries[(input - self.first).clamp(0, last) as usize]
    }

    /// The largest output that the bits allow.
    pub fn full(&self) -> f64 {
        f64::from((1_u32 << self.bits) - 1)
    }
}

pub(super) fn words(data: &Element<'_>) -> Vec<u16> {
    data.value.chunks_exact(2).map(|word| data.encoding.u16([word[0], word[1]])).collect()
}

/// Expands a segmented palette (PS3.3 C.7.9.2). `None` if it is not well formed
/// or yields more than `count` entries.
pub(super) fn expand_segments(data: &[u16], count: usize) -> Option<Vec<u16>> {
    let mut out = Vec::with_capacity(count);
    let mut at = 0;
    while at < data.len() && out.len() < count {
        at = match data[at] {
            // Indirect: n earlier segments again, found by a byte offset.
            2 => {
                let (again, low, high) = (*data.get(at + 1)?, *data.get(at + 2)?, *data.get(at + 3)?);
                let mut from = ((usize::from(high) << 16) | usize::from(low)) / 2;
                for _ in 0..again {
                    from = segment(data, from, count, &mut out)?;
                }
                at + 4
            }
            _ => segment(data, at, count, &mut out)?,
        };
    }
    (out.len() == count).then_some(out)
}

/// A discrete (0) or linear (1) segment; returns where the next one begins.
fn segment(data: &[u16], at: usize, count: usize, out: &mut Vec<u16>) -> Option<usize> {
    let length = usize::from(*data.get(at + 1)?);
    if out.len() + length > count {
        return None;
    }
    match *data.get(at)? {
        0 => {
            out.extend_from_slice(data.get(at + 2..at + 2 + length)?);
            Some(at + 2 + length)
        }
        1 => {
            let end = f64::from(*data.get(at + 2)?);
            let start = f64::from(*out.last()?);
            let step = |n: usize| (start + (end - start) * n as f64 / length as f64).round() as u16;
            out.extend((1..=length).map(step));
            Some(at + 3)
        }
        _ => None,
    }
}
