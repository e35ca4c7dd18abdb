//! Keys as SQL of either database.
//!
//! Values are always bound; only row ids, which are numbers, are written into the text.

use std::fmt::Write as _;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Text};

use super::keys::{ImageKeys, Scope};
use super::pattern::{DayRange, Marked, TextPattern};
use crate::db::{Connection, Flavour};
use crate::error::StoreError;
use crate::ids::PatientId;

/// Parts the values of a list that is bound as one text.
const PARTED: char = '\u{1}';

enum Bound {
    Text(String),
    Day(NaiveDate),
    Number(i32),
}

/// A query under construction.
pub(super) struct Query {
    pub flavour: Flavour,
    by_index: bool,
    /// The table that what the index of days covers is read from: names, numbers and modalities.
    near: &'static str,
    text: String,
    bound: Vec<Bound>,
    /// The sites of the scope, once it is set.
    sites: Vec<i64>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl Query {
    /// Begins with `SELECT ... FROM ... WHERE true`. `by_index`: parts of texts are found by PostgreSQL's index of letter
    /// runs; else rows are only held against the pattern.
    pub fn begin(flavour: Flavour, by_index: bool, head: &str) -> Self {
        Self {
            flavour,
            by_index: by_index && flavour == Flavour::Postgres,
            near: "studies",
            text: head.to_owned(),
            bound: Vec::new(),
            sites: Vec::new(),
        }
    }

    /// From here on texts are only held against their patterns.
    pub fn without_index(&mut self) {
        self.by_index = false;
    }

    /// What the index of letter runs finds: the study's texts of which a part is asked for.
    pub fn parts(&mut self, keys: &ImageKeys) {
        if let Some(name) = &keys.patient_name {
            name.marked().for_each(|group| self.marked("studies.name_search", &group, true));
        }
        let texts = [
            ("studies.header_patient_id", &keys.patient_id),
            ("studies.accession_number", &keys.accession_number),
            ("studies.description", &keys.study_description),
        ];
        for (column, key) in texts {
            self.text(column, key.as_ref().filter(|key| key.single_value().is_none()), true);
        }
    }

    /// Names, numbers and modalities are `newest`'s from here on, which has them from the index of days.
    pub fn near_is_newest(&mut self) {
        self.near = "newest";
    }

    pub fn push(&mut self, sql: &str) {
        self.text.push_str(sql);
    }

    fn bind(&mut self, value: Bound) -> String {
        self.bound.push(value);
        format!("${}", self.bound.len())
    }

    fn bind_text(&mut self, text: &str) -> String {
        self.bind(Bound::Text(text.to_owned()))
    }

    /// The ids that the query selects as `id`.
    pub fn ids(self, conn: &mut Connection) -> Result<Vec<i64>, StoreError> {
        macro_rules! on {
            ($conn:expr, $backend:ty) => {{
                let mut query = diesel::sql_query(self.text).into_boxed::<$backend>();
                for value in self.bound {
                    query = match value {
                        Bound::Text(text) => query.bind::<Text, _>(text),
                        Bound::Day(day) => query.bind::<Date, _>(day),
                        Bound::Number(number) => query.bind::<Integer, _>(number),
                    };
                }
                query.load::<Id>($conn)?
            }};
        }
        let ids = match conn {
            Connection::Postgres(conn) => on!(conn, diesel::pg::Pg),
            Connection::Sqlite(conn) => on!(conn, diesel::sqlite::Sqlite),
        };
        Ok(ids.into_iter().map(|row| row.id).collect())
    }

    pub fn scope(&mut self, scope: &Scope, site: &str, study: &str) {
        let (column, ids): (&str, Vec<i64>) = match scope {
            Scope::Sites(sites) => (site, sites.iter().map(|site| site.0).collect()),
            Scope::Studies(studies) => (study, studies.iter().map(|study| study.0).collect()),
        };
        self.ids_in(column, &ids);
        if matches!(scope, Scope::Sites(_)) {
            self.sites = ids;
            if column.ends_with("studies.site_id") {
                self.push(" AND studies.elsewhere = false");
            }
        }
    }

    fn ids_in(&mut self, column: &str, ids: &[i64]) {
        if ids.is_empty() {
            self.push(" AND false");
            return;
        }
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        let _ = write!(self.text, " AND {column} IN ({})", list.join(", "));
    }

    fn one_of(&mut self, column: &str, values: &[String]) {
        if !values.is_empty() {
            let list: Vec<String> = values.iter().map(|value| self.bind_text(value)).collect();
            let _ = write!(self.text, " AND {column} IN ({})", list.join(", "));
        }
    }

    /// `hay` is an expression of a text between marks; `indexed` where PostgreSQL has its letter runs.
    fn marked(&mut self, hay: &str, marked: &Marked, indexed: bool) {
        if indexed && self.by_index && !marked.runs.is_empty() {
            let place = self.bind_text(&marked.runs.join(&PARTED.to_string()));
            let _ = write!(self.text, " AND letter_runs({hay}) @> string_to_array({place}, chr(1))");
        }
        let place = self.bind_text(&marked.like);
        let _ = write!(self.text, " AND {hay} LIKE {place} ESCAPE '!'");
    }

    fn text(&mut self, column: &str, key: Option<&TextPattern>, indexed: bool) {
        let Some(key) = key else { return };
        match key.single_value() {
            Some(value) => {
                let place = self.bind_text(value);
                let _ = write!(self.text, " AND {column} = {place}");
            }
            None => self.marked(&format!("('^' || lower({column}) || '^')"), &key.marked(), indexed),
        }
    }

    fn days(&mut self, column: &str, key: Option<DayRange>) {
        let Some(DayRange { from, to }) = key else { return };
        for (sign, day) in [(">=", from), ("<=", to)] {
            if let Some(day) = day {
                let place = self.bind(Bound::Day(day));
                let _ = write!(self.text, " AND {column} {sign} {place}");
            }
        }
    }

    fn number(&mut self, column: &str, key: Option<i32>) {
        if let Some(number) = key {
            let place = self.bind(Bound::Number(number));
            let _ = write!(self.text, " AND {column} = {place}");
        }
    }

    /// Keys of the patient's row.
    pub fn patient(&mut self, keys: &ImageKeys, same_patient: &[PatientId]) {
        if let Some(name) = &keys.patient_name {
            name.marked().for_each(|group| self.marked("patients.name_search", &group, true));
        }
        self.patient_id("patients.patient_id", "patients.id", keys, same_patient);
        self.days("patients.birth_date", keys.birth_date);
        self.text("patients.sex", keys.sex.as_ref(), false);
    }

    fn patient_id(&mut self, column: &str, row: &str, keys: &ImageKeys, same_patient: &[PatientId]) {
        let single = keys.patient_id.as_ref().and_then(TextPattern::single_value);
        let Some(value) = single else {
            return self.text(column, keys.patient_id.as_ref(), column.starts_with("studies"));
        };
        let place = self.bind_text(value);
        let same = same_patient.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ");
        if self.flavour == Flavour::Sqlite && column == "studies.header_patient_id" && !self.sites.is_empty() {
            // SQLite asks no two indexes for an OR beside an order: it would read the site's studies by day.
            let sites = self.sites.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            let _ = write!(
                self.text,
                " AND studies.id IN (SELECT id FROM studies WHERE site_id IN ({sites}) AND header_patient_id = {place} \
                 UNION SELECT id FROM studies WHERE patient_id IN ({same}))"
            );
        } else if same.is_empty() {
            let _ = write!(self.text, " AND {column} = {place}");
        } else {
            let _ = write!(self.text, " AND ({column} = {place} OR {row} IN ({same}))");
        }
    }

    /// Keys of the patient as the study's headers say them.
    pub fn patient_of_study(&mut self, keys: &ImageKeys, same_patient: &[PatientId]) {
        if let Some(name) = &keys.patient_name {
            let column = format!("{}.name_search", self.near);
            name.marked().for_each(|group| self.marked(&column, &group, true));
        }
        let column = format!("{}.header_patient_id", self.near);
        self.patient_id(&column, "studies.patient_id", keys, same_patient);
        self.days("studies.header_birth_date", keys.birth_date);
        self.text("studies.header_sex", keys.sex.as_ref(), false);
    }

    /// The study's days alone.
    pub fn study_days(&mut self, keys: &ImageKeys) {
        self.days("studies.study_date", keys.study_date);
    }

    /// Keys of the study itself.
    pub fn study(&mut self, keys: &ImageKeys) {
        self.one_of("studies.study_uid", &keys.study_uids);
        let column = format!("{}.accession_number", self.near);
        self.text(&column, keys.accession_number.as_ref(), true);
        self.days("studies.study_date", keys.study_date);
        if let Some(time) = &keys.study_time {
            let (from, to) = (self.bind_text(&time.from), self.bind_text(&time.to));
            let _ = write!(self.text, " AND studies.study_time BETWEEN {from} AND {to}");
        }
        self.text("studies.study_id_text", keys.study_id.as_ref(), false);
        self.text("studies.description", keys.study_description.as_ref(), true);
        self.text("studies.referring_physician", keys.referring_physician.as_ref(), false);
        self.text("studies.institution", keys.institution.as_ref(), false);
        self.modalities_in_study(&keys.modalities_in_study);
    }

    fn modalities_in_study(&mut self, modalities: &[String]) {
        if modalities.is_empty() {
            return;
        }
        match self.flavour {
            Flavour::Postgres => {
                let place = self.bind_text(&modalities.join(&PARTED.to_string()));
                let list = format!("string_to_array({place}, chr(1))");
                let _ = write!(self.text, " AND string_to_array({}.modalities, '\\') && {list}", self.near);
            }
            Flavour::Sqlite => {
                let each: Vec<String> = modalities
                    .iter()
                    .map(|one| {
                        let place = self.bind_text(&format!("\\{one}\\"));
                        format!("instr('\\' || {}.modalities || '\\', {place}) > 0", self.near)
                    })
                    .collect();
                let _ = write!(self.text, " AND ({})", each.join(" OR "));
            }
        }
    }

    /// Keys of the series.
    pub fn series(&mut self, keys: &ImageKeys) {
        self.one_of("series.series_uid", &keys.series_uids);
        self.one_of("series.modality", &keys.modalities);
        self.number("series.number", keys.series_number);
        self.text("series.description", keys.series_description.as_ref(), false);
        self.text("series.protocol", keys.protocol.as_ref(), false);
        self.text("series.body_part", keys.body_part.as_ref(), false);
        self.text("series.laterality", keys.laterality.as_ref(), false);
    }

    /// Keys of the instance, and that it may be seen.
    pub fn instance(&mut self, keys: &ImageKeys) {
        self.push(" AND instances.hidden_at IS NULL");
        self.one_of("instances.sop_instance_uid", &keys.sop_instance_uids);
        self.one_of("instances.sop_class_uid", &keys.sop_class_uids);
        self.number("instances.number", keys.instance_number);
    }

    /// The level's stable order, and the page of it.
    pub fn page(&mut self, order: &str, page: super::Page) {
        let _ = write!(self.text, " ORDER BY {order} LIMIT {} OFFSET {}", page.limit, page.offset);
    }
}
