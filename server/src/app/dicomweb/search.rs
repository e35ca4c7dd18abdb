//! Searching below a root, and finding what an address names.

use dokuei_models::Connection;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::image_search::{
    self, FoundInstance, FoundSeries, FoundStudy, ImageKeys, Page, Scope, instance_search, series_search, study_search,
};
use dokuei_models::{StoreError, StudyId};

use super::{Root, viewed};
use crate::authority::Person;
use crate::error::{Error, Result};
use crate::state::State;

/// Instances that one retrieval gives at the most.
const MOST_INSTANCES: u32 = 100_000;

/// One page of what was found, and whether there is more.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The rows in their order.
    pub rows: Vec<T>,
    /// Whether rows follow the last.
    pub more: bool,
}

type Searcher<T> = fn(&mut Connection, &Scope, &ImageKeys, Page) -> std::result::Result<Vec<T>, StoreError>;

/// Studies below a root. Like every search it leaves a row in the audit trail: how many were found, never what for.
///
/// # Errors
/// What the database says.
pub async fn studies(
    state: &State,
    person: &Person,
    root: &Root,
    keys: ImageKeys,
    page: Page,
) -> Result<Found<FoundStudy>> {
    search(state, person, root, keys, page, study_search).await
}

/// Series below a root.
///
/// # Errors
/// What the database says.
pub async fn series(
    state: &State,
    person: &Person,
    root: &Root,
    keys: ImageKeys,
    page: Page,
) -> Result<Found<FoundSeries>> {
    search(state, person, root, keys, page, series_search).await
}

/// Instances below a root.
///
/// # Errors
/// What the database says.
pub async fn instances(
    state: &State,
    person: &Person,
    root: &Root,
    keys: ImageKeys,
    page: Page,
) -> Result<Found<FoundInstance>> {
    search(state, person, root, keys, page, instance_search).await
}

async fn search<T: Send + 'static>(
    state: &State,
    person: &Person,
    root: &Root,
    keys: ImageKeys,
    page: Page,
    searcher: Searcher<T>,
) -> Result<Found<T>> {
    let (actor, scope, site) = (person.actor(state.now()), root.scope.clone(), root.site);
    let limit = page.limit as usize;
    let asked = Page { limit: page.limit.saturating_add(1), offset: page.offset };
    let mut rows = state.db.read(move |conn| searcher(conn, &scope, &keys, asked)).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let detail = format!("DICOMweb {}: {} found", root.path, rows.len());
    state
        .db
        .tx(move |conn| {
            let subject = Subject { kind: "images", id: None, site: Some(site) };
            audit::append_in_tx(conn, &actor, "images.search", subject, "done", &detail)
        })
        .await?;
    Ok(Found { rows, more })
}

/// The instances that an address names, in their order; looking at them is written down.
///
/// # Errors
/// `not_found` where there is none.
pub async fn named(
    state: &State,
    person: &Person,
    root: &Root,
    study: &str,
    series: Option<&str>,
    instance: Option<&str>,
) -> Result<Vec<FoundInstance>> {
    let keys = ImageKeys {
        study_uids: vec![study.to_owned()],
        series_uids: series.map(str::to_owned).into_iter().collect(),
        sop_instance_uids: instance.map(str::to_owned).into_iter().collect(),
        ..ImageKeys::default()
    };
    let scope = root.scope.clone();
    let page = Page { limit: MOST_INSTANCES, offset: 0 };
    let rows = state.db.read(move |conn| image_search::instance_search(conn, &scope, &keys, page)).await?;
    if rows.is_empty() {
        return Err(Error::not_found());
    }
    let mut of: Vec<StudyId> = rows.iter().map(|row| row.study.id).collect();
    of.dedup();
    viewed::note(state, person, root, &of).await?;
    Ok(rows)
}

/// The first instance of a study or series, for what its header says of them.
///
/// # Errors
/// What the database says.
pub async fn first(state: &State, root: &Root, study: &str, series: Option<&str>) -> Result<Option<FoundInstance>> {
    let keys = ImageKeys {
        study_uids: vec![study.to_owned()],
        series_uids: series.map(str::to_owned).into_iter().collect(),
        ..ImageKeys::default()
    };
    let scope = root.scope.clone();
    let page = Page { limit: 1, offset: 0 };
    let rows = state.db.read(move |conn| image_search::instance_search(conn, &scope, &keys, page)).await?;
    Ok(rows.into_iter().next())
}
