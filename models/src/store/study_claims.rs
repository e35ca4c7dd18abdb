//! A study from elsewhere that the site itself sends: a question for a person, never settled by its numbers.
//!
//! A study is *from elsewhere* when a medium of another institution brought it; it is for comparison only. When the
//! site's own sender brings the same Study Instance UID, either it is the site's own study (which is to be read, under
//! the site's own patient), or its PACS only hands on what it was given. Until a person has said which, what came new is
//! kept apart in quarantine, and what was here stays for comparison.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use crate::actor::Actor;
use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, PatientId, SiteId, StudyId, UserId};
use crate::names::PatientIdRule;
use crate::schema::{arrivals, sites, studies, study_claims};
use crate::state::{MatchState, Whose};
use crate::store::audit::{self, Subject};
use crate::store::images::InstanceFacts;
use crate::store::jobs::{self, NewJob};
use crate::store::patients;

/// Why an instance is in quarantine that the site itself sent of a study from elsewhere; the row's detail is the study's id.
pub const ELSEWHERE_STUDY: &str = "elsewhere_study";

codes! {
    /// Whose study it is, as a person said.
    ClaimDecision {
        /// The site's own: it is matched and read as any.
        Ours => "ours",
        /// Another institution's still: for comparison only.
        Elsewhere => "elsewhere",
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = study_claims)]
pub struct ClaimRow {
    /// The study.
    pub study_id: StudyId,
    /// Its site.
    pub site_id: SiteId,
    /// What the first header said that the site sent, as JSON of [`InstanceFacts`].
    pub facts: String,
    /// The arrival that brought it.
    pub arrival_id: Option<ArrivalId>,
    /// When.
    pub claimed_at: NaiveDateTime,
    /// When a person decided.
    pub decided_at: Option<NaiveDateTime>,
    /// Who.
    pub decided_by: Option<UserId>,
    /// What.
    pub decision: Option<ClaimDecision>,
    /// Why.
    pub reason: Option<String>,
}

impl ClaimRow {
    /// What the site's own header said.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn said(&self) -> Result<InstanceFacts, StoreError> {
        serde_json::from_str(&self.facts).map_err(|error| StoreError::Damaged(error.to_string()))
    }
}

/// Whether an instance that an arrival brings of a study from elsewhere waits for a person: the site itself sends it, and
/// nobody has said that it is another institution's still. Notes the question the first time.
pub(in crate::store) fn claims_in_tx(
    conn: &mut Connection,
    site: SiteId,
    study: StudyId,
    arrival: Option<ArrivalId>,
    facts: &InstanceFacts,
    at: NaiveDateTime,
) -> Result<bool, StoreError> {
    let whose: Option<Whose> = match arrival {
        Some(arrival) => Some(arrivals::table.find(arrival).select(arrivals::whose).first(conn)?),
        None => None,
    };
    if whose == Some(Whose::Elsewhere) {
        return Ok(false);
    }
    let facts = serde_json::to_string(facts).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let asked = diesel::sql_query(
        "INSERT INTO study_claims (study_id, site_id, facts, arrival_id, claimed_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(study)
    .bind::<BigInt, _>(site)
    .bind::<Text, _>(facts)
    .bind::<Nullable<BigInt>, _>(arrival.map(|arrival| arrival.0))
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    if asked > 0 {
        jobs::enqueue_in_tx(conn, &NewJob::now("tell_study", study.to_string(), at))?;
        return Ok(true);
    }
    let decided: Option<ClaimDecision> =
        study_claims::table.find(study).select(study_claims::decision).first(conn).optional()?.flatten();
    Ok(decided.is_none())
}

/// The claims of some sites that wait for a person, the oldest first.
///
/// # Errors
/// What the database says.
pub fn claim_list_waiting(conn: &mut Connection, sites: &[SiteId], limit: i64) -> Result<Vec<ClaimRow>, StoreError> {
    Ok(study_claims::table
        .filter(study_claims::site_id.eq_any(sites))
        .filter(study_claims::decided_at.is_null())
        .order(study_claims::claimed_at)
        .limit(limit)
        .select(ClaimRow::as_select())
        .load(conn)?)
}

/// One claim.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn claim_get(conn: &mut Connection, study: StudyId) -> Result<ClaimRow, StoreError> {
    study_claims::table.find(study).select(ClaimRow::as_select()).first(conn).or_not_found("the question")
}

/// A person says whose the study is. Said to be the site's own, it is its patient's from now on, and looks for its request.
///
/// # Errors
/// [`StoreError::Repeat`] when somebody has decided before.
pub fn claim_decide_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    decision: ClaimDecision,
    reason: &str,
) -> Result<(), StoreError> {
    let row = claim_get(conn, study)?;
    let changed = diesel::update(study_claims::table.find(study).filter(study_claims::decided_at.is_null()))
        .set((
            study_claims::decided_at.eq(Some(actor.at)),
            study_claims::decided_by.eq(actor.user),
            study_claims::decision.eq(Some(decision)),
            study_claims::reason.eq(Some(reason)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Repeat("the decision"));
    }
    if decision == ClaimDecision::Ours {
        become_ours_in_tx(conn, &row, actor.at)?;
    }
    let subject = Subject::row("study", study.0, Some(row.site_id));
    audit::append_in_tx(conn, actor, &format!("study.claim_{decision}"), subject, "done", reason)
}

fn become_ours_in_tx(conn: &mut Connection, row: &ClaimRow, at: NaiveDateTime) -> Result<(), StoreError> {
    let facts = row.said()?;
    let rule: String = sites::table.find(row.site_id).select(sites::patient_id_rule).first(conn)?;
    let rule: PatientIdRule = rule.parse()?;
    let identity = &facts.identity;
    let patient: PatientId =
        patients::patient_of_key_in_tx(conn, row.site_id, &rule.key(&identity.patient_id), identity, at)?.id;
    diesel::update(studies::table.find(row.study_id))
        .set((
            (
                studies::elsewhere.eq(false),
                studies::patient_id.eq(patient),
                studies::header_patient_id.eq(&identity.patient_id),
                studies::header_name_alphabetic.eq(&identity.name.alphabetic),
                studies::header_name_ideographic.eq(&identity.name.ideographic),
                studies::header_name_phonetic.eq(&identity.name.phonetic),
                studies::header_birth_date.eq(identity.birth_date),
                studies::header_sex.eq(&identity.sex),
                studies::name_search.eq(identity.name.match_text()),
            ),
            (
                studies::accession_number.eq(&facts.accession_number),
                studies::match_state.eq(MatchState::Arriving),
                studies::match_reason.eq(None::<String>),
                studies::settled_at.eq(None::<NaiveDateTime>),
                studies::version.eq(studies::version + 1),
            ),
        ))
        .execute(conn)?;
    jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", row.study_id.to_string(), at))
}
