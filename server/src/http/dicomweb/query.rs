//! The query of a search (PS3.18 8.3.4, 10.6.1.2): keys, attributes to return, page.
//!
//! Attributes are named by keyword or by tag. A key that this index does not match is left out and named, so that the
//! answer can say so; a value that cannot be one of its attribute is an error.

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary as _, DataDictionaryEntry as _};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dokuei_models::store::image_search::{DayRange, ImageKeys, NamePattern, TextPattern, TimeRange};

/// Rows that a search gives at the most where it names no study.
pub const MOST: u32 = 1_000;
/// Rows that a search within one study gives at the most.
pub const MOST_OF_STUDY: u32 = 10_000;
/// UIDs that one key may list.
const MOST_UIDS: usize = 2_000;

/// A search as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// What must match.
    pub keys: ImageKeys,
    /// Attributes to return besides the usual ones.
    pub include: Include,
    /// `limit`, if it was said.
    pub limit: Option<u32>,
    /// `offset`.
    pub offset: u32,
    /// Keys that were not matched, as they were written.
    pub unmatched: Vec<String>,
}

/// `includefield`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Include {
    /// Everything that the header has.
    pub all: bool,
    /// These attributes.
    pub tags: Vec<Tag>,
}

/// A query that cannot be understood: the parameter's name. Its value may name a patient and is not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadQuery(pub String);

/// The attribute of a keyword (`PatientName`) or tag (`00100010`).
pub fn attribute(name: &str) -> Option<Tag> {
    if name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let part = |range| u16::from_str_radix(&name[range], 16).ok();
        return Some(Tag(part(0..4)?, part(4..8)?));
    }
    StandardDataDictionary.by_name(name).map(|entry| entry.tag())
}

/// A percent-encoded value of a query, `+` being a blank.
pub fn decoded(value: &str) -> String {
    let raw = value.as_bytes();
    let digit = |at: usize| raw.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut bytes, mut at) = (Vec::with_capacity(raw.len()), 0);
    while let Some(&byte) = raw.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are one byte.
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Search {
    /// Reads a query string.
    ///
    /// # Errors
    /// The first parameter whose value cannot be understood.
    pub fn parse(query: &str) -> Result<Self, BadQuery> {
        let pairs: Vec<(String, String)> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let fuzzy = pairs.iter().any(|(name, value)| name == "fuzzymatching" && value.eq_ignore_ascii_case("true"));
        let mut search = Self::default();
        for (name, value) in &pairs {
            search.take(name, value, fuzzy).ok_or_else(|| BadQuery(name.chars().take(64).collect()))?;
        }
        Ok(search)
    }

    fn take(&mut self, name: &str, value: &str, fuzzy: bool) -> Option<()> {
        match name {
            "limit" => self.limit = Some(value.parse().ok()?),
            "offset" => self.offset = value.parse().ok()?,
            "includefield" => self.include.take(value)?,
            "fuzzymatching" => matches!(value.to_ascii_lowercase().as_str(), "true" | "false").then_some(())?,
            // The media type is wanted elsewhere; the other is of 8.3.4.5 and changes nothing of a match.
            "accept" | "charset" | "emptyvaluematching" | "multiplevaluematching" => {}
            _ => {
                let matched = match attribute(name) {
                    Some(tag) => self.key(tag, value, fuzzy)?,
                    None => false,
                };
                if !matched && !value.is_empty() {
                    self.unmatched.push(name.chars().take(64).collect());
                }
            }
        }
        Some(())
    }

    /// Whether the attribute is matched; `None` for a value that cannot be one of it.
    fn key(&mut self, tag: Tag, value: &str, fuzzy: bool) -> Option<bool> {
        let keys = &mut self.keys;
        let text = || TextPattern::parse(value);
        match tag {
            tags::PATIENT_ID => keys.patient_id = text(),
            tags::PATIENT_NAME => {
                keys.patient_name = if fuzzy { NamePattern::fuzzy(value) } else { NamePattern::parse(value) };
            }
            tags::PATIENT_BIRTH_DATE => keys.birth_date = DayRange::parse(value).ok()?,
            tags::PATIENT_SEX => keys.sex = text(),
            tags::STUDY_INSTANCE_UID => uids(&mut keys.study_uids, value)?,
            tags::ACCESSION_NUMBER => keys.accession_number = text(),
            tags::STUDY_DATE => keys.study_date = DayRange::parse(value).ok()?,
            tags::STUDY_TIME => keys.study_time = TimeRange::parse(value).ok()?,
            tags::STUDY_ID => keys.study_id = text(),
            tags::STUDY_DESCRIPTION => keys.study_description = text(),
            tags::REFERRING_PHYSICIAN_NAME => keys.referring_physician = text(),
            tags::INSTITUTION_NAME => keys.institution = text(),
            tags::MODALITIES_IN_STUDY => return list(&mut keys.modalities_in_study, value),
            tags::SERIES_INSTANCE_UID => uids(&mut keys.series_uids, value)?,
            tags::MODALITY => return list(&mut keys.modalities, value),
            tags::SERIES_NUMBER => keys.series_number = number(value)?,
            tags::SERIES_DESCRIPTION => keys.series_description = text(),
            tags::PROTOCOL_NAME => keys.protocol = text(),
            tags::BODY_PART_EXAMINED => keys.body_part = text(),
            tags::LATERALITY => keys.laterality = text(),
            tags::SOP_INSTANCE_UID => uids(&mut keys.sop_instance_uids, value)?,
            tags::SOP_CLASS_UID => uids(&mut keys.sop_class_uids, value)?,
            tags::INSTANCE_NUMBER => keys.instance_number = number(value)?,
            _ => return Some(false),
        }
        Some(true)
    }
}

impl Include {
    fn take(&mut self, value: &str) -> Option<()> {
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name.eq_ignore_ascii_case("all") {
                self.all = true;
            } else {
                // An attribute within a sequence brings its sequence.
                self.tags.push(attribute(name.split('.').next().unwrap_or(name))?);
            }
        }
        Some(())
    }
}

fn uids(list: &mut Vec<String>, value: &str) -> Option<()> {
    for uid in value.split([',', '\\']).map(str::trim).filter(|uid| !uid.is_empty() && *uid != "*") {
        let sound = uid.len() <= 64 && uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !sound || list.len() >= MOST_UIDS {
            return None;
        }
        list.push(uid.to_owned());
    }
    Some(())
}

/// Codes; one with a wildcard in it is not matched.
fn list(codes: &mut Vec<String>, value: &str) -> Option<bool> {
    for code in value.split([',', '\\']).map(str::trim).filter(|code| !code.is_empty() && *code != "*") {
        if code.contains(['*', '?']) {
            return Some(false);
        }
        codes.push(code.to_owned());
    }
    Some(true)
}

fn number(value: &str) -> Option<Option<i32>> {
    match value.trim() {
        "" | "*" => Some(None),
        value => value.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ohif_asks_for_is_understood() {
        let search = Search::parse(
            "limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060,00080090,PatientBirthDate\
             &PatientName=*%E5%B1%B1%E7%94%B0*&00100020=*12*&StudyDate=20260401-20260430&ModalitiesInStudy=CT%5CMR",
        )
        .unwrap();
        assert_eq!(search.limit, Some(101));
        assert_eq!(search.include.tags.len(), 4);
        assert_eq!(search.include.tags[3], tags::PATIENT_BIRTH_DATE);
        assert_eq!(search.keys.patient_name, NamePattern::parse("*山田*"));
        assert_eq!(search.keys.patient_id, TextPattern::parse("*12*"));
        assert_eq!(search.keys.modalities_in_study, ["CT", "MR"]);
        assert!(search.keys.study_date.is_some() && search.unmatched.is_empty());
    }

    #[test]
    fn what_is_not_matched_is_named_and_nonsense_is_refused() {
        let search = Search::parse("PatientComments=x&00091001=1&StudyDescription=&nonsense=1&Modality=C*").unwrap();
        assert_eq!(search.unmatched, ["PatientComments", "00091001", "nonsense", "Modality"]);
        for (query, name) in [
            ("StudyDate=yesterday", "StudyDate"),
            ("StudyInstanceUID=1.2;DROP", "StudyInstanceUID"),
            ("limit=-1", "limit"),
            ("includefield=NoSuchThing", "includefield"),
            ("fuzzymatching=perhaps", "fuzzymatching"),
            ("SeriesNumber=one", "SeriesNumber"),
        ] {
            assert_eq!(Search::parse(query), Err(BadQuery(name.to_owned())), "{query}");
        }
    }

    #[test]
    fn lists_and_repeats_gather() {
        let search = Search::parse("StudyInstanceUID=1.2,1.3&0020000D=1.4&includefield=all").unwrap();
        assert_eq!(search.keys.study_uids, ["1.2", "1.3", "1.4"]);
        assert!(search.include.all);
        assert_eq!(
            Search::parse("PatientName=KAKUU+TAROU").unwrap().keys.patient_name,
            NamePattern::parse("KAKUU TAROU")
        );
    }
}
