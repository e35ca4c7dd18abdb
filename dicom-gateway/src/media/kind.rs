//! What a file is, from its bytes; the name only helps where bytes do not.

use crate::header::element::Encoding;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Part 10 file.
    Dicom,
    /// A DICOM object without preamble or without file meta information, which
    /// [`super::normalise`] makes whole.
    BareDicom,
    /// The directory of a medium. Not an image; its files come by themselves.
    DicomDir,
    /// A ZIP.
    Zip,
    /// A PDF, perhaps a request form.
    Pdf,
    /// A JPEG, perhaps a photographed request form.
    Jpeg,
    /// A PNG.
    Png,
    /// Anything else: viewers, autorun files, thumbnails of a CD.
    Other,
}

/// SOP class of a DICOMDIR.
const MEDIA_DIRECTORY: &[u8] = b"1.2.840.10008.1.3.10";

/// Tells what a file is from at least its first 1,024 bytes.
pub fn classify(name: &str, bytes: &[u8]) -> Kind {
    let is = |magic: &[u8]| bytes.starts_with(magic);
    if bytes.get(128..132) == Some(b"DICM") || is(b"DICM") {
        return directory_or(name, bytes, if is(b"DICM") { Kind::BareDicom } else { Kind::Dicom });
    }
    if is(b"PK\x03\x04") || is(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if is(b"%PDF-") {
        return Kind::Pdf;
    }
    if is(&[0xFF, 0xD8, 0xFF]) {
        return Kind::Jpeg;
    }
    if is(b"\x89PNG\r\n\x1a\n") {
        return Kind::Png;
    }
    if bare(bytes) { directory_or(name, bytes, Kind::BareDicom) } else { Kind::Other }
}

fn directory_or(name: &str, bytes: &[u8], kind: Kind) -> Kind {
    let start = &bytes[..bytes.len().min(1024)];
    let said = start.windows(MEDIA_DIRECTORY.len()).any(|window| window == MEDIA_DIRECTORY);
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    if said || file.eq_ignore_ascii_case("DICOMDIR") { Kind::DicomDir } else { kind }
}

/// Whether the first element is one that begins a data set: group 0002 or 0008,
/// with a VR, or implicit with a small length and an element that exists there.
fn bare(bytes: &[u8]) -> bool {
    let Some(encoding) = Encoding::seen(bytes) else { return false };
    let &[a, b, c, d, e, f, g, h, ..] = bytes else { return false };
    let group = encoding.u16([a, b]);
    if encoding.explicit {
        return matches!(group, 0x0002 | 0x0008);
    }
    let (element, length) = (encoding.u16([c, d]), encoding.u32([e, f, g, h]));
    matches!((group, element), (0x0002, 0x0000..=0x0002) | (0x0008, 0x0000..=0x0018)) && length <= 128
}
