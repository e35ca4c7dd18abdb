//! What is known of how many instances a study has: append-only, kept before the study's first image too.
//!
//! A row is one saying of one source. What a source says later stands beside
//! what it said before; who decides takes the newest row of each kind and source.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::codes::codes;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::SiteId;
use crate::schema::study_evidence;

codes! {
    /// Who says it.
    EvidenceKind {
        /// The request names a count.
        Request => "request",
        /// A Modality Performed Procedure Step (PS3.4 F.7.2): `{"step": status, "series": [{"series": UID, "instances": n}]}`.
        Mpps => "mpps",
        /// An Instance Availability Notification (PS3.4 R): what the sender has and can give.
        Ian => "ian",
        /// Images in Acquisition (0020,1002) of one series' headers.
        ImagesInAcquisition => "images_in_acquisition",
        /// An association that brought instances of the study was released.
        Release => "release",
        /// The site's quiet time has passed without an instance.
        Quiet => "quiet",
        /// A person says that all is here, or how many there are.
        Person => "person",
    }
}

/// A saying to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvidence {
    /// The site whose study it is.
    pub site: SiteId,
    /// StudyInstanceUID; no study of this UID need be here yet.
    pub study_uid: String,
    /// Who says it.
    pub kind: EvidenceKind,
    /// Which of its kind: the step's SOP Instance UID, the arrival, the series. A later row of the same kind and source
    /// takes the place of the earlier.
    pub source: String,
    /// How many instances there are by this source, if it counts.
    pub expected_instances: Option<i32>,
    /// More, as the kind has it; no patient data.
    pub detail: serde_json::Value,
    /// When it was said (UTC).
    pub at: NaiveDateTime,
}

/// A kept saying.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = study_evidence)]
pub struct EvidenceRow {
    /// The row's id: later sayings have a higher one.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Who says it.
    pub kind: EvidenceKind,
    /// Which of its kind.
    pub source: String,
    /// How many instances there are by this source.
    pub expected_instances: Option<i32>,
    /// More, as JSON.
    pub detail: String,
    /// When it was said.
    pub at: NaiveDateTime,
}

/// Keeps a saying.
///
/// # Errors
/// What the database says.
pub fn evidence_record_in_tx(conn: &mut Connection, new: &NewEvidence) -> Result<(), StoreError> {
    diesel::insert_into(study_evidence::table)
        .values((
            study_evidence::site_id.eq(new.site),
            study_evidence::study_uid.eq(&new.study_uid),
            study_evidence::kind.eq(new.kind),
            study_evidence::source.eq(&new.source),
            study_evidence::expected_instances.eq(new.expected_instances),
            study_evidence::detail.eq(new.detail.to_string()),
            study_evidence::at.eq(new.at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Everything that was said of a study, oldest first.
///
/// # Errors
/// What the database says.
pub fn evidence_list(conn: &mut Connection, site: SiteId, study_uid: &str) -> Result<Vec<EvidenceRow>, StoreError> {
    Ok(study_evidence::table
        .filter(study_evidence::site_id.eq(site))
        .filter(study_evidence::study_uid.eq(study_uid))
        .order(study_evidence::id)
        .select(EvidenceRow::as_select())
        .load(conn)?)
}

/// What stands of it: the newest row of each kind and source, oldest first.
///
/// # Errors
/// What the database says.
pub fn evidence_newest(conn: &mut Connection, site: SiteId, study_uid: &str) -> Result<Vec<EvidenceRow>, StoreError> {
    let mut standing: Vec<EvidenceRow> = Vec::new();
    for row in evidence_list(conn, site, study_uid)? {
        standing.retain(|other| (other.kind, &other.source) != (row.kind, &row.source));
        standing.push(row);
    }
    Ok(standing)
}
