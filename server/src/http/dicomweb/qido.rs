//! QIDO-RS: searching (PS3.18 10.6).
//!
//! Rows stand in one order ([`image_search`](dokuei_models::store::image_search)), so that pages follow one another. A
//! page that leaves rows out says so in a `Warning`, as does a key that was not matched. No match is an empty
//! array: 204, which table 10.6.4-1 allows too, is an error to Orthanc.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::dataset::DataSet;
use dokuei_models::store::image_search::{FoundInstance, FoundSeries, FoundStudy, Page};

use super::query::{self, BadQuery, Search};
use super::{Place, accept, attributes};
use crate::app::dicomweb::{Root, RootRight, objects, search};
use crate::authority::Allowed;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::http::Answer;
use crate::state::State;

/// Headers of objects that one search opens at the most, for attributes that are not in the index.
const MOST_HEADERS: usize = 200;
const JSON: &str = "application/dicom+json";

/// `/studies`.
pub async fn studies<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of::<R>(&state, &who, &place, &request).await?;
    let found = search::studies(&state, &who, &asked.root, asked.search.keys.clone(), asked.page).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for (at, study) in found.rows.iter().enumerate() {
        let mut row = DataSet::default();
        attributes::study(&mut row, study, &asked.base);
        asked.include(&state, &mut row, at, Of::Study(study)).await?;
        rows.push(row);
    }
    Ok(asked.answer(&rows, found.more))
}

/// `/series`, `/studies/{study}/series`.
pub async fn series<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of::<R>(&state, &who, &place, &request).await?;
    let found = search::series(&state, &who, &asked.root, asked.search.keys.clone(), asked.page).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for (at, series) in found.rows.iter().enumerate() {
        let mut row = DataSet::default();
        if place.study.is_none() {
            attributes::series_with_study(&mut row, series, &asked.base);
        } else {
            attributes::series(&mut row, &series.study, &series.series, &asked.base);
        }
        asked.include(&state, &mut row, at, Of::Series(series)).await?;
        rows.push(row);
    }
    Ok(asked.answer(&rows, found.more))
}

/// `/instances`, `/studies/{study}/instances`, `/studies/{study}/series/{series}/instances`.
pub async fn instances<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let asked = Asked::of::<R>(&state, &who, &place, &request).await?;
    let found = search::instances(&state, &who, &asked.root, asked.search.keys.clone(), asked.page).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for (at, instance) in found.rows.iter().enumerate() {
        let mut row = DataSet::default();
        if place.study.is_none() {
            attributes::study(&mut row, &instance.study, &asked.base);
        }
        if place.series.is_none() {
            attributes::series(&mut row, &instance.study, &instance.series, &asked.base);
        }
        attributes::instance(&mut row, instance, &asked.base);
        asked.include(&state, &mut row, at, Of::Instance(instance)).await?;
        rows.push(row);
    }
    Ok(asked.answer(&rows, found.more))
}

/// A search with all that its answer needs.
struct Asked {
    root: Root,
    base: String,
    search: Search,
    page: Page,
}

/// What a row is of.
enum Of<'a> {
    Study(&'a FoundStudy),
    Series(&'a FoundSeries),
    Instance(&'a FoundInstance),
}

impl Asked {
    async fn of<R: RootRight>(state: &State, who: &Allowed<R>, place: &Place, request: &HttpRequest) -> Result<Self> {
        let ranges = accept::accepted(request);
        if !ranges.iter().any(|range| range.takes(JSON) || range.takes("application/json")) {
            return Err(super::not_acceptable("the media type", JSON));
        }
        let mut search = Search::parse(request.query_string())
            .map_err(|BadQuery(name)| Error::new(&codes::BAD_QUERY).with("parameter", name))?;
        let root = R::open(state, who, &place.root).await?;
        // What the address names holds whatever the query says besides.
        for (named, uids) in
            [(&place.study, &mut search.keys.study_uids), (&place.series, &mut search.keys.series_uids)]
        {
            if let Some(uid) = named {
                let contradicted = !uids.is_empty() && !uids.contains(uid);
                *uids = vec![if contradicted { "0".to_owned() } else { uid.clone() }];
            }
        }
        let most = if search.keys.study_uids.len() == 1 { query::MOST_OF_STUDY } else { query::MOST };
        let page = Page { limit: search.limit.unwrap_or(most).min(most), offset: search.offset };
        let base = super::base(state, request, &root);
        Ok(Self { root, base, search, page })
    }

    /// Adds what `includefield` names and the index has not, from the object's own header.
    async fn include(&self, state: &State, row: &mut DataSet, at: usize, of: Of<'_>) -> Result<()> {
        let include = &self.search.include;
        if let Of::Study(study) = &of
            && include.tags.contains(&tags::MODALITY)
        {
            // Asked for by viewers, although it is a series' attribute: no header need be opened for it.
            row.put(tags::MODALITY, study.modalities.split('\\').next().unwrap_or_default());
        }
        let lacks = include.all || include.tags.iter().any(|tag| !row.has(*tag));
        if lacks && at < MOST_HEADERS {
            let first;
            let instance = match of {
                Of::Instance(found) => Some(&found.instance),
                Of::Study(study) => {
                    first = search::first(state, &self.root, &study.study_uid, None).await?;
                    first.as_ref().map(|found| &found.instance)
                }
                Of::Series(found) => {
                    let (study, series) = (&found.study.study_uid, &found.series.series_uid);
                    first = search::first(state, &self.root, study, Some(series)).await?;
                    first.as_ref().map(|found| &found.instance)
                }
            };
            if let Some(instance) = instance {
                match objects::open(state, instance).await {
                    Ok(opened) => attributes::included(row, &opened.head.dataset, include),
                    // A search is not broken by one header; the attribute is there without a value.
                    Err(error) => tracing::warn!(instance = instance.id.0, ?error, "a header was not read"),
                }
            }
        }
        attributes::named_at_least(row, include);
        Ok(())
    }

    fn answer(&self, rows: &[DataSet], more: bool) -> HttpResponse {
        let body: Vec<serde_json::Value> = rows.iter().map(attributes::json).collect();
        let mut response = HttpResponse::Ok().content_type(JSON).body(serde_json::Value::Array(body).to_string());
        let mut warn = |text: String| {
            if let Ok(value) = HeaderValue::from_str(&format!("299 {}: {text}", self.base)) {
                response.headers_mut().append(HeaderName::from_static("warning"), value);
            }
        };
        if more {
            warn("There are additional results that can be requested".to_owned());
        }
        if !self.search.unmatched.is_empty() {
            let names: Vec<String> = self.search.unmatched.iter().map(|name| visible(name)).collect();
            warn(format!("These query parameters were not matched: {}", names.join(", ")));
        }
        let include = &self.search.include;
        if rows.len() > MOST_HEADERS && (include.all || !include.tags.is_empty()) {
            warn(format!("Attributes outside the index are given for the first {MOST_HEADERS} results"));
        }
        response
    }
}

/// A parameter's name as a header may hold it.
fn visible(name: &str) -> String {
    name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.').collect()
}
