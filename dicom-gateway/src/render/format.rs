//! How pixels are laid out (PS3.3 C.7.6.3), checked before anything relies on it.

use dicom_dictionary_std::tags;

use super::RenderError;
use super::attributes::File;

/// Image Pixel attributes that fit one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub rows: usize,
    pub cols: usize,
    pub samples_per_pixel: usize,
    /// 1, 8, 16 or 32.
    pub bits_allocated: u32,
    /// 1 to `bits_allocated`.
    pub bits_stored: u32,
    /// How far stored bits lie above bit 0.
    pub shift: u32,
    pub signed: bool,
    pub planar: bool,
    /// Upper case, as PS3.3 C.7.6.3.1.2 writes it.
    pub photometric: String,
}

impl Format {
    pub fn read(file: &File<'_>) -> Result<Self, RenderError> {
        let unsigned = |tag| file.integer(tag).and_then(|value| u32::try_from(value).ok());
        let size = |tag, name| unsigned(tag).filter(|&value| value > 0).ok_or(RenderError::Attribute(name));
        let rows = size(tags::ROWS, "Rows")? as usize;
        let cols = size(tags::COLUMNS, "Columns")? as usize;
        let bits_allocated = size(tags::BITS_ALLOCATED, "Bits Allocated")?;
        let samples_per_pixel = unsigned(tags::SAMPLES_PER_PIXEL).unwrap_or(1) as usize;
        if !matches!(bits_allocated, 1 | 8 | 16 | 32) {
            return Err(RenderError::Attribute("Bits Allocated"));
        }
        if !matches!(samples_per_pixel, 1 | 3) || (bits_allocated == 1 && samples_per_pixel != 1) {
            return Err(RenderError::Attribute("Samples per Pixel"));
        }
        let bits_stored = unsigned(tags::BITS_STORED).unwrap_or(bits_allocated);
        if !(1..=bits_allocated).contains(&bits_stored) {
            return Err(RenderError::Attribute("Bits Stored"));
        }
        let high_bit = unsigned(tags::HIGH_BIT).unwrap_or(bits_stored - 1);
        if !(bits_stored - 1..bits_allocated).contains(&high_bit) {
            return Err(RenderError::Attribute("High Bit"));
        }
        let photometric = file.code(tags::PHOTOMETRIC_INTERPRETATION).to_ascii_uppercase();
        let fits = match photometric.as_str() {
            "MONOCHROME1" | "MONOCHROME2" | "PALETTE COLOR" => samples_per_pixel == 1,
            "RGB" | "YBR_FULL" | "YBR_FULL_422" | "YBR_RCT" | "YBR_ICT" | "YBR_PARTIAL_420" => samples_per_pixel == 3,
            _ => false,
        };
        if !fits {
            return Err(RenderError::Attribute("Photometric Interpretation"));
        }
        Ok(Self {
            rows,
            cols,
            samples_per_pixel,
            bits_allocated,
            bits_stored,
            shift: high_bit + 1 - bits_stored,
            signed: unsigned(tags::PIXEL_REPRESENTATION) == Some(1),
            planar: unsigned(tags::PLANAR_CONFIGURATION) == Some(1),
            photometric,
        })
    }

    pub fn is_grey(&self) -> bool {
        self.photometric.starts_with("MONOCHROME")
    }

    /// Pixels of a frame.
    pub fn pixels(&self) -> usize {
        self.rows * self.cols
    }

    /// Samples of a frame, all components.
    pub fn samples(&self) -> usize {
        self.pixels() * self.samples_per_pixel
    }

    /// Bytes of a decoded frame, if that is not beyond reason.
    pub fn frame_bytes(&self) -> Result<usize, RenderError> {
        let bytes = self.samples().checked_mul((self.bits_allocated as usize).div_ceil(8));
        bytes.filter(|&bytes| bytes <= super::MAX_FRAME_BYTES).ok_or(RenderError::Implausible)
    }

    /// The number that a raw word stands for: shifted, masked, sign extended.
    pub fn stored(&self, raw: u32) -> i64 {
        let value = u64::from(raw >> self.shift) & ((1_u64 << self.bits_stored) - 1);
        let sign = 1_u64 << (self.bits_stored - 1);
        if self.signed && value & sign != 0 {
            value.cast_signed() - (1_i64 << self.bits_stored)
        } else {
            value.cast_signed()
        }
    }

    /// Smallest and largest number that can be stored.
    pub fn range(&self) -> (i64, i64) {
        let span = 1_i64 << self.bits_stored;
        if self.signed { (-span / 2, span / 2 - 1) } else { (0, span - 1) }
    }
}
