//! Single cells of the skill table: looked up by a map, and changed one at a time.

use std::collections::HashMap;

use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::jobs;
use dokuei_models::store::readers::{self, SkillCell};
use dokuei_models::{Actor, ReaderId};
use dokuei_terms::{Modality, Region};
use serde::Deserialize;

use super::typed::{Faults, Typed};
use crate::error::Result;
use crate::error::codes::common;
use crate::state::State;
use crate::wake::Topic;

/// The skill table by cell.
#[derive(Debug, Clone, Default)]
pub struct SkillMap(HashMap<(ReaderId, Region, Modality), i32>);

impl SkillMap {
    /// The map of these cells.
    pub fn of(cells: &[SkillCell]) -> Self {
        Self(cells.iter().map(|cell| ((cell.reader, cell.region, cell.modality), cell.declared)).collect())
    }

    /// The cell's own value.
    pub fn own(&self, reader: ReaderId, region: Region, modality: Modality) -> Option<i32> {
        self.0.get(&(reader, region, modality)).copied()
    }

    /// The value that counts: its own, else that of the nearest region above.
    pub fn in_force(&self, reader: ReaderId, region: Region, modality: Modality) -> Option<i32> {
        region.and_ancestors().find_map(|at| self.own(reader, at, modality))
    }
}

/// A cell as it is entered; without a value it takes that of the region above.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CellForm {
    /// The reader.
    pub reader: Typed<ReaderId>,
    /// The region's code.
    pub region: Typed<Region>,
    /// The modality's code.
    pub modality: Typed<Modality>,
    /// 0 (never) to 100.
    pub value: Typed<i32>,
}

/// What a change of a cell did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellChange {
    /// The reader.
    pub reader: ReaderId,
    /// The region.
    pub region: Region,
    /// The modality.
    pub modality: Modality,
    /// Its own value before.
    pub before: Option<i32>,
    /// Its own value now.
    pub now: Option<i32>,
}

/// Writes a cell, or takes its own value away; the reader's pool is planned anew.
///
/// # Errors
/// `form_invalid`, `not_found`.
pub async fn set(state: &State, actor: Actor, form: &CellForm) -> Result<CellChange> {
    let mut faults = Faults::default();
    let reader = faults.required("reader", &form.reader);
    let region = faults.required("region", &form.region);
    let modality = faults.required("modality", &form.modality);
    let now = faults.optional("value", &form.value);
    if now.is_some_and(|value| !(0..=100).contains(&value)) {
        faults.add("value", &common::FIELD_INVALID);
    }
    faults.done()?;
    let (Some(reader), Some(region), Some(modality)) = (reader, region, modality) else {
        return Err(crate::error::Error::new(&common::FORM_INVALID));
    };
    let change = state
        .db
        .tx(move |conn| {
            let pool = readers::reader_get(conn, reader)?.pool_id;
            let before = readers::skill_get(conn, reader, region, modality)?;
            match now {
                Some(declared) => {
                    let cell = SkillCell { reader, region, modality, declared };
                    readers::skill_set_in_tx(conn, &cell, actor.user, actor.at)?;
                }
                None => readers::skill_clear_in_tx(conn, reader, region, modality)?,
            }
            let detail = serde_json::json!({
                "region": region.code(), "modality": modality.code(), "before": before, "now": now,
            });
            append_in_tx(
                conn,
                &actor,
                "skill.set",
                Subject::row("reader", reader.0, None),
                "done",
                &detail.to_string(),
            )?;
            jobs::enqueue_plan_in_tx(conn, pool, actor.at)?;
            Ok(CellChange { reader, region, modality, before, now })
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cell_takes_the_value_of_the_region_above_and_0_stays_0() {
        let (head, brain): (Region, Region) = ("head".parse().unwrap(), "head.brain".parse().unwrap());
        let cell = |region, declared| SkillCell { reader: ReaderId(1), region, modality: Modality::Ct, declared };
        let map = SkillMap::of(&[cell(head, 60)]);
        assert_eq!(map.own(ReaderId(1), brain, Modality::Ct), None);
        assert_eq!(map.in_force(ReaderId(1), brain, Modality::Ct), Some(60));
        let map = SkillMap::of(&[cell(head, 60), cell(brain, 0)]);
        assert_eq!(map.in_force(ReaderId(1), brain, Modality::Ct), Some(0));
        assert_eq!(map.in_force(ReaderId(2), brain, Modality::Ct), None);
    }
}
