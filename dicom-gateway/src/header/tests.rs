use chrono::{NaiveDate, NaiveTime};

use super::*;
use crate::part10;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Writes elements in one encoding.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    explicit: bool,
    big: bool,
}

pub(super) const EXPLICIT_PEN: Pen = Pen { explicit: true, big: false };
pub(super) const IMPLICIT_PEN: Pen = Pen { explicit: false, big: false };
const BIG_PEN: Pen = Pen { explicit: true, big: true };

impl Pen {
    fn n16(self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn n32(self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// An element's head with any length that one likes to claim.
    pub fn head(self, tag: (u16, u16), vr: &[u8; 2], length: u32) -> Vec<u8> {
        let mut out = [self.n16(tag.0), self.n16(tag.1)].concat();
        if tag.0 == 0xFFFE || !self.explicit {
            out.extend(self.n32(length));
        } else if [b"OB", b"OW", b"SQ", b"UN", b"UT"].contains(&vr) {
            out.extend(vr);
            out.extend([0, 0]);
            out.extend(self.n32(length));
        } else {
            out.extend(vr);
            out.extend(self.n16(length as u16));
        }
        out
    }

    pub fn raw(self, tag: (u16, u16), vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == b"UI" { 0 } else { b' ' });
        }
        [self.head(tag, vr, value.len() as u32), value].concat()
    }

    pub fn text(self, tag: (u16, u16), vr: &[u8; 2], value: &str) -> Vec<u8> {
        self.raw(tag, vr, value.as_bytes())
    }

    fn us(self, tag: (u16, u16), value: u16) -> Vec<u8> {
        self.raw(tag, b"US", &self.n16(value))
    }

    /// The identity that every object needs, with some more.
    pub fn ct(self) -> Vec<Vec<u8>> {
        vec![
            self.text((0x0008, 0x0005), b"CS", "\\ISO 2022 IR 87"),
            self.text((0x0008, 0x0008), b"CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            self.text((0x0008, 0x0016), b"UI", CT),
            self.text((0x0008, 0x0018), b"UI", "1.2.3.4"),
            self.text((0x0008, 0x0020), b"DA", "20261121"),
            self.text((0x0008, 0x0030), b"TM", "093015.25"),
            self.text((0x0008, 0x0050), b"SH", "A0001"),
            self.text((0x0008, 0x0060), b"CS", "CT"),
            self.raw((0x0008, 0x0080), b"LO", b"\x1b$BF|K\\IB1!\x1b(B"),
            self.raw((0x0010, 0x0010), b"PN", b"Matsumoto^Ichiro=\x1b$B>>K\\\x1b(B^\x1b$B0lO:\x1b(B="),
            self.text((0x0010, 0x0020), b"LO", "00123 "),
            self.text((0x0010, 0x0030), b"DA", "1950.02.03"),
            self.text((0x0010, 0x0040), b"CS", "M"),
            self.text((0x0010, 0x1010), b"AS", "076Y"),
            self.text((0x0018, 0x0050), b"DS", "5,0"),
            self.text((0x0020, 0x000D), b"UI", "1.2.3"),
            self.text((0x0020, 0x000E), b"UI", "1.2.3.1"),
            self.text((0x0020, 0x0011), b"IS", "3"),
            self.text((0x0020, 0x0013), b"IS", "17"),
            self.text((0x0020, 0x0032), b"DS", "-100\\-100\\42.5"),
            self.text((0x0020, 0x0037), b"DS", "1\\0\\0\\0\\1\\0"),
            self.us((0x0028, 0x0010), 4),
            self.us((0x0028, 0x0011), 6),
            self.text((0x0028, 0x1050), b"DS", "40\\300"),
        ]
    }

    pub fn pixels(self, bytes: usize) -> Vec<u8> {
        self.raw((0x7FE0, 0x0010), b"OW", &vec![7; bytes])
    }

    fn whole(self) -> Vec<u8> {
        [self.ct().concat(), self.pixels(48)].concat()
    }
}

fn check(header: &InstanceHeader) {
    assert_eq!(header.sop_class.as_str(), CT);
    assert_eq!(header.sop_instance.as_str(), "1.2.3.4");
    assert_eq!((header.study_uid.as_str(), header.series_uid.as_str()), ("1.2.3", "1.2.3.1"));
    assert_eq!(header.patient.id, "00123");
    assert_eq!(header.patient.name.alphabetic(), "Matsumoto^Ichiro");
    assert_eq!(header.patient.name.ideographic(), "松本^一郎");
    assert_eq!(header.patient.birth_date, NaiveDate::from_ymd_opt(1950, 2, 3));
    assert_eq!(header.patient.sex, "M");
    assert_eq!(header.series.institution, "日本病院");
    assert_eq!(header.study.date, NaiveDate::from_ymd_opt(2026, 11, 21));
    assert_eq!(header.study.time, NaiveTime::from_hms_micro_opt(9, 30, 15, 250_000));
    assert_eq!(header.study.accession_number, "A0001");
    assert_eq!((header.series.modality.as_str(), header.series.number), ("CT", Some(3)));
    assert_eq!(header.image.number, Some(17));
    assert_eq!(header.image.image_type, ["ORIGINAL", "PRIMARY", "AXIAL"]);
    assert_eq!((header.image.rows, header.image.columns, header.image.frames), (Some(4), Some(6), 1));
    assert_eq!(header.image.position, Some([-100.0, -100.0, 42.5]));
    assert_eq!(header.image.slice_thickness, Some(5.0));
    assert_eq!(header.image.window_center, [40.0, 300.0]);
    assert_eq!(header.pixels.unwrap().length, Some(48));
    assert_eq!(header.oddities, []);
}

#[test]
fn the_same_header_is_read_in_every_encoding() {
    check(&read_dataset(&EXPLICIT_PEN.whole(), EXPLICIT).unwrap());
    check(&read_dataset(&IMPLICIT_PEN.whole(), IMPLICIT).unwrap());
    check(&read_dataset(&BIG_PEN.whole(), BIG).unwrap());
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &EXPLICIT_PEN.whole()).unwrap();
    let deflated = encoder.finish().unwrap();
    check(&read_dataset(&deflated, DEFLATED).unwrap());
    let cut = read_dataset(&deflated[..deflated.len() / 2], DEFLATED);
    assert!(matches!(cut, Err(HeaderError::Deflate | HeaderError::Truncated { .. })), "{cut:?}");
}

#[test]
fn a_file_is_read_with_and_without_its_outer_layers() {
    for (pen, syntax) in [(EXPLICIT_PEN, EXPLICIT), (IMPLICIT_PEN, IMPLICIT), (BIG_PEN, BIG)] {
        let meta = part10::file_meta(CT, "1.2.3.4", syntax);
        let file = [meta.clone(), pen.whole()].concat();
        check(&read_file(&file).unwrap());
        check(&read_file(&file[128..]).unwrap());
        check(&read_file(&file[132..]).unwrap());
        check(&read_file(&pen.whole()).unwrap());
        let mut wrong_group_length = file.clone();
        wrong_group_length[140] ^= 0x55;
        check(&read_file(&wrong_group_length).unwrap());
        // Without (0002,0000) at all.
        check(&read_file(&[&file[..132], &file[144..]].concat()).unwrap());
    }
}

#[test]
fn a_transfer_syntax_that_lies_is_noted_and_the_bytes_believed() {
    let header = read_dataset(&IMPLICIT_PEN.whole(), EXPLICIT).unwrap();
    assert_eq!(header.oddities, [Oddity::EncodingMismatch]);
    assert_eq!(header.patient.name.ideographic(), "松本^一郎");
}

#[test]
fn an_undefined_length_un_is_implicit_inside() {
    // CP-246, as Philips writes its private sequences.
    let mut parts = EXPLICIT_PEN.ct();
    let private = [
        EXPLICIT_PEN.head((0x0019, 0x1001), b"UN", u32::MAX),
        IMPLICIT_PEN.head((0xFFFE, 0xE000), b"  ", u32::MAX),
        IMPLICIT_PEN.text((0x0019, 0x1002), b"LO", "inside"),
        IMPLICIT_PEN.head((0x0019, 0x1003), b"SQ", u32::MAX),
        IMPLICIT_PEN.head((0xFFFE, 0xE0DD), b"  ", 0),
        IMPLICIT_PEN.head((0xFFFE, 0xE00D), b"  ", 0),
        IMPLICIT_PEN.head((0xFFFE, 0xE0DD), b"  ", 0),
    ];
    parts.insert(15, private.concat());
    parts.push(EXPLICIT_PEN.pixels(48));
    check(&read_dataset(&parts.concat(), EXPLICIT).unwrap());
}

#[test]
fn sequences_do_not_leak_into_the_top_level() {
    let mut parts = EXPLICIT_PEN.ct();
    let item = [EXPLICIT_PEN.text((0x0008, 0x0018), b"UI", "9.9.9"), EXPLICIT_PEN.pixels(10)].concat();
    let content = [EXPLICIT_PEN.head((0xFFFE, 0xE000), b"  ", item.len() as u32), item].concat();
    parts.insert(9, EXPLICIT_PEN.raw((0x0008, 0x1140), b"SQ", &content));
    parts.push(EXPLICIT_PEN.pixels(48));
    check(&read_dataset(&parts.concat(), EXPLICIT).unwrap());
}

#[test]
fn a_broken_sequence_of_stated_length_is_stepped_over_and_noted() {
    let mut parts = EXPLICIT_PEN.ct();
    parts.insert(9, EXPLICIT_PEN.raw((0x0008, 0x1140), b"SQ", b"no items are here at all"));
    parts.push(EXPLICIT_PEN.pixels(48));
    let mut header = read_dataset(&parts.concat(), EXPLICIT).unwrap();
    assert_eq!(header.oddities, [Oddity::BrokenSequence(dicom_core::Tag(0x0008, 0x1140))]);
    header.oddities.clear();
    check(&header);
}

#[test]
fn an_enhanced_object_gets_its_geometry_from_frame_one() {
    let pen = EXPLICIT_PEN;
    let item = |content: Vec<u8>| [pen.head((0xFFFE, 0xE000), b"  ", content.len() as u32), content].concat();
    let sq = |tag, content: Vec<u8>| pen.raw(tag, b"SQ", &content);
    let frame = |z: &str| item(sq((0x0020, 0x9113), item(pen.text((0x0020, 0x0032), b"DS", &format!("0\\0\\{z}")))));
    let mut parts = pen.ct();
    parts.retain(|part| part[..4] != [0x20, 0, 0x32, 0]);
    parts.push(pen.text((0x0028, 0x0008), b"IS", "2"));
    parts.push(sq((0x5200, 0x9229), item(sq((0x0028, 0x9110), item(pen.text((0x0028, 0x0030), b"DS", "0.5\\0.6"))))));
    parts.push(sq((0x5200, 0x9230), [frame("11"), frame("22")].concat()));
    parts.push(pen.pixels(96));
    let header = read_dataset(&parts.concat(), EXPLICIT).unwrap();
    assert_eq!(header.image.position, Some([0.0, 0.0, 11.0]));
    assert_eq!(header.image.spacing, Some([0.5, 0.6]));
    assert_eq!(header.image.frames, 2);
}

#[test]
fn encapsulated_pixels_are_found_and_their_truncation_noted() {
    let pen = EXPLICIT_PEN;
    let pixels = [
        pen.head((0x7FE0, 0x0010), b"OB", u32::MAX),
        pen.head((0xFFFE, 0xE000), b"  ", 0),
        pen.raw((0xFFFE, 0xE000), b"  ", &[1; 20]),
        pen.head((0xFFFE, 0xE0DD), b"  ", 0),
    ]
    .concat();
    let whole = [pen.ct().concat(), pixels].concat();
    let header = read_dataset(&whole, "1.2.840.10008.1.2.4.70").unwrap();
    assert_eq!(header.pixels.unwrap().length, None);
    assert_eq!(header.oddities, []);
    for cut in [1, 8, 9, 30] {
        let header = read_dataset(&whole[..whole.len() - cut], "1.2.840.10008.1.2.4.70").unwrap();
        assert_eq!(header.oddities, [Oddity::PixelDataTruncated], "cut by {cut}");
    }
    let native = pen.whole();
    let header = read_dataset(&native[..native.len() - 1], EXPLICIT).unwrap();
    assert_eq!(header.oddities, [Oddity::PixelDataTruncated]);
}

#[test]
fn an_identity_that_is_missing_or_no_uid_is_an_error_that_names_it() {
    let mut parts = EXPLICIT_PEN.ct();
    parts.remove(15);
    assert_eq!(read_dataset(&parts.concat(), EXPLICIT), Err(HeaderError::Missing("Study Instance UID")));
    let mut parts = EXPLICIT_PEN.ct();
    parts[3] = EXPLICIT_PEN.text((0x0008, 0x0018), b"UI", "not.a.uid");
    assert_eq!(read_dataset(&parts.concat(), EXPLICIT), Err(HeaderError::InvalidUid("SOP Instance UID")));
}

#[test]
fn a_header_never_shows_a_patient_in_debug_output() {
    let header = read_dataset(&EXPLICIT_PEN.whole(), EXPLICIT).unwrap();
    let shown = format!("{header:?}");
    for secret in ["Matsumoto", "00123", "1950"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
