//! Recipients: who at the site was told of a version, opened it, accepted it, acted on it.
//!
//! Three facts, never one: each has its own time, is written once and stays.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, ReportVersionId, SiteId, UserId};
use crate::schema::{cases, grants, recipients, users};
use crate::store::audit;

/// A recipient of one version.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct RecipientRow {
    /// The row's id.
    pub id: i64,
    /// The case.
    pub case_id: CaseId,
    /// The version.
    pub version_id: ReportVersionId,
    /// Who.
    pub user_id: UserId,
    /// The name in Japanese.
    pub name_ja: String,
    /// The name in English.
    pub name_en: String,
    /// When he was told.
    pub notified_at: NaiveDateTime,
    /// When he first opened it.
    pub opened_at: Option<NaiveDateTime>,
    /// When he accepted it.
    pub accepted_at: Option<NaiveDateTime>,
    /// When he acted on it.
    pub acted_at: Option<NaiveDateTime>,
    /// What he did.
    pub acted_note: String,
}

/// Names a recipient of a version. One who is named already stays as he is.
///
/// # Errors
/// What the database says.
pub fn recipient_add_in_tx(
    conn: &mut Connection,
    case: CaseId,
    version: ReportVersionId,
    user: UserId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    use diesel::sql_types::{BigInt, Timestamp};
    diesel::sql_query(
        "INSERT INTO recipients (case_id, report_version_id, user_id, notified_at, acted_note) \
         VALUES ($1, $2, $3, $4, '') ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(case)
    .bind::<BigInt, _>(version)
    .bind::<BigInt, _>(user)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    Ok(())
}

/// The recipients of the versions of these cases, in the order they were named.
///
/// # Errors
/// What the database says.
pub fn recipient_list(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<RecipientRow>, StoreError> {
    Ok(recipients::table
        .inner_join(users::table.on(users::id.eq(recipients::user_id)))
        .filter(recipients::case_id.eq_any(of.to_vec()))
        .order(recipients::id)
        .select((
            recipients::id,
            recipients::case_id,
            recipients::report_version_id,
            recipients::user_id,
            users::name_ja,
            users::name_en,
            recipients::notified_at,
            recipients::opened_at,
            recipients::accepted_at,
            recipients::acted_at,
            recipients::acted_note,
        ))
        .load(conn)?)
}

/// A named recipient opened the version. Returns whether it was the first time; somebody who is not named leaves no fact.
///
/// # Errors
/// What the database says.
pub fn recipient_opened_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    version: ReportVersionId,
    user: UserId,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        recipients::table
            .filter(recipients::report_version_id.eq(version))
            .filter(recipients::user_id.eq(user))
            .filter(recipients::opened_at.is_null()),
    )
    .set(recipients::opened_at.eq(Some(actor.at)))
    .execute(conn)?;
    Ok(changed == 1)
}

/// A recipient accepted the version; whoever accepts has opened it.
///
/// # Errors
/// [`StoreError::Repeat`] when he did before, [`StoreError::NotFound`] when he is no recipient of it.
pub fn recipient_accepted_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    version: ReportVersionId,
    user: UserId,
) -> Result<(), StoreError> {
    recipient_opened_in_tx(conn, actor, version, user)?;
    let changed = diesel::update(
        recipients::table
            .filter(recipients::report_version_id.eq(version))
            .filter(recipients::user_id.eq(user))
            .filter(recipients::accepted_at.is_null()),
    )
    .set(recipients::accepted_at.eq(Some(actor.at)))
    .execute(conn)?;
    record(conn, actor, version, user, changed, "report.accept")
}

/// A recipient acted on the version, and says how.
///
/// # Errors
/// [`StoreError::Repeat`] when he did before, [`StoreError::NotFound`] when he is no recipient of it.
pub fn recipient_acted_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    version: ReportVersionId,
    user: UserId,
    note: &str,
) -> Result<(), StoreError> {
    recipient_opened_in_tx(conn, actor, version, user)?;
    let changed = diesel::update(
        recipients::table
            .filter(recipients::report_version_id.eq(version))
            .filter(recipients::user_id.eq(user))
            .filter(recipients::acted_at.is_null()),
    )
    .set((recipients::acted_at.eq(Some(actor.at)), recipients::acted_note.eq(note)))
    .execute(conn)?;
    record(conn, actor, version, user, changed, "report.act")
}

fn record(
    conn: &mut Connection,
    actor: &Actor,
    version: ReportVersionId,
    user: UserId,
    changed: usize,
    action: &'static str,
) -> Result<(), StoreError> {
    let site: SiteId = recipients::table
        .inner_join(cases::table.on(cases::id.eq(recipients::case_id)))
        .filter(recipients::report_version_id.eq(version))
        .filter(recipients::user_id.eq(user))
        .select(cases::site_id)
        .first(conn)
        .or_not_found("the recipient")?;
    if changed == 0 {
        return Err(StoreError::Repeat(action));
    }
    audit::append_in_tx(conn, actor, action, audit::Subject::row("report_version", version.0, Some(site)), "done", "")
}

/// The doctors of a site whose grant is in force: id, name in Japanese, name in English.
///
/// # Errors
/// What the database says.
pub fn site_doctor_list(
    conn: &mut Connection,
    site: SiteId,
    at: NaiveDateTime,
) -> Result<Vec<(UserId, String, String)>, StoreError> {
    let mut doctors: Vec<(UserId, String, String)> = users::table
        .inner_join(grants::table.on(grants::user_id.eq(users::id)))
        .filter(grants::role.eq("site_doctor"))
        .filter(grants::site_id.eq(site).assume_not_null())
        .filter(grants::from_at.le(at))
        .filter(grants::to_at.is_null().or(grants::to_at.gt(at).assume_not_null()))
        .filter(users::active.eq(true))
        .order((users::name_kana, users::id))
        .select((users::id, users::name_ja, users::name_en))
        .load(conn)?;
    doctors.dedup_by_key(|(id, ..)| *id);
    Ok(doctors)
}
