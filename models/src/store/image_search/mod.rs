//! Searching images: what C-FIND and QIDO-RS share.
//!
//! One function per level of the information model (PS3.4 C.6.1.1, C.6.2.1). Keys match as the standard says
//! ([`ImageKeys`]); nothing outside the [`Scope`] is ever found, nor an instance that is hidden, nor a series, study or
//! patient that has nothing else. Another institution's studies carry another institution's numbers: a site's search
//! does not find them, only that of a case beside which they stand. Each level has one order that does not depend on how the database found the rows:
//! patients by row; studies the newest first, within a day the last to arrive first (studies without a date come first
//! on PostgreSQL and last on SQLite); series by study, number and row; instances by series, number and row.
//!
//! PostgreSQL finds parts of names, PatientID, accession number and description of two characters or more by index;
//! SQLite reads the site's studies in their order until it has enough, names and numbers within the index of days.

mod condition;
mod found;
mod keys;
mod pattern;

use diesel::prelude::*;

use self::condition::Query;
use self::found::Numbered;
pub use self::found::{FoundInstance, FoundPatient, FoundSeries, FoundStudy};
pub use self::keys::{ImageKeys, Page, Scope};
pub use self::pattern::{DayRange, NamePattern, NoRange, TextPattern, TimeRange};
use crate::db::{Connection, Flavour};
use crate::error::StoreError;
use crate::ids::{InstanceId, PatientId, SeriesId, SiteId};
use crate::names::PatientIdRule;
use crate::schema::{instances, patients, series, sites, studies};
use crate::store::studies::{InstanceRow, SeriesRow};

const STUDY_ORDER: &str = "studies.study_date DESC, studies.id DESC";

/// The studies' order. SQLite would read the site's studies by day to find a number among them, were it not kept from
/// that index.
fn study_order(flavour: Flavour, keys: &ImageKeys) -> String {
    let kept = if flavour == Flavour::Sqlite && keys.is_about_a_number() { "+" } else { "" };
    format!("{kept}{STUDY_ORDER}")
}

/// The column that holds a study to its sites. SQLite would rather read all of a site than a patient's few rows, were it
/// not kept from every index that begins with the site; an accession number's does.
fn site_column(flavour: Flavour, keys: &ImageKeys) -> &'static str {
    match flavour {
        Flavour::Sqlite if keys.is_about_a_patient_alone() => "+studies.site_id",
        _ => "studies.site_id",
    }
}

/// Patients who have images.
///
/// # Errors
/// What the database says.
pub fn patient_search(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    page: Page,
) -> Result<Vec<FoundPatient>, StoreError> {
    let same = same_patient(conn, scope, keys)?;
    let mut query = Query::begin(flavour(conn), true, "SELECT patients.id AS id FROM patients WHERE true");
    if let Scope::Sites(_) = scope {
        query.scope(scope, "patients.site_id", "");
    }
    query.patient(keys, &same);
    query.push(" AND EXISTS (SELECT 1 FROM studies WHERE studies.patient_id = patients.id");
    query.scope(scope, site_column(query.flavour, keys), "studies.id");
    query.study(keys);
    below_study(&mut query, keys);
    query.push(")");
    query.page("patients.id", page);
    let ids = query.ids(conn)?;
    let wanted: Vec<PatientId> = ids.iter().copied().map(PatientId).collect();
    let rows = patients::table.filter(patients::id.eq_any(wanted)).select(FoundPatient::as_select()).load(conn)?;
    Ok(in_order(&ids, rows))
}

/// Studies.
///
/// # Errors
/// What the database says.
pub fn study_search(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    page: Page,
) -> Result<Vec<FoundStudy>, StoreError> {
    let same = same_patient(conn, scope, keys)?;
    let ids = study_ids(conn, scope, keys, &same, page)?;
    let wanted: Vec<crate::ids::StudyId> = ids.iter().copied().map(crate::ids::StudyId).collect();
    let rows = studies::table.filter(studies::id.eq_any(wanted)).select(FoundStudy::as_select()).load(conn)?;
    Ok(in_order(&ids, rows))
}

/// Studies that are looked at in their order before an index of parts is asked: as many where a name or number is asked
/// for, which stand in the index of days; fewer where each row has to be fetched.
const LOOKED_AT_IN_INDEX: u32 = 60_000;
const LOOKED_AT: u32 = 5_000;

/// What is common is soon found among the newest, and costs much by an index that finds all of it before the first is in
/// its place; what is rare is found by index at once. So the newest are looked at first, and the index is asked only
/// where they do not fill the page.
fn study_ids(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    same: &[PatientId],
    page: Page,
) -> Result<Vec<i64>, StoreError> {
    let flavour = flavour(conn);
    let in_index = keys.is_in_index_of_days();
    let in_parts = flavour == Flavour::Postgres && keys.is_about_parts();
    if keys.is_about_a_number() || matches!(scope, Scope::Studies(_)) || !(in_index || in_parts) {
        let mut query = Query::begin(flavour, false, "SELECT studies.id AS id FROM studies WHERE true");
        study_conditions(&mut query, scope, keys, same);
        query.page(&study_order(flavour, keys), page);
        return query.ids(conn);
    }
    let looked_at = if in_index { LOOKED_AT_IN_INDEX } else { LOOKED_AT };
    let ids = among_the_newest(conn, scope, keys, same, page, in_parts.then_some(looked_at))?;
    if ids.len() == page.limit as usize || !in_parts {
        return Ok(ids);
    }
    // What is rare is few rows: no other index is asked beside that of parts, each would cost more than it saves.
    let mut query = Query::begin(flavour, true, "WITH found AS MATERIALIZED (SELECT studies.* FROM studies WHERE true");
    query.parts(keys);
    query.push(") SELECT studies.id AS id FROM found AS studies WHERE true");
    query.without_index();
    study_conditions(&mut query, scope, keys, same);
    query.page(STUDY_ORDER, page);
    query.ids(conn)
}

/// The matches among as many of the newest, or among all. Names, numbers and modalities are held against the pattern in
/// the index of days itself; only what they leave is fetched for the other keys.
fn among_the_newest(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    same: &[PatientId],
    page: Page,
    looked_at: Option<u32>,
) -> Result<Vec<i64>, StoreError> {
    let flavour = flavour(conn);
    let head = "SELECT newest.id AS id FROM \
                (SELECT id, study_date, modalities, name_search, header_patient_id, accession_number FROM studies WHERE true";
    let mut query = Query::begin(flavour, false, head);
    query.scope(scope, "studies.site_id", "studies.id");
    query.study_days(keys);
    if let Some(limit) = looked_at {
        query.page(STUDY_ORDER, Page { limit, offset: 0 });
    }
    // SQLite takes the tables of a CROSS JOIN in the order in which they are written.
    let join = if flavour == Flavour::Sqlite { "CROSS JOIN" } else { "JOIN" };
    query.push(&format!(") AS newest {join} studies ON studies.id = newest.id WHERE true"));
    query.near_is_newest();
    study_conditions(&mut query, scope, keys, same);
    query.page("newest.study_date DESC, newest.id DESC", page);
    query.ids(conn)
}

fn study_conditions(query: &mut Query, scope: &Scope, keys: &ImageKeys, same: &[PatientId]) {
    query.scope(scope, site_column(query.flavour, keys), "studies.id");
    query.patient_of_study(keys, same);
    query.study(keys);
    below_study(query, keys);
}

/// Series with their studies.
///
/// # Errors
/// What the database says.
pub fn series_search(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    page: Page,
) -> Result<Vec<FoundSeries>, StoreError> {
    let same = same_patient(conn, scope, keys)?;
    let mut query = Query::begin(
        flavour(conn),
        true,
        "SELECT series.id AS id FROM series JOIN studies ON studies.id = series.study_id WHERE true",
    );
    query.scope(scope, site_column(query.flavour, keys), "studies.id");
    query.patient_of_study(keys, &same);
    query.study(keys);
    query.series(keys);
    below_series(&mut query, keys);
    query.page(&format!("{}, series.number, series.id", study_order(flavour(conn), keys)), page);
    let ids = query.ids(conn)?;
    let wanted: Vec<SeriesId> = ids.iter().copied().map(SeriesId).collect();
    let rows: Vec<(SeriesRow, FoundStudy)> = series::table
        .inner_join(studies::table.on(studies::id.eq(series::study_id)))
        .filter(series::id.eq_any(wanted))
        .select((SeriesRow::as_select(), FoundStudy::as_select()))
        .load(conn)?;
    Ok(in_order(&ids, rows).into_iter().map(|(series, study)| FoundSeries { study, series }).collect())
}

/// Instances with their series and studies.
///
/// # Errors
/// What the database says.
pub fn instance_search(
    conn: &mut Connection,
    scope: &Scope,
    keys: &ImageKeys,
    page: Page,
) -> Result<Vec<FoundInstance>, StoreError> {
    let same = same_patient(conn, scope, keys)?;
    let mut query = Query::begin(
        flavour(conn),
        true,
        "SELECT instances.id AS id FROM instances JOIN series ON series.id = instances.series_id \
         JOIN studies ON studies.id = instances.study_id WHERE true",
    );
    query.scope(scope, site_column(query.flavour, keys), "studies.id");
    query.patient_of_study(keys, &same);
    query.study(keys);
    query.series(keys);
    query.instance(keys);
    let studies_first = study_order(flavour(conn), keys);
    query.page(&format!("{studies_first}, series.number, series.id, instances.number, instances.id"), page);
    let ids = query.ids(conn)?;
    let wanted: Vec<InstanceId> = ids.iter().copied().map(InstanceId).collect();
    let rows: Vec<(InstanceRow, SeriesRow, FoundStudy)> = instances::table
        .inner_join(series::table.on(series::id.eq(instances::series_id)))
        .inner_join(studies::table.on(studies::id.eq(instances::study_id)))
        .filter(instances::id.eq_any(wanted))
        .select((InstanceRow::as_select(), SeriesRow::as_select(), FoundStudy::as_select()))
        .load(conn)?;
    let rows = in_order(&ids, rows);
    Ok(rows.into_iter().map(|(instance, series, study)| FoundInstance { study, series, instance }).collect())
}

/// That a study shows something, and a series and an instance of the keys.
fn below_study(query: &mut Query, keys: &ImageKeys) {
    query.push(" AND studies.instances > 0");
    if keys.is_about_series() {
        query.push(" AND EXISTS (SELECT 1 FROM series WHERE series.study_id = studies.id");
        query.series(keys);
        below_series(query, keys);
        query.push(")");
    } else if keys.is_about_instances() {
        query.push(" AND EXISTS (SELECT 1 FROM instances WHERE instances.study_id = studies.id");
        query.instance(keys);
        query.push(")");
    }
}

fn below_series(query: &mut Query, keys: &ImageKeys) {
    query.push(" AND series.instances > 0");
    if keys.is_about_instances() {
        query.push(" AND EXISTS (SELECT 1 FROM instances WHERE instances.series_id = series.id");
        query.instance(keys);
        query.push(")");
    }
}

/// The patients whom the sites know under a PatientID, leading zeros by each site's own rule.
fn same_patient(conn: &mut Connection, scope: &Scope, keys: &ImageKeys) -> Result<Vec<PatientId>, StoreError> {
    let single = keys.patient_id.as_ref().and_then(TextPattern::single_value);
    let (Some(value), Scope::Sites(of)) = (single, scope) else { return Ok(Vec::new()) };
    let rules: Vec<(SiteId, String)> =
        sites::table.filter(sites::id.eq_any(of)).select((sites::id, sites::patient_id_rule)).load(conn)?;
    let mut found = Vec::new();
    for (site, rule) in rules {
        let key = rule.parse::<PatientIdRule>()?.key(value);
        let same: Option<PatientId> = patients::table
            .filter(patients::site_id.eq(site))
            .filter(patients::medium_id.is_null())
            .filter(patients::patient_key.eq(key))
            .select(patients::id)
            .first(conn)
            .optional()?;
        found.extend(same);
    }
    Ok(found)
}

fn in_order<T: Numbered>(ids: &[i64], rows: Vec<T>) -> Vec<T> {
    let mut rows: std::collections::HashMap<i64, T> = rows.into_iter().map(|row| (row.number(), row)).collect();
    ids.iter().filter_map(|id| rows.remove(id)).collect()
}

const fn flavour(conn: &Connection) -> Flavour {
    match conn {
        Connection::Postgres(_) => Flavour::Postgres,
        Connection::Sqlite(_) => Flavour::Sqlite,
    }
}
