//! WADO-RS: studies, series and instances (PS3.18 10.4).
//!
//! `multipart/related; type="application/dicom"` for all of them, one part an instance; `application/dicom` alone for
//! one instance, with `ETag`, `Range` and length. Without a `transfer-syntax`, or with `*`, each instance comes byte for
//! byte in the transfer syntax that it was received in. Where explicit or implicit VR little endian is asked for by its
//! UID, what came otherwise is decoded, an instance at a time; whether the first can be is known before the answer
//! begins, and an answer in which a later one cannot is cut off before its end.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use dokuei_dicom_gateway::transcode::Target;
use dokuei_models::store::image_search::FoundInstance;
use futures_util::{Stream, StreamExt as _, TryFutureExt as _, stream};

use super::accept::{self, MediaRange};
use super::multipart::Marks;
use super::{Place, not_acceptable};
use crate::app::dicomweb::{RootRight, objects, plain, search};
use crate::authority::Allowed;
use crate::error::{Error, Result};
use crate::http::{Answer, range};
use crate::state::State;

const DICOM: &str = "application/dicom";

/// `/studies/{study}`, `/…/series/{series}`, `/…/instances/{instance}`.
pub async fn retrieve<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let root = R::open(&state, &who, &place.root).await?;
    let study = place.study.as_deref().unwrap_or_default();
    let found = search::named(&state, &who, &root, study, place.series.as_deref(), place.instance.as_deref()).await?;
    let form = form(&accept::accepted(&request), &found, place.instance.is_some())?;
    let head = request.method() == Method::HEAD;
    match (form, found.as_slice()) {
        (Form { single: true, target: None }, [only]) => single(&state, only, &request),
        (Form { single: true, target: Some(target) }, [only]) => {
            let file = plain::file(&state, &only.instance, target).await?;
            let mut answer = HttpResponse::Ok();
            answer
                .content_type(format!("{DICOM}; transfer-syntax={}", target.uid()))
                .insert_header((header::CONTENT_ENCODING, "identity"));
            if head {
                return Ok(answer.no_chunking(file.len() as u64).finish());
            }
            Ok(answer.body(file))
        }
        (Form { target, .. }, _) => {
            let base = super::base(&state, &request, &root);
            let mut turning = target.map(|to| Turning { to, first: None });
            if let Some(Turning { to, first }) = &mut turning
                && let Some(one) = found.iter().find(|one| is_turned(one, *to))
            {
                *first = Some(plain::file(&state, &one.instance, *to).await?);
            }
            Ok(parts(&state, found, &base, head, turning))
        }
    }
}

/// What is turned on the way out, and the first of it, which was tried before the answer began.
struct Turning {
    to: Target,
    first: Option<Bytes>,
}

/// Whether an instance came in another transfer syntax than is wanted.
fn is_turned(found: &FoundInstance, target: Target) -> bool {
    found.instance.transfer_syntax != target.uid()
}

/// How it is answered: alone or in parts, and in which transfer syntax if not as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    single: bool,
    target: Option<Target>,
}

/// The first form asked for that can be given.
fn form(ranges: &[MediaRange], found: &[FoundInstance], one: bool) -> Result<Form> {
    let all = |gives: &dyn Fn(&str) -> bool| found.iter().all(|found| gives(&found.instance.transfer_syntax));
    let mut right_media = false;
    for range in ranges {
        let single = !range.takes_parts_of(DICOM);
        if single && !(one && range.takes(DICOM)) {
            continue;
        }
        right_media = true;
        if all(&|stored| range.takes_syntax(stored)) {
            return Ok(Form { single, target: None });
        }
        let wanted = |target: &Target| range.transfer_syntax.as_deref() == Some(target.uid());
        if let Some(target) = [Target::Explicit, Target::Implicit].into_iter().find(wanted)
            && all(&|stored| plain::is_given_as(stored, target))
        {
            return Ok(Form { single, target: Some(target) });
        }
    }
    let reason = if right_media { "the transfer syntax" } else { "the media type" };
    let mut syntaxes: Vec<&str> = found.iter().map(|found| found.instance.transfer_syntax.as_str()).collect();
    syntaxes.sort_unstable();
    syntaxes.dedup();
    let single = if one { ", application/dicom" } else { "" };
    let offered = format!("multipart/related; type=\"{DICOM}\"; transfer-syntax=*{single} ({})", syntaxes.join(", "));
    Err(not_acceptable(reason, &offered))
}

fn parts(state: &State, found: Vec<FoundInstance>, base: &str, head: bool, turning: Option<Turning>) -> HttpResponse {
    let marks = Marks::new(&state.chance.token());
    let mut answer = HttpResponse::Ok();
    answer.content_type(marks.content_type(DICOM)).insert_header((header::CONTENT_ENCODING, "identity"));
    if head {
        return answer.finish();
    }
    answer.streaming(bodies(state.clone(), found, base.to_owned(), marks, turning))
}

/// Head, bytes and tail of each part, then the end.
fn bodies(
    state: State,
    found: Vec<FoundInstance>,
    base: String,
    marks: Marks,
    mut turning: Option<Turning>,
) -> impl Stream<Item = Result<Bytes>> {
    let end = Bytes::from(marks.end());
    stream::iter(found)
        .flat_map(move |found| {
            let turned = turning.as_mut().filter(|turning| is_turned(&found, turning.to));
            let turned = turned.map(|turning| (turning.to, turning.first.take()));
            let FoundInstance { study, series, instance } = found;
            let syntax = match &turned {
                Some((to, _)) => to.uid(),
                None => &instance.transfer_syntax,
            };
            let media = format!("{DICOM}; transfer-syntax={syntax}");
            let location = format!(
                "{base}/studies/{}/series/{}/instances/{}",
                study.study_uid, series.series_uid, instance.sop_instance_uid
            );
            let tail = stream::iter([Ok(Bytes::from_static(marks.tail()))]);
            let marks = marks.clone();
            let head = move |size: u64| Bytes::from(marks.head(&media, Some(&location), Some(size)));
            match turned {
                None => {
                    let head = head(u64::try_from(instance.size).unwrap_or(0));
                    stream::iter([Ok(head)]).chain(objects::whole(&state, &instance)).chain(tail).boxed()
                }
                Some((to, first)) => {
                    let state = state.clone();
                    let file = async move {
                        match first {
                            Some(first) => Ok(first),
                            None => plain::file(&state, &instance, to).await,
                        }
                    };
                    let part = file.map_ok(move |file| stream::iter([Ok(head(file.len() as u64)), Ok(file)]));
                    part.try_flatten_stream().chain(tail).boxed()
                }
            }
        })
        .chain(stream::iter([Ok(end)]))
}

/// One instance alone. Equal tags mean equal bytes, so that a part may be asked for again after a break.
fn single(state: &State, found: &FoundInstance, request: &HttpRequest) -> Answer {
    let instance = &found.instance;
    let size = u64::try_from(instance.size).unwrap_or(0);
    let tag = format!("\"{}\"", instance.sha256);
    let said = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(format!("{DICOM}; transfer-syntax={}", instance.transfer_syntax))
        .insert_header((header::ETAG, tag.clone()))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_ENCODING, "identity"));
    if said(header::IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    let same = said(header::IF_RANGE).is_none_or(|known| known == tag);
    let range = said(header::RANGE).filter(|_| same).and_then(|text| range::of(text, size));
    if request.method() == Method::HEAD {
        return Ok(answer.no_chunking(size).finish());
    }
    match range {
        None => Ok(answer.no_chunking(size).streaming(objects::whole(state, instance))),
        Some(None) => Ok(answer
            .status(StatusCode::RANGE_NOT_SATISFIABLE)
            .insert_header((header::CONTENT_RANGE, format!("bytes */{size}")))
            .finish()),
        Some(Some((from, to))) => {
            answer
                .status(StatusCode::PARTIAL_CONTENT)
                .insert_header((header::CONTENT_RANGE, format!("bytes {from}-{to}/{size}")));
            Ok(answer.no_chunking(to + 1 - from).streaming(piecewise(state, instance.object_key.clone(), from, to + 1)))
        }
    }
}

fn piecewise(state: &State, key: String, from: u64, end: u64) -> impl Stream<Item = Result<Bytes>> + use<> {
    const PIECE: u64 = 1 << 20;
    let objects = state.objects.clone();
    stream::try_unfold((objects, key, from), move |(objects, key, at)| async move {
        if at >= end {
            return Ok(None);
        }
        let next = (at + PIECE).min(end);
        let bytes = objects.get_range(&key, at..next).await.map_err(objects::not_given)?;
        Ok::<_, Error>(Some((bytes, (objects, key, next))))
    })
}
