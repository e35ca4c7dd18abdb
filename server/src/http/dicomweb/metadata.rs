//! WADO-RS: metadata, the header of each instance in the DICOM JSON model (PS3.18 10.4.1.1.2, annex F).
//!
//! Large values and pixels are addresses of bulk data. The array is written instance by instance, so that a study of
//! thousands costs what one header costs. An instance whose header cannot be read stands there with what the index
//! knows of it: a viewer that waits for all of a series does not wait for ever.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::dataset::{Bulk, DataSet, to_json};
use dokuei_models::store::image_search::FoundInstance;
use futures_util::{StreamExt as _, stream};

use super::{Place, accept, attributes, not_acceptable};
use crate::app::dicomweb::{RootRight, objects, search};
use crate::authority::Allowed;
use crate::error::Result;
use crate::http::Answer;
use crate::state::State;

const JSON: &str = "application/dicom+json";
/// A binary value up to this stands in the JSON itself, in bytes.
const INLINE: u64 = 1024;
/// Headers that are read at once.
const AT_ONCE: usize = 4;

/// `/studies/{study}/metadata`, `/…/series/{series}/metadata`, `/…/instances/{instance}/metadata`.
pub async fn metadata<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let ranges = accept::accepted(&request);
    let media = [JSON, "application/json"];
    let Some(media) = media.into_iter().find(|media| ranges.iter().any(|range| range.takes(media))) else {
        return Err(not_acceptable("the media type", JSON));
    };
    let root = R::open(&state, &who, &place.root).await?;
    let study = place.study.as_deref().unwrap_or_default();
    let found = search::named(&state, &who, &root, study, place.series.as_deref(), place.instance.as_deref()).await?;
    let mut answer = HttpResponse::Ok();
    answer.content_type(media);
    if place.instance.is_some()
        && let [only] = found.as_slice()
    {
        answer.insert_header((header::ETAG, format!("\"{}-metadata\"", only.instance.sha256)));
    }
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let base = super::base(&state, &request, &root);
    let objects = stream::iter(found.into_iter().enumerate())
        .map(move |(at, found)| {
            let (state, base) = (state.clone(), base.clone());
            async move {
                let mut text = if at == 0 { String::new() } else { String::from(",\n") };
                text.push_str(&object(&state, &found, &base).await.to_string());
                Ok(Bytes::from(text))
            }
        })
        .buffered(AT_ONCE);
    let body =
        stream::iter([Ok(Bytes::from_static(b"["))])
            .chain(objects)
            .chain(stream::iter([Ok::<_, crate::error::Error>(Bytes::from_static(b"]"))]));
    Ok(answer.streaming(body))
}

async fn object(state: &State, found: &FoundInstance, base: &str) -> serde_json::Value {
    let address = format!(
        "{base}/studies/{}/series/{}/instances/{}",
        found.study.study_uid, found.series.series_uid, found.instance.sop_instance_uid
    );
    match header(state, found, &address).await {
        Ok(object) => object,
        Err(error) => {
            tracing::warn!(instance = found.instance.id.0, ?error, "a header was not read; the index stands for it");
            let mut known = DataSet::default();
            attributes::study(&mut known, &found.study, base);
            attributes::series(&mut known, &found.study, &found.series, base);
            attributes::instance(&mut known, found, base);
            known.remove(tags::RETRIEVE_URL);
            attributes::json(&known)
        }
    }
}

async fn header(state: &State, found: &FoundInstance, address: &str) -> Result<serde_json::Value> {
    let opened = objects::open(state, &found.instance).await?;
    let mut bulk = |bulk: Bulk<'_>| {
        let large = bulk.tag.group() == 0x7FE0 || bulk.length.is_none_or(|length| length > INLINE);
        large.then(|| format!("{address}/bulkdata/{}", super::bulk::place(bulk.path, bulk.tag)))
    };
    let mut object = to_json(&opened.head.dataset, &mut bulk);
    // What is delivered is delivered in UTF-8, also where the object named no character set (F.2.1).
    object.insert("00080005".to_owned(), serde_json::json!({ "vr": "CS", "Value": ["ISO_IR 192"] }));
    let syntax = serde_json::json!({ "vr": "UI", "Value": [found.instance.transfer_syntax] });
    object.entry("00083002").or_insert(syntax);
    Ok(serde_json::Value::Object(object))
}
