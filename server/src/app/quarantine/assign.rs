//! A person says to which site, patient and study an object belongs that was kept apart.
//!
//! Its bytes stay as they were received; the index says what the person said. An object of which too little can be read
//! (no UIDs, pixel data cut off) stays where it is, with the reason.

use dokuei_dicom_gateway::intake::{self, Archive as _, IndexedArchive, KeepError, Kept, ReceivedObject};
use dokuei_models::objects::KeptObject;
use dokuei_models::state::Whose;
use dokuei_models::store::images::{ArrivalCounts, InstanceFacts, NewArrival};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::quarantine::{self, QuarantineOutcome, QuarantineRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, submissions};
use dokuei_models::{Connection, PatientId, SiteId, StoreError, StudyId};
use serde_json::json;

use super::found;
use crate::app::form::need_reason;
use crate::authority::{Person, Reach};
use crate::error::codes::{common, dispatch as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Why an object's pixels cannot be shown however it is filed.
const CUT_OFF: &str = "cut_off";
/// Studies of one patient that are offered.
const OFFERED: usize = 20;

/// Where an object may be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into a study that is here.
    Study(StudyId),
    /// Into the study that its own header names, as this patient's.
    Patient(PatientId),
}

impl std::str::FromStr for Target {
    type Err = Error;

    /// `study:12` or `patient:34`.
    fn from_str(text: &str) -> Result<Self> {
        let target = match text.split_once(':') {
            Some(("study", id)) => id.parse().ok().map(Self::Study),
            Some(("patient", id)) => id.parse().ok().map(Self::Patient),
            _ => None,
        };
        target.ok_or_else(|| Error::new(&common::FORM_INVALID).field("target", &common::FIELD_REQUIRED))
    }
}

/// A place that is offered.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The patient.
    pub patient: PatientRow,
    /// The study; none for the one that the object's header names, which is not here.
    pub study: Option<StudyRow>,
}

impl Candidate {
    /// What [`Target`] reads.
    pub fn target(&self) -> String {
        match &self.study {
            Some(study) => format!("study:{}", study.id),
            None => format!("patient:{}", self.patient.id),
        }
    }
}

/// A patient to be looked for: a site, and his number there.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The site.
    pub site: SiteId,
    /// PatientID.
    pub patient_id: String,
}

/// What a header says, where enough of it can be read to file the object.
pub(super) fn facts_of(row: &QuarantineRow, bytes: &bytes::Bytes) -> Option<InstanceFacts> {
    if row.reason == CUT_OFF {
        return None;
    }
    let object = ReceivedObject::from_file(bytes).ok()?;
    let header = object.header().ok()?.ok()?;
    let facts = intake::facts(&header);
    let named = [&facts.study_uid, &facts.series_uid, &facts.sop_instance_uid];
    named.iter().all(|uid| !uid.is_empty()).then_some(facts)
}

/// The places that are offered: the study that the header names, and those of the patients with its number or the one
/// that was asked for.
pub(super) fn candidates(
    conn: &mut Connection,
    reach: &Reach,
    own: &SiteRow,
    facts: &InstanceFacts,
    wanted: Option<&Wanted>,
) -> std::result::Result<Vec<Candidate>, StoreError> {
    let mut offered: Vec<Candidate> = Vec::new();
    let mut offer = |one: Candidate| {
        if offered.iter().all(|other| other.target() != one.target()) {
            offered.push(one);
        }
    };
    let mut asked = vec![(own.clone(), facts.identity.patient_id.clone())];
    if let Some(wanted) = wanted {
        let site = sites::site_get(conn, wanted.site)?;
        if !reach.covers(site.id, site.pool_id) {
            return Err(StoreError::NotFound("the site"));
        }
        asked.insert(0, (site, wanted.patient_id.clone()));
    }
    for (site, number) in asked {
        let named = match submissions::study_of_uid(conn, site.id, &facts.study_uid)? {
            Some(study) => Some(studies::study_get(conn, study)?),
            None => None,
        };
        if let Some(study) = named.clone() {
            offer(Candidate { patient: patients::patient_get(conn, study.patient_id)?, study: Some(study) });
        }
        let key = site.patient_id_rule.parse::<dokuei_models::names::PatientIdRule>()?.key(&number);
        let Some(patient) = (if key.is_empty() { None } else { patients::patient_by_key(conn, site.id, &key)? }) else {
            continue;
        };
        if named.is_none() {
            offer(Candidate { patient: patient.clone(), study: None });
        }
        for study in studies::study_list_of_patient(conn, patient.id)?.into_iter().take(OFFERED) {
            offer(Candidate { patient: patient.clone(), study: Some(study) });
        }
    }
    Ok(offered)
}

/// Puts an object where a person says that it belongs.
///
/// # Errors
/// `not_found` outside reach, `form_invalid` without a reason, `already_done` when it was resolved,
/// `quarantine_unreadable` when too little of it can be read, `quarantine_study_taken` when the study that its header
/// names is another patient's.
pub async fn assign(
    state: &State,
    person: &Person,
    reach: Reach,
    id: i64,
    target: Target,
    reason: &str,
) -> Result<StudyId> {
    let reason = need_reason("reason", reason)?;
    let (row, _, bytes) = found(state, person, reach.clone(), id, "quarantine.assign").await?;
    if row.resolved_at.is_some() {
        return Err(StoreError::Repeat("the quarantine's end").into());
    }
    let facts = facts_of(&row, &bytes).ok_or_else(|| Error::new(&codes::QUARANTINE_UNREADABLE))?;
    let place = {
        let facts = facts.clone();
        state.db.read(move |conn| placed(conn, &reach, target, facts.clone())).await.map_err(refused)?
    };
    let Place { site, whose, facts } = place;
    let wake = state.wake.clone();
    let archive = IndexedArchive::new(state.db.clone(), state.objects.clone()).telling(move || wake.tell(Topic::Jobs));
    let arrival = NewArrival {
        site,
        endpoint: None,
        user: Some(person.id),
        via: "import",
        whose,
        calling_ae: String::new(),
        address: String::new(),
        at: state.now(),
    };
    let failed = |error: KeepError| Error::internal(error);
    let arrival = archive.open(arrival).await.map_err(failed)?;
    let object = KeptObject { key: row.object_key.clone(), sha256: row.sha256.clone(), size: row.size };
    let study_uid = facts.study_uid.clone();
    let kept = archive.file_as(site, arrival, facts, object, bytes).await.map_err(failed)?;
    let mut counts = ArrivalCounts { bytes: row.size, ..ArrivalCounts::default() };
    match &kept {
        Kept::New(_) => counts.kept = 1,
        Kept::Repeat(_) | Kept::Renewed(_) => counts.repeated = 1,
        Kept::Conflict(_) | Kept::Quarantined(_) => counts.quarantined = 1,
    }
    archive.close(arrival, counts, "done").await.map_err(failed)?;
    let actor = person.actor(state.now());
    let study = state
        .db
        .tx(move |conn| {
            let study = submissions::study_of_uid(conn, site, &study_uid)?.ok_or(StoreError::NotFound("the study"))?;
            quarantine::quarantine_resolve_in_tx(conn, &actor, id, QuarantineOutcome::Assigned, &reason)?;
            for (case, _) in studies::study_cases(conn, study)? {
                case_events::append_in_tx(conn, &actor, case, None, "image_assigned", &json!({ "study": study }))?;
            }
            Ok(study)
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Portal(site.0));
    Ok(study)
}

/// A place that was checked.
struct Place {
    site: SiteId,
    whose: Whose,
    facts: InstanceFacts,
}

fn placed(
    conn: &mut Connection,
    reach: &Reach,
    target: Target,
    facts: InstanceFacts,
) -> std::result::Result<Place, StoreError> {
    let (site, place) = match target {
        Target::Study(study) => {
            let row = studies::study_get(conn, study)?;
            let whose = if row.elsewhere { Whose::Elsewhere } else { Whose::Ours };
            let facts = InstanceFacts { identity: row.identity(), study_uid: row.study_uid.clone(), ..facts };
            (row.site_id, Place { site: row.site_id, whose, facts })
        }
        Target::Patient(patient) => {
            let row = patients::patient_get(conn, patient)?;
            if row.medium_id.is_some() {
                return Err(StoreError::NotFound("the patient"));
            }
            if submissions::study_of_uid(conn, row.site_id, &facts.study_uid)?.is_some() {
                return Err(StoreError::Conflict { what: "quarantine_assign", state: "study_taken".to_owned() });
            }
            let facts = InstanceFacts { identity: row.identity(), ..facts };
            (row.site_id, Place { site: row.site_id, whose: Whose::Ours, facts })
        }
    };
    let row = sites::site_get(conn, site)?;
    if reach.covers(row.id, row.pool_id) { Ok(place) } else { Err(StoreError::NotFound("the study")) }
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Conflict { what: "quarantine_assign", .. } => Error::new(&codes::QUARANTINE_STUDY_TAKEN),
        other => other.into(),
    }
}
