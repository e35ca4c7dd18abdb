//! Values as numbers, dates and times, read as tolerantly as senders write them.

use chrono::{NaiveDate, NaiveTime};
use dicom_core::VR;

use super::walk::Element;

/// Text of a VR in the default repertoire (CS, DA, DS, IS, TM, UI, AS, AE).
pub(crate) fn ascii(element: &Element<'_>) -> String {
    let text: String = element.value.iter().map(|&byte| char::from(byte)).collect();
    text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned()
}

/// The parts between backslashes, trimmed.
pub(crate) fn codes(element: &Element<'_>) -> Vec<String> {
    let text = ascii(element);
    if text.is_empty() { Vec::new() } else { text.split('\\').map(|part| part.trim().to_owned()).collect() }
}

/// Decimal strings or FD/FL, each that is a finite number. A decimal comma is read.
pub(crate) fn decimals(element: &Element<'_>) -> Vec<f64> {
    let big = element.encoding.big_endian;
    let numbers: Vec<f64> = match element.vr {
        VR::FD => element
            .value
            .chunks_exact(8)
            .filter_map(|chunk| <[u8; 8]>::try_from(chunk).ok())
            .map(|chunk| if big { f64::from_be_bytes(chunk) } else { f64::from_le_bytes(chunk) })
            .collect(),
        VR::FL => element
            .value
            .chunks_exact(4)
            .filter_map(|chunk| <[u8; 4]>::try_from(chunk).ok())
            .map(|chunk| f64::from(if big { f32::from_be_bytes(chunk) } else { f32::from_le_bytes(chunk) }))
            .collect(),
        _ => codes(element).iter().filter_map(|text| text.replace(',', ".").parse().ok()).collect(),
    };
    numbers.into_iter().filter(|number| number.is_finite()).collect()
}

/// Exactly `N` numbers, or nothing.
pub(crate) fn exactly<const N: usize>(element: &Element<'_>) -> Option<[f64; N]> {
    <[f64; N]>::try_from(decimals(element)).ok()
}

/// The first integer of an IS, US, UL or SS.
pub(crate) fn integer(element: &Element<'_>) -> Option<i64> {
    match (element.vr, element.value) {
        (VR::IS | VR::DS, _) => decimals(element).first().map(|number| *number as i64),
        (VR::SS, &[a, b, ..]) => Some(i64::from(element.encoding.u16([a, b]).cast_signed())),
        (VR::UL, &[a, b, c, d, ..]) => Some(i64::from(element.encoding.u32([a, b, c, d]))),
        (_, &[a, b, ..]) => Some(i64::from(element.encoding.u16([a, b]))),
        _ => None,
    }
}

/// DA, also with the dots of ACR-NEMA or with hyphens.
pub(crate) fn date(element: &Element<'_>) -> Option<NaiveDate> {
    let digits: String = ascii(element).chars().filter(|c| !matches!(c, '.' | '-' | '/')).collect();
    NaiveDate::parse_from_str(digits.get(..8)?, "%Y%m%d").ok()
}

/// TM, complete or shortened, also with colons.
pub(crate) fn time(element: &Element<'_>) -> Option<NaiveTime> {
    let text: String = ascii(element).chars().filter(|c| *c != ':').collect();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let part = |at: usize| match whole.get(at..at + 2) {
        Some(digits) => digits.parse::<u32>().ok(),
        None => (at >= whole.len()).then_some(0),
    };
    let micros = format!("{fraction:0<6}").get(..6).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    if whole.len() < 2 {
        return None;
    }
    // A leap second is written 60; chrono wants it as 59 with the next second.
    NaiveTime::from_hms_micro_opt(part(0)?, part(2)?, part(4)?.min(59), micros)
}
