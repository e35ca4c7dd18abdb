//! Decodes one compressed frame, after its own header was compared with the
//! object's attributes.

use super::RenderError;
use super::format::Format;
use super::jpeg::{self, Marker};
use super::rle;
use super::samples::{Decoded, Samples};

/// Below this a frame is decoded however well it was compressed.
const SMALL_FRAME: usize = 64 << 20;
/// Above it, most decoded bytes per compressed byte. Blank slices reach hundreds.
const MAX_RATIO: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Native,
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
}

/// The codec of a transfer syntax, if there is a decoder (PS3.5 A.4).
pub(super) fn codec_of(transfer_syntax: &str) -> Option<Codec> {
    Some(match transfer_syntax.strip_prefix("1.2.840.10008.1.2").unwrap_or(transfer_syntax) {
        "" | ".1" | ".2" | ".1.99" | "1.2.840.113619.5.2" => Codec::Native,
        ".5" => Codec::Rle,
        ".4.50" | ".4.51" | ".4.57" | ".4.70" => Codec::Jpeg,
        ".4.80" | ".4.81" => Codec::JpegLs,
        // Parts 1 and 2 of JPEG 2000 and high-throughput JPEG 2000.
        ".4.90" | ".4.91" | ".4.92" | ".4.93" | ".4.201" | ".4.202" | ".4.203" => Codec::Jpeg2000,
        _ => return None,
    })
}

pub(super) fn decode(transfer_syntax: &str, format: &Format, bytes: &[u8]) -> Result<Decoded, RenderError> {
    let codec = check(transfer_syntax, format, bytes)?;
    match codec {
        Codec::Rle => {
            let samples = rle::decode(bytes, format)?;
            Ok(Decoded { samples, is_rgb: false })
        }
        Codec::Jpeg => jpeg::decode(bytes, format),
        Codec::JpegLs => jpeg_ls(bytes, format),
        Codec::Jpeg2000 => jpeg_2000(bytes, format),
        Codec::Native => Err(RenderError::Coding("encapsulated pixels in a native transfer syntax")),
    }
}

/// Whether this frame can be decoded, judged by its header alone.
pub(super) fn check(transfer_syntax: &str, format: &Format, bytes: &[u8]) -> Result<Codec, RenderError> {
    let codec = codec_of(transfer_syntax).ok_or_else(|| RenderError::TransferSyntax(transfer_syntax.to_owned()))?;
    if format.bits_allocated == 1 {
        return Err(RenderError::Coding("compressed 1-bit pixels"));
    }
    let size = format.frame_bytes()?;
    let (rows, cols, components) = match codec {
        Codec::Native => return Ok(codec),
        // PackBits turns two bytes into at most 128.
        Codec::Rle if size / 64 > bytes.len() => return Err(RenderError::Implausible),
        Codec::Rle => return Ok(codec),
        Codec::Jpeg | Codec::JpegLs => {
            let marker = Marker::read(bytes).ok_or(RenderError::Damaged)?;
            if codec == Codec::Jpeg {
                marker.decodable()?;
            }
            (marker.rows, marker.cols, marker.components)
        }
        Codec::Jpeg2000 => siz(bytes).ok_or(RenderError::Damaged)?,
    };
    if (rows, cols) != (format.rows, format.cols) || components < format.samples_per_pixel || components > 4 {
        return Err(RenderError::Implausible);
    }
    if format.bits_allocated > 16 {
        return Err(RenderError::Coding("compressed pixels of more than 16 bits"));
    }
    if size > SMALL_FRAME && size / MAX_RATIO > bytes.len() {
        return Err(RenderError::Implausible);
    }
    Ok(codec)
}

fn jpeg_ls(bytes: &[u8], format: &Format) -> Result<Decoded, RenderError> {
    let marker = Marker::read(bytes).ok_or(RenderError::Damaged)?;
    let decoded = charls::CharLS::default().decode(bytes).map_err(|_| RenderError::Damaged)?;
    let samples = Samples::from_bytes(&decoded, if marker.precision > 8 { 16 } else { 8 }, false);
    // Interleave mode "none" comes out plane by plane.
    let samples = if marker.interleave == 0 { samples.interleave(format.samples_per_pixel) } else { samples };
    Ok(Decoded { samples, is_rgb: false })
}

fn jpeg_2000(bytes: &[u8], format: &Format) -> Result<Decoded, RenderError> {
    let image = jpeg2k::Image::from_bytes(bytes).map_err(|_| RenderError::Damaged)?;
    let components = image.components().get(..format.samples_per_pixel).ok_or(RenderError::Damaged)?;
    let planes: Vec<&[i32]> = components.iter().map(|component| component.data()).collect();
    if planes.iter().any(|plane| plane.len() != format.pixels()) {
        return Err(RenderError::Coding("subsampled JPEG 2000 components"));
    }
    let first = components.first().ok_or(RenderError::Damaged)?;
    let (precision, signed) = (first.precision().clamp(1, 31), first.is_signed());
    // Where codestream and object disagree about the sign, the object is right
    // about the meaning and the codestream about the width.
    let sign = 1_i32 << (precision - 1);
    let value = |sample: i32| match (signed, format.signed) {
        (false, true) if sample & sign != 0 => sample | !(sign - 1),
        (true, false) => sample & ((sign - 1) | sign),
        _ => sample,
    };
    let words = (0..format.pixels()).flat_map(|at| planes.iter().map(move |plane| value(plane[at])));
    let samples = if format.bits_allocated <= 8 {
        Samples::Eight(words.map(|word| word as u8).collect())
    } else {
        Samples::Sixteen(words.map(|word| word as u16).collect())
    };
    // The decoder undoes the component transform that YBR_RCT and YBR_ICT name.
    Ok(Decoded { samples, is_rgb: matches!(format.photometric.as_str(), "YBR_RCT" | "YBR_ICT") })
}

/// Rows, columns and components of a JPEG 2000 codestream, raw or in a JP2 box
/// (ISO 15444-1 A.5.1).
fn siz(bytes: &[u8]) -> Option<(usize, usize, usize)> {
    let start = [0xFF, 0x4F, 0xFF, 0x51];
    let at = bytes.get(..bytes.len().min(4096))?.windows(4).position(|window| window == start)?;
    let body = bytes.get(at + 4..)?;
    let word = |offset: usize| Some(u32::from_be_bytes(body.get(offset..offset + 4)?.try_into().ok()?));
    let cols = word(4)?.checked_sub(word(12)?)?;
    let rows = word(8)?.checked_sub(word(16)?)?;
    let components = u16::from_be_bytes([*body.get(36)?, *body.get(37)?]);
    Some((rows as usize, cols as usize, usize::from(components)))
}
