//! Uploading images from a browser: one request per file, each streamed to the disk and never held in memory.
//!
//! `POST /portal/uploads` begins, `POST /portal/uploads/{id}/files` brings one
//! file as its raw body (its name, which may name a patient, in the header
//! `X-File-Name`), `POST /portal/uploads/{id}/end` ends. The answer to a file is
//! one JSON line per image found in it, as they are done; the answer to the end
//! says what a DICOMDIR among them names that did not come.

use std::io::{ErrorKind, SeekFrom};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use dokuei_models::state::Whose;
use dokuei_models::{ArrivalId, SiteId};
use fluent_templates::fluent_bundle::FluentValue;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Answer, Page, Routes};
use crate::app::upload_directories;
use crate::app::uploads::{self, FileReport};
use crate::authority::Allowed;
use crate::authority::rights::Submit;
use crate::error::codes::portal as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::words;

/// Registers the three steps.
pub fn routes(routes: &mut Routes) {
    routes.post("/portal/uploads", begin);
    routes.post("/portal/uploads/{id}/files", file);
    routes.post("/portal/uploads/{id}/end", end);
}

#[derive(Deserialize)]
struct ForSite {
    site: SiteId,
    #[serde(default = "ours")]
    whose: Whose,
}

/// What is not said to be another institution's is the site's own.
pub(super) fn ours() -> Whose {
    Whose::Ours
}

async fn begin(who: Allowed<Submit>, state: State, form: web::Form<ForSite>) -> Answer {
    let id = uploads::begin(&state, &who, form.site, form.whose).await?;
    Ok(HttpResponse::Created().json(serde_json::json!({ "id": id })))
}

async fn file(
    who: Allowed<Submit>,
    state: State,
    page: Page,
    path: web::Path<ArrivalId>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    let upload = path.into_inner();
    let site = uploads::site_of(&state, &who, upload).await?;
    let name = name_of(&request);
    let file = receive(&state, &request, body).await?;
    let reports = uploads::take(&state, site, upload, name, file);
    let lines =
        stream::unfold((reports, page), |(mut reports, page): (UnboundedReceiver<FileReport>, Page)| async move {
            let report = reports.recv().await?;
            let line = format!("{}\n", line(&page, &report));
            Some((Ok::<_, actix_web::Error>(web::Bytes::from(line)), (reports, page)))
        });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson; charset=utf-8")
        // Compression would keep lines back until its buffer is full.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(lines))
}

async fn end(who: Allowed<Submit>, state: State, page: Page, path: web::Path<ArrivalId>) -> Answer {
    let upload = path.into_inner();
    let site = uploads::site_of(&state, &who, upload).await?;
    let counts = uploads::end(&state, &who, upload).await?;
    let missing = upload_directories::missing(&state, site, upload, page.language).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({
        "kept": counts.kept, "repeated": counts.repeated, "apart": counts.quarantined, "refused": counts.failed,
        "missing": missing,
    })))
}

/// The name for showing, percent-encoded UTF-8 in the header.
pub(super) fn name_of(request: &HttpRequest) -> String {
    let raw = request.headers().get("x-file-name").map(|value| value.as_bytes()).unwrap_or_default();
    let digit = |at: usize| raw.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        match (*byte, digit(at + 1), digit(at + 2)) {
            // Two hexadecimal digits are one byte.
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Streams the body to the disk.
pub(super) async fn receive(state: &State, request: &HttpRequest, mut body: web::Payload) -> Result<std::fs::File> {
    let limit = state.config.http.upload_limit_bytes;
    let too_large = || Error::new(&codes::FILE_TOO_LARGE).with("limit", format!("{} MB", limit >> 20));
    let stated =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|stated| stated > limit) {
        return Err(too_large());
    }
    let (folder, token) = (state.config.paths.scratch.clone(), state.chance.token());
    let file =
        tokio::task::spawn_blocking(move || uploads::scratch(&folder, &token)).await.map_err(Error::internal)??;
    let mut file = tokio::fs::File::from_std(file);
    let mut received = 0u64;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Error::new(&codes::UPLOAD_CUT_OFF))?;
        received += chunk.len() as u64;
        if received > limit {
            return Err(too_large());
        }
        file.write_all(&chunk).await.map_err(not_written)?;
    }
    if stated.is_some_and(|stated| stated != received) {
        return Err(Error::new(&codes::UPLOAD_CUT_OFF));
    }
    file.flush().await.map_err(not_written)?;
    file.seek(SeekFrom::Start(0)).await.map_err(Error::internal)?;
    Ok(file.into_std().await)
}

/// Why scratch did not take what came.
pub(super) fn not_written(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::new(&codes::NO_ROOM),
        _ => Error::internal(error),
    }
}

pub(super) fn line(page: &Page, report: &FileReport) -> serde_json::Value {
    let number = report.number.map_or(0, |number| i64::try_from(number).unwrap_or(i64::MAX));
    let reason = match report.words {
        "" => String::new(),
        key => words::word_with(page.language, key, &[("n", FluentValue::from(number))]),
    };
    serde_json::json!({ "name": report.name, "fate": report.fate.code(), "reason": reason, "study": report.study })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_whole_through_the_header() {
        let name = |raw: &str| {
            name_of(&actix_web::test::TestRequest::default().insert_header(("x-file-name", raw)).to_http_request())
        };
        assert_eq!(name("%E8%A3%BD%20CD%2FIM0001"), "製 CD/IM0001");
        assert_eq!(name("100%"), "100%");
        assert_eq!(name("%zz%0Aa"), "%zza", "no line end, and what is no escape stays");
    }
}
