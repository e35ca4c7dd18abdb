//! What stands under one SOP Instance UID when it came more than once: the shown version, older ones, and what waits
//! for a person.
//!
//! An instance that came once has no rows here. From the second different
//! arrival on every version has one, and exactly one of them is `current`: it is
//! what `instances` says.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::InstanceFacts;
use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{InstanceId, SiteId, StudyId, UserId};
use crate::schema::instance_versions;

codes! {
    /// In what a version differs from the one that was shown when it came.
    Difference {
        /// It is the one that came first.
        First => "first",
        /// In header elements; its pixels are the same.
        Header => "header",
        /// In its pixels, or, where it has none, in its content.
        Pixels => "pixels",
    }
}

codes! {
    /// What a version is now.
    Standing {
        /// It is shown.
        Current => "current",
        /// It was shown.
        Superseded => "superseded",
        /// A person decides.
        Waiting => "waiting",
        /// A person decided against it.
        Refused => "refused",
    }
}

/// A version of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = instance_versions)]
pub struct VersionRow {
    /// The row's id.
    pub id: i64,
    /// The instance.
    pub instance_id: InstanceId,
    /// Its site.
    pub site_id: SiteId,
    /// The study in which the instance was when the version came.
    pub study_id: StudyId,
    /// In what it differs.
    pub difference: Difference,
    /// What it is now.
    pub standing: Standing,
    /// Tags that differ, eight hexadecimal digits each, as a JSON list.
    pub changed: String,
    /// [`crate::identity::IdentityChange`] codes as a JSON list.
    pub identity_changes: String,
    /// [`InstanceFacts`] as JSON.
    pub facts: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Where its bytes are.
    pub object_key: String,
    /// When it came.
    pub received_at: NaiveDateTime,
    /// When a person decided.
    pub decided_at: Option<NaiveDateTime>,
    /// Who.
    pub decided_by: Option<UserId>,
    /// Why.
    pub reason: Option<String>,
}

impl VersionRow {
    /// What its header says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn facts(&self) -> Result<InstanceFacts, StoreError> {
        serde_json::from_str(&self.facts).map_err(|error| StoreError::Damaged(error.to_string()))
    }

    /// The tags that differ.
    pub fn changed_tags(&self) -> Vec<String> {
        serde_json::from_str(&self.changed).unwrap_or_default()
    }

    /// Codes of what it changes about whose images these are.
    pub fn identity_change_codes(&self) -> Vec<String> {
        serde_json::from_str(&self.identity_changes).unwrap_or_default()
    }
}

/// Whether these bytes are a version of the instance already.
pub(super) fn version_is_here(conn: &mut Connection, instance: InstanceId, sha256: &str) -> Result<bool, StoreError> {
    let count: i64 = instance_versions::table
        .filter(instance_versions::instance_id.eq(instance))
        .filter(instance_versions::sha256.eq(sha256))
        .count()
        .get_result(conn)?;
    Ok(count > 0)
}

/// One version.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn version_get(conn: &mut Connection, id: i64) -> Result<VersionRow, StoreError> {
    instance_versions::table.find(id).select(VersionRow::as_select()).first(conn).or_not_found("the version")
}

/// Every version that ever came of the instances of a study, oldest first.
///
/// # Errors
/// What the database says.
pub fn version_list_of_study(conn: &mut Connection, study: StudyId) -> Result<Vec<VersionRow>, StoreError> {
    Ok(instance_versions::table
        .filter(instance_versions::study_id.eq(study))
        .order(instance_versions::id)
        .select(VersionRow::as_select())
        .load(conn)?)
}

/// What waits for a person at some sites, oldest first.
///
/// # Errors
/// What the database says.
pub fn version_list_waiting(
    conn: &mut Connection,
    sites: &[SiteId],
    limit: i64,
) -> Result<Vec<VersionRow>, StoreError> {
    Ok(instance_versions::table
        .filter(instance_versions::standing.eq(Standing::Waiting))
        .filter(instance_versions::site_id.eq_any(sites))
        .order(instance_versions::id)
        .limit(limit)
        .select(VersionRow::as_select())
        .load(conn)?)
}

/// How much waits for a person at some sites.
///
/// # Errors
/// What the database says.
pub fn version_count_waiting(conn: &mut Connection, sites: &[SiteId]) -> Result<i64, StoreError> {
    Ok(instance_versions::table
        .filter(instance_versions::standing.eq(Standing::Waiting))
        .filter(instance_versions::site_id.eq_any(sites))
        .count()
        .get_result(conn)?)
}

/// What waits for a person in a study.
pub(super) fn waiting_of_study(conn: &mut Connection, study: StudyId) -> Result<Vec<VersionRow>, StoreError> {
    Ok(instance_versions::table
        .filter(instance_versions::study_id.eq(study))
        .filter(instance_versions::standing.eq(Standing::Waiting))
        .order(instance_versions::id)
        .select(VersionRow::as_select())
        .load(conn)?)
}
