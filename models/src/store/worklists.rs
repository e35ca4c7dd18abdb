//! A reader's worklist: everything one line shows, in a handful of queries whatever its length.

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ReadId, ReaderId, StudyId};
use crate::schema::{cases, patients, reads, requests, sites, studies};
use crate::state::{CaseState, ReadState};
use crate::store::cases::{self as case_store, CasePart, CaseRow};
use crate::store::reads::ReadRow;

/// Cases whose reads are looked up at once.
const AT_ONCE: usize = 500;

/// One read on a reader's list.
#[derive(Clone, PartialEq)]
pub struct WorklistRow {
    /// The read.
    pub read: ReadRow,
    /// Its case.
    pub case: CaseRow,
    /// The patient's birth date.
    pub birth_date: Option<NaiveDate>,
    /// The patient's sex.
    pub sex: String,
    /// The clinical question.
    pub question: String,
    /// The site's name in Japanese.
    pub site_ja: String,
    /// The site's name in English.
    pub site_en: String,
    /// What is to be read.
    pub parts: Vec<CasePart>,
}

impl std::fmt::Debug for WorklistRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorklistRow").field("read", &self.read.id).finish_non_exhaustive()
    }
}

/// A reader's reads in the system's order: in progress, then assigned; last those that wait for a site's answer and
/// come back to him.
///
/// # Errors
/// What the database says.
pub fn worklist(conn: &mut Connection, reader: ReaderId) -> Result<Vec<WorklistRow>, StoreError> {
    type Row = (ReadRow, CaseRow, (Option<NaiveDate>, String), String, (String, String));
    let mine = reads::reader_id
        .eq(reader)
        .assume_not_null()
        .and(reads::state.eq_any([ReadState::Assigned, ReadState::InProgress]));
    let comes_back = reads::preferred_reader_id
        .eq(reader)
        .assume_not_null()
        .and(reads::frozen.eq(true))
        .and(reads::state.eq(ReadState::Open));
    let rows: Vec<Row> = reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .inner_join(patients::table.on(patients::id.eq(cases::patient_id)))
        .inner_join(requests::table.on(requests::id.eq(cases::request_id)))
        .inner_join(sites::table.on(sites::id.eq(cases::site_id)))
        .filter(mine.or(comes_back))
        .order((reads::frozen, reads::place_in_list, reads::id))
        .select((
            ReadRow::as_select(),
            CaseRow::as_select(),
            (patients::birth_date, patients::sex),
            requests::question,
            (sites::name_ja, sites::name_en),
        ))
        .load(conn)?;
    let ids: Vec<_> = rows.iter().map(|row| row.1.id).collect();
    let parts = case_store::case_part_list_of(conn, &ids)?;
    let mut list: Vec<WorklistRow> = rows
        .into_iter()
        .map(|(read, case, (birth_date, sex), question, (site_ja, site_en))| WorklistRow {
            parts: parts.iter().filter(|(of, _)| *of == case.id).map(|(_, part)| part.clone()).collect(),
            read,
            case,
            birth_date,
            sex,
            question,
            site_ja,
            site_en,
        })
        .collect();
    // What is begun stands first, what is held last; between them the plan's order.
    list.sort_by_key(|row| (row.read.frozen, row.read.state != ReadState::InProgress, row.read.place_in_list));
    Ok(list)
}

/// When a study's images were made, as the header says it: `HHMMSS...` or empty.
///
/// # Errors
/// What the database says.
pub fn study_time(conn: &mut Connection, study: StudyId) -> Result<String, StoreError> {
    Ok(studies::table.find(study).select(studies::study_time).first(conn)?)
}

/// A question to a reader about what he has signed, which stands as a flag at the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To compare his report with another's: [`case_store::COMPARE`].
    Compare,
    /// To withdraw it: [`case_store::WITHDRAWAL_ASKED`].
    Withdraw,
}

impl Asked {
    fn flag(self) -> &'static str {
        match self {
            Self::Compare => case_store::COMPARE,
            Self::Withdraw => case_store::WITHDRAWAL_ASKED,
        }
    }

    /// Cases with the flag, word for word as the index of these says it: a database that is given the flag as a value
    /// cannot know that the index has them, and goes through all that the reader ever signed.
    pub fn condition(self) -> String {
        format!("flags LIKE '%\"{}\"%'", self.flag())
    }
}

/// A reader's signed reads that stand, of cases in some states at which something is asked. Costs what is asked of all
/// readers, however much was signed.
///
/// # Errors
/// What the database says.
pub fn read_list_asked(
    conn: &mut Connection,
    reader: ReaderId,
    asked: Asked,
    states: &[CaseState],
) -> Result<Vec<(ReadId, CaseRow)>, StoreError> {
    let mut flagged: Vec<CaseRow> =
        cases::table.filter(sql::<Bool>(&asked.condition())).select(CaseRow::as_select()).load(conn)?;
    flagged.retain(|case| case.has_flag(asked.flag()) && states.contains(&case.state));
    let mut found = Vec::new();
    for part in flagged.chunks(AT_ONCE) {
        let ids: Vec<CaseId> = part.iter().map(|case| case.id).collect();
        let of_cases: Vec<ReadRow> =
            reads::table.filter(reads::case_id.eq_any(ids)).select(ReadRow::as_select()).load(conn)?;
        let his = |read: &ReadRow| read.reader_id == Some(reader) && read.state == ReadState::Signed;
        for read in of_cases.into_iter().filter(his) {
            let case = part.iter().find(|case| case.id == read.case_id && read.stands_signed(case));
            found.extend(case.map(|case| (read.id, case.clone())));
        }
    }
    found.sort_by_key(|(read, _)| *read);
    Ok(found)
}
