//! The shapes that several routes answer with. Codes are the stable ones of the house; times are UTC.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use dokuei_models::names::PatientName;
use dokuei_models::state::CaseStudyRole;
use dokuei_models::store::case_notes::CaseNoteRow;
use dokuei_models::store::cases::{CasePart, CaseRow};
use dokuei_models::store::patients::{Identity, PatientRow};
use dokuei_models::store::reads::ReadRow;
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::sites::SiteRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_terms::Language;
use serde::Serialize;
use utoipa::ToSchema;

/// A time of a row, as the API tells it.
pub(super) fn utc(at: Option<NaiveDateTime>) -> Option<DateTime<Utc>> {
    at.map(|at| at.and_utc())
}

/// A text of JSON as JSON; what is damaged is null.
pub(super) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// A site.
#[derive(Serialize, ToSchema)]
pub(super) struct SiteShape {
    id: i64,
    code: String,
    name_ja: String,
    name_en: String,
    /// The pool that reads for it.
    pool: i64,
}

impl SiteShape {
    pub(super) fn of(row: &SiteRow) -> Self {
        Self {
            id: row.id.0,
            code: row.code.clone(),
            name_ja: row.name_ja.clone(),
            name_en: row.name_en.clone(),
            pool: row.pool_id.0,
        }
    }
}

/// What is to be read: one region by one modality.
#[derive(Serialize, ToSchema)]
pub(super) struct PartShape {
    region: &'static str,
    modality: &'static str,
    laterality: &'static str,
    label_ja: String,
    label_en: String,
    /// Expected minutes of an average reader.
    minutes: f64,
    /// 0..1.
    confidence: f64,
    /// Where it was taken from.
    source: String,
}

impl PartShape {
    pub(super) fn list(parts: &[CasePart]) -> Vec<Self> {
        let of = |one: &CasePart| Self {
            region: one.part.region.code(),
            modality: one.part.modality.code(),
            laterality: one.part.laterality.code(),
            label_ja: one.part.label(Language::Ja),
            label_en: one.part.label(Language::En),
            minutes: one.minutes,
            confidence: one.confidence,
            source: one.source.clone(),
        };
        parts.iter().map(of).collect()
    }
}

/// Why a case stands still.
#[derive(Serialize, ToSchema)]
struct HoldShape {
    /// In words.
    reason: String,
    /// Who must act.
    actor: Option<&'static str>,
    /// When somebody looks at the latest.
    until: Option<DateTime<Utc>>,
}

/// A case.
#[derive(Serialize, ToSchema)]
pub(super) struct CaseShape {
    id: i64,
    site: i64,
    pool: i64,
    request: i64,
    state: &'static str,
    hold: Option<HoldShape>,
    priority: &'static str,
    /// 0..1, by the prescreen.
    urgency: f64,
    /// Whether findings of an engine exist (research use / 参考).
    ai_help: bool,
    flags: Vec<String>,
    /// How many earlier exams there are to compare with.
    priors: i32,
    due_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    ready_at: Option<DateTime<Utc>>,
    reported_at: Option<DateTime<Utc>>,
    returned_at: Option<DateTime<Utc>>,
    acknowledged_at: Option<DateTime<Utc>>,
}

impl CaseShape {
    pub(super) fn of(row: &CaseRow) -> Self {
        Self {
            id: row.id.0,
            site: row.site_id.0,
            pool: row.pool_id.0,
            request: row.request_id.0,
            state: row.state.code(),
            hold: row.hold_reason.clone().map(|reason| HoldShape {
                reason,
                actor: row.hold_actor.map(|actor| actor.code()),
                until: utc(row.hold_until),
            }),
            priority: row.priority.code(),
            urgency: row.urgency,
            ai_help: row.ai_help,
            flags: serde_json::from_str(&row.flags).unwrap_or_default(),
            priors: row.priors,
            due_at: row.due_at.and_utc(),
            received_at: row.received_at.and_utc(),
            ready_at: utc(row.ready_at),
            reported_at: utc(row.reported_at),
            returned_at: utc(row.returned_at),
            acknowledged_at: utc(row.acknowledged_at),
        }
    }
}

/// A read: one opinion of one reader on a case.
#[derive(Serialize, ToSchema)]
pub(super) struct ReadShape {
    id: i64,
    case: i64,
    number: i32,
    kind: &'static str,
    state: &'static str,
    /// Whether the case is on hold.
    held: bool,
    reader: Option<i64>,
    place_in_list: i32,
    waiting_reason: Option<String>,
    waiting_until: Option<DateTime<Utc>>,
    expected_minutes: f64,
    assigned_at: Option<DateTime<Utc>>,
    seen_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    signed_at: Option<DateTime<Utc>>,
    /// The plan's own account of why this reader, or why nobody.
    #[schema(value_type = Object)]
    explanation: serde_json::Value,
}

impl ReadShape {
    pub(super) fn of(row: &ReadRow) -> Self {
        Self {
            id: row.id.0,
            case: row.case_id.0,
            number: row.number,
            kind: row.kind.code(),
            state: row.state.code(),
            held: row.frozen,
            reader: row.reader_id.map(|reader| reader.0),
            place_in_list: row.place_in_list,
            waiting_reason: row.waiting_reason.clone(),
            waiting_until: utc(row.waiting_until),
            expected_minutes: row.expected_minutes,
            assigned_at: utc(row.assigned_at),
            seen_at: utc(row.seen_at),
            started_at: utc(row.started_at),
            signed_at: utc(row.signed_at),
            explanation: json(&row.explanation),
        }
    }
}

/// A person who was examined.
#[derive(Serialize, ToSchema)]
pub(super) struct PatientShape {
    /// PatientID as the site writes it.
    patient_id: String,
    /// The name for a person to read.
    name: String,
    name_kanji: String,
    name_kana: String,
    name_latin: String,
    birth_date: Option<NaiveDate>,
    /// `M`, `F`, `O` or empty.
    sex: String,
}

impl PatientShape {
    fn new(patient_id: &str, name: &PatientName, birth_date: Option<NaiveDate>, sex: &str) -> Self {
        Self {
            patient_id: patient_id.to_owned(),
            name: name.shown(),
            name_kanji: name.ideographic.clone(),
            name_kana: name.phonetic.clone(),
            name_latin: name.alphabetic.clone(),
            birth_date,
            sex: sex.to_owned(),
        }
    }

    pub(super) fn of(row: &PatientRow) -> Self {
        Self::new(&row.patient_id, &row.name(), row.birth_date, &row.sex)
    }

    pub(super) fn of_identity(identity: &Identity) -> Self {
        Self::new(&identity.patient_id, &identity.name, identity.birth_date, &identity.sex)
    }
}

/// A study.
#[derive(Serialize, ToSchema)]
pub(super) struct StudyShape {
    id: i64,
    study_uid: String,
    accession_number: String,
    study_date: Option<NaiveDate>,
    description: String,
    modalities: Vec<String>,
    series: i32,
    instances: i32,
    first_received_at: DateTime<Utc>,
    last_received_at: DateTime<Utc>,
    /// Whether it belongs to a request, and if not why.
    match_state: &'static str,
    /// `current` or a prior's role, within a case.
    role: Option<&'static str>,
}

impl StudyShape {
    pub(super) fn of(row: &StudyRow, role: Option<CaseStudyRole>) -> Self {
        Self {
            id: row.id.0,
            study_uid: row.study_uid.clone(),
            accession_number: row.accession_number.clone(),
            study_date: row.study_date,
            description: row.description.clone(),
            modalities: row.modalities.split('\\').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
            series: row.series,
            instances: row.instances,
            first_received_at: row.first_received_at.and_utc(),
            last_received_at: row.last_received_at.and_utc(),
            match_state: row.match_state.code(),
            role: role.map(|role| role.code()),
        }
    }
}

/// A request as it was written.
#[derive(Serialize, ToSchema)]
pub(super) struct RequestShape {
    id: i64,
    site: i64,
    state: &'static str,
    /// Why it is doubtful or ended.
    state_reason: Option<String>,
    patient: PatientShape,
    accession_number: String,
    study_uid: String,
    ordering_doctor: String,
    ordering_user: Option<i64>,
    department: String,
    phone: String,
    exam: String,
    question: String,
    history: String,
    kind: &'static str,
    source: &'static str,
    priority: &'static str,
    wanted_by: Option<DateTime<Utc>>,
    expected_instances: Option<i32>,
    /// Whether the site's rule made it and no person.
    is_default: bool,
    created_at: DateTime<Utc>,
}

impl RequestShape {
    pub(super) fn of(row: &RequestRow) -> Self {
        Self {
            id: row.id.0,
            site: row.site_id.0,
            state: row.state.code(),
            state_reason: row.state_reason.clone(),
            patient: PatientShape::of_identity(&row.identity()),
            accession_number: row.accession_number.clone(),
            study_uid: row.study_uid.clone(),
            ordering_doctor: row.ordering_doctor.clone(),
            ordering_user: row.ordering_user_id.map(|user| user.0),
            department: row.department.clone(),
            phone: row.phone.clone(),
            exam: row.exam.clone(),
            question: row.question.clone(),
            history: row.history.clone(),
            kind: row.kind.code(),
            source: row.source.code(),
            priority: row.priority.code(),
            wanted_by: utc(row.wanted_by),
            expected_instances: row.expected_instances,
            is_default: row.is_default,
            created_at: row.created_at.and_utc(),
        }
    }
}

/// A note, a telephone call, a question or an answer.
#[derive(Serialize, ToSchema)]
pub(super) struct NoteShape {
    id: i64,
    kind: &'static str,
    author: Option<String>,
    /// Who was on the telephone.
    contact: String,
    body: String,
    at: DateTime<Utc>,
}

impl NoteShape {
    pub(super) fn list(rows: &[CaseNoteRow]) -> Vec<Self> {
        let of = |row: &CaseNoteRow| Self {
            id: row.id,
            kind: row.kind.code(),
            author: row.author_name.clone(),
            contact: row.contact.clone(),
            body: row.body.clone(),
            at: row.at.and_utc(),
        };
        rows.iter().map(of).collect()
    }
}
