//! Which studies an upload brings, and that it brought all it would: evidence of completeness, as the release of an
//! association is.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ArrivalId, SiteId};
use crate::schema::arrival_studies;
use crate::store::evidence::{self, EvidenceKind, NewEvidence};
use crate::store::jobs::{self, NewJob};
use crate::store::submissions;

/// Counts instances of a study that an arrival brought, new or known.
///
/// # Errors
/// What the database says.
pub fn arrival_study_count_in_tx(
    conn: &mut Connection,
    arrival: ArrivalId,
    study_uid: &str,
    more: i32,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO arrival_studies (arrival_id, study_uid, instances) VALUES ($1, $2, $3) \
         ON CONFLICT (arrival_id, study_uid) DO UPDATE SET instances = arrival_studies.instances + excluded.instances",
    )
    .bind::<BigInt, _>(arrival)
    .bind::<Text, _>(study_uid)
    .bind::<Integer, _>(more)
    .execute(conn)?;
    Ok(())
}

/// The studies that an arrival brought, with how many instances of each.
///
/// # Errors
/// What the database says.
pub fn arrival_study_list(conn: &mut Connection, arrival: ArrivalId) -> Result<Vec<(String, i32)>, StoreError> {
    Ok(arrival_studies::table
        .filter(arrival_studies::arrival_id.eq(arrival))
        .order(arrival_studies::study_uid)
        .select((arrival_studies::study_uid, arrival_studies::instances))
        .load(conn)?)
}

/// An arrival that is no association has brought all it would: evidence for each of its studies, which is looked at again
/// at once.
///
/// # Errors
/// What the database says.
pub fn arrival_whole_in_tx(
    conn: &mut Connection,
    site: SiteId,
    arrival: ArrivalId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    for (study_uid, count) in arrival_study_list(conn, arrival)? {
        let study = submissions::study_of_uid(conn, site, &study_uid)?;
        let said = NewEvidence {
            site,
            study_uid,
            kind: EvidenceKind::Release,
            source: arrival.to_string(),
            expected_instances: None,
            detail: serde_json::json!({ "instances": count }),
            at,
        };
        evidence::evidence_record_in_tx(conn, &said)?;
        if let Some(study) = study {
            jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", study.to_string(), at))?;
        }
    }
    Ok(())
}
