//! Who another institution's patient is, as a person of the site says; and the way back.

use dokuei_models::identity::IdentityDoubt;
use dokuei_models::names::PatientIdRule;
use dokuei_models::state::LinkState;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::patient_links::{self, NewLink};
use dokuei_models::store::patients::{self, Identity, PatientRow};
use dokuei_models::store::{cases, images, sites, studies};
use dokuei_models::{CaseId, Connection, PatientId, SiteId, StoreError};

use super::{attach_in_tx, detach_in_tx, doubts};
use crate::app::form::need_reason;
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::codes::{common, portal as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Who he is said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// A patient whom the site is known to have.
    Known(PatientId),
    /// The patient of this number of the site, known here or not.
    Number(String),
}

/// What came of saying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is written down.
    Linked,
    /// The two differ in something that was not looked at: nothing was written.
    LookFirst {
        /// The site's own patient.
        own: Box<PatientRow>,
        /// In what they differ.
        doubts: Vec<IdentityDoubt>,
    },
}

/// Says who he is. What differs between the two must have been `seen`, and then needs a reason.
///
/// # Errors
/// `form_invalid` with `patient_id` or `reason` marked, `elsewhere_decided` when it is decided already, `not_found` for
/// another site's.
pub async fn link(
    state: &State,
    person: &Person,
    foreign: PatientId,
    whom: Whom,
    seen: Vec<IdentityDoubt>,
    reason: &str,
) -> Result<Said> {
    let row = foreign_of(state, person, foreign).await?;
    let number = match &whom {
        Whom::Number(text) => text.trim().to_owned(),
        Whom::Known(_) => String::new(),
    };
    if matches!(whom, Whom::Number(_)) && (number.is_empty() || number.len() > 64 || number.contains('\\')) {
        let fault = if number.is_empty() { &common::FIELD_REQUIRED } else { &common::FIELD_INVALID };
        return Err(Error::new(&common::FORM_INVALID).field("patient_id", fault));
    }
    let reason = if seen.is_empty() { reason.trim().to_owned() } else { need_reason("reason", reason)? };
    let (actor, by, site) = (person.actor(state.now()), person.id, row.site_id);
    let done = state
        .db
        .tx(move |conn| {
            let own = own_in_tx(conn, &row, &whom, &number, actor.at)?;
            let found = doubts(&own.identity(), &row.identity());
            if found.iter().any(|doubt| !seen.contains(doubt)) {
                return Ok(Err(Said::LookFirst { own: Box::new(own), doubts: found }));
            }
            let link = NewLink { site, foreign, own: Some(own.id), reason: reason.clone(), by, at: actor.at };
            patient_links::link_add_in_tx(conn, &link)?;
            let touched = attach_in_tx(conn, &actor, own.id)?;
            let codes: Vec<&str> = found.iter().map(|doubt| doubt.code()).collect();
            let detail = serde_json::json!({ "own": own.id, "differs": codes, "reason": reason }).to_string();
            let subject = Subject::row("patient", foreign.0, Some(site));
            audit::append_in_tx(conn, &actor, "elsewhere.link", subject, "done", &detail)?;
            Ok(Ok(touched))
        })
        .await
        .map_err(decided)?;
    match done {
        Ok(touched) => {
            tell(state, site, &touched);
            Ok(Said::Linked)
        }
        Err(look) => Ok(look),
    }
}

/// Says that his images are not wanted. They are hidden, not deleted.
///
/// # Errors
/// `form_invalid` without a reason, `elsewhere_decided`, `not_found`.
pub async fn discard(state: &State, person: &Person, foreign: PatientId, reason: &str) -> Result<()> {
    let row = foreign_of(state, person, foreign).await?;
    let reason = need_reason("reason", reason)?;
    let (actor, by, site) = (person.actor(state.now()), person.id, row.site_id);
    state
        .db
        .tx(move |conn| {
            let link = NewLink { site, foreign, own: None, reason: reason.clone(), by, at: actor.at };
            patient_links::link_add_in_tx(conn, &link)?;
            let of_him = studies::instance_list_of_patient(conn, foreign)?;
            images::instances_hide_in_tx(conn, &of_him, actor.at)?;
            let detail = serde_json::json!({ "reason": reason }).to_string();
            let subject = Subject::row("patient", foreign.0, Some(site));
            audit::append_in_tx(conn, &actor, "elsewhere.discard", subject, "done", &detail)
        })
        .await
        .map_err(decided)?;
    tell(state, site, &[]);
    Ok(())
}

/// Undoes what was said. Returns the cases that are signed already and beside whose images these had stood: their
/// readers must hear of it.
///
/// # Errors
/// `form_invalid` without a reason, `elsewhere_decided` when it is undone already, `not_found`.
pub async fn undo(state: &State, person: &Person, link: i64, reason: &str) -> Result<Vec<CaseId>> {
    let row = state.db.read(move |conn| patient_links::link_get(conn, link)).await?;
    person.reach::<Submit>().need_site(row.site_id)?;
    let reason = need_reason("reason", reason)?;
    let (actor, by, site) = (person.actor(state.now()), person.id, row.site_id);
    let (touched, signed) = state
        .db
        .tx(move |conn| {
            patient_links::link_undo_in_tx(conn, link, by, &reason, actor.at)?;
            if row.state == LinkState::Discarded {
                let of_him = studies::instance_list_of_patient(conn, row.foreign_id)?;
                images::instances_show_in_tx(conn, &of_him)?;
            }
            let touched = detach_in_tx(conn, &actor, row.foreign_id, &reason)?;
            let mut signed = Vec::new();
            for case in &touched {
                if cases::case_get(conn, *case)?.reported_at.is_some() {
                    signed.push(*case);
                }
            }
            let detail = serde_json::json!({ "reason": reason, "signed": signed }).to_string();
            let subject = Subject::row("patient", row.foreign_id.0, Some(site));
            audit::append_in_tx(conn, &actor, "elsewhere.undo", subject, "done", &detail)?;
            Ok((touched, signed))
        })
        .await
        .map_err(decided)?;
    tell(state, site, &touched);
    Ok(signed)
}

/// Another institution's patient within the person's reach.
async fn foreign_of(state: &State, person: &Person, foreign: PatientId) -> Result<PatientRow> {
    let row = state.db.read(move |conn| patients::patient_get(conn, foreign)).await?;
    person.reach::<Submit>().need_site(row.site_id)?;
    if row.medium_id.is_some() { Ok(row) } else { Err(Error::not_found()) }
}

/// The site's own patient who is meant. A number that is new here makes the patient, named as the medium names him.
fn own_in_tx(
    conn: &mut Connection,
    foreign: &PatientRow,
    whom: &Whom,
    number: &str,
    at: chrono::NaiveDateTime,
) -> Result<PatientRow, StoreError> {
    match whom {
        Whom::Known(own) => {
            let own = patients::patient_get(conn, *own)?;
            if own.site_id == foreign.site_id && own.medium_id.is_none() {
                Ok(own)
            } else {
                Err(StoreError::NotFound("the patient"))
            }
        }
        Whom::Number(_) => {
            let site = sites::site_get(conn, foreign.site_id)?;
            let rule: PatientIdRule = site.patient_id_rule.parse()?;
            let key = rule.key(number);
            if let Some(own) = patients::patient_by_key(conn, site.id, &key)? {
                return Ok(own);
            }
            let identity = Identity { patient_id: number.to_owned(), ..foreign.identity() };
            patients::patient_of_key_in_tx(conn, site.id, &key, &identity, at)
        }
    }
}

fn decided(error: StoreError) -> Error {
    match error {
        StoreError::Repeat(_) => Error::new(&codes::ELSEWHERE_DECIDED),
        other => other.into(),
    }
}

fn tell(state: &State, site: SiteId, cases: &[CaseId]) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Portal(site.0));
    for case in cases {
        state.wake.tell(Topic::Case(case.0));
    }
}
