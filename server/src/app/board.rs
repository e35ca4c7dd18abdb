//! The dispatcher's board: what stands where, who reads, what is late.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_assigner::NameOf;
use dokuei_models::state::{CaseState, MatchState, ReadState, RequestState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::board::{self, Backlog, BoardCase, LaneOrder};
use dokuei_models::store::readers::{self, ReaderRow, ShiftRow};
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{Connection, PoolId, ReaderId, SiteId, StoreError};
use dokuei_terms::Language;

use super::board_history::{self, Lines};
use super::trouble::{self, Trouble};
use crate::authority::{Person, Reach};
use crate::error::Result;
use crate::state::State;
use crate::ui::due::SOON;

/// How many cards a lane shows; the rest is a number.
pub const LANE_LIMIT: i64 = 40;
/// How long a reported case stays on the board.
const REPORTED_SPAN: TimeDelta = TimeDelta::hours(24);

/// Names of readers and sites, for sentences.
#[derive(Debug, Clone, Default)]
pub struct Names {
    readers: HashMap<i64, (String, String)>,
    sites: HashMap<i64, (String, String)>,
}

impl Names {
    /// Loads every name.
    ///
    /// # Errors
    /// What the database says.
    pub fn load(conn: &mut Connection) -> Result<Self, StoreError> {
        let readers = readers::reader_list(conn, None)?;
        let sites = sites::site_list(conn)?;
        Ok(Self {
            readers: readers.into_iter().map(|(reader, ja, en)| (reader.id.0, (ja, en))).collect(),
            sites: sites.into_iter().map(|site| (site.id.0, (site.name_ja, site.name_en))).collect(),
        })
    }

    /// One name in a language; a reader who takes part no longer is his number.
    pub fn of(&self, language: Language, which: NameOf) -> String {
        let (found, id) = match which {
            NameOf::Reader(id) => (self.readers.get(&id), id),
            NameOf::Site(id) => (self.sites.get(&id), id),
        };
        match (found, language) {
            (Some((_, en)), Language::En) if !en.is_empty() => en.clone(),
            (Some((ja, _)), _) => ja.clone(),
            (None, _) => format!("#{id}"),
        }
    }

    /// A reader's name.
    pub fn reader(&self, language: Language, reader: ReaderId) -> String {
        self.of(language, NameOf::Reader(reader.0))
    }

    /// A site's name.
    pub fn site(&self, language: Language, site: SiteId) -> String {
        self.of(language, NameOf::Site(site.0))
    }
}

/// A reader with his load.
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderLoad {
    /// The reader.
    pub reader: ReaderRow,
    /// The shift he is in, else the next within half a day.
    pub shift: Option<ShiftRow>,
    /// Whether the plan counts on him now.
    pub on_duty: bool,
    /// Minutes signed in this shift.
    pub done_minutes: f64,
    /// Minutes of the reads he has opened.
    pub reading_minutes: f64,
    /// Minutes that are planned for him.
    pub planned_minutes: f64,
    /// Reads on his list.
    pub in_hand: usize,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Board {
    /// When it was looked at.
    pub at: NaiveDateTime,
    /// Names.
    pub names: Names,
    /// The sites within reach.
    pub sites: Vec<SiteRow>,
    /// The last day in numbers; the last of each is now.
    pub lines: Lines,
    /// Readers on shift who have paused.
    pub paused: usize,
    /// Images that belong to no case, the longest waiting first.
    pub orphans: Vec<StudyRow>,
    /// How many of them there are.
    pub orphan_count: i64,
    /// Requests without images.
    pub unmet: Vec<RequestRow>,
    /// How many of them there are.
    pub unmet_count: i64,
    /// Studies that still arrive.
    pub arriving: Vec<StudyRow>,
    /// How many of them there are.
    pub arriving_count: i64,
    /// Cases by lane.
    pub lanes: [Vec<BoardCase>; 5],
    /// How many cases stand in each lane.
    pub lane_counts: [i64; 5],
    /// What is not signed yet, by modality.
    pub backlog: Vec<Backlog>,
    /// The readers.
    pub readers: Vec<ReaderLoad>,
    /// What is wrong elsewhere.
    pub trouble: Trouble,
}

/// The states of the five lanes of cases.
pub const LANES: [&[CaseState]; 5] = [
    &[CaseState::Receiving, CaseState::WaitingRequest],
    &[CaseState::Ready],
    &[CaseState::Reading],
    &[CaseState::OnHold],
    &[CaseState::Reported, CaseState::Returned, CaseState::Acknowledged],
];

/// Loads the board for whoever reaches so far.
///
/// # Errors
/// What the database says.
pub async fn board(state: &State, reach: Reach) -> Result<Board> {
    let now = state.now();
    Ok(state.db.read(move |conn| board_in(conn, &reach, now)).await?)
}

/// Notes that somebody opened the board: ages, sexes and questions of patients stand on it.
///
/// # Errors
/// What the database says.
pub async fn opened(state: &State, person: &Person) -> Result<()> {
    let actor = person.actor(state.now());
    Ok(state
        .db
        .tx(move |conn| audit::append_in_tx(conn, &actor, "board.show", Subject::none("board"), "done", ""))
        .await?)
}

/// The sites within reach.
///
/// # Errors
/// What the database says.
pub fn sites_within(conn: &mut Connection, reach: &Reach) -> Result<Vec<SiteRow>, StoreError> {
    Ok(sites::site_list(conn)?.into_iter().filter(|site| reach.covers(site.id, site.pool_id)).collect())
}

/// The pools of some sites, each once.
pub fn pools_of(sites: &[SiteRow]) -> Vec<PoolId> {
    let mut pools: Vec<PoolId> = sites.iter().map(|site| site.pool_id).collect();
    pools.sort_unstable();
    pools.dedup();
    pools
}

/// The pools within reach.
///
/// # Errors
/// What the database says.
pub async fn pools_within(state: &State, reach: Reach) -> Result<Vec<PoolId>> {
    Ok(state.db.read(move |conn| Ok(pools_of(&sites_within(conn, &reach)?))).await?)
}

/// The same, on a connection.
///
/// # Errors
/// What the database says.
pub fn board_in(conn: &mut Connection, reach: &Reach, now: NaiveDateTime) -> Result<Board, StoreError> {
    let site_rows = sites_within(conn, reach)?;
    let ids: Vec<SiteId> = site_rows.iter().map(|site| site.id).collect();
    let pools = pools_of(&site_rows);
    let since = now - board_history::SPAN;

    let mut people = Vec::new();
    for pool in &pools {
        people.extend(readers::reader_list(conn, Some(*pool))?);
    }
    let mut shifts = readers::shift_list(conn, since, now + TimeDelta::hours(12))?;
    shifts.retain(|shift| people.iter().any(|(reader, ..)| reader.id == shift.reader_id));
    let (marks, turns) = board::board_history(conn, &ids, since)?;
    let gaps = board::board_plan_gaps(conn, &pools, since)?;
    let lines = board_history::lines(&marks, &turns, &shifts, &gaps, now, SOON);
    let readers = loads(conn, people, &shifts, now)?;

    let mut lanes: [Vec<BoardCase>; 5] = Default::default();
    let mut lane_counts = [0; 5];
    let counts = board::board_case_counts(conn, &ids, now - REPORTED_SPAN)?;
    for (at, states) in LANES.iter().enumerate() {
        let order = if at == 4 { LaneOrder::NewestReport(now - REPORTED_SPAN) } else { LaneOrder::SoonestDue };
        lanes[at] = board::board_case_list(conn, &ids, states, order, LANE_LIMIT)?;
        lane_counts[at] = counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, count)| count).sum();
    }
    let (orphans, orphan_count) =
        board::board_study_list(conn, &ids, &[MatchState::Unmatched, MatchState::Doubtful], LANE_LIMIT)?;
    let (unmet, unmet_count) =
        board::board_request_list(conn, &ids, &[RequestState::Waiting, RequestState::Doubtful], LANE_LIMIT)?;
    let (arriving, arriving_count) = board::board_study_list(conn, &ids, &[MatchState::Arriving], LANE_LIMIT)?;
    Ok(Board {
        at: now,
        names: Names::load(conn)?,
        lines,
        paused: readers
            .iter()
            .filter(|load| load.reader.paused && load.shift.is_some_and(|s| s.starts_at <= now))
            .count(),
        orphans,
        orphan_count,
        unmet,
        unmet_count,
        arriving,
        arriving_count,
        lanes,
        lane_counts,
        backlog: board::board_backlog(conn, &ids)?,
        readers,
        trouble: trouble::count(conn, &site_rows, now)?,
        sites: site_rows,
    })
}

fn loads(
    conn: &mut Connection,
    people: Vec<(ReaderRow, String, String)>,
    shifts: &[ShiftRow],
    now: NaiveDateTime,
) -> Result<Vec<ReaderLoad>, StoreError> {
    let ids: Vec<ReaderId> = people.iter().map(|(reader, ..)| reader.id).collect();
    let held = board::board_held_reads(conn, &ids, now - TimeDelta::hours(12))?;
    let mut loads: Vec<ReaderLoad> = people
        .into_iter()
        .map(|(reader, ..)| {
            let shift = shifts.iter().find(|shift| shift.reader_id == reader.id && shift.ends_at > now).copied();
            let minutes = |state: ReadState| -> f64 {
                let of: f64 =
                    held.iter().filter(|read| read.reader == reader.id && read.state == state).map(|r| r.minutes).sum();
                // An empty sum is -0.0, which would be shown so.
                0.0 + of * reader.pace
            };
            let on_duty = shift.is_some_and(|shift| {
                shift.starts_at <= now
                    && !reader.paused
                    && (reader.logged_in || reader.presence_at.is_none_or(|at| at < shift.starts_at))
            });
            ReaderLoad {
                shift,
                on_duty,
                done_minutes: minutes(ReadState::Signed),
                reading_minutes: minutes(ReadState::InProgress),
                planned_minutes: minutes(ReadState::Assigned),
                in_hand: held.iter().filter(|r| r.reader == reader.id && r.state != ReadState::Signed).count(),
                reader,
            }
        })
        .collect();
    // Who is there stands first, whoever has the most on his list above the others.
    loads.sort_by(|a, b| {
        (b.on_duty, b.reading_minutes + b.planned_minutes)
            .partial_cmp(&(a.on_duty, a.reading_minutes + a.planned_minutes))
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(a.reader.id.cmp(&b.reader.id))
    });
    Ok(loads)
}
