//! Scanned request forms.

use std::io::Read as _;

use actix_web::{HttpRequest, HttpResponse, web};
use dokuei_models::RequestId;

use super::super::uploads::{name_of, receive};
use super::super::{Answer, Routes};
use super::Made;
use crate::app::portal;
use crate::app::requests::{self, FormFile, LARGEST_FORM};
use crate::authority::Allowed;
use crate::authority::rights::{SeeReports, Submit};
use crate::error::{Error, codes};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.post("/api/v1/portal/requests/{request}/forms", portal_form_add);
    routes.get("/api/v1/portal/forms/{file}", portal_form);
}

/// Adds a scanned form (PDF, JPEG or PNG, at most 20 MiB) to a request, as the raw body.
#[utoipa::path(post, path = "/api/v1/portal/requests/{request}/forms", tag = "portal",
    params(
        ("request" = i64, Path),
        ("x-file-name" = Option<String>, Header, description = "The file's name, percent-encoded"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Made)))]
pub(super) async fn portal_form_add(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<RequestId>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    let file = receive(&state, &request, body).await?;
    let size = file.metadata().map_err(Error::internal)?.len();
    if size > LARGEST_FORM as u64 {
        return Err(Error::new(&codes::common::FORM_INVALID).field("files", &codes::portal::FORM_FILE_LARGE));
    }
    let bytes = tokio::task::spawn_blocking(move || {
        let (mut file, mut bytes) = (file, Vec::new());
        file.read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.await.map_err(Error::internal)?.map_err(Error::internal)?;
    let file = FormFile { name: name_of(&request), bytes: bytes.into() };
    let id = requests::add_form(&state, &who, path.into_inner(), file).await?;
    Ok(HttpResponse::Created().json(Made { id }))
}

/// A scanned form as it came.
#[utoipa::path(get, path = "/api/v1/portal/forms/{file}", tag = "portal", params(("file" = i64, Path)),
    responses((status = 200, description = "PDF, JPEG or PNG", content_type = "application/pdf")))]
pub(super) async fn portal_form(who: Allowed<SeeReports>, state: State, path: web::Path<i64>) -> Answer {
    let (row, bytes) = portal::form_file(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok()
        .content_type(row.content_type.as_str())
        .insert_header(("content-disposition", format!("attachment; filename=\"request-form-{}\"", row.id)))
        .insert_header(("content-encoding", "identity"))
        .body(bytes))
}
