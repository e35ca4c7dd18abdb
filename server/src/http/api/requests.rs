//! A site's requests and cases: send, follow, withdraw, answer.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, NaiveDate, Utc};
use dokuei_models::{CaseId, RequestId, SiteId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Page, Routes};
use super::reports::VersionShape;
use super::shapes::{CaseShape, NoteShape, RequestShape, SiteShape, StudyShape, utc};
use super::{Reason, done};
use crate::app::portal::{self, Dossier, Far, Line, STEPS, Show, Standing};
use crate::app::requests::{self, RequestForm};
use crate::authority::Allowed;
use crate::authority::rights::{SeeReports, Submit};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/portal/sites", portal_sites);
    routes.get("/api/v1/portal/requests", portal_list);
    routes.post("/api/v1/portal/sites/{site}/requests", portal_request_create);
    routes.get("/api/v1/portal/requests/{request}", portal_request);
    routes.post("/api/v1/portal/requests/{request}/cancel", portal_request_cancel);
    routes.get("/api/v1/portal/cases/{case}", portal_case);
    routes.post("/api/v1/portal/cases/{case}/answer", portal_case_answer);
}

/// One step on the way to an accepted report.
#[derive(Serialize, ToSchema)]
struct StepShape {
    /// `images`, `request`, `reading`, `report` or `accepted`.
    step: &'static str,
    /// `done`, `now`, `stuck` or `ahead`.
    far: &'static str,
}

/// A request or case, or images without a request, and how far it is.
#[derive(Serialize, ToSchema)]
pub(super) struct ProgressShape {
    request: Option<i64>,
    case: Option<i64>,
    /// A study to write a request for.
    study: Option<i64>,
    patient_name: String,
    patient_id: String,
    exam: String,
    exam_day: Option<NaiveDate>,
    accession_number: String,
    priority: Option<&'static str>,
    due_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
    images_received: i32,
    images_awaited: Option<i32>,
    steps: Vec<StepShape>,
    /// What it asks of the site: `question`, `todo`, `report`, `going` or `over`.
    standing: &'static str,
    /// Where it stands, as a sentence.
    sentence: String,
    /// What differs between request and images: codes.
    doubts: Vec<String>,
    /// Whether the site's rule made the request.
    is_default: bool,
}

impl ProgressShape {
    pub(super) fn of(page: &Page, line: &Line) -> Self {
        let steps = STEPS.iter().zip(line.steps).map(|(key, far)| StepShape {
            step: key.strip_prefix("portal-step-").unwrap_or(key),
            far: match far {
                Far::Done => "done",
                Far::Now => "now",
                Far::Stuck => "stuck",
                Far::Ahead => "ahead",
            },
        });
        Self {
            request: line.request.map(|id| id.0),
            case: line.case.map(|id| id.0),
            study: line.study.map(|id| id.0),
            patient_name: line.patient.clone(),
            patient_id: line.patient_id.clone(),
            exam: line.exam.clone(),
            exam_day: line.day,
            accession_number: line.accession_number.clone(),
            priority: line.priority.map(|priority| priority.code()),
            due_at: utc(line.due_at),
            at: line.at.and_utc(),
            images_received: line.received,
            images_awaited: line.awaited,
            steps: steps.collect(),
            standing: match line.standing {
                Standing::Question => "question",
                Standing::Todo => "todo",
                Standing::Report => "report",
                Standing::Going => "going",
                Standing::Over => "over",
            },
            sentence: page.tv(line.now.key, &line.now.value),
            doubts: line.now.doubts.clone(),
            is_default: line.is_default,
        }
    }
}

/// The sites that the token's user sends for.
#[utoipa::path(get, path = "/api/v1/portal/sites", tag = "portal",
    responses((status = 200, body = Vec<SiteShape>)))]
pub(super) async fn portal_sites(who: Allowed<Submit>, state: State) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    Ok(HttpResponse::Ok().json(sites.iter().map(SiteShape::of).collect::<Vec<_>>()))
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    show: Show,
    site: Option<SiteId>,
}

/// Requests and cases of one's sites with their progress: what asks for something first, then the newest.
#[utoipa::path(get, path = "/api/v1/portal/requests", tag = "portal",
    params(
        ("show" = Option<String>, Query, description = "open (default), todo, reported or all (of 30 days)"),
        ("site" = Option<i64>, Query, description = "Only this site of one's own"),
    ),
    responses((status = 200, body = Vec<ProgressShape>)))]
pub(super) async fn portal_list(who: Allowed<Submit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let mut sites = portal::sites_of(&state, &who).await?;
    sites.retain(|site| wanted.site.is_none_or(|only| only == site.id));
    if sites.is_empty() {
        return Err(crate::error::Error::not_found());
    }
    portal::note_look(&state, &who, &sites).await?;
    let lines = portal::lines(&state, &sites).await?;
    let shown = lines.iter().filter(|line| line.is_in(wanted.show)).map(|line| ProgressShape::of(&page, line));
    Ok(HttpResponse::Ok().json(shown.collect::<Vec<_>>()))
}

/// A request to be kept. `study` or `accession_number` ties it to images.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewRequest {
    /// A study that is here already.
    study: Option<i64>,
    #[serde(default)]
    accession_number: String,
    #[serde(default)]
    patient_id: String,
    #[serde(default)]
    name_kanji: String,
    #[serde(default)]
    name_kana: String,
    #[serde(default)]
    name_latin: String,
    /// `2026-04-01`.
    #[serde(default)]
    birth_date: String,
    /// `M`, `F` or `O`.
    #[serde(default)]
    sex: String,
    /// The ordering doctor's user id, where he is one.
    ordering_user: Option<i64>,
    #[serde(default)]
    ordering_doctor: String,
    #[serde(default)]
    department: String,
    /// A number that answers now; needed for `stat`.
    #[serde(default)]
    phone: String,
    #[serde(default)]
    exam: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    history: String,
    /// A code of the kinds of request, e.g. `reading`.
    #[serde(default)]
    kind: String,
    /// Where the patient is, e.g. `outpatient`.
    #[serde(default)]
    source: String,
    /// `routine`, `priority`, `urgent` or `stat`.
    #[serde(default)]
    priority: String,
    /// `2026-04-01T14:05`, Japan.
    #[serde(default)]
    wanted_by: String,
    expected_instances: Option<u32>,
}

impl NewRequest {
    fn form(self) -> RequestForm {
        let number = |number: Option<String>| number.unwrap_or_default();
        RequestForm {
            study: number(self.study.map(|id| id.to_string())),
            accession_number: self.accession_number,
            patient_id: self.patient_id,
            name_kanji: self.name_kanji,
            name_kana: self.name_kana,
            name_latin: self.name_latin,
            birth_date: self.birth_date,
            sex: self.sex,
            ordering_user: number(self.ordering_user.map(|id| id.to_string())),
            ordering_doctor: self.ordering_doctor,
            department: self.department,
            phone: self.phone,
            exam: self.exam,
            question: self.question,
            history: self.history,
            kind: self.kind,
            source: self.source,
            priority: self.priority,
            wanted_by: self.wanted_by,
            expected_instances: number(self.expected_instances.map(|count| count.to_string())),
        }
    }
}

/// What became of a request.
#[derive(Serialize, ToSchema)]
struct CreatedShape {
    request: i64,
    /// Its cases, where images were here already.
    cases: Vec<i64>,
    /// Whether request and images differ, so that a dispatcher decides.
    for_a_person: bool,
}

/// Keeps a request and looks for its images.
#[utoipa::path(post, path = "/api/v1/portal/sites/{site}/requests", tag = "portal", request_body = NewRequest,
    params(("site" = i64, Path, description = "A site of one's own")),
    responses((status = 201, body = CreatedShape)))]
pub(super) async fn portal_request_create(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<SiteId>,
    body: web::Json<NewRequest>,
) -> Answer {
    let form = body.into_inner().form();
    let created = requests::create(&state, &who, path.into_inner(), &form, Vec::new()).await?;
    Ok(HttpResponse::Created().json(CreatedShape {
        request: created.request.0,
        cases: created.cases.iter().map(|case| case.0).collect(),
        for_a_person: created.for_a_person,
    }))
}

/// A scanned form.
#[derive(Serialize, ToSchema)]
struct FileShape {
    id: i64,
    name: String,
    content_type: String,
    size: i64,
}

/// Everything that a site sees of a request and its case.
#[derive(Serialize, ToSchema)]
struct DossierShape {
    progress: ProgressShape,
    site: SiteShape,
    request: RequestShape,
    files: Vec<FileShape>,
    case: Option<CaseShape>,
    studies: Vec<StudyShape>,
    /// Questions and answers, oldest first.
    thread: Vec<NoteShape>,
    /// Signed versions, the newest first.
    versions: Vec<VersionShape>,
    may_cancel: bool,
}

impl DossierShape {
    fn of(page: &Page, dossier: &Dossier) -> Self {
        let files = dossier.files.iter().map(|file| FileShape {
            id: file.id,
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            size: file.size,
        });
        Self {
            progress: ProgressShape::of(page, &dossier.line),
            site: SiteShape::of(&dossier.site),
            request: RequestShape::of(&dossier.request),
            files: files.collect(),
            case: dossier.case.as_ref().map(CaseShape::of),
            studies: dossier.studies.iter().map(|study| StudyShape::of(study, None)).collect(),
            thread: NoteShape::list(&dossier.thread),
            versions: dossier
                .versions
                .iter()
                .map(|version| VersionShape::of(version, &dossier.recipients_of(version)))
                .collect(),
            may_cancel: dossier.may_cancel,
        }
    }
}

/// A request with its newest case, report and thread.
#[utoipa::path(get, path = "/api/v1/portal/requests/{request}", tag = "portal",
    params(("request" = i64, Path)), responses((status = 200, body = DossierShape)))]
pub(super) async fn portal_request(
    who: Allowed<SeeReports>,
    state: State,
    page: Page,
    path: web::Path<RequestId>,
) -> Answer {
    let dossier = portal::dossier_of_request(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(DossierShape::of(&page, &dossier)))
}

/// Withdraws a request with its cases, while nothing is signed.
#[utoipa::path(post, path = "/api/v1/portal/requests/{request}/cancel", tag = "portal", request_body = Reason,
    params(("request" = i64, Path)), responses((status = 204, description = "Withdrawn")))]
pub(super) async fn portal_request_cancel(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<RequestId>,
    body: web::Json<Reason>,
) -> Answer {
    requests::cancel(&state, &who, path.into_inner(), &body.reason).await?;
    done()
}

/// A case of one's site with its request, report and thread.
#[utoipa::path(get, path = "/api/v1/portal/cases/{case}", tag = "portal",
    params(("case" = i64, Path)), responses((status = 200, body = DossierShape)))]
pub(super) async fn portal_case(who: Allowed<SeeReports>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let dossier = portal::dossier_of_case(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(DossierShape::of(&page, &dossier)))
}

/// An answer to the reader's question.
#[derive(Deserialize, ToSchema)]
pub(super) struct AnswerBody {
    #[serde(default)]
    answer: String,
}

/// Answers the reader's question; a case that waits for the site goes on.
#[utoipa::path(post, path = "/api/v1/portal/cases/{case}/answer", tag = "portal", request_body = AnswerBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Answered")))]
pub(super) async fn portal_case_answer(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<AnswerBody>,
) -> Answer {
    requests::answer(&state, &who, path.into_inner(), &body.answer).await?;
    done()
}
