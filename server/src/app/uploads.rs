//! Images that a person uploads: files, a folder's files, or the ZIP of a CD.
//!
//! An *upload* is one arrival. Each file of it is streamed to scratch, unpacked
//! entry by entry within limits, and kept as an object that came over C-STORE is
//! kept: durably, before anybody is told that it is here. Of every file it is
//! said what became of it. What was kept stays, whatever happens to the rest; the
//! same files again change nothing, so an upload that broke off is simply
//! repeated.

mod keeping;
mod unpacking;

use dokuei_models::state::Whose;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::images::{self, ArrivalCounts, NewArrival};
use dokuei_models::store::submissions;
use dokuei_models::{ArrivalId, SiteId, StudyId};

pub use self::unpacking::{scratch, take};
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::codes::portal as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new and here.
    Kept,
    /// It was here already.
    Repeated,
    /// It is kept apart until a person has looked.
    Apart,
    /// It is no image and was left out.
    Ignored,
    /// It was not taken.
    Refused,
    /// It could not be kept now; the same may work later.
    Failed,
}

impl Fate {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Repeated => "repeated",
            Self::Apart => "apart",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What is said of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Its name, as the sender has it; within a ZIP with its path.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// The key of the sentence that says why; empty where there is nothing to say.
    pub words: &'static str,
    /// The number in the sentence, if it has one.
    pub number: Option<u64>,
    /// The study it belongs to.
    pub study: Option<StudyId>,
}

/// Begins an upload for a site: of its own patients' images, or of another institution's.
///
/// # Errors
/// `not_found` for a site that is not the person's.
pub async fn begin(state: &State, person: &Person, site: SiteId, whose: Whose) -> Result<ArrivalId> {
    person.reach::<Submit>().need_site(site)?;
    let actor = person.actor(state.now());
    let arrival = NewArrival {
        site,
        endpoint: None,
        user: Some(person.id),
        via: "upload",
        whose,
        calling_ae: String::new(),
        address: person.address.clone(),
        at: actor.at,
    };
    let id = state
        .db
        .tx(move |conn| {
            let id = images::arrival_open_in_tx(conn, &arrival)?;
            audit::append_in_tx(
                conn,
                &actor,
                "upload.begin",
                Subject::row("arrival", id.0, Some(site)),
                "done",
                whose.code(),
            )?;
            Ok(id)
        })
        .await?;
    Ok(id)
}

/// The site of a running upload of this person.
///
/// # Errors
/// `not_found` for somebody else's upload, `upload_over` for one that has ended.
pub async fn site_of(state: &State, person: &Person, upload: ArrivalId) -> Result<SiteId> {
    let row = state.db.read(move |conn| submissions::upload_get(conn, upload)).await?;
    if row.user_id != Some(person.id) || !person.reach::<Submit>().covers_site(row.site_id) {
        return Err(Error::not_found());
    }
    if row.ended_at.is_some() {
        return Err(Error::new(&codes::UPLOAD_OVER));
    }
    Ok(row.site_id)
}

/// Ends an upload. Returns what it brought; a second end is no fault.
///
/// # Errors
/// As [`site_of`].
pub async fn end(state: &State, person: &Person, upload: ArrivalId) -> Result<ArrivalCounts> {
    let site = site_of(state, person, upload).await?;
    let actor = person.actor(state.now());
    let counts = state
        .db
        .tx(move |conn| {
            let counts = submissions::upload_end_in_tx(conn, upload, actor.at)?;
            let detail = serde_json::json!({
                "new": counts.kept, "repeated": counts.repeated, "apart": counts.quarantined,
                "refused": counts.failed, "bytes": counts.bytes,
            });
            let subject = Subject::row("arrival", upload.0, Some(site));
            audit::append_in_tx(conn, &actor, "upload", subject, "done", &detail.to_string())?;
            Ok(counts)
        })
        .await?;
    tell(state, site);
    Ok(counts)
}

fn tell(state: &State, site: SiteId) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Portal(site.0));
}
