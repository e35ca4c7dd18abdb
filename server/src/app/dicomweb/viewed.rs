//! That somebody looked at a study, in the audit trail.
//!
//! A viewer fetches a study in thousands of requests. One row says it; another follows when the same person still, or
//! again, looks a quarter of an hour later. The row is committed before the first byte leaves.

use std::collections::HashMap;
use std::sync::PoisonError;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::{StudyId, UserId};

use super::Root;
use crate::authority::Person;
use crate::error::Result;
use crate::state::State;

/// How long one row stands for what follows it.
const STANDS: TimeDelta = TimeDelta::minutes(15);
/// What is remembered at the most; beyond it rows are written once more than needed.
const MOST: usize = 20_000;

/// Who has looked at what, and when that was written down.
#[derive(Debug, Default)]
pub struct Viewed(HashMap<(UserId, StudyId), NaiveDateTime>);

/// Writes down that a person looks at these studies.
///
/// # Errors
/// What the database says; nothing may be shown then.
pub async fn note(state: &State, person: &Person, root: &Root, studies: &[StudyId]) -> Result<()> {
    let now = state.now();
    let fresh: Vec<StudyId> = {
        let viewed = state.images().viewed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |study: &StudyId| viewed.0.get(&(person.id, *study)).is_some_and(|at| now - *at < STANDS);
        studies.iter().copied().filter(|study| !known(study)).collect()
    };
    if fresh.is_empty() {
        return Ok(());
    }
    let (actor, site, rows, detail) = (person.actor(now), root.site, fresh.clone(), format!("DICOMweb {}", root.path));
    state
        .db
        .tx(move |conn| {
            for study in &rows {
                let subject = Subject::row("study", study.0, Some(site));
                audit::append_in_tx(conn, &actor, "study.view", subject, "done", &detail)?;
            }
            Ok(())
        })
        .await?;
    let mut viewed = state.images().viewed.lock().unwrap_or_else(PoisonError::into_inner);
    if viewed.0.len() + fresh.len() > MOST {
        viewed.0.retain(|_, at| now - *at < STANDS);
        if viewed.0.len() + fresh.len() > MOST {
            viewed.0.clear();
        }
    }
    viewed.0.extend(fresh.into_iter().map(|study| ((person.id, study), now)));
    Ok(())
}
