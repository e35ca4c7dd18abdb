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

/// The flag of a case to which images came after it was put together, until a version is signed with them seen.
pub const LATE_IMAGES: &str = "late_images";
/// The flag of a case whose two independent readings are signed and not compared yet.
pub const COMPARE: &str = "compare";
/// The flag of a case from which images of another patient were taken away, until a version is signed without them.
pub const PRIOR_REMOVED: &str = "prior_removed";
/// The flag of a case of which images came again with another patient, side or study, until a person has decided.
pub const IDENTITY_CHANGED: &str = "identity_changed";
/// The flag of a case of which an image came again with other pixels, until a person has decided.
pub const IMAGE_CONFLICT: &str = "image_conflict";
/// The flag of a case that was signed while images were known to come, until all are here.
pub const INCOMPLETE: &str = "incomplete";
/// The flag of a case whose site has withdrawn images, until a person has decided what becomes of it.
pub const IMAGES_WITHDRAWN: &str = "images_withdrawn";
/// The flag of a signed case whose images turned out to be another patient's, side's or study's, or were withdrawn: its
/// reports' withdrawal is asked for, until a person has withdrawn them or said that they stand.
pub const WITHDRAWAL_ASKED: &str = "withdrawal_asked";
/// The flags that stand for something that happened: a new prescreen leaves them as they are.
pub const STANDING_FLAGS: [&str; 8] = [
    LATE_IMAGES,
    COMPARE,
    PRIOR_REMOVED,
    IDENTITY_CHANGED,
    IMAGE_CONFLICT,
    INCOMPLETE,
    IMAGES_WITHDRAWN,
    WITHDRAWAL_ASKED,
];

impl super::CaseRow {
    /// Whether a flag is set. A damaged list of flags has none: the next prescreen writes it anew.
    pub fn has_flag(&self, flag: &str) -> bool {
        serde_json::from_str::<Vec<String>>(&self.flags).unwrap_or_default().iter().any(|one| one == flag)
    }
}

/// Sets a flag of a case, or takes it away.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such case, [`StoreError::Damaged`] when its flags cannot be read.
pub fn case_flag_in_tx(conn: &mut Connection, case: CaseId, flag: &str, on: bool) -> Result<(), StoreError> {
    let text: String = cases::table.find(case).select(cases::flags).first(conn).or_not_found("the case")?;
    let mut flags: Vec<String> = serde_json::from_str(&text).map_err(|error| StoreError::Damaged(error.to_string()))?;
    flags.retain(|other| other != flag);
    if on {
        flags.push(flag.to_owned());
    }
    let text = serde_json::to_string(&flags).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::update(cases::table.find(case)).set(cases::flags.eq(text)).execute(conn)?;
    Ok(())
}
