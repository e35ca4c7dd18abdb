//! Earlier studies of a patient, fetched from his site's PACS for comparison.
//!
//! The PACS is asked by its own PatientID and answers with what it has; a study is fetched only when the answer names
//! the same person (ID by the site's rule, name, birth date), is older than the case's study, fits the rule of that
//! PACS and is not here already. It comes by C-MOVE to our own AE title, through the same door as any image; that it
//! was asked for is written down first, and so it is a prior of the case and never a new read.
//!
//! Every step may run twice: what came meanwhile is not asked for again. What a dispatcher reads of it is in the case's
//! history, without patient data.

use std::time::Duration;

use chrono::TimeDelta;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::charset::Repertoire;
use dokuei_dicom_gateway::scu::{self, SendError, StudyAnswer, Timeouts};
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::{PatientIdRule, PatientName};
use dokuei_models::state::{CaseStudyRole, MatchState, RequestState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::priors::{self, PriorRule, PriorState};
use dokuei_models::store::sites::{self, EndpointRow, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, reads, requests, submissions};
use dokuei_models::{Actor, CaseId, Connection, ReadId, StoreError};
use dokuei_prescreen::labels::{self, Order, SeriesHeader, StudyHeader};
use dokuei_terms::{Modality, Region};
use serde_json::json;

use super::overriding::{case_within, refused};
use super::peers::{self, Sentence};
use super::{opening, worklist};
use crate::authority::{Person, Reach};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

pub mod rule;

/// The kind of the job; its key is the case.
pub const JOB: &str = "fetch_priors";
/// How often a PACS is tried before a person must look.
const ATTEMPTS: i32 = 6;
/// Answers of a PACS that are looked at.
const MOST_FOUND: usize = 500;
/// How long a PACS may take for an answer: some say nothing until a whole study is sent.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(10), answer: Duration::from_secs(600) };

/// Queues the fetching for a case.
///
/// # Errors
/// What the database says.
pub fn enqueue_in_tx(
    conn: &mut Connection,
    case: CaseId,
    at: chrono::NaiveDateTime,
) -> std::result::Result<(), StoreError> {
    let job = NewJob { max_attempts: ATTEMPTS, ..NewJob::now(JOB, case.to_string(), at) };
    jobs::enqueue_in_tx(conn, &job)
}

/// Queues it where a rule of the site says so: a case has opened.
///
/// # Errors
/// What the database says.
pub fn follow_rules_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    case: CaseId,
) -> std::result::Result<(), StoreError> {
    if priors::prior_rule_list(conn, site.id)?.iter().any(|(rule, _)| rule.active) {
        enqueue_in_tx(conn, case, actor.at)?;
    }
    Ok(())
}

/// A dispatcher asks for a case's priors, whatever the rules say of doing it by themselves.
///
/// # Errors
/// `not_found` outside reach, `no_prior_source` where no PACS of the site is set up for it.
pub async fn ask(state: &State, person: &Person, reach: Reach, case: CaseId) -> Result<()> {
    let actor = person.actor(state.now());
    let asked = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            ask_in_tx(conn, &actor, &row)
        })
        .await
        .map_err(refused)?;
    told(state, asked)
}

/// A reader asks for the priors of what he reads.
///
/// # Errors
/// `not_found` for another's read, `no_prior_source`.
pub async fn ask_as_reader(state: &State, person: &Person, read: ReadId) -> Result<()> {
    let reader = worklist::reader_of(state, person).await?.id;
    let actor = person.actor(state.now());
    let asked = state
        .db
        .tx(move |conn| {
            let row = reads::read_get(conn, read)?;
            if row.reader_id != Some(reader) {
                return Err(StoreError::NotFound("the read"));
            }
            let case = cases::case_get(conn, row.case_id)?;
            ask_in_tx(conn, &actor, &case)
        })
        .await?;
    told(state, asked)
}

fn ask_in_tx(conn: &mut Connection, actor: &Actor, case: &CaseRow) -> std::result::Result<bool, StoreError> {
    if priors::prior_rule_list(conn, case.site_id)?.is_empty() {
        return Ok(false);
    }
    enqueue_in_tx(conn, case.id, actor.at)?;
    case_events::append_in_tx(conn, actor, case.id, None, "priors_asked", &json!({}))?;
    audit::append_in_tx(conn, actor, "case.priors", Subject::case(case.id, case.site_id), "done", "")?;
    Ok(true)
}

fn told(state: &State, asked: bool) -> Result<()> {
    if !asked {
        return Err(Error::new(&crate::error::codes::dispatch::NO_PRIOR_SOURCE));
    }
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// What a case is compared by.
struct Wanted {
    case: CaseRow,
    site: SiteRow,
    current: Vec<StudyRow>,
    regions: Vec<Region>,
    modalities: Vec<Modality>,
    sources: Vec<(PriorRule, EndpointRow)>,
}

/// Who the patient of an answer is.
fn identity_of(answer: &StudyAnswer) -> Identity {
    Identity {
        patient_id: answer.patient_id.clone(),
        name: PatientName {
            alphabetic: answer.patient_name.alphabetic().to_owned(),
            ideographic: answer.patient_name.ideographic().to_owned(),
            phonetic: answer.patient_name.phonetic().to_owned(),
        },
        birth_date: answer.birth_date,
        sex: answer.sex.clone(),
    }
}

/// What became of one PACS.
#[derive(Debug, Default)]
struct Outcome {
    found: usize,
    wanted: usize,
    fetched: usize,
    here: usize,
    others: usize,
    refused: Vec<Sentence>,
}

/// Fetches what the rules of the case's site want. Each PACS's outcome is in the case's history.
///
/// # Errors
/// A PACS could not be asked: tried again later, and on the last try said in the history.
pub async fn fetch(state: &State, case: CaseId, last_chance: bool) -> anyhow::Result<()> {
    let wanted = state.db.read(move |conn| load(conn, case)).await?;
    if !wanted.case.state.is_open() {
        return Ok(());
    }
    let mut failed = None;
    for (rule, pacs) in &wanted.sources {
        match from(state, &wanted, rule, pacs).await {
            Ok(outcome) => note(state, &wanted.case, pacs, &outcome).await?,
            Err(sentence) => {
                if last_chance {
                    note_failure(state, &wanted.case, pacs, &sentence).await?;
                }
                failed = Some(anyhow::anyhow!("{}: {}", pacs.ae_title, sentence.en));
            }
        }
    }
    state.wake.tell(Topic::Case(case.0));
    failed.map_or(Ok(()), Err)
}

fn load(conn: &mut Connection, case: CaseId) -> std::result::Result<Wanted, StoreError> {
    let row = cases::case_get(conn, case)?;
    let mut current = Vec::new();
    for study in opening::current_studies(conn, case)? {
        current.push(studies::study_get(conn, study)?);
    }
    let parts = cases::case_part_list(conn, case)?;
    Ok(Wanted {
        site: sites::site_get(conn, row.site_id)?,
        sources: priors::prior_rule_list(conn, row.site_id)?,
        regions: parts.iter().map(|part| part.part.region).collect(),
        modalities: parts.iter().map(|part| part.part.modality).collect(),
        case: row,
        current,
    })
}

/// Asks one PACS and fetches from it.
async fn from(
    state: &State,
    wanted: &Wanted,
    rule: &PriorRule,
    pacs: &EndpointRow,
) -> std::result::Result<Outcome, Sentence> {
    let to = peers::destination(state, pacs, PATIENCE)?;
    let said = |error: SendError| peers::sentence(&error);
    let Some(first) = wanted.current.first() else { return Ok(Outcome::default()) };
    // Some PACS answer in the character set of the question: in that of the endpoint, else in the country's.
    let set = Repertoire::parse(&pacs.character_set).filter(|_| !pacs.character_set.is_empty());
    let set = set.unwrap_or_else(Repertoire::kanji);
    let candidates = scu::find_studies(&to, &first.header_patient_id, &set, MOST_FOUND).await.map_err(said)?;
    let mut outcome = Outcome { found: candidates.len(), ..Outcome::default() };
    let mut fitting: Vec<&StudyAnswer> = Vec::new();
    for candidate in &candidates {
        if !is_same_person(wanted, first, candidate) {
            outcome.others += 1;
        } else if fits(wanted, rule, first, candidate) {
            fitting.push(candidate);
        }
    }
    fitting.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.study_uid.cmp(&b.study_uid)));
    fitting.truncate(usize::try_from(rule.most).unwrap_or_default());
    outcome.wanted = fitting.len();
    let ours = AeTitle::parse(&state.config.dicom.ae_title)
        .map_err(|_| said(SendError::Protocol("our own AE title is none")))?;
    for candidate in fitting {
        if is_here(state, wanted, candidate).await.map_err(|_| ours_failed())? {
            outcome.here += 1;
            continue;
        }
        let (case, pacs_row, uid, at) = (wanted.case.id, pacs.clone(), candidate.study_uid.clone(), state.now());
        let ask = move |conn: &mut Connection| priors::prior_ask_in_tx(conn, case, &pacs_row, &uid, at);
        state.db.tx(ask).await.map_err(|_| ours_failed())?;
        let moved = scu::retrieve_study(&to, &candidate.study_uid, &ours).await;
        let became = match moved {
            Ok(moved) if moved.failed == 0 => {
                outcome.fetched += 1;
                PriorState::Fetched
            }
            Ok(moved) => {
                outcome.refused.push(incomplete(moved.failed));
                PriorState::Refused
            }
            Err(error @ SendError::QueryRefused { .. }) => {
                outcome.refused.push(said(error));
                PriorState::Refused
            }
            // The line broke: the whole is tried again, and what is here by then is not fetched twice.
            Err(error) => return Err(said(error)),
        };
        let uid = candidate.study_uid.clone();
        let note = move |conn: &mut Connection| priors::prior_state_in_tx(conn, case, &uid, became);
        state.db.tx(note).await.map_err(|_| ours_failed())?;
    }
    Ok(outcome)
}

fn ours_failed() -> Sentence {
    Sentence {
        ja: "こちら側の問題で取得できませんでした。自動でやり直します。".to_owned(),
        en: "It could not be fetched because of a problem on our side. It is tried again.".to_owned(),
    }
}

fn incomplete(failed: u16) -> Sentence {
    Sentence {
        ja: format!("{failed}枚を送れないと相手が答えました。"),
        en: format!("The PACS could not send {failed} images."),
    }
}

/// Whether an answer names the patient of the case: nothing may speak against it, and the number alone is not enough.
fn is_same_person(wanted: &Wanted, current: &StudyRow, candidate: &StudyAnswer) -> bool {
    let rule: PatientIdRule = wanted.site.patient_id_rule.parse().unwrap_or(PatientIdRule::Exact);
    let doubts = identity::doubts(rule, &current.identity(), &identity_of(candidate));
    doubts.iter().all(|doubt| *doubt == IdentityDoubt::Sex && candidate.sex.is_empty())
}

/// Whether a study of the patient is one that the rule wants.
fn fits(wanted: &Wanted, rule: &PriorRule, current: &StudyRow, candidate: &StudyAnswer) -> bool {
    if wanted.current.iter().any(|study| study.study_uid == candidate.study_uid) {
        return false;
    }
    let (Some(of), Some(date)) = (current.study_date, candidate.date) else { return false };
    if date > of || of - date > TimeDelta::days(i64::from(rule.within_days)) {
        return false;
    }
    let modalities: Vec<Modality> = candidate.modalities.iter().filter_map(|code| Modality::from_dicom(code)).collect();
    if rule.same_modality && !modalities.iter().any(|one| wanted.modalities.contains(one)) {
        return false;
    }
    !rule.same_region || regions_meet(&wanted.regions, &regions_of(candidate))
}

/// Where two studies show one region, or one within the other; a study of which nothing is known may be of any.
fn regions_meet(current: &[Region], other: &[Region]) -> bool {
    let within = |a: &Region, b: &Region| a.and_ancestors().any(|region| region == *b);
    other.is_empty() || other.iter().any(|a| current.iter().any(|b| within(a, b) || within(b, a)))
}

/// The regions that a study's description names.
fn regions_of(candidate: &StudyAnswer) -> Vec<Region> {
    let series = candidate
        .modalities
        .iter()
        .map(|modality| SeriesHeader { modality: modality.clone(), ..SeriesHeader::default() });
    let header = StudyHeader {
        study_description: candidate.description.clone(),
        series: series.collect(),
        ..StudyHeader::default()
    };
    let labels = labels::check(&header, &Order::default());
    let regions: Vec<Region> = labels.parts.iter().map(|labelled| labelled.part.region).collect();
    // The whole body is what is said where nothing is known.
    if regions.iter().any(|region| region.code() == "body") { Vec::new() } else { regions }
}

/// Whether the whole study is here.
async fn is_here(state: &State, wanted: &Wanted, candidate: &StudyAnswer) -> std::result::Result<bool, StoreError> {
    let (site, uid) = (wanted.site.id, candidate.study_uid.clone());
    let here = state.db.read(move |conn| {
        submissions::study_of_uid(conn, site, &uid)?.map(|study| studies::study_get(conn, study)).transpose()
    });
    let most = candidate.instances;
    Ok(here.await?.is_some_and(|study| most.is_none_or(|most| i64::from(study.instances) >= most)))
}

async fn note(
    state: &State,
    case: &CaseRow,
    pacs: &EndpointRow,
    outcome: &Outcome,
) -> std::result::Result<(), StoreError> {
    let reasons = |pick: fn(&Sentence) -> &String| outcome.refused.iter().map(pick).cloned().collect::<Vec<_>>();
    let data = json!({
        "pacs": pacs.name, "ae_title": pacs.ae_title, "found": outcome.found, "wanted": outcome.wanted,
        "fetched": outcome.fetched, "here": outcome.here, "others": outcome.others,
        "refused": outcome.refused.len(),
        "why_ja": reasons(|sentence| &sentence.ja), "why_en": reasons(|sentence| &sentence.en),
    });
    write(state, case, "priors_fetched", data).await
}

async fn note_failure(
    state: &State,
    case: &CaseRow,
    pacs: &EndpointRow,
    why: &Sentence,
) -> std::result::Result<(), StoreError> {
    let data = json!({
        "pacs": pacs.name, "ae_title": pacs.ae_title, "why_ja": [why.ja.clone()], "why_en": [why.en.clone()],
    });
    write(state, case, "priors_failed", data).await
}

async fn write(
    state: &State,
    case: &CaseRow,
    kind: &'static str,
    data: serde_json::Value,
) -> std::result::Result<(), StoreError> {
    let (case, actor) = (case.id, Actor::system("priors", state.now()));
    state.db.tx(move |conn| case_events::append_in_tx(conn, &actor, case, None, kind, &data)).await
}

/// Puts a study that was asked for beside the cases that asked, where no request names it. `None` when nobody asked.
///
/// # Errors
/// What the database says.
pub fn attach_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: &StudyRow,
) -> std::result::Result<Option<Vec<CaseId>>, StoreError> {
    let asked = priors::prior_case_list(conn, study.site_id, &study.study_uid)?;
    if asked.is_empty() {
        return Ok(None);
    }
    let named = requests::request_list_naming(conn, study.site_id, &study.accession_number, &study.study_uid)?;
    if named.iter().any(|request| request.state == RequestState::Waiting) {
        return Ok(None);
    }
    studies::study_match_in_tx(conn, study.id, MatchState::Comparison, Some("fetched_prior"), None)?;
    let mut attached = Vec::new();
    for case in asked {
        let current = opening::current_studies(conn, case)?;
        let Some(first) = current.first() else { continue };
        let first = studies::study_get(conn, *first)?;
        if opening::is_prior_of(study, &first) {
            cases::case_study_add_in_tx(conn, case, study.id, CaseStudyRole::Prior)?;
            case_events::append_in_tx(conn, actor, case, None, "prior_arrived", &json!({ "study": study.id.0 }))?;
            attached.push(case);
        }
    }
    Ok(Some(attached))
}

#[cfg(test)]
mod tests {
    use dokuei_dicom_gateway::charset::PersonName;

    use super::*;

    #[test]
    fn a_study_of_another_region_is_left_there_and_one_of_an_unknown_region_is_not() {
        let region = |code: &str| code.parse::<Region>().expect("a region of the tree");
        let candidate = |description: &str| StudyAnswer {
            study_uid: "1.2.3".into(),
            patient_id: String::new(),
            patient_name: PersonName::of("", "", ""),
            birth_date: None,
            sex: String::new(),
            date: None,
            modalities: vec!["CT".into()],
            description: description.into(),
            instances: None,
        };
        let head = [region("head")];
        assert!(regions_meet(&head, &regions_of(&candidate("頭部CT"))));
        assert!(!regions_meet(&head, &regions_of(&candidate("膝関節 CT"))));
        assert!(regions_meet(&head, &regions_of(&candidate("CT"))));
    }
}
