//! Earlier studies that are fetched from a site's PACS: the rule, what was asked for and what became of it.
//!
//! A study that was asked for here is never a new read when it comes; that is remembered before the PACS is asked to
//! send it, so that no order of events can tell otherwise.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::codes::codes;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, EndpointId, SiteId};
use crate::schema::{instances, prior_rules, prior_studies, site_endpoints, studies};
use crate::store::sites::EndpointRow;

codes! {
    /// How the images of a study come.
    PriorWay {
        /// By C-MOVE: the PACS calls us and sends them.
        Move => "move",
        /// By C-GET: they come over the connection that we open.
        Get => "get",
    }
}

/// What is fetched from one PACS when a case of its site opens.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = prior_rules)]
pub struct PriorRule {
    /// The PACS.
    pub endpoint_id: EndpointId,
    /// Whether it is asked by itself when a case opens.
    pub active: bool,
    /// How many studies at the most, the newest first.
    pub most: i32,
    /// How old they may be, in days before the current study.
    pub within_days: i32,
    /// Only those that have a modality of the current study.
    pub same_modality: bool,
    /// Only those whose description does not name another region.
    pub same_region: bool,
    /// How the images come.
    pub way: PriorWay,
    /// When the PACS was last asked by it.
    pub asked_at: Option<NaiveDateTime>,
    /// Why it, or some of its images, could not be had then, in both languages.
    pub failure: Option<String>,
}

codes! {
    /// What became of a study that was asked for.
    PriorState {
        /// It is asked for.
        Asked => "asked",
        /// The PACS has sent all of it.
        Fetched => "fetched",
        /// The PACS did not send it, or not all.
        Refused => "refused",
    }
}

/// A study that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = prior_studies)]
pub struct PriorStudy {
    /// The site whose PACS has it.
    pub site_id: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The case that it is for.
    pub case_id: CaseId,
    /// The PACS.
    pub endpoint_id: EndpointId,
    /// What became of it.
    pub state: PriorState,
    /// When it was asked for last.
    pub asked_at: NaiveDateTime,
}

/// The rule of one PACS.
///
/// # Errors
/// What the database says.
pub fn prior_rule_get(conn: &mut Connection, endpoint: EndpointId) -> Result<Option<PriorRule>, StoreError> {
    Ok(prior_rules::table.find(endpoint).select(PriorRule::as_select()).first(conn).optional()?)
}

/// The rules of a site with their PACS, of those that can be called.
///
/// # Errors
/// What the database says.
pub fn prior_rule_list(conn: &mut Connection, site: SiteId) -> Result<Vec<(PriorRule, EndpointRow)>, StoreError> {
    Ok(prior_rules::table
        .inner_join(site_endpoints::table.on(site_endpoints::id.eq(prior_rules::endpoint_id)))
        .filter(site_endpoints::site_id.eq(site))
        .filter(site_endpoints::active.eq(true))
        .filter(site_endpoints::host.ne(""))
        .order(prior_rules::endpoint_id)
        .select((PriorRule::as_select(), EndpointRow::as_select()))
        .load(conn)?)
}

/// Writes the rule of one PACS. What became of asking it by an older one is forgotten.
///
/// # Errors
/// What the database says.
pub fn prior_rule_set_in_tx(conn: &mut Connection, rule: &PriorRule) -> Result<(), StoreError> {
    let values = (
        prior_rules::active.eq(rule.active),
        prior_rules::most.eq(rule.most),
        prior_rules::within_days.eq(rule.within_days),
        prior_rules::same_modality.eq(rule.same_modality),
        prior_rules::same_region.eq(rule.same_region),
        prior_rules::way.eq(rule.way),
        prior_rules::asked_at.eq(None::<NaiveDateTime>),
        prior_rules::failure.eq(None::<&str>),
    );
    let changed = diesel::update(prior_rules::table.find(rule.endpoint_id)).set(values).execute(conn)?;
    if changed == 0 {
        diesel::insert_into(prior_rules::table)
            .values((prior_rules::endpoint_id.eq(rule.endpoint_id), values))
            .execute(conn)?;
    }
    Ok(())
}

/// Notes what became of asking a PACS.
///
/// # Errors
/// What the database says.
pub fn prior_rule_asked_in_tx(
    conn: &mut Connection,
    endpoint: EndpointId,
    at: NaiveDateTime,
    failure: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(prior_rules::table.find(endpoint))
        .set((prior_rules::asked_at.eq(at), prior_rules::failure.eq(failure)))
        .execute(conn)?;
    Ok(())
}

/// Remembers that a study is asked for on behalf of a case.
///
/// # Errors
/// What the database says.
pub fn prior_ask_in_tx(
    conn: &mut Connection,
    case: CaseId,
    pacs: &EndpointRow,
    study_uid: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    use diesel::sql_types::{BigInt, Text, Timestamp};
    diesel::sql_query(
        "INSERT INTO prior_studies (site_id, study_uid, case_id, endpoint_id, state, asked_at) \
         VALUES ($1, $2, $3, $4, 'asked', $5) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(pacs.site_id)
    .bind::<Text, _>(study_uid)
    .bind::<BigInt, _>(case)
    .bind::<BigInt, _>(pacs.id)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    prior_state_in_tx(conn, case, study_uid, PriorState::Asked)
}

/// Notes what became of a study that a case asked for.
///
/// # Errors
/// What the database says.
pub fn prior_state_in_tx(
    conn: &mut Connection,
    case: CaseId,
    study_uid: &str,
    state: PriorState,
) -> Result<(), StoreError> {
    let row =
        prior_studies::table.filter(prior_studies::case_id.eq(case)).filter(prior_studies::study_uid.eq(study_uid));
    diesel::update(row).set(prior_studies::state.eq(state)).execute(conn)?;
    Ok(())
}

/// The cases that have asked for a study of a site's PACS; empty for one that came by itself.
///
/// # Errors
/// What the database says.
pub fn prior_case_list(conn: &mut Connection, site: SiteId, study_uid: &str) -> Result<Vec<CaseId>, StoreError> {
    Ok(prior_studies::table
        .filter(prior_studies::site_id.eq(site))
        .filter(prior_studies::study_uid.eq(study_uid))
        .order(prior_studies::case_id)
        .select(prior_studies::case_id)
        .load(conn)?)
}

/// What a case has asked for.
///
/// # Errors
/// What the database says.
pub fn prior_study_list(conn: &mut Connection, case: CaseId) -> Result<Vec<PriorStudy>, StoreError> {
    Ok(prior_studies::table
        .filter(prior_studies::case_id.eq(case))
        .order(prior_studies::study_uid)
        .select(PriorStudy::as_select())
        .load(conn)?)
}

/// Every SOP Instance UID that is here of a study, hidden ones too: none of them need be fetched.
///
/// # Errors
/// What the database says.
pub fn prior_instance_uids(conn: &mut Connection, site: SiteId, study_uid: &str) -> Result<Vec<String>, StoreError> {
    let of = studies::table.filter(studies::site_id.eq(site)).filter(studies::study_uid.eq(study_uid));
    Ok(instances::table
        .filter(instances::study_id.eq_any(of.select(studies::id)))
        .select(instances::sop_instance_uid)
        .load(conn)?)
}

#[derive(QueryableByName)]
struct SopClass {
    #[diesel(sql_type = diesel::sql_types::Text)]
    sop_class_uid: String,
}

/// The SOP classes of a site's last hundred studies, of the first image of each series: what its PACS may hold.
///
/// # Errors
/// What the database says.
pub fn sop_classes_sent(conn: &mut Connection, site: SiteId) -> Result<Vec<String>, StoreError> {
    let classes: Vec<SopClass> = diesel::sql_query(
        "SELECT DISTINCT i.sop_class_uid FROM \
         (SELECT id FROM studies WHERE site_id = $1 ORDER BY id DESC LIMIT 100) AS newest \
         JOIN series s ON s.study_id = newest.id \
         JOIN instances i ON i.id = (SELECT MIN(id) FROM instances WHERE series_id = s.id) ORDER BY i.sop_class_uid",
    )
    .bind::<diesel::sql_types::BigInt, _>(site)
    .load(conn)?;
    Ok(classes.into_iter().map(|one| one.sop_class_uid).collect())
}
