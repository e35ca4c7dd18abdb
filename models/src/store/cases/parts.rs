//! What is to be read in a case.

use diesel::prelude::*;
use dokuei_terms::{Laterality, Modality, Part, Region};

use crate::codes::Code;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::CaseId;
use crate::schema::{case_parts, reads};
use crate::state::ReadState;

/// A part of a case as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePart {
    /// Region, modality, side.
    pub part: Part,
    /// Expected reading minutes.
    pub minutes: f64,
    /// 0..1.
    pub confidence: f64,
    /// Where it comes from: `order`, `header`, `person`, ...
    pub source: String,
}

/// Replaces the parts of a case.
///
/// # Errors
/// What the database says.
pub fn case_parts_replace_in_tx(conn: &mut Connection, case: CaseId, parts: &[CasePart]) -> Result<(), StoreError> {
    diesel::delete(case_parts::table.filter(case_parts::case_id.eq(case))).execute(conn)?;
    for part in parts {
        diesel::insert_into(case_parts::table)
            .values((
                case_parts::case_id.eq(case),
                case_parts::region.eq(part.part.region.code()),
                case_parts::modality.eq(part.part.modality.code()),
                case_parts::laterality.eq(part.part.laterality.code()),
                case_parts::minutes.eq(part.minutes),
                case_parts::confidence.eq(part.confidence),
                case_parts::source.eq(&part.source),
            ))
            .execute(conn)?;
    }
    let minutes: f64 = parts.iter().map(|part| part.minutes).sum();
    diesel::update(
        reads::table
            .filter(reads::case_id.eq(case))
            .filter(reads::state.eq_any([ReadState::Open, ReadState::Assigned])),
    )
    .set(reads::expected_minutes.eq(minutes))
    .execute(conn)?;
    Ok(())
}

/// The parts of a case.
///
/// # Errors
/// What the database says.
pub fn case_part_list(conn: &mut Connection, case: CaseId) -> Result<Vec<CasePart>, StoreError> {
    Ok(case_part_list_of(conn, &[case])?.into_iter().map(|(_, part)| part).collect())
}

/// The parts of several cases.
///
/// # Errors
/// What the database says.
pub fn case_part_list_of(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<(CaseId, CasePart)>, StoreError> {
    type Row = (CaseId, Code<Region>, Code<Modality>, Code<Laterality>, f64, f64, String);
    let rows: Vec<Row> = case_parts::table
        .filter(case_parts::case_id.eq_any(of))
        .order(case_parts::id)
        .select((
            case_parts::case_id,
            case_parts::region,
            case_parts::modality,
            case_parts::laterality,
            case_parts::minutes,
            case_parts::confidence,
            case_parts::source,
        ))
        .load(conn)?;
    let part = |(case, region, modality, laterality, minutes, confidence, source): Row| {
        let part = Part { region: region.0, modality: modality.0, laterality: laterality.0 };
        (case, CasePart { part, minutes, confidence, source })
    };
    Ok(rows.into_iter().map(part).collect())
}
