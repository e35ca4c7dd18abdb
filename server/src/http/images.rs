//! Images of a read: the list, frames as samples or as PNG, what was opened.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use dokuei_dicom_gateway::render::View;
use dokuei_models::{InstanceId, ReadId};
use serde::Deserialize;

use super::{Answer, Routes};
use crate::app::{images, reading};
use crate::authority::Allowed;
use crate::authority::rights::{Read, SeeReads};
use crate::error::{Error, codes};
use crate::state::State;

/// Registers the images of a read.
pub fn routes(routes: &mut Routes) {
    routes.get("/reads/{read}/images", list);
    routes.get("/reads/{read}/images/{instance}/frames/{frame}/raw", raw);
    routes.get("/reads/{read}/images/{instance}/frames/{frame}/png", png);
    routes.post("/reads/{read}/views", viewed);
}

async fn list(who: Allowed<SeeReads>, state: State, path: web::Path<i64>) -> Answer {
    let listing = images::listing(&state, &who, ReadId(*path)).await?;
    Ok(HttpResponse::Ok().json(listing))
}

async fn raw(who: Allowed<SeeReads>, state: State, path: web::Path<(i64, i64, u32)>) -> Answer {
    let (read, instance, frame) = path.into_inner();
    let bytes = images::raw(&state, &who, ReadId(read), InstanceId(instance), frame).await?;
    // Samples hardly shrink, and packing them would cost more time than sending them.
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .body(bytes))
}

/// How the picture is to be shown. None of this is patient data.
#[derive(Deserialize)]
pub(super) struct Wanted {
    center: Option<f64>,
    width: Option<f64>,
    preset: Option<usize>,
    #[serde(default)]
    invert: bool,
    max: Option<u32>,
}

pub(super) fn view_of(wanted: &Wanted) -> View {
    View { window: wanted.center.zip(wanted.width), preset: wanted.preset, invert: wanted.invert, max_size: wanted.max }
}

async fn png(
    who: Allowed<SeeReads>,
    state: State,
    path: web::Path<(i64, i64, u32)>,
    wanted: web::Query<Wanted>,
) -> Answer {
    let (read, instance, frame) = path.into_inner();
    let bytes = images::png(&state, &who, ReadId(read), InstanceId(instance), frame, view_of(&wanted)).await?;
    Ok(HttpResponse::Ok().content_type("image/png").insert_header((header::CONTENT_ENCODING, "identity")).body(bytes))
}

#[derive(Deserialize)]
struct Viewed {
    /// Instance ids parted by commas.
    seen: String,
}

async fn viewed(who: Allowed<Read>, state: State, path: web::Path<i64>, form: web::Form<Viewed>) -> Answer {
    let ids: Result<Vec<InstanceId>, _> =
        form.seen.split(',').filter(|id| !id.is_empty()).map(|id| id.parse::<InstanceId>()).collect();
    let ids = ids.map_err(|_| Error::new(&codes::common::BAD_REQUEST).with("reason", "seen"))?;
    reading::note_viewed(&state, &who, ReadId(*path), ids).await?;
    Ok(HttpResponse::NoContent().finish())
}
