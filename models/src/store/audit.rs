//! The audit trail and its seals.
//!
//! A row is written in the transaction of what it tells, with a hash of its own
//! and no link, so that no commit waits for a chain's head. One leased sealer
//! chains what has been committed: each seal hashes the rows' ids and hashes
//! and the seal before it. A row that is removed or changed, the newest
//! included, no longer agrees with its seal; removing the seal too breaks the
//! next, or the exported head.

mod seals;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

pub use self::seals::{
    AuditFault, LOOK_BACK, SealState, Span, audit_head, audit_seal_in_tx, audit_seal_state, audit_verify,
};

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ReadId, SiteId, UserId};
use crate::schema::audit;

/// What an audit row is about. Ids only: never a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The noun, e.g. `case`.
    pub kind: &'static str,
    /// The row.
    pub id: Option<i64>,
    /// The site whose patient it concerns.
    pub site: Option<SiteId>,
}

impl Subject {
    /// A case.
    pub const fn case(case: CaseId, site: SiteId) -> Self {
        Self { kind: "case", id: Some(case.0), site: Some(site) }
    }

    /// A read.
    pub const fn read(read: ReadId, site: SiteId) -> Self {
        Self { kind: "read", id: Some(read.0), site: Some(site) }
    }

    /// Any other row.
    pub const fn row(kind: &'static str, id: i64, site: Option<SiteId>) -> Self {
        Self { kind, id: Some(id), site }
    }

    /// Something without a row, e.g. a search.
    pub const fn none(kind: &'static str) -> Self {
        Self { kind, id: None, site: None }
    }
}

/// One row of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit)]
pub struct AuditRow {
    /// The row's id.
    pub id: i64,
    /// When (UTC).
    pub at: NaiveDateTime,
    /// The person, if it was one.
    pub actor_id: Option<UserId>,
    /// Who, see [`Actor::name`].
    pub actor: String,
    /// What was done, e.g. `case.hold`.
    pub action: String,
    /// The noun.
    pub subject_kind: String,
    /// The noun's row.
    pub subject_id: Option<i64>,
    /// The site concerned.
    pub site_id: Option<SiteId>,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// JSON or empty; never patient data.
    pub detail: String,
    /// The address it came from.
    pub address: String,
    /// SHA-256 over the row's other columns but the id.
    pub own_hash: String,
}

/// The hash a row must carry: every column but id and hash, each with its length in front.
fn own_hash(row: &AuditRow) -> String {
    let mut hasher = Sha256::new();
    let numbers = [row.actor_id.map(|id| id.0), row.subject_id, row.site_id.map(|id| id.0)];
    let mut field = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    field(&row.at.and_utc().timestamp_micros().to_string());
    for number in numbers {
        field(&number.map(|id| id.to_string()).unwrap_or_default());
    }
    for text in [&row.actor, &row.action, &row.subject_kind, &row.outcome, &row.detail, &row.address] {
        field(text);
    }
    hex::encode(hasher.finalize())
}

/// Adds a row to the trail.
///
/// # Errors
/// What the database says.
pub fn append_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    action: &str,
    subject: Subject,
    outcome: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let mut row = AuditRow {
        id: 0,
        at: truncate_to_micros(actor.at),
        actor_id: actor.user,
        actor: actor.name.clone(),
        action: action.to_owned(),
        subject_kind: subject.kind.to_owned(),
        subject_id: subject.id,
        site_id: subject.site,
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
        address: actor.address.clone(),
        own_hash: String::new(),
    };
    row.own_hash = own_hash(&row);
    diesel::insert_into(audit::table)
        .values((
            audit::at.eq(row.at),
            audit::actor_id.eq(row.actor_id),
            audit::actor.eq(&row.actor),
            audit::action.eq(&row.action),
            audit::subject_kind.eq(&row.subject_kind),
            audit::subject_id.eq(row.subject_id),
            audit::site_id.eq(row.site_id),
            audit::outcome.eq(&row.outcome),
            audit::detail.eq(&row.detail),
            audit::address.eq(&row.address),
            audit::own_hash.eq(&row.own_hash),
        ))
        .execute(conn)?;
    Ok(())
}

/// PostgreSQL keeps microseconds, so the hash must not hold more.
fn truncate_to_micros(at: NaiveDateTime) -> NaiveDateTime {
    chrono::DateTime::from_timestamp_micros(at.and_utc().timestamp_micros()).map_or(at, |time| time.naive_utc())
}

/// What a search of the trail asks for; empty fields match all.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Part of the actor's name.
    pub actor: Option<String>,
    /// The action's beginning.
    pub action: Option<String>,
    /// The noun.
    pub subject_kind: Option<String>,
    /// The noun's row.
    pub subject_id: Option<i64>,
    /// `done`, `refused` or `failed`.
    pub outcome: Option<String>,
    /// From this time on.
    pub from: Option<NaiveDateTime>,
    /// Before this time.
    pub to: Option<NaiveDateTime>,
    /// Rows before this id (for paging backwards).
    pub before_id: Option<i64>,
    /// How many at the most.
    pub limit: i64,
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// A text in small letters.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// What a person typed as a pattern of `LIKE` that means just that, whatever its case.
fn literally(text: &str) -> String {
    text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// Finds rows, newest first.
///
/// # Errors
/// What the database says.
pub fn audit_search(conn: &mut Connection, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
    let mut rows = audit::table.select(AuditRow::as_select()).order(audit::id.desc()).into_boxed();
    if let Some(actor) = &query.actor {
        rows = rows.filter(lower(audit::actor).like(format!("%{}%", literally(actor))).escape('!'));
    }
    if let Some(action) = &query.action {
        rows = rows.filter(lower(audit::action).like(format!("{}%", literally(action))).escape('!'));
    }
    if let Some(kind) = &query.subject_kind {
        rows = rows.filter(audit::subject_kind.eq(kind.clone()));
    }
    if let Some(id) = query.subject_id {
        rows = rows.filter(audit::subject_id.eq(id));
    }
    if let Some(outcome) = &query.outcome {
        rows = rows.filter(audit::outcome.eq(outcome.clone()));
    }
    if let Some(from) = query.from {
        rows = rows.filter(audit::at.ge(from));
    }
    if let Some(to) = query.to {
        rows = rows.filter(audit::at.lt(to));
    }
    if let Some(before) = query.before_id {
        rows = rows.filter(audit::id.lt(before));
    }
    Ok(rows.limit(query.limit.clamp(1, 1000)).load(conn)?)
}

/// Whether a person has a row of this action on this subject since a time. A page that renews itself is one view.
///
/// # Errors
/// What the database says.
pub fn audit_shown_since(
    conn: &mut Connection,
    user: UserId,
    action: &str,
    subject: Subject,
    since: NaiveDateTime,
) -> Result<bool, StoreError> {
    let found: Option<i64> = audit::table
        .filter(audit::subject_kind.eq(subject.kind))
        .filter(audit::subject_id.eq(subject.id))
        .filter(audit::actor_id.eq(user))
        .filter(audit::action.eq(action))
        .filter(audit::at.ge(since))
        .select(audit::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
