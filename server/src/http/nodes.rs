//! What other processes of this installation ask: objects that wait in the spool here and are in the bucket not yet.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use dokuei_models::objects::ObjectError;
use futures_util::TryStreamExt as _;

use super::{Answer, Routes};
use crate::authority::Node;
use crate::error::Error;
use crate::http::range;
use crate::state::State;

/// Registers it.
pub fn routes(routes: &mut Routes) {
    routes.get("/internal/objects/{key:.+}", object);
}

async fn object(_: Node, state: State, key: web::Path<String>, request: HttpRequest) -> Answer {
    let given = |error: ObjectError| match error {
        ObjectError::Missing => Error::not_found(),
        other => Error::internal(other),
    };
    let whole = state.objects.spooled(&key, None).await.map_err(given)?;
    let size = whole.size;
    let mut answer = HttpResponse::Ok();
    answer
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header((header::ACCEPT_RANGES, "bytes"));
    if request.method() == Method::HEAD {
        return Ok(answer.no_chunking(size).finish());
    }
    let asked = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let (length, stream) = match asked.and_then(|text| range::of(text, size)) {
        None => (size, whole),
        Some(None) => {
            return Ok(answer
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .insert_header((header::CONTENT_RANGE, format!("bytes */{size}")))
                .finish());
        }
        Some(Some((from, to))) => {
            answer
                .status(StatusCode::PARTIAL_CONTENT)
                .insert_header((header::CONTENT_RANGE, format!("bytes {from}-{to}/{size}")));
            (to + 1 - from, state.objects.spooled(&key, Some(from..to + 1)).await.map_err(given)?)
        }
    };
    Ok(answer.no_chunking(length).streaming(stream.pieces.map_err(given)))
}
