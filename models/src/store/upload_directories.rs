//! What the directories of uploaded media name, so that it can be said what of it did not come.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ArrivalId, SiteId};
use crate::schema::{instances, quarantine, upload_directories};

/// UIDs looked up at once.
const AT_ONCE: usize = 500;

/// A study that a directory names.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedStudy {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// StudyDate as written.
    pub date: String,
    /// StudyDescription.
    pub description: String,
    /// SOPInstanceUIDs.
    pub instances: Vec<String>,
}

/// A study of which something did not come.
#[derive(Clone, PartialEq, Eq)]
pub struct MissingStudy {
    /// StudyDate as the directory has it.
    pub date: String,
    /// StudyDescription as the directory has it.
    pub description: String,
    /// How many images the directory names.
    pub named: usize,
    /// How many of them are not here.
    pub missing: usize,
}

/// Keeps what a directory names, beside what others of the same upload have named of a study.
///
/// # Errors
/// What the database says.
pub fn directory_keep_in_tx(
    conn: &mut Connection,
    upload: ArrivalId,
    studies: &[NamedStudy],
) -> Result<(), StoreError> {
    for study in studies {
        diesel::sql_query(
            "INSERT INTO upload_directories (arrival_id, study_uid, study_date, description, instances) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (arrival_id, study_uid) DO UPDATE \
             SET instances = upload_directories.instances || '\\' || excluded.instances",
        )
        .bind::<BigInt, _>(upload)
        .bind::<Text, _>(&study.study_uid)
        .bind::<Text, _>(&study.date)
        .bind::<Text, _>(&study.description)
        .bind::<Text, _>(study.instances.join("\\"))
        .execute(conn)?;
    }
    Ok(())
}

/// The studies of an upload's directories of which an image is neither here nor kept apart; in the order of their UIDs.
///
/// # Errors
/// What the database says.
pub fn directory_missing(
    conn: &mut Connection,
    site: SiteId,
    upload: ArrivalId,
) -> Result<Vec<MissingStudy>, StoreError> {
    let rows: Vec<(String, String, String, String)> = upload_directories::table
        .filter(upload_directories::arrival_id.eq(upload))
        .order(upload_directories::study_uid)
        .select((
            upload_directories::study_uid,
            upload_directories::study_date,
            upload_directories::description,
            upload_directories::instances,
        ))
        .load(conn)?;
    let apart: Vec<String> = quarantine::table
        .filter(quarantine::site_id.eq(site))
        .filter(quarantine::arrival_id.eq(upload))
        .select(quarantine::sop_instance_uid)
        .load(conn)?;
    let apart: HashSet<String> = apart.into_iter().collect();
    let mut missing: BTreeMap<String, MissingStudy> = BTreeMap::new();
    for (study_uid, date, description, uids) in rows {
        let uids: HashSet<&str> = uids.split('\\').filter(|uid| !uid.is_empty()).collect();
        let mut here = uids.iter().filter(|uid| apart.contains(**uid)).count();
        let asked: Vec<&str> = uids.iter().copied().filter(|uid| !apart.contains(*uid)).collect();
        for some in asked.chunks(AT_ONCE) {
            let found: i64 = instances::table
                .filter(instances::site_id.eq(site))
                .filter(instances::sop_instance_uid.eq_any(some))
                .count()
                .get_result(conn)?;
            here += usize::try_from(found).unwrap_or_default();
        }
        if here < uids.len() {
            let study = MissingStudy { date, description, named: uids.len(), missing: uids.len() - here };
            missing.insert(study_uid, study);
        }
    }
    Ok(missing.into_values().collect())
}
