use dicom_core::VR;
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::*;
use crate::charset::{NameForm, Repertoire};
use crate::header::{HeaderError, MAX_DEPTH};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG: &str = "1.2.840.10008.1.2.2";

fn answer() -> DataSet {
    let mut step = DataSet::default();
    step.put(tags::MODALITY, "CT").put(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION, "日本病院");
    let mut out = DataSet::default();
    out.put(tags::PATIENT_NAME, "Matsumoto^Ichirou=松本^一郎=まつもと^いちろう")
        .put(tags::PATIENT_ID, "0012")
        .put_all(tags::MODALITIES_IN_STUDY, vec!["CT".into(), "SR".into()])
        .put(tags::INSTITUTION_NAME, "日本病院")
        .put(tags::STUDY_INSTANCE_UID, "1.2.3")
        .put_items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE, vec![step, DataSet::default()])
        .put_items(tags::REQUESTED_PROCEDURE_CODE_SEQUENCE, Vec::new())
        .put_empty(tags::ACCESSION_NUMBER, VR::SH)
        .put_u16(tags::ROWS, 512);
    out
}

fn written(dataset: &DataSet, syntax: Syntax, declared: &str) -> Vec<u8> {
    let written = write(dataset, syntax, &Repertoire::parse(declared).unwrap(), NameForm::All).unwrap();
    assert!(!written.lossy && written.bytes.len().is_multiple_of(2));
    written.bytes
}

#[test]
fn an_answer_is_the_same_after_writing_and_reading_in_every_set_and_syntax() {
    for declared in ["\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87", "ISO_IR 192", "GB18030"] {
        for (syntax, uid) in [(Syntax::Explicit, EXPLICIT), (Syntax::Implicit, IMPLICIT)] {
            let bytes = written(&answer(), syntax, declared);
            let mut read = read(&bytes, uid, Limits::default()).unwrap();
            assert_eq!(read.texts(tags::SPECIFIC_CHARACTER_SET).join("\\"), declared);
            read.remove(tags::SPECIFIC_CHARACTER_SET);
            assert_eq!(read.iter().count(), answer().iter().count(), "{declared}");
            assert!(read == answer(), "{declared} {uid}");
        }
    }
}

#[test]
fn an_item_has_the_character_set_around_it_unless_it_says_its_own() {
    let mut inner =
        written(&answer().items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE)[0], Syntax::Explicit, "ISO_IR 192");
    let mut bytes =
        written(DataSet::default().put(tags::INSTITUTION_NAME, "宮崎"), Syntax::Explicit, "\\ISO 2022 IR 87");
    bytes.extend([0x40, 0x00, 0x00, 0x01, b'S', b'Q', 0, 0]);
    bytes.extend((inner.len() as u32 + 8).to_le_bytes());
    bytes.extend([0xFE, 0xFF, 0x00, 0xE0]);
    bytes.extend((inner.len() as u32).to_le_bytes());
    bytes.append(&mut inner);
    bytes.extend(written(DataSet::default().put(tags::REQUESTED_PROCEDURE_COMMENTS, ""), Syntax::Explicit, ""));
    let read = read(&bytes, EXPLICIT, Limits::default()).unwrap();
    let item = &read.items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE)[0];
    assert_eq!(item.text(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION), "日本病院");
    assert_eq!(read.text(tags::INSTITUTION_NAME), "宮崎");
}

#[test]
fn big_endian_numbers_are_little_endian_afterwards() {
    let bytes = [0x00, 0x28, 0x00, 0x10, b'U', b'S', 0, 2, 0x02, 0x00];
    // A head of group 0028 alone does not show its order, so the declared one holds.
    let read = read(&bytes, BIG, Limits::default()).unwrap();
    assert_eq!(read.integer(tags::ROWS), Some(512));
}

#[test]
fn a_long_value_stays_where_it_is() {
    let mut dataset = answer();
    dataset.insert(tags::ENCAPSULATED_DOCUMENT, VR::OB, Value::Bytes(vec![7; 5000].into()));
    let bytes = written(&dataset, Syntax::Explicit, "ISO_IR 192");
    let read = read(&bytes, EXPLICIT, Limits { inline: 100, ..Limits::default() }).unwrap();
    let Value::Elsewhere { at, length: Some(5000) } = read.get(tags::ENCAPSULATED_DOCUMENT).unwrap().value else {
        panic!("it was copied")
    };
    assert!(bytes[at as usize..][..5000].iter().all(|byte| *byte == 7));
    let refused = write(&read, Syntax::Explicit, &Repertoire::utf8(), NameForm::All);
    assert_eq!(refused, Err(WriteError::Elsewhere(tags::ENCAPSULATED_DOCUMENT)));
    let first = read_first(&bytes[..at as usize + 10], EXPLICIT, Limits::default()).unwrap();
    assert!(first.get(tags::ENCAPSULATED_DOCUMENT) == read.get(tags::ENCAPSULATED_DOCUMENT));
    let cut = super::read(&bytes[..at as usize + 10], EXPLICIT, Limits::default());
    assert!(matches!(cut, Err(ReadError::Broken(HeaderError::Truncated { .. }))));
}

#[test]
fn more_elements_than_allowed_are_refused() {
    let bytes = written(&answer(), Syntax::Explicit, "ISO_IR 192");
    let limits = Limits { elements: 5, ..Limits::default() };
    assert_eq!(read(&bytes, EXPLICIT, limits), Err(ReadError::TooMany));
}

#[test]
fn nesting_stops_where_the_header_reader_stops() {
    let mut bytes = Vec::new();
    for _ in 0..MAX_DEPTH + 10 {
        bytes.extend([0x08, 0x00, 0x40, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        bytes.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    assert_eq!(read(&bytes, EXPLICIT, Limits::default()), Err(HeaderError::TooDeep.into()));
}

#[test]
fn debug_output_shows_no_value() {
    let shown = format!("{:?} {:?}", answer(), answer().get(tags::PATIENT_NAME));
    for secret in ["Matsumoto", "松本", "0012"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn json_is_what_annex_f_says() {
    let mut dataset = answer();
    dataset.insert(tags::PIXEL_DATA, VR::OW, Value::Elsewhere { at: 9, length: Some(4) });
    dataset.put(tags::SPECIFIC_CHARACTER_SET, "ISO 2022 IR 87");
    dataset.put_all(tags::PIXEL_SPACING, vec!["0.50".into(), "x".into()]);
    let json = serde_json::Value::Object(to_json(&dataset, &mut |bulk| {
        assert_eq!((bulk.tag, bulk.length), (tags::PIXEL_DATA, Some(4)));
        Some("https://there/bulk".to_owned())
    }));
    assert_eq!(
        json["00100010"],
        serde_json::json!({"vr": "PN", "Value": [{
            "Alphabetic": "Matsumoto^Ichirou", "Ideographic": "松本^一郎", "Phonetic": "まつもと^いちろう"
        }]})
    );
    assert_eq!(json["00080005"]["Value"][0], "ISO_IR 192");
    assert_eq!(json["00080050"], serde_json::json!({"vr": "SH"}));
    assert_eq!(json["00280010"], serde_json::json!({"vr": "US", "Value": [512]}));
    assert_eq!(json["00280030"], serde_json::json!({"vr": "DS", "Value": [0.5, "x"]}));
    assert_eq!(json["00400100"]["Value"][0]["00080060"]["Value"][0], "CT");
    assert_eq!(json["00400100"]["Value"][1], serde_json::json!({}));
    assert_eq!(json["00321064"], serde_json::json!({"vr": "SQ"}));
    assert_eq!(json["7FE00010"], serde_json::json!({"vr": "OW", "BulkDataURI": "https://there/bulk"}));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_is_written_alike(
        bytes in proptest::collection::vec(any::<u8>(), 0..400), which in 0..3_usize,
    ) {
        if let Ok(first) = read(&bytes, [EXPLICIT, IMPLICIT, BIG][which], Limits::default()) {
            if let Ok(written) = write(&first, Syntax::Explicit, &Repertoire::utf8(), NameForm::All) {
                read(&written.bytes, EXPLICIT, Limits::default()).unwrap();
            }
            to_json(&first, &mut |_| None);
        }
    }
}
