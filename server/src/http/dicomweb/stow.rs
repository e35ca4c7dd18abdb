//! STOW-RS: storing (PS3.18 10.5).
//!
//! `multipart/related; type="application/dicom"`, each part streamed to scratch and kept before the next is read, or one
//! object as `application/dicom`. The answer names every part: stored, or why not.

use actix_multipart::Multipart;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::multipart::Sent;
use super::{Place, stow_answer};
use crate::app::dicomweb::RootRight as _;
use crate::app::dicomweb::store::{Failure, Stored, Storing};
use crate::app::uploads;
use crate::authority::Allowed;
use crate::authority::rights::Submit;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::http::Answer;
use crate::http::uploads::not_written;
use crate::state::State;

const DICOM: &str = "application/dicom";

/// `POST /studies`, `POST /studies/{study}`.
pub async fn store(
    who: Allowed<Submit>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    let root = Submit::open(&state, &who, &place.root).await?;
    let said = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent = Sent::of(said).ok_or_else(|| Error::new(&codes::BODY_UNKNOWN))?;
    let part = match &sent {
        Sent::Single(media) => Some(media.as_str()),
        Sent::Parts { part, .. } => part.as_deref(),
    };
    if part.is_some_and(|part| part != DICOM) {
        return Err(Error::new(&codes::BODY_UNKNOWN));
    }
    let mut storing = Storing::begin(&state, &who, &root).await?;
    let (mut stored, mut room) = (Vec::new(), state.config.http.upload_limit_bytes);
    let whole = match sent {
        Sent::Single(_) => one(&state, &mut storing, body, place.study.as_deref(), &mut room, &mut stored).await,
        Sent::Parts { boundary, .. } => {
            parts(&state, &mut storing, body, &boundary, place.study.as_deref(), &mut room, &mut stored).await
        }
    };
    storing.end(whole.is_ok()).await?;
    // What was stored before a broken part is answered for; a body without anything in it is an error.
    match whole {
        Err(error) if stored.is_empty() => return Err(error),
        Err(_) => stored.push(Stored::failed(Failure::NotUnderstood)),
        Ok(()) => {}
    }
    let base = super::base(&state, &request, &root);
    Ok(HttpResponse::build(stow_answer::status(&stored))
        .content_type("application/dicom+json")
        .body(stow_answer::body(&stored, &base).to_string()))
}

async fn one(
    state: &State,
    storing: &mut Storing<'_>,
    body: web::Payload,
    study: Option<&str>,
    room: &mut u64,
    stored: &mut Vec<Stored>,
) -> Result<()> {
    let body = body.map(|chunk| chunk.map_err(|_| Error::new(&codes::BODY_BROKEN)));
    stored.push(match received(state, body, room).await? {
        Some(file) => storing.keep(file, study).await,
        None => storing.refuse(Failure::TooLarge),
    });
    Ok(())
}

async fn parts(
    state: &State,
    storing: &mut Storing<'_>,
    body: web::Payload,
    boundary: &str,
    study: Option<&str>,
    room: &mut u64,
    stored: &mut Vec<Stored>,
) -> Result<()> {
    let broken = || Error::new(&codes::BODY_BROKEN);
    // The type as the parser knows it: what clients add without quotes it would refuse.
    let escaped = boundary.replace('\\', "\\\\").replace('"', "\\\"");
    let media = HeaderValue::from_str(&format!("multipart/related; boundary=\"{escaped}\"")).map_err(|_| broken())?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, media);
    let mut body = Multipart::new(&headers, body);
    while let Some(part) = body.next().await {
        let mut part = part.map_err(|_| broken())?;
        let media = part.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let other = media.is_some_and(|media| !media.trim().to_ascii_lowercase().starts_with(DICOM));
        let chunks = part.by_ref().map(|chunk| chunk.map_err(|_| Error::new(&codes::BODY_BROKEN)));
        let file = received(state, chunks, room).await?;
        stored.push(match file {
            _ if other => storing.refuse(Failure::MediaType),
            Some(file) => storing.keep(file, study).await,
            None => storing.refuse(Failure::TooLarge),
        });
    }
    if stored.is_empty() { Err(broken()) } else { Ok(()) }
}

/// Streams one object to scratch. `None` where it, or all together, is larger than is taken: the rest of it is read and
/// thrown away, so that its neighbours are still heard.
async fn received(
    state: &State,
    chunks: impl Stream<Item = Result<Bytes>>,
    room: &mut u64,
) -> Result<Option<std::fs::File>> {
    let (folder, token) = (state.config.paths.scratch.clone(), state.chance.token());
    let file =
        tokio::task::spawn_blocking(move || uploads::scratch(&folder, &token)).await.map_err(Error::internal)??;
    let mut file = Some(tokio::fs::File::from_std(file));
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        match room.checked_sub(chunk.len() as u64) {
            Some(left) => *room = left,
            None => file = None,
        }
        if let Some(file) = &mut file {
            file.write_all(&chunk).await.map_err(not_written)?;
        }
    }
    let Some(mut file) = file else { return Ok(None) };
    file.flush().await.map_err(not_written)?;
    file.seek(std::io::SeekFrom::Start(0)).await.map_err(Error::internal)?;
    Ok(Some(file.into_std().await))
}
