//! The job: asks each PACS of a case's site, has what fits sent, and says what became of it.

use std::time::Duration;

use dokuei_dicom_gateway::charset::Repertoire;
use dokuei_dicom_gateway::scu::{self, SendError, StudyAnswer, Timeouts};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::priors::{self, PriorRule, PriorState, PriorWay};
use dokuei_models::store::sites::{self, EndpointRow, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, submissions};
use dokuei_models::{Actor, CaseId, Connection, StoreError};
use dokuei_terms::{Modality, Region};
use serde_json::json;

use super::fitting::{fits, is_same_person};
use super::retrieving::{self, Became};
use crate::app::opening;
use crate::app::peers::{self, Sentence};
use crate::state::State;
use crate::wake::Topic;

/// Answers of a PACS that are looked at.
const MOST_FOUND: usize = 500;
/// How long a PACS may take for an answer: some say nothing until a whole study is sent.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(10), answer: Duration::from_secs(600) };

/// Why a PACS could not be asked.
pub(super) struct Failure {
    pub why: Sentence,
    /// Whether that may pass by itself.
    pub again: bool,
}

impl From<Sentence> for Failure {
    fn from(why: Sentence) -> Self {
        Self { why, again: true }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self { why: peers::sentence(&error), again: !matches!(error, SendError::NoGet | SendError::NoStorage) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "priors cannot be fetched");
        Self { why: ours_failed(), again: true }
    }
}

/// What a case is compared by.
pub(super) struct Wanted {
    pub case: CaseRow,
    pub site: SiteRow,
    pub current: Vec<StudyRow>,
    pub regions: Vec<Region>,
    pub modalities: Vec<Modality>,
    pub sources: Vec<(PriorRule, EndpointRow)>,
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
        let outcome = from(state, &wanted, rule, pacs).await;
        let why = match &outcome {
            Ok(outcome) => outcome.refused.first(),
            Err(failure) => Some(&failure.why),
        };
        note_at_rule(state, pacs, why).await?;
        match outcome {
            Ok(outcome) => note(state, &wanted.case, pacs, &outcome).await?,
            Err(Failure { why, again }) => {
                if last_chance || !again {
                    note_failure(state, &wanted.case, pacs, &why).await?;
                }
                if again {
                    failed = Some(anyhow::anyhow!("{}: {}", pacs.ae_title, why.en));
                }
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
) -> std::result::Result<Outcome, Failure> {
    let to = peers::destination(state, pacs, PATIENCE)?;
    let Some(first) = wanted.current.first() else { return Ok(Outcome::default()) };
    // Some PACS answer in the character set of the question: in that of the endpoint, else in the country's.
    let set = Repertoire::parse(&pacs.character_set).filter(|_| !pacs.character_set.is_empty());
    let set = set.unwrap_or_else(Repertoire::kanji);
    let candidates = scu::find_studies(&to, &first.header_patient_id, &set, MOST_FOUND).await?;
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
    for candidate in fitting {
        // Of a study whose images the PACS does not count, those that are missing can be listed for C-GET alone.
        let counted = candidate.instances.is_some() || rule.way == PriorWay::Move;
        if counted && is_here(state, wanted, candidate).await? {
            outcome.here += 1;
            continue;
        }
        let (case, pacs_row, uid, at) = (wanted.case.id, pacs.clone(), candidate.study_uid.clone(), state.now());
        let ask = move |conn: &mut Connection| priors::prior_ask_in_tx(conn, case, &pacs_row, &uid, at);
        state.db.tx(ask).await?;
        // Where the line breaks the whole is tried again, and what is here by then is not fetched twice.
        let became = match rule.way {
            PriorWay::Move => retrieving::by_move(&to, &candidate.study_uid).await?,
            PriorWay::Get => retrieving::by_get(state, wanted, pacs, &to, candidate).await?,
        };
        let became = match became {
            Became::Fetched => {
                outcome.fetched += 1;
                PriorState::Fetched
            }
            Became::Here => {
                outcome.here += 1;
                PriorState::Fetched
            }
            Became::Refused(why) => {
                outcome.refused.push(why);
                PriorState::Refused
            }
            Became::Unwanted => return Ok(outcome),
        };
        let uid = candidate.study_uid.clone();
        let note = move |conn: &mut Connection| priors::prior_state_in_tx(conn, case, &uid, became);
        state.db.tx(note).await?;
    }
    Ok(outcome)
}

fn ours_failed() -> Sentence {
    Sentence {
        ja: "こちら側の問題で取得できませんでした。自動でやり直します。".to_owned(),
        en: "It could not be fetched because of a problem on our side. It is tried again.".to_owned(),
    }
}

/// Whether the whole study is here.
pub(super) async fn is_here(
    state: &State,
    wanted: &Wanted,
    candidate: &StudyAnswer,
) -> std::result::Result<bool, StoreError> {
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

/// What an administrator sees at the rule.
async fn note_at_rule(
    state: &State,
    pacs: &EndpointRow,
    why: Option<&Sentence>,
) -> std::result::Result<(), StoreError> {
    let (endpoint, at, why) = (pacs.id, state.now(), why.map(Sentence::kept));
    state.db.tx(move |conn| priors::prior_rule_asked_in_tx(conn, endpoint, at, why.as_deref())).await
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
