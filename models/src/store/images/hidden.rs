//! Images that are hidden: not listed, counted, found or given to anybody, and not deleted.
//!
//! Counts are changed by what was hidden, never counted anew, so that an
//! instance that arrives in the same moment is not lost from them.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{InstanceId, SeriesId, StudyId};
use crate::schema::{instances, series, studies};

/// What one statement hid or showed: study, series, and when each came.
pub(super) type Moved = Vec<(StudyId, SeriesId, NaiveDateTime)>;

/// Hides instances. One that is hidden already stays as it is. Gives the studies that lost any.
///
/// # Errors
/// What the database says.
pub fn instances_hide_in_tx(
    conn: &mut Connection,
    of: &[InstanceId],
    at: NaiveDateTime,
) -> Result<Vec<StudyId>, StoreError> {
    let moved: Moved =
        diesel::update(instances::table.filter(instances::id.eq_any(of)).filter(instances::hidden_at.is_null()))
            .set(instances::hidden_at.eq(Some(at)))
            .returning((instances::study_id, instances::series_id, instances::received_at))
            .get_results(conn)?;
    recount(conn, &moved, -1)
}

/// Shows hidden instances again. Gives the studies that got any back.
///
/// # Errors
/// What the database says.
pub fn instances_show_in_tx(conn: &mut Connection, of: &[InstanceId]) -> Result<Vec<StudyId>, StoreError> {
    let moved: Moved =
        diesel::update(instances::table.filter(instances::id.eq_any(of)).filter(instances::hidden_at.is_not_null()))
            .set(instances::hidden_at.eq(None::<NaiveDateTime>))
            .returning((instances::study_id, instances::series_id, instances::received_at))
            .get_results(conn)?;
    recount(conn, &moved, 1)
}

/// Series before studies, as an arriving instance locks them.
pub(super) fn recount(conn: &mut Connection, moved: &Moved, step: i32) -> Result<Vec<StudyId>, StoreError> {
    let mut of_series: BTreeMap<(StudyId, SeriesId), i32> = BTreeMap::new();
    let mut of_study: BTreeMap<StudyId, (i32, i32)> = BTreeMap::new();
    for (study, series_id, _) in moved {
        *of_series.entry((*study, *series_id)).or_default() += step;
        of_study.entry(*study).or_default().0 += step;
    }
    for ((study, series_id), change) in of_series {
        let left: i32 = diesel::update(series::table.find(series_id))
            .set(series::instances.eq(series::instances + change))
            .returning(series::instances)
            .get_result(conn)?;
        let (before, after) = (left - change > 0, left > 0);
        of_study.entry(study).or_default().1 += i32::from(after) - i32::from(before);
    }
    for (study, (change, series_change)) in &of_study {
        let settled_at: Option<NaiveDateTime> = diesel::update(studies::table.find(study))
            .set((
                studies::instances.eq(studies::instances + *change),
                studies::series.eq(studies::series + *series_change),
                studies::version.eq(studies::version + 1),
            ))
            .returning(studies::settled_at)
            .get_result(conn)?;
        let settled = moved.iter().filter(|(of, _, came)| of == study && settled_at.is_some_and(|at| *came <= at));
        let settled = i32::try_from(settled.count()).unwrap_or(i32::MAX) * step;
        let modalities: Vec<String> = series::table
            .filter(series::study_id.eq(study))
            .filter(series::instances.gt(0))
            .filter(series::modality.ne(""))
            .order(series::id)
            .select(series::modality)
            .load(conn)?;
        let mut once: Vec<String> = Vec::new();
        for modality in modalities {
            if !once.contains(&modality) {
                once.push(modality);
            }
        }
        diesel::update(studies::table.find(study))
            .set((
                studies::settled_instances.eq(studies::settled_instances + settled),
                studies::modalities.eq(once.join("\\")),
            ))
            .execute(conn)?;
    }
    Ok(of_study.into_keys().collect())
}
