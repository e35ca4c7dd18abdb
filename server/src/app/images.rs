//! Images for the reading room: what there is, and frames out of full-bit data.
//!
//! Frames are made from the stored bytes, which are held against their hash each
//! time they are read. Of an object above [`WHOLE`] bytes only the wanted frame is
//! read; it is held against its hash once, beside the first frames, and shows
//! nothing more where it is altered. What was made is kept for a while in a cache of bounded
//! size, under the content's hash, so that it cannot show anything else.

mod long_objects;

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use dokuei_dicom_gateway::ranged::{self, RangedError};
use dokuei_dicom_gateway::render::{self, Image, RenderError, View};
use dokuei_models::state::CaseStudyRole;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::studies::InstanceRow;
use dokuei_models::store::{cases, reads, requests, studies};
use dokuei_models::{Connection, InstanceId, ReadId, StoreError};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::dicomweb::objects;
use super::reading::access;
use crate::authority::Person;
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// Objects up to as many bytes are read whole for a frame.
const WHOLE: i64 = 64 << 20;
/// What the frame cache may hold.
const CACHE_BYTES: usize = 48 << 20;
/// Frames decoded at once: one codec may take much memory.
static TURNS: Semaphore = Semaphore::const_new(3);

/// The images of a case as the viewer lists them.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// What stands on every view.
    pub patient: serde_json::Value,
    /// Current studies first, then priors, newest first.
    pub studies: Vec<Study>,
    /// Instances that this read's reader has opened.
    pub viewed: Vec<InstanceId>,
}

/// A study of the listing.
#[derive(Debug, Serialize)]
pub struct Study {
    /// The row.
    pub id: i64,
    /// Whether it is for comparison.
    pub prior: bool,
    /// Who the patient is by the images, where another institution made them: shown in place of the case's patient.
    pub elsewhere: Option<serde_json::Value>,
    /// `2026-04-01`, or empty.
    pub date: String,
    /// StudyDescription.
    pub description: String,
    /// Modalities of its series.
    pub modalities: String,
    /// How many instances are here.
    pub received: i32,
    /// How many the site says there are.
    pub expected: Option<i32>,
    /// Its series in their order.
    pub series: Vec<Series>,
}

/// A series of the listing.
#[derive(Debug, Serialize)]
pub struct Series {
    /// The row.
    pub id: i64,
    /// SeriesNumber.
    pub number: Option<i32>,
    /// Modality.
    pub modality: String,
    /// SeriesDescription, else the protocol's name.
    pub description: String,
    /// Its instances in the order they are looked at.
    pub instances: Vec<Instance>,
}

/// An instance of the listing.
#[derive(Debug, Serialize)]
pub struct Instance {
    /// The row.
    pub id: i64,
    /// InstanceNumber.
    pub number: Option<i32>,
    /// Frames; 0 shows no picture.
    pub frames: i32,
    /// SOPClassUID, to name what cannot be shown.
    pub class: String,
}

/// The images of a read's case, current and prior; leaves one row in the audit trail for each study.
///
/// # Errors
/// `not_found`.
pub async fn listing(state: &State, person: &Person, read: ReadId) -> Result<Listing> {
    let who = person.clone();
    let actor = person.actor(state.now());
    Ok(state
        .db
        .tx(move |conn| {
            let access = access(conn, &who, read)?;
            let patient = patients::patient_get(conn, access.case.patient_id)?;
            let expected = requests::request_get(conn, access.case.request_id)?.expected_instances;
            let mut of_case = Vec::new();
            for (id, role) in cases::case_study_list(conn, access.case.id)? {
                of_case.push(study(conn, id, role == CaseStudyRole::Prior, expected)?);
                let subject = Subject::row("study", id.0, Some(access.case.site_id));
                audit::append_in_tx(conn, &actor, "study.view", subject, "done", "")?;
            }
            Ok(Listing { patient: shown(&patient), studies: of_case, viewed: reads::image_view_list(conn, read)? })
        })
        .await?)
}

/// A patient as the viewer writes him on every view.
fn shown(patient: &PatientRow) -> serde_json::Value {
    json!({
        "name": patient.name().shown(),
        "id": patient.patient_id,
        "issuer": patient.issuer,
        "birth": patient.birth_date.map(|day| day.to_string()),
        "sex": patient.sex,
    })
}

fn study(
    conn: &mut Connection,
    id: dokuei_models::StudyId,
    prior: bool,
    expected: Option<i32>,
) -> Result<Study, StoreError> {
    let row = studies::study_get(conn, id)?;
    let elsewhere = row.elsewhere.then(|| patients::patient_get(conn, row.patient_id)).transpose()?;
    let mut instances: HashMap<i64, Vec<Instance>> = HashMap::new();
    for instance in studies::instance_list(conn, id)? {
        instances.entry(instance.series_id.0).or_default().push(Instance {
            id: instance.id.0,
            number: instance.number,
            frames: instance.frames,
            class: instance.sop_class_uid,
        });
    }
    let series = studies::series_list(conn, id)?;
    Ok(Study {
        id: id.0,
        prior,
        elsewhere: elsewhere.as_ref().map(shown),
        date: row.study_date.map(|day| day.to_string()).unwrap_or_default(),
        description: row.description,
        modalities: row.modalities.replace('\\', "/"),
        received: row.instances,
        expected: expected.filter(|_| !prior),
        series: series
            .into_iter()
            .map(|row| Series {
                id: row.id.0,
                number: row.number,
                modality: row.modality,
                description: if row.description.is_empty() { row.protocol } else { row.description },
                instances: instances.remove(&row.id.0).unwrap_or_default(),
            })
            .collect(),
    })
}

/// An instance, if a person may see it through this read.
async fn source(state: &State, person: &Person, read: ReadId, instance: InstanceId) -> Result<InstanceRow> {
    let who = person.clone();
    Ok(state
        .db
        .read(move |conn| {
            let access = access(conn, &who, read)?;
            let row = studies::instance_get(conn, instance)?;
            let of_case = cases::case_study_list(conn, access.case.id)?.iter().any(|(study, _)| *study == row.study_id);
            if !of_case {
                return Err(StoreError::NotFound("the instance"));
            }
            Ok(row)
        })
        .await?)
}

/// One frame (from 0) for the browser to window: 4 bytes little-endian length of a JSON text, the text, then the
/// 16-bit samples. An image that is not grey has no samples and `"grey": false`: it is asked for as PNG.
///
/// # Errors
/// `not_found`, `image_altered`, or why it cannot be shown: `image_no_pixels`, `image_coding_unknown`, `image_broken`,
/// `image_not_shown`.
pub async fn raw(state: &State, person: &Person, read: ReadId, instance: InstanceId, frame: u32) -> Result<Bytes> {
    let row = source(state, person, read, instance).await?;
    picture(state, &row, frame, format!("{}:{frame}:raw", row.sha256), move |image| pack(image, frame)).await
}

/// One frame (from 0) as PNG, at 1:1 unless `view` asks for less: lossless, one pixel a stored pixel.
///
/// # Errors
/// As [`raw`].
pub async fn png(
    state: &State,
    person: &Person,
    read: ReadId,
    instance: InstanceId,
    frame: u32,
    view: View,
) -> Result<Bytes> {
    let row = source(state, person, read, instance).await?;
    let key = format!("{}:{frame}:png:{view:?}", row.sha256);
    picture(state, &row, frame, key, move |image| render::frame_png(image, frame, &view)).await
}

/// A picture made from a frame (from 0) of an instance's object, wherever it is asked for: checked against its hash, made
/// in turn, kept for a while under `key`, which must hold the hash and all that changes the picture.
///
/// # Errors
/// As [`raw`], but that it does not ask who looks.
pub async fn picture(
    state: &State,
    row: &InstanceRow,
    frame: u32,
    key: String,
    make: impl FnOnce(Image<'_>) -> std::result::Result<Vec<u8>, RenderError> + Send + 'static,
) -> Result<Bytes> {
    if let Some(kept) = cached(&key) {
        return Ok(kept);
    }
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    let made = if row.size <= WHOLE {
        let got = state.objects.get_checked(&row.object_key, &row.sha256).await;
        let bytes = got.map_err(objects::not_given)?;
        tokio::task::spawn_blocking(move || make(Image::Whole(&bytes))).await
    } else {
        long_objects::check(state, row)?;
        let excerpt = excerpt(state, row, frame).await?;
        tokio::task::spawn_blocking(move || make(Image::Frame(&excerpt))).await
    };
    let made = Bytes::from(made.map_err(Error::internal)?.map_err(not_shown)?);
    keep(key, made.clone());
    Ok(made)
}

/// What drawing a frame of a long object takes.
async fn excerpt(state: &State, row: &InstanceRow, frame: u32) -> Result<render::Excerpt> {
    let opened = objects::open(state, row).await?;
    let source = objects::source(state, row);
    let frames = opened.frames(&source).await?;
    ranged::excerpt(&source, &opened.head, frames, frame).await.map_err(|error| match error {
        RangedError::NoSuchFrame { .. } => Error::new(&codes::IMAGE_NOT_SHOWN).with("reason", error),
        other => objects::not_read(other),
    })
}

/// Why a picture is not shown, in the reader's words and with what to do.
pub(super) fn not_shown(error: RenderError) -> Error {
    match error {
        RenderError::NoPixels => Error::new(&codes::IMAGE_NO_PIXELS),
        RenderError::TransferSyntax(coding) => Error::new(&codes::IMAGE_CODING_UNKNOWN).with("coding", coding),
        RenderError::Coding(coding) => Error::new(&codes::IMAGE_CODING_UNKNOWN).with("coding", coding),
        RenderError::FloatPixels => Error::new(&codes::IMAGE_CODING_UNKNOWN).with("coding", "float pixels"),
        RenderError::Unreadable(_)
        | RenderError::Truncated { .. }
        | RenderError::Implausible
        | RenderError::Attribute(_)
        | RenderError::Damaged => Error::new(&codes::IMAGE_BROKEN),
        // A question that the viewer does not ask: a frame or preset that is not there.
        other => Error::new(&codes::IMAGE_NOT_SHOWN).with("reason", other),
    }
}

fn pack(image: Image<'_>, frame: u32) -> std::result::Result<Vec<u8>, RenderError> {
    let set = render::describe(image)?;
    set.displayable.clone()?;
    let mut facts = json!({
        "grey": false,
        "frames": set.frames,
        "frames_stated": set.frames_stated,
        "rows": set.rows,
        "cols": set.cols,
        "spacing": set.spacing,
        "edges": set.edges,
        "laterality": set.laterality,
        "view": set.view,
        "overlays": set.overlays,
        "bits": set.bits_stored,
    });
    let samples = match render::raw_frame(image, frame) {
        Ok(raw) => {
            facts["grey"] = json!(true);
            facts["rows"] = json!(raw.rows);
            facts["cols"] = json!(raw.cols);
            facts["signed"] = json!(raw.signed);
            facts["slope"] = json!(raw.slope);
            facts["intercept"] = json!(raw.intercept);
            facts["unit"] = json!(raw.unit);
            facts["function"] = json!(raw.function);
            facts["presets"] = json!(raw.presets);
            facts["tables"] = json!(raw.tables);
            facts["inverted"] = json!(raw.inverted);
            facts["padding"] = json!(raw.padding);
            raw.samples
        }
        Err(RenderError::NotGrey) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut text = facts.to_string();
    // Samples begin at an even offset, so that the browser can look at them without a copy.
    if text.len() % 2 == 1 {
        text.push(' ');
    }
    let length = u32::try_from(text.len()).map_err(|_| RenderError::Implausible)?;
    let mut packed = Vec::with_capacity(4 + text.len() + samples.len());
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(text.as_bytes());
    packed.extend_from_slice(&samples);
    Ok(packed)
}

#[derive(Default)]
struct Cache {
    kept: HashMap<String, Bytes>,
    order: VecDeque<String>,
    bytes: usize,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

fn cached(key: &str) -> Option<Bytes> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).kept.get(key).cloned()
}

fn keep(key: String, bytes: Bytes) {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).keep(key, bytes, CACHE_BYTES);
}

impl Cache {
    /// Keeps what fits; the oldest goes first. One that is larger than a quarter of it all is not kept.
    fn keep(&mut self, key: String, bytes: Bytes, most: usize) {
        if bytes.len() > most / 4 || self.kept.contains_key(&key) {
            return;
        }
        self.bytes += bytes.len();
        self.order.push_back(key.clone());
        self.kept.insert(key, bytes);
        while self.bytes > most {
            let Some(oldest) = self.order.pop_front() else { break };
            self.bytes -= self.kept.remove(&oldest).map_or(0, |bytes| bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_never_grows_beyond_its_bound() {
        let mut cache = Cache::default();
        for n in 0..100 {
            cache.keep(format!("k{n}"), Bytes::from(vec![0; 10]), 100);
            assert!(cache.bytes <= 100 && cache.kept.len() == cache.order.len());
        }
        assert!(cache.kept.contains_key("k99") && !cache.kept.contains_key("k0"));
        cache.keep("large".to_owned(), Bytes::from(vec![0; 26]), 100);
        assert!(!cache.kept.contains_key("large"), "one image must not empty the cache");
        cache.keep("k99".to_owned(), Bytes::from(vec![0; 10]), 100);
        assert_eq!(cache.bytes, 100, "the same again changes nothing");
    }

    #[test]
    fn what_is_no_image_says_so_and_never_panics() {
        for bytes in [b"".as_slice(), b"DICM", &[0xff; 300]] {
            assert!(pack(Image::Whole(bytes), 0).is_err());
        }
    }
}
