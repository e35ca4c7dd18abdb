//! WADO-RS: rendered and thumbnail (PS3.18 10.4.1.2, 10.4.1.3, 8.3.5): JPEG, or PNG without loss.
//!
//! `window=center,width[,function]`, `viewport=columns,rows` and `quality` are honoured. A region of the source, and a
//! window function other than the object's own, are refused by name rather than passed over.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use dokuei_dicom_gateway::render::{self, Encoding, View};
use dokuei_models::store::image_search::FoundInstance;

use super::{Place, accept, not_acceptable, query};
use crate::app::dicomweb::{RootRight, search};
use crate::app::images;
use crate::authority::Allowed;
use crate::error::Error;
use crate::error::codes::dicomweb as codes;
use crate::http::Answer;
use crate::state::State;

/// A thumbnail's longest side where no viewport is given, in pixels.
const THUMBNAIL: u32 = 128;

/// `/…/instances/{instance}/rendered`, `/…/frames/{frame}/rendered`.
pub async fn rendered<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    shown::<R>(&state, &who, &place, &request, None).await
}

/// The same, small; of a study or series the middle of its first image.
pub async fn thumbnail<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    shown::<R>(&state, &who, &place, &request, Some(THUMBNAIL)).await
}

async fn shown<R: RootRight>(
    state: &State,
    who: &Allowed<R>,
    place: &Place,
    request: &HttpRequest,
    small: Option<u32>,
) -> Answer {
    let ranges = accept::accepted(request);
    let wish =
        Wish::parse(request.query_string()).map_err(|name| Error::new(&codes::BAD_QUERY).with("parameter", name))?;
    let (media, encoding) = ranges
        .iter()
        .find_map(|range| {
            // JPEG is what 8.7.4 makes the default.
            let jpeg = Encoding::Jpeg { quality: wish.quality };
            [("image/jpeg", jpeg), ("image/png", Encoding::Png)].into_iter().find(|(media, _)| range.takes(media))
        })
        .ok_or_else(|| not_acceptable("the media type", "image/jpeg, image/png"))?;
    let root = R::open(state, who, &place.root).await?;
    let study = place.study.as_deref().unwrap_or_default();
    let found = search::named(state, who, &root, study, place.series.as_deref(), place.instance.as_deref()).await?;
    // A picture of something: documents and presentation states have none.
    let shown = found.iter().find(|found| found.instance.frames > 0).or(found.first()).ok_or_else(Error::not_found)?;
    let frames = u32::try_from(shown.instance.frames).unwrap_or(0);
    let frame = match &place.frames {
        Some(text) => {
            let frame: u32 = text.parse().map_err(|_| Error::new(&codes::BAD_QUERY).with("parameter", "frame"))?;
            if frame == 0 || frame > frames {
                return Err(Error::new(&codes::NO_SUCH_FRAME).with("frame", frame).with("frames", frames));
            }
            frame - 1
        }
        None if small.is_some() => frames / 2,
        None => 0,
    };
    let view = View { window: wish.window, max_size: wish.longest(shown, small), ..View::default() };
    let key = format!("{}:{frame}:rendered:{view:?}:{encoding:?}", shown.instance.sha256);
    let tag = format!("\"{key:x}\"", key = Tagged(&key));
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(media)
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header((header::ETAG, tag.clone()));
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return Ok(answer.status(actix_web::http::StatusCode::NOT_MODIFIED).finish());
    }
    let bytes = images::picture(state, &shown.instance, frame, key, move |image| {
        render::frame_encoded(image, frame, &view, encoding)
    })
    .await?;
    if request.method() == Method::HEAD {
        return Ok(answer.no_chunking(bytes.len() as u64).finish());
    }
    Ok(answer.body(bytes))
}

/// A key as a tag of visible ASCII.
struct Tagged<'a>(&'a str);

impl std::fmt::LowerHex for Tagged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use sha2::{Digest as _, Sha256};
        f.write_str(&hex::encode(Sha256::digest(self.0))[..32])
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Wish {
    window: Option<(f64, f64)>,
    viewport: Option<(u32, u32)>,
    quality: u8,
}

impl Wish {
    /// Reads the query; an error names the parameter.
    fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        let mut wish = Self { window: None, viewport: None, quality: 90 };
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = query::decoded(value);
            let parts: Vec<&str> = value.split(',').map(str::trim).collect();
            match name {
                "window" => wish.window = Some(window(&parts).ok_or("window")?),
                "viewport" => wish.viewport = Some(viewport(&parts).ok_or("viewport")?),
                "quality" => {
                    wish.quality = value.parse().ok().filter(|quality| (1..=100).contains(quality)).ok_or("quality")?;
                }
                _ => {}
            }
        }
        Ok(wish)
    }

    /// The longest side that keeps the picture within the viewport.
    fn longest(&self, found: &FoundInstance, small: Option<u32>) -> Option<u32> {
        let Some((columns, rows)) = self.viewport else { return small };
        let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size > 0);
        let (Some(wide), Some(high)) = (size(found.instance.image_columns), size(found.instance.image_rows)) else {
            return Some(columns.min(rows));
        };
        let scale = (f64::from(columns) / f64::from(wide)).min(f64::from(rows) / f64::from(high)).min(1.0);
        // At least one pixel, at most the picture itself.
        Some((f64::from(wide.max(high)) * scale).floor().max(1.0) as u32)
    }
}

fn window(parts: &[&str]) -> Option<(f64, f64)> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match parts {
        [center, width] | [center, width, "linear" | "LINEAR"] => {
            Some((number(center)?, number(width).filter(|width| *width > 0.0)?))
        }
        _ => None,
    }
}

fn viewport(parts: &[&str]) -> Option<(u32, u32)> {
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=16_384).contains(side));
    match parts {
        [columns, rows] | [columns, rows, "", "", "", ""] => Some((side(columns)?, side(rows)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_viewer_asks_for_is_understood_or_named() {
        let wish = Wish::parse("window=40,400,linear&viewport=512,256&quality=80").unwrap();
        assert_eq!(wish, Wish { window: Some((40.0, 400.0)), viewport: Some((512, 256)), quality: 80 });
        assert_eq!(Wish::parse("window=40%2C400").unwrap().window, Some((40.0, 400.0)));
        for (query, name) in [
            ("window=40", "window"),
            ("window=40,0,linear", "window"),
            ("window=40,400,sigmoid", "window"),
            ("viewport=0,10", "viewport"),
            ("viewport=10,10,0,0,5,5", "viewport"),
            ("quality=101", "quality"),
        ] {
            assert_eq!(Wish::parse(query), Err(name), "{query}");
        }
    }
}
