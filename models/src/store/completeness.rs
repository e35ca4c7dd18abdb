//! What is known of a study's completeness now, and each time it changed: numbered versions that never change.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use crate::completeness::{Arrived, Completeness, Verdict, judge};
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::StudyId;
use crate::schema::{arrivals, instances, series, sites, study_completeness};
use crate::state::CaseStudyRole;
use crate::store::evidence::{EvidenceKind, EvidenceRow, evidence_newest};
use crate::store::studies::{self, StudyRow};
use crate::store::{cases, requests};

/// An association open for longer is a record that nobody closed.
const LONGEST_ASSOCIATION: TimeDelta = TimeDelta::hours(24);

/// One version of what was known.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = study_completeness)]
pub struct CompletenessRow {
    /// The study.
    pub study_id: StudyId,
    /// From 1.
    pub number: i32,
    /// What was believed.
    pub verdict: Verdict,
    /// Instances that were here.
    pub received: i32,
    /// Series that were here.
    pub series: i32,
    /// Instances that there should be, where somebody counted.
    pub expected_instances: Option<i32>,
    /// [`crate::completeness::Reason`]s as JSON.
    pub reasons: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Weighs what is known of a study at a time.
///
/// # Errors
/// What the database says.
pub fn study_judge(conn: &mut Connection, study: &StudyRow, now: NaiveDateTime) -> Result<Completeness, StoreError> {
    let quiet: i32 =
        sites::table.find(study.site_id).select(sites::quiet_seconds).first(conn).or_not_found("the site")?;
    let counts: Vec<(String, i64)> = instances::table
        .inner_join(series::table.on(series::id.eq(instances::series_id)))
        .filter(instances::study_id.eq(study.id))
        .group_by(series::series_uid)
        .select((series::series_uid, diesel::dsl::count_star()))
        .load(conn)?;
    let by_series: BTreeMap<String, i32> =
        counts.into_iter().map(|(uid, count)| (uid, i32::try_from(count).unwrap_or(i32::MAX))).collect();
    let sending: i64 =
        arrivals::table
            .filter(arrivals::outcome.eq("open"))
            .filter(arrivals::site_id.eq(study.site_id))
            .filter(arrivals::started_at.gt(now - LONGEST_ASSOCIATION))
            .filter(arrivals::id.nullable().eq_any(
                instances::table.filter(instances::study_id.eq(study.id)).select(instances::arrival_id).distinct(),
            ))
            .count()
            .get_result(conn)?;
    let arrived = Arrived {
        instances: by_series.values().sum(),
        by_series,
        quiet_for: now - study.last_received_at,
        quiet_needed: TimeDelta::seconds(i64::from(quiet)),
        sending: sending > 0,
    };
    let mut said = evidence_newest(conn, study.site_id, &study.study_uid)?;
    said.extend(of_requests(conn, study)?);
    Ok(judge(&arrived, &said))
}

/// The counts that the study's requests name, as they stand now. A request for several studies counts them all.
fn of_requests(conn: &mut Connection, study: &StudyRow) -> Result<Vec<EvidenceRow>, StoreError> {
    let mut said = Vec::new();
    let row = |request: &requests::RequestRow, expected: i32| EvidenceRow {
        id: 0,
        site_id: study.site_id,
        study_uid: study.study_uid.clone(),
        kind: EvidenceKind::Request,
        source: request.id.to_string(),
        expected_instances: Some(expected),
        detail: "{}".to_owned(),
        at: request.created_at,
    };
    for (case, role) in studies::study_cases(conn, study.id)? {
        let case = cases::case_get(conn, case)?;
        let request = requests::request_get(conn, case.request_id)?;
        let Some(expected) = request.expected_instances.filter(|_| role == CaseStudyRole::Current) else { continue };
        let mut elsewhere = 0;
        for (other, role) in cases::case_study_list(conn, case.id)? {
            if role == CaseStudyRole::Current && other != study.id {
                elsewhere += studies::study_get(conn, other)?.instances;
            }
        }
        said.push(row(&request, (expected - elsewhere).max(0)));
    }
    if said.is_empty() {
        for request in requests::request_list_naming(conn, study.site_id, &study.accession_number, &study.study_uid)? {
            said.extend(request.expected_instances.map(|expected| row(&request, expected)));
        }
    }
    Ok(said)
}

/// The newest version.
///
/// # Errors
/// What the database says.
pub fn completeness_newest(conn: &mut Connection, study: StudyId) -> Result<Option<CompletenessRow>, StoreError> {
    Ok(study_completeness::table
        .filter(study_completeness::study_id.eq(study))
        .order(study_completeness::number.desc())
        .select(CompletenessRow::as_select())
        .first(conn)
        .optional()?)
}

/// Every version, oldest first.
///
/// # Errors
/// What the database says.
pub fn completeness_list(conn: &mut Connection, study: StudyId) -> Result<Vec<CompletenessRow>, StoreError> {
    Ok(study_completeness::table
        .filter(study_completeness::study_id.eq(study))
        .order(study_completeness::number)
        .select(CompletenessRow::as_select())
        .load(conn)?)
}

/// Notes what is known as the next version, if it says anything else than the newest. Gives whether it did.
///
/// # Errors
/// What the database says.
pub fn completeness_note_in_tx(
    conn: &mut Connection,
    study: &StudyRow,
    known: &Completeness,
    at: NaiveDateTime,
) -> Result<bool, StoreError> {
    let newest = completeness_newest(conn, study.id)?;
    let same = |row: &CompletenessRow| {
        (row.verdict, row.received, row.expected_instances) == (known.verdict, known.received, known.expected)
    };
    if newest.as_ref().is_some_and(same) {
        return Ok(false);
    }
    let reasons = serde_json::to_string(&known.reasons).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::insert_into(study_completeness::table)
        .values((
            study_completeness::study_id.eq(study.id),
            study_completeness::number.eq(newest.map_or(1, |row| row.number + 1)),
            study_completeness::verdict.eq(known.verdict),
            study_completeness::received.eq(known.received),
            study_completeness::series.eq(study.series),
            study_completeness::expected_instances.eq(known.expected),
            study_completeness::reasons.eq(reasons),
            study_completeness::at.eq(at),
        ))
        .execute(conn)
        .map_err(StoreError::of_insert)?;
    Ok(true)
}

/// The series of which, by what came, nothing is missing though the study still arrives: a later series has begun, or
/// the device's own count is reached.
///
/// # Errors
/// What the database says.
pub fn series_count_whole(conn: &mut Connection, study: &StudyRow) -> Result<usize, StoreError> {
    type Line = (String, i64, Option<NaiveDateTime>, Option<NaiveDateTime>);
    let lines: Vec<Line> = instances::table
        .inner_join(series::table.on(series::id.eq(instances::series_id)))
        .filter(instances::study_id.eq(study.id))
        .filter(instances::frames.gt(0))
        .group_by(series::series_uid)
        .select((
            series::series_uid,
            diesel::dsl::count_star(),
            diesel::dsl::min(instances::received_at),
            diesel::dsl::max(instances::received_at),
        ))
        .load(conn)?;
    let said = evidence_newest(conn, study.site_id, &study.study_uid)?;
    let whole = |(uid, count, _, last): &&Line| {
        let followed = lines.iter().any(|(other, _, first, _)| other != uid && first > last);
        let counted = said.iter().any(|row| {
            row.kind == EvidenceKind::ImagesInAcquisition
                && row.source == *uid
                && row.expected_instances.is_some_and(|expected| i64::from(expected) <= *count)
        });
        followed || counted
    };
    Ok(lines.iter().filter(whole).count())
}
