//! A known instance with other bytes: both are compared, then kept as what they are to each other.

use bytes::Bytes;
use chrono::Utc;
use dokuei_models::objects::{KeptObject, ObjectError};
use dokuei_models::store::images::{self, Again, AgainKept, Difference, InstanceFacts, KnownInstance};
use dokuei_models::{ArrivalId, SiteId, StoreError};

use super::index::{IndexedArchive, facts};
use super::{Filed, KeepError, Kept};
use crate::compare::{self, Compared};
use crate::header;

/// How often another version may be shown while two are compared.
const ROUNDS: usize = 4;

/// What came, kept durably.
#[derive(Clone)]
pub(super) struct Came {
    pub site: SiteId,
    pub arrival: ArrivalId,
    pub facts: InstanceFacts,
    pub object: KeptObject,
    /// The file, where it is held in memory to be compared.
    pub file: Option<Bytes>,
}

/// Compares what came with what is known, and keeps it.
pub(super) async fn keep(
    archive: &IndexedArchive,
    came: &Came,
    mut known: KnownInstance,
    filed: Filed,
) -> Result<Kept, KeepError> {
    for _ in 0..ROUNDS {
        let Some(again) = compared(archive, came, known).await? else { return Ok(Kept::Repeat(filed)) };
        let (site, arrival, object) = (came.site, Some(came.arrival), came.object.clone());
        let outcome = archive
            .tx(move |conn| images::instance_again_in_tx(conn, site, arrival, &again, &object, Utc::now().naive_utc()))
            .await;
        match outcome {
            Ok(AgainKept::Repeat(_)) => return Ok(Kept::Repeat(filed)),
            Ok(AgainKept::Renewed(_)) => {
                archive.changed();
                return Ok(Kept::Renewed(filed));
            }
            Ok(AgainKept::Waits(_)) => {
                archive.changed();
                return Ok(Kept::Conflict(filed));
            }
            Err(StoreError::Stale(_)) => {}
            Err(error) => return Err(error.into()),
        }
        // Another version is shown by now: look again.
        let (site, facts, object) = (came.site, came.facts.clone(), came.object.clone());
        let arrival = Some(came.arrival);
        let looked = archive
            .tx(move |conn| images::instance_keep_in_tx(conn, site, arrival, &facts, &object, Utc::now().naive_utc()))
            .await?;
        known = match looked {
            images::Kept::Known(known) => known,
            _ => return Ok(Kept::Repeat(filed)),
        };
    }
    Err(KeepError::Unavailable("the instance keeps changing".to_owned()))
}

/// In what the two differ; `None` if in nothing that counts.
async fn compared(archive: &IndexedArchive, came: &Came, known: KnownInstance) -> Result<Option<Again>, KeepError> {
    let apart = |known, before, changed| {
        let facts = came.facts.clone();
        Some(Again { known, before, facts, difference: Difference::Pixels, changed })
    };
    let small = usize::try_from(known.size).is_ok_and(|size| size <= compare::MOST);
    let file = came.file.clone().filter(|file| small && file.len() <= compare::MOST);
    let Some(file) = file else {
        // Too large to be held twice. Its own header stands for both, so that nothing is taken without a person.
        return Ok(apart(known, came.facts.clone(), Vec::new()));
    };
    let there = match archive.objects.get_checked(&known.object_key, &known.sha256).await {
        Ok(there) => there,
        Err(error @ (ObjectError::Unavailable(_) | ObjectError::Full)) => return Err(error.into()),
        // What is here cannot be compared with any more: a person looks, and what came is not held up by it.
        Err(ObjectError::Missing | ObjectError::Altered) => return Ok(apart(known, came.facts.clone(), Vec::new())),
    };
    let work = tokio::task::spawn_blocking(move || {
        let before = header::read_file(&there).ok().map(|header| facts(&header));
        (before, compare::compare(&there, &file))
    });
    let (before, outcome) = work.await.map_err(|error| KeepError::Failed(error.to_string()))?;
    // What was filed once can be read; if not any more, it is for a person.
    let Some(before) = before else { return Ok(apart(known, came.facts.clone(), Vec::new())) };
    Ok(match outcome {
        Ok(Compared::Same) => None,
        Ok(Compared::Header(changed)) => {
            let facts = came.facts.clone();
            Some(Again { known, before, facts, difference: Difference::Header, changed })
        }
        Ok(Compared::Pixels(changed)) => apart(known, before, changed),
        Err(_) => apart(known, before, Vec::new()),
    })
}
