//! WADO-RS: frames (PS3.18 10.4.1.4, table 8.7.3-4 and 8.7.3-5 for their media types).
//!
//! Each frame is a part of its own, read by its offset. Native samples are `application/octet-stream`, little endian; a
//! compressed frame is the media type of its transfer syntax, or `application/octet-stream` for a client that says it
//! takes any transfer syntax, as viewers do. A client that asks for `application/octet-stream` without a transfer syntax,
//! or with explicit little endian's, means uncompressed samples (8.7.3.5.2): a compressed frame is decoded for it, one
//! at a time. Whether the first can be is known before the answer begins; an answer in which a later one cannot is cut
//! off before its end.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use dokuei_dicom_gateway::ranged::{Coding, Piece};
use futures_util::stream;

use super::accept::{self, MediaRange};
use super::multipart::Marks;
use super::{Place, not_acceptable};
use crate::app::dicomweb::{RootRight, objects, search};
use crate::authority::Allowed;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::http::Answer;
use crate::state::State;

const OCTETS: &str = "application/octet-stream";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
/// Frames that one request may name.
const MOST: usize = 4_096;

/// `/…/instances/{instance}/frames/{frames}`.
pub async fn frames<R: RootRight>(
    who: Allowed<R>,
    state: State,
    place: web::Path<Place>,
    request: HttpRequest,
) -> Answer {
    let root = R::open(&state, &who, &place.root).await?;
    let (study, series, instance) = (place.study.as_deref(), place.series.as_deref(), place.instance.as_deref());
    let found = search::named(&state, &who, &root, study.unwrap_or_default(), series, instance).await?;
    let Some(found) = found.into_iter().next() else { return Err(Error::not_found()) };
    let wanted = numbers(place.frames.as_deref().unwrap_or_default())
        .ok_or_else(|| Error::new(&codes::BAD_QUERY).with("parameter", "frames"))?;
    let source = objects::Source::stored(&state, &found.instance).await?;
    let coding = source.frames().await?.coding;
    let form = form(&accept::accepted(&request), coding, &found.instance.transfer_syntax, wanted.len() == 1)?;
    // Every frame is found before the first byte leaves: what is not there is a 404 that says so.
    let mut all = Vec::with_capacity(wanted.len());
    for frame in &wanted {
        all.push(source.pieces(*frame).await?);
    }
    let address = format!(
        "{}/studies/{}/series/{}/instances/{}/frames",
        super::base(&state, &request, &root),
        found.study.study_uid,
        found.series.series_uid,
        found.instance.sop_instance_uid
    );
    let part = format!("{}; transfer-syntax={}", form.media, form.syntax);
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_ENCODING, "identity"));
    let mut first = if form.is_decoded { Some(source.decoded(wanted[0]).await?) } else { None };
    if let (true, Some(samples)) = (form.single, &first) {
        answer.content_type(part);
        if request.method() == Method::HEAD {
            return Ok(answer.no_chunking(samples.len() as u64).finish());
        }
        return Ok(answer.body(samples.clone()));
    }
    if form.single {
        let (pieces, length) = all.swap_remove(0);
        answer.content_type(part).no_chunking(length);
        if request.method() == Method::HEAD {
            return Ok(answer.finish());
        }
        return Ok(answer.streaming(given(source, pieces.into_iter().map(Out::Piece).collect())));
    }
    let marks = Marks::new(&state.chance.token());
    answer.content_type(marks.content_type(form.media));
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let mut out = Vec::new();
    for (frame, (pieces, length)) in wanted.iter().zip(all) {
        let location = format!("{address}/{frame}");
        if let Some(samples) = first.take() {
            out.push(Out::Bytes(marks.head(&part, Some(&location), Some(samples.len() as u64)).into()));
            out.push(Out::Bytes(samples));
        } else if form.is_decoded {
            out.push(Out::Decoded { frame: *frame, marks: marks.clone(), part: part.clone(), location });
        } else {
            out.push(Out::Bytes(marks.head(&part, Some(&location), Some(length)).into()));
            out.extend(pieces.into_iter().map(Out::Piece));
        }
        out.push(Out::Bytes(Bytes::from_static(marks.tail())));
    }
    out.push(Out::Bytes(marks.end().into()));
    Ok(answer.streaming(given(source, out)))
}

enum Out {
    Bytes(Bytes),
    Piece(Piece),
    /// A frame to be decoded, with what its head says.
    Decoded {
        frame: u32,
        marks: Marks,
        part: String,
        location: String,
    },
}

/// Gives one after the other; a piece is read when its turn comes.
fn given(source: objects::Source, out: Vec<Out>) -> impl futures_util::Stream<Item = Result<Bytes>> {
    stream::try_unfold((source, out.into_iter()), |(source, mut out)| async move {
        Ok(match out.next() {
            None => None,
            Some(Out::Bytes(bytes)) => Some((bytes, (source, out))),
            Some(Out::Piece(piece)) => Some((source.read(&piece).await?, (source, out))),
            Some(Out::Decoded { frame, marks, part, location }) => {
                let samples = source.decoded(frame).await?;
                let mut bytes = marks.head(&part, Some(&location), Some(samples.len() as u64));
                bytes.extend_from_slice(&samples);
                Some((bytes.into(), (source, out)))
            }
        })
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Form<'a> {
    media: &'static str,
    syntax: &'a str,
    single: bool,
    /// Whether compressed frames are given as samples.
    is_decoded: bool,
}

/// The first form asked for that can be given.
fn form<'a>(ranges: &[MediaRange], coding: Coding, stored: &'a str, one: bool) -> Result<Form<'a>> {
    let natural = match coding {
        Coding::Native => OCTETS,
        Coding::Encapsulated => media_of(stored),
    };
    // Native samples leave here as explicit little endian whatever they came in.
    let syntax = if coding == Coding::Native { EXPLICIT } else { stored };
    for range in ranges {
        for media in [natural, OCTETS] {
            let single = one && range.takes(media) && range.media != "*/*";
            if !single && !range.takes_parts_of(media) {
                continue;
            }
            let said = range.transfer_syntax.as_deref();
            let exact = range.part.as_deref() == Some(OCTETS) || range.media == OCTETS;
            let given = match (coding, said) {
                (_, Some("*")) | (Coding::Native, None | Some(EXPLICIT)) => true,
                (Coding::Encapsulated, None) => !exact,
                (_, Some(other)) => other == stored,
            };
            if given {
                return Ok(Form { media, syntax, single, is_decoded: false });
            }
            if coding == Coding::Encapsulated && media == OCTETS && said.is_none_or(|said| said == EXPLICIT) {
                return Ok(Form { media, syntax: EXPLICIT, single, is_decoded: true });
            }
        }
    }
    let offered = format!(
        "multipart/related; type=\"{OCTETS}\"; transfer-syntax=*, multipart/related; type=\"{natural}\"; \
         transfer-syntax={syntax}"
    );
    Err(not_acceptable("the media type or transfer syntax", &offered))
}

/// The media type of a compressed frame (PS3.18 table 8.7.3-5).
fn media_of(transfer_syntax: &str) -> &'static str {
    match transfer_syntax.strip_prefix("1.2.840.10008.1.2.").unwrap_or_default() {
        "5" => "image/dicom-rle",
        "4.50" | "4.51" | "4.57" | "4.70" => "image/jpeg",
        "4.80" | "4.81" => "image/jls",
        "4.90" | "4.91" => "image/jp2",
        "4.92" | "4.93" => "image/jpx",
        "4.110" | "4.111" | "4.112" => "image/jxl",
        "4.201" | "4.202" | "4.203" => "image/jphc",
        "4.100" | "4.100.1" | "4.101" | "4.101.1" => "video/mpeg",
        syntax if syntax.starts_with("4.102") || syntax.starts_with("4.103") || syntax.starts_with("4.104") => {
            "video/mp4"
        }
        "4.105" | "4.105.1" | "4.106" | "4.106.1" => "video/mp4",
        "4.107" | "4.108" => "video/H265",
        _ => OCTETS,
    }
}

/// `1,3,5`, each from 1.
fn numbers(text: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> =
        text.split(',').map(|one| one.trim().parse().ok().filter(|frame| *frame > 0)).collect();
    numbers.filter(|numbers| numbers.len() <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const J2K: &str = "1.2.840.10008.1.2.4.90";
    const BIG: &str = "1.2.840.10008.1.2.2";

    fn chosen<'a>(accept: &str, coding: Coding, stored: &'a str) -> Option<(&'static str, &'a str, bool)> {
        form(&accept::parse(accept), coding, stored, true).ok().map(|form| (form.media, form.syntax, form.single))
    }

    #[test]
    fn a_viewer_that_takes_anything_gets_what_is_stored() {
        for accept in [
            "multipart/related; type=application/octet-stream; transfer-syntax=*",
            "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*, */*;q=0.1",
        ] {
            assert_eq!(chosen(accept, Coding::Encapsulated, J2K), Some((OCTETS, J2K, false)));
            assert_eq!(chosen(accept, Coding::Native, BIG), Some((OCTETS, EXPLICIT, false)));
        }
        assert_eq!(chosen("", Coding::Encapsulated, J2K), Some(("image/jp2", J2K, false)));
        assert_eq!(chosen("multipart/related", Coding::Native, EXPLICIT), Some((OCTETS, EXPLICIT, false)));
    }

    #[test]
    fn octets_without_a_transfer_syntax_are_uncompressed() {
        let accept = "multipart/related; type=\"application/octet-stream\"";
        assert_eq!(chosen(accept, Coding::Encapsulated, J2K), Some((OCTETS, EXPLICIT, false)));
        assert_eq!(chosen(OCTETS, Coding::Encapsulated, J2K), Some((OCTETS, EXPLICIT, true)));
        let plain = format!("{accept}; transfer-syntax={EXPLICIT}");
        assert_eq!(chosen(&plain, Coding::Encapsulated, J2K), Some((OCTETS, EXPLICIT, false)));
        assert_eq!(chosen(accept, Coding::Native, EXPLICIT), Some((OCTETS, EXPLICIT, false)));
    }

    #[test]
    fn a_media_type_is_held_to() {
        assert_eq!(chosen("image/jp2", Coding::Encapsulated, J2K), Some(("image/jp2", J2K, true)));
        assert_eq!(
            chosen("multipart/related; type=\"image/jp2\"", Coding::Encapsulated, J2K),
            Some(("image/jp2", J2K, false))
        );
        assert_eq!(chosen("image/jpeg", Coding::Encapsulated, J2K), None);
        assert_eq!(chosen("multipart/related; type=\"image/jls\"", Coding::Native, EXPLICIT), None);
        let other = "multipart/related; type=\"application/octet-stream\"; transfer-syntax=1.2.840.10008.1.2.4.70";
        assert_eq!(chosen(other, Coding::Encapsulated, J2K), None);
    }

    #[test]
    fn frames_count_from_one() {
        assert_eq!(numbers("1,3, 5"), Some(vec![1, 3, 5]));
        assert!(numbers("0").is_none() && numbers("").is_none() && numbers("1-3").is_none());
    }
}
