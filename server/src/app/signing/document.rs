//! What a signed version's pages say, out of the rows.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use dokuei_models::state::{ReadKind, VersionState};
use dokuei_models::store::cases::{CasePart, CaseRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports::{self, VersionRow};
use dokuei_models::store::{prescreens, requests, sites, studies, users, worklists};
use dokuei_models::{Connection, ReportId, StoreError, StudyId, UserId};
use dokuei_report::{
    AiSupport, EarlierVersion, Incomplete, PatientBlock, ReaderBlock, ReportDocument, ReportStatus, RequestBlock, Sex,
    StudyBlock, Subject,
};
use dokuei_terms::Language;

use crate::app::due::day_in_japan;
use crate::app::opening;
use crate::words;

/// What a document is made of.
pub(super) struct Making<'a> {
    pub reader: &'a ReaderRow,
    pub read: &'a ReadRow,
    pub case: &'a CaseRow,
    pub parts: &'a [CasePart],
    pub draft: &'a VersionRow,
    pub becomes: VersionState,
    pub reason: &'a str,
    pub signed_at: NaiveDateTime,
    /// Images received and expected, where more are known to come.
    pub incomplete: Option<(i32, Option<i32>)>,
}

/// A document with what its signature names.
pub(super) struct Made {
    pub document: ReportDocument,
    pub institution: String,
    pub subject: Subject,
}

/// Reports are written for sites in Japan.
const LANGUAGE: Language = Language::Ja;

/// Makes the document.
///
/// # Errors
/// What the database says.
pub(super) fn of(conn: &mut Connection, making: &Making<'_>) -> Result<Made, StoreError> {
    let Making { reader, read, case, draft, .. } = making;
    let request = requests::request_get(conn, case.request_id)?;
    let patient = patients::patient_get(conn, case.patient_id)?;
    let site = sites::site_get(conn, case.site_id)?;
    let user = users::user_get(conn, reader.user_id)?;
    let institution = institution(conn, reader, day_in_japan(making.signed_at))?;
    let current = opening::current_studies(conn, case.id)?;
    let name = if user.name_en.is_empty() { user.name_ja.clone() } else { user.name_en.clone() };
    let first_reader = match read.kind {
        ReadKind::Check => first_reader(conn, read)?,
        _ => None,
    };
    let document = ReportDocument {
        language: LANGUAGE,
        status: status(making.becomes),
        report_id: format!("R{:06}", draft.report_id.0),
        version: u32::try_from(draft.number).unwrap_or(1),
        site: site.name_ja,
        patient: patient_block(&patient),
        study: study_block(conn, &current, &request.accession_number, making.parts)?,
        request: RequestBlock {
            ordering_doctor: request.ordering_doctor,
            department: request.department,
            question: request.question,
            history: request.history,
        },
        findings: draft.findings.clone(),
        impression: draft.impression.clone(),
        ai_support: ai_support(conn, &current)?,
        reader: ReaderBlock { name: user.name_ja, qualification: reader.qualification.clone() },
        first_reader,
        reading_institution: institution.clone(),
        signed_at: making.signed_at.and_utc(),
        reason: (!making.reason.is_empty()).then(|| making.reason.to_owned()),
        earlier: earlier(conn, draft.report_id, making.becomes)?,
        incomplete: making.incomplete.map(|(received, expected)| Incomplete {
            received: received.unsigned_abs(),
            expected: expected.map(i32::unsigned_abs),
        }),
        notice: site.demo.then(|| words::word(LANGUAGE, "sign-demo-notice")),
    };
    let subject = Subject { name, organization: institution.clone(), serial: format!("reader-{}", reader.id) };
    Ok(Made { document, institution, subject })
}

const fn status(state: VersionState) -> ReportStatus {
    match state {
        VersionState::Draft | VersionState::Preliminary => ReportStatus::Preliminary,
        VersionState::Final => ReportStatus::Final,
        VersionState::Addendum => ReportStatus::Addendum,
        VersionState::Amended => ReportStatus::Amended,
        VersionState::Withdrawn => ReportStatus::Withdrawn,
    }
}

/// Where the reader reads for: the institution he is filed at, else where he is full-time, else the first.
fn institution(conn: &mut Connection, reader: &ReaderRow, day: NaiveDate) -> Result<String, StoreError> {
    let mut all = readers::affiliation_list(conn, reader.id, day)?;
    all.sort_by_key(|one| (!one.filed, !one.full_time, one.id));
    match all.first() {
        Some(one) => Ok(sites::site_get(conn, one.site_id)?.name_ja),
        None => Ok(String::new()),
    }
}

fn patient_block(patient: &PatientRow) -> PatientBlock {
    PatientBlock {
        id: patient.patient_id.clone(),
        name: patient.name().shown(),
        kana: patient.name_phonetic.replace('^', " "),
        birth_date: patient.birth_date,
        sex: match patient.sex.as_str() {
            "M" => Some(Sex::Male),
            "F" => Some(Sex::Female),
            "O" => Some(Sex::Other),
            _ => None,
        },
    }
}

fn study_block(
    conn: &mut Connection,
    current: &[StudyId],
    accession: &str,
    parts: &[CasePart],
) -> Result<StudyBlock, StoreError> {
    let mut block = StudyBlock {
        performed_at: None,
        modalities: Vec::new(),
        parts: parts.iter().map(|part| part.part).collect(),
        accession_number: accession.to_owned(),
        description: String::new(),
    };
    for part in parts {
        if !block.modalities.contains(&part.part.modality) {
            block.modalities.push(part.part.modality);
        }
    }
    let mut descriptions: Vec<String> = Vec::new();
    for (at, study) in current.iter().enumerate() {
        let row = studies::study_get(conn, *study)?;
        if at == 0 {
            let time = time_of_day(&worklists::study_time(conn, *study)?);
            block.performed_at = row.study_date.map(|day| day.and_time(time));
        }
        if block.accession_number.is_empty() {
            block.accession_number = row.accession_number;
        }
        if !row.description.is_empty() && !descriptions.contains(&row.description) {
            descriptions.push(row.description);
        }
    }
    block.description = descriptions.join(" / ");
    Ok(block)
}

/// DICOM TM (PS3.5 6.2): `HHMMSS.FFFFFF`, cut off anywhere after the hour. What cannot be read is midnight.
fn time_of_day(text: &str) -> NaiveTime {
    let digits: Vec<u32> = text.trim().replace(':', "").chars().map_while(|c| c.to_digit(10)).collect();
    let pair = |at: usize| match (digits.get(at), digits.get(at + 1)) {
        (Some(a), Some(b)) => a * 10 + b,
        _ => 0,
    };
    NaiveTime::from_hms_opt(pair(0), pair(2), pair(4).min(59)).unwrap_or(NaiveTime::MIN)
}

/// Engines whose results the reader was shown, each once.
fn ai_support(conn: &mut Connection, current: &[StudyId]) -> Result<Vec<AiSupport>, StoreError> {
    let mut engines: Vec<AiSupport> = Vec::new();
    for finding in prescreens::finding_list_to_show(conn, current)? {
        if !engines.iter().any(|one| one.engine == finding.engine && one.version == finding.engine_version) {
            // No engine has an approval here: its results are labelled research use.
            engines.push(AiSupport { engine: finding.engine, version: finding.engine_version, approved: false });
        }
    }
    Ok(engines)
}

fn first_reader(conn: &mut Connection, check: &ReadRow) -> Result<Option<ReaderBlock>, StoreError> {
    let all = reads::read_list_of_case(conn, check.case_id)?;
    let Some(reader) = all.iter().find(|read| read.kind == ReadKind::First).and_then(|read| read.reader_id) else {
        return Ok(None);
    };
    let row = readers::reader_get(conn, reader)?;
    let name = name_of(conn, row.user_id)?;
    Ok(Some(ReaderBlock { name, qualification: row.qualification }))
}

fn name_of(conn: &mut Connection, user: UserId) -> Result<String, StoreError> {
    Ok(users::user_get(conn, user)?.name_ja)
}

/// The report's signed versions; an addendum prints the newest again below itself.
fn earlier(conn: &mut Connection, report: ReportId, becomes: VersionState) -> Result<Vec<EarlierVersion>, StoreError> {
    let signed: Vec<VersionRow> =
        reports::version_list(conn, report)?.into_iter().filter(|version| version.signed_at.is_some()).collect();
    let newest = signed.last().map(|version| version.id);
    let mut list = Vec::new();
    for version in signed {
        let (Some(at), Some(by)) = (version.signed_at, version.signed_by) else { continue };
        let again = becomes == VersionState::Addendum && newest == Some(version.id);
        list.push(EarlierVersion {
            version: u32::try_from(version.number).unwrap_or(1),
            status: status(version.state),
            signed_at: at.and_utc(),
            reader_name: name_of(conn, by)?,
            text: again.then_some((version.findings, version.impression)),
        });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_time_is_read_however_it_is_cut_off() {
        let time = |h, m, s| NaiveTime::from_hms_opt(h, m, s).unwrap();
        assert_eq!(time_of_day("143005.120000"), time(14, 30, 5));
        assert_eq!(time_of_day("14:30:05"), time(14, 30, 5));
        assert_eq!(time_of_day("1430"), time(14, 30, 0));
        assert_eq!(time_of_day("14"), time(14, 0, 0));
        assert_eq!(time_of_day(""), NaiveTime::MIN);
        assert_eq!(time_of_day("99zz"), NaiveTime::MIN);
    }
}
