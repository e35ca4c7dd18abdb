//! Cases: making them, reading them, finding them.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use dokuei_terms::{Laterality, Modality, Part, Priority, Region};

use crate::actor::Actor;
use crate::codes::Code;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, ContractId, PatientId, PoolId, ReadId, RequestId, SiteId, StudyId};
use crate::names::fold;
use crate::schema::{case_parts, case_studies, cases, patients, reads, requests};
use crate::state::{CaseState, CaseStudyRole, HoldActor, ReadKind, ReadState};
use crate::store::{audit, case_events};

/// A case.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = cases)]
pub struct CaseRow {
    /// The row's id, which is the case number people say.
    pub id: CaseId,
    /// The referring site.
    pub site_id: SiteId,
    /// The pool it is planned in.
    pub pool_id: PoolId,
    /// The patient.
    pub patient_id: PatientId,
    /// The request.
    pub request_id: RequestId,
    /// The contract in force when it was made.
    pub contract_id: Option<ContractId>,
    /// Where it stands.
    pub state: CaseState,
    /// Where it goes on after a hold.
    pub held_state: Option<CaseState>,
    /// Why it is held.
    pub hold_reason: Option<String>,
    /// Who must act.
    pub hold_actor: Option<HoldActor>,
    /// When somebody looks at the latest.
    pub hold_until: Option<NaiveDateTime>,
    /// Since when it is held.
    pub held_at: Option<NaiveDateTime>,
    /// What a person asked for, a dispatcher's change included.
    #[diesel(deserialize_as = Code<Priority>)]
    pub priority: Priority,
    /// 0..1, from the newest prescreen.
    pub urgency: f64,
    /// Whether an engine's finding may be shown.
    pub ai_help: bool,
    /// Label flags and doubts, as a JSON array of codes.
    pub flags: String,
    /// How many prior studies there are.
    pub priors: i32,
    /// When the report is owed.
    pub due_at: NaiveDateTime,
    /// When its first image or its request came, the later.
    pub received_at: NaiveDateTime,
    /// When it could be planned.
    pub ready_at: Option<NaiveDateTime>,
    /// When it was first signed.
    pub reported_at: Option<NaiveDateTime>,
    /// When every required delivery was done.
    pub returned_at: Option<NaiveDateTime>,
    /// When the ordering doctor accepted it.
    pub acknowledged_at: Option<NaiveDateTime>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
    /// Grows with each change.
    pub version: i32,
}

/// A part of a case as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePart {
    /// Region, modality, side.
    pub part: Part,
    /// Expected reading minutes.
    pub minutes: f64,
    /// 0..1.
    pub confidence: f64,
    /// Where it comes from: `order`, `header`, `person`, ...
    pub source: String,
}

/// A case to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCase {
    /// The referring site.
    pub site: SiteId,
    /// The pool.
    pub pool: PoolId,
    /// The patient.
    pub patient: PatientId,
    /// The request.
    pub request: RequestId,
    /// The contract.
    pub contract: Option<ContractId>,
    /// The priority.
    pub priority: Priority,
    /// When the report is owed.
    pub due_at: NaiveDateTime,
    /// When image and request were both here.
    pub received_at: NaiveDateTime,
    /// The studies to be read.
    pub studies: Vec<StudyId>,
    /// The parts.
    pub parts: Vec<CasePart>,
    /// The reads to be made: none for AI only.
    pub reads: Vec<ReadKind>,
}

/// Makes a case in state `receiving` with its parts, studies and reads.
///
/// # Errors
/// What the database says.
pub fn case_create_in_tx(conn: &mut Connection, actor: &Actor, new: &NewCase) -> Result<CaseId, StoreError> {
    let case: CaseId = diesel::insert_into(cases::table)
        .values((
            cases::site_id.eq(new.site),
            cases::pool_id.eq(new.pool),
            cases::patient_id.eq(new.patient),
            cases::request_id.eq(new.request),
            cases::contract_id.eq(new.contract),
            cases::state.eq(CaseState::Receiving),
            cases::priority.eq(new.priority.code()),
            cases::urgency.eq(0.0),
            cases::ai_help.eq(false),
            cases::flags.eq("[]"),
            cases::priors.eq(0),
            cases::due_at.eq(new.due_at),
            cases::received_at.eq(new.received_at),
            cases::created_at.eq(actor.at),
            cases::version.eq(1),
        ))
        .returning(cases::id)
        .get_result(conn)?;
    case_parts_replace_in_tx(conn, case, &new.parts)?;
    for study in &new.studies {
        case_study_add_in_tx(conn, case, *study, CaseStudyRole::Current)?;
    }
    let minutes: f64 = new.parts.iter().map(|part| part.minutes).sum();
    for (at, kind) in new.reads.iter().enumerate() {
        read_create_in_tx(conn, actor, case, i32::try_from(at).unwrap_or(0) + 1, *kind, minutes)?;
    }
    case_events::append_in_tx(conn, actor, case, None, "create", &serde_json::json!({ "studies": new.studies }))?;
    audit::append_in_tx(conn, actor, "case.create", audit::Subject::case(case, new.site), "done", "")?;
    Ok(case)
}

/// Makes an open read.
///
/// # Errors
/// [`StoreError::Rule`] when the case has a read of that number.
pub fn read_create_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    number: i32,
    kind: ReadKind,
    expected_minutes: f64,
) -> Result<ReadId, StoreError> {
    Ok(diesel::insert_into(reads::table)
        .values((
            reads::case_id.eq(case),
            reads::number.eq(number),
            reads::kind.eq(kind),
            reads::state.eq(ReadState::Open),
            reads::frozen.eq(false),
            reads::place_in_list.eq(0),
            reads::explanation.eq(""),
            reads::expected_minutes.eq(expected_minutes),
            reads::created_at.eq(actor.at),
            reads::version.eq(1),
        ))
        .returning(reads::id)
        .get_result(conn)?)
}

/// Replaces the parts of a case.
///
/// # Errors
/// What the database says.
pub fn case_parts_replace_in_tx(conn: &mut Connection, case: CaseId, parts: &[CasePart]) -> Result<(), StoreError> {
    diesel::delete(case_parts::table.filter(case_parts::case_id.eq(case))).execute(conn)?;
    for part in parts {
        diesel::insert_into(case_parts::table)
            .values((
                case_parts::case_id.eq(case),
                case_parts::region.eq(part.part.region.code()),
                case_parts::modality.eq(part.part.modality.code()),
                case_parts::laterality.eq(part.part.laterality.code()),
                case_parts::minutes.eq(part.minutes),
                case_parts::confidence.eq(part.confidence),
                case_parts::source.eq(&part.source),
            ))
            .execute(conn)?;
    }
    let minutes: f64 = parts.iter().map(|part| part.minutes).sum();
    diesel::update(
        reads::table
            .filter(reads::case_id.eq(case))
            .filter(reads::state.eq_any([ReadState::Open, ReadState::Assigned])),
    )
    .set(reads::expected_minutes.eq(minutes))
    .execute(conn)?;
    Ok(())
}

/// The parts of a case.
///
/// # Errors
/// What the database says.
pub fn case_part_list(conn: &mut Connection, case: CaseId) -> Result<Vec<CasePart>, StoreError> {
    Ok(case_part_list_of(conn, &[case])?.into_iter().map(|(_, part)| part).collect())
}

/// The parts of several cases.
///
/// # Errors
/// What the database says.
pub fn case_part_list_of(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<(CaseId, CasePart)>, StoreError> {
    type Row = (CaseId, Code<Region>, Code<Modality>, Code<Laterality>, f64, f64, String);
    let rows: Vec<Row> = case_parts::table
        .filter(case_parts::case_id.eq_any(of))
        .order(case_parts::id)
        .select((
            case_parts::case_id,
            case_parts::region,
            case_parts::modality,
            case_parts::laterality,
            case_parts::minutes,
            case_parts::confidence,
            case_parts::source,
        ))
        .load(conn)?;
    let part = |(case, region, modality, laterality, minutes, confidence, source): Row| {
        let part = Part { region: region.0, modality: modality.0, laterality: laterality.0 };
        (case, CasePart { part, minutes, confidence, source })
    };
    Ok(rows.into_iter().map(part).collect())
}

/// Puts a study into a case. One that is there already changes its role.
///
/// # Errors
/// What the database says.
pub fn case_study_add_in_tx(
    conn: &mut Connection,
    case: CaseId,
    study: StudyId,
    role: CaseStudyRole,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        case_studies::table.filter(case_studies::case_id.eq(case)).filter(case_studies::study_id.eq(study)),
    )
    .set(case_studies::role.eq(role))
    .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(case_studies::table)
            .values((
                case_studies::case_id.eq(case),
                case_studies::study_id.eq(study),
                case_studies::role.eq(role),
                case_studies::seen_instances.eq(0),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Takes a study out of a case.
///
/// # Errors
/// What the database says.
pub fn case_study_remove_in_tx(conn: &mut Connection, case: CaseId, study: StudyId) -> Result<(), StoreError> {
    diesel::delete(case_studies::table.filter(case_studies::case_id.eq(case)).filter(case_studies::study_id.eq(study)))
        .execute(conn)?;
    Ok(())
}

/// The studies of a case with their roles, current ones first.
///
/// # Errors
/// What the database says.
pub fn case_study_list(conn: &mut Connection, case: CaseId) -> Result<Vec<(StudyId, CaseStudyRole)>, StoreError> {
    Ok(case_studies::table
        .filter(case_studies::case_id.eq(case))
        .order((case_studies::role, case_studies::id))
        .select((case_studies::study_id, case_studies::role))
        .load(conn)?)
}

/// One case.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn case_get(conn: &mut Connection, case: CaseId) -> Result<CaseRow, StoreError> {
    cases::table.find(case).select(CaseRow::as_select()).first(conn).or_not_found("the case")
}

/// The cases of a request.
///
/// # Errors
/// What the database says.
pub fn case_list_of_request(conn: &mut Connection, request: RequestId) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table.filter(cases::request_id.eq(request)).order(cases::id).select(CaseRow::as_select()).load(conn)?)
}

/// What a list of cases asks for; empty fields match all.
#[derive(Debug, Clone, Default)]
pub struct CaseQuery {
    /// In one of these states.
    pub states: Vec<CaseState>,
    /// Of one of these sites.
    pub sites: Option<Vec<SiteId>>,
    /// Of this pool.
    pub pool: Option<PoolId>,
    /// Part of a patient ID, a name in kanji or kana, or an accession number.
    pub text: Option<String>,
    /// Made at or after.
    pub from: Option<NaiveDateTime>,
    /// Made before.
    pub to: Option<NaiveDateTime>,
    /// Which come first.
    pub order: CaseOrder,
    /// How many at the most.
    pub limit: i64,
}

/// The order of a list of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaseOrder {
    /// The soonest due first.
    #[default]
    SoonestDue,
    /// The newest case first.
    Newest,
}

/// Lists cases.
///
/// # Errors
/// What the database says.
pub fn case_list(conn: &mut Connection, query: &CaseQuery) -> Result<Vec<CaseRow>, StoreError> {
    let mut rows = cases::table
        .inner_join(patients::table.on(patients::id.eq(cases::patient_id)))
        .inner_join(requests::table.on(requests::id.eq(cases::request_id)))
        .limit(query.limit.clamp(1, 5000))
        .select(CaseRow::as_select())
        .into_boxed();
    rows = match query.order {
        CaseOrder::SoonestDue => rows.order((cases::due_at, cases::id)),
        CaseOrder::Newest => rows.order(cases::id.desc()),
    };
    if !query.states.is_empty() {
        rows = rows.filter(cases::state.eq_any(query.states.clone()));
    }
    if let Some(sites) = &query.sites {
        rows = rows.filter(cases::site_id.eq_any(sites.clone()));
    }
    if let Some(pool) = query.pool {
        rows = rows.filter(cases::pool_id.eq(pool));
    }
    if let Some(from) = query.from {
        rows = rows.filter(cases::created_at.ge(from));
    }
    if let Some(to) = query.to {
        rows = rows.filter(cases::created_at.lt(to));
    }
    if let Some(text) = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        let pattern = format!("%{}%", escape_like(&fold(text)));
        let number = format!("{}%", escape_like(text));
        // The ID as the request writes it too: its leading zeros may not be the patient's key's.
        rows = rows.filter(
            patients::search_text
                .like(pattern)
                .escape('!')
                .or(requests::accession_number.like(number.clone()).escape('!'))
                .or(requests::patient_id.like(number).escape('!')),
        );
    }
    Ok(rows.load(conn)?)
}

/// Makes `%` and `_` ordinary letters of a pattern whose escape is `!`.
fn escape_like(text: &str) -> String {
    text.chars().flat_map(|letter| ['!'].into_iter().filter(move |_| "%_!".contains(letter)).chain([letter])).collect()
}

/// How many cases of a pool stand in each state.
///
/// # Errors
/// What the database says.
pub fn case_counts(conn: &mut Connection, pool: Option<PoolId>) -> Result<Vec<(CaseState, i64)>, StoreError> {
    let rows = cases::table.group_by(cases::state).select((cases::state, diesel::dsl::count_star()));
    Ok(match pool {
        Some(pool) => rows.filter(cases::pool_id.eq(pool)).load(conn)?,
        None => rows.load(conn)?,
    })
}

/// Writes what the newest prescreen says.
///
/// # Errors
/// What the database says.
pub fn case_prescreened_in_tx(
    conn: &mut Connection,
    case: CaseId,
    urgency: f64,
    flags: &[String],
    priors: i32,
    ai_help: bool,
) -> Result<(), StoreError> {
    let flags = serde_json::to_string(flags).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::update(cases::table.find(case))
        .set((
            cases::urgency.eq(urgency),
            cases::flags.eq(flags),
            cases::priors.eq(priors),
            cases::ai_help.eq(ai_help),
            cases::version.eq(cases::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Several cases.
///
/// # Errors
/// What the database says.
pub fn case_list_by_id(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table.filter(cases::id.eq_any(of)).order(cases::id).select(CaseRow::as_select()).load(conn)?)
}

/// Flags a case as one to which images came late, or takes the flag away.
///
/// # Errors
/// What the database says.
pub fn case_late_images_in_tx(conn: &mut Connection, case: CaseId, late: bool) -> Result<(), StoreError> {
    let text: String = cases::table.find(case).select(cases::flags).first(conn).or_not_found("the case")?;
    let mut flags: Vec<String> = serde_json::from_str(&text).map_err(|error| StoreError::Damaged(error.to_string()))?;
    flags.retain(|flag| flag != LATE_IMAGES);
    if late {
        flags.push(LATE_IMAGES.to_owned());
    }
    let text = serde_json::to_string(&flags).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::update(cases::table.find(case)).set(cases::flags.eq(text)).execute(conn)?;
    Ok(())
}

/// The flag of a case to which images came after it was put together.
pub const LATE_IMAGES: &str = "late_images";
