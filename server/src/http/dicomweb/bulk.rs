//! WADO-RS: bulk data, the values that metadata names by address (PS3.18 10.4.1.1.5).
//!
//! `…/bulkdata/7FE00010`, and for a value inside sequences `…/bulkdata/52009229/0/00282000`: sequence, item from 0,
//! element. Encapsulated pixels come as one part a frame, any other value as one thing of octets.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use dicom_core::Tag;
use dokuei_dicom_gateway::dataset::{DataSet, Value};
use futures_util::stream;

use super::multipart::Marks;
use super::query::attribute;
use super::{Place, accept, not_acceptable};
use crate::app::dicomweb::{RootRight, objects, search};
use crate::authority::Allowed;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::http::Answer;
use crate::state::State;

const OCTETS: &str = "application/octet-stream";
/// Read at once, in bytes.
const PIECE: u64 = 1 << 20;

/// The last part of a value's address.
pub fn place(path: &[(Tag, usize)], tag: Tag) -> String {
    let name = |tag: Tag| format!("{:04X}{:04X}", tag.group(), tag.element());
    let mut text = String::new();
    for (sequence, item) in path {
        text.push_str(&format!("{}/{item}/", name(*sequence)));
    }
    text + &name(tag)
}

/// `/…/instances/{instance}/bulkdata/{bulk}`.
pub async fn bulk<R: RootRight>(who: Allowed<R>, state: State, at: web::Path<Place>, request: HttpRequest) -> Answer {
    let root = R::open(&state, &who, &at.root).await?;
    let (study, series, instance) = (at.study.as_deref(), at.series.as_deref(), at.instance.as_deref());
    let found = search::named(&state, &who, &root, study.unwrap_or_default(), series, instance).await?;
    let Some(found) = found.into_iter().next() else { return Err(Error::not_found()) };
    let source = objects::Source::stored(&state, &found.instance).await?;
    let none = || Error::new(&codes::NO_BULK_DATA);
    let value = find(&source.opened().head.dataset, at.bulk.as_deref().unwrap_or_default()).ok_or_else(none)?;
    let ranges = accept::accepted(&request);
    match value {
        Value::Elsewhere { length: None, .. } => {
            // Frames of a compressed object; the route of frames says the same with more choice.
            if !ranges.iter().any(|range| range.takes_parts_of(OCTETS)) {
                return Err(not_acceptable("the media type", "multipart/related; type=\"application/octet-stream\""));
            }
            encapsulated(&state, source, &found.instance.transfer_syntax, &request).await
        }
        Value::Elsewhere { at, length: Some(length) } => {
            let (from, end) = (*at, at.saturating_add(*length));
            let pieces = stream::try_unfold((source, from), move |(source, at)| async move {
                if at >= end {
                    return Ok(None);
                }
                let next = (at + PIECE).min(end);
                let bytes = source.bytes(at, next - at).await?;
                if bytes.is_empty() { Ok::<_, Error>(None) } else { Ok(Some((bytes, (source, next)))) }
            });
            one(&state, &ranges, &request, end - from, pieces)
        }
        Value::Bytes(bytes) => {
            let bytes = bytes.clone();
            let length = bytes.len() as u64;
            one(&state, &ranges, &request, length, stream::iter([Ok::<_, Error>(bytes)]))
        }
        _ => Err(none()),
    }
}

/// A value as octets, or as the one part of a multipart for a client that takes only those.
fn one(
    state: &State,
    ranges: &[accept::MediaRange],
    request: &HttpRequest,
    length: u64,
    body: impl futures_util::Stream<Item = Result<Bytes>> + 'static,
) -> Answer {
    use futures_util::StreamExt as _;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_ENCODING, "identity"));
    let head = request.method() == Method::HEAD;
    for range in ranges {
        if range.takes(OCTETS) {
            answer.content_type(OCTETS).no_chunking(length);
            return Ok(if head { answer.finish() } else { answer.streaming(body) });
        }
        if range.takes_parts_of(OCTETS) {
            let marks = Marks::new(&state.chance.token());
            answer.content_type(marks.content_type(OCTETS));
            if head {
                return Ok(answer.finish());
            }
            let (begin, tail, end) = (marks.head(OCTETS, None, Some(length)), marks.tail(), marks.end());
            let before = stream::iter([Ok(Bytes::from(begin))]);
            let after = stream::iter([Ok(Bytes::from_static(tail)), Ok(Bytes::from(end))]);
            return Ok(answer.streaming(before.chain(body).chain(after)));
        }
    }
    Err(not_acceptable("the media type", OCTETS))
}

async fn encapsulated(state: &State, source: objects::Source, syntax: &str, request: &HttpRequest) -> Answer {
    let marks = Marks::new(&state.chance.token());
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_ENCODING, "identity")).content_type(marks.content_type(OCTETS));
    let count = source.frames().await?.count();
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let part = format!("{OCTETS}; transfer-syntax={syntax}");
    // One frame's pieces are looked up when its turn comes.
    let body = stream::try_unfold((source, 0u32, Vec::new()), move |(source, frame, mut left)| {
        let (marks, part) = (marks.clone(), part.clone());
        async move {
            if let Some(piece) = left.pop() {
                let bytes = source.read(&piece).await?;
                return Ok(Some((bytes, (source, frame, left))));
            }
            let mut between = if frame == 0 { Vec::new() } else { marks.tail().to_vec() };
            if frame > count {
                return Ok(None);
            }
            if frame == count {
                between.extend_from_slice(&marks.end());
                return Ok::<_, Error>(Some((Bytes::from(between), (source, count + 1, left))));
            }
            let (mut pieces, length) = source.pieces(frame + 1).await?;
            pieces.reverse();
            between.extend_from_slice(&marks.head(&part, None, Some(length)));
            Ok(Some((Bytes::from(between), (source, frame + 1, pieces))))
        }
    });
    Ok(answer.streaming(body))
}

fn find<'a>(dataset: &'a DataSet, place: &str) -> Option<&'a Value> {
    let mut parts = place.split('/');
    let mut here = dataset;
    loop {
        let tag = attribute(parts.next()?)?;
        match (parts.next(), here.get(tag)) {
            (None, Some(element)) => return Some(&element.value),
            (Some(item), Some(_)) => here = here.items(tag).get(item.parse::<usize>().ok()?)?,
            (_, None) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_values_address_leads_to_it() {
        let mut item = DataSet::default();
        item.put_empty(Tag(0x0028, 0x2000), dicom_core::VR::OB);
        let mut dataset = DataSet::default();
        dataset.put_items(Tag(0x5200, 0x9229), vec![DataSet::default(), item]);
        let address = place(&[(Tag(0x5200, 0x9229), 1)], Tag(0x0028, 0x2000));
        assert_eq!(address, "52009229/1/00282000");
        assert!(find(&dataset, &address).is_some());
        for none in ["52009229/0/00282000", "52009229/9/00282000", "00282000", "x", "", "52009229/1"] {
            assert!(find(&dataset, none).is_none(), "{none}");
        }
    }
}
