//! Pictures against pydicom's and numpy's, pixel by pixel.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use std::process::Command;

use dokuei_dicom_gateway::render::{self, View};

/// Files whose stored values must come out exactly: transfer syntaxes, signs,
/// depths, frames, modality and VOI LUTs.
const GREY: &[(&str, u32)] = &[
    ("CT_small.dcm", 0),
    ("MR_small.dcm", 0),
    ("MR_small_RLE.dcm", 0),
    ("MR_small_bigendian.dcm", 0),
    ("MR_small_implicit.dcm", 0),
    ("MR_small_jp2klossless.dcm", 0),
    ("MR_small_jpeg_ls_lossless.dcm", 0),
    ("JPEGLSNearLossless_08.dcm", 0),
    ("JPEGLSNearLossless_16.dcm", 0),
    ("693_J2KR.dcm", 0),
    ("693_UNCI.dcm", 0),
    ("J2K_pixelrep_mismatch.dcm", 0),
    ("JPEG-LL.dcm", 0),
    ("JPGLosslessP14SV1_1s_1f_8b.dcm", 0),
    ("RG1_UNCR.dcm", 0),
    ("RG1_J2KR.dcm", 0),
    ("RG3_J2KR.dcm", 0),
    ("MR2_J2KR.dcm", 0),
    ("6154", 0),
    ("emri_small.dcm", 3),
    ("emri_small_RLE.dcm", 9),
    ("emri_small_big_endian.dcm", 5),
    ("emri_small_jpeg_2k_lossless.dcm", 7),
    ("emri_small_jpeg_ls_lossless.dcm", 8),
    ("mlut_18.dcm", 0),
    ("vlut_04.dcm", 0),
    ("image_dfl.dcm", 0),
    ("liver.dcm", 1),
    ("liver_expb.dcm", 2),
];

/// Colour files, and how far a channel may differ: 1 for rounding, more where
/// JPEG decoders differ in their arithmetic and chroma upsampling.
const COLOUR: &[(&str, u32, u8)] = &[
    ("US1_UNCI.dcm", 0, 0),
    ("US1_J2KR.dcm", 0, 0),
    ("US1_J2KI.dcm", 0, 1),
    ("examples_jpeg2k.dcm", 0, 0),
    ("GDCMJ2K_TextGBR.dcm", 0, 0),
    ("examples_rgb_color.dcm", 0, 0),
    ("ExplVR_BigEnd.dcm", 0, 0),
    ("color-pl.dcm", 0, 0),
    ("SC_rgb_rle_2frame.dcm", 1, 0),
    ("SC_rgb_rle_16bit_2frame.dcm", 1, 0),
    ("SC_rgb_32bit.dcm", 0, 0),
    ("SC_rgb_jpeg_gdcm.dcm", 0, 0),
    ("SC_ybr_full_uncompressed.dcm", 0, 1),
    ("SC_ybr_full_422_uncompressed.dcm", 0, 1),
    ("SC_rgb_jls_lossy_line.dcm", 0, 0),
    ("SC_rgb_jls_lossy_sample.dcm", 0, 0),
    ("SC_rgb_gdcm_KY.dcm", 0, 1),
    ("SC_rgb_dcmtk_+eb+cr.dcm", 0, 3),
    ("SC_rgb_dcmtk_+eb+cy+n1.dcm", 0, 3),
    ("SC_rgb_small_odd_jpeg.dcm", 0, 3),
    ("SC_jpeg_no_color_transform.dcm", 0, 3),
    ("SC_jpeg_no_color_transform_2.dcm", 0, 3),
    ("SC_rgb_jpeg_app14_dcmd.dcm", 0, 3),
    ("examples_ybr_color.dcm", 17, 12),
    ("OBXXXX1A_rle_2frame.dcm", 1, 0),
    ("OBXXXX1A_expb_2frame.dcm", 1, 0),
    ("gdcm-US-ALOKA-16.dcm", 0, 1),
];

#[test]
fn grey_samples_and_levels_are_those_of_pydicom() {
    let Some(samples) = samples::Samples::find() else { return };
    let out = tempfile::tempdir().unwrap();
    let files: Vec<_> = GREY.iter().map(|(name, frame)| (samples.path(name), *frame)).collect();
    peer(&samples, out.path(), &files);
    let mut faults = Vec::new();
    for (n, (path, frame)) in files.iter().enumerate() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        let (raw, png) = match (render::raw_frame(&bytes, *frame), render::frame_png(&bytes, *frame, &View::default()))
        {
            (Ok(raw), Ok(png)) => (raw, png),
            (raw, png) => {
                faults.push(format!("{name}: {:?} {:?}", raw.err(), png.err()));
                continue;
            }
        };
        let stored: Vec<i32> = words(&out.path().join(format!("{n}.stored")), i32::from_le_bytes);
        let sample = |b: &[u8]| {
            let word = u16::from_le_bytes([b[0], b[1]]);
            if raw.signed { i32::from(word.cast_signed()) } else { i32::from(word) }
        };
        let ours: Vec<i32> = raw.samples.chunks_exact(2).map(sample).collect();
        // Behind a modality LUT raw samples are modality values, checked by levels.
        if name != "mlut_18.dcm" && ours != stored {
            let different = ours.iter().zip(&stored).filter(|(a, b)| a != b).count();
            let first = ours.iter().zip(&stored).find(|(a, b)| a != b);
            faults.push(format!("{name}: {different} of {} samples differ, first {first:?}", stored.len()));
        }
        let grey: Vec<f32> = words(&out.path().join(format!("{n}.grey")), f32::from_le_bytes);
        let levels = decode_png(&png);
        let worst = levels.iter().zip(&grey).map(|(a, b)| (f32::from(*a) - b).abs()).fold(0.0, f32::max);
        // Half a level for rounding; the peer may be given multi-frame macros that
        // it does not read, so these are compared by their samples alone.
        let macros = name.starts_with("emri");
        if levels.len() != grey.len() || (worst > 0.51 && !macros) {
            faults.push(format!("{name}: levels differ by up to {worst}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn colours_are_those_of_pydicom() {
    let Some(samples) = samples::Samples::find() else { return };
    let out = tempfile::tempdir().unwrap();
    let files: Vec<_> = COLOUR.iter().map(|(name, frame, _)| (samples.path(name), *frame)).collect();
    peer(&samples, out.path(), &files);
    let mut faults = Vec::new();
    for (n, ((path, frame), (name, _, tolerance))) in files.iter().zip(COLOUR).enumerate() {
        let png = match render::frame_png(&std::fs::read(path).unwrap(), *frame, &View::default()) {
            Ok(png) => png,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        let (ours, peers) = (decode_png(&png), std::fs::read(out.path().join(format!("{n}.rgb"))).unwrap());
        let worst = ours.iter().zip(&peers).map(|(a, b)| a.abs_diff(*b)).max();
        if ours.len() != peers.len() || worst > Some(*tolerance) {
            let off = ours.iter().zip(&peers).filter(|(a, b)| a.abs_diff(**b) > *tolerance).count();
            faults.push(format!("{name}: {off} of {} channels differ, by up to {worst:?}", peers.len()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn peer(samples: &samples::Samples, out: &std::path::Path, files: &[(std::path::PathBuf, u32)]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pixels.py");
    let mut command = Command::new(samples.python());
    command.arg(script).arg(out);
    for (path, frame) in files {
        command.arg(format!("{}:{frame}", path.display()));
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn words<T, const N: usize>(path: &std::path::Path, word: fn([u8; N]) -> T) -> Vec<T> {
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(N).map(|chunk| word(chunk.try_into().unwrap())).collect()
}

fn decode_png(bytes: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut out = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut out).unwrap();
    out
}
