//! The rows above an instance: its study and its series, found or made.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::InstanceFacts;
use super::arrivals::from_elsewhere;
use crate::db::{Connection, in_savepoint};
use crate::error::StoreError;
use crate::identity;
use crate::ids::{ArrivalId, SeriesId, SiteId, StudyId};
use crate::names::{PatientIdRule, PatientName};
use crate::schema::{series, studies};
use crate::state::MatchState;
use crate::store::patients::{self, Identity};
use crate::store::study_claims;

/// The study that an instance names.
pub(super) enum Place {
    /// It is the patient's, or was made for him.
    Theirs(StudyId),
    /// What is known of it contradicts the instance's patient.
    OtherPatients(StudyId),
    /// It is from elsewhere, and the site itself sends it: a person says whose it is.
    Claimed(StudyId),
}

/// A known study: its row, its modalities, whether it is from elsewhere, and who its patient is by the first header.
type Found = (StudyId, String, bool, (String, String, String, String, Option<NaiveDate>, String));

/// Finds or makes the study's row. Two associations may bring one study at once.
pub(super) fn study_of_uid_in_tx(
    conn: &mut Connection,
    site: SiteId,
    rule: PatientIdRule,
    arrival: Option<ArrivalId>,
    facts: &InstanceFacts,
    at: NaiveDateTime,
) -> Result<Place, StoreError> {
    let find = |conn: &mut Connection| {
        studies::table
            .filter(studies::site_id.eq(site))
            .filter(studies::study_uid.eq(&facts.study_uid))
            .select((
                studies::id,
                studies::modalities,
                studies::elsewhere,
                (
                    studies::header_patient_id,
                    studies::header_name_alphabetic,
                    studies::header_name_ideographic,
                    studies::header_name_phonetic,
                    studies::header_birth_date,
                    studies::header_sex,
                ),
            ))
            .first::<Found>(conn)
            .optional()
    };
    if let Some(found) = find(conn)? {
        return known_study_in_tx(conn, site, rule, arrival, facts, found, at);
    }
    let identity = &facts.identity;
    let key = rule.key(&identity.patient_id);
    let patient = match from_elsewhere(conn, arrival)? {
        Some(medium) => patients::foreign_patient_in_tx(conn, site, medium, &facts.issuer, identity, at)?,
        None => patients::patient_of_key_in_tx(conn, site, &key, identity, at)?,
    };
    let inserted = in_savepoint(conn, |conn| {
        diesel::insert_into(studies::table)
            .values((
                (
                    studies::site_id.eq(site),
                    studies::study_uid.eq(&facts.study_uid),
                    studies::patient_id.eq(patient.id),
                    studies::elsewhere.eq(patient.medium_id.is_some()),
                    studies::header_patient_id.eq(&identity.patient_id),
                    studies::header_name_alphabetic.eq(&identity.name.alphabetic),
                    studies::header_name_ideographic.eq(&identity.name.ideographic),
                    studies::header_name_phonetic.eq(&identity.name.phonetic),
                    studies::header_birth_date.eq(identity.birth_date),
                    studies::header_sex.eq(&identity.sex),
                    studies::name_search.eq(identity.name.match_text()),
                    studies::accession_number.eq(&facts.accession_number),
                    studies::study_date.eq(facts.study_date),
                    studies::study_time.eq(&facts.study_time),
                ),
                (
                    studies::study_id_text.eq(&facts.study_id),
                    studies::description.eq(&facts.study_description),
                    studies::modalities.eq(&facts.modality),
                    studies::institution.eq(&facts.institution),
                    studies::referring_physician.eq(&facts.referring_physician),
                    studies::instances.eq(0),
                    studies::series.eq(0),
                    studies::first_received_at.eq(at),
                    studies::last_received_at.eq(at),
                    studies::settled_instances.eq(0),
                    studies::match_state.eq(MatchState::Arriving),
                    studies::version.eq(1),
                ),
            ))
            .returning(studies::id)
            .get_result(conn)
    });
    match inserted {
        Ok(study) => Ok(Place::Theirs(study)),
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            // The other association was first; its row is visible now.
            match find(conn)? {
                Some(found) => known_study_in_tx(conn, site, rule, arrival, facts, found, at),
                None => Err(StoreError::TryAgain),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a known study is the instance's patient's; then it has the instance's modality from now on.
fn known_study_in_tx(
    conn: &mut Connection,
    site: SiteId,
    rule: PatientIdRule,
    arrival: Option<ArrivalId>,
    facts: &InstanceFacts,
    (study, modalities, elsewhere, header): Found,
    at: NaiveDateTime,
) -> Result<Place, StoreError> {
    if elsewhere && study_claims::claims_in_tx(conn, site, study, arrival, facts, at)? {
        return Ok(Place::Claimed(study));
    }
    let (patient_id, alphabetic, ideographic, phonetic, birth_date, sex) = header;
    let name = PatientName { alphabetic, ideographic, phonetic };
    if identity::contradicts(rule, &Identity { patient_id, name, birth_date, sex }, &facts.identity) {
        return Ok(Place::OtherPatients(study));
    }
    if !facts.modality.is_empty() && !modalities.split('\\').any(|one| one == facts.modality) {
        let joined =
            if modalities.is_empty() { facts.modality.clone() } else { format!("{modalities}\\{}", facts.modality) };
        diesel::update(studies::table.find(study)).set(studies::modalities.eq(joined)).execute(conn)?;
    }
    Ok(Place::Theirs(study))
}

/// Finds or makes the series' row.
pub(super) fn series_of_uid_in_tx(
    conn: &mut Connection,
    study: StudyId,
    facts: &InstanceFacts,
    at: NaiveDateTime,
) -> Result<SeriesId, StoreError> {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    let find = |conn: &mut Connection| {
        series::table
            .filter(series::study_id.eq(study))
            .filter(series::series_uid.eq(&facts.series_uid))
            .select(series::id)
            .first(conn)
    };
    if let Some(known) = find(conn).optional()? {
        return Ok(known);
    }
    diesel::sql_query(
        "INSERT INTO series (study_id, series_uid, modality, number, description, protocol, body_part, laterality, \
         view_position, instances, first_received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(study)
    .bind::<Text, _>(&facts.series_uid)
    .bind::<Text, _>(&facts.modality)
    .bind::<Nullable<Integer>, _>(facts.series_number)
    .bind::<Text, _>(&facts.series_description)
    .bind::<Text, _>(&facts.protocol)
    .bind::<Text, _>(&facts.body_part)
    .bind::<Text, _>(&facts.laterality)
    .bind::<Text, _>(&facts.view_position)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    Ok(find(conn)?)
}
