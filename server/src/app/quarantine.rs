//! One object that was kept apart: what its header says, reading it again, saying where it belongs, handing it to whoever
//! can say what is wrong, and taking back that it was discarded.

mod assign;

use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::intake::{Archive as _, IndexedArchive, KeepError, Kept, ReceivedObject};
use dokuei_models::state::Whose;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::images::{ArrivalCounts, NewArrival};
use dokuei_models::store::quarantine::{self, QuarantineOutcome, QuarantineRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::{Connection, StoreError};

pub use self::assign::{Candidate, Target, Wanted, assign};

use super::board;
use crate::authority::{Person, Reach};
use crate::error::codes::dispatch as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// What is known of the object.
pub struct Sheet {
    /// Its row.
    pub row: QuarantineRow,
    /// Its site.
    pub site: SiteRow,
    /// Its header as far as it can be read.
    pub lines: Vec<header::Line>,
    /// What stopped the reading, in the reader's words; no patient data.
    pub stopped: Option<String>,
    /// Whether enough of it can be read to say where it belongs.
    pub assignable: bool,
    /// Where it may belong.
    pub candidates: Vec<Candidate>,
    /// The sites within reach, for a search.
    pub sites: Vec<SiteRow>,
}

fn within(conn: &mut Connection, reach: &Reach, id: i64) -> Result<(QuarantineRow, SiteRow), StoreError> {
    let row = quarantine::quarantine_get(conn, id)?;
    let site = sites::site_get(conn, row.site_id)?;
    if reach.covers(site.id, site.pool_id) { Ok((row, site)) } else { Err(StoreError::NotFound("the object")) }
}

/// Finds the object and leaves a row in the audit trail under `action`.
async fn found(
    state: &State,
    person: &Person,
    reach: Reach,
    id: i64,
    action: &'static str,
) -> Result<(QuarantineRow, SiteRow, bytes::Bytes)> {
    let actor = person.actor(state.now());
    let load = move |conn: &mut Connection| {
        let (row, site) = within(conn, &reach, id)?;
        let subject = Subject::row("quarantine", id, Some(row.site_id));
        audit::append_in_tx(conn, &actor, action, subject, "done", "")?;
        Ok((row, site))
    };
    let (row, site) = state.db.tx(load).await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    Ok((row, site, bytes))
}

/// Looks at an object; `wanted`: a patient to whom it may belong.
///
/// # Errors
/// `not_found` outside reach.
pub async fn sheet(state: &State, person: &Person, reach: Reach, id: i64, wanted: Option<Wanted>) -> Result<Sheet> {
    let (row, site, bytes) = found(state, person, reach.clone(), id, "quarantine.view").await?;
    let of = row.clone();
    let read = tokio::task::spawn_blocking(move || (header::lines(&bytes), assign::facts_of(&of, &bytes)));
    let ((lines, stopped), facts) = read.await.map_err(Error::internal)?;
    let assignable = facts.is_some() && row.resolved_at.is_none();
    let own = site.clone();
    let (candidates, sites) = state
        .db
        .read(move |conn| {
            let offered = match facts.as_ref().filter(|_| assignable) {
                Some(facts) => assign::candidates(conn, &reach, &own, facts, wanted.as_ref())?,
                None => Vec::new(),
            };
            Ok((offered, board::sites_within(conn, &reach)?))
        })
        .await?;
    let stopped = stopped.map(|error| error.to_string());
    Ok(Sheet { row, site, lines, stopped, assignable, candidates, sites })
}

/// Takes back that an object was discarded.
///
/// # Errors
/// `not_found` outside reach, `quarantine_not_discarded`.
pub async fn restore(state: &State, person: &Person, reach: Reach, id: i64) -> Result<()> {
    let actor = person.actor(state.now());
    let change = move |conn: &mut Connection| {
        within(conn, &reach, id)?;
        quarantine::quarantine_restore_in_tx(conn, &actor, id)
    };
    state.db.tx(change).await.map_err(|error| match &error {
        StoreError::Conflict { what: "quarantine_restore", .. } => Error::new(&codes::QUARANTINE_NOT_DISCARDED),
        _ => error.into(),
    })?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// The object's bytes, for the maker of the device that sent it.
///
/// # Errors
/// `not_found` outside reach.
pub async fn file(state: &State, person: &Person, reach: Reach, id: i64) -> Result<bytes::Bytes> {
    Ok(found(state, person, reach, id, "quarantine.download").await?.2)
}

/// Reads the object once more, as after an upgrade, or after a study's patient was settled: where it is understood now,
/// it goes where it belongs.
///
/// # Errors
/// `not_found` outside reach, `already_done` when it was resolved, `quarantine_still` when it is kept apart as before.
pub async fn retry(state: &State, person: &Person, reach: Reach, id: i64) -> Result<()> {
    let (row, site, bytes) = found(state, person, reach, id, "quarantine.retry").await?;
    if row.resolved_at.is_some() {
        return Err(StoreError::Repeat("the quarantine's end").into());
    }
    let still = || Error::new(&codes::QUARANTINE_STILL);
    let object = ReceivedObject::from_file(&bytes).map_err(|_| still())?;
    let wake = state.wake.clone();
    let archive = IndexedArchive::new(state.db.clone(), state.objects.clone()).telling(move || wake.tell(Topic::Jobs));
    let arrival = NewArrival {
        site: site.id,
        endpoint: None,
        user: Some(person.id),
        via: "import",
        whose: Whose::Ours,
        calling_ae: String::new(),
        address: String::new(),
        at: state.now(),
    };
    let failed = |error: KeepError| Error::internal(error);
    let arrival = archive.open(arrival).await.map_err(failed)?;
    let before = state.now();
    let kept = archive.keep(site.id, arrival, object).await.map_err(failed)?;
    let mut counts = ArrivalCounts { bytes: row.size, ..ArrivalCounts::default() };
    let understood = match kept {
        Kept::New(_) => {
            counts.kept = 1;
            true
        }
        Kept::Repeat(_) | Kept::Renewed(_) => {
            counts.repeated = 1;
            true
        }
        // Either it waits as a version now, or it still names another patient's study.
        Kept::Conflict(_) => {
            counts.quarantined = 1;
            row.study_of_another_patient().is_none()
        }
        Kept::Quarantined(_) => {
            counts.quarantined = 1;
            false
        }
    };
    archive.close(arrival, counts, "done").await.map_err(failed)?;
    if !understood {
        return Err(still());
    }
    let actor = person.actor(before);
    state
        .db
        .tx(move |conn| quarantine::quarantine_resolve_in_tx(conn, &actor, id, QuarantineOutcome::ReadAgain, ""))
        .await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}
