//! The DICOM JSON model (PS3.18 annex F).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde_json::{Map, Number, Value as Json, json};

use super::{DataSet, Value};
use crate::charset::PersonName;

/// A binary value for which the writer asks where it can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk<'a> {
    /// The way down: sequences with the index of their item, from 0.
    pub path: &'a [(Tag, usize)],
    /// The element.
    pub tag: Tag,
    /// Its VR.
    pub vr: VR,
    /// In bytes; `None` for encapsulated pixels.
    pub length: Option<u64>,
}

/// The data set as a JSON object: UTF-8 (0008,0005 says so where it was there), names in
/// their groups, numbers as numbers. For each value in binary `bulk` may give a
/// BulkDataURI; else it stands inline, and one that was left in its source is left out.
pub fn to_json(dataset: &DataSet, bulk: &mut dyn FnMut(Bulk<'_>) -> Option<String>) -> Map<String, Json> {
    object(dataset, &mut Vec::new(), bulk)
}

/// Recursive, as deep as the value is nested, which the reader bounds.
fn object(
    dataset: &DataSet,
    path: &mut Vec<(Tag, usize)>,
    bulk: &mut dyn FnMut(Bulk<'_>) -> Option<String>,
) -> Map<String, Json> {
    let mut out = Map::new();
    for (tag, element) in dataset.iter() {
        // Group lengths and file meta information are not part of it (F.2.2).
        if tag.element() == 0 || tag.group() == 2 {
            continue;
        }
        let mut entry = Map::new();
        entry.insert("vr".to_owned(), Json::String(element.vr.to_string().to_owned()));
        let values = match &element.value {
            Value::Sequence(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    path.push((tag, index));
                    values.push(Json::Object(object(item, path, bulk)));
                    path.pop();
                }
                values
            }
            Value::Names(names) => names.iter().map(name).collect(),
            Value::Text(_) if tag == tags::SPECIFIC_CHARACTER_SET => vec![json!("ISO_IR 192")],
            Value::Text(values) => values.iter().map(|text| text_value(element.vr, text)).collect(),
            Value::Bytes(bytes) => match numbers(element.vr, bytes) {
                Some(numbers) => numbers,
                None => {
                    let length = Some(bytes.len() as u64);
                    match (bytes.is_empty(), bulk(Bulk { path, tag, vr: element.vr, length })) {
                        (true, _) => {}
                        (false, Some(uri)) => drop(entry.insert("BulkDataURI".to_owned(), Json::String(uri))),
                        (false, None) => {
                            drop(entry.insert("InlineBinary".to_owned(), Json::String(STANDARD.encode(bytes))));
                        }
                    }
                    Vec::new()
                }
            },
            Value::Elsewhere { length, .. } => {
                if let Some(uri) = bulk(Bulk { path, tag, vr: element.vr, length: *length }) {
                    entry.insert("BulkDataURI".to_owned(), Json::String(uri));
                }
                Vec::new()
            }
        };
        if values.iter().any(|value| !value.is_null()) {
            entry.insert("Value".to_owned(), Json::Array(values));
        }
        out.insert(key(tag), Json::Object(entry));
    }
    out
}

/// `00100010`.
fn key(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

fn name(name: &PersonName) -> Json {
    let groups =
        [("Alphabetic", name.alphabetic()), ("Ideographic", name.ideographic()), ("Phonetic", name.phonetic())];
    let groups: Map<String, Json> = groups
        .into_iter()
        .filter(|(_, group)| !group.is_empty())
        .map(|(key, group)| (key.to_owned(), Json::String(group.to_owned())))
        .collect();
    if groups.is_empty() { Json::Null } else { Json::Object(groups) }
}

fn text_value(vr: VR, text: &str) -> Json {
    if text.is_empty() {
        return Json::Null;
    }
    let number = match vr {
        VR::IS => text.trim().trim_start_matches('+').parse::<i64>().ok().map(Number::from),
        VR::DS => text.trim().parse::<f64>().ok().and_then(Number::from_f64),
        _ => None,
    };
    // What is not a number after all stays the text that it is (F.2.3.1 allows both).
    number.map_or_else(|| Json::String(text.to_owned()), Json::Number)
}

/// The numbers of a binary VR; `None` if its values are not numbers.
fn numbers(vr: VR, bytes: &[u8]) -> Option<Vec<Json>> {
    fn each<const N: usize>(bytes: &[u8], to: impl Fn([u8; N]) -> Json) -> Vec<Json> {
        bytes.chunks_exact(N).filter_map(|chunk| <[u8; N]>::try_from(chunk).ok()).map(to).collect()
    }
    let real = |number: f64| Number::from_f64(number).map_or(Json::Null, Json::Number);
    Some(match vr {
        VR::US => each(bytes, |raw| u16::from_le_bytes(raw).into()),
        VR::SS => each(bytes, |raw| i16::from_le_bytes(raw).into()),
        VR::UL => each(bytes, |raw| u32::from_le_bytes(raw).into()),
        VR::SL => each(bytes, |raw| i32::from_le_bytes(raw).into()),
        VR::UV => each(bytes, |raw| u64::from_le_bytes(raw).into()),
        VR::SV => each(bytes, |raw| i64::from_le_bytes(raw).into()),
        // By way of its shortest text: 0.1 in 32 bits is 0.1, not 0.10000000149.
        VR::FL => each(bytes, |raw| f32::from_le_bytes(raw).to_string().parse().map_or(Json::Null, real)),
        VR::FD => each(bytes, |raw| real(f64::from_le_bytes(raw))),
        VR::AT => {
            each(bytes, |[a, b, c, d]| Json::String(key(Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))))
        }
        _ => return None,
    })
}
