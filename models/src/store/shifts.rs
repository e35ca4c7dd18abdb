//! Shifts made from weekly patterns, some days ahead.

use chrono::{Datelike, Days, NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::ReaderId;
use crate::japan;
use crate::schema::{shift_patterns, shifts};
use crate::state::Place;

/// How many days ahead shifts stand.
const DAYS_AHEAD: u64 = 3;

/// One weekly span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = shift_patterns)]
pub struct ShiftPatternRow {
    /// The row's id.
    pub id: i64,
    /// The reader.
    pub reader_id: ReaderId,
    /// 0 (Monday) .. 6 (Sunday) in Japan.
    pub weekday: i32,
    /// Minutes after midnight in Japan.
    pub start_minute: i32,
    /// Minutes after midnight in Japan; above 1440 for a shift that ends the next day.
    pub end_minute: i32,
    /// Where.
    pub place: Place,
}

/// Adds a weekly span.
///
/// # Errors
/// What the database says.
pub fn shift_pattern_add_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    weekday: i32,
    minutes: std::ops::Range<i32>,
    place: Place,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(shift_patterns::table)
        .values((
            shift_patterns::reader_id.eq(reader),
            shift_patterns::weekday.eq(weekday),
            shift_patterns::start_minute.eq(minutes.start),
            shift_patterns::end_minute.eq(minutes.end),
            shift_patterns::place.eq(place),
        ))
        .returning(shift_patterns::id)
        .get_result(conn)?)
}

/// Adds one span outside the weekly ones, which its reader offered himself.
///
/// # Errors
/// What the database says.
pub fn shift_add_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    span: std::ops::Range<NaiveDateTime>,
    place: Place,
) -> Result<(), StoreError> {
    diesel::insert_into(shifts::table)
        .values((
            shifts::reader_id.eq(reader),
            shifts::starts_at.eq(span.start),
            shifts::ends_at.eq(span.end),
            shifts::place.eq(place),
        ))
        .execute(conn)?;
    Ok(())
}

/// The weekly spans; of one reader or of all.
///
/// # Errors
/// What the database says.
pub fn shift_pattern_list(conn: &mut Connection, reader: Option<ReaderId>) -> Result<Vec<ShiftPatternRow>, StoreError> {
    let mut rows = shift_patterns::table
        .order((shift_patterns::reader_id, shift_patterns::weekday, shift_patterns::start_minute))
        .select(ShiftPatternRow::as_select())
        .into_boxed();
    if let Some(reader) = reader {
        rows = rows.filter(shift_patterns::reader_id.eq(reader));
    }
    Ok(rows.load(conn)?)
}

/// Makes the shifts of yesterday to some days ahead that are not there yet. Returns how many it made.
///
/// # Errors
/// What the database says.
pub fn shift_extend_in_tx(conn: &mut Connection, now: NaiveDateTime) -> Result<usize, StoreError> {
    let patterns = shift_pattern_list(conn, None)?;
    let yesterday = japan::day(now) - Days::new(1);
    let known: Vec<(Option<i64>, NaiveDateTime)> = shifts::table
        .filter(shifts::starts_at.ge(now - TimeDelta::days(3)))
        .select((shifts::pattern_id, shifts::starts_at))
        .load(conn)?;
    let mut made = 0;
    for offset in 0..=DAYS_AHEAD + 1 {
        let day = yesterday + Days::new(offset);
        let weekday = i32::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
        for pattern in patterns.iter().filter(|pattern| pattern.weekday == weekday) {
            let midnight = japan::midnight(day);
            let starts_at = midnight + TimeDelta::minutes(i64::from(pattern.start_minute));
            if known.contains(&(Some(pattern.id), starts_at)) {
                continue;
            }
            diesel::insert_into(shifts::table)
                .values((
                    shifts::reader_id.eq(pattern.reader_id),
                    shifts::starts_at.eq(starts_at),
                    shifts::ends_at.eq(midnight + TimeDelta::minutes(i64::from(pattern.end_minute))),
                    shifts::place.eq(pattern.place),
                    shifts::pattern_id.eq(Some(pattern.id)),
                ))
                .execute(conn)?;
            made += 1;
        }
    }
    Ok(made)
}

/// Takes a weekly span away: what it made for later goes, a shift that is running ends now, past ones stay.
///
/// # Errors
/// [`StoreError::NotFound`] when the reader has no such span.
pub fn shift_pattern_remove_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    pattern: i64,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let known: i64 = shift_patterns::table
        .filter(shift_patterns::id.eq(pattern))
        .filter(shift_patterns::reader_id.eq(reader))
        .count()
        .get_result(conn)?;
    if known == 0 {
        return Err(StoreError::NotFound("the weekly span"));
    }
    let made = || shifts::table.filter(shifts::pattern_id.eq(pattern));
    diesel::delete(made().filter(shifts::starts_at.gt(now))).execute(conn)?;
    diesel::update(made().filter(shifts::ends_at.gt(now))).set(shifts::ends_at.eq(now)).execute(conn)?;
    diesel::update(made()).set(shifts::pattern_id.eq(None::<i64>)).execute(conn)?;
    diesel::delete(shift_patterns::table.find(pattern)).execute(conn)?;
    Ok(())
}
