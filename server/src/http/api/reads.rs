//! A read: opening it, its draft, giving it away.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::store::reports::{DraftText, VersionRow};
use dokuei_models::{InstanceId, ReadId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::{
    CaseShape, NoteShape, PartShape, PatientShape, ReadShape, RequestShape, SiteShape, StudyShape, utc,
};
use super::{Reason, done};
use crate::app::reading::{self, Room, Saved};
use crate::app::worklist;
use crate::authority::Allowed;
use crate::authority::rights::{Read, SeeReads};
use crate::error::Error;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/reads/{read}", read);
    routes.post("/api/v1/reads/{read}/start", read_start);
    routes.post("/api/v1/reads/{read}/give-back", read_give_back);
    routes.post("/api/v1/reads/{read}/decline", read_decline);
    routes.post("/api/v1/reads/{read}/ask", read_ask);
    routes.put("/api/v1/reads/{read}/draft", read_draft);
    routes.post("/api/v1/reads/{read}/heartbeat", read_heartbeat);
    routes.post("/api/v1/reads/{read}/views", read_views);
}

/// A draft as it is kept.
#[derive(Serialize, ToSchema)]
struct DraftShape {
    /// Send it with the next save and with the signature.
    revision: i32,
    findings: String,
    impression: String,
    saved_at: DateTime<Utc>,
}

impl DraftShape {
    fn of(row: &VersionRow) -> Self {
        Self {
            revision: row.revision,
            findings: row.findings.clone(),
            impression: row.impression.clone(),
            saved_at: row.saved_at.and_utc(),
        }
    }
}

/// A signed version with its text.
#[derive(Serialize, ToSchema)]
struct SignedShape {
    id: i64,
    read: i64,
    number: i32,
    state: &'static str,
    findings: String,
    impression: String,
    reason: String,
    signer: String,
    signed_at: Option<DateTime<Utc>>,
}

/// What an engine found. Research use / 参考: no diagnosis.
#[derive(Serialize, ToSchema)]
struct FindingShape {
    study: i64,
    instance: Option<i64>,
    engine: String,
    engine_version: String,
    label: String,
    confidence: f64,
    /// Always true: 参考, research use only.
    research_use: bool,
    /// Where in the image.
    #[schema(value_type = Object)]
    mark: serde_json::Value,
}

/// Everything that stands around the images.
#[derive(Serialize, ToSchema)]
struct RoomShape {
    read: ReadShape,
    case: CaseShape,
    /// Whether the token's user may write: his own read, in progress, not held.
    editable: bool,
    reader_name: String,
    patient: PatientShape,
    request: RequestShape,
    site: SiteShape,
    /// What the site always wants.
    standing_notes: String,
    parts: Vec<PartShape>,
    studies: Vec<StudyShape>,
    /// What made the urgency.
    #[schema(value_type = Vec<Object>)]
    urgency_reasons: serde_json::Value,
    /// What must be settled before signing, in the order of the choices.
    #[schema(value_type = Vec<Object>)]
    conflicts: serde_json::Value,
    findings: Vec<FindingShape>,
    signed: Vec<SignedShape>,
    draft: Option<DraftShape>,
    /// Questions and answers.
    thread: Vec<NoteShape>,
}

fn of_room(room: &Room) -> Result<RoomShape, serde_json::Error> {
    Ok(RoomShape {
        read: ReadShape::of(&room.access.read),
        case: CaseShape::of(&room.access.case),
        editable: room.is_editable(),
        reader_name: room.reader_name.clone(),
        patient: PatientShape::of(&room.patient),
        request: RequestShape::of(&room.request),
        site: SiteShape::of(&room.site),
        standing_notes: room.site.standing_notes.clone(),
        parts: PartShape::list(&room.parts),
        studies: room.studies.iter().map(|(study, role)| StudyShape::of(study, Some(*role))).collect(),
        urgency_reasons: serde_json::to_value(&room.contributions)?,
        conflicts: serde_json::to_value(&room.conflicts)?,
        findings: room
            .findings
            .iter()
            .map(|one| FindingShape {
                study: one.study_id.0,
                instance: one.instance_id.map(|instance| instance.0),
                engine: one.engine.clone(),
                engine_version: one.engine_version.clone(),
                label: one.label.clone(),
                confidence: one.confidence,
                research_use: true,
                mark: one.mark.as_deref().map(super::shapes::json).unwrap_or_default(),
            })
            .collect(),
        signed: room
            .signed
            .iter()
            .map(|one| SignedShape {
                id: one.version.id.0,
                read: one.report.read_id.0,
                number: one.version.number,
                state: one.version.state.code(),
                findings: one.version.findings.clone(),
                impression: one.version.impression.clone(),
                reason: one.version.reason.clone(),
                signer: one.signer.clone(),
                signed_at: utc(one.version.signed_at),
            })
            .collect(),
        draft: room.draft.as_ref().map(DraftShape::of),
        thread: NoteShape::list(&room.thread),
    })
}

/// A read with patient, question, studies, draft and signed versions.
#[utoipa::path(get, path = "/api/v1/reads/{read}", tag = "reading", params(("read" = i64, Path)),
    responses((status = 200, body = RoomShape)))]
pub(super) async fn read(who: Allowed<SeeReads>, state: State, path: web::Path<ReadId>) -> Answer {
    let room = reading::room(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(of_room(&room).map_err(Error::internal)?))
}

/// Opens a read of one's own list; one that is open already stays so.
#[utoipa::path(post, path = "/api/v1/reads/{read}/start", tag = "reading", params(("read" = i64, Path)),
    responses((status = 204, description = "It is yours")))]
pub(super) async fn read_start(who: Allowed<Read>, state: State, path: web::Path<ReadId>) -> Answer {
    worklist::start(&state, &who, path.into_inner()).await?;
    done()
}

/// Gives an open read back to the pool. The draft is kept.
#[utoipa::path(post, path = "/api/v1/reads/{read}/give-back", tag = "reading", request_body = Reason,
    params(("read" = i64, Path)), responses((status = 204, description = "Given back")))]
pub(super) async fn read_give_back(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<Reason>,
) -> Answer {
    reading::give_back(&state, &who, path.into_inner(), &body.reason).await?;
    done()
}

/// Declines a read for good: it does not come to this reader again.
#[utoipa::path(post, path = "/api/v1/reads/{read}/decline", tag = "reading", request_body = Reason,
    params(("read" = i64, Path)), responses((status = 204, description = "Declined")))]
pub(super) async fn read_decline(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<Reason>,
) -> Answer {
    worklist::decline(&state, &who, path.into_inner(), &body.reason).await?;
    done()
}

/// A question to the site.
#[derive(Deserialize, ToSchema)]
pub(super) struct QuestionBody {
    #[serde(default)]
    question: String,
}

/// Asks the site; the case waits for the answer and comes back to the asker.
#[utoipa::path(post, path = "/api/v1/reads/{read}/ask", tag = "reading", request_body = QuestionBody,
    params(("read" = i64, Path)), responses((status = 204, description = "Asked")))]
pub(super) async fn read_ask(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<QuestionBody>,
) -> Answer {
    reading::ask_site(&state, &who, path.into_inner(), &body.question).await?;
    done()
}

/// A draft to be kept.
#[derive(Deserialize, ToSchema)]
pub(super) struct DraftBody {
    /// The revision that was seen; 0 where there is none yet.
    revision: i32,
    #[serde(default)]
    findings: String,
    #[serde(default)]
    impression: String,
}

/// Saves the draft. Where another window saved meanwhile, nothing is changed and the answer is what it wrote.
#[utoipa::path(put, path = "/api/v1/reads/{read}/draft", tag = "reading", request_body = DraftBody,
    params(("read" = i64, Path)),
    responses((status = 200, body = DraftShape),
        (status = 409, description = "Another window saved meanwhile: what it wrote", body = DraftShape)))]
pub(super) async fn read_draft(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<DraftBody>,
) -> Answer {
    let body = body.into_inner();
    let text = DraftText {
        seen: body.revision,
        findings: body.findings.replace("\r\n", "\n"),
        impression: body.impression.replace("\r\n", "\n"),
    };
    Ok(match reading::save_draft(&state, &who, path.into_inner(), text).await? {
        Saved::Done(row) => HttpResponse::Ok().json(DraftShape::of(&row)),
        Saved::Differs(row) => HttpResponse::Conflict().json(DraftShape::of(&row)),
    })
}

/// Whether the read is still the caller's.
#[derive(Serialize, ToSchema)]
struct MineShape {
    mine: bool,
}

/// Says that the reader is still at it.
#[utoipa::path(post, path = "/api/v1/reads/{read}/heartbeat", tag = "reading", params(("read" = i64, Path)),
    responses((status = 200, body = MineShape)))]
pub(super) async fn read_heartbeat(who: Allowed<Read>, state: State, path: web::Path<ReadId>) -> Answer {
    let mine = reading::heartbeat(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(MineShape { mine }))
}

/// Images that the reader opened.
#[derive(Deserialize, ToSchema)]
pub(super) struct ViewsBody {
    /// Ids of instances.
    instances: Vec<i64>,
}

/// Notes images that the reader opened.
#[utoipa::path(post, path = "/api/v1/reads/{read}/views", tag = "reading", request_body = ViewsBody,
    params(("read" = i64, Path)), responses((status = 204, description = "Noted")))]
pub(super) async fn read_views(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<ViewsBody>,
) -> Answer {
    let seen = body.instances.iter().copied().map(InstanceId).collect();
    reading::note_viewed(&state, &who, path.into_inner(), seen).await?;
    done()
}
