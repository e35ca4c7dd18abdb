//! A person decides which version of an instance is shown, and may take the decision back.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::hidden::{Moved, recount};
use super::places::series_of_uid_in_tx;
use super::versions::{Difference, Standing, VersionRow, version_get, version_list_of_study, waiting_of_study};
use super::{InstanceFacts, warn};
use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::identity;
use crate::ids::{InstanceId, SeriesId, StudyId};
use crate::names::PatientIdRule;
use crate::schema::{instance_versions, instances, series, sites, studies};
use crate::store::audit::{self, Subject};
use crate::store::cases::{IDENTITY_CHANGED, IMAGE_CONFLICT};
use crate::store::jobs::{self, NewJob};
use crate::store::{patients, quarantine};

/// What a person decides about versions that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// What was there is shown on.
    Keep,
    /// What came is shown instead.
    Take,
}

/// Decides about versions of one study that wait, all together.
///
/// # Errors
/// [`StoreError::Repeat`] when one is decided already; [`StoreError::Conflict`] `mixed_patients` when taking them would
/// leave images of two patients in the study, `other_study` when they name a study that is another patient's.
pub fn versions_decide_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    ids: &[i64],
    decision: Decision,
    reason: &str,
) -> Result<(), StoreError> {
    let waiting = waiting_of_study(conn, study)?;
    let chosen: Vec<&VersionRow> = waiting.iter().filter(|row| ids.contains(&row.id)).collect();
    if chosen.is_empty() || chosen.len() != ids.len() {
        return Err(StoreError::Repeat("the decision"));
    }
    let site = chosen[0].site_id;
    let standing = if decision == Decision::Take { Standing::Waiting } else { Standing::Refused };
    for row in &chosen {
        diesel::update(instance_versions::table.find(row.id))
            .set((
                instance_versions::standing.eq(standing),
                instance_versions::decided_at.eq(Some(actor.at)),
                instance_versions::decided_by.eq(actor.user),
                instance_versions::reason.eq(Some(reason)),
            ))
            .execute(conn)?;
        if decision == Decision::Take {
            show_in_tx(conn, row.id)?;
        }
    }
    if decision == Decision::Take {
        if chosen.iter().any(|row| row.identity_changes != "[]") {
            one_patient_in_tx(conn, actor, study)?;
        }
        // A study without a case may be named by a request now.
        jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", study.to_string(), actor.at))?;
    }
    let action = if decision == Decision::Take { "image.version_take" } else { "image.version_refuse" };
    let detail = serde_json::json!({ "versions": ids, "reason": reason }).to_string();
    audit::append_in_tx(conn, actor, action, Subject::row("study", study.0, Some(site)), "done", &detail)?;
    settle_in_tx(conn, actor, study)
}

/// Takes a decision back: what was refused or taken waits again, and what was shown before is shown.
///
/// # Errors
/// [`StoreError::Conflict`] `not_decided` when nobody decided on it, or another version was shown after it.
pub fn versions_undo_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    ids: &[i64],
) -> Result<(), StoreError> {
    let all = version_list_of_study(conn, study)?;
    let refused = || StoreError::Conflict { what: "version_undo", state: "not_decided".to_owned() };
    let mut site = None;
    for id in ids {
        let row = all.iter().find(|row| row.id == *id && row.decided_at.is_some()).ok_or_else(refused)?;
        site = Some(row.site_id);
        match row.standing {
            Standing::Refused => {}
            Standing::Current => {
                let before = all.iter().rev().find(|other| {
                    other.instance_id == row.instance_id && other.standing == Standing::Superseded && other.id < row.id
                });
                show_in_tx(conn, before.ok_or_else(refused)?.id)?;
            }
            Standing::Superseded | Standing::Waiting => return Err(refused()),
        }
        diesel::update(instance_versions::table.find(row.id))
            .set((
                instance_versions::standing.eq(Standing::Waiting),
                instance_versions::decided_at.eq(None::<chrono::NaiveDateTime>),
                instance_versions::decided_by.eq(None::<crate::ids::UserId>),
                instance_versions::reason.eq(None::<String>),
            ))
            .execute(conn)?;
    }
    if all.iter().any(|row| ids.contains(&row.id) && row.identity_changes != "[]") {
        one_patient_in_tx(conn, actor, study)?;
    }
    let detail = serde_json::json!({ "versions": ids }).to_string();
    audit::append_in_tx(conn, actor, "image.version_undo", Subject::row("study", study.0, site), "done", &detail)?;
    let Some(site) = site else { return Ok(()) };
    let again: Vec<VersionRow> = waiting_of_study(conn, study)?;
    if again.iter().any(|row| row.identity_changes != "[]") {
        warn::identity_in_tx(conn, site, study, actor.at)?;
    }
    if again.iter().any(|row| row.difference == Difference::Pixels) {
        warn::pixels_in_tx(conn, study, actor.at)?;
    }
    Ok(())
}

/// Flags and holds end with what they stood for.
fn settle_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<(), StoreError> {
    warn::go_on_in_tx(conn, actor, study, IMAGE_CONFLICT, |conn, of| {
        Ok(waiting_of_study(conn, of)?.iter().any(|row| row.difference == Difference::Pixels))
    })?;
    identity_settled_in_tx(conn, actor, study)
}

/// Lets the cases of a study go on when nothing is left that would make it another's.
///
/// # Errors
/// What the database says.
pub fn identity_settled_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<(), StoreError> {
    warn::go_on_in_tx(conn, actor, study, IDENTITY_CHANGED, |conn, of| {
        let versions = waiting_of_study(conn, of)?.iter().any(|row| row.identity_changes != "[]");
        Ok(versions || quarantine::quarantine_open_of_study(conn, of)? > 0)
    })
}

/// Makes a version the one that is shown: `instances` and what stands above it say what its header says.
pub(super) fn show_in_tx(conn: &mut Connection, version: i64) -> Result<(), StoreError> {
    let row = version_get(conn, version)?;
    let facts = row.facts()?;
    let others = instance_versions::table
        .filter(instance_versions::instance_id.eq(row.instance_id))
        .filter(instance_versions::standing.eq(Standing::Current));
    diesel::update(others).set(instance_versions::standing.eq(Standing::Superseded)).execute(conn)?;
    diesel::update(instance_versions::table.find(version))
        .set(instance_versions::standing.eq(Standing::Current))
        .execute(conn)?;
    diesel::update(instances::table.find(row.instance_id))
        .set((
            instances::sop_class_uid.eq(&facts.sop_class_uid),
            instances::transfer_syntax.eq(&facts.transfer_syntax),
            instances::sha256.eq(&row.sha256),
            instances::size.eq(row.size),
            instances::object_key.eq(&row.object_key),
            instances::number.eq(facts.instance_number),
            instances::image_rows.eq(facts.rows),
            instances::image_columns.eq(facts.columns),
            instances::frames.eq(facts.frames),
            instances::position_along_normal.eq(facts.position_along_normal),
        ))
        .execute(conn)?;
    let series_id = place_in_tx(conn, row.instance_id, &facts)?;
    diesel::update(series::table.find(series_id))
        .set((
            series::modality.eq(&facts.modality),
            series::number.eq(facts.series_number),
            series::description.eq(&facts.series_description),
            series::protocol.eq(&facts.protocol),
            series::body_part.eq(&facts.body_part),
            series::laterality.eq(&facts.laterality),
            series::view_position.eq(&facts.view_position),
        ))
        .execute(conn)?;
    diesel::update(
        studies::table.filter(studies::study_uid.eq(&facts.study_uid)).filter(studies::site_id.eq(row.site_id)),
    )
    .set((
        studies::accession_number.eq(&facts.accession_number),
        studies::study_date.eq(facts.study_date),
        studies::study_time.eq(&facts.study_time),
        studies::study_id_text.eq(&facts.study_id),
        studies::description.eq(&facts.study_description),
        studies::institution.eq(&facts.institution),
        studies::version.eq(studies::version + 1),
    ))
    .execute(conn)?;
    Ok(())
}

/// Puts an instance into the study and series that its header names; the series in which it is then.
fn place_in_tx(conn: &mut Connection, instance: InstanceId, facts: &InstanceFacts) -> Result<SeriesId, StoreError> {
    type At = (StudyId, SeriesId, chrono::NaiveDateTime, Option<chrono::NaiveDateTime>, crate::ids::SiteId);
    let (study, series_id, received_at, hidden_at, site): At = instances::table
        .find(instance)
        .select((
            instances::study_id,
            instances::series_id,
            instances::received_at,
            instances::hidden_at,
            instances::site_id,
        ))
        .first(conn)?;
    let uid: String = studies::table.find(study).select(studies::study_uid).first(conn)?;
    let series_uid: String = series::table.find(series_id).select(series::series_uid).first(conn)?;
    if uid == facts.study_uid && series_uid == facts.series_uid {
        return Ok(series_id);
    }
    let to = if uid == facts.study_uid {
        study
    } else {
        let rule: String =
            sites::table.find(site).select(sites::patient_id_rule).first(conn).or_not_found("the site")?;
        match super::places::study_of_uid_in_tx(conn, site, rule.parse()?, None, facts, received_at)? {
            super::places::Place::Theirs(study) => study,
            super::places::Place::OtherPatients(_) | super::places::Place::Claimed(_) => {
                return Err(StoreError::Conflict { what: "version_take", state: "other_study".to_owned() });
            }
        }
    };
    let to_series = series_of_uid_in_tx(conn, to, facts, received_at)?;
    diesel::update(instances::table.find(instance))
        .set((instances::study_id.eq(to), instances::series_id.eq(to_series)))
        .execute(conn)?;
    if hidden_at.is_none() {
        let from: Moved = vec![(study, series_id, received_at)];
        recount(conn, &from, -1)?;
        recount(conn, &vec![(to, to_series, received_at)], 1)?;
    }
    Ok(to_series)
}

/// Holds that a study is one patient's: what its shown instances say must agree, and is what the study says.
fn one_patient_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<(), StoreError> {
    let shown: BTreeSet<InstanceId> = instances::table
        .filter(instances::study_id.eq(study))
        .filter(instances::hidden_at.is_null())
        .select(instances::id)
        .load(conn)?
        .into_iter()
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    let row = crate::store::studies::study_get(conn, study)?;
    let rule: String = sites::table.find(row.site_id).select(sites::patient_id_rule).first(conn)?;
    let rule: PatientIdRule = rule.parse()?;
    let current: Vec<VersionRow> = instance_versions::table
        .filter(instance_versions::instance_id.eq_any(shown.iter().copied().collect::<Vec<_>>()))
        .filter(instance_versions::standing.eq(Standing::Current))
        .order(instance_versions::id)
        .select(VersionRow::as_select())
        .load(conn)?;
    let mut said: Vec<patients::Identity> =
        current.iter().map(|row| row.facts().map(|facts| facts.identity)).collect::<Result<_, _>>()?;
    // Whatever came once says what the study said from the first.
    if current.len() < shown.len() {
        said.push(row.identity());
    }
    let Some(newest) = said.first().cloned() else { return Ok(()) };
    if said.iter().any(|one| identity::contradicts(rule, one, &newest)) {
        return Err(StoreError::Conflict { what: "version_take", state: "mixed_patients".to_owned() });
    }
    if !identity::contradicts(rule, &row.identity(), &newest) {
        return Ok(());
    }
    let elsewhere: bool = studies::table.find(study).select(studies::elsewhere).first(conn)?;
    // Another hospital's number names nobody here: whose images those are, a person has said or will say.
    if !elsewhere {
        let key = rule.key(&newest.patient_id);
        let patient = patients::patient_of_key_in_tx(conn, row.site_id, &key, &newest, actor.at)?;
        diesel::update(studies::table.find(study)).set(studies::patient_id.eq(patient.id)).execute(conn)?;
    }
    diesel::update(studies::table.find(study))
        .set((
            studies::name_search.eq(newest.name.match_text()),
            studies::header_patient_id.eq(&newest.patient_id),
            studies::header_name_alphabetic.eq(&newest.name.alphabetic),
            studies::header_name_ideographic.eq(&newest.name.ideographic),
            studies::header_name_phonetic.eq(&newest.name.phonetic),
            studies::header_birth_date.eq(newest.birth_date),
            studies::header_sex.eq(&newest.sex),
            studies::version.eq(studies::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}
