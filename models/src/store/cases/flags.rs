//! What stands at a case for the eye: urgency, flags, priors.

use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::CaseId;
use crate::schema::cases;

/// Writes what the newest prescreen says.
///
/// # Errors
/// What the database says.
pub fn case_prescreened_in_tx(
    conn: &mut Connection,
    case: CaseId,
    urgency: f64,
    flags: &[String],
    priors: i32,
    ai_help: bool,
) -> Result<(), StoreError> {
    let flags = serde_json::to_string(flags).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::update(cases::table.find(case))
        .set((
            cases::urgency.eq(urgency),
            cases::flags.eq(flags),
            cases::priors.eq(priors),
            cases::ai_help.eq(ai_help),
            cases::version.eq(cases::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Flags a case as one to which images came late, or takes the flag away.
///
/// # Errors
/// What the database says.
pub fn case_late_images_in_tx(conn: &mut Connection, case: CaseId, late: bool) -> Result<(), StoreError> {
    let text: String = cases::table.find(case).select(cases::flags).first(conn).or_not_found("the case")?;
    let mut flags: Vec<String> = serde_json::from_str(&text).map_err(|error| StoreError::Damaged(error.to_string()))?;
    flags.retain(|flag| flag != LATE_IMAGES);
    if late {
        flags.push(LATE_IMAGES.to_owned());
    }
    let text = serde_json::to_string(&flags).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::update(cases::table.find(case)).set(cases::flags.eq(text)).execute(conn)?;
    Ok(())
}

/// The flag of a case to which images came after it was put together.
pub const LATE_IMAGES: &str = "late_images";
