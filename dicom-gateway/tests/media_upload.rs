//! What people upload: good media, broken media, hostile media.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use std::io::{Cursor, Write};

use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::media::{Archive, Entry, Found, Kind, Limits, Refusal, classify, normalise};
use dokuei_dicom_gateway::part10::file_meta;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An explicit little endian element with a short head.
fn element(group: u16, element: u16, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = [group.to_le_bytes(), element.to_le_bytes()].concat();
    out.extend_from_slice(vr);
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    out
}

fn dataset() -> Vec<u8> {
    [
        element(0x0008, 0x0016, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0"),
        element(0x0008, 0x0018, b"UI", b"1.2.3.4\0"),
        element(0x0010, 0x0020, b"LO", b"0042"),
        element(0x0020, 0x000D, b"UI", b"1.2.3\0"),
        element(0x0020, 0x000E, b"UI", b"1.2.30"),
    ]
    .concat()
}

fn part10() -> Vec<u8> {
    let mut file = file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4", "1.2.840.10008.1.2.1");
    file.extend(dataset());
    file
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn all(zip: &[u8], limits: Limits) -> Vec<Entry> {
    Archive::open(Cursor::new(zip), limits, tempfile::tempfile).unwrap().collect()
}

fn refusals(entries: &[Entry]) -> Vec<Refusal> {
    entries
        .iter()
        .filter_map(|entry| match entry.found {
            Found::Refused(refusal) => Some(refusal),
            _ => None,
        })
        .collect()
}

#[test]
fn a_cd_gives_its_images_and_names_the_rest() {
    let mut directory = file_meta("1.2.840.10008.1.3.10", "1.2.9", "1.2.840.10008.1.2.1");
    directory.extend(element(0x0004, 0x1130, b"CS", b"CD"));
    let zip = zip_of(&[
        ("DICOMDIR", &directory),
        ("IMAGES/I0001", &part10()),
        ("../../etc/I0002", &part10()),
        ("bare", &dataset()),
        ("VIEWER/viewer.exe", b"MZ\x90\0 a program"),
        ("request.pdf", b"%PDF-1.4 scanned"),
    ]);
    let entries = all(&zip, Limits::default());
    let mut objects = 0;
    for entry in &entries {
        if let Found::Dicom(bytes) = &entry.found {
            assert_eq!(header::read_file(bytes).unwrap().sop_instance.as_str(), "1.2.3.4");
            assert_eq!(&bytes[128..132], b"DICM");
            objects += 1;
        }
    }
    assert_eq!(objects, 3);
    let ignored: Vec<_> = entries
        .iter()
        .filter_map(|e| if let Found::Ignored(kind) = e.found { Some((e.name.as_str(), kind)) } else { None })
        .collect();
    assert_eq!(ignored, [("VIEWER/viewer.exe", Kind::Other), ("request.pdf", Kind::Pdf)]);
    assert!(matches!(&entries[0].found, Found::Directory(bytes) if *bytes == directory), "never an image");
    assert!(refusals(&entries).is_empty());
}

#[test]
fn a_zip_bomb_is_stopped_early_and_said_to_be_one() {
    // An object that claims 300 MB of zeros: packed a thousandfold.
    let mut bomb = part10();
    bomb.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    bomb.extend_from_slice(&300_000_000_u32.to_le_bytes());
    bomb.resize(bomb.len() + 300_000_000, 0);
    let zip = zip_of(&[("a", &part10()), ("bomb", &bomb), ("after", &part10())]);
    assert!(zip.len() < 2_000_000);
    let entries = all(&zip, Limits::default());
    assert!(matches!(entries[0].found, Found::Dicom(_)));
    assert_eq!(refusals(&entries), [Refusal::Ratio(200)]);
    assert_eq!(entries.len(), 2, "nothing is read behind a bomb");
    assert!(Refusal::Ratio(200).to_string().contains("ZIP bomb"));
}

/// A directory can say anything: memory is set aside for what it says, and what comes out is held to it.
#[test]
fn an_entry_that_turns_out_larger_than_it_says_is_refused_where_it_does() {
    let mut large = part10();
    large.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    large.extend_from_slice(&8_000_000_u32.to_le_bytes());
    large.resize(large.len() + 8_000_000, 0);
    let mut zip = zip_of(&[("liar", &large), ("after", &part10())]);
    assert!(refusals(&all(&zip, Limits::default())).is_empty(), "it is taken while it says the truth");
    // The central directory's header: 4 bytes of signature, the uncompressed size at 24 (APPNOTE 4.3.12).
    let directory = zip.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a central directory");
    zip[directory + 24..directory + 28].copy_from_slice(&2_000_u32.to_le_bytes());
    let entries = all(&zip, Limits::default());
    assert_eq!(refusals(&entries), [Refusal::Checksum]);
    assert!(matches!(entries[1].found, Found::Dicom(_)), "the next one is none the worse");
}

#[test]
fn a_blank_slice_is_not_taken_for_a_bomb() {
    let mut blank = part10();
    blank.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    blank.extend_from_slice(&8_000_000_u32.to_le_bytes());
    blank.resize(blank.len() + 8_000_000, 0);
    let entries = all(&zip_of(&[("blank", &blank)]), Limits::default());
    assert!(refusals(&entries).is_empty());
}

/// Memory holds no entry above a few MB, in whichever archive it is.
#[test]
fn an_entry_too_long_for_memory_goes_through_a_file_and_is_checked_as_a_short_one_is() {
    let noise: Vec<u8> = (0..1_500_000_u32).flat_map(|n| n.wrapping_mul(0x9E37_79B9).to_le_bytes()).collect();
    let mut long = part10();
    long.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    long.extend_from_slice(&(noise.len() as u32).to_le_bytes());
    long.extend_from_slice(&noise);
    let cut = &long[..long.len() - 2];
    let inner = zip_of(&[("in.dcm", &long)]);
    let zip = zip_of(&[("long.dcm", &long), ("cut.dcm", cut), ("inner.zip", &inner), ("b", &part10())]);
    let entries = all(&zip, Limits::default());
    let kinds: Vec<&str> = entries
        .iter()
        .map(|entry| match entry.found {
            Found::Long(_) => "long",
            Found::Dicom(_) => "short",
            Found::Refused(Refusal::Truncated) => "cut off",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["long", "cut off", "long", "short"]);
    assert_eq!(entries[2].name, "inner.zip!in.dcm");
}

#[test]
fn totals_entries_and_sizes_are_limited_by_what_comes_out() {
    let zip = zip_of(&[("a", &part10()), ("b", &part10()), ("c", &part10())]);
    let few = Limits { entries: 2, ..Limits::default() };
    assert_eq!(Archive::open(Cursor::new(&zip), few, tempfile::tempfile).err(), Some(Refusal::TooManyEntries(2)));
    let mut large = part10();
    large.extend(element(
        0x0020,
        0x4000,
        b"LT",
        &(0..5000_u32).flat_map(|n| n.wrapping_mul(0x9E37_79B9).to_le_bytes()).take(5000).collect::<Vec<_>>(),
    ));
    let zip = zip_of(&[("large", &large), ("b", &part10())]);
    let entries = all(&zip, Limits { entry_bytes: 3000, ..Limits::default() });
    assert_eq!(refusals(&entries), [Refusal::EntryTooLarge(3000)]);
    assert_eq!(entries.len(), 2, "the next entry is still read");
    let entries = all(&zip, Limits { total_bytes: 2000, ..Limits::default() });
    assert_eq!(refusals(&entries), [Refusal::TotalTooLarge(2000)]);
    assert_eq!(entries.len(), 1);
}

#[test]
fn one_inner_zip_is_opened_and_a_deeper_one_is_refused() {
    let inner = zip_of(&[("image", &part10())]);
    let outer = zip_of(&[("cd1.zip", &inner)]);
    let entries = all(&outer, Limits::default());
    assert_eq!(entries[0].name, "cd1.zip!image");
    assert!(matches!(entries[0].found, Found::Dicom(_)));
    let entries = all(&zip_of(&[("outermost.zip", &outer), ("b", &part10())]), Limits::default());
    assert_eq!(refusals(&entries), [Refusal::Nesting]);
    assert!(matches!(entries[1].found, Found::Dicom(_)));
}

#[test]
fn passwords_cut_archives_and_damaged_entries_are_told_apart() {
    // The encryption flag (bit 0) in local and central headers.
    let mut locked = zip_of(&[("a", &part10())]);
    locked[6] |= 1;
    let central = locked.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    locked[central + 8] |= 1;
    assert_eq!(refusals(&all(&locked, Limits::default())), [Refusal::Encrypted]);

    let whole = zip_of(&[("a", &part10())]);
    assert_eq!(
        Archive::open(Cursor::new(&whole[..whole.len() / 2]), Limits::default(), tempfile::tempfile).err(),
        Some(Refusal::BrokenArchive)
    );
    assert_eq!(
        Archive::open(Cursor::new(b"PK\x03\x04"), Limits::default(), tempfile::tempfile).err(),
        Some(Refusal::BrokenArchive)
    );

    let mut damaged = whole;
    let data = 30 + 1 + 20;
    damaged[data] ^= 0xFF;
    assert_eq!(refusals(&all(&damaged, Limits::default())), [Refusal::Checksum]);
}

#[test]
fn names_in_shift_jis_are_shown_right() {
    let mut zip = zip_of(&[("AAAA", &part10())]);
    // 画像 in Shift_JIS, in both headers.
    let name = [0x89, 0xE6, 0x91, 0x9C];
    let at: Vec<usize> = zip.windows(4).enumerate().filter(|(_, window)| window == b"AAAA").map(|(at, _)| at).collect();
    assert_eq!(at.len(), 2);
    for at in at {
        zip[at..at + 4].copy_from_slice(&name);
    }
    assert_eq!(all(&zip, Limits::default())[0].name, "画像");
}

#[test]
fn a_cut_object_and_an_object_without_identity_are_refused_with_the_reason() {
    let file = part10();
    assert_eq!(normalise(&file[..file.len() - 3]).err(), Some(Refusal::Truncated));
    assert_eq!(normalise(b"hello, I am a text file").err(), Some(Refusal::NotDicom));
    let nameless = element(0x0008, 0x0016, b"UI", b"1.2.840.10008.5.1.4.1.1.7\0");
    assert!(matches!(normalise(&nameless).err(), Some(Refusal::Damaged(_))));
    let mut cut = part10();
    cut.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0, 0, 1, 0, 0, 1, 2, 3]);
    assert_eq!(normalise(&cut).err(), Some(Refusal::Truncated));
}

#[test]
fn a_bare_object_becomes_a_file_with_its_data_set_unchanged() {
    let bare = dataset();
    assert_eq!(classify("IM001", &bare), Kind::BareDicom);
    let file = normalise(&bare).unwrap();
    assert!(file.ends_with(&bare));
    assert_eq!(classify("IM001", &file), Kind::Dicom);
    assert_eq!(normalise(&file).unwrap(), file);
}

#[test]
fn the_samples_are_told_for_what_they_are() {
    let Some(samples) = samples::Samples::find() else { return };
    for (name, expected) in [
        ("CT_small.dcm", Kind::Dicom),
        ("DICOMDIR", Kind::DicomDir),
        ("no_meta_group_length.dcm", Kind::Dicom),
        ("ExplVR_LitEndNoMeta.dcm", Kind::BareDicom),
        ("zipMR.gz", Kind::Other),
    ] {
        assert_eq!(classify(name, &std::fs::read(samples.path(name)).unwrap()), expected, "{name}");
    }
    assert_eq!(normalise(&std::fs::read(samples.path("MR_truncated.dcm")).unwrap()).err(), Some(Refusal::Truncated));
}

#[test]
fn no_cut_or_changed_zip_brings_the_process_down() {
    let zip = zip_of(&[("a", &part10()), ("inner.zip", &zip_of(&[("b", &dataset())]))]);
    for end in 0..zip.len() {
        if let Ok(archive) = Archive::open(Cursor::new(&zip[..end]), Limits::default(), tempfile::tempfile) {
            archive.for_each(drop);
        }
    }
    for at in 0..zip.len() {
        for mask in [0x01, 0x80, 0xFF] {
            let mut changed = zip.clone();
            changed[at] ^= mask;
            if let Ok(archive) = Archive::open(Cursor::new(&changed), Limits::default(), tempfile::tempfile) {
                archive.for_each(drop);
            }
        }
    }
}
