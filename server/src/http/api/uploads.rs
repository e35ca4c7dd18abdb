//! Images by one request: begin, take and end in one.

use actix_web::{HttpRequest, HttpResponse, web};
use dokuei_models::SiteId;
use dokuei_models::state::Whose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::uploads::{line, name_of, ours, receive};
use super::super::{Answer, Page, Routes};
use crate::app::{upload_directories, uploads};
use crate::authority::Allowed;
use crate::authority::rights::Submit;
use crate::state::State;

/// Registers it.
pub(super) fn routes(routes: &mut Routes) {
    routes.post("/api/v1/portal/sites/{site}/images", portal_images);
}

/// What became of an upload.
#[derive(Serialize, ToSchema)]
struct UploadShape {
    /// Images that are new.
    kept: i32,
    /// Images that were here already.
    repeated: i32,
    /// Images kept apart until a person has looked.
    apart: i32,
    /// What was not taken.
    refused: i32,
    /// What a DICOMDIR names and did not come, a sentence for each study.
    missing: Vec<String>,
    /// Per file: `name`, `fate`, `reason`, `study`.
    #[schema(value_type = Vec<Object>)]
    files: Vec<serde_json::Value>,
}

/// Whose images these are.
#[derive(Deserialize)]
pub(super) struct OfWhom {
    #[serde(default = "ours")]
    whose: Whose,
}

/// Takes one DICOM file, or a ZIP or disc image of them, as the raw body; answers when all of it is kept. The same
/// file may be sent again without harm.
#[utoipa::path(post, path = "/api/v1/portal/sites/{site}/images", tag = "portal",
    params(
        ("site" = i64, Path, description = "A site of one's own"),
        ("whose" = Option<String>, Query, description = "`ours`, or `elsewhere` for another institution's patients, who are for comparison only"),
        ("x-file-name" = Option<String>, Header, description = "The file's name, percent-encoded"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = UploadShape)))]
pub(super) async fn portal_images(
    who: Allowed<Submit>,
    state: State,
    page: Page,
    path: web::Path<SiteId>,
    of_whom: web::Query<OfWhom>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    let site = path.into_inner();
    who.reach().need_site(site)?;
    let file = receive(&state, &request, body).await?;
    let upload = uploads::begin(&state, &who, site, of_whom.whose).await?;
    let mut reports = uploads::take(&state, site, upload, name_of(&request), file);
    let mut files = Vec::new();
    while let Some(report) = reports.recv().await {
        files.push(line(&page, &report));
    }
    let counts = uploads::end(&state, &who, upload).await?;
    let missing = upload_directories::missing(&state, site, upload, page.language).await?;
    Ok(HttpResponse::Ok().json(UploadShape {
        kept: counts.kept,
        repeated: counts.repeated,
        apart: counts.quarantined,
        refused: counts.failed,
        missing,
        files,
    }))
}
