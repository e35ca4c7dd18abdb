//! Holds objects of which only frames are read against their hash: once in this process, in pieces, beside the first
//! frames. Waiting for 2 GB before the first frame is shown would help nobody; showing on from altered bytes would harm.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use dokuei_models::store::studies::InstanceRow;
use futures_util::TryStreamExt as _;
use tokio::sync::Semaphore;

use crate::app::dicomweb::objects;
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// Objects remembered; beyond it all are forgotten and checked anew.
const REMEMBERED: usize = 10_000;
/// Objects read through at once.
static TURNS: Semaphore = Semaphore::const_new(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Underway,
    Sound,
    Altered,
}

static FINDINGS: LazyLock<Mutex<HashMap<String, Finding>>> = LazyLock::new(Mutex::default);

fn set(sha256: &str, finding: Option<Finding>) {
    let mut findings = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if findings.len() >= REMEMBERED {
        findings.retain(|_, finding| *finding == Finding::Altered);
    }
    match finding {
        Some(finding) => findings.insert(sha256.to_owned(), finding),
        None => findings.remove(sha256),
    };
}

/// Begins the check where there was none yet.
///
/// # Errors
/// `image_altered` where it was found so.
pub(super) fn check(state: &State, row: &InstanceRow) -> Result<()> {
    let known = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner).get(&row.sha256).copied();
    match known {
        Some(Finding::Altered) => return Err(Error::new(&codes::IMAGE_ALTERED)),
        Some(Finding::Underway | Finding::Sound) => return Ok(()),
        None => set(&row.sha256, Some(Finding::Underway)),
    }
    let (state, row) = (state.clone(), row.clone());
    tokio::spawn(async move {
        // The semaphore is never closed.
        let Ok(_turn) = TURNS.acquire().await else { return };
        let read = objects::whole(&state, &row).try_for_each(|_| std::future::ready(Ok(()))).await;
        set(
            &row.sha256,
            match read {
                Ok(()) => Some(Finding::Sound),
                Err(error) if error.code().name == codes::IMAGE_ALTERED.name => {
                    tracing::error!(instance = %row.id, "a stored object has changed since it was received");
                    Some(Finding::Altered)
                }
                // The store does not answer: at the next frame again.
                Err(_) => None,
            },
        );
    });
    Ok(())
}
