//! Windows, inversion and padding, against the formulas of PS3.3 C.11.2 written
//! out, and the same picture made twice: at the server and as a browser would.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod objects;

use dokuei_dicom_gateway::render::{self, PresetSource, RawFrame, View, VoiFunction};
use objects::{Image, element, us};

/// All twelve-bit values once, 64 x 64.
fn ramp() -> Image {
    Image::new(64, 64, (0..4096_u16).flat_map(u16::to_le_bytes).collect())
}

fn levels(file: &[u8], view: &View) -> Vec<u8> {
    let png = render::frame_png(file, 0, view).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut out = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut out).unwrap();
    out
}

fn windowed(center: f64, width: f64) -> View {
    View { window: Some((center, width)), ..View::default() }
}

/// What the reading page does with a raw frame.
fn in_the_browser(raw: &RawFrame, center: f64, width: f64) -> Vec<u8> {
    let level = |bytes: &[u8]| {
        let word = u16::from_le_bytes([bytes[0], bytes[1]]);
        let sample = if raw.signed { i32::from(word.cast_signed()) } else { i32::from(word) };
        if raw.padding.is_some_and(|(low, high)| low <= sample && sample <= high) {
            return 0;
        }
        let x = f64::from(sample) * raw.slope + raw.intercept;
        let y = match raw.function {
            VoiFunction::Linear if width > 1.0 => (x - (center - 0.5)) / (width - 1.0) + 0.5,
            VoiFunction::Linear | VoiFunction::LinearExact => (x - center) / width + 0.5,
            VoiFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (x - center) / width).exp()),
        };
        let grey = (y.clamp(0.0, 1.0) * 255.0).round() as u8;
        if raw.inverted { 255 - grey } else { grey }
    };
    raw.samples.chunks_exact(2).map(level).collect()
}

#[test]
fn linear_ends_where_the_standard_says() {
    // PS3.3 C.11.2.1.2.1: with c=2048 and w=4096, 0 is black and 4095 white; with
    // c=2048 and w=1, 2047 and below are black, above white.
    let file = ramp().file();
    let full = levels(&file, &windowed(2048.0, 4096.0));
    assert_eq!((full[0], full[4095]), (0, 255));
    let (mid, expected) = (full[1000], (1000.0_f64 / 4095.0 * 255.0).round() as u8);
    assert_eq!(mid, expected);
    let threshold = levels(&file, &windowed(2048.0, 1.0));
    assert_eq!((threshold[2047], threshold[2048]), (0, 255));
    let narrow = levels(&file, &windowed(100.0, 100.0));
    assert_eq!((narrow[50], narrow[149], narrow[150]), (0, 255, 255));
    assert!(narrow[51] > 0 && narrow[148] < 255);
}

#[test]
fn exact_and_sigmoid_follow_their_own_formulas() {
    let function = |name: &[u8]| Image { extra: element(0x0028_1056, b"CS", name), ..ramp() }.file();
    let exact = levels(&function(b"LINEAR_EXACT"), &windowed(100.0, 100.0));
    assert_eq!((exact[50], exact[100], exact[150]), (0, 128, 255));
    let sigmoid = levels(&function(b"SIGMOID "), &windowed(2000.0, 400.0));
    let at = |x: f64| (255.0 / (1.0 + (-4.0 * (x - 2000.0) / 400.0).exp())).round() as u8;
    for x in [1500, 1900, 2000, 2100, 2600] {
        assert_eq!(sigmoid[x], at(x as f64), "{x}");
    }
}

#[test]
fn monochrome1_is_bright_where_values_are_low_and_invert_turns_it_back() {
    let file = Image { photometric: b"MONOCHROME1 ", ..ramp() }.file();
    let plain = levels(&file, &windowed(2048.0, 4096.0));
    assert_eq!((plain[0], plain[4095]), (255, 0));
    let turned = levels(&file, &View { invert: true, ..windowed(2048.0, 4096.0) });
    assert_eq!((turned[0], turned[4095]), (0, 255));
}

#[test]
fn padding_is_black_also_where_low_values_are_bright_and_does_not_count_for_the_window() {
    let mut image = Image { photometric: b"MONOCHROME1 ", signed: true, ..Image::new(1, 4, Vec::new()) };
    image.pixels = [-2000_i16, 10, 20, 30].iter().flat_map(|v| v.to_le_bytes()).collect();
    image.extra = element(0x0028_0120, b"SS", &(-2000_i16).to_le_bytes());
    let file = image.file();
    assert_eq!(levels(&file, &View::default()), [0, 255, 127, 0]);
    let set = render::describe(&file).unwrap();
    let window = &set.windows[0];
    assert_eq!((window.source, window.center, window.width), (PresetSource::Computed, 20.0, 20.0));
    assert_eq!(render::raw_frame(&file, 0).unwrap().padding, Some((-2000, -2000)));
}

#[test]
fn the_browser_makes_the_same_picture_from_raw_samples() {
    let rescale = [element(0x0028_1052, b"DS", b"-1024 "), element(0x0028_1053, b"DS", b"0.5 ")].concat();
    let function = element(0x0028_1056, b"CS", b"SIGMOID ");
    let images = [
        ramp(),
        Image { extra: rescale.clone(), ..ramp() },
        Image { photometric: b"MONOCHROME1 ", extra: [rescale, function].concat(), ..ramp() },
        Image { signed: true, extra: us(0x0028_0120, 17), ..ramp() },
    ];
    for image in images {
        let file = image.file();
        let raw = render::raw_frame(&file, 0).unwrap();
        for (center, width) in [(40.0, 400.0), (-600.0, 1500.0), (0.5, 2.0), (2048.0, 4096.0)] {
            assert_eq!(in_the_browser(&raw, center, width), levels(&file, &windowed(center, width)));
        }
    }
}

#[test]
fn every_declared_window_is_a_preset_with_the_senders_words() {
    let extra = [
        element(0x0028_1050, b"DS", b"40\\-600 "),
        element(0x0028_1051, b"DS", b"400\\1500"),
        element(0x0028_1055, b"LO", b"ABDOMEN\\LUNG"),
    ];
    let file = Image { extra: extra.concat(), ..ramp() }.file();
    let set = render::describe(&file).unwrap();
    let said: Vec<_> = set.windows.iter().map(|w| (w.center, w.width, w.explanation.as_deref())).collect();
    assert_eq!(said, [(40.0, 400.0, Some("ABDOMEN")), (-600.0, 1500.0, Some("LUNG"))]);
    let second = View { preset: Some(1), ..View::default() };
    assert_eq!(levels(&file, &second), levels(&file, &windowed(-600.0, 1500.0)));
    assert_eq!(levels(&file, &View::default()), levels(&file, &windowed(40.0, 400.0)));
}

#[test]
fn bits_above_the_high_bit_are_not_part_of_a_value() {
    // Twelve bits stored, an overlay bit of old times in bit 15.
    let mut image = Image::new(1, 2, [0x8FFF_u16, 0x0001].iter().flat_map(|v| v.to_le_bytes()).collect());
    image.extra = Vec::new();
    let mut file = image.file();
    let stored = [0x28, 0x00, 0x01, 0x01, b'U', b'S', 2, 0];
    let at = file.windows(8).position(|window| window == stored).unwrap() + 8;
    file[at] = 12;
    file[at + 10] = 11;
    let raw = render::raw_frame(&file, 0).unwrap();
    assert_eq!(raw.samples, [0xFF, 0x0F, 0x01, 0x00]);
}

#[test]
fn pictures_are_averaged_down_and_never_enlarged() {
    let file = ramp().file();
    let small = View { max_size: Some(16), ..View::default() };
    assert_eq!(levels(&file, &small).len(), 16 * 16);
    let large = View { max_size: Some(1000), ..View::default() };
    assert_eq!(levels(&file, &large), levels(&file, &View::default()));
}
