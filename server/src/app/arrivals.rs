//! A study on its way in: what is known of its completeness, who is told, what opens early, what comes late.
//!
//! [`look_in_tx`] is the one place that looks at a study after something came or
//! was said. It notes a new version where what is known has changed, marks the
//! cases to which images came late, and opens a stat case from its first whole
//! series. [`crate::work::arriving`] calls it while a study arrives,
//! [`crate::work::settle_study`] when it counts as here.

use dokuei_models::completeness::{Completeness, Says, Verdict};
use dokuei_models::identity;
use dokuei_models::names::PatientIdRule;
use dokuei_models::state::CaseState;
use dokuei_models::store::cases::{self, INCOMPLETE, LATE_IMAGES};
use dokuei_models::store::completeness::{
    completeness_newest, completeness_note_in_tx, series_count_whole, study_judge,
};
use dokuei_models::store::evidence::EvidenceKind;
use dokuei_models::store::images::withdrawn_catch_up_in_tx;
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, requests, sites};
use dokuei_models::{Actor, CaseId, Connection, SiteId, StoreError, StudyId};
use dokuei_terms::Priority;
use serde_json::json;

use super::matching;
use crate::state::State;
use crate::wake::Topic;

/// What a look at a study found.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The study.
    pub study: StudyRow,
    /// What is known now.
    pub known: Completeness,
    /// Whether that is another than before.
    pub changed: bool,
    /// Its cases.
    pub cases: Vec<CaseId>,
}

/// Looks at a study.
///
/// # Errors
/// What the database says.
pub fn look_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<Looked, StoreError> {
    let mut row = studies::study_get(conn, study)?;
    if withdrawn_catch_up_in_tx(conn, actor, &row)? {
        row = studies::study_get(conn, study)?;
    }
    let known = study_judge(conn, &row, actor.at)?;
    let before = completeness_newest(conn, study)?;
    let of: Vec<CaseId> = studies::study_cases(conn, study)?.into_iter().map(|(case, _)| case).collect();
    // Without a case nobody has looked yet: only what is believed counts, not each image.
    let counts = !of.is_empty()
        || before.as_ref().is_none_or(|row| (row.verdict, row.expected_instances) != (known.verdict, known.expected));
    let changed = counts && completeness_note_in_tx(conn, &row, &known, actor.at)?;
    let grown = before.is_some_and(|before| known.received > before.received);
    for case in &of {
        let case_row = cases::case_get(conn, *case)?;
        if grown && row.last_received_at > case_row.created_at && !case_row.has_flag(LATE_IMAGES) {
            cases::case_lock_in_tx(conn, *case)?;
            cases::case_flag_in_tx(conn, *case, LATE_IMAGES, true)?;
        }
        let incomplete = case_row.has_flag(INCOMPLETE);
        if incomplete && !asks(&known) && !others_ask(conn, *case, study, actor)? {
            cases::case_lock_in_tx(conn, *case)?;
            cases::case_flag_in_tx(conn, *case, INCOMPLETE, false)?;
            case_events::append_in_tx(conn, actor, *case, None, "complete_now", &json!({ "study": study }))?;
        }
    }
    Ok(Looked { study: row, known, changed, cases: of })
}

/// Whether a reader is told, and asked before he signs: something counted is missing, or somebody still sends.
pub fn asks(known: &Completeness) -> bool {
    let running = known.reasons.iter().any(|reason| reason.says == Says::Running);
    known.verdict == Verdict::Coming && (known.missing() > 0 || running)
}

fn others_ask(conn: &mut Connection, case: CaseId, but: StudyId, actor: &Actor) -> Result<bool, StoreError> {
    for study in super::opening::current_studies(conn, case)? {
        let row = studies::study_get(conn, study)?;
        if study != but && asks(&study_judge(conn, &row, actor.at)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How much of a case's current studies is here: received, expected where somebody counted, and whether more comes.
///
/// # Errors
/// What the database says.
pub fn of_case(
    conn: &mut Connection,
    case: CaseId,
    now: chrono::NaiveDateTime,
) -> Result<(i32, Option<i32>, bool), StoreError> {
    let (mut received, mut expected, mut coming) = (0, None, false);
    for study in super::opening::current_studies(conn, case)? {
        let row = studies::study_get(conn, study)?;
        let known = study_judge(conn, &row, now)?;
        received += known.received;
        if let Some(count) = known.expected {
            expected = Some(expected.unwrap_or(0) + count);
        } else if let Some(sum) = expected.as_mut() {
            *sum += known.received;
        }
        coming |= asks(&known);
    }
    Ok((received, expected, coming))
}

/// Opens the case of a stat request from the study's first whole series, before all of it is here.
///
/// # Errors
/// What the database says.
pub fn open_early_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<Vec<CaseId>, StoreError> {
    let row = studies::study_get(conn, study)?;
    if row.settled_at.is_some() || row.instances == 0 || !studies::study_cases(conn, study)?.is_empty() {
        return Ok(Vec::new());
    }
    let rule: PatientIdRule = sites::site_get(conn, row.site_id)?.patient_id_rule.parse()?;
    let named = requests::request_list_naming(conn, row.site_id, &row.accession_number, &row.study_uid)?;
    let stat = named.iter().any(|request| {
        request.priority == Priority::Stat && identity::doubts(rule, &request.identity(), &row.identity()).is_empty()
    });
    if !stat || series_count_whole(conn, &row)? == 0 {
        return Ok(Vec::new());
    }
    let opened = matching::match_study_in_tx(conn, actor, study)?.cases;
    for case in &opened {
        let data = json!({ "study": study, "instances": row.instances });
        case_events::append_in_tx(conn, actor, *case, None, "opened_early", &data)?;
    }
    Ok(opened)
}

/// Notes that a person says all of a study is here, and lets it go on.
///
/// # Errors
/// [`StoreError::NotFound`] when the study is not of these sites.
pub fn whole_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    of: &[SiteId],
    study: StudyId,
    reason: &str,
) -> Result<(), StoreError> {
    use dokuei_models::store::audit::{self, Subject};
    use dokuei_models::store::evidence::{NewEvidence, evidence_record_in_tx};
    use dokuei_models::store::jobs::{self, NewJob};
    let row = studies::study_get(conn, study)?;
    if !of.contains(&row.site_id) {
        return Err(StoreError::NotFound("the study"));
    }
    let known = study_judge(conn, &row, actor.at)?;
    let said = NewEvidence {
        site: row.site_id,
        study_uid: row.study_uid,
        kind: EvidenceKind::Person,
        source: actor.user.map(|user| user.to_string()).unwrap_or_default(),
        expected_instances: Some(known.received),
        detail: json!({ "reason": reason }),
        at: actor.at,
    };
    evidence_record_in_tx(conn, &said)?;
    jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", study.to_string(), actor.at))?;
    let subject = Subject::row("study", study.0, Some(row.site_id));
    audit::append_in_tx(conn, actor, "study.whole", subject, "done", reason)
}

/// Tells everybody who looks at a study or one of its cases.
pub fn tell(state: &State, site: SiteId, pool: i64, cases: &[CaseId]) {
    state.wake.tell(Topic::Portal(site.0));
    state.wake.tell(Topic::Board(pool));
    for case in cases {
        state.wake.tell(Topic::Case(case.0));
    }
}

/// Whether a case is over as far as reading goes: images that come now reopen it.
pub const fn is_reported(state: CaseState) -> bool {
    matches!(state, CaseState::Reported | CaseState::Returned | CaseState::Acknowledged)
}
