//! A site's filings (施設基準の届出): what the add-on is decided by, see [`super::addon`].

use chrono::NaiveDate;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::filings;
use dokuei_models::store::sites::{self, FilingRow};
use dokuei_models::{Actor, SiteId};
use serde::Deserialize;

use super::typed::{Faults, Typed};
use crate::error::codes::{admin as codes, common};
use crate::error::{Error, Result};
use crate::state::State;

/// What can be filed: 画像診断管理加算1～4, and 遠隔画像診断 as the sending or the receiving side.
pub const KINDS: [&str; 6] = ["addon1", "addon2", "addon3", "addon4", "remote_send", "remote_receive"];

/// A filing as it is entered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FilingForm {
    /// One of [`KINDS`].
    pub kind: String,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
    /// Its last day.
    pub to_day: Typed<NaiveDate>,
    /// A remark.
    pub note: String,
}

/// Adds a filing.
///
/// # Errors
/// `form_invalid`, also when the same was filed for a day of the same span.
pub async fn add(state: &State, actor: Actor, site: SiteId, form: &FilingForm) -> Result<()> {
    let mut faults = Faults::default();
    let (from_day, to_day) = faults.days(&form.from_day, &form.to_day);
    let note = faults.may_text("note", &form.note, 200);
    if !KINDS.contains(&form.kind.as_str()) {
        faults.add("kind", &common::FIELD_REQUIRED);
    }
    faults.done()?;
    let row = FilingRow { id: 0, site_id: site, kind: form.kind.clone(), from_day, to_day, note };
    let added = state
        .db
        .tx(move |conn| {
            sites::site_get(conn, site)?;
            let meets = |other: &FilingRow| {
                other.kind == row.kind
                    && other.to_day.is_none_or(|last| last >= row.from_day)
                    && row.to_day.is_none_or(|last| last >= other.from_day)
            };
            if filings::filing_list(conn, site)?.iter().any(meets) {
                return Ok(false);
            }
            sites::filing_insert_in_tx(conn, &row)?;
            let detail = serde_json::json!({ "kind": row.kind, "from": row.from_day, "to": row.to_day }).to_string();
            append_in_tx(conn, &actor, "filing.add", Subject::row("site", site.0, Some(site)), "done", &detail)?;
            Ok(true)
        })
        .await?;
    if added { Ok(()) } else { Err(Error::new(&common::FORM_INVALID).field("from_day", &codes::DAYS_OVERLAP)) }
}

/// The last day of something that has a first one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LastDayForm {
    /// The last day; open where it is empty.
    pub to_day: Typed<NaiveDate>,
}

impl LastDayForm {
    /// # Errors
    /// `form_invalid`.
    pub fn day(&self) -> Result<Option<NaiveDate>> {
        let mut faults = Faults::default();
        let day = faults.optional("to_day", &self.to_day);
        faults.done()?;
        Ok(day)
    }
}

/// Sets a filing's last day.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn end(state: &State, actor: Actor, site: SiteId, filing: i64, form: &LastDayForm) -> Result<()> {
    let to_day = form.day()?;
    state
        .db
        .tx(move |conn| {
            filings::filing_end_in_tx(conn, site, filing, to_day)?;
            let detail = serde_json::json!({ "filing": filing, "to": to_day }).to_string();
            append_in_tx(conn, &actor, "filing.end", Subject::row("site", site.0, Some(site)), "done", &detail)
        })
        .await?;
    Ok(())
}

/// Removes a filing that was entered by mistake.
///
/// # Errors
/// `not_found`.
pub async fn remove(state: &State, actor: Actor, site: SiteId, filing: i64) -> Result<()> {
    state
        .db
        .tx(move |conn| {
            filings::filing_remove_in_tx(conn, site, filing)?;
            let detail = serde_json::json!({ "filing": filing }).to_string();
            append_in_tx(conn, &actor, "filing.remove", Subject::row("site", site.0, Some(site)), "done", &detail)
        })
        .await?;
    Ok(())
}
