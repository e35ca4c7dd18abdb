//! From a picture's own unit to stored values.

use super::{Series, Technique};
use crate::phantom::Raster;

/// Stored values of one instance and how they are to be understood.
pub(super) struct Stored {
    pub columns: u16,
    pub rows: u16,
    pub frames: usize,
    pub bits_stored: u16,
    pub values: Vec<u16>,
}

/// CT stores HU + 1024 in 12 bits (RescaleIntercept -1024); everything else stores its own unit in 12 bits; MONOCHROME1 is turned over.
pub(super) fn store(raster: &Raster, series: &Series) -> Stored {
    let shift = if matches!(series.technique, Technique::Ct { .. }) { 1024.0 } else { 0.0 };
    // The NM image module allows 8 or 16 bits only (PS3.3 C.8.4.8).
    let bits_stored = if series.technique == Technique::Nuclear { 16 } else { 12 };
    let values = raster
        .values
        .iter()
        .map(|value| {
            let stored = (value + shift).round().clamp(0.0, 4095.0) as u16;
            if series.monochrome1 { 4095 - stored } else { stored }
        })
        .collect();
    Stored { columns: raster.columns as u16, rows: raster.rows as u16, frames: raster.frames, bits_stored, values }
}
