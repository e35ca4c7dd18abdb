//! A reader's worklist.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, NaiveDate, Utc};
use dokuei_models::store::worklists::WorklistRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::done;
use super::shapes::{CaseShape, PartShape, ReadShape};
use crate::app::worklist as app;
use crate::authority::Allowed;
use crate::authority::rights::Read;
use crate::state::State;

/// Registers it.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/worklist", worklist);
    routes.post("/api/v1/worklist/presence", worklist_presence);
}

/// A read on the list.
#[derive(Serialize, ToSchema)]
struct EntryShape {
    read: ReadShape,
    case: CaseShape,
    birth_date: Option<NaiveDate>,
    sex: String,
    question: String,
    site_name_ja: String,
    site_name_en: String,
    parts: Vec<PartShape>,
}

impl EntryShape {
    fn of(row: &WorklistRow) -> Self {
        Self {
            read: ReadShape::of(&row.read),
            case: CaseShape::of(&row.case),
            birth_date: row.birth_date,
            sex: row.sex.clone(),
            question: row.question.clone(),
            site_name_ja: row.site_ja.clone(),
            site_name_en: row.site_en.clone(),
            parts: PartShape::list(&row.parts),
        }
    }
}

/// A shift.
#[derive(Serialize, ToSchema)]
pub(super) struct ShiftShape {
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

/// The worklist.
#[derive(Serialize, ToSchema)]
struct WorklistShape {
    /// The reader that the token's user is.
    reader: i64,
    on_duty: bool,
    paused: bool,
    /// The shift he is in, else the next within a day.
    shift: Option<ShiftShape>,
    /// What he signed today (Japan).
    signed_reads: usize,
    signed_minutes: f64,
    signed_on_time: usize,
    capacity_minutes: i32,
    /// The reads in the order of the plan.
    reads: Vec<EntryShape>,
}

/// One's own worklist, in the order of the plan. What stands on it for the first time counts as seen.
#[utoipa::path(get, path = "/api/v1/worklist", tag = "reading", responses((status = 200, body = WorklistShape)))]
pub(super) async fn worklist(who: Allowed<Read>, state: State) -> Answer {
    let list = app::worklist(&state, &who).await?;
    Ok(HttpResponse::Ok().json(WorklistShape {
        reader: list.reader.id.0,
        on_duty: list.on_duty,
        paused: list.reader.paused,
        shift: list
            .shift
            .map(|shift| ShiftShape { starts_at: shift.starts_at.and_utc(), ends_at: shift.ends_at.and_utc() }),
        signed_reads: list.today.reads,
        signed_minutes: list.today.minutes,
        signed_on_time: list.today.on_time,
        capacity_minutes: list.reader.capacity_minutes,
        reads: list.rows.iter().map(EntryShape::of).collect(),
    }))
}

/// What a reader says of himself.
#[derive(Deserialize, ToSchema)]
pub(super) struct PresenceBody {
    /// `on`, `off`, `pause` or `resume`.
    presence: String,
    /// For how many hours, 1 to 12, where `on` is said outside one's shifts.
    #[serde(default)]
    hours: Option<i64>,
}

/// Comes, goes, pauses or goes on; the pool is planned anew.
#[utoipa::path(post, path = "/api/v1/worklist/presence", tag = "reading", request_body = PresenceBody,
    responses((status = 204, description = "Noted")))]
pub(super) async fn worklist_presence(who: Allowed<Read>, state: State, body: web::Json<PresenceBody>) -> Answer {
    app::be(&state, &who, body.presence.parse()?, body.hours).await?;
    done()
}
