//! Where readers work, for whom they may read, and when in the week. Each change queues a new plan of the pool.

use std::ops::Range;

use chrono::{NaiveDate, NaiveTime, Timelike as _};
use dokuei_models::state::Place;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::readers::{self, AffiliationRow};
use dokuei_models::store::shifts::{self, ShiftPatternRow};
use dokuei_models::store::{affiliations, jobs, privileges, sites};
use dokuei_models::{Actor, Connection, ReaderId, SiteId, StoreError};
use serde::Deserialize;

use super::filings::LastDayForm;
use super::typed::{Faults, Typed};
use crate::error::codes::{admin as codes, common};
use crate::error::{Code, Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Where a reader works, as it is entered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AffiliationForm {
    /// The institution or company.
    pub site: Typed<SiteId>,
    /// Whether full-time (常勤).
    pub full_time: bool,
    /// Whether filed there as 専ら画像診断を担当する医師.
    pub filed: bool,
    /// Days a week.
    pub weekly_days: Typed<i32>,
    /// Hours a week.
    pub weekly_hours: Typed<i32>,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
    /// Its last day.
    pub to_day: Typed<NaiveDate>,
}

/// A field and why it was refused.
type Refused = (&'static str, &'static Code);

/// One change of a reader's terms within a transaction, with its audit row and a new plan; `write` gives the row's
/// detail, or refuses.
async fn change<F>(state: &State, actor: Actor, reader: ReaderId, action: &'static str, write: F) -> Result<()>
where
    F: Fn(&mut Connection, &Actor) -> Result<Result<String, Refused>, StoreError> + Send + 'static,
{
    let changed = state
        .db
        .tx(move |conn| {
            let pool = readers::reader_get(conn, reader)?.pool_id;
            let detail = match write(conn, &actor)? {
                Ok(detail) => detail,
                Err(refused) => return Ok(Err(refused)),
            };
            append_in_tx(conn, &actor, action, Subject::row("reader", reader.0, None), "done", &detail)?;
            jobs::enqueue_plan_in_tx(conn, pool, actor.at)?;
            Ok(Ok(()))
        })
        .await?;
    changed.map_err(|(field, code)| Error::new(&common::FORM_INVALID).field(field, code))?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Whether two spans of days have one in common.
fn meet(a: (NaiveDate, Option<NaiveDate>), b: (NaiveDate, Option<NaiveDate>)) -> bool {
    a.1.is_none_or(|last| last >= b.0) && b.1.is_none_or(|last| last >= a.0)
}

/// Why a span cannot get this last day: it would end before it begins, or run into another span of `others`.
fn last_day_refused(
    from_day: NaiveDate,
    to_day: Option<NaiveDate>,
    mut others: impl Iterator<Item = (NaiveDate, Option<NaiveDate>)>,
) -> Option<Refused> {
    if to_day.is_some_and(|last| last < from_day) {
        return Some(("to_day", &codes::DAYS_REVERSED));
    }
    others.any(|other| meet(other, (from_day, to_day))).then_some(("to_day", &codes::DAYS_OVERLAP))
}

/// Adds an affiliation.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn add_affiliation(state: &State, actor: Actor, reader: ReaderId, form: &AffiliationForm) -> Result<()> {
    let mut faults = Faults::default();
    let (from_day, to_day) = faults.days(&form.from_day, &form.to_day);
    let row = AffiliationRow {
        id: 0,
        reader_id: reader,
        site_id: faults.required("site", &form.site).unwrap_or(SiteId(0)),
        full_time: form.full_time,
        filed: form.filed,
        weekly_days: faults.number("weekly_days", &form.weekly_days, 0..=7),
        weekly_hours: faults.number("weekly_hours", &form.weekly_hours, 0..=168),
        from_day,
        to_day,
    };
    faults.done()?;
    change(state, actor, reader, "affiliation.add", move |conn, _| {
        sites::site_get(conn, row.site_id)?;
        let known = affiliations::affiliation_list_all(conn, Some(reader))?;
        let days = (row.from_day, row.to_day);
        if known.iter().any(|one| one.site_id == row.site_id && meet((one.from_day, one.to_day), days)) {
            return Ok(Err(("from_day", &codes::DAYS_OVERLAP)));
        }
        readers::affiliation_insert_in_tx(conn, &row)?;
        Ok(Ok(serde_json::json!({ "site": row.site_id, "filed": row.filed, "from": row.from_day }).to_string()))
    })
    .await
}

/// Sets an affiliation's last day.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn end_affiliation(state: &State, actor: Actor, reader: ReaderId, id: i64, form: &LastDayForm) -> Result<()> {
    let to_day = form.day()?;
    change(state, actor, reader, "affiliation.end", move |conn, _| {
        let known = affiliations::affiliation_list_all(conn, Some(reader))?;
        let row = known.iter().find(|one| one.id == id).ok_or(StoreError::NotFound("the affiliation"))?;
        let others = known.iter().filter(|one| one.id != id && one.site_id == row.site_id);
        if let Some(refused) = last_day_refused(row.from_day, to_day, others.map(|one| (one.from_day, one.to_day))) {
            return Ok(Err(refused));
        }
        affiliations::affiliation_end_in_tx(conn, reader, id, to_day)?;
        Ok(Ok(serde_json::json!({ "affiliation": id, "to": to_day }).to_string()))
    })
    .await
}

/// Removes an affiliation that was entered by mistake.
///
/// # Errors
/// `not_found`.
pub async fn remove_affiliation(state: &State, actor: Actor, reader: ReaderId, id: i64) -> Result<()> {
    change(state, actor, reader, "affiliation.remove", move |conn, _| {
        affiliations::affiliation_remove_in_tx(conn, reader, id)?;
        Ok(Ok(serde_json::json!({ "affiliation": id }).to_string()))
    })
    .await
}

/// For whom a reader may read, as it is entered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PrivilegeForm {
    /// The referring site.
    pub site: Typed<SiteId>,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
    /// Its last day.
    pub to_day: Typed<NaiveDate>,
}

/// Lets a reader read for a site.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn add_privilege(state: &State, actor: Actor, reader: ReaderId, form: &PrivilegeForm) -> Result<()> {
    let mut faults = Faults::default();
    let (from_day, to_day) = faults.days(&form.from_day, &form.to_day);
    let site = faults.required("site", &form.site).unwrap_or(SiteId(0));
    faults.done()?;
    change(state, actor, reader, "privilege.add", move |conn, _| {
        sites::site_get(conn, site)?;
        let known = privileges::privilege_list_all(conn, Some(reader))?;
        if known.iter().any(|one| one.site_id == site && meet((one.from_day, one.to_day), (from_day, to_day))) {
            return Ok(Err(("from_day", &codes::DAYS_OVERLAP)));
        }
        privileges::privilege_add_in_tx(conn, reader, site, from_day, to_day)?;
        Ok(Ok(serde_json::json!({ "site": site, "from": from_day, "to": to_day }).to_string()))
    })
    .await
}

/// Sets a privilege's last day.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn end_privilege(state: &State, actor: Actor, reader: ReaderId, id: i64, form: &LastDayForm) -> Result<()> {
    let to_day = form.day()?;
    change(state, actor, reader, "privilege.end", move |conn, _| {
        let known = privileges::privilege_list_all(conn, Some(reader))?;
        let row = known.iter().find(|one| one.id == id).ok_or(StoreError::NotFound("the privilege"))?;
        let others = known.iter().filter(|one| one.id != id && one.site_id == row.site_id);
        if let Some(refused) = last_day_refused(row.from_day, to_day, others.map(|one| (one.from_day, one.to_day))) {
            return Ok(Err(refused));
        }
        privileges::privilege_end_in_tx(conn, reader, id, to_day)?;
        Ok(Ok(serde_json::json!({ "privilege": id, "to": to_day }).to_string()))
    })
    .await
}

/// Removes a privilege that was entered by mistake.
///
/// # Errors
/// `not_found`.
pub async fn remove_privilege(state: &State, actor: Actor, reader: ReaderId, id: i64) -> Result<()> {
    change(state, actor, reader, "privilege.remove", move |conn, _| {
        privileges::privilege_remove_in_tx(conn, reader, id)?;
        Ok(Ok(serde_json::json!({ "privilege": id }).to_string()))
    })
    .await
}

/// A span of the week on some of its days, in Japan's time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ShiftForm {
    /// Monday.
    pub mon: bool,
    /// Tuesday.
    pub tue: bool,
    /// Wednesday.
    pub wed: bool,
    /// Thursday.
    pub thu: bool,
    /// Friday.
    pub fri: bool,
    /// Saturday.
    pub sat: bool,
    /// Sunday.
    pub sun: bool,
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`; at or before the start it is the next day's.
    pub end: String,
    /// `onsite` or `home`.
    pub place: Typed<Place>,
}

/// Adds the span on each of its days; shifts of the next days stand at once.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn add_shift(state: &State, actor: Actor, reader: ReaderId, form: &ShiftForm) -> Result<()> {
    let mut faults = Faults::default();
    let minute = |text: &str| {
        let time = NaiveTime::parse_from_str(text.trim(), "%H:%M").ok()?;
        i32::try_from(time.num_seconds_from_midnight() / 60).ok()
    };
    let (start, end) = (minute(&form.start), minute(&form.end));
    for (field, time) in [("start", start), ("end", end)] {
        if time.is_none() {
            faults.add(field, &codes::SHIFT_SPAN);
        }
    }
    let place = faults.required("place", &form.place).unwrap_or(Place::Home);
    let chosen = [form.mon, form.tue, form.wed, form.thu, form.fri, form.sat, form.sun];
    let days: Vec<i32> = (0..7).zip(chosen).filter(|(_, chosen)| *chosen).map(|(day, _)| day).collect();
    if days.is_empty() {
        faults.add("mon", &common::FIELD_REQUIRED);
    }
    faults.done()?;
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(0));
    let span = start..if end <= start { end + 1440 } else { end };
    change(state, actor, reader, "shift.add", move |conn, actor| {
        let known = shifts::shift_pattern_list(conn, Some(reader))?;
        if known.iter().any(|one| days.iter().any(|day| runs_into(one, *day, &span))) {
            return Ok(Err(("start", &codes::SHIFT_OVERLAPS)));
        }
        for day in &days {
            shifts::shift_pattern_add_in_tx(conn, reader, *day, span.clone(), place)?;
        }
        shifts::shift_extend_in_tx(conn, actor.at)?;
        let (start, end) = (span.start, span.end);
        Ok(Ok(serde_json::json!({ "days": days, "start": start, "end": end, "place": place }).to_string()))
    })
    .await
}

/// Whether a span of a day has a minute in common with a known one, over midnight and over the week's end too.
fn runs_into(known: &ShiftPatternRow, day: i32, span: &Range<i32>) -> bool {
    const WEEK: i32 = 7 * 1440;
    let at = |day: i32, minutes: &Range<i32>| (day * 1440 + minutes.start, day * 1440 + minutes.end);
    let (known_start, known_end) = at(known.weekday, &(known.start_minute..known.end_minute));
    let (start, end) = at(day, span);
    [-WEEK, 0, WEEK].iter().any(|shift| start + shift < known_end && known_start < end + shift)
}

/// Takes a weekly span away, with the shifts it made for later.
///
/// # Errors
/// `not_found`.
pub async fn remove_shift(state: &State, actor: Actor, reader: ReaderId, pattern: i64) -> Result<()> {
    change(state, actor, reader, "shift.remove", move |conn, actor| {
        shifts::shift_pattern_remove_in_tx(conn, reader, pattern, actor.at)?;
        Ok(Ok(serde_json::json!({ "pattern": pattern }).to_string()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_runs_into_the_next_mornings_shift_also_from_sunday_to_monday() {
        let row = |weekday, minutes: Range<i32>| ShiftPatternRow {
            id: 1,
            reader_id: ReaderId(1),
            weekday,
            start_minute: minutes.start,
            end_minute: minutes.end,
            place: Place::Home,
        };
        let night = row(6, 1320..1800);
        assert!(runs_into(&night, 0, &(300..600)), "Sunday 22:00 to Monday 6:00 and Monday from 5:00");
        assert!(!runs_into(&night, 0, &(360..600)), "one ends as the other begins");
        assert!(!runs_into(&row(0, 540..1020), 1, &(540..1020)));
        assert!(runs_into(&row(0, 300..600), 6, &(1320..1800)));
    }
}
