//! Contracts of sites: one is in force on a day, and a change begins on a day.
//!
//! A contract that a case names is never rewritten. Beginning another ends the
//! one before on the eve; one that nobody used yet and that begins on the same
//! day is replaced.

use chrono::{Days, NaiveDate};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::contracts;
use dokuei_models::store::sites::{self, ContractRow};
use dokuei_models::store::tariffs;
use dokuei_models::{Actor, Connection, ContractId, SiteId, StoreError};
use serde::{Deserialize, Serialize};

use super::changes;
use super::filings::LastDayForm;
use super::typed::{Faults, Typed};
use crate::error::codes::{admin as codes, common};
use crate::error::{Code, Error, Result};
use crate::state::State;

/// A contract as it is entered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContractForm {
    /// The tariff's name.
    pub tariff_name: String,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
    /// Its last day.
    pub to_day: Typed<NaiveDate>,
    /// Minutes until a report is owed, stat.
    pub due_stat_minutes: Typed<i32>,
    /// The same, urgent.
    pub due_urgent_minutes: Typed<i32>,
    /// The same, priority.
    pub due_priority_minutes: Typed<i32>,
    /// The same, routine.
    pub due_routine_minutes: Typed<i32>,
    /// `receipt` or `signing`.
    pub price_day: String,
    /// Whether a hold stops the clock.
    pub hold_stops_clock: bool,
    /// Whether each signature asks for the password.
    pub password_each_signature: bool,
}

impl ContractForm {
    /// What the next contract is proposed as: the newest one's terms from `day` on, or what services usually promise.
    pub fn proposed(newest: Option<&ContractRow>, tariff_name: Option<&String>, day: NaiveDate) -> Self {
        match newest {
            Some(row) => Self {
                tariff_name: row.tariff_name.clone(),
                from_day: day.max(row.from_day).into(),
                to_day: Typed::Empty,
                due_stat_minutes: row.due_stat_minutes.into(),
                due_urgent_minutes: row.due_urgent_minutes.into(),
                due_priority_minutes: row.due_priority_minutes.into(),
                due_routine_minutes: row.due_routine_minutes.into(),
                price_day: row.price_day.clone(),
                hold_stops_clock: row.hold_stops_clock,
                password_each_signature: row.password_each_signature,
            },
            None => Self {
                tariff_name: tariff_name.cloned().unwrap_or_default(),
                from_day: day.into(),
                due_stat_minutes: 60.into(),
                due_urgent_minutes: 120.into(),
                due_priority_minutes: 480.into(),
                due_routine_minutes: 1440.into(),
                price_day: "signing".to_owned(),
                ..Self::default()
            },
        }
    }

    fn check(&self, site: SiteId) -> Result<ContractRow> {
        let mut faults = Faults::default();
        let (from_day, to_day) = faults.days(&self.from_day, &self.to_day);
        if !["receipt", "signing"].contains(&self.price_day.as_str()) {
            faults.add("price_day", &common::FIELD_REQUIRED);
        }
        let month = 1..=44_640;
        let row = ContractRow {
            id: ContractId(0),
            site_id: site,
            tariff_name: faults.text("tariff_name", &self.tariff_name, 60),
            from_day,
            to_day,
            due_stat_minutes: faults.number("due_stat_minutes", &self.due_stat_minutes, month.clone()),
            due_urgent_minutes: faults.number("due_urgent_minutes", &self.due_urgent_minutes, month.clone()),
            due_priority_minutes: faults.number("due_priority_minutes", &self.due_priority_minutes, month.clone()),
            due_routine_minutes: faults.number("due_routine_minutes", &self.due_routine_minutes, month),
            price_day: self.price_day.clone(),
            hold_stops_clock: self.hold_stops_clock,
            password_each_signature: self.password_each_signature,
        };
        faults.done()?;
        Ok(row)
    }
}

type Refused = (&'static str, &'static Code, Option<NaiveDate>);

/// Begins a contract; the one before ends on the eve.
///
/// # Errors
/// `form_invalid`: also when a used contract begins on that day or later, and when there is no such tariff.
pub async fn begin(state: &State, actor: Actor, site: SiteId, form: &ContractForm) -> Result<ContractId> {
    let row = form.check(site)?;
    let detail = changes::between(&ContractForm::default(), form);
    let made = state
        .db
        .tx(move |conn| {
            sites::site_get(conn, site)?;
            if !tariffs::tariff_list(conn)?.iter().any(|tariff| tariff.name == row.tariff_name) {
                return Ok(Err(("tariff_name", &codes::TARIFF_UNKNOWN, None)));
            }
            if let Some(refused) = make_room_in_tx(conn, &actor, &row)? {
                return Ok(Err(refused));
            }
            let id = sites::contract_insert_in_tx(conn, &row)?;
            append_in_tx(conn, &actor, "contract.begin", Subject::row("contract", id.0, Some(site)), "done", &detail)?;
            Ok(Ok(id))
        })
        .await?;
    made.map_err(|(field, code, day): Refused| {
        let error = Error::new(&common::FORM_INVALID).field(field, code);
        day.map_or(error, |day| Error::new(&codes::BEGINS_TOO_EARLY).with("day", day).field(field, code))
    })
}

/// Ends what runs into the new contract and removes what it replaces.
fn make_room_in_tx(conn: &mut Connection, actor: &Actor, row: &ContractRow) -> Result<Option<Refused>, StoreError> {
    for (other, used) in contracts::contract_list(conn, row.site_id)? {
        let subject = Subject::row("contract", other.id.0, Some(row.site_id));
        if other.from_day >= row.from_day {
            if used {
                return Ok(Some(("from_day", &codes::DAYS_OVERLAP, Some(other.from_day))));
            }
            if other.from_day > row.from_day {
                if row.to_day.is_none_or(|last| last >= other.from_day) {
                    return Ok(Some(("to_day", &codes::DAYS_OVERLAP, None)));
                }
                continue;
            }
            contracts::contract_remove_in_tx(conn, other.id)?;
            append_in_tx(conn, actor, "contract.replace", subject, "done", "")?;
        } else if other.to_day.is_none_or(|last| last >= row.from_day) {
            let eve = row.from_day - Days::new(1);
            contracts::contract_end_in_tx(conn, other.id, Some(eve))?;
            let detail = serde_json::json!({ "to": eve }).to_string();
            append_in_tx(conn, actor, "contract.end", subject, "done", &detail)?;
        }
    }
    Ok(None)
}

/// Sets a contract's last day.
///
/// # Errors
/// `not_found`, `form_invalid` when the day stands before the first, or runs into the next contract.
pub async fn end(state: &State, actor: Actor, contract: ContractId, form: &LastDayForm) -> Result<SiteId> {
    let to_day = form.day()?;
    let ended = state
        .db
        .tx(move |conn| {
            let row = sites::contract_get(conn, contract)?;
            if to_day.is_some_and(|last| last < row.from_day) {
                return Ok(Err(&codes::DAYS_REVERSED));
            }
            let next = contracts::contract_list(conn, row.site_id)?.into_iter().map(|(one, _)| one.from_day);
            let next = next.filter(|day| *day > row.from_day).min();
            if next.is_some_and(|next| to_day.is_none_or(|last| last >= next)) {
                return Ok(Err(&codes::DAYS_OVERLAP));
            }
            contracts::contract_end_in_tx(conn, contract, to_day)?;
            let detail = serde_json::json!({ "to": to_day }).to_string();
            let subject = Subject::row("contract", contract.0, Some(row.site_id));
            append_in_tx(conn, &actor, "contract.end", subject, "done", &detail)?;
            Ok(Ok(row.site_id))
        })
        .await?;
    ended.map_err(|code: &'static Code| Error::new(&common::FORM_INVALID).field("to_day", code))
}

/// Removes a contract that no case names.
///
/// # Errors
/// `not_found`, `in_use`.
pub async fn remove(state: &State, actor: Actor, contract: ContractId) -> Result<SiteId> {
    let removed = state
        .db
        .tx(move |conn| {
            let row = sites::contract_get(conn, contract)?;
            if contracts::contract_is_used(conn, contract)? {
                return Ok(None);
            }
            contracts::contract_remove_in_tx(conn, contract)?;
            let subject = Subject::row("contract", contract.0, Some(row.site_id));
            append_in_tx(conn, &actor, "contract.remove", subject, "done", "")?;
            Ok(Some(row.site_id))
        })
        .await?;
    removed.ok_or_else(|| Error::new(&codes::IN_USE))
}
