//! Objects made by hand, element by element.
#![allow(dead_code, reason = "each test file is a crate of its own")]

use dokuei_dicom_gateway::part10::file_meta;

/// An explicit little endian element.
pub fn element(tag: u32, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = [((tag >> 16) as u16).to_le_bytes(), (tag as u16).to_le_bytes()].concat();
    out.extend_from_slice(vr);
    if matches!(vr, b"OW" | b"OB" | b"SQ") {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    } else {
        out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    }
    out.extend_from_slice(value);
    out
}

/// One unsigned short.
pub fn us(tag: u32, value: u16) -> Vec<u8> {
    element(tag, b"US", &value.to_le_bytes())
}

/// A grey image object; `extra` holds elements of tags above (0028,0103).
pub struct Image {
    pub syntax: &'static str,
    pub rows: u16,
    pub cols: u16,
    pub frames: &'static [u8],
    pub bits: u16,
    pub photometric: &'static [u8],
    pub signed: bool,
    pub extra: Vec<u8>,
    pub pixels: Vec<u8>,
}

impl Image {
    pub fn new(rows: u16, cols: u16, pixels: Vec<u8>) -> Self {
        Self {
            syntax: "1.2.840.10008.1.2.1",
            rows,
            cols,
            frames: b"1 ",
            bits: 16,
            photometric: b"MONOCHROME2 ",
            signed: false,
            extra: Vec::new(),
            pixels,
        }
    }

    pub fn file(&self) -> Vec<u8> {
        let mut file = file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3", self.syntax);
        for part in [
            us(0x0028_0002, 1),
            element(0x0028_0004, b"CS", self.photometric),
            element(0x0028_0008, b"IS", self.frames),
            us(0x0028_0010, self.rows),
            us(0x0028_0011, self.cols),
            us(0x0028_0100, self.bits),
            us(0x0028_0101, self.bits),
            us(0x0028_0102, self.bits.wrapping_sub(1)),
            us(0x0028_0103, u16::from(self.signed)),
            self.extra.clone(),
        ] {
            file.extend(part);
        }
        if self.syntax == "1.2.840.10008.1.2.1" {
            file.extend(element(0x7FE0_0010, b"OW", &self.pixels));
        } else {
            // An empty offset table, one fragment, the delimiter.
            file.extend_from_slice(&[0xE0, 0x7F, 0x10, 0, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
            file.extend_from_slice(&[0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0, 0xE0]);
            file.extend_from_slice(&(self.pixels.len() as u32).to_le_bytes());
            file.extend_from_slice(&self.pixels);
            file.extend_from_slice(&[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        }
        file
    }
}
