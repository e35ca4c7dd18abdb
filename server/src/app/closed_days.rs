//! Days on which sites are closed: the country's (内閣府's list of holidays, with the days around New Year) and a
//! site's own. They move due times (see [`super::due`]) and make 休日 of the add-on rules.

use chrono::NaiveDate;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::{closed_days, sites};
use dokuei_models::{Actor, Connection, SiteId, StoreError};
use serde::Deserialize;

use super::typed::{Faults, Typed};
use crate::error::Result;
use crate::state::State;

/// Takes in the country's closed days where none are known. Returns how many it took.
///
/// # Errors
/// What the database says.
pub fn national_in_tx(conn: &mut Connection, actor: &Actor) -> Result<usize, StoreError> {
    if closed_days::national_day_exists(conn)? {
        return Ok(0);
    }
    let mut taken = 0;
    for line in include_str!("../../data/holidays.csv").lines() {
        let Some((day, name)) = line.split_once(',') else { continue };
        let day: NaiveDate = day.parse().map_err(|_| StoreError::Damaged("holidays.csv".to_owned()))?;
        sites::closed_day_insert_in_tx(conn, None, day, name)?;
        taken += 1;
    }
    let detail = serde_json::json!({ "days": taken }).to_string();
    append_in_tx(conn, actor, "closed_days.national", Subject::none("closed_day"), "done", &detail)?;
    Ok(taken)
}

/// A closed day as it is entered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ClosedDayForm {
    /// The first day.
    pub from_day: Typed<NaiveDate>,
    /// The last day, where it is more than one.
    pub to_day: Typed<NaiveDate>,
    /// What it is called.
    pub name: String,
}

/// Closes a site on one day or a span of at most 31.
///
/// # Errors
/// `form_invalid`.
pub async fn add(state: &State, actor: Actor, site: SiteId, form: &ClosedDayForm) -> Result<()> {
    let mut faults = Faults::default();
    let (from, to) = faults.days(&form.from_day, &form.to_day);
    let name = faults.text("name", &form.name, 60);
    let last = to.unwrap_or(from);
    if last - from > chrono::TimeDelta::days(30) {
        faults.add("to_day", &crate::error::codes::common::FIELD_INVALID);
    }
    faults.done()?;
    state
        .db
        .tx(move |conn| {
            sites::site_get(conn, site)?;
            let known = closed_days::closed_day_list(conn, site, from)?;
            for day in from.iter_days().take_while(|day| *day <= last) {
                if !known.iter().any(|one| one.day == day) {
                    sites::closed_day_insert_in_tx(conn, Some(site), day, &name)?;
                }
            }
            let detail = serde_json::json!({ "from": from, "to": last }).to_string();
            append_in_tx(conn, &actor, "closed_day.add", Subject::row("site", site.0, Some(site)), "done", &detail)
        })
        .await?;
    Ok(())
}

/// Opens a site on one of its own closed days.
///
/// # Errors
/// `not_found`.
pub async fn remove(state: &State, actor: Actor, site: SiteId, id: i64) -> Result<()> {
    state
        .db
        .tx(move |conn| {
            closed_days::closed_day_remove_in_tx(conn, site, id)?;
            append_in_tx(conn, &actor, "closed_day.remove", Subject::row("site", site.0, Some(site)), "done", "")
        })
        .await?;
    Ok(())
}
