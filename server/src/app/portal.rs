//! What a site sees of its own submissions: one line each, with its plain steps and what is to be done now.
//!
//! A *line* is a request (with its case, once its images are here) or a study
//! that no request names yet. Sentences are keys with values, in the words of
//! `portal.ftl`; whoever renders them knows the language.

mod dossier;
mod reports;
mod steps;

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use dokuei_models::state::RequestState;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::CaseRow;
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::StudyRow;
use dokuei_models::store::submissions;
use dokuei_models::{CaseId, Connection, RequestId, SiteId, StoreError, StudyId};
use dokuei_terms::Priority;

pub use self::dossier::{Dossier, dossier_of_case, dossier_of_request, form_file};
pub use self::reports::{ReportLine, reports};

use self::steps::{of_case, of_study, of_waiting};
use super::requests::REPLACED;
use crate::authority::Person;
use crate::authority::rights::Submit;
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
