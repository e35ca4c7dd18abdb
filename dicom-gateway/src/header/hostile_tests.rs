//! What a hostile or broken sender may send.

use super::tests::{EXPLICIT_PEN, IMPLICIT_PEN, Pen};
use super::*;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";

fn nested(pen: Pen, levels: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..levels {
        out.extend(pen.head((0x0008, 0x1140), b"SQ", u32::MAX));
        out.extend(pen.head((0xFFFE, 0xE000), b"  ", u32::MAX));
    }
    for _ in 0..levels {
        out.extend(pen.head((0xFFFE, 0xE00D), b"  ", 0));
        out.extend(pen.head((0xFFFE, 0xE0DD), b"  ", 0));
    }
    out
}

fn nested_of_stated_length(pen: Pen, levels: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..levels {
        let item = [pen.head((0xFFFE, 0xE000), b"  ", out.len() as u32), out].concat();
        out = [pen.head((0x0008, 0x1140), b"SQ", item.len() as u32), item].concat();
    }
    out
}

#[test]
fn deep_nesting_is_refused_on_a_small_stack_and_shallow_nesting_is_not() {
    let work = || {
        for (pen, syntax) in [(EXPLICIT_PEN, EXPLICIT), (IMPLICIT_PEN, IMPLICIT)] {
            for levels in [2_000, 100_000] {
                let mut parts = pen.ct();
                parts.insert(9, nested(pen, levels));
                assert_eq!(read_dataset(&parts.concat(), syntax), Err(HeaderError::TooDeep));
            }
            let mut parts = pen.ct();
            parts.insert(9, nested_of_stated_length(pen, 2_000));
            assert_eq!(read_dataset(&parts.concat(), syntax), Err(HeaderError::TooDeep));
            for sound in [nested(pen, 60), nested_of_stated_length(pen, 60)] {
                let mut parts = pen.ct();
                parts.insert(9, sound);
                read_dataset(&parts.concat(), syntax).unwrap();
            }
            // Behind the pixels, where no header is, a later parser would still fall.
            let behind = [pen.ct().concat(), pen.pixels(8), nested(pen, 2_000)].concat();
            assert_eq!(read_dataset(&behind, syntax), Err(HeaderError::TooDeep));
        }
    };
    std::thread::Builder::new().stack_size(128 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_length_field_of_four_gigabytes_is_not_believed() {
    for length in [u32::MAX - 1, 0x8000_0000, 1 << 20] {
        let mut parts = EXPLICIT_PEN.ct();
        parts.insert(9, EXPLICIT_PEN.head((0x0009, 0x1001), b"UN", length));
        let read = read_dataset(&parts.concat(), EXPLICIT);
        assert!(matches!(read, Err(HeaderError::Truncated { .. })), "{read:?}");
        let pixels = [EXPLICIT_PEN.ct().concat(), EXPLICIT_PEN.head((0x7FE0, 0x0010), b"OW", length)].concat();
        assert_eq!(read_dataset(&pixels, EXPLICIT).unwrap().oddities, [Oddity::PixelDataTruncated]);
    }
}

#[test]
fn a_deflate_bomb_is_bounded() {
    let mut parts = EXPLICIT_PEN.ct();
    parts.push(EXPLICIT_PEN.raw((0x0009, 0x1001), b"UN", &vec![0; MAX_INFLATED_HEADER as usize + 10]));
    parts.push(EXPLICIT_PEN.pixels(8));
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &parts.concat()).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    assert_eq!(read_dataset(&bomb, "1.2.840.10008.1.2.1.99"), Err(HeaderError::HeaderTooLarge));
}

#[test]
fn every_truncation_of_a_header_is_an_error_and_none_a_panic() {
    for (pen, syntax) in [(EXPLICIT_PEN, EXPLICIT), (IMPLICIT_PEN, IMPLICIT)] {
        let whole = pen.ct().concat();
        let essential = pen.ct()[..17].concat().len();
        for cut in 0..whole.len() {
            let read = read_dataset(&whole[..cut], syntax);
            assert!(cut >= essential || read.is_err(), "cut at {cut}");
            let _ = read_file(&whole[..cut]);
        }
    }
}

#[test]
fn what_is_not_dicom_is_said_to_be_not_dicom() {
    for noise in [&b"%PDF-1.7 something else"[..], b"PK\x03\x04 a zip it is", b"\xff\xd8\xff\xe0 a JPEG", b""] {
        assert!(matches!(read_file(noise), Err(HeaderError::NotDicom)), "{noise:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = read_file(&bytes);
        for syntax in [EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.3"] {
            let _ = read_dataset(&bytes, syntax);
        }
    }

    #[test]
    fn a_sound_object_with_damaged_bytes_is_read_or_refused(
        damage in proptest::collection::vec((0_usize..1_200, proptest::num::u8::ANY), 1..12),
        implicit in proptest::bool::ANY,
    ) {
        let pen = if implicit { IMPLICIT_PEN } else { EXPLICIT_PEN };
        let mut parts = pen.ct();
        parts.insert(9, nested(pen, 5));
        parts.insert(12, nested_of_stated_length(pen, 5));
        let mut bytes = [parts.concat(), pen.pixels(16)].concat();
        let len = bytes.len();
        for (at, value) in damage {
            bytes[at % len] = value;
        }
        let _ = read_dataset(&bytes, if implicit { IMPLICIT } else { EXPLICIT });
        let _ = read_file(&bytes);
    }
}
