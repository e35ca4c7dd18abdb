//! What a typed form must hold to be kept; every fault is told at once.

use chrono::{NaiveDate, NaiveDateTime};
use dokuei_dicom_gateway::media::{self, Kind};
use dokuei_models::UserId;
use dokuei_models::japan;
use dokuei_models::names::{PatientIdRule, PatientName};
use dokuei_models::state::{RequestKind, Source};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::requests::NewRequest;
use dokuei_terms::Priority;

use super::{FormFile, Known, LARGEST_FORM, LONGEST_TEXT, MOST_FORMS, RequestForm};
use crate::app::due;
use crate::error::codes::{common, portal as codes};
use crate::error::{Code, Error, Result};

/// A name as a header writes it: the family name, `^`, the given name.
fn components(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("^")
}

pub(super) fn content_type(file: &FormFile) -> Option<&'static str> {
    match media::classify(&file.name, &file.bytes) {
        Kind::Pdf => Some("application/pdf"),
        Kind::Jpeg => Some("image/jpeg"),
        Kind::Png => Some("image/png"),
        _ => None,
    }
}

/// Faults of a form, gathered so that all are told at once.
#[derive(Default)]
struct Faults(Vec<(&'static str, &'static Code)>);

impl Faults {
    fn add(&mut self, field: &'static str, code: &'static Code) {
        self.0.push((field, code));
    }

    /// Trimmed, without control characters but line ends, at most `most` characters.
    fn text(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.add(field, &common::FIELD_INVALID);
        } else if text.chars().count() > most {
            self.add(field, &common::FIELD_TOO_LONG);
        }
        text
    }

    fn required(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = self.text(field, text, most);
        if text.is_empty() {
            self.add(field, &common::FIELD_REQUIRED);
        }
        text
    }

    fn code<T: std::str::FromStr>(&mut self, field: &'static str, text: &str, or: T) -> T {
        text.parse().unwrap_or_else(|_| {
            self.add(field, &common::FIELD_REQUIRED);
            or
        })
    }
}

/// What of the form is to be kept.
///
/// # Errors
/// `form_invalid` with every field that is wrong.
pub(super) fn check(form: &RequestForm, known: &Known, files: &[FormFile]) -> Result<NewRequest> {
    let mut faults = Faults::default();
    let rule: PatientIdRule = known.site.patient_id_rule.parse().map_err(Error::internal)?;
    let identity = check_identity(&mut faults, form, known.now);
    let accession_number = faults.text("accession_number", &form.accession_number, 16);
    if accession_number.contains('\\') {
        faults.add("accession_number", &common::FIELD_INVALID);
    }
    if accession_number.is_empty() && known.study.is_none() {
        faults.add("accession_number", &codes::KEY_REQUIRED);
    }
    let (ordering_user, ordering_doctor) = check_doctor(&mut faults, form, known);
    let kind = faults.code("kind", &form.kind, RequestKind::Reading);
    let source = faults.code("source", &form.source, Source::Outpatient);
    let priority = faults.code("priority", &form.priority, Priority::Routine);
    let phone = check_phone(&mut faults, &form.phone, priority);
    let question = faults.text("question", &form.question, LONGEST_TEXT);
    // A check-up asks nothing in particular, and an engine reads no question.
    if question.is_empty() && source != Source::Checkup && kind != RequestKind::AiOnly {
        faults.add("question", &common::FIELD_REQUIRED);
    }
    let wanted_by = check_wanted_by(&mut faults, &form.wanted_by, known.now);
    let expected_instances = match form.expected_instances.trim() {
        "" => None,
        text => match text.parse::<i32>() {
            Ok(count) if (1..=100_000).contains(&count) => Some(count),
            _ => {
                faults.add("expected_instances", &common::FIELD_INVALID);
                None
            }
        },
    };
    if files.iter().any(|file| file.bytes.len() > LARGEST_FORM) || files.len() > MOST_FORMS {
        faults.add("files", &codes::FORM_FILE_LARGE);
    } else if files.iter().any(|file| content_type(file).is_none()) {
        faults.add("files", &codes::FORM_FILE_KIND);
    }
    let new = NewRequest {
        site: known.site.id,
        accession_number,
        study_uid: known.study.as_ref().map(|study| study.study_uid.clone()).unwrap_or_default(),
        patient_key: rule.key(&identity.patient_id),
        identity,
        ordering_doctor,
        ordering_user,
        department: faults.text("department", &form.department, 100),
        phone,
        exam: faults.required("exam", &form.exam, 200),
        question,
        history: faults.text("history", &form.history, LONGEST_TEXT),
        kind,
        source,
        priority,
        wanted_by,
        expected_instances,
        is_default: false,
    };
    if faults.0.is_empty() {
        return Ok(new);
    }
    Err(faults.0.into_iter().fold(Error::new(&common::FORM_INVALID), |error, (field, code)| error.field(field, code)))
}

fn check_identity(faults: &mut Faults, form: &RequestForm, now: NaiveDateTime) -> Identity {
    let patient_id = faults.required("patient_id", &form.patient_id, 64);
    if patient_id.contains(['\\', '\n']) {
        faults.add("patient_id", &common::FIELD_INVALID);
    }
    let name = PatientName {
        alphabetic: components(&faults.text("name_latin", &form.name_latin, 64)),
        ideographic: components(&faults.text("name_kanji", &form.name_kanji, 64)),
        phonetic: components(&faults.text("name_kana", &form.name_kana, 64)),
    };
    if name == PatientName::default() {
        faults.add("name_kanji", &codes::NAME_REQUIRED);
    }
    let birth_date = NaiveDate::parse_from_str(form.birth_date.trim(), "%Y-%m-%d").ok();
    let first = NaiveDate::from_ymd_opt(1880, 1, 1).unwrap_or_default();
    if birth_date.is_none_or(|day| day > due::day_in_japan(now) || day < first) {
        faults.add(
            "birth_date",
            if form.birth_date.trim().is_empty() { &common::FIELD_REQUIRED } else { &codes::DAY_INVALID },
        );
    }
    let sex = form.sex.trim().to_owned();
    if !matches!(sex.as_str(), "M" | "F" | "O") {
        faults.add("sex", &common::FIELD_REQUIRED);
    }
    Identity { patient_id, name, birth_date, sex }
}

fn check_doctor(faults: &mut Faults, form: &RequestForm, known: &Known) -> (Option<UserId>, String) {
    let chosen = form.ordering_user.trim().parse::<UserId>().ok();
    if let Some((user, name, _)) = chosen.and_then(|chosen| known.doctors.iter().find(|(user, ..)| *user == chosen)) {
        return (Some(*user), name.clone());
    }
    if chosen.is_some() {
        faults.add("ordering_user", &common::FIELD_INVALID);
        return (None, String::new());
    }
    (None, faults.required("ordering_doctor", &form.ordering_doctor, 64))
}

fn check_phone(faults: &mut Faults, text: &str, priority: Priority) -> String {
    let phone = faults.text("phone", text, 30);
    let digits = phone.chars().filter(|c| c.is_numeric()).count();
    if phone.is_empty() {
        if priority == Priority::Stat {
            faults.add("phone", &codes::PHONE_FOR_STAT);
        }
    } else if digits < 3 || !phone.chars().all(|c| c.is_numeric() || "+-()－ー（） 内線x".contains(c)) {
        faults.add("phone", &codes::PHONE_INVALID);
    }
    phone
}

fn check_wanted_by(faults: &mut Faults, text: &str, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok();
    match local.map(japan::utc) {
        Some(at) if at > now => Some(at),
        Some(_) => {
            faults.add("wanted_by", &codes::WANTED_PAST);
            None
        }
        None => {
            faults.add("wanted_by", &codes::DAY_INVALID);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use dokuei_models::state::OrphanRule;
    use dokuei_models::store::sites::SiteRow;
    use dokuei_models::{PoolId, SiteId};

    use super::*;

    fn known() -> Known {
        let site = SiteRow {
            id: SiteId(1),
            pool_id: PoolId(1),
            code: "a".to_owned(),
            name_ja: "星空".to_owned(),
            name_en: "Hoshizora".to_owned(),
            refers: true,
            reads: false,
            insured: true,
            institution_code: None,
            phone: String::new(),
            email: String::new(),
            patient_id_rule: "exact".to_owned(),
            orphan_rule: OrphanRule::Wait,
            orphan_wait_minutes: 60,
            comparison_after_days: 365,
            quiet_seconds: 5,
            unknown_classes: false,
            standing_notes: String::new(),
            demo: true,
            research: false,
            active: true,
            version: 1,
        };
        let now = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap().and_hms_opt(3, 0, 0).unwrap();
        Known { site, doctors: vec![(UserId(7), "架空 太郎".to_owned(), String::new())], study: None, now }
    }

    fn good() -> RequestForm {
        RequestForm {
            accession_number: "A-1".to_owned(),
            patient_id: "0012".to_owned(),
            name_kanji: "架空　花子".to_owned(),
            birth_date: "1960-04-01".to_owned(),
            sex: "F".to_owned(),
            ordering_user: "7".to_owned(),
            exam: "胸部 CT".to_owned(),
            question: "肺塞栓の有無".to_owned(),
            kind: "reading".to_owned(),
            source: "ward".to_owned(),
            priority: "routine".to_owned(),
            ..RequestForm::default()
        }
    }

    fn faults(form: &RequestForm, files: &[FormFile]) -> Vec<(String, &'static str)> {
        match check(form, &known(), files) {
            Ok(_) => Vec::new(),
            Err(error) => error.fields().iter().map(|(field, code)| (field.clone(), code.name)).collect(),
        }
    }

    #[test]
    fn a_complete_form_is_taken_with_the_name_as_a_header_writes_it() {
        let new = check(&good(), &known(), &[]).unwrap();
        assert_eq!(new.identity.name.ideographic, "架空^花子");
        assert_eq!((new.ordering_user, new.ordering_doctor.as_str()), (Some(UserId(7)), "架空 太郎"));
    }

    #[test]
    fn a_stat_request_needs_a_number_that_answers() {
        let stat = RequestForm { priority: "stat".to_owned(), ..good() };
        assert_eq!(faults(&stat, &[]), [("phone".to_owned(), "phone_for_stat")]);
        let called = RequestForm { phone: "03-1234-5678 内線12".to_owned(), ..stat.clone() };
        assert_eq!(faults(&called, &[]), []);
        let wrong = RequestForm { phone: "あとで".to_owned(), ..stat };
        assert_eq!(faults(&wrong, &[]), [("phone".to_owned(), "phone_invalid")]);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let names: Vec<String> = faults(&RequestForm::default(), &[]).into_iter().map(|(field, _)| field).collect();
        let all = [
            "patient_id",
            "name_kanji",
            "birth_date",
            "sex",
            "accession_number",
            "ordering_doctor",
            "kind",
            "source",
            "priority",
            "question",
            "exam",
        ];
        assert_eq!(names, all);
    }

    #[test]
    fn a_wish_is_a_time_in_japan_that_has_not_passed() {
        let form = |wanted: &str| RequestForm { wanted_by: wanted.to_owned(), ..good() };
        // It is noon in Japan.
        assert_eq!(faults(&form("2026-04-01T11:59"), &[]), [("wanted_by".to_owned(), "wanted_past")]);
        let new = check(&form("2026-04-01T13:00"), &known(), &[]).unwrap();
        assert_eq!(new.wanted_by.unwrap().to_string(), "2026-04-01 04:00:00");
        assert_eq!(faults(&form("tomorrow"), &[]), [("wanted_by".to_owned(), "day_invalid")]);
    }

    #[test]
    fn a_scanned_form_is_known_by_its_content_and_not_by_its_name() {
        let file = |bytes: &'static [u8]| FormFile { name: "form.pdf".to_owned(), bytes: Bytes::from_static(bytes) };
        assert_eq!(faults(&good(), &[file(b"%PDF-1.7 ...")]), []);
        assert_eq!(faults(&good(), &[file(b"MZ\x90 program")]), [("files".to_owned(), "form_file_kind")]);
        let large = FormFile { name: "big.pdf".to_owned(), bytes: vec![b'%'; LARGEST_FORM + 1].into() };
        assert_eq!(faults(&good(), &[large]), [("files".to_owned(), "form_file_large")]);
    }

    #[test]
    fn a_birth_date_ahead_is_none() {
        let form = RequestForm { birth_date: "2026-04-02".to_owned(), ..good() };
        assert_eq!(faults(&form, &[]), [("birth_date".to_owned(), "day_invalid")]);
    }
}
