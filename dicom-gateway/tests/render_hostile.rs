//! Objects made to break a renderer, and objects broken by accident.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod objects;
mod samples;

use dokuei_dicom_gateway::part10::file_meta;
use dokuei_dicom_gateway::render::{self, RenderError, View};
use objects::Image;

fn picture(image: &Image) -> Result<Vec<u8>, RenderError> {
    render::frame_png(&image.file(), 0, &View::default())
}

#[test]
fn a_size_that_the_bytes_cannot_hold_is_refused_before_it_is_allocated() {
    // 8 GB claimed.
    assert_eq!(picture(&Image::new(65_535, 65_535, vec![0; 100])), Err(RenderError::Implausible));
    // 131 kB claimed, 100 bytes there.
    let short = Image::new(256, 256, vec![0; 100]);
    assert_eq!(picture(&short), Err(RenderError::Truncated { held: 0, stated: 1 }));
    let rle = Image { syntax: "1.2.840.10008.1.2.5", ..Image::new(8192, 8192, vec![0; 100]) };
    assert_eq!(picture(&rle), Err(RenderError::Implausible));
}

#[test]
fn two_thousand_million_frames_are_counted_by_their_bytes() {
    let image = Image { frames: b"2147483647", ..Image::new(2, 2, vec![0; 24]) };
    let set = render::describe(&image.file()).unwrap();
    assert_eq!((set.frames, set.frames_stated), (3, 2_147_483_647));
    assert!(set.displayable.is_ok());
    let cut = render::frame_png(&image.file(), 3, &View::default());
    assert_eq!(cut, Err(RenderError::Truncated { held: 3, stated: 2_147_483_647 }));
}

#[test]
fn compressed_headers_that_disagree_with_the_object_are_refused() {
    let Some(samples) = samples::Samples::find() else { return };
    for name in ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG-LL.dcm"] {
        let mut bytes = std::fs::read(samples.path(name)).unwrap();
        let rows = [0x28, 0x00, 0x10, 0x00, b'U', b'S', 2, 0];
        let at = bytes.windows(8).rposition(|window| window == rows).unwrap() + 8;
        bytes[at..at + 2].copy_from_slice(&60_000_u16.to_le_bytes());
        assert_eq!(render::frame_png(&bytes, 0, &View::default()), Err(RenderError::Implausible), "{name}");
        assert_eq!(render::describe(&bytes).unwrap().displayable, Err(RenderError::Implausible), "{name}");
    }
}

#[test]
fn nesting_beyond_reason_does_not_end_the_process() {
    // 100,000 nested sequences of undefined length, on a thread with a small stack.
    let mut file = file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3", "1.2.840.10008.1.2.1");
    for _ in 0..100_000 {
        file.extend_from_slice(&[0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        file.extend_from_slice(&[0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let result = small.spawn(move || render::describe(&file)).unwrap().join().unwrap();
    assert!(matches!(result, Err(RenderError::Unreadable(_))));
}

#[test]
fn impossible_attributes_are_named() {
    let zero = picture(&Image::new(0, 4, vec![0; 8]));
    assert_eq!(zero, Err(RenderError::Attribute("Rows")));
    let bits = Image { bits: 12, ..Image::new(2, 2, vec![0; 8]) };
    assert_eq!(picture(&bits), Err(RenderError::Attribute("Bits Allocated")));
    let video = Image { syntax: "1.2.840.10008.1.2.4.102", ..Image::new(2, 2, vec![0; 8]) };
    let reason = render::describe(&video.file()).unwrap().displayable.unwrap_err();
    assert_eq!(reason, RenderError::TransferSyntax("1.2.840.10008.1.2.4.102".into()));
}

#[test]
fn windows_that_are_no_windows_are_refused() {
    let file = Image::new(2, 2, vec![0, 0, 1, 0, 2, 0, 3, 0]).file();
    for window in [(0.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (1.0, -5.0)] {
        let view = View { window: Some(window), ..View::default() };
        assert_eq!(render::frame_png(&file, 0, &view), Err(RenderError::Window));
    }
    let view = View { preset: Some(5), ..View::default() };
    assert_eq!(render::frame_png(&file, 0, &view), Err(RenderError::NoSuchPreset(5)));
    assert!(matches!(render::frame_png(&file, 1, &View::default()), Err(RenderError::NoSuchFrame { .. })));
}

/// Deterministic noise, so that a failure can be found again.
fn noise(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn damaged_samples_give_an_error_or_a_picture_and_never_a_crash() {
    let Some(samples) = samples::Samples::find() else { return };
    let mut state = 1;
    for name in [
        "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_small_odd_jpeg.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "emri_small_RLE.dcm",
        "gdcm-US-ALOKA-16.dcm",
        "vlut_04.dcm",
        "nested_priv_SQ.dcm",
    ] {
        let whole = std::fs::read(samples.path(name)).unwrap();
        let pixels = whole.windows(4).rposition(|window| window == [0xE0, 0x7F, 0x10, 0x00]).unwrap_or(0);
        for round in 0..60 {
            let mut bytes = whole.clone();
            // Header and pixels in turn.
            let (from, to) = if round % 2 == 0 { (132, bytes.len()) } else { (pixels, bytes.len()) };
            for _ in 0..1 + round % 8 {
                let at = from + (noise(&mut state) as usize) % (to - from);
                bytes[at] = noise(&mut state) as u8;
            }
            bytes.truncate(if round % 5 == 0 { from + (noise(&mut state) as usize) % (to - from) } else { to });
            let _ = render::describe(&bytes);
            let _ = render::thumbnail_png(&bytes, 64);
            let _ = render::raw_frame(&bytes, 0);
        }
    }
}

#[test]
fn every_sample_is_drawn_or_says_why_not() {
    let Some(samples) = samples::Samples::find() else { return };
    let mut drawn = 0;
    for path in samples.files() {
        let bytes = std::fs::read(path).unwrap();
        let Ok(set) = render::describe(&bytes) else { continue };
        let picture = render::thumbnail_png(&bytes, 128);
        assert_eq!(
            set.displayable.is_ok(),
            picture.is_ok(),
            "{}: {:?} {:?}",
            path.display(),
            set.displayable,
            picture.err()
        );
        drawn += usize::from(picture.is_ok());
    }
    assert!(drawn > 120, "only {drawn} samples were drawn");
}
