//! What a site has sent, as its portal shows it: uploads, requests, cases and studies without one.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, CaseId, EndpointId, RequestId, SiteId, StudyId, UserId};
use crate::schema::{arrivals, case_studies, cases, requests, site_endpoints, studies};
use crate::state::{CaseState, CaseStudyRole, MatchState};
use crate::store::arrival_studies;
use crate::store::cases::CaseRow;
use crate::store::images::ArrivalCounts;
use crate::store::requests::RequestRow;
use crate::store::sites::EndpointRow;
use crate::store::studies::StudyRow;

/// An upload that is going on or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct UploadRow {
    /// The arrival's row.
    pub id: ArrivalId,
    /// The site it is for.
    pub site_id: SiteId,
    /// Who uploads.
    pub user_id: Option<UserId>,
    /// When it ended.
    pub ended_at: Option<NaiveDateTime>,
}

/// One upload.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none of this id, or it came another way.
pub fn upload_get(conn: &mut Connection, upload: ArrivalId) -> Result<UploadRow, StoreError> {
    arrivals::table
        .find(upload)
        .filter(arrivals::via.eq("upload"))
        .select((arrivals::id, arrivals::site_id, arrivals::user_id, arrivals::ended_at))
        .first(conn)
        .or_not_found("the upload")
}

/// Adds what one file of an upload brought.
///
/// # Errors
/// What the database says.
pub fn upload_count_in_tx(conn: &mut Connection, upload: ArrivalId, more: ArrivalCounts) -> Result<(), StoreError> {
    diesel::update(arrivals::table.find(upload))
        .set((
            arrivals::kept.eq(arrivals::kept + more.kept),
            arrivals::repeated.eq(arrivals::repeated + more.repeated),
            arrivals::quarantined.eq(arrivals::quarantined + more.quarantined),
            arrivals::failed.eq(arrivals::failed + more.failed),
            arrivals::bytes.eq(arrivals::bytes + more.bytes),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends an upload and says what it brought.
///
/// # Errors
/// [`StoreError::Repeat`] when it is over.
pub fn upload_end_in_tx(
    conn: &mut Connection,
    upload: ArrivalId,
    at: NaiveDateTime,
) -> Result<ArrivalCounts, StoreError> {
    let ended = diesel::update(arrivals::table.find(upload).filter(arrivals::ended_at.is_null()))
        .set((arrivals::ended_at.eq(Some(at)), arrivals::outcome.eq("done")))
        .execute(conn)?;
    if ended == 0 {
        return Err(StoreError::Repeat("upload.end"));
    }
    let (kept, repeated, quarantined, failed, bytes) = arrivals::table
        .find(upload)
        .select((arrivals::kept, arrivals::repeated, arrivals::quarantined, arrivals::failed, arrivals::bytes))
        .first(conn)?;
    let site: SiteId = arrivals::table.find(upload).select(arrivals::site_id).first(conn)?;
    arrival_studies::arrival_whole_in_tx(conn, site, upload, at)?;
    Ok(ArrivalCounts { kept, repeated, quarantined, failed, bytes })
}

/// The row of a site's study.
///
/// # Errors
/// What the database says.
pub fn study_of_uid(conn: &mut Connection, site: SiteId, study_uid: &str) -> Result<Option<StudyId>, StoreError> {
    Ok(studies::table
        .filter(studies::site_id.eq(site))
        .filter(studies::study_uid.eq(study_uid))
        .select(studies::id)
        .first(conn)
        .optional()?)
}

/// Requests of sites written at or after `from`, and older ones whose case is open or that still wait; newest first.
///
/// # Errors
/// What the database says.
pub fn request_list_of_sites(
    conn: &mut Connection,
    sites: &[SiteId],
    from: NaiveDateTime,
    limit: i64,
) -> Result<Vec<RequestRow>, StoreError> {
    Ok(requests::table
        .filter(requests::site_id.eq_any(sites.to_vec()))
        .filter(requests::created_at.ge(from))
        .order((requests::created_at.desc(), requests::id.desc()))
        .limit(limit)
        .select(RequestRow::as_select())
        .load(conn)?)
}

/// The cases of these requests.
///
/// # Errors
/// What the database says.
pub fn case_list_of_requests(conn: &mut Connection, of: &[RequestId]) -> Result<Vec<CaseRow>, StoreError> {
    Ok(cases::table
        .filter(cases::request_id.eq_any(of.to_vec()))
        .order(cases::id)
        .select(CaseRow::as_select())
        .load(conn)?)
}

/// The studies to be read of these cases.
///
/// # Errors
/// What the database says.
pub fn study_list_of_cases(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<(CaseId, StudyRow)>, StoreError> {
    Ok(case_studies::table
        .inner_join(studies::table.on(studies::id.eq(case_studies::study_id)))
        .filter(case_studies::case_id.eq_any(of.to_vec()))
        .filter(case_studies::role.eq(CaseStudyRole::Current))
        .order(case_studies::id)
        .select((case_studies::case_id, StudyRow::as_select()))
        .load(conn)?)
}

/// Studies of sites that are in no case yet, newest first: arriving, unmatched and doubtful ones, and since `from`
/// those kept for comparison.
///
/// # Errors
/// What the database says.
pub fn study_list_without_case(
    conn: &mut Connection,
    sites: &[SiteId],
    from: NaiveDateTime,
    limit: i64,
) -> Result<Vec<StudyRow>, StoreError> {
    let waits = studies::match_state.eq_any([MatchState::Arriving, MatchState::Unmatched, MatchState::Doubtful]);
    let kept = studies::match_state.eq(MatchState::Comparison).and(studies::first_received_at.ge(from));
    Ok(studies::table
        .filter(studies::site_id.eq_any(sites.to_vec()))
        .filter(waits.or(kept))
        // Other institutions' patients are looked after on their own page.
        .filter(studies::elsewhere.eq(false))
        .order((studies::first_received_at.desc(), studies::id.desc()))
        .limit(limit)
        .select(StudyRow::as_select())
        .load(conn)?)
}

/// A case that a study is read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct CaseOfStudy {
    /// The study.
    pub study: StudyId,
    /// The case.
    pub case: CaseId,
    /// Where it stands.
    pub state: CaseState,
    /// Its request.
    pub request: RequestId,
    /// Whether the site's rule made that request.
    pub is_default: bool,
}

/// The cases (cancelled ones left out) in which a site's studies of this accession number or study UID are read.
///
/// # Errors
/// What the database says.
pub fn case_list_of_named_studies(
    conn: &mut Connection,
    site: SiteId,
    accession_number: &str,
    study_uid: &str,
) -> Result<Vec<CaseOfStudy>, StoreError> {
    let by_number = studies::accession_number.eq(accession_number).and(studies::accession_number.ne(""));
    let by_uid = studies::study_uid.eq(study_uid).and(studies::study_uid.ne(""));
    Ok(case_studies::table
        .inner_join(studies::table.on(studies::id.eq(case_studies::study_id)))
        .inner_join(cases::table.on(cases::id.eq(case_studies::case_id)))
        .inner_join(requests::table.on(requests::id.eq(cases::request_id)))
        .filter(studies::site_id.eq(site))
        .filter(case_studies::role.eq(CaseStudyRole::Current))
        .filter(by_number.or(by_uid))
        .filter(cases::state.ne(CaseState::Cancelled))
        .order(cases::id)
        .select((studies::id, cases::id, cases::state, requests::id, requests::is_default))
        .load(conn)?)
}

/// One endpoint.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn endpoint_get(conn: &mut Connection, endpoint: EndpointId) -> Result<EndpointRow, StoreError> {
    site_endpoints::table.find(endpoint).select(EndpointRow::as_select()).first(conn).or_not_found("the endpoint")
}
