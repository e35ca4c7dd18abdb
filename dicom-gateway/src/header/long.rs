//! The header of an object that is too long for memory.
//!
//! Its top-level elements are stepped over from head to head; what is short is taken together with the head of the pixel
//! data, what is long and nobody here asks for is left out. That is then read like any other data set. Memory is bounded
//! by [`MAX_HEADER`], whatever the object's length.

use std::io;

use dicom_core::{Tag, VR};

use super::collect;
use super::element::{self, Encoding, Head, UNDEFINED};
use super::instance::{InstanceHeader, Oddity};
use super::{HeaderError, MAX_DEPTH};

/// Most bytes of a header that are taken into memory.
pub const MAX_HEADER: usize = 64 << 20;
/// Values at the top level longer than this are left out: no text that is read here is as long.
const LONG_VALUE: u64 = 1 << 20;
/// Bytes read at once.
const WINDOW: usize = 64 << 10;

/// Bytes that can be read anywhere.
pub trait ReadAt {
    /// Bytes in all.
    fn size(&self) -> u64;
    /// Fills `bytes` from `at`.
    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;
}

/// Reads the header of a data set in this transfer syntax. Offsets in it are the data set's.
///
/// # Errors
/// The outer error is the disk's, the inner one the object's.
pub fn read_long(dataset: &dyn ReadAt, transfer_syntax: &str) -> io::Result<Result<InstanceHeader, HeaderError>> {
    if transfer_syntax == collect::DEFLATED {
        return Ok(collect::read_deflated(From { dataset, at: 0 }, transfer_syntax));
    }
    let mut window = Window { dataset, at: 0, bytes: Vec::new() };
    let encoding = Encoding::of(transfer_syntax, window.get(0)?);
    let found = match find(&mut window, encoding)? {
        Ok(found) => found,
        // A structure that cannot be stepped over: the reader says what is wrong with it.
        Err(()) => {
            let start = 0..dataset.size().min(MAX_HEADER as u64);
            Found { header: Vec::from([start]), pixels: None, cut_off: false }
        }
    };
    let mut header = Vec::new();
    for range in &found.header {
        let from = header.len();
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        if length > MAX_HEADER - from {
            return Ok(Err(HeaderError::HeaderTooLarge));
        }
        header.resize(from + length, 0);
        dataset.read_exact_at(&mut header[from..], range.start)?;
    }
    Ok(collect::read(&header, transfer_syntax).map(|mut read| {
        read.oddities.retain(|oddity| *oddity != Oddity::PixelDataTruncated);
        if found.cut_off {
            read.oddities.push(Oddity::PixelDataTruncated);
        }
        if let (Some(pixels), Some(value_at)) = (&mut read.pixels, found.pixels) {
            pixels.value_at = usize::try_from(value_at).unwrap_or(usize::MAX);
        }
        read
    }))
}

/// The parts of a data set that make its header.
struct Found {
    header: Vec<std::ops::Range<u64>>,
    /// Where the pixel data's value begins.
    pixels: Option<u64>,
    /// The pixel data ends early.
    cut_off: bool,
}

fn find(window: &mut Window<'_>, encoding: Encoding) -> io::Result<Result<Found, ()>> {
    let size = window.dataset.size();
    let mut found = Found { header: Vec::new(), pixels: None, cut_off: false };
    let (mut from, mut at) = (0, 0);
    while at < size {
        let Some(head) = element::head(window.get(at)?, encoding) else { return Ok(Err(())) };
        let value_at = at + head.size as u64;
        if head.tag.group() == 0x7FE0 && matches!(head.tag.element(), 0x0008..=0x0010) {
            found.header.push(from..value_at);
            found.pixels = Some(value_at);
            found.cut_off = match head.length {
                UNDEFINED => skip_nested(window, value_at, Encoding::EXPLICIT)?.is_none(),
                length => value_at + u64::from(length) > size,
            };
            return Ok(Ok(found));
        }
        let end = match (head.length, head.vr) {
            (UNDEFINED, VR::UN) if encoding.explicit => skip_nested(window, value_at, Encoding::IMPLICIT)?,
            (UNDEFINED, _) => skip_nested(window, value_at, encoding)?,
            (length, _) => Some(value_at + u64::from(length)),
        };
        let Some(end) = end.filter(|end| *end <= size) else { return Ok(Err(())) };
        if head.length != UNDEFINED && u64::from(head.length) > LONG_VALUE && head.vr != VR::SQ {
            found.header.push(from..at);
            from = end;
        }
        at = end;
    }
    found.header.push(from..size);
    Ok(Ok(found))
}

/// The end of a value of undefined length that begins at `at`; `None` if it is cut off or broken.
fn skip_nested(window: &mut Window<'_>, mut at: u64, encoding: Encoding) -> io::Result<Option<u64>> {
    let mut levels = vec![encoding];
    while let Some(&encoding) = levels.last() {
        let Some(Head { tag, vr, length, size }) = element::head(window.get(at)?, encoding) else { return Ok(None) };
        at += size as u64;
        match (tag, length) {
            (Tag(0xFFFE, 0xE0DD | 0xE00D), _) => {
                levels.pop();
            }
            (_, UNDEFINED) => {
                let inner = if vr == VR::UN && encoding.explicit && tag.group() != 0xFFFE {
                    Encoding::IMPLICIT
                } else {
                    encoding
                };
                levels.push(inner);
                if levels.len() > 2 * MAX_DEPTH {
                    return Ok(None);
                }
            }
            (_, length) => at += u64::from(length),
        }
    }
    Ok((at <= window.dataset.size()).then_some(at))
}

/// Some bytes of the data set.
struct Window<'a> {
    dataset: &'a dyn ReadAt,
    at: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The bytes from `at`: as many as an element's head takes, and fewer only at the end.
    fn get(&mut self, at: u64) -> io::Result<&[u8]> {
        let size = self.dataset.size();
        let held = at >= self.at && at + 16 <= self.at + self.bytes.len() as u64;
        if !held {
            let length = usize::try_from(size.saturating_sub(at)).unwrap_or(WINDOW).min(WINDOW);
            self.bytes.resize(length, 0);
            self.at = at;
            if length > 0 {
                self.dataset.read_exact_at(&mut self.bytes, at)?;
            }
        }
        Ok(&self.bytes[usize::try_from(at - self.at).unwrap_or(0)..])
    }
}

/// Reads on from somewhere.
struct From<'a> {
    dataset: &'a dyn ReadAt,
    at: u64,
}

impl io::Read for From<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.dataset.size().saturating_sub(self.at);
        let part = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.dataset.read_exact_at(&mut bytes[..part], self.at)?;
        self.at += part as u64;
        Ok(part)
    }
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let from = usize::try_from(at).unwrap_or(usize::MAX);
        let part = from.checked_add(bytes.len()).and_then(|end| self.get(from..end));
        bytes.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &[u8] = b"1.2.840.10008.5.1.4.1.1.2\0";

    fn element(tag: (u16, u16), vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
        bytes.extend_from_slice(vr);
        if matches!(vr, b"OB" | b"OW" | b"SQ" | b"UN") {
            bytes.extend_from_slice(&[0, 0]);
            bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        } else {
            bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
        }
        [bytes, value.to_vec()].concat()
    }

    fn header() -> Vec<u8> {
        [
            element((0x0008, 0x0016), b"UI", CT),
            element((0x0008, 0x0018), b"UI", b"1.2.3.4\0"),
            element((0x0010, 0x0020), b"LO", b"P1"),
            element((0x0020, 0x000D), b"UI", b"1.2.3\0"),
            element((0x0020, 0x000E), b"UI", b"1.2.3.1\0"),
        ]
        .concat()
    }

    /// Both readers agree, but for what is behind the pixels.
    fn agree(dataset: &[u8], syntax: &str) -> Result<InstanceHeader, HeaderError> {
        let long = read_long(&dataset, syntax).unwrap();
        assert_eq!(long, super::super::read_dataset(dataset, syntax));
        long
    }

    #[test]
    fn a_long_object_is_read_as_a_short_one_is() {
        let explicit = "1.2.840.10008.1.2.1";
        let native = [header(), element((0x7FE0, 0x0010), b"OW", &[7; 100_000])].concat();
        assert!(agree(&native, explicit).unwrap().pixels.is_some());
        let cut = &native[..native.len() - 1];
        assert!(agree(cut, explicit).unwrap().oddities.contains(&Oddity::PixelDataTruncated));
        let fragments = [
            &[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0, 4, 0, 0, 0, 1, 2, 3, 4],
            &[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0],
        ]
        .concat();
        let encapsulated = [header(), fragments].concat();
        assert_eq!(agree(&encapsulated, "1.2.840.10008.1.2.4.90").unwrap().pixels.unwrap().length, None);
        let cut = &encapsulated[..encapsulated.len() - 8];
        assert!(agree(cut, "1.2.840.10008.1.2.4.90").unwrap().oddities.contains(&Oddity::PixelDataTruncated));
        // Without pixels, with sequences, one of undefined length with an item of such a length.
        let nested = [
            &[0x40, 0x00, 0x75, 0x02, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF],
            &element((0x0040, 0x1001), b"SH", b"RP"),
            &[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0],
        ]
        .concat();
        let document = [header(), nested, element((0x0042, 0x0011), b"OB", &[1; 50])].concat();
        assert_eq!(agree(&document, explicit).unwrap().request.procedure_id, "RP");
        assert!(agree(&header()[..40], explicit).is_err());
        assert!(agree(b"nothing of the kind, only some letters", explicit).is_err());
    }

    #[test]
    fn a_long_value_before_the_pixels_is_left_out() {
        let long = vec![5; 3 << 20];
        let dataset = [
            header(),
            element((0x0021, 0x1001), b"OB", &long),
            element((0x0028, 0x0010), b"US", &[0, 2]),
            element((0x7FE0, 0x0010), b"OW", &long),
        ]
        .concat();
        let read = agree(&dataset, "1.2.840.10008.1.2.1").unwrap();
        assert_eq!(read.image.rows, Some(512));
        assert_eq!(read.pixels.unwrap().value_at, dataset.len() - long.len());
    }
}
