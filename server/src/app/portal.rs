//! What a site sees of its own submissions: one line each, with its plain steps and what is to be done now.
//!
//! A *line* is a request (with its case, once its images are here) or a study
//! that no request names yet. Sentences are keys with values, in the words of
//! `portal.ftl`; whoever renders them knows the language.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use dokuei_models::state::{CaseState, HoldActor, MatchState, NoteKind, RequestState, VersionState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::case_notes::{self, CaseNoteRow};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::recipients::{self, RecipientRow};
use dokuei_models::store::requests::{self, RequestFileRow, RequestRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::StudyRow;
use dokuei_models::store::{reads, submissions};
use dokuei_models::{CaseId, Connection, RequestId, SiteId, StoreError, StudyId, UserId};
use dokuei_terms::Priority;

use super::matching::OLDER_THAN_LIMIT;
use super::requests::REPLACED;
use super::signing::withdraw::WITHDRAWN;
use crate::authority::Person;
use crate::authority::rights::{SeeReports, Submit};
use crate::error::{Error, Result};
use crate::state::State;

/// How long something that is over stays on the list.
const SHOWN_FOR: TimeDelta = TimeDelta::days(30);
const MOST_LINES: i64 = 500;

/// Which lines a person wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// What is not over: going on, to be done here, and reports nobody has accepted.
    #[default]
    Open,
    /// Where the site must do something.
    Todo,
    /// Reports that wait to be accepted.
    Reported,
    /// Everything of the last 30 days.
    All,
}

impl Show {
    /// Every one, in the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Open, Self::Todo, Self::Reported, Self::All];

    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Todo => "todo",
            Self::Reported => "reported",
            Self::All => "all",
        }
    }
}

/// What a line asks of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The reader asks: nothing goes on before the answer.
    Question,
    /// A request or a look is needed.
    Todo,
    /// The report is there and nobody has accepted it.
    Report,
    /// It goes on by itself.
    Going,
    /// It is over.
    Over,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Far {
    /// It is behind.
    Done,
    /// It is now.
    Now,
    /// It is stuck until somebody acts.
    Stuck,
    /// It is ahead.
    Ahead,
}

/// The steps of a line, in order: images, request, reading, report, acceptance.
pub const STEPS: [&str; 5] =
    ["portal-step-images", "portal-step-request", "portal-step-reading", "portal-step-report", "portal-step-accepted"];

/// A sentence: its key, and the value it names, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The key in `portal.ftl`.
    pub key: &'static str,
    /// `$value`.
    pub value: String,
    /// Codes of identity doubts to be named after it.
    pub doubts: Vec<String>,
    /// A time to be named after it.
    pub until: Option<NaiveDateTime>,
}

impl Said {
    fn key(key: &'static str) -> Self {
        Self { key, value: String::new(), doubts: Vec::new(), until: None }
    }

    fn value(key: &'static str, value: impl ToString) -> Self {
        Self { value: value.to_string(), ..Self::key(key) }
    }
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// The request, if there is one.
    pub request: Option<RequestId>,
    /// The case, if there is one.
    pub case: Option<CaseId>,
    /// A study to write a request for.
    pub study: Option<StudyId>,
    /// The patient's name for the site's own people.
    pub patient: String,
    /// PatientID as written.
    pub patient_id: String,
    /// The exam in words.
    pub exam: String,
    /// The day of the exam.
    pub day: Option<NaiveDate>,
    /// AccessionNumber.
    pub accession_number: String,
    /// What was asked for, or what the dispatcher made of it.
    pub priority: Option<Priority>,
    /// When the report is owed, while it is.
    pub due_at: Option<NaiveDateTime>,
    /// When it came.
    pub at: NaiveDateTime,
    /// How many images are here.
    pub received: i32,
    /// How many are awaited, where that is known.
    pub awaited: Option<i32>,
    /// How far each of [`STEPS`] is.
    pub steps: [Far; 5],
    /// Where it stands, in words.
    pub now: Said,
    /// What it asks of the site.
    pub standing: Standing,
    /// Whether the request was made by the site's rule.
    pub is_default: bool,
}

impl Line {
    /// Whether a list shows it.
    pub fn is_in(&self, show: Show) -> bool {
        match show {
            Show::All => true,
            Show::Open => self.standing != Standing::Over,
            Show::Todo => matches!(self.standing, Standing::Question | Standing::Todo),
            Show::Reported => self.standing == Standing::Report,
        }
    }
}

/// The sites that a person submits for, by code.
///
/// # Errors
/// `not_found` when there is none.
pub async fn sites_of(state: &State, person: &Person) -> Result<Vec<SiteRow>> {
    let reach = person.reach::<Submit>();
    let all = state.db.read(sites::site_list).await?;
    let own: Vec<SiteRow> =
        all.into_iter().filter(|site| site.active && site.refers && reach.covers(site.id, site.pool_id)).collect();
    if own.is_empty() { Err(Error::not_found()) } else { Ok(own) }
}

/// The lines of sites: questions first, then what is to be done, then the newest.
///
/// # Errors
/// Only the database's own.
pub async fn lines(state: &State, sites: &[SiteRow]) -> Result<Vec<Line>> {
    let (ids, now): (Vec<SiteId>, _) = (sites.iter().map(|site| site.id).collect(), state.now());
    Ok(state.db.read(move |conn| load_lines(conn, &ids, now)).await?)
}

/// Leaves the audit row of looking at the list.
///
/// # Errors
/// Only the database's own.
pub async fn note_look(state: &State, person: &Person, sites: &[SiteRow]) -> Result<()> {
    let (actor, ids) = (person.actor(state.now()), sites.iter().map(|site| site.id).collect::<Vec<_>>());
    state
        .db
        .tx(move |conn| {
            ids.iter().try_for_each(|site| {
                let subject = Subject::row("site", site.0, Some(*site));
                audit::append_in_tx(conn, &actor, "portal.view", subject, "done", "")
            })
        })
        .await?;
    Ok(())
}

fn load_lines(conn: &mut Connection, of: &[SiteId], now: NaiveDateTime) -> Result<Vec<Line>, StoreError> {
    let since = now - SHOWN_FOR;
    let written = submissions::request_list_of_sites(conn, of, since, MOST_LINES)?;
    let ids: Vec<RequestId> = written.iter().map(|request| request.id).collect();
    let mut by_request: BTreeMap<i64, Vec<CaseRow>> = BTreeMap::new();
    let mut case_ids = Vec::new();
    for case in submissions::case_list_of_requests(conn, &ids)? {
        case_ids.push(case.id);
        by_request.entry(case.request_id.0).or_default().push(case);
    }
    let mut by_case: BTreeMap<i64, Vec<StudyRow>> = BTreeMap::new();
    for (case, study) in submissions::study_list_of_cases(conn, &case_ids)? {
        by_case.entry(case.0).or_default().push(study);
    }
    let mut loose = submissions::study_list_without_case(conn, of, since, MOST_LINES)?;
    let mut lines = Vec::new();
    for request in written.iter().filter(|request| request.state_reason.as_deref() != Some(REPLACED)) {
        let of_request = by_request.remove(&request.id.0).unwrap_or_default();
        if of_request.is_empty() {
            // Its images may be on their way: then they are shown here and not by themselves.
            let names = |study: &StudyRow| {
                study.site_id == request.site_id
                    && request.state == RequestState::Waiting
                    && ((!request.study_uid.is_empty() && study.study_uid == request.study_uid)
                        || (!request.accession_number.is_empty() && study.accession_number == request.accession_number))
            };
            let (its, rest): (Vec<StudyRow>, Vec<StudyRow>) = loose.into_iter().partition(names);
            loose = rest;
            lines.push(of_waiting(request, &its));
        }
        for case in of_request {
            lines.push(of_case(request, &case, by_case.get(&case.id.0).map_or(&[][..], Vec::as_slice)));
        }
    }
    lines.extend(loose.iter().map(of_study));
    lines.sort_by_key(|line| (line.standing.min(Standing::Report), std::cmp::Reverse(line.at)));
    Ok(lines)
}

fn blank(at: NaiveDateTime) -> Line {
    Line {
        request: None,
        case: None,
        study: None,
        patient: String::new(),
        patient_id: String::new(),
        exam: String::new(),
        day: None,
        accession_number: String::new(),
        priority: None,
        due_at: None,
        at,
        received: 0,
        awaited: None,
        steps: [Far::Ahead; 5],
        now: Said::key("portal-now-going"),
        standing: Standing::Going,
        is_default: false,
    }
}

fn of_request(request: &RequestRow, studies: &[StudyRow]) -> Line {
    let received = studies.iter().map(|study| study.instances).sum();
    let settled = !studies.is_empty() && studies.iter().all(|study| study.settled_at.is_some());
    Line {
        request: Some(request.id),
        patient: request.identity().name.shown(),
        patient_id: request.patient_id.clone(),
        exam: request.exam.clone(),
        day: studies.first().and_then(|study| study.study_date),
        accession_number: request.accession_number.clone(),
        priority: Some(request.priority),
        received,
        awaited: request.expected_instances.or(settled.then_some(received)),
        is_default: request.is_default,
        ..blank(request.created_at)
    }
}

/// A request whose case is not there.
fn of_waiting(request: &RequestRow, studies: &[StudyRow]) -> Line {
    let mut line = of_request(request, studies);
    (line.steps, line.now, line.standing) = match request.state {
        RequestState::Cancelled => {
            let reason = request.state_reason.clone().unwrap_or_default();
            ([Far::Ahead; 5], Said::value("portal-now-cancelled", reason), Standing::Over)
        }
        RequestState::Doubtful => {
            let codes = request.state_reason.as_deref().unwrap_or_default();
            let said =
                Said { doubts: codes.split('+').map(str::to_owned).collect(), ..Said::key("portal-now-doubtful") };
            ([Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead], said, Standing::Todo)
        }
        RequestState::Waiting if request.state_reason.as_deref() == Some(OLDER_THAN_LIMIT) => {
            let steps = [Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-older"), Standing::Going)
        }
        RequestState::Waiting | RequestState::Matched if studies.is_empty() => {
            let steps = [Far::Now, Far::Done, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-waiting-images"), Standing::Going)
        }
        RequestState::Waiting | RequestState::Matched => {
            let steps = [Far::Now, Far::Done, Far::Ahead, Far::Ahead, Far::Ahead];
            (steps, Said::key("portal-now-arriving"), Standing::Going)
        }
    };
    line
}

/// A study that is in no case.
fn of_study(study: &StudyRow) -> Line {
    let mut line = Line {
        study: Some(study.id),
        patient: study.identity().name.shown(),
        patient_id: study.header_patient_id.clone(),
        exam: if study.description.is_empty() {
            study.modalities.replace('\\', " ")
        } else {
            study.description.clone()
        },
        day: study.study_date,
        accession_number: study.accession_number.clone(),
        received: study.instances,
        awaited: study.settled_at.is_some().then_some(study.instances),
        ..blank(study.first_received_at)
    };
    let stuck = [Far::Done, Far::Stuck, Far::Ahead, Far::Ahead, Far::Ahead];
    (line.steps, line.now, line.standing) = match study.match_state {
        MatchState::Unmatched => {
            let said = Said { until: study.match_deadline, ..Said::key("portal-now-no-request") };
            (stuck, said, Standing::Todo)
        }
        MatchState::Doubtful => {
            let said = Said {
                doubts: doubts_of_study(study),
                until: study.match_deadline,
                ..Said::key("portal-now-doubtful")
            };
            (stuck, said, Standing::Todo)
        }
        MatchState::Comparison => {
            let cancelled = study.match_reason.as_deref() == Some("request_cancelled");
            let key = if cancelled { "portal-now-freed" } else { "portal-now-comparison" };
            ([Far::Done, Far::Ahead, Far::Ahead, Far::Ahead, Far::Ahead], Said::key(key), Standing::Over)
        }
        MatchState::Arriving | MatchState::Matched => (
            [Far::Now, Far::Ahead, Far::Ahead, Far::Ahead, Far::Ahead],
            Said::key("portal-now-arriving"),
            Standing::Going,
        ),
    };
    line
}

/// The doubts in `12:patient_id+name,13:sex`, each once.
fn doubts_of_study(study: &StudyRow) -> Vec<String> {
    let mut doubts: Vec<String> = study
        .match_reason
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter_map(|pair| pair.split_once(':').map(|(_, codes)| codes))
        .flat_map(|codes| codes.split('+').map(str::to_owned))
        .collect();
    doubts.sort();
    doubts.dedup();
    doubts
}

fn of_case(request: &RequestRow, case: &CaseRow, studies: &[StudyRow]) -> Line {
    use Far::{Ahead, Done, Now, Stuck};
    let mut line = of_request(request, studies);
    line.case = Some(case.id);
    line.priority = Some(case.priority);
    line.due_at = case.state.is_open().then_some(case.due_at);
    // The request of a person can still take a default one's place.
    line.study = studies.first().filter(|_| request.is_default && case.state.is_open()).map(|study| study.id);
    let still_coming = line.awaited.is_none_or(|awaited| line.received < awaited);
    let images = if still_coming { Now } else { Done };
    let by_rule = if request.is_default { Stuck } else { Done };
    (line.steps, line.now, line.standing) = match case.state {
        CaseState::Receiving => {
            ([Now, by_rule, Ahead, Ahead, Ahead], Said::key("portal-now-arriving"), Standing::Going)
        }
        CaseState::WaitingRequest => {
            ([images, Stuck, Ahead, Ahead, Ahead], Said::key("portal-now-no-request"), Standing::Todo)
        }
        CaseState::Ready => {
            let key = if request.is_default { "portal-now-by-rule" } else { "portal-now-ready" };
            ([images, by_rule, Now, Ahead, Ahead], Said::key(key), Standing::Going)
        }
        CaseState::Reading if case.reported_at.is_some() => {
            ([images, Done, Now, Ahead, Ahead], Said::key("portal-now-again"), Standing::Going)
        }
        CaseState::Reading => ([images, by_rule, Now, Ahead, Ahead], Said::key("portal-now-reading"), Standing::Going),
        CaseState::OnHold if case.hold_actor == Some(HoldActor::Site) => {
            let said = Said { until: case.hold_until, ..Said::key("portal-now-question") };
            ([images, by_rule, Stuck, Ahead, Ahead], said, Standing::Question)
        }
        CaseState::OnHold if case.hold_reason.as_deref() == Some(WITHDRAWN) => {
            ([images, Done, Stuck, Ahead, Ahead], Said::key("portal-now-withdrawn"), Standing::Going)
        }
        CaseState::OnHold => {
            let engine = case.hold_reason.as_deref() == Some("no_engine");
            let key = if engine { "portal-now-no-engine" } else { "portal-now-held" };
            ([images, by_rule, Stuck, Ahead, Ahead], Said::key(key), Standing::Going)
        }
        CaseState::Reported => ([Done, Done, Done, Now, Ahead], Said::key("portal-now-reported"), Standing::Report),
        CaseState::Returned => ([Done, Done, Done, Done, Now], Said::key("portal-now-returned"), Standing::Report),
        CaseState::Acknowledged => ([Done; 5], Said::key("portal-now-accepted"), Standing::Over),
        CaseState::Cancelled if case.merged_into_id.is_some() => {
            let into = case.merged_into_id.map(|id| id.to_string()).unwrap_or_default();
            ([images, Done, Ahead, Ahead, Ahead], Said::value("portal-now-merged", into), Standing::Over)
        }
        CaseState::Cancelled => {
            let reason = request.state_reason.clone().unwrap_or_default();
            ([images, Done, Ahead, Ahead, Ahead], Said::value("portal-now-cancelled", reason), Standing::Over)
        }
    };
    line
}

/// Everything of one request, or of one case of it.
#[derive(Clone)]
pub struct Dossier {
    /// The line of the list.
    pub line: Line,
    /// The site.
    pub site: SiteRow,
    /// The request.
    pub request: RequestRow,
    /// Its scanned forms.
    pub files: Vec<RequestFileRow>,
    /// The case, if there is one.
    pub case: Option<CaseRow>,
    /// The studies to be read.
    pub studies: Vec<StudyRow>,
    /// Questions and answers, oldest first.
    pub thread: Vec<CaseNoteRow>,
    /// Signed versions, the newest first.
    pub versions: Vec<SignedVersion>,
    /// Their recipients.
    pub recipients: Vec<RecipientRow>,
    /// Whether the site may still withdraw it.
    pub may_cancel: bool,
}

impl Dossier {
    /// Whether the reader waits for an answer.
    pub fn is_asked(&self) -> bool {
        self.line.standing == Standing::Question
    }

    /// The newest version that is in force.
    pub fn in_force(&self) -> Option<&SignedVersion> {
        self.versions.iter().find(|version| version.state != VersionState::Withdrawn)
    }

    /// Why and when its reports were withdrawn, where none is in force since.
    pub fn withdrawn(&self) -> Option<&(String, NaiveDateTime)> {
        if self.in_force().is_some() { None } else { self.versions.iter().find_map(|one| one.withdrawn.as_ref()) }
    }

    /// The recipients of a version.
    pub fn recipients_of(&self, version: &SignedVersion) -> Vec<&RecipientRow> {
        self.recipients.iter().filter(|recipient| recipient.version_id == version.id).collect()
    }

    /// Whether a person may accept and act on a version: returned and not withdrawn.
    pub fn may_respond(&self, version: &SignedVersion) -> bool {
        self.case.as_ref().is_some_and(|case| case.returned_at.is_some()) && version.state != VersionState::Withdrawn
    }

    /// What a person has said to a version: accepted, acted.
    pub fn responses_of(&self, version: &SignedVersion, user: UserId) -> (bool, bool) {
        let own = self.recipients_of(version).into_iter().find(|recipient| recipient.user_id == user);
        own.map_or((false, false), |own| (own.accepted_at.is_some(), own.acted_at.is_some()))
    }
}

/// The dossier of a case. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's case.
pub async fn dossier_of_case(state: &State, person: &Person, case: CaseId) -> Result<Dossier> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let dossier = state
        .db
        .tx(move |conn| {
            let case = cases::case_get(conn, case)?;
            if !reach.covers_site(case.site_id) {
                return Err(StoreError::NotFound("the case"));
            }
            audit::append_in_tx(conn, &actor, "case.view", Subject::case(case.id, case.site_id), "done", "")?;
            let request = requests::request_get(conn, case.request_id)?;
            load_dossier(conn, request, Some(case))
        })
        .await?;
    Ok(dossier)
}

/// The dossier of a request; of its newest case, if it has one. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's request.
pub async fn dossier_of_request(state: &State, person: &Person, request: RequestId) -> Result<Dossier> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let dossier = state
        .db
        .tx(move |conn| {
            let request = requests::request_get(conn, request)?;
            if !reach.covers_site(request.site_id) {
                return Err(StoreError::NotFound("the request"));
            }
            let subject = Subject::row("request", request.id.0, Some(request.site_id));
            audit::append_in_tx(conn, &actor, "request.view", subject, "done", "")?;
            let case = cases::case_list_of_request(conn, request.id)?.pop();
            load_dossier(conn, request, case)
        })
        .await?;
    Ok(dossier)
}

fn load_dossier(conn: &mut Connection, request: RequestRow, case: Option<CaseRow>) -> Result<Dossier, StoreError> {
    let ids: Vec<CaseId> = case.iter().map(|case| case.id).collect();
    let studies: Vec<StudyRow> =
        submissions::study_list_of_cases(conn, &ids)?.into_iter().map(|(_, study)| study).collect();
    let mut thread = Vec::new();
    for case in &ids {
        thread.extend(case_notes::case_note_list(conn, *case)?);
    }
    thread.retain(|note| matches!(note.kind, NoteKind::Question | NoteKind::Answer));
    let versions = signed_versions::signed_version_list(conn, &ids)?;
    let signed = match &case {
        Some(case) => reads::read_list_of_case(conn, case.id)?.iter().any(|read| read.stands_signed(case)),
        None => false,
    };
    let open = case.as_ref().map_or(request.state != RequestState::Cancelled, |case| case.state.is_open());
    let line = match &case {
        Some(case) => of_case(&request, case, &studies),
        None => of_waiting(&request, &[]),
    };
    Ok(Dossier {
        line,
        site: sites::site_get(conn, request.site_id)?,
        files: requests::request_file_list(conn, request.id)?,
        recipients: recipients::recipient_list(conn, &ids)?,
        may_cancel: open && versions.iter().all(|version| version.state == VersionState::Withdrawn) && !signed,
        request,
        case,
        studies,
        thread,
        versions,
    })
}

/// A scanned form with its bytes, for the site's own people. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's form.
pub async fn form_file(state: &State, person: &Person, file: i64) -> Result<(RequestFileRow, bytes::Bytes)> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let row = state
        .db
        .tx(move |conn| {
            let row = requests::request_file_get(conn, file)?;
            let request = requests::request_get(conn, row.request_id)?;
            if !reach.covers_site(request.site_id) {
                return Err(StoreError::NotFound("the form"));
            }
            let subject = Subject::row("request", request.id.0, Some(request.site_id));
            audit::append_in_tx(conn, &actor, "request.form.view", subject, "done", "")?;
            Ok(row)
        })
        .await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    Ok((row, bytes))
}

/// A signed version with its case's line, for the list of reports.
#[derive(Debug, Clone)]
pub struct ReportLine {
    /// The version, the newest of its case.
    pub version: SignedVersion,
    /// How many signed versions the case has.
    pub versions: usize,
    /// The case's line.
    pub line: Line,
    /// Who opened, accepted, acted on the newest version: the number of each.
    pub facts: [usize; 3],
}

/// The reports of sites in the last 30 days (by request), the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn reports(state: &State, sites: &[SiteRow]) -> Result<Vec<ReportLine>> {
    let (ids, now): (Vec<SiteId>, _) = (sites.iter().map(|site| site.id).collect(), state.now());
    let reports = state
        .db
        .read(move |conn| {
            let lines = load_lines(conn, &ids, now)?;
            let cases: Vec<CaseId> = lines.iter().filter_map(|line| line.case).collect();
            let mut by_case: BTreeMap<i64, Vec<SignedVersion>> = BTreeMap::new();
            for version in signed_versions::signed_version_list(conn, &cases)? {
                by_case.entry(version.case_id.0).or_default().push(version);
            }
            let people = recipients::recipient_list(conn, &cases)?;
            let mut reports: Vec<ReportLine> = Vec::new();
            for line in lines {
                let Some(versions) = line.case.and_then(|case| by_case.remove(&case.0)) else { continue };
                let count = versions.len();
                let Some(version) = versions.into_iter().next() else { continue };
                let of_version: Vec<&RecipientRow> = people.iter().filter(|one| one.version_id == version.id).collect();
                let number = |fact: fn(&RecipientRow) -> bool| of_version.iter().filter(|one| fact(one)).count();
                let facts = [
                    number(|one| one.opened_at.is_some()),
                    number(|one| one.accepted_at.is_some()),
                    number(|one| one.acted_at.is_some()),
                ];
                reports.push(ReportLine { version, versions: count, line, facts });
            }
            reports.sort_by_key(|report| std::cmp::Reverse(report.version.signed_at));
            Ok(reports)
        })
        .await?;
    Ok(reports)
}
