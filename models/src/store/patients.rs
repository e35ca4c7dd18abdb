//! Patients, one row per site and PatientID.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, PatientId, SiteId};
use crate::names::{PatientName, fold};
use crate::schema::patients;

/// Who a patient is, as a header or a form says it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// PatientID as received.
    pub patient_id: String,
    /// The name.
    pub name: PatientName,
    /// The birth date, if it was given.
    pub birth_date: Option<NaiveDate>,
    /// `M`, `F`, `O` or empty.
    pub sex: String,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = patients)]
pub struct PatientRow {
    /// The row's id.
    pub id: PatientId,
    /// The site that knows the patient.
    pub site_id: SiteId,
    /// The medium that brought him, if he is another institution's patient.
    pub medium_id: Option<ArrivalId>,
    /// Who gave him his ID, if he is another institution's patient.
    pub issuer: String,
    /// The PatientID by the site's leading-zero rule.
    pub patient_key: String,
    /// The PatientID as first received.
    pub patient_id: String,
    /// The name's alphabetic group.
    pub name_alphabetic: String,
    /// The name's ideographic group.
    pub name_ideographic: String,
    /// The name's phonetic group.
    pub name_phonetic: String,
    /// The birth date.
    pub birth_date: Option<NaiveDate>,
    /// `M`, `F`, `O` or empty.
    pub sex: String,
}

impl PatientRow {
    /// The name's three groups.
    pub fn name(&self) -> PatientName {
        PatientName {
            alphabetic: self.name_alphabetic.clone(),
            ideographic: self.name_ideographic.clone(),
            phonetic: self.name_phonetic.clone(),
        }
    }

    /// The patient's age in whole years on a day.
    pub fn age_on(&self, day: NaiveDate) -> Option<u32> {
        self.birth_date.and_then(|birth| day.years_since(birth))
    }

    /// Who the patient is, to be compared.
    pub fn identity(&self) -> Identity {
        Identity {
            patient_id: self.patient_id.clone(),
            name: self.name(),
            birth_date: self.birth_date,
            sex: self.sex.clone(),
        }
    }
}

/// Finds the patient of a key, or makes the row. What the row lacks is filled in; what it has is never overwritten.
///
/// # Errors
/// What the database says.
pub fn patient_of_key_in_tx(
    conn: &mut Connection,
    site: SiteId,
    key: &str,
    identity: &Identity,
    at: NaiveDateTime,
) -> Result<PatientRow, StoreError> {
    insert_in_tx(conn, site, None, "", key, identity, at)?;
    let mut row: PatientRow = patients::table
        .filter(patients::site_id.eq(site))
        .filter(patients::medium_id.is_null())
        .filter(patients::patient_key.eq(key))
        .select(PatientRow::as_select())
        .first(conn)?;
    if complete(&mut row, identity) {
        diesel::update(patients::table.find(row.id))
            .set((
                patients::name_alphabetic.eq(&row.name_alphabetic),
                patients::name_ideographic.eq(&row.name_ideographic),
                patients::name_phonetic.eq(&row.name_phonetic),
                patients::birth_date.eq(row.birth_date),
                patients::sex.eq(&row.sex),
                patients::search_text.eq(search_text(key, &row.identity())),
                patients::name_search.eq(row.name().match_text()),
                patients::version.eq(patients::version + 1),
            ))
            .execute(conn)?;
    }
    Ok(row)
}

/// Finds or makes another institution's patient as a medium names him. He is never found by his number: only the same
/// medium, issuer and ID are the same patient, until a person says who he is (see [`super::patient_links`]).
///
/// # Errors
/// What the database says.
pub fn foreign_patient_in_tx(
    conn: &mut Connection,
    site: SiteId,
    medium: ArrivalId,
    issuer: &str,
    identity: &Identity,
    at: NaiveDateTime,
) -> Result<PatientRow, StoreError> {
    let key = identity.patient_id.trim();
    insert_in_tx(conn, site, Some(medium), issuer, key, identity, at)?;
    Ok(patients::table
        .filter(patients::medium_id.eq(medium))
        .filter(patients::issuer.eq(issuer))
        .filter(patients::patient_key.eq(key))
        .select(PatientRow::as_select())
        .first(conn)?)
}

fn insert_in_tx(
    conn: &mut Connection,
    site: SiteId,
    medium: Option<ArrivalId>,
    issuer: &str,
    key: &str,
    identity: &Identity,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    use diesel::sql_types::{BigInt, Date, Nullable, Text, Timestamp};
    diesel::sql_query(
        "INSERT INTO patients (site_id, medium_id, issuer, patient_key, patient_id, name_alphabetic, name_ideographic, \
         name_phonetic, birth_date, sex, search_text, name_search, created_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(site)
    .bind::<Nullable<BigInt>, _>(medium.map(|medium| medium.0))
    .bind::<Text, _>(issuer)
    .bind::<Text, _>(key)
    .bind::<Text, _>(&identity.patient_id)
    .bind::<Text, _>(&identity.name.alphabetic)
    .bind::<Text, _>(&identity.name.ideographic)
    .bind::<Text, _>(&identity.name.phonetic)
    .bind::<Nullable<Date>, _>(identity.birth_date)
    .bind::<Text, _>(&identity.sex)
    .bind::<Text, _>(search_text(key, identity))
    .bind::<Text, _>(identity.name.match_text())
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    Ok(())
}

fn search_text(key: &str, identity: &Identity) -> String {
    format!("{} {} {}", fold(&identity.patient_id), fold(key), identity.name.search_text())
}

/// Fills what is empty. Returns whether anything was.
fn complete(row: &mut PatientRow, identity: &Identity) -> bool {
    let mut changed = false;
    for (have, given) in [
        (&mut row.name_alphabetic, &identity.name.alphabetic),
        (&mut row.name_ideographic, &identity.name.ideographic),
        (&mut row.name_phonetic, &identity.name.phonetic),
        (&mut row.sex, &identity.sex),
    ] {
        if have.is_empty() && !given.is_empty() {
            have.clone_from(given);
            changed = true;
        }
    }
    if row.birth_date.is_none() && identity.birth_date.is_some() {
        row.birth_date = identity.birth_date;
        changed = true;
    }
    changed
}

/// The site's own patient of a key, if there is one.
///
/// # Errors
/// What the database says.
pub fn patient_by_key(conn: &mut Connection, site: SiteId, key: &str) -> Result<Option<PatientRow>, StoreError> {
    Ok(patients::table
        .filter(patients::site_id.eq(site))
        .filter(patients::medium_id.is_null())
        .filter(patients::patient_key.eq(key))
        .select(PatientRow::as_select())
        .first(conn)
        .optional()?)
}

/// One patient.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn patient_get(conn: &mut Connection, patient: PatientId) -> Result<PatientRow, StoreError> {
    patients::table.find(patient).select(PatientRow::as_select()).first(conn).or_not_found("the patient")
}
