//! The images of a read: what there is, and each frame as a picture.

use actix_web::{HttpResponse, web};
use dokuei_models::{InstanceId, ReadId};

use super::super::images::{Wanted, view_of};
use super::super::{Answer, Routes};
use crate::app::images;
use crate::authority::Allowed;
use crate::authority::rights::SeeReads;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/reads/{read}/images", read_images);
    routes.get("/api/v1/reads/{read}/images/{instance}/frames/{frame}/png", read_frame);
}

/// Studies, series and instances of a read, what each holds and why one cannot be shown.
#[utoipa::path(get, path = "/api/v1/reads/{read}/images", tag = "reading", params(("read" = i64, Path)),
    responses((status = 200, content_type = "application/json", description = "Studies with their series")))]
pub(super) async fn read_images(who: Allowed<SeeReads>, state: State, path: web::Path<ReadId>) -> Answer {
    Ok(HttpResponse::Ok().json(images::listing(&state, &who, path.into_inner()).await?))
}

/// A frame as PNG, made from the full-bit samples.
#[utoipa::path(get, path = "/api/v1/reads/{read}/images/{instance}/frames/{frame}/png", tag = "reading",
    params(
        ("read" = i64, Path),
        ("instance" = i64, Path),
        ("frame" = u32, Path, description = "From 0"),
        ("center" = Option<f64>, Query, description = "Window center, with `width`; else the image's own first window"),
        ("width" = Option<f64>, Query, description = "Window width"),
        ("preset" = Option<usize>, Query, description = "Which of the image's own windows, from 0"),
        ("invert" = Option<bool>, Query),
        ("max" = Option<u32>, Query, description = "Longest edge in pixels; lossless at 1:1 without it"),
    ),
    responses((status = 200, content_type = "image/png", body = Vec<u8>)))]
pub(super) async fn read_frame(
    who: Allowed<SeeReads>,
    state: State,
    path: web::Path<(ReadId, InstanceId, u32)>,
    wanted: web::Query<Wanted>,
) -> Answer {
    let (read, instance, frame) = path.into_inner();
    let bytes = images::png(&state, &who, read, instance, frame, view_of(&wanted)).await?;
    Ok(HttpResponse::Ok().content_type("image/png").insert_header(("content-encoding", "identity")).body(bytes))
}
