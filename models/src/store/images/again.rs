//! An instance that is known comes with other bytes.
//!
//! Whoever received it has compared both objects. Another header of the same
//! pixels is taken at once, unless it says otherwise whose images these are;
//! that, and other pixels, wait for a person while what was there is shown on.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::versions::{Difference, Standing, version_is_here};
use super::{InstanceFacts, decide, warn};
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::identity::{self, IdentityChange};
use crate::ids::{ArrivalId, InstanceId, SiteId, StudyId};
use crate::names::PatientIdRule;
use crate::objects::KeptObject;
use crate::schema::{instance_versions, instances, sites, studies};

/// Issuer of Patient ID: another issuer's number is another patient's.
const ISSUER_OF_PATIENT_ID: &str = "00100021";
/// Patient Orientation: turned round, left is right.
const PATIENT_ORIENTATION: &str = "00200020";

/// The version of an instance that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownInstance {
    /// The instance.
    pub id: InstanceId,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Where they are.
    pub object_key: String,
}

/// A known instance with other bytes, after both were compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// What it was compared with.
    pub known: KnownInstance,
    /// What the header there says.
    pub before: InstanceFacts,
    /// What the new header says.
    pub facts: InstanceFacts,
    /// In what they differ: [`Difference::Header`] or [`Difference::Pixels`].
    pub difference: Difference,
    /// Tags that differ, eight hexadecimal digits each, nested ones by their outermost.
    pub changed: Vec<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgainKept {
    /// The same bytes were kept meanwhile.
    Repeat(InstanceId),
    /// It is shown from now on; what was shown is kept.
    Renewed(InstanceId),
    /// A person decides; what was there is shown on.
    Waits(InstanceId),
}

/// The shown version of an instance, hidden or not; and its study, if that is from elsewhere.
pub(super) fn known_instance(
    conn: &mut Connection,
    site: SiteId,
    sop_instance_uid: &str,
) -> Result<Option<(KnownInstance, Option<StudyId>)>, StoreError> {
    let found: Option<(InstanceId, String, i64, String, StudyId, bool)> = instances::table
        .inner_join(studies::table.on(studies::id.eq(instances::study_id)))
        .filter(instances::site_id.eq(site))
        .filter(instances::sop_instance_uid.eq(sop_instance_uid))
        .select((
            instances::id,
            instances::sha256,
            instances::size,
            instances::object_key,
            instances::study_id,
            studies::elsewhere,
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, sha256, size, object_key, study, elsewhere)| {
        (KnownInstance { id, sha256, size, object_key }, elsewhere.then_some(study))
    }))
}

/// Keeps a known instance that came with other bytes.
///
/// # Errors
/// [`StoreError::Stale`] when another version is shown by now: compare with that one. Else what the database says.
pub fn instance_again_in_tx(
    conn: &mut Connection,
    site: SiteId,
    arrival: Option<ArrivalId>,
    again: &Again,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<AgainKept, StoreError> {
    let id = again.known.id;
    let held = diesel::update(instances::table.find(id).filter(instances::sha256.eq(&again.known.sha256)))
        .set(instances::sha256.eq(instances::sha256))
        .execute(conn)?;
    if version_is_here(conn, id, &object.sha256)? {
        return Ok(AgainKept::Repeat(id));
    }
    if held == 0 {
        return Err(StoreError::Stale("the instance"));
    }
    let rule: String = sites::table.find(site).select(sites::patient_id_rule).first(conn).or_not_found("the site")?;
    let changes = identity_changes(rule.parse()?, again);
    let waits = again.difference == Difference::Pixels || !changes.is_empty();
    let (study, received_at) =
        instances::table.find(id).select((instances::study_id, instances::received_at)).first(conn)?;
    let of = |facts: &InstanceFacts| serde_json::to_string(facts).map_err(|e| StoreError::Damaged(e.to_string()));
    let (before, after) = (of(&again.before)?, of(&again.facts)?);
    let codes: Vec<&str> = changes.iter().map(|change| change.code()).collect();
    if !version_is_here(conn, id, &again.known.sha256)? {
        diesel::insert_into(instance_versions::table)
            .values((
                instance_versions::instance_id.eq(id),
                instance_versions::site_id.eq(site),
                instance_versions::study_id.eq::<crate::ids::StudyId>(study),
                instance_versions::difference.eq(Difference::First),
                instance_versions::standing.eq(Standing::Current),
                instance_versions::changed.eq("[]"),
                instance_versions::identity_changes.eq("[]"),
                instance_versions::facts.eq(before),
                instance_versions::sha256.eq(&again.known.sha256),
                instance_versions::size.eq(again.known.size),
                instance_versions::object_key.eq(&again.known.object_key),
                instance_versions::received_at.eq::<NaiveDateTime>(received_at),
            ))
            .execute(conn)?;
    }
    let version: i64 = diesel::insert_into(instance_versions::table)
        .values((
            instance_versions::instance_id.eq(id),
            instance_versions::site_id.eq(site),
            instance_versions::study_id.eq(study),
            instance_versions::arrival_id.eq(arrival),
            instance_versions::difference.eq(again.difference),
            instance_versions::standing.eq(Standing::Waiting),
            instance_versions::changed.eq(serde_json::json!(again.changed).to_string()),
            instance_versions::identity_changes.eq(serde_json::json!(codes).to_string()),
            instance_versions::facts.eq(after),
            instance_versions::sha256.eq(&object.sha256),
            instance_versions::size.eq(object.size),
            instance_versions::object_key.eq(&object.key),
            instance_versions::received_at.eq(at),
        ))
        .returning(instance_versions::id)
        .get_result(conn)?;
    if !waits {
        decide::show_in_tx(conn, version)?;
        warn::renewed_in_tx(conn, study, at)?;
        return Ok(AgainKept::Renewed(id));
    }
    if changes.is_empty() {
        warn::pixels_in_tx(conn, study, at)?;
    } else {
        warn::identity_in_tx(conn, site, study, at)?;
    }
    Ok(AgainKept::Waits(id))
}

/// What the new header says otherwise of whose images these are.
fn identity_changes(rule: PatientIdRule, again: &Again) -> Vec<IdentityChange> {
    let (a, b) = (&again.before, &again.facts);
    let changed = |tag: &str| again.changed.iter().any(|one| one == tag);
    let mut changes = Vec::new();
    if identity::contradicts(rule, &a.identity, &b.identity) || changed(ISSUER_OF_PATIENT_ID) {
        changes.push(IdentityChange::Patient);
    }
    if a.laterality != b.laterality || changed(PATIENT_ORIENTATION) {
        changes.push(IdentityChange::Laterality);
    }
    let accession = a.accession_number != b.accession_number;
    if a.study_uid != b.study_uid || accession || a.study_date != b.study_date {
        changes.push(IdentityChange::Study);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_identity_is_named_and_a_description_is_none() {
        let before = InstanceFacts { laterality: "L".into(), study_uid: "1.2".into(), ..InstanceFacts::default() };
        let known = KnownInstance { id: InstanceId(1), sha256: String::new(), size: 0, object_key: String::new() };
        let found = |change: fn(&mut InstanceFacts), tags: &[&str]| {
            let mut facts = before.clone();
            change(&mut facts);
            let changed = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let difference = Difference::Header;
            let again = Again { known: known.clone(), before: before.clone(), facts, difference, changed };
            identity_changes(PatientIdRule::Exact, &again)
        };
        assert_eq!(found(|facts| facts.study_description = "CT".into(), &["00081030"]), []);
        assert_eq!(found(|facts| facts.laterality = "R".into(), &["00200060"]), [IdentityChange::Laterality]);
        assert_eq!(found(|_| {}, &[PATIENT_ORIENTATION]), [IdentityChange::Laterality]);
        assert_eq!(found(|_| {}, &[ISSUER_OF_PATIENT_ID]), [IdentityChange::Patient]);
        assert_eq!(found(|facts| facts.study_uid = "1.3".into(), &["0020000D"]), [IdentityChange::Study]);
        assert_eq!(found(|facts| facts.accession_number = "A".into(), &["00080050"]), [IdentityChange::Study]);
    }
}
