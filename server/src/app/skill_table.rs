//! The skill table (得意度表) as people keep it: a sheet in the layout of figure 3 of Hirasawa 2022.
//!
//! Rows are readers, columns are region and modality in one heading (`脳CT`,
//! `眼窩MR`), cells are whole numbers 0 (never) to 100; an empty cell takes the
//! value of the region above. A row names a reader by login, by name, or as
//! `読影医N`, the N-th reader of the pool. A sheet is taken whole or not at all,
//! with every fault named at once.

use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::jobs;
use dokuei_models::store::readers::{self, SkillCell};
use dokuei_models::store::users;
use dokuei_models::{Actor, Connection, ReaderId, StoreError};
use dokuei_terms::{Language, Modality, Region};

use super::skill_cells::SkillMap;

/// What is wrong with one cell or heading of a sheet. Rows and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SheetFault {
    /// The row.
    pub row: usize,
    /// The column.
    pub column: usize,
    /// `sheet`, `heading`, `reader` or `value`.
    pub kind: &'static str,
    /// What stands there.
    pub found: String,
}

/// A sheet as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// Its rows, the headings left out.
    pub rows: Vec<SheetRow>,
}

/// One reader's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Its number, from 1.
    pub row: usize,
    /// The name in its first cell.
    pub name: String,
    /// The cells that are not empty.
    pub values: Vec<(Region, Modality, i32)>,
}

/// Reads a CSV in UTF-8 (with or without a byte order mark) or CP932.
///
/// # Errors
/// Every fault of the sheet, at least one.
pub fn read_sheet(bytes: &[u8]) -> Result<Sheet, Vec<SheetFault>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::SHIFT_JIS.decode(bytes).0.into_owned(),
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => records.push(record),
            Err(_) => return Err(vec![fault(records.len() + 1, 1, "sheet", "")]),
        }
    }
    let Some(headings) = records.first() else { return Err(vec![fault(1, 1, "sheet", "")]) };
    let mut faults = Vec::new();
    let columns: Vec<Option<(Region, Modality)>> = headings
        .iter()
        .enumerate()
        .skip(1)
        .map(|(at, heading)| {
            let found = column(heading.trim());
            if found.is_none() {
                faults.push(fault(1, at + 1, "heading", heading));
            }
            found
        })
        .collect();
    let mut sheet = Sheet::default();
    for (at, record) in records.iter().enumerate().skip(1) {
        let name = record.get(0).unwrap_or_default().trim();
        if name.is_empty() && record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let mut values = Vec::new();
        for (place, cell) in record.iter().enumerate().skip(1) {
            let cell = cell.trim();
            if cell.is_empty() {
                continue;
            }
            match (cell.parse::<i32>(), columns.get(place - 1)) {
                (Ok(value), Some(Some((region, modality)))) if (0..=100).contains(&value) => {
                    values.push((*region, *modality, value));
                }
                // The heading's fault is told already.
                (Ok(0..=100), Some(None)) => {}
                _ => faults.push(fault(at + 1, place + 1, "value", cell)),
            }
        }
        sheet.rows.push(SheetRow { row: at + 1, name: name.to_owned(), values });
    }
    if faults.is_empty() { Ok(sheet) } else { Err(faults) }
}

fn fault(row: usize, column: usize, kind: &'static str, found: &str) -> SheetFault {
    SheetFault { row, column, kind, found: found.chars().take(40).collect() }
}

/// `脳CT` is the region 脳 and the modality CT. The longest modality word that ends the heading counts.
fn column(heading: &str) -> Option<(Region, Modality)> {
    let mut endings: Vec<(&str, Modality)> = Modality::ALL
        .iter()
        .flat_map(|modality| [(modality.label(Language::Ja), *modality), (modality.code(), *modality)])
        .collect();
    endings.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    endings.iter().find_map(|(word, modality)| {
        let region = heading.strip_suffix(word)?.trim();
        Some((Region::from_japanese(region)?, *modality))
    })
}

/// Writes a sheet into the table, all of it or nothing. Returns how many cells it wrote.
///
/// # Errors
/// The outer one is the database's; the inner one lists rows whose reader is not known.
pub fn import_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    sheet: &Sheet,
) -> Result<Result<usize, Vec<SheetFault>>, StoreError> {
    let people = readers::reader_list(conn, None)?;
    let mut logins = Vec::new();
    for (reader, _, _) in &people {
        logins.push(users::user_get(conn, reader.user_id)?.login);
    }
    let find = |name: &str| -> Option<ReaderId> {
        let by_place = name.strip_prefix("読影医").and_then(|number| number.parse::<usize>().ok());
        let at = by_place.and_then(|number| number.checked_sub(1)).filter(|at| *at < people.len());
        let plain = |text: &str| text.replace([' ', '　'], "");
        at.or_else(|| logins.iter().position(|login| login == name))
            .or_else(|| people.iter().position(|(_, ja, en)| plain(ja) == plain(name) || en == name))
            .map(|at| people[at].0.id)
    };
    let mut faults = Vec::new();
    let mut cells = Vec::new();
    for SheetRow { row, name, values } in &sheet.rows {
        match find(name) {
            Some(reader) => cells.extend(values.iter().map(|(region, modality, declared)| SkillCell {
                reader,
                region: *region,
                modality: *modality,
                declared: *declared,
            })),
            None => faults.push(fault(*row, 1, "reader", name)),
        }
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    for cell in &cells {
        readers::skill_set_in_tx(conn, cell, actor.user, actor.at)?;
    }
    let detail = serde_json::json!({ "cells": cells.len() }).to_string();
    audit::append_in_tx(conn, actor, "skills.import", Subject::none("skills"), "done", &detail)?;
    let mut pools: Vec<_> = people.iter().map(|(reader, _, _)| reader.pool_id).collect();
    pools.dedup();
    for pool in pools {
        jobs::enqueue_plan_in_tx(conn, pool, actor.at)?;
    }
    Ok(Ok(cells.len()))
}

/// The whole table as a sheet: every region and modality that somebody has a value for, readers by login.
///
/// # Errors
/// What the database says.
pub fn export(conn: &mut Connection) -> Result<String, StoreError> {
    let cells = readers::skill_list(conn, None)?;
    let mut columns: Vec<(Region, Modality)> = cells.iter().map(|cell| (cell.region, cell.modality)).collect();
    columns.sort_unstable();
    columns.dedup();
    let map = SkillMap::of(&cells);
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let damaged = |error: csv::Error| StoreError::Damaged(error.to_string());
    let heading = |(region, modality): &(Region, Modality)| {
        format!("{}{}", region.label(Language::Ja), modality.label(Language::Ja))
    };
    writer.write_record(std::iter::once(String::new()).chain(columns.iter().map(heading))).map_err(damaged)?;
    for (reader, _, _) in readers::reader_list(conn, None)? {
        let login = users::user_get(conn, reader.user_id)?.login;
        let value = |at: &(Region, Modality)| {
            map.own(reader.id, at.0, at.1).map(|declared| declared.to_string()).unwrap_or_default()
        };
        writer.write_record(std::iter::once(login).chain(columns.iter().map(value))).map_err(damaged)?;
    }
    let bytes = writer.into_inner().map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figure_3_is_read_as_it_is_printed() {
        let sheet = read_sheet(dokuei_demo::figure3_csv()).expect("figure 3 is a sheet");
        assert_eq!(sheet.rows.len(), 5);
        let SheetRow { name, values, .. } = &sheet.rows[3];
        assert_eq!(name, "読影医4");
        let brain: Region = "head.brain".parse().unwrap();
        assert!(values.contains(&(brain, Modality::Ct, 100)));
        let salivary: Region = "head.salivary".parse().unwrap();
        assert!(values.contains(&(salivary, Modality::Mr, 0)), "0 is a value: never");
    }

    #[test]
    fn cp932_and_a_byte_order_mark_are_read_too() {
        let text = "氏名,脳CT\r\nreader1,50\r\n";
        let cp932 = encoding_rs::SHIFT_JIS.encode(text).0.into_owned();
        let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
        assert_eq!(read_sheet(&cp932), read_sheet(&marked));
        assert_eq!(read_sheet(&cp932).unwrap().rows[0].values.len(), 1);
    }

    #[test]
    fn every_fault_is_named_at_once_with_its_place() {
        let faults = read_sheet("名前,脳CT,尻尾CT\r\nreader1,101,5\r\nreader2,よい,\r\n".as_bytes()).unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| (fault.row, fault.column, fault.kind)).collect();
        assert_eq!(places, [(1, 3, "heading"), (2, 2, "value"), (3, 2, "value")]);
        assert_eq!(read_sheet(b"").unwrap_err()[0].kind, "sheet");
    }

    #[test]
    fn words_that_end_in_one_another_are_told_apart() {
        let chest: Region = "chest".parse().unwrap();
        assert_eq!(column("胸部単純X線"), Some((chest, Modality::Radiograph)));
        assert_eq!(column("胸部CR"), Some((chest, Modality::Radiograph)));
        assert_eq!(column("CT"), None);
    }
}
