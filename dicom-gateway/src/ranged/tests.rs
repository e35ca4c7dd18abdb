//! Large objects are made up as they are read, and what is read is counted.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use dicom_dictionary_std::tags::SOP_INSTANCE_UID;
use dokuei_models::objects::ObjectError;

use super::{Coding, Frames, Head, Ranged, RangedError, head, leading};
use crate::dataset::Limits;
use crate::part10::file_meta;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// Bytes at some places, and between them those of a rule.
struct MadeUp {
    known: Vec<(u64, Vec<u8>)>,
    size: u64,
    read: AtomicU64,
}

#[async_trait]
impl Ranged for MadeUp {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        assert!(range.end <= self.size, "{range:?} of {}", self.size);
        self.read.fetch_add(range.end - range.start, Ordering::Relaxed);
        let byte = |at: u64| {
            let found = self.known.iter().find(|(from, bytes)| (*from..from + bytes.len() as u64).contains(&at));
            found.map_or((at / 1024) as u8, |(from, bytes)| bytes[(at - from) as usize])
        };
        Ok(range.map(byte).collect())
    }
}

fn element(out: &mut Vec<u8>, group: u16, element: u16, vr: &[u8; 2], value: &[u8], big: bool) {
    let word = |number: u16| if big { number.to_be_bytes() } else { number.to_le_bytes() };
    out.extend(word(group));
    out.extend(word(element));
    out.extend(vr);
    out.extend(word(value.len() as u16));
    out.extend(value);
}

/// Up to the pixels' length, which is left out.
fn header(syntax: &str, frames: u32, rows: u16, columns: u16, bits: u16) -> Vec<u8> {
    let big = syntax == BIG;
    let word = |number: u16| if big { number.to_be_bytes() } else { number.to_le_bytes() };
    let mut out = Vec::new();
    element(&mut out, 0x0008, 0x0016, b"UI", b"1.2.840.10008.5.1.4.1.1.7.3\0", big);
    element(&mut out, 0x0008, 0x0018, b"UI", b"1.2.30", big);
    element(&mut out, 0x0028, 0x0002, b"US", &word(1), big);
    element(&mut out, 0x0028, 0x0004, b"CS", b"MONOCHROME2 ", big);
    element(&mut out, 0x0028, 0x0008, b"IS", format!("{frames:>6}").as_bytes(), big);
    for (tag, value) in [(0x10, rows), (0x11, columns), (0x100, bits), (0x101, bits), (0x102, bits - 1), (0x103, 0)] {
        element(&mut out, 0x0028, tag, b"US", &word(value), big);
    }
    out.extend(word(0x7FE0));
    out.extend(word(0x0010));
    out
}

fn file(syntax: &str, dataset: &[u8]) -> Vec<u8> {
    let mut file = file_meta("1.2.840.10008.5.1.4.1.1.7.3", "1.2.30", syntax);
    file.extend_from_slice(dataset);
    file
}

fn native(syntax: &str, frames: u32, side: u16, bits: u16, length: u32) -> Vec<u8> {
    let mut out = header(syntax, frames, side, side, bits);
    out.extend_from_slice(b"OW\0\0");
    out.extend(if syntax == BIG { length.to_be_bytes() } else { length.to_le_bytes() });
    out
}

async fn frame(source: &dyn Ranged, head: &Head, frames: &Frames, number: u32) -> Result<Vec<u8>, RangedError> {
    let (pieces, length) = frames.pieces(source, head, number).await?;
    let mut out = Vec::new();
    for piece in &pieces {
        out.extend_from_slice(&piece.read(source, head).await?);
    }
    assert_eq!(out.len() as u64, length);
    Ok(out)
}

#[tokio::test]
async fn a_frame_of_a_native_object_of_2_gb_costs_its_own_bytes() {
    let (count, side) = (4000_u32, 512_u16);
    let size = 2 * u64::from(side) * u64::from(side);
    let start = file(EXPLICIT, &native(EXPLICIT, count, side, 16, (u64::from(count) * size) as u32));
    let at = start.len() as u64;
    let source = MadeUp { size: at + u64::from(count) * size, known: vec![(0, start)], read: AtomicU64::new(0) };
    assert!(source.size > 2_000_000_000);
    let head = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &head).await.unwrap();
    assert_eq!((frames.count(), frames.coding), (4000, Coding::Native));
    let last = frame(&source, &head, &frames, 4000).await.unwrap();
    let first_byte = at + 3999 * size;
    assert_eq!(last[0], (first_byte / 1024) as u8);
    assert!(source.read.load(Ordering::Relaxed) < size + (256 << 10), "header and one frame, nothing else");
    let beyond = frame(&source, &head, &frames, 4001).await;
    assert!(matches!(beyond, Err(RangedError::NoSuchFrame { frame: 4001, frames: 4000 })));
}

/// 3 fragments of 700 MB; every frame's head is read, none of its bytes but those of the one asked for.
#[tokio::test]
async fn a_frame_of_an_encapsulated_object_of_2_gb_is_found_by_its_item() {
    let mut start = header(JPEG, 3, 512, 512, 8);
    start.extend_from_slice(b"OB\0\0\xFF\xFF\xFF\xFF");
    start.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]);
    let start = file(JPEG, &start);
    let length = 700_000_000_u64;
    let mut known = Vec::new();
    let mut at = start.len() as u64;
    known.push((0, start));
    for length in [length, length, 1000] {
        let mut item = vec![0xFE, 0xFF, 0x00, 0xE0];
        item.extend((length as u32).to_le_bytes());
        item.extend([0xFF, 0xD8]);
        known.push((at, item));
        at += 8 + length;
    }
    known.push((at, vec![0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]));
    let source = MadeUp { size: at + 8, known, read: AtomicU64::new(0) };
    let head = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &head).await.unwrap();
    assert_eq!((frames.count(), frames.coding), (3, Coding::Encapsulated));
    let third = frame(&source, &head, &frames, 3).await.unwrap();
    assert!(third.len() == 1000 && third.starts_with(&[0xFF, 0xD8]));
    let (pieces, whole) = frames.pieces(&source, &head, 1).await.unwrap();
    assert_eq!((pieces.len(), whole), (length.div_ceil(1 << 20) as usize, length), "given out piece by piece");
    assert!(source.read.load(Ordering::Relaxed) < 1 << 20);
}

#[tokio::test]
async fn frames_of_bits_begin_inside_bytes() {
    // 3 x 3 pixels of one bit: frame 2 begins with bit 9.
    let mut dataset = native(EXPLICIT, 2, 3, 1, 4);
    dataset.extend_from_slice(&[0b1010_1010, 0b0000_0111, 0b0000_0010, 0]);
    let source = Bytes::from(file(EXPLICIT, &dataset));
    let head = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &head).await.unwrap();
    // Bits 0 to 8, then 9 to 17, the lowest first.
    assert_eq!(frame(&source, &head, &frames, 1).await.unwrap(), [0b1010_1010, 0b1]);
    assert_eq!(frame(&source, &head, &frames, 2).await.unwrap(), [0b0000_0011, 0b1]);
}

#[tokio::test]
async fn big_endian_words_leave_as_little_endian() {
    let mut dataset = native(BIG, 1, 2, 16, 8);
    dataset.extend_from_slice(&[0, 1, 0, 2, 0, 3, 0, 4]);
    let source = Bytes::from(file(BIG, &dataset));
    let head = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &head).await.unwrap();
    assert_eq!(frame(&source, &head, &frames, 1).await.unwrap(), [1, 0, 2, 0, 3, 0, 4, 0]);
}

/// Eight bits in big endian OW lie in words of two, and the second frame of an odd size begins inside one.
#[tokio::test]
async fn bytes_in_big_endian_words_leave_in_their_order() {
    let mut dataset = native(BIG, 2, 3, 8, 18);
    dataset.extend((0..9u8).flat_map(|word| [2 * word + 1, 2 * word]));
    let source = Bytes::from(file(BIG, &dataset));
    let head = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &head).await.unwrap();
    assert_eq!(frame(&source, &head, &frames, 1).await.unwrap(), (0..9).collect::<Vec<u8>>());
    assert_eq!(frame(&source, &head, &frames, 2).await.unwrap(), (9..18).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_deflated_object_is_inflated_up_to_a_bound() {
    use std::io::Write as _;
    let deflated = |dataset: &[u8]| {
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(dataset).unwrap();
        Bytes::from(file(DEFLATED, &out.finish().unwrap()))
    };
    let mut dataset = native(EXPLICIT, 1, 2, 16, 8);
    dataset.extend_from_slice(&[1, 0, 2, 0, 3, 0, 4, 0]);
    let source = deflated(&dataset);
    let opened = head(&source, Limits::default()).await.unwrap();
    let frames = Frames::find(&source, &opened).await.unwrap();
    assert_eq!(frame(&source, &opened, &frames, 1).await.unwrap(), [1, 0, 2, 0, 3, 0, 4, 0]);
    dataset.resize(65 << 20, 0);
    let long = deflated(&dataset);
    let bomb = head(&long, Limits::default()).await;
    assert!(matches!(bomb, Err(RangedError::DeflatedTooLarge)), "{bomb:?}");
    let (before, syntax) = leading(&long, Limits::default()).await.unwrap();
    assert_eq!(
        (before.text(SOP_INSTANCE_UID), syntax.as_str()),
        ("1.2.30", DEFLATED),
        "who gives it out whole needs no more"
    );
}

#[tokio::test]
async fn what_is_cut_off_has_fewer_frames() {
    let mut dataset = native(EXPLICIT, 10, 2, 16, 80);
    dataset.extend_from_slice(&[1; 20]);
    let source = Bytes::from(file(EXPLICIT, &dataset));
    let head = head(&source, Limits::default()).await.unwrap();
    assert_eq!(Frames::find(&source, &head).await.unwrap().count(), 2);
}
