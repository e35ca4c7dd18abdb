//! Readers as an administrator keeps them. Their affiliations, privileges and weeks are [`super::reader_terms`].

use dokuei_models::store::affiliations;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::privileges::{self, PrivilegeRow};
use dokuei_models::store::readers::{self, AffiliationRow, ReaderRow, ShiftRow};
use dokuei_models::store::shifts::{self, ShiftPatternRow};
use dokuei_models::store::users::{self, User};
use dokuei_models::store::{grants, jobs, pools};
use dokuei_models::{Actor, Connection, PoolId, ReaderId, UserId};
use serde::{Deserialize, Serialize};

use super::typed::{Faults, Typed};
use super::{accounts, changes};
use crate::authority::{Role, Scope};
use crate::error::codes::{admin as codes, common};
use crate::error::{Code, Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// A reader as he is entered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReaderForm {
    /// The version that was seen; not looked at for a new reader.
    pub version: i32,
    /// His user; a reader keeps it.
    pub user: Typed<UserId>,
    /// The pool he reads in.
    pub pool: Typed<PoolId>,
    /// His qualification as it stands under a report.
    pub qualification: String,
    /// Reading minutes in relation to the expected ones: 1.2 is slower.
    pub pace: Typed<f64>,
    /// Minutes a shift may hold.
    pub capacity_minutes: Typed<i32>,
    /// Whether he takes part.
    pub active: bool,
}

impl ReaderForm {
    /// A new reader.
    pub fn fresh(user: Option<UserId>, pool: Option<PoolId>) -> Self {
        Self {
            user: user.into(),
            pool: pool.into(),
            pace: 1.0.into(),
            capacity_minutes: 480.into(),
            active: true,
            ..Self::default()
        }
    }

    /// A reader as he is.
    pub fn of(row: &ReaderRow) -> Self {
        Self {
            version: row.version,
            user: row.user_id.into(),
            pool: row.pool_id.into(),
            qualification: row.qualification.clone(),
            pace: row.pace.into(),
            capacity_minutes: row.capacity_minutes.into(),
            active: row.active,
        }
    }

    fn check(&self, id: ReaderId) -> Result<ReaderRow> {
        let mut faults = Faults::default();
        let row = ReaderRow {
            id,
            user_id: faults.required("user", &self.user).unwrap_or(UserId(0)),
            pool_id: faults.required("pool", &self.pool).unwrap_or(PoolId(0)),
            qualification: faults.may_text("qualification", &self.qualification, 120),
            pace: faults.number("pace", &self.pace, 0.2..=5.0),
            capacity_minutes: faults.number("capacity_minutes", &self.capacity_minutes, 1..=1440),
            logged_in: false,
            paused: false,
            presence_at: None,
            active: self.active,
            version: self.version,
        };
        faults.done()?;
        Ok(row)
    }
}

fn invalid(field: &'static str, code: &'static Code) -> Error {
    Error::new(&common::FORM_INVALID).field(field, code)
}

/// Makes a user a reader; he gets the role in the pool where he has none.
///
/// # Errors
/// `form_invalid`.
pub async fn create(state: &State, actor: Actor, form: &ReaderForm) -> Result<ReaderId> {
    let row = form.check(ReaderId(0))?;
    let detail = changes::between(&ReaderForm::default(), form);
    let made = state
        .db
        .tx(move |conn| {
            if !users::user_list(conn)?.iter().any(|user| user.id == row.user_id) {
                return Ok(Err(("user", &common::FIELD_REQUIRED)));
            }
            if !pools::pool_list(conn)?.iter().any(|(id, ..)| *id == row.pool_id) {
                return Ok(Err(("pool", &common::FIELD_REQUIRED)));
            }
            if readers::reader_of_user(conn, row.user_id)?.is_some() {
                return Ok(Err(("user", &codes::ALREADY_READER)));
            }
            let id = readers::reader_insert_in_tx(conn, &row)?;
            append_in_tx(conn, &actor, "reader.create", Subject::row("reader", id.0, None), "done", &detail)?;
            let role = Role::Reader;
            let has = grants::grant_list_in_force(conn, row.user_id, actor.at)?.iter().any(|g| g.role == role.code());
            if !has {
                accounts::give_in_tx(conn, row.user_id, role, Scope::Pool(row.pool_id), &actor)?;
            }
            Ok(Ok(id))
        })
        .await?;
    made.map_err(|(field, code)| invalid(field, code))
}

/// Changes a reader. His user stays.
///
/// # Errors
/// `not_found`, `form_invalid`, `conflict` when somebody was first.
pub async fn update(state: &State, actor: Actor, reader: ReaderId, form: &ReaderForm) -> Result<()> {
    let known = state.db.read(move |conn| readers::reader_get(conn, reader)).await?;
    let form = ReaderForm { user: known.user_id.into(), ..form.clone() };
    let row = form.check(reader)?;
    let detail = changes::between(&ReaderForm::of(&known), &form);
    let changed = state
        .db
        .tx(move |conn| {
            if !pools::pool_list(conn)?.iter().any(|(id, ..)| *id == row.pool_id) {
                return Ok(false);
            }
            readers::reader_update_in_tx(conn, &row)?;
            append_in_tx(conn, &actor, "reader.change", Subject::row("reader", reader.0, None), "done", &detail)?;
            jobs::enqueue_plan_in_tx(conn, known.pool_id, actor.at)?;
            jobs::enqueue_plan_in_tx(conn, row.pool_id, actor.at)?;
            Ok(true)
        })
        .await?;
    if !changed {
        return Err(invalid("pool", &common::FIELD_REQUIRED));
    }
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct ReaderLine {
    /// The reader.
    pub reader: ReaderRow,
    /// Login, name in Japanese, name in English.
    pub names: (String, String, String),
    /// The shift he is in.
    pub shift: Option<ShiftRow>,
    /// For how many sites he may read today.
    pub sites: usize,
    /// How many cells of the skill table are his own.
    pub skills: usize,
}

/// Every reader.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State) -> Result<Vec<ReaderLine>> {
    let now = state.now();
    let load = move |conn: &mut Connection| {
        let shifts = readers::shift_list(conn, now, now + chrono::TimeDelta::seconds(1))?;
        let may = readers::privilege_list(conn, super::due::day_in_japan(now))?;
        let cells = readers::skill_list(conn, None)?;
        let line = |(reader, login, ja, en): (ReaderRow, String, String, String)| ReaderLine {
            shift: shifts.iter().find(|shift| shift.reader_id == reader.id).copied(),
            sites: may.iter().filter(|(who, _)| *who == reader.id).count(),
            skills: cells.iter().filter(|cell| cell.reader == reader.id).count(),
            names: (login, ja, en),
            reader,
        };
        Ok(readers::reader_list_all(conn)?.into_iter().map(line).collect())
    };
    Ok(state.db.read(load).await?)
}

/// A reader with everything that belongs to him.
#[derive(Debug, Clone)]
pub struct ReaderSheet {
    /// The reader.
    pub reader: ReaderRow,
    /// His user.
    pub user: User,
    /// Where he works.
    pub affiliations: Vec<AffiliationRow>,
    /// For whom he may read.
    pub privileges: Vec<PrivilegeRow>,
    /// His week.
    pub patterns: Vec<ShiftPatternRow>,
    /// The shift he is in.
    pub shift: Option<ShiftRow>,
    /// How many cells of the skill table are his own.
    pub skills: usize,
}

/// Loads a reader's sheet.
///
/// # Errors
/// `not_found`.
pub async fn sheet(state: &State, reader: ReaderId) -> Result<ReaderSheet> {
    let now = state.now();
    let load = move |conn: &mut Connection| {
        let row = readers::reader_get(conn, reader)?;
        Ok(ReaderSheet {
            user: users::user_get(conn, row.user_id)?,
            affiliations: affiliations::affiliation_list_all(conn, Some(reader))?,
            privileges: privileges::privilege_list_all(conn, Some(reader))?,
            patterns: shifts::shift_pattern_list(conn, Some(reader))?,
            shift: readers::shift_now(conn, reader, now)?,
            skills: readers::skill_list(conn, Some(reader))?.len(),
            reader: row,
        })
    };
    Ok(state.db.read(load).await?)
}
