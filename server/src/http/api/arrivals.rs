//! Studies on their way in, with what their completeness rests on; and a site's withdrawals of its images.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::completeness::Completeness;
use dokuei_models::{InstanceId, StudyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::arrivals::is_named;
use super::super::{Answer, Routes};
use super::{Reason, done};
use crate::app::arrival_pages::{self as app, Line, Sender, Sheet};
use crate::authority::Allowed;
use crate::authority::rights::{Dispatch, SeeArrivals, Submit};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/arrivals", arrival_list);
    routes.get("/api/v1/arrivals/{study}", arrival);
    routes.post("/api/v1/arrivals/{study}/whole", arrival_whole);
    routes.get("/api/v1/portal/arrivals", portal_arrival_list);
    routes.get("/api/v1/portal/arrivals/{study}", portal_arrival);
    routes.post("/api/v1/portal/arrivals/{study}/withdraw", portal_images_withdraw);
    routes.post("/api/v1/portal/withdrawals/{withdrawal}/undo", portal_withdrawal_undo);
}

/// One piece of evidence.
#[derive(Serialize, ToSchema)]
struct EvidenceShape {
    /// `request`, `mpps`, `ian`, `images_in_acquisition`, `release`, `quiet` or `person`.
    kind: &'static str,
    /// Which of its kind.
    source: String,
    /// `met`, `short`, `running`, `ended`, `awaited` or `outdated`.
    says: &'static str,
    expected: Option<i32>,
    received: i32,
}

/// What is known of a study's completeness.
#[derive(Serialize, ToSchema)]
struct CompletenessShape {
    /// `complete`, `probably` or `coming`.
    verdict: &'static str,
    received: i32,
    expected: Option<i32>,
    evidence: Vec<EvidenceShape>,
}

impl CompletenessShape {
    fn of(known: &Completeness) -> Self {
        let evidence = known.reasons.iter().map(|one| EvidenceShape {
            kind: one.kind.code(),
            source: one.source.clone(),
            says: one.says.code(),
            expected: one.expected,
            received: one.received,
        });
        Self {
            verdict: known.verdict.code(),
            received: known.received,
            expected: known.expected,
            evidence: evidence.collect(),
        }
    }
}

/// A study on its way.
#[derive(Serialize, ToSchema)]
struct ArrivalShape {
    study: i64,
    study_uid: String,
    site: i64,
    /// The patient's name and number; none for who may not see them.
    patient_name: Option<String>,
    patient_id: Option<String>,
    modalities: String,
    description: String,
    /// Whether another institution's medium brought it.
    elsewhere: bool,
    /// AE titles; `upload`, `stow` or `import` for what came another way.
    senders: Vec<String>,
    completeness: CompletenessShape,
    first_received_at: DateTime<Utc>,
    last_received_at: DateTime<Utc>,
    cases: Vec<i64>,
}

impl ArrivalShape {
    fn of(line: &Line, named: bool) -> Self {
        let study = &line.study;
        let identity = study.identity();
        let senders = line.senders.iter().map(|sender| match sender {
            Sender::AeTitle(name) | Sender::Via(name) => name.clone(),
        });
        Self {
            study: study.id.0,
            study_uid: study.study_uid.clone(),
            site: study.site_id.0,
            patient_name: named.then(|| identity.name.shown()),
            patient_id: named.then_some(identity.patient_id),
            modalities: study.modalities.clone(),
            description: study.description.clone(),
            elsewhere: study.elsewhere,
            senders: senders.collect(),
            completeness: CompletenessShape::of(&line.known),
            first_received_at: study.first_received_at.and_utc(),
            last_received_at: study.last_received_at.and_utc(),
            cases: line.cases.iter().map(|(case, _)| case.0).collect(),
        }
    }
}

/// What was known at a time.
#[derive(Serialize, ToSchema)]
struct KnownShape {
    number: i32,
    verdict: &'static str,
    received: i32,
    expected: Option<i32>,
    at: DateTime<Utc>,
}

/// A series with the images that are shown.
#[derive(Serialize, ToSchema)]
struct ArrivedSeries {
    series_uid: String,
    modality: String,
    description: String,
    /// The ids that a withdrawal names.
    images: Vec<i64>,
}

/// Images that the site took back.
#[derive(Serialize, ToSchema)]
struct ImageWithdrawalShape {
    id: i64,
    /// `quality`, `patient_safety`, `worklist_entry`, `retention` or `site`.
    cause: &'static str,
    note: String,
    /// How many images it names, and how many of them are here.
    images: i64,
    here: i64,
    at: DateTime<Utc>,
    undone: bool,
}

/// One study in full.
#[derive(Serialize, ToSchema)]
struct ArrivalSheet {
    #[serde(flatten)]
    arrival: ArrivalShape,
    versions: Vec<KnownShape>,
    series: Vec<ArrivedSeries>,
    withdrawals: Vec<ImageWithdrawalShape>,
}

impl ArrivalSheet {
    fn of(sheet: &Sheet, named: bool) -> Self {
        let versions = sheet.versions.iter().map(|row| KnownShape {
            number: row.number,
            verdict: row.verdict.code(),
            received: row.received,
            expected: row.expected_instances,
            at: row.at.and_utc(),
        });
        let series = sheet.series.iter().map(|(row, images)| ArrivedSeries {
            series_uid: row.series_uid.clone(),
            modality: row.modality.clone(),
            description: row.description.clone(),
            images: images.iter().map(|one| one.id.0).collect(),
        });
        let withdrawals = sheet.withdrawals.iter().map(|(row, images, here)| ImageWithdrawalShape {
            id: row.id,
            cause: row.cause.code(),
            note: row.note.clone(),
            images: *images,
            here: *here,
            at: row.at.and_utc(),
            undone: row.undone_at.is_some(),
        });
        Self {
            arrival: ArrivalShape::of(&sheet.line, named),
            versions: versions.collect(),
            series: series.collect(),
            withdrawals: withdrawals.collect(),
        }
    }
}

fn listed(lines: &[Line], named: bool) -> Answer {
    Ok(HttpResponse::Ok().json(lines.iter().map(|line| ArrivalShape::of(line, named)).collect::<Vec<_>>()))
}

/// The newest studies within one's reach and whatever arrives, the last heard of first.
#[utoipa::path(get, path = "/api/v1/arrivals", tag = "dispatch", responses((status = 200, body = Vec<ArrivalShape>)))]
pub(super) async fn arrival_list(who: Allowed<SeeArrivals>, state: State) -> Answer {
    listed(&app::list(&state, who.reach()).await?, is_named(&who))
}

/// One study with its series, what was known when, and what was withdrawn.
#[utoipa::path(get, path = "/api/v1/arrivals/{study}", tag = "dispatch", params(("study" = i64, Path)),
    responses((status = 200, body = ArrivalSheet)))]
pub(super) async fn arrival(who: Allowed<SeeArrivals>, state: State, path: web::Path<StudyId>) -> Answer {
    let sheet = app::sheet(&state, who.person(), who.reach(), *path).await?;
    Ok(HttpResponse::Ok().json(ArrivalSheet::of(&sheet, is_named(&who))))
}

/// Says that all of a study is here.
#[utoipa::path(post, path = "/api/v1/arrivals/{study}/whole", tag = "dispatch", request_body = Reason,
    params(("study" = i64, Path)), responses((status = 204, description = "It goes on at once")))]
pub(super) async fn arrival_whole(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<Reason>,
) -> Answer {
    app::whole(&state, who.person(), who.reach(), *path, &body.reason).await?;
    done()
}

/// The newest studies of one's own sites.
#[utoipa::path(get, path = "/api/v1/portal/arrivals", tag = "portal",
    responses((status = 200, body = Vec<ArrivalShape>)))]
pub(super) async fn portal_arrival_list(who: Allowed<Submit>, state: State) -> Answer {
    listed(&app::list(&state, who.reach()).await?, true)
}

/// One study of one's own site.
#[utoipa::path(get, path = "/api/v1/portal/arrivals/{study}", tag = "portal", params(("study" = i64, Path)),
    responses((status = 200, body = ArrivalSheet)))]
pub(super) async fn portal_arrival(who: Allowed<Submit>, state: State, path: web::Path<StudyId>) -> Answer {
    let sheet = app::sheet(&state, who.person(), who.reach(), *path).await?;
    Ok(HttpResponse::Ok().json(ArrivalSheet::of(&sheet, true)))
}

/// Images to be taken back.
#[derive(Deserialize, ToSchema)]
pub(super) struct ImageWithdrawalBody {
    /// Their ids; without it all of the study.
    images: Option<Vec<i64>>,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Takes images of one's own site back: they are hidden at once, the case stops, a signed report's withdrawal is asked for.
#[utoipa::path(post, path = "/api/v1/portal/arrivals/{study}/withdraw", tag = "portal",
    request_body = ImageWithdrawalBody, params(("study" = i64, Path)),
    responses((status = 204, description = "Hidden")))]
pub(super) async fn portal_images_withdraw(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<ImageWithdrawalBody>,
) -> Answer {
    let chosen = body.images.as_ref().map(|ids| ids.iter().copied().map(InstanceId).collect());
    app::withdraw(&state, who.person(), who.reach(), *path, chosen, &body.reason).await?;
    done()
}

/// Shows images again that one's own site had taken back.
#[utoipa::path(post, path = "/api/v1/portal/withdrawals/{withdrawal}/undo", tag = "portal",
    params(("withdrawal" = i64, Path)), responses((status = 204, description = "Shown again")))]
pub(super) async fn portal_withdrawal_undo(who: Allowed<Submit>, state: State, path: web::Path<i64>) -> Answer {
    app::undo(&state, who.person(), who.reach(), *path).await?;
    done()
}
