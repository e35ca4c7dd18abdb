//! JPEG baseline, extended (8 bit) and lossless, and the markers of JPEG-LS.

use jpeg_decoder::{ColorTransform, Decoder};

use super::RenderError;
use super::format::Format;
use super::samples::{Decoded, Samples};

/// What a JPEG or JPEG-LS stream says of itself before its first scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marker {
    pub rows: usize,
    pub cols: usize,
    pub components: usize,
    pub precision: u8,
    /// JPEG-LS: 0 by plane, 1 by line, 2 by sample.
    pub interleave: u8,
    /// Second byte of the frame marker (C0 baseline, C3 lossless, F7 JPEG-LS).
    process: u8,
    /// The transform of an Adobe APP14 segment.
    adobe: Option<u8>,
    jfif: bool,
    named_rgb: bool,
}

impl Marker {
    /// Reads up to the first scan. `None` if the stream is not of this family.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut marker = Self::default();
        let mut at = 2;
        if !bytes.starts_with(&[0xFF, 0xD8]) {
            return None;
        }
        loop {
            if *bytes.get(at)? != 0xFF {
                return None;
            }
            let code = *bytes.get(at + 1)?;
            if code == 0xFF {
                at += 1;
                continue;
            }
            let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
            let body = bytes.get(at + 4..(at + 2).checked_add(length)?)?;
            match code {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xF7 => marker.frame(code, body)?,
                0xE0 => marker.jfif |= body.starts_with(b"JFIF\0"),
                0xEE if body.starts_with(b"Adobe") => marker.adobe = body.get(11).copied(),
                0xDA => {
                    marker.interleave = body.len().checked_sub(2).and_then(|i| body.get(i)).copied()?;
                    return (marker.components > 0).then_some(marker);
                }
                _ => {}
            }
            at += 2 + length;
        }
    }

    fn frame(&mut self, code: u8, body: &[u8]) -> Option<()> {
        let [precision, r0, r1, c0, c1, components, ..] = *body else { return None };
        self.process = code;
        self.precision = precision;
        self.rows = usize::from(u16::from_be_bytes([r0, r1]));
        self.cols = usize::from(u16::from_be_bytes([c0, c1]));
        self.components = usize::from(components);
        let names: Vec<u8> = body[6..].iter().step_by(3).take(self.components).copied().collect();
        self.named_rgb = names == *b"RGB";
        Some(())
    }

    /// Whether the decoder knows this process.
    pub fn decodable(&self) -> Result<(), RenderError> {
        match (self.process, self.precision) {
            (0xC0..=0xC2, 8) | (0xC3, 2..=16) => Ok(()),
            (0xC0..=0xC2, 12) => Err(RenderError::Coding("12-bit JPEG Extended")),
            (0xC9..=0xCB, _) => Err(RenderError::Coding("arithmetic JPEG")),
            _ => Err(RenderError::Coding("an uncommon JPEG process")),
        }
    }

    /// Whether the samples are YCbCr: what the stream says (Adobe, component
    /// names, JFIF), else what the object says.
    fn is_ybr(&self, photometric: &str) -> bool {
        match self.adobe {
            Some(transform) => transform == 1,
            None if self.named_rgb || self.process == 0xC3 => photometric.starts_with("YBR"),
            None => self.jfif || photometric.starts_with("YBR"),
        }
    }
}

pub(super) fn decode(bytes: &[u8], format: &Format) -> Result<Decoded, RenderError> {
    let marker = Marker::read(bytes).ok_or(RenderError::Damaged)?;
    marker.decodable()?;
    if marker.components != format.samples_per_pixel {
        return Err(RenderError::Damaged);
    }
    let mut decoder = Decoder::new(bytes);
    if marker.components == 3 {
        let ybr = marker.is_ybr(&format.photometric);
        decoder.set_color_transform(if ybr { ColorTransform::YCbCr } else { ColorTransform::RGB });
    }
    decoder.set_max_decoding_buffer_size(super::MAX_FRAME_BYTES);
    let decoded = decoder.decode().map_err(|_| RenderError::Damaged)?;
    // Deeper samples come as pairs of bytes in the machine's own order.
    let samples = if marker.precision > 8 {
        Samples::Sixteen(decoded.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect())
    } else {
        Samples::Eight(decoded)
    };
    Ok(Decoded { samples, is_rgb: marker.components == 3 })
}
