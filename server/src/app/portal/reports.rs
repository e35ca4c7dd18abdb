//! The list of a site's reports.

use std::collections::BTreeMap;

use dokuei_models::store::recipients::{self, RecipientRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::SiteRow;
use dokuei_models::{CaseId, SiteId};

use super::{Line, load_lines};
use crate::error::Result;
use crate::state::State;

/// A signed version with its case's line, for the list of reports.
#[derive(Debug, Clone)]
pub struct ReportLine {
    /// The version, the newest of its case.
    pub version: SignedVersion,
    /// How many signed versions the case has.
    pub versions: usize,
    /// The case's line.
    pub line: Line,
    /// Who opened, accepted, acted on the newest version: the number of each.
    pub facts: [usize; 3],
}

/// The reports of sites in the last 30 days (by request), the newest first.
///
/// # Errors
/// Only the database's own.
pub async fn reports(state: &State, sites: &[SiteRow]) -> Result<Vec<ReportLine>> {
    let (ids, now): (Vec<SiteId>, _) = (sites.iter().map(|site| site.id).collect(), state.now());
    let reports = state
        .db
        .read(move |conn| {
            let lines = load_lines(conn, &ids, now)?;
            let cases: Vec<CaseId> = lines.iter().filter_map(|line| line.case).collect();
            let mut by_case: BTreeMap<i64, Vec<SignedVersion>> = BTreeMap::new();
            for version in signed_versions::signed_version_list(conn, &cases)? {
                by_case.entry(version.case_id.0).or_default().push(version);
            }
            let people = recipients::recipient_list(conn, &cases)?;
            let mut reports: Vec<ReportLine> = Vec::new();
            for line in lines {
                let Some(versions) = line.case.and_then(|case| by_case.remove(&case.0)) else { continue };
                let count = versions.len();
                let Some(version) = versions.into_iter().next() else { continue };
                let of_version: Vec<&RecipientRow> = people.iter().filter(|one| one.version_id == version.id).collect();
                let number = |fact: fn(&RecipientRow) -> bool| of_version.iter().filter(|one| fact(one)).count();
                let facts = [
                    number(|one| one.opened_at.is_some()),
                    number(|one| one.accepted_at.is_some()),
                    number(|one| one.acted_at.is_some()),
                ];
                reports.push(ReportLine { version, versions: count, line, facts });
            }
            reports.sort_by_key(|report| std::cmp::Reverse(report.version.signed_at));
            Ok(reports)
        })
        .await?;
    Ok(reports)
}
