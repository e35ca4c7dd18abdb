//! Signing over the API: what is looked at before, the signature, what comes after it.

use actix_web::{HttpResponse, web};
use dokuei_models::state::VersionState;
use dokuei_models::{ReadId, ReportVersionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::{PartShape, PatientShape, StudyShape};
use super::{Made, Reason, pdf};
use crate::app::form::invalid;
use crate::app::signing::labels::Choice;
use crate::app::signing::{self, Order};
use crate::authority::Allowed;
use crate::authority::rights::{Read, SeeReads};
use crate::error::Error;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/reads/{read}/sign", read_sign_sheet);
    routes.post("/api/v1/reads/{read}/sign", read_sign);
    routes.post("/api/v1/reads/{read}/addendum", read_addendum);
    routes.get("/api/v1/reads/{read}/versions/{version}/report.pdf", read_report_pdf);
}

/// A series with images that were not opened.
#[derive(Serialize, ToSchema)]
struct UnseenShape {
    series: String,
    images: usize,
}

/// What a reader looks at before the signature.
#[derive(Serialize, ToSchema)]
struct SignSheetShape {
    /// The revision to be signed.
    revision: i32,
    patient: PatientShape,
    studies: Vec<StudyShape>,
    parts: Vec<PartShape>,
    images: usize,
    unseen: Vec<UnseenShape>,
    impression: String,
    /// Findings or impression are missing.
    empty: bool,
    /// Disagreements: each needs a choice, in this order.
    #[schema(value_type = Vec<Object>)]
    conflicts: serde_json::Value,
    /// Whether `becomes` and `reason` must be given.
    reopened: bool,
    needs_password: bool,
    /// Images that are here while more are known to come; then `although_coming` must be given.
    coming_received: Option<i32>,
    /// How many there should be.
    coming_expected: Option<i32>,
}

/// What a reader looks at before the signature.
#[utoipa::path(get, path = "/api/v1/reads/{read}/sign", tag = "reading", params(("read" = i64, Path)),
    responses((status = 200, body = SignSheetShape)))]
pub(super) async fn read_sign_sheet(who: Allowed<Read>, state: State, path: web::Path<ReadId>) -> Answer {
    let sheet = signing::sheet(&state, &who, path.into_inner()).await?;
    let unseen = sheet.unseen.iter().map(|(series, images)| UnseenShape { series: series.clone(), images: *images });
    Ok(HttpResponse::Ok().json(SignSheetShape {
        revision: sheet.revision,
        patient: PatientShape::of(&sheet.patient),
        studies: sheet.studies.iter().map(|study| StudyShape::of(study, None)).collect(),
        parts: PartShape::list(&sheet.parts),
        images: sheet.total,
        unseen: unseen.collect(),
        impression: sheet.impression.clone(),
        empty: sheet.empty,
        conflicts: serde_json::to_value(&sheet.conflicts).map_err(Error::internal)?,
        reopened: sheet.reopened,
        needs_password: sheet.needs_password,
        coming_received: sheet.coming.map(|(received, _)| received),
        coming_expected: sheet.coming.and_then(|(_, expected)| expected),
    }))
}

/// A signature.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignBody {
    /// The revision that was seen.
    revision: i32,
    /// The reader's own password. A token has no signing session, so a program always brings it.
    password: Option<String>,
    /// `trusted` or `other`, for each conflict in its order.
    #[serde(default)]
    choices: Vec<String>,
    /// `addendum` or `amended`, for a reopened case.
    becomes: Option<String>,
    /// Why, for these.
    #[serde(default)]
    reason: String,
    /// That it is signed though images are known to come.
    #[serde(default)]
    although_coming: bool,
}

impl SignBody {
    fn order(self) -> crate::error::Result<Order> {
        let choice = |choice: &String| match choice.as_str() {
            "trusted" => Ok(Choice::Trusted),
            "other" => Ok(Choice::Other),
            _ => Err(invalid("choices")),
        };
        Ok(Order {
            revision: self.revision,
            password: self.password,
            choices: self.choices.iter().map(choice).collect::<Result<_, _>>()?,
            becomes: match self.becomes.as_deref() {
                None | Some("") => None,
                Some("addendum") => Some(VersionState::Addendum),
                Some("amended") => Some(VersionState::Amended),
                Some(_) => return Err(invalid("becomes")),
            },
            reason: self.reason,
            although_coming: self.although_coming,
        })
    }
}

/// Signs the draft: the version is final, the PDF is made and the returns begin.
#[utoipa::path(post, path = "/api/v1/reads/{read}/sign", tag = "reading", request_body = SignBody,
    params(("read" = i64, Path)), responses((status = 201, description = "The signed version", body = Made)))]
pub(super) async fn read_sign(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<SignBody>,
) -> Answer {
    let order = body.into_inner().order()?;
    let version = signing::sign(&state, &who, path.into_inner(), order).await?;
    Ok(HttpResponse::Created().json(Made { id: version.0 }))
}

/// Reopens a signed case for an addendum or an amendment.
#[utoipa::path(post, path = "/api/v1/reads/{read}/addendum", tag = "reading", request_body = Reason,
    params(("read" = i64, Path)), responses((status = 201, description = "The new read", body = Made)))]
pub(super) async fn read_addendum(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<Reason>,
) -> Answer {
    let read = signing::reopen(&state, &who, path.into_inner(), &body.reason).await?;
    Ok(HttpResponse::Created().json(Made { id: read.0 }))
}

/// The signed PDF/A of a version that this read may see.
#[utoipa::path(get, path = "/api/v1/reads/{read}/versions/{version}/report.pdf", tag = "reading",
    params(("read" = i64, Path), ("version" = i64, Path)),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>)))]
pub(super) async fn read_report_pdf(
    who: Allowed<SeeReads>,
    state: State,
    path: web::Path<(ReadId, ReportVersionId)>,
) -> Answer {
    let (read, version) = path.into_inner();
    let bytes = signing::pdf(&state, &who, read, version).await?;
    pdf(&format!("report-{version}"), bytes)
}
