//! The skill table (得意度表): reader x (region, modality) -> 0..=100.
//!
//! An empty cell takes the value of the region above it, for the same
//! modality; a table with nothing above either gives 0. 0 means never.

use std::collections::BTreeMap;

use dokuei_terms::{Modality, Region};
use serde::{Deserialize, Serialize};

use crate::Read;

/// One reader's skill table. In JSON it is a list of cells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Cell>", into = "Vec<Cell>")]
pub struct SkillTable(BTreeMap<(Region, Modality), f64>);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Cell {
    region: Region,
    modality: Modality,
    value: f64,
}

impl From<Vec<Cell>> for SkillTable {
    fn from(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter().map(|cell| ((cell.region, cell.modality), cell.value)).collect())
    }
}

impl From<SkillTable> for Vec<Cell> {
    fn from(table: SkillTable) -> Self {
        table.0.into_iter().map(|((region, modality), value)| Cell { region, modality, value }).collect()
    }
}

impl FromIterator<((Region, Modality), f64)> for SkillTable {
    fn from_iter<I: IntoIterator<Item = ((Region, Modality), f64)>>(cells: I) -> Self {
        Self(cells.into_iter().collect())
    }
}

impl SkillTable {
    /// Writes one cell, 0..=100.
    pub fn set(&mut self, region: Region, modality: Modality, value: f64) {
        self.0.insert((region, modality), value);
    }

    /// The value in force: the cell's own, else the nearest region above that has one, else 0.
    pub fn value(&self, region: Region, modality: Modality) -> f64 {
        region.and_ancestors().find_map(|region| self.0.get(&(region, modality))).copied().unwrap_or(0.0)
    }

    /// The values written down.
    pub fn cells(&self) -> impl Iterator<Item = ((Region, Modality), f64)> + '_ {
        self.0.iter().map(|(at, value)| (*at, *value))
    }

    /// Effective skill for a read: the minutes-weighted mean over its parts, 0..=100.
    ///
    /// A part with skill 0 is not averaged away: the skill rule excludes the reader before this is asked.
    pub fn effective(&self, read: &Read) -> f64 {
        let minutes = read.minutes();
        read.parts.iter().map(|work| self.value(work.part.region, work.part.modality) * work.minutes).sum::<f64>()
            / minutes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        code.parse().expect("a region")
    }

    #[test]
    fn an_empty_cell_takes_its_parents_value() {
        let table: SkillTable = [((region("head"), Modality::Mr), 70.0)].into_iter().collect();
        assert_eq!(table.value(region("head.brain"), Modality::Mr), 70.0);
        assert_eq!(table.value(region("head.brain"), Modality::Ct), 0.0, "another modality says nothing");
        assert_eq!(table.value(region("chest"), Modality::Mr), 0.0, "another region says nothing");
    }

    #[test]
    fn an_own_zero_beats_the_parents_value() {
        let table: SkillTable =
            [((region("head"), Modality::Mr), 70.0), ((region("head.orbit"), Modality::Mr), 0.0)].into_iter().collect();
        assert_eq!(table.value(region("head.orbit"), Modality::Mr), 0.0);
    }

    #[test]
    fn a_table_survives_json() {
        let table: SkillTable = [((region("head"), Modality::Mr), 70.0)].into_iter().collect();
        let text = serde_json::to_string(&table).expect("json");
        assert_eq!(text, r#"[{"region":"head","modality":"MR","value":70.0}]"#);
        assert_eq!(serde_json::from_str::<SkillTable>(&text).expect("table"), table);
    }
}
