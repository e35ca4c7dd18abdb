//! Reads what is given in every way in which an object is read here.
//!
//! The first byte says what the rest is: a data set in one of several transfer syntaxes, a file, or a text with its
//! character sets before the first line feed. Nothing may panic or take memory that a length field claims; the reader
//! of long objects must name the same instance as the one of short ones, and what we write of it must be readable.
//!
//! The same file is compiled into the fuzz target and into the test that replays its corpus.

use std::sync::OnceLock;

use bytes::Bytes;
use dokuei_dicom_gateway::charset::{CharacterSets, NameForm, Repertoire};
use dokuei_dicom_gateway::dataset::{self, Bulk, DataSet, Limits, ReadError, Syntax};
use dokuei_dicom_gateway::fileset::FileSet;
use dokuei_dicom_gateway::header::{self, HeaderError};
use dokuei_dicom_gateway::intake::ReceivedObject;
use dokuei_dicom_gateway::ranged::{self, Frames};
use dokuei_dicom_gateway::uid::Uid;
use tokio::runtime::Runtime;

const SYNTAXES: [&str; 6] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.90",
    "",
];
const KEY_OBJECT_SELECTION: &str = "1.2.840.10008.5.1.4.1.1.88.59";
const LIMITS: Limits = Limits { inline: 1 << 20, elements: 20_000 };

/// One object, or one text.
pub fn read(bytes: &[u8]) {
    let Some((&what, rest)) = bytes.split_first() else { return };
    match what % 8 {
        index @ 0..=5 => data_set(rest, SYNTAXES[usize::from(index)]),
        6 => file(rest),
        _ => text(rest),
    }
}

fn data_set(bytes: &[u8], syntax: &str) {
    let short = header::read_dataset(bytes, syntax);
    let long = header::read_long(&bytes, syntax).expect("a slice is always read");
    if let (Ok(short), Ok(long)) = (&short, &long) {
        assert_eq!(short.sop_instance, long.sop_instance);
        assert_eq!(short.study_uid, long.study_uid);
        assert_eq!(short.series_uid, long.series_uid);
        assert!(short.patient == long.patient, "another patient by the other reader");
    }
    let _ = header::rejection(bytes, syntax, KEY_OBJECT_SELECTION);
    let _ = dataset::read_first(bytes, syntax, LIMITS);
    match dataset::read(bytes, syntax, LIMITS) {
        Ok(read) => written(&read),
        Err(ReadError::Broken(HeaderError::TooDeep)) => {
            assert!(short.is_err(), "an object that is nested too deep must not be filed");
        }
        Err(_) => {}
    }
}

/// What is written of a data set is read again, and goes into a directory of a medium.
fn written(read: &DataSet) {
    let mut place = |_: Bulk<'_>| None;
    let _ = dataset::to_json(read, &mut place);
    for (syntax, uid) in [(Syntax::Explicit, SYNTAXES[1]), (Syntax::Implicit, SYNTAXES[0])] {
        for repertoire in [Repertoire::utf8(), Repertoire::kanji()] {
            if let Ok(written) = dataset::write(read, syntax, &repertoire, NameForm::All) {
                dataset::read(&written.bytes, uid, LIMITS).expect("what we have written");
            }
        }
    }
    let instance = Uid::parse(b"2.25.1").expect("a UID");
    let mut set = FileSet::new("DOKUEI", instance, ("20261001".to_owned(), "090000".to_owned()));
    let path = set.add(read, SYNTAXES[1]).path();
    assert!(path.len() <= 35, "a file ID is too long");
    let directory = set.directory().expect("a small directory");
    dataset::read_file(&directory, LIMITS).expect("a directory of ours");
}

fn file(bytes: &[u8]) {
    let _ = header::read_file(bytes);
    let _ = header::lines(bytes);
    if let Ok(object) = ReceivedObject::from_file(bytes) {
        let kept = object.file().expect("in memory").clone();
        let parts = header::split_file(&kept).expect("a file of ours");
        assert_eq!(
            &kept[parts.dataset_at..],
            object.dataset().expect("in memory"),
            "the data set must be kept as it is"
        );
    }
    if let Ok(read) = dataset::read_file(bytes, LIMITS) {
        written(&read);
    }
    runtime().block_on(frames(Bytes::copy_from_slice(bytes)));
}

/// The head, and the first and the last frame by their offsets.
async fn frames(source: Bytes) {
    let Ok(head) = ranged::head(&source, LIMITS).await else { return };
    let Ok(frames) = Frames::find(&source, &head).await else { return };
    for frame in [1, frames.count(), frames.count().saturating_add(1)] {
        let Ok((pieces, length)) = frames.pieces(&source, &head, frame).await else { continue };
        let mut read = 0;
        for piece in pieces {
            match piece.read(&source, &head).await {
                Ok(bytes) => read += bytes.len() as u64,
                Err(_) => return,
            }
        }
        assert_eq!(read, length, "a frame is as long as was said");
    }
}

fn text(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (declared, raw) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let sets = CharacterSets::parse(declared);
    let (whole, values, names) = (sets.text(raw), sets.values(raw), sets.person_names(raw));
    let declared: String = declared.iter().map(|&byte| char::from(byte)).collect();
    let Some(repertoire) = Repertoire::parse(&declared) else { return };
    let sets = CharacterSets::parse(repertoire.declared().as_bytes());
    let _ = repertoire.names(&names, NameForm::All);
    // Some characters of Unicode are one in JIS (— and ―): what is read back is another one, and written the same. What
    // is written as a space may be padding when it is read.
    let plain = |c: char| c != '\\' && (c == ' ' || !c.is_whitespace() && !c.is_control());
    let encoded = repertoire.values(&values);
    if !encoded.lossy && values.iter().all(|value| value.chars().all(plain)) {
        let again = repertoire.values(&sets.values(&encoded.bytes));
        assert!(!again.lossy && again.bytes == encoded.bytes, "what is written is read and written again");
    }
    let _ = repertoire.text(&whole);
}

fn runtime() -> &'static Runtime {
    static ONE: OnceLock<Runtime> = OnceLock::new();
    ONE.get_or_init(|| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"))
}
