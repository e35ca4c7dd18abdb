//! Which studies stand in a case, and as what.

use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, StudyId};
use crate::schema::case_studies;
use crate::state::CaseStudyRole;

/// Puts a study into a case. One that is there already changes its role.
///
/// # Errors
/// What the database says.
pub fn case_study_add_in_tx(
    conn: &mut Connection,
    case: CaseId,
    study: StudyId,
    role: CaseStudyRole,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        case_studies::table.filter(case_studies::case_id.eq(case)).filter(case_studies::study_id.eq(study)),
    )
    .set(case_studies::role.eq(role))
    .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(case_studies::table)
            .values((
                case_studies::case_id.eq(case),
                case_studies::study_id.eq(study),
                case_studies::role.eq(role),
                case_studies::seen_instances.eq(0),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Takes a study out of a case.
///
/// # Errors
/// What the database says.
pub fn case_study_remove_in_tx(conn: &mut Connection, case: CaseId, study: StudyId) -> Result<(), StoreError> {
    diesel::delete(case_studies::table.filter(case_studies::case_id.eq(case)).filter(case_studies::study_id.eq(study)))
        .execute(conn)?;
    Ok(())
}

/// The studies of a case with their roles, current ones first.
///
/// # Errors
/// What the database says.
pub fn case_study_list(conn: &mut Connection, case: CaseId) -> Result<Vec<(StudyId, CaseStudyRole)>, StoreError> {
    Ok(case_studies::table
        .filter(case_studies::case_id.eq(case))
        .order((case_studies::role, case_studies::id))
        .select((case_studies::study_id, case_studies::role))
        .load(conn)?)
}
