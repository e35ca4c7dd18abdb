//! The dispatcher's board, and finding a case.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, NaiveDate, Utc};
use dokuei_models::store::board::BoardCase;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::{CaseShape, PartShape, PatientShape, ReadShape, RequestShape, SiteShape, StudyShape};
use super::worklist::ShiftShape;
use crate::app::board::{self as app, ReaderLoad};
use crate::app::finding_cases;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;

/// The lanes of cases, in the board's order.
const LANES: [&str; 5] = ["receiving", "ready", "reading", "on_hold", "reported"];

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/board", board);
    routes.post("/api/v1/cases/search", case_search);
}

/// A case on the board.
#[derive(Serialize, ToSchema)]
struct BoardCaseShape {
    case: CaseShape,
    birth_date: Option<NaiveDate>,
    sex: String,
    parts: Vec<PartShape>,
    reads: Vec<ReadShape>,
}

impl BoardCaseShape {
    fn of(one: &BoardCase) -> Self {
        Self {
            case: CaseShape::of(&one.case),
            birth_date: one.birth_date,
            sex: one.sex.clone(),
            parts: PartShape::list(&one.parts),
            reads: one.reads.iter().map(ReadShape::of).collect(),
        }
    }
}

/// A lane of cases.
#[derive(Serialize, ToSchema)]
struct LaneShape {
    /// `receiving`, `ready`, `reading`, `on_hold` or `reported` (of the last 24 hours).
    lane: &'static str,
    /// How many there are; `cases` holds the first 40.
    count: i64,
    cases: Vec<BoardCaseShape>,
}

/// Work that is not signed, of one modality.
#[derive(Serialize, ToSchema)]
struct BacklogShape {
    modality: &'static str,
    parts: i64,
    minutes: f64,
}

/// A reader with his load.
#[derive(Serialize, ToSchema)]
struct LoadShape {
    reader: i64,
    name_ja: String,
    name_en: String,
    on_duty: bool,
    paused: bool,
    shift: Option<ShiftShape>,
    capacity_minutes: i32,
    done_minutes: f64,
    reading_minutes: f64,
    planned_minutes: f64,
    in_hand: usize,
}

/// What is wrong elsewhere, in numbers.
#[derive(Serialize, ToSchema)]
struct TroubleShape {
    /// Dead deliveries.
    deliveries: usize,
    /// Dead jobs.
    jobs: usize,
    /// Images kept apart.
    quarantine: i64,
    /// Refused associations.
    refusals: i64,
    /// Peers that have fallen silent.
    silent: usize,
}

/// The board.
#[derive(Serialize, ToSchema)]
struct BoardShape {
    at: DateTime<Utc>,
    sites: Vec<SiteShape>,
    /// Images that belong to no case: how many, and the longest waiting.
    unmatched_studies: i64,
    studies: Vec<StudyShape>,
    /// Requests without images: how many, and the first.
    unmatched_requests: i64,
    requests: Vec<RequestShape>,
    /// Studies that still arrive.
    arriving_studies: i64,
    arriving: Vec<StudyShape>,
    lanes: Vec<LaneShape>,
    backlog: Vec<BacklogShape>,
    readers: Vec<LoadShape>,
    trouble: TroubleShape,
}

fn load(board: &app::Board, load: &ReaderLoad) -> LoadShape {
    use dokuei_terms::Language;
    LoadShape {
        reader: load.reader.id.0,
        name_ja: board.names.reader(Language::Ja, load.reader.id),
        name_en: board.names.reader(Language::En, load.reader.id),
        on_duty: load.on_duty,
        paused: load.reader.paused,
        shift: load
            .shift
            .map(|shift| ShiftShape { starts_at: shift.starts_at.and_utc(), ends_at: shift.ends_at.and_utc() }),
        capacity_minutes: load.reader.capacity_minutes,
        done_minutes: load.done_minutes,
        reading_minutes: load.reading_minutes,
        planned_minutes: load.planned_minutes,
        in_hand: load.in_hand,
    }
}

/// What stands where, who reads, what is late.
#[utoipa::path(get, path = "/api/v1/board", tag = "dispatch", responses((status = 200, body = BoardShape)))]
pub(super) async fn board(who: Allowed<Dispatch>, state: State) -> Answer {
    app::opened(&state, who.person()).await?;
    let board = app::board(&state, who.reach()).await?;
    let lanes = LANES.iter().zip(&board.lanes).zip(board.lane_counts);
    let studies = |rows: &[dokuei_models::store::studies::StudyRow]| {
        rows.iter().map(|study| StudyShape::of(study, None)).collect::<Vec<_>>()
    };
    Ok(HttpResponse::Ok().json(BoardShape {
        at: board.at.and_utc(),
        sites: board.sites.iter().map(SiteShape::of).collect(),
        unmatched_studies: board.orphan_count,
        studies: studies(&board.orphans),
        unmatched_requests: board.unmet_count,
        requests: board.unmet.iter().map(RequestShape::of).collect(),
        arriving_studies: board.arriving_count,
        arriving: studies(&board.arriving),
        lanes: lanes
            .map(|((lane, cases), count)| LaneShape {
                lane,
                count,
                cases: cases.iter().map(BoardCaseShape::of).collect(),
            })
            .collect(),
        backlog: board
            .backlog
            .iter()
            .map(|of| BacklogShape { modality: of.modality.code(), parts: of.parts, minutes: of.minutes })
            .collect(),
        readers: board.readers.iter().map(|one| load(&board, one)).collect(),
        trouble: TroubleShape {
            deliveries: board.trouble.deliveries,
            jobs: board.trouble.jobs,
            quarantine: board.trouble.quarantine,
            refusals: board.trouble.refusals,
            silent: board.trouble.silent,
        },
    }))
}

/// What is looked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct SearchBody {
    /// A patient ID, a kanji or kana name, or an accession number. It is not kept.
    text: String,
}

/// A case that was found.
#[derive(Serialize, ToSchema)]
struct FoundShape {
    case: CaseShape,
    patient: PatientShape,
    accession_number: String,
    parts: Vec<PartShape>,
}

/// What was found: open cases first, then the newest.
#[derive(Serialize, ToSchema)]
struct FoundCases {
    cases: Vec<FoundShape>,
    /// Whether there are more than are shown.
    more: bool,
}

/// Finds cases. The text travels in the body because it may name a patient.
#[utoipa::path(post, path = "/api/v1/cases/search", tag = "dispatch", request_body = SearchBody,
    responses((status = 200, body = FoundCases)))]
pub(super) async fn case_search(who: Allowed<Dispatch>, state: State, body: web::Json<SearchBody>) -> Answer {
    let found = finding_cases::find(&state, who.person(), who.reach(), &body.text).await?;
    let cases = found.cases.iter().map(|one| FoundShape {
        case: CaseShape::of(&one.case),
        patient: PatientShape::of(&one.patient),
        accession_number: one.accession_number.clone(),
        parts: PartShape::list(&one.parts),
    });
    Ok(HttpResponse::Ok().json(FoundCases { cases: cases.collect(), more: found.more }))
}
