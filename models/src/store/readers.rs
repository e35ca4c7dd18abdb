//! Readers: presence, shifts, privileges, affiliations, skills.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use dokuei_terms::{Modality, Region};

use crate::codes::Code;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{PoolId, ReaderId, SiteId, UserId};
use crate::schema::{affiliations, privileges, readers, shifts, skills, users};
use crate::state::Place;

/// A reader with his user's name.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = readers)]
pub struct ReaderRow {
    /// The row's id.
    pub id: ReaderId,
    /// His user.
    pub user_id: UserId,
    /// The pool he reads in.
    pub pool_id: PoolId,
    /// His qualification as it stands under a report.
    pub qualification: String,
    /// Reading minutes in relation to the expected ones: 1.2 is slower.
    pub pace: f64,
    /// Minutes a shift may hold.
    pub capacity_minutes: i32,
    /// Whether he is there.
    pub logged_in: bool,
    /// Whether he has paused.
    pub paused: bool,
    /// When he was last heard of.
    pub presence_at: Option<NaiveDateTime>,
    /// Whether he takes part.
    pub active: bool,
    /// For optimistic locking.
    pub version: i32,
}

/// A shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = shifts)]
pub struct ShiftRow {
    /// The row's id.
    pub id: i64,
    /// The reader.
    pub reader_id: ReaderId,
    /// Its beginning.
    pub starts_at: NaiveDateTime,
    /// Its end.
    pub ends_at: NaiveDateTime,
    /// Where.
    pub place: Place,
}

/// Where a reader works, and what is filed of it there.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = affiliations)]
pub struct AffiliationRow {
    /// The row's id.
    pub id: i64,
    /// The reader.
    pub reader_id: ReaderId,
    /// The institution or company.
    pub site_id: SiteId,
    /// Whether full-time (常勤).
    pub full_time: bool,
    /// Whether filed there as 専ら画像診断を担当する医師.
    pub filed: bool,
    /// Days a week.
    pub weekly_days: i32,
    /// Hours a week.
    pub weekly_hours: i32,
    /// Its first day.
    pub from_day: NaiveDate,
    /// Its last day.
    pub to_day: Option<NaiveDate>,
}

/// One reader.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn reader_get(conn: &mut Connection, reader: ReaderId) -> Result<ReaderRow, StoreError> {
    readers::table.find(reader).select(ReaderRow::as_select()).first(conn).or_not_found("the reader")
}

/// The reader that a user is.
///
/// # Errors
/// What the database says.
pub fn reader_of_user(conn: &mut Connection, user: UserId) -> Result<Option<ReaderRow>, StoreError> {
    Ok(readers::table.filter(readers::user_id.eq(user)).select(ReaderRow::as_select()).first(conn).optional()?)
}

/// The active readers of a pool with their names in Japanese and English; of all pools with `None`.
///
/// # Errors
/// What the database says.
pub fn reader_list(
    conn: &mut Connection,
    pool: Option<PoolId>,
) -> Result<Vec<(ReaderRow, String, String)>, StoreError> {
    let mut rows = readers::table
        .inner_join(users::table.on(users::id.eq(readers::user_id)))
        .filter(readers::active.eq(true))
        .order(readers::id)
        .select((ReaderRow::as_select(), users::name_ja, users::name_en))
        .into_boxed();
    if let Some(pool) = pool {
        rows = rows.filter(readers::pool_id.eq(pool));
    }
    Ok(rows.load(conn)?)
}

/// Shifts that touch a span of time.
///
/// # Errors
/// What the database says.
pub fn shift_list(conn: &mut Connection, from: NaiveDateTime, to: NaiveDateTime) -> Result<Vec<ShiftRow>, StoreError> {
    Ok(shifts::table
        .filter(shifts::ends_at.gt(from))
        .filter(shifts::starts_at.lt(to))
        .order((shifts::reader_id, shifts::starts_at))
        .select(ShiftRow::as_select())
        .load(conn)?)
}

/// The shift a reader is in.
///
/// # Errors
/// What the database says.
pub fn shift_now(conn: &mut Connection, reader: ReaderId, now: NaiveDateTime) -> Result<Option<ShiftRow>, StoreError> {
    Ok(shifts::table
        .filter(shifts::reader_id.eq(reader))
        .filter(shifts::starts_at.le(now))
        .filter(shifts::ends_at.gt(now))
        .order(shifts::ends_at.desc())
        .select(ShiftRow::as_select())
        .first(conn)
        .optional()?)
}

/// Which readers may read for which sites on a day.
///
/// # Errors
/// What the database says.
pub fn privilege_list(conn: &mut Connection, day: NaiveDate) -> Result<Vec<(ReaderId, SiteId)>, StoreError> {
    Ok(privileges::table
        .filter(privileges::from_day.le(day))
        .filter(privileges::to_day.is_null().or(privileges::to_day.ge(day).assume_not_null()))
        .order(privileges::id)
        .select((privileges::reader_id, privileges::site_id))
        .load(conn)?)
}

/// A reader's affiliations on a day.
///
/// # Errors
/// What the database says.
pub fn affiliation_list(
    conn: &mut Connection,
    reader: ReaderId,
    day: NaiveDate,
) -> Result<Vec<AffiliationRow>, StoreError> {
    Ok(affiliations::table
        .filter(affiliations::reader_id.eq(reader))
        .filter(affiliations::from_day.le(day))
        .filter(affiliations::to_day.is_null().or(affiliations::to_day.ge(day).assume_not_null()))
        .order(affiliations::id)
        .select(AffiliationRow::as_select())
        .load(conn)?)
}

/// One cell of the skill table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillCell {
    /// The reader.
    pub reader: ReaderId,
    /// The region.
    pub region: Region,
    /// The modality.
    pub modality: Modality,
    /// 0 (never) .. 100.
    pub declared: i32,
}

/// The skill table; of one reader or of all.
///
/// # Errors
/// What the database says.
pub fn skill_list(conn: &mut Connection, reader: Option<ReaderId>) -> Result<Vec<SkillCell>, StoreError> {
    let mut rows = skills::table
        .order((skills::reader_id, skills::id))
        .select((skills::reader_id, skills::region, skills::modality, skills::declared))
        .into_boxed();
    if let Some(reader) = reader {
        rows = rows.filter(skills::reader_id.eq(reader));
    }
    let rows: Vec<(ReaderId, Code<Region>, Code<Modality>, i32)> = rows.load(conn)?;
    let cell = |(reader, region, modality, declared): (ReaderId, Code<Region>, Code<Modality>, i32)| SkillCell {
        reader,
        region: region.0,
        modality: modality.0,
        declared,
    };
    Ok(rows.into_iter().map(cell).collect())
}

/// Writes one cell of the skill table.
///
/// # Errors
/// What the database says.
pub fn skill_set_in_tx(
    conn: &mut Connection,
    cell: &SkillCell,
    by: Option<UserId>,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        skills::table
            .filter(skills::reader_id.eq(cell.reader))
            .filter(skills::region.eq(cell.region.code()))
            .filter(skills::modality.eq(cell.modality.code())),
    )
    .set((skills::declared.eq(cell.declared), skills::changed_at.eq(at), skills::changed_by.eq(by)))
    .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(skills::table)
            .values((
                skills::reader_id.eq(cell.reader),
                skills::region.eq(cell.region.code()),
                skills::modality.eq(cell.modality.code()),
                skills::declared.eq(cell.declared),
                skills::changed_at.eq(at),
                skills::changed_by.eq(by),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Notes that a reader came, went, paused or goes on.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such reader.
pub fn reader_presence_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    logged_in: bool,
    paused: bool,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let changed = diesel::update(readers::table.find(reader))
        .set((
            readers::logged_in.eq(logged_in),
            readers::paused.eq(paused),
            readers::presence_at.eq(Some(at)),
            readers::version.eq(readers::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 { Err(StoreError::NotFound("the reader")) } else { Ok(()) }
}

/// Makes a user a reader; the row's id is not looked at.
///
/// # Errors
/// [`StoreError::TryAgain`] when the user is one already (look before).
pub fn reader_insert_in_tx(conn: &mut Connection, reader: &ReaderRow) -> Result<ReaderId, StoreError> {
    diesel::insert_into(readers::table)
        .values((
            readers::user_id.eq(reader.user_id),
            readers::pool_id.eq(reader.pool_id),
            readers::qualification.eq(&reader.qualification),
            readers::pace.eq(reader.pace),
            readers::capacity_minutes.eq(reader.capacity_minutes),
            readers::logged_in.eq(reader.logged_in),
            readers::paused.eq(reader.paused),
            readers::presence_at.eq(reader.presence_at),
            readers::active.eq(reader.active),
            readers::version.eq(1),
        ))
        .returning(readers::id)
        .get_result(conn)
        .map_err(StoreError::of_insert)
}

/// Adds an affiliation; the row's id is not looked at.
///
/// # Errors
/// What the database says.
pub fn affiliation_insert_in_tx(conn: &mut Connection, affiliation: &AffiliationRow) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(affiliations::table)
        .values((
            affiliations::reader_id.eq(affiliation.reader_id),
            affiliations::site_id.eq(affiliation.site_id),
            affiliations::full_time.eq(affiliation.full_time),
            affiliations::filed.eq(affiliation.filed),
            affiliations::weekly_days.eq(affiliation.weekly_days),
            affiliations::weekly_hours.eq(affiliation.weekly_hours),
            affiliations::from_day.eq(affiliation.from_day),
            affiliations::to_day.eq(affiliation.to_day),
        ))
        .returning(affiliations::id)
        .get_result(conn)?)
}

/// Lets a reader read for a site.
///
/// # Errors
/// What the database says.
pub fn privilege_insert_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    site: SiteId,
    from_day: NaiveDate,
) -> Result<(), StoreError> {
    diesel::insert_into(privileges::table)
        .values((privileges::reader_id.eq(reader), privileges::site_id.eq(site), privileges::from_day.eq(from_day)))
        .execute(conn)?;
    Ok(())
}

/// Every reader, inactive ones too, with login, name in Japanese and in English.
///
/// # Errors
/// What the database says.
pub fn reader_list_all(conn: &mut Connection) -> Result<Vec<(ReaderRow, String, String, String)>, StoreError> {
    Ok(readers::table
        .inner_join(users::table.on(users::id.eq(readers::user_id)))
        .order(readers::id)
        .select((ReaderRow::as_select(), users::login, users::name_ja, users::name_en))
        .load(conn)?)
}

/// Writes what an administrator says of a reader, where nobody changed the row since `reader.version`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody did.
pub fn reader_update_in_tx(conn: &mut Connection, reader: &ReaderRow) -> Result<(), StoreError> {
    let changed = diesel::update(readers::table.find(reader.id).filter(readers::version.eq(reader.version)))
        .set((
            readers::pool_id.eq(reader.pool_id),
            readers::qualification.eq(&reader.qualification),
            readers::pace.eq(reader.pace),
            readers::capacity_minutes.eq(reader.capacity_minutes),
            readers::active.eq(reader.active),
            readers::version.eq(reader.version + 1),
        ))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Stale("the reader")) }
}

/// A cell's own value, if it has one.
///
/// # Errors
/// What the database says.
pub fn skill_get(
    conn: &mut Connection,
    reader: ReaderId,
    region: Region,
    modality: Modality,
) -> Result<Option<i32>, StoreError> {
    Ok(skills::table
        .filter(skills::reader_id.eq(reader))
        .filter(skills::region.eq(region.code()))
        .filter(skills::modality.eq(modality.code()))
        .select(skills::declared)
        .first(conn)
        .optional()?)
}

/// Takes a cell's own value away: the region above counts again.
///
/// # Errors
/// What the database says.
pub fn skill_clear_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    region: Region,
    modality: Modality,
) -> Result<(), StoreError> {
    let cell = skills::table
        .filter(skills::reader_id.eq(reader))
        .filter(skills::region.eq(region.code()))
        .filter(skills::modality.eq(modality.code()));
    diesel::delete(cell).execute(conn)?;
    Ok(())
}
