//! Withdrawals: that a signed version must not be used. The version itself never changes; this is a fact about it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ReportVersionId, UserId};
use crate::schema::{report_versions, reports, withdrawals};

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = withdrawals)]
pub struct WithdrawalRow {
    /// The version.
    pub report_version_id: ReportVersionId,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by_user_id: UserId,
    /// When.
    pub at: NaiveDateTime,
}

/// Writes that a signed version is withdrawn.
///
/// # Errors
/// [`StoreError::Rule`] when it was before.
pub fn withdrawal_add_in_tx(conn: &mut Connection, row: &WithdrawalRow) -> Result<(), StoreError> {
    diesel::insert_into(withdrawals::table)
        .values((
            withdrawals::report_version_id.eq(row.report_version_id),
            withdrawals::reason.eq(&row.reason),
            withdrawals::by_user_id.eq(row.by_user_id),
            withdrawals::at.eq(row.at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The withdrawals of a case's versions, oldest first.
///
/// # Errors
/// What the database says.
pub fn withdrawal_list(conn: &mut Connection, case: CaseId) -> Result<Vec<WithdrawalRow>, StoreError> {
    Ok(withdrawals::table
        .inner_join(report_versions::table.on(report_versions::id.eq(withdrawals::report_version_id)))
        .inner_join(reports::table.on(reports::id.eq(report_versions::report_id)))
        .filter(reports::case_id.eq(case))
        .order(withdrawals::id)
        .select(WithdrawalRow::as_select())
        .load(conn)?)
}

/// The signed versions of a case that are in force, oldest first.
///
/// # Errors
/// What the database says.
pub fn version_list_in_force(conn: &mut Connection, case: CaseId) -> Result<Vec<ReportVersionId>, StoreError> {
    Ok(report_versions::table
        .inner_join(reports::table.on(reports::id.eq(report_versions::report_id)))
        .left_join(withdrawals::table.on(withdrawals::report_version_id.eq(report_versions::id)))
        .filter(reports::case_id.eq(case))
        .filter(report_versions::signed_at.is_not_null())
        .filter(withdrawals::id.is_null())
        .order((report_versions::signed_at, report_versions::id))
        .select(report_versions::id)
        .load(conn)?)
}
