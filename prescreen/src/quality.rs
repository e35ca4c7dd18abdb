//! Is this radiograph worth sending? Measured from its pixels.
//!
//! For CR and DX: a blank plate, a clipped (over- or under-exposed) image, an image
//! whose photometric interpretation looks wrong. The measures are simple and their
//! limits are stated; they advise the technologist while the patient is still in the
//! room, and they never change a pixel.
//!
//! Brightness is relative: 0 is the darkest and 1 the brightest value *shown*
//! (MONOCHROME1 turned over), scaled from the lowest to the highest value in the image.

use dokuei_terms::Region;
use serde::{Deserialize, Serialize};

use crate::engine::{Image, Photometric};

/// Contrast below this share of the stored depth means that nothing was exposed.
const BLANK_CONTRAST: f64 = 0.01;
/// Entropy below this (bits of 8) means that nothing but a few grey levels is there.
const BLANK_ENTROPY_BITS: f64 = 1.0;
/// A larger share of the *inner* image at one end of the scale means that detail was lost there.
const CLIPPED_SHARE: f64 = 0.25;
/// How much darker than the lungs the mediastinum of a frontal chest must be to look inverted.
///
/// Chosen on the 596 frontal chests of the development set (README): turned over, 82 % are noticed; as they are, 0.8 %.
const INVERTED_MIDLINE: f64 = -0.08;

/// What was measured on one image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// 1st to 99th percentile of the values, as a share of `depth` (see [`measure`]), 0..1.
    pub contrast: f64,
    /// Shannon entropy of a 256-bin histogram between the lowest and the highest value, bits, 0..8.
    pub entropy_bits: f64,
    /// Share of the inner image (without a tenth at each edge) within 0.5 % of black.
    pub black_share: f64,
    /// The same for white.
    pub white_share: f64,
    /// Median brightness of the middle tenth of the columns minus the mean of the medians left and right of it
    /// (20-35 % and 65-80 % of the width), all between 20 and 60 % of the height, -1..1. In a frontal chest:
    /// mediastinum over lungs, which is positive.
    pub midline_over_flanks: f64,
}

/// What a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Nearly nothing was exposed.
    NearlyBlank,
    /// Much of the image is at the black end: over-exposed, or the window was burnt in.
    ClippedBlack,
    /// Much of the image is at the white end: under-exposed, or metal, or the window was burnt in.
    ClippedWhite,
    /// A chest with lungs brighter than the mediastinum: MONOCHROME1 and 2 may be exchanged.
    InversionSuspected,
}

impl Advice {
    /// The sentence on screens.
    pub const fn label(self, language: dokuei_terms::Language) -> &'static str {
        use dokuei_terms::Language::{En, Ja};
        match (self, language) {
            (Self::NearlyBlank, Ja) => "画像がほぼ無地です。撮影を確認してください（参考）",
            (Self::NearlyBlank, En) => "The image is nearly blank: check the exposure (advice)",
            (Self::ClippedBlack, Ja) => "黒つぶれが多く、線量過多の可能性があります（参考）",
            (Self::ClippedBlack, En) => "Much is clipped to black: possibly over-exposed (advice)",
            (Self::ClippedWhite, Ja) => "白とびが多く、線量不足の可能性があります（参考）",
            (Self::ClippedWhite, En) => "Much is clipped to white: possibly under-exposed (advice)",
            (Self::InversionSuspected, Ja) => "白黒反転の可能性があります（参考）",
            (Self::InversionSuspected, En) => "Black and white may be exchanged (advice)",
        }
    }
}

/// Measures an image. `depth` is the span of values it can store, e.g. 4095 for 12 bits; not positive: the span it has.
pub fn measure(image: &Image, depth: f32) -> Measures {
    let mut sorted: Vec<f32> = image.pixels().to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let span = f64::from(high) - f64::from(low);
    let depth = if depth > 0.0 { f64::from(depth) } else { span };
    let percentile = |share: f64| f64::from(sorted[((sorted.len() - 1) as f64 * share) as usize]);
    let contrast = if depth > 0.0 { ((percentile(0.99) - percentile(0.01)) / depth).clamp(0.0, 1.0) } else { 0.0 };

    let brightness = |value: f32| {
        let relative = if span > 0.0 { (f64::from(value) - f64::from(low)) / span } else { 0.0 };
        if image.photometric == Photometric::Monochrome1 { 1.0 - relative } else { relative }
    };
    let mut histogram = [0_usize; 256];
    for value in image.pixels() {
        histogram[((brightness(*value) * 255.0).round() as usize).min(255)] += 1;
    }
    let inner = window(image, (10, 90), (10, 90), &brightness);
    let share =
        |test: &dyn Fn(f64) -> bool| inner.iter().filter(|shown| test(**shown)).count() as f64 / inner.len() as f64;
    let flank = |columns| median(window(image, (20, 60), columns, &brightness));
    Measures {
        contrast,
        entropy_bits: entropy_bits(&histogram),
        black_share: share(&|shown| shown <= 0.005),
        white_share: share(&|shown| shown >= 0.995),
        midline_over_flanks: flank((45, 55)) - (flank((20, 35)) + flank((65, 80))) / 2.0,
    }
}

/// The brightness of the pixels between two percentages of the height and of the width; at least one pixel.
fn window(
    image: &Image,
    (top, bottom): (usize, usize),
    (left, right): (usize, usize),
    brightness: &dyn Fn(f32) -> f64,
) -> Vec<f64> {
    let span = |size: usize, from: usize, to: usize| {
        let first = (size * from / 100).min(size - 1);
        first..(size * to / 100).clamp(first + 1, size)
    };
    let columns = span(image.columns(), left, right);
    span(image.rows(), top, bottom)
        .flat_map(|row| &image.pixels()[row * image.columns()..][columns.clone()])
        .map(|value| brightness(*value))
        .collect()
}

/// What the measures suggest for a radiograph of `region`, most serious first. A blank image gets no other advice,
/// and only a chest (taken as frontal) can look inverted.
pub fn advise(measures: &Measures, region: Region) -> Vec<Advice> {
    if measures.contrast < BLANK_CONTRAST || measures.entropy_bits < BLANK_ENTROPY_BITS {
        return vec![Advice::NearlyBlank];
    }
    let mut advice = Vec::new();
    if measures.black_share > CLIPPED_SHARE {
        advice.push(Advice::ClippedBlack);
    }
    if measures.white_share > CLIPPED_SHARE {
        advice.push(Advice::ClippedWhite);
    }
    let is_chest = region.and_ancestors().any(|above| above.code() == "chest");
    if is_chest && measures.midline_over_flanks < INVERTED_MIDLINE {
        advice.push(Advice::InversionSuspected);
    }
    advice
}

fn entropy_bits(histogram: &[usize]) -> f64 {
    let total: usize = histogram.iter().sum();
    let shares = histogram.iter().filter(|count| **count > 0).map(|count| *count as f64 / total as f64);
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

/// The median; values must not be empty.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}
