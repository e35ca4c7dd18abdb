//! The arrivals page: studies as they come in, with what their completeness rests on; and a site's withdrawals.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use dokuei_models::completeness::Completeness;
use dokuei_models::state::CaseState;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::completeness::{CompletenessRow, completeness_list, study_judge};
use dokuei_models::store::images::{
    self, ImageWithdrawalRow, Withdraw, WithdrawalCause, image_withdrawal_get, image_withdrawal_list,
    image_withdrawal_undo_in_tx, images_withdraw_in_tx,
};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, InstanceRow, SeriesRow, StudyRow};
use dokuei_models::store::{cases, jobs};
use dokuei_models::{CaseId, Connection, InstanceId, SiteId, StoreError, StudyId};

use super::arrivals;
use super::form::need_reason;
use crate::authority::{Person, Reach};
use crate::error::codes::{common, dispatch as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Studies on the page.
const MOST: i64 = 60;
/// Arriving studies that are named besides.
const ARRIVING: i64 = 200;

/// How images came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// Over DICOM, from this AE title.
    AeTitle(String),
    /// Another way: `upload`, `stow` or `import`.
    Via(String),
}

/// A study on its way.
#[derive(Debug, Clone)]
pub struct Line {
    /// The study.
    pub study: StudyRow,
    /// Its site.
    pub site: SiteRow,
    /// What is known of it.
    pub known: Completeness,
    /// Who sent it, each once.
    pub senders: Vec<Sender>,
    /// Its cases with their states.
    pub cases: Vec<(CaseId, CaseState)>,
}

fn sites_of(conn: &mut Connection, reach: &Reach) -> Result<Vec<SiteRow>, StoreError> {
    super::board::sites_within(conn, reach)
}

fn line(conn: &mut Connection, study: StudyRow, site: SiteRow, now: NaiveDateTime) -> Result<Line, StoreError> {
    let known = study_judge(conn, &study, now)?;
    let mut senders: Vec<Sender> = Vec::new();
    for (ae_title, via, _) in studies::study_senders(conn, study.id)? {
        let sender = if ae_title.is_empty() { Sender::Via(via) } else { Sender::AeTitle(ae_title) };
        if !senders.contains(&sender) {
            senders.push(sender);
        }
    }
    let mut of = Vec::new();
    for (case, _) in studies::study_cases(conn, study.id)? {
        of.push((case, cases::case_get(conn, case)?.state));
    }
    Ok(Line { study, site, known, senders, cases: of })
}

/// The newest studies within reach and whatever arrives, the last heard of first.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State, reach: Reach) -> Result<Vec<Line>> {
    let now = state.now();
    let load = move |conn: &mut Connection| {
        let site_rows: BTreeMap<SiteId, SiteRow> =
            sites_of(conn, &reach)?.into_iter().map(|site| (site.id, site)).collect();
        let ids: Vec<SiteId> = site_rows.keys().copied().collect();
        let arriving: Vec<StudyId> =
            jobs::job_keys_queued(conn, "settle_study", ARRIVING)?.iter().filter_map(|key| key.parse().ok()).collect();
        let mut lines = Vec::new();
        for study in studies::study_list_newest(conn, &ids, &arriving, MOST)? {
            if let Some(site) = site_rows.get(&study.site_id).cloned() {
                lines.push(line(conn, study, site, now)?);
            }
        }
        Ok(lines)
    };
    Ok(state.db.read(load).await?)
}

/// The sites and pools whose changes a page of arrivals must hear of.
///
/// # Errors
/// What the database says.
pub async fn topics(state: &State, reach: Reach) -> Result<Vec<Topic>> {
    let load = move |conn: &mut Connection| {
        Ok(sites_of(conn, &reach)?.into_iter().map(|site| Topic::Portal(site.id.0)).collect())
    };
    Ok(state.db.read(load).await?)
}

/// One study in full.
pub struct Sheet {
    /// The study.
    pub line: Line,
    /// What was known when, oldest first.
    pub versions: Vec<CompletenessRow>,
    /// Its series with the images that are shown.
    pub series: Vec<(SeriesRow, Vec<InstanceRow>)>,
    /// What was withdrawn, newest first, with how many images it names and how many of them are here.
    pub withdrawals: Vec<(ImageWithdrawalRow, i64, i64)>,
}

fn within(conn: &mut Connection, reach: &Reach, study: StudyId) -> Result<(StudyRow, SiteRow), StoreError> {
    let row = studies::study_get(conn, study)?;
    let site = sites_of(conn, reach)?.into_iter().find(|site| site.id == row.site_id);
    site.map(|site| (row, site)).ok_or(StoreError::NotFound("the study"))
}

/// Looks at one study; leaves its row in the audit trail.
///
/// # Errors
/// `not_found` outside reach.
pub async fn sheet(state: &State, person: &Person, reach: Reach, study: StudyId) -> Result<Sheet> {
    let actor = person.actor(state.now());
    let load = move |conn: &mut Connection| {
        let (row, site) = within(conn, &reach, study)?;
        let shown = studies::instance_list(conn, study)?;
        let series = studies::series_list(conn, study)?.into_iter().map(|series| {
            let of = shown.iter().filter(|one| one.series_id == series.id).cloned().collect();
            (series, of)
        });
        let series = series.collect();
        let mut withdrawals = Vec::new();
        for one in image_withdrawal_list(conn, row.site_id, &row.study_uid)? {
            let (all, here) = images::image_withdrawal_count(conn, one.id)?;
            withdrawals.push((one, all, here));
        }
        let subject = Subject::row("study", study.0, Some(row.site_id));
        audit::append_in_tx(conn, &actor, "study.arrival_view", subject, "done", "")?;
        let versions = completeness_list(conn, study)?;
        Ok(Sheet { line: line(conn, row, site, actor.at)?, versions, series, withdrawals })
    };
    Ok(state.db.tx(load).await?)
}

/// A person says that all of a study is here.
///
/// # Errors
/// `not_found` outside reach, `form_invalid` without a reason.
pub async fn whole(state: &State, person: &Person, reach: Reach, study: StudyId, reason: &str) -> Result<()> {
    let reason = need_reason("reason", reason)?;
    let actor = person.actor(state.now());
    let change = move |conn: &mut Connection| {
        let ids: Vec<SiteId> = sites_of(conn, &reach)?.iter().map(|site| site.id).collect();
        arrivals::whole_in_tx(conn, &actor, &ids, study, &reason)
    };
    state.db.tx(change).await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// A site withdraws images of its own: those that are named, or all.
///
/// # Errors
/// `not_found` for another site's, `form_invalid` without a reason or without images.
pub async fn withdraw(
    state: &State,
    person: &Person,
    reach: Reach,
    study: StudyId,
    chosen: Option<Vec<InstanceId>>,
    reason: &str,
) -> Result<()> {
    let reason = need_reason("reason", reason)?;
    if chosen.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::new(&common::FORM_INVALID).field("images", &common::FIELD_REQUIRED));
    }
    let actor = person.actor(state.now());
    let change = move |conn: &mut Connection| {
        let (row, _) = within(conn, &reach, study)?;
        let of = studies::instance_list(conn, study)?;
        let uids: Vec<String> = of
            .iter()
            .filter(|one| chosen.as_ref().is_none_or(|chosen| chosen.contains(&one.id)))
            .map(|one| one.sop_instance_uid.clone())
            .collect();
        if uids.is_empty() {
            return Err(StoreError::Repeat("the withdrawal"));
        }
        let what = Withdraw {
            site: row.site_id,
            study_uid: row.study_uid,
            cause: WithdrawalCause::Site,
            note: reason.clone(),
            rejection: None,
            instances: uids,
        };
        images_withdraw_in_tx(conn, &actor, &what)
    };
    state.db.tx(change).await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Takes a withdrawal back; gives the study to return to.
///
/// # Errors
/// `not_found` for another site's, `already_done`, `withdrawal_stands` where the images may not be kept any longer.
pub async fn undo(state: &State, person: &Person, reach: Reach, id: i64) -> Result<()> {
    let actor = person.actor(state.now());
    let change = move |conn: &mut Connection| {
        let row = image_withdrawal_get(conn, id)?;
        let site = sites::site_get(conn, row.site_id)?;
        if !reach.covers(site.id, site.pool_id) {
            return Err(StoreError::NotFound("the withdrawal"));
        }
        image_withdrawal_undo_in_tx(conn, &actor, id)
    };
    state.db.tx(change).await.map_err(|error| match &error {
        StoreError::Conflict { what: "image_withdrawal_undo", .. } => Error::new(&codes::WITHDRAWAL_STANDS),
        _ => error.into(),
    })?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}
