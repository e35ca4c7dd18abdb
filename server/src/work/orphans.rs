//! Objects that a crash left without a row: set aside, and deleted a day later.
//!
//! Bytes are stored before the row that names them, so that every moment there
//! are objects without a row which are no orphans. Three things keep them:
//! - only what was stored more than a day ago is looked at, and storing the same
//!   bytes again makes an object new;
//! - what no row names is first moved aside. Whoever stores the same bytes from
//!   then on makes the object anew; whoever stored them a moment before has it
//!   brought back as soon as his row is seen, which is looked for at once and
//!   every ten minutes;
//! - only what has lain aside for a day without a row is deleted.
//!
//! It is a loop and no job: a pass over a large store takes longer than a job may.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::objects::{Aside, ObjectError, StoredObject};
use dokuei_models::store::{leases, object_keys};
use futures_util::{Stream, StreamExt as _};

use crate::state::State;

const LEASE: &str = "orphan-sweeper";
const LEASE_LENGTH: TimeDelta = TimeDelta::minutes(30);
/// How often what lies aside is looked at.
const EVERY: Duration = Duration::from_secs(600);
/// How often the whole store is looked through.
const WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// An object without a row is left alone for so long, and lies aside for as long before it is deleted.
pub const RESPITE: TimeDelta = TimeDelta::days(1);
const KEYS_AT_ONCE: usize = 500;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects that lie aside afterwards: those that will be deleted.
    pub aside: u64,
    /// Their bytes.
    pub aside_bytes: u64,
    /// Objects brought back because a row names them.
    pub brought_back: u64,
    /// Objects deleted.
    pub deleted: u64,
}

/// Sweeps until the process stops.
pub async fn run(state: State) {
    let me = format!("sweeper-{}", &state.chance.token()[..12]);
    let mut whole_at: Option<Instant> = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = state.stopped() => return,
        }
        let whole = whole_at.is_none_or(|at| at.elapsed() >= WHOLE_EVERY);
        match round(&state, &me, whole).await {
            Ok(true) if whole => whole_at = Some(Instant::now()),
            Ok(_) => {}
            Err(error) => tracing::warn!("orphan objects were not swept: {error:#}"),
        }
    }
}

/// One round, if the lease is ours.
async fn round(state: &State, me: &str, whole: bool) -> anyhow::Result<bool> {
    let (now, holder) = (state.now(), me.to_owned());
    let taken = state.db.tx(move |conn| leases::lease_take_in_tx(conn, LEASE, &holder, now, LEASE_LENGTH)).await?;
    if taken.is_none() {
        return Ok(false);
    }
    if !state.config.work.sweep_orphans {
        if whole {
            let found = count(state, now).await?;
            gauge(found.aside, found.aside_bytes);
        }
        return Ok(true);
    }
    if whole {
        set_aside(state, now).await?;
    }
    let swept = settle_aside(state, now).await?;
    gauge(swept.aside, swept.aside_bytes);
    metrics::counter!("dokuei_objects_deleted_total").increment(swept.deleted);
    metrics::counter!("dokuei_objects_brought_back_total").increment(swept.brought_back);
    if swept.deleted > 0 || swept.brought_back > 0 {
        tracing::info!(deleted = swept.deleted, brought_back = swept.brought_back, "orphan objects swept");
    }
    Ok(true)
}

/// How many objects will be deleted, or would be where nothing is swept.
fn gauge(objects: u64, bytes: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    {
        metrics::gauge!("dokuei_objects_orphaned").set(objects as f64);
        metrics::gauge!("dokuei_objects_orphaned_bytes").set(bytes as f64);
    }
}

async fn named(state: &State, keys: Vec<String>) -> anyhow::Result<BTreeSet<String>> {
    Ok(state.db.read(move |conn| object_keys::object_key_list_named(conn, &keys)).await?)
}

/// What is older than [`RESPITE`] and no row names, some at a time.
fn orphans(state: &State, now: NaiveDateTime) -> impl Stream<Item = anyhow::Result<Vec<StoredObject>>> {
    let (state, old) = (state.clone(), now - RESPITE);
    let listed = state.objects.list();
    let old = listed.filter(move |found| std::future::ready(found.as_ref().map_or(true, |one| one.stored_at < old)));
    old.chunks(KEYS_AT_ONCE).then(move |chunk| {
        let state = state.clone();
        async move {
            let mut chunk: Vec<StoredObject> = chunk.into_iter().collect::<Result<_, ObjectError>>()?;
            let known = named(&state, chunk.iter().map(|object| object.key.clone()).collect()).await?;
            chunk.retain(|object| !known.contains(&object.key));
            Ok(chunk)
        }
    })
}

/// Counts what would be set aside, and moves nothing.
///
/// # Errors
/// The store or the database failed.
pub async fn count(state: &State, now: NaiveDateTime) -> anyhow::Result<Swept> {
    let mut found = Swept::default();
    let mut chunks = Box::pin(orphans(state, now));
    while let Some(chunk) = chunks.next().await {
        for object in chunk? {
            found.aside += 1;
            found.aside_bytes += object.size;
        }
    }
    Ok(found)
}

/// Looks through the whole store and sets aside what no row names and is older than [`RESPITE`]. Returns how many.
///
/// # Errors
/// The store or the database failed; what was done stays done.
pub async fn set_aside(state: &State, now: NaiveDateTime) -> anyhow::Result<u64> {
    let mut moved = 0;
    let mut chunks = Box::pin(orphans(state, now));
    while let Some(chunk) = chunks.next().await {
        let mut aside = Vec::new();
        for object in &chunk? {
            aside.extend(state.objects.set_aside(object, now).await?);
        }
        moved += u64::try_from(aside.len()).unwrap_or(u64::MAX);
        // Whose row came between the question and the move has it back at once.
        bring_back_named(state, &aside).await?;
    }
    Ok(moved)
}

/// Brings back what a row names by now. Returns the keys.
async fn bring_back_named(state: &State, aside: &[Aside]) -> anyhow::Result<BTreeSet<String>> {
    let mut back = BTreeSet::new();
    for some in aside.chunks(KEYS_AT_ONCE) {
        let known = named(state, some.iter().map(|one| one.key.clone()).collect()).await?;
        for one in some.iter().filter(|one| known.contains(&one.key)) {
            match state.objects.bring_back(one).await {
                Ok(()) | Err(ObjectError::Missing) => {}
                Err(error) => return Err(error.into()),
            }
            back.insert(one.key.clone());
        }
    }
    Ok(back)
}

/// Looks at what lies aside: brings back what a row names, deletes what has lain there for [`RESPITE`].
///
/// # Errors
/// The store or the database failed; what was done stays done.
pub async fn settle_aside(state: &State, now: NaiveDateTime) -> anyhow::Result<Swept> {
    let aside = state.objects.aside().await?;
    let back = bring_back_named(state, &aside).await?;
    let mut swept = Swept { brought_back: u64::try_from(back.len()).unwrap_or(u64::MAX), ..Swept::default() };
    for one in aside.iter().filter(|one| !back.contains(&one.key)) {
        if now - one.since >= RESPITE {
            state.objects.delete_aside(one).await?;
            swept.deleted += 1;
        } else {
            swept.aside += 1;
            swept.aside_bytes += one.size;
        }
    }
    Ok(swept)
}
