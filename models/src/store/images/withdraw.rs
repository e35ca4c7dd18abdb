//! A site withdraws images: they are hidden at once, open cases stop, signed ones are marked.
//!
//! Withdrawn UIDs are kept with or without an image behind them, so that one
//! that arrives later is hidden too ([`withdrawn_catch_up_in_tx`]). Nothing is
//! deleted; a withdrawal can be taken back.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::{instances_hide_in_tx, instances_show_in_tx, warn};
use crate::actor::Actor;
use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{InstanceId, SiteId, StudyId, UserId};
use crate::schema::{image_withdrawals, instances, studies, withdrawn_images};
use crate::store::audit::{self, Subject};
use crate::store::cases::IMAGES_WITHDRAWN;
use crate::store::studies::StudyRow;

codes! {
    /// Why images are withdrawn. The first four are titles of a rejection note (PS3.16 CID 7011; IHE RAD TF-2, IOCM).
    WithdrawalCause {
        /// 113001 DCM, Rejected for Quality Reasons.
        Quality => "quality",
        /// 113037 DCM, Rejected for Patient Safety Reasons.
        PatientSafety => "patient_safety",
        /// 113038 DCM, Incorrect Modality Worklist Entry.
        WorklistEntry => "worklist_entry",
        /// 113039 DCM, Data Retention Policy Expired.
        Retention => "retention",
        /// A person of the site gave a reason in words.
        Site => "site",
    }
}

impl WithdrawalCause {
    /// The cause of a document title with the coding scheme DCM.
    pub fn of_title(code_value: &str) -> Option<Self> {
        match code_value {
            "113001" => Some(Self::Quality),
            "113037" => Some(Self::PatientSafety),
            "113038" => Some(Self::WorklistEntry),
            "113039" => Some(Self::Retention),
            _ => None,
        }
    }
}

/// A rejection note's content: a Key Object Selection whose title rejects (PS3.3 C.17.6.2, IHE IOCM).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rejection {
    /// Why.
    pub cause: WithdrawalCause,
    /// SOP Instance UIDs that it rejects.
    pub instances: Vec<String>,
}

/// Images to be withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// The site whose images they are.
    pub site: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Why.
    pub cause: WithdrawalCause,
    /// More in the person's words.
    pub note: String,
    /// The rejection note, if one said so.
    pub rejection: Option<InstanceId>,
    /// SOPInstanceUIDs, here or not yet.
    pub instances: Vec<String>,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = image_withdrawals)]
pub struct ImageWithdrawalRow {
    /// The row's id.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Why.
    pub cause: WithdrawalCause,
    /// More in the person's words.
    pub note: String,
    /// The person; none for a rejection note.
    pub by_user_id: Option<UserId>,
    /// The rejection note.
    pub rejection_id: Option<InstanceId>,
    /// When.
    pub at: NaiveDateTime,
    /// When it was taken back.
    pub undone_at: Option<NaiveDateTime>,
    /// By whom.
    pub undone_by: Option<UserId>,
}

/// Withdraws images of a study; gives the withdrawal's id.
///
/// # Errors
/// What the database says.
pub fn images_withdraw_in_tx(conn: &mut Connection, actor: &Actor, what: &Withdraw) -> Result<i64, StoreError> {
    let id: i64 = diesel::insert_into(image_withdrawals::table)
        .values((
            image_withdrawals::site_id.eq(what.site),
            image_withdrawals::study_uid.eq(&what.study_uid),
            image_withdrawals::cause.eq(what.cause),
            image_withdrawals::note.eq(&what.note),
            image_withdrawals::by_user_id.eq(actor.user),
            image_withdrawals::rejection_id.eq(what.rejection),
            image_withdrawals::at.eq(actor.at),
        ))
        .returning(image_withdrawals::id)
        .get_result(conn)?;
    let here: Vec<(InstanceId, String, StudyId)> = instances::table
        .filter(instances::site_id.eq(what.site))
        .filter(instances::sop_instance_uid.eq_any(&what.instances))
        .select((instances::id, instances::sop_instance_uid, instances::study_id))
        .load(conn)?;
    for uid in &what.instances {
        let instance = here.iter().find(|(_, of, _)| of == uid).map(|(id, ..)| *id);
        diesel::insert_into(withdrawn_images::table)
            .values((
                withdrawn_images::withdrawal_id.eq(id),
                withdrawn_images::site_id.eq(what.site),
                withdrawn_images::sop_instance_uid.eq(uid),
                withdrawn_images::instance_id.eq(instance),
            ))
            .execute(conn)?;
    }
    let ids: Vec<InstanceId> = here.iter().map(|(id, ..)| *id).collect();
    for study in instances_hide_in_tx(conn, &ids, actor.at)? {
        // Somebody looks at once: what is read may be wrong.
        warn::stop_in_tx(conn, actor, study, IMAGES_WITHDRAWN, actor.at)?;
    }
    let detail = serde_json::json!({ "cause": what.cause, "images": what.instances.len() }).to_string();
    let subject = Subject::row("image_withdrawal", id, Some(what.site));
    audit::append_in_tx(conn, actor, "image.withdraw", subject, "done", &detail)?;
    Ok(id)
}

/// Takes a withdrawal back: what no other withdrawal hides is shown again, and the cases go on.
///
/// # Errors
/// [`StoreError::Repeat`] when it was taken back before; [`StoreError::Conflict`] `retention` when the time for which the
/// images may be kept has run out.
pub fn image_withdrawal_undo_in_tx(conn: &mut Connection, actor: &Actor, id: i64) -> Result<(), StoreError> {
    let row = image_withdrawal_get(conn, id)?;
    if row.cause == WithdrawalCause::Retention {
        return Err(StoreError::Conflict { what: "image_withdrawal_undo", state: "retention".to_owned() });
    }
    let changed = diesel::update(image_withdrawals::table.find(id).filter(image_withdrawals::undone_at.is_null()))
        .set((image_withdrawals::undone_at.eq(Some(actor.at)), image_withdrawals::undone_by.eq(actor.user)))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Repeat("the withdrawal's end"));
    }
    let uids: Vec<String> = withdrawn_images::table
        .filter(withdrawn_images::withdrawal_id.eq(id))
        .select(withdrawn_images::sop_instance_uid)
        .load(conn)?;
    let still = standing(conn, row.site_id, &uids)?;
    let ids: Vec<InstanceId> = instances::table
        .filter(instances::site_id.eq(row.site_id))
        .filter(instances::sop_instance_uid.eq_any(uids.iter().filter(|uid| !still.contains(uid)).collect::<Vec<_>>()))
        .select(instances::id)
        .load(conn)?;
    for study in instances_show_in_tx(conn, &ids)? {
        withdrawn_settle_in_tx(conn, actor, study)?;
    }
    let subject = Subject::row("image_withdrawal", id, Some(row.site_id));
    audit::append_in_tx(conn, actor, "image.withdraw_undo", subject, "done", "")
}

/// The flag goes from the study's cases, and a hold that stood for it ends, where no withdrawal of their studies stands.
fn withdrawn_settle_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<(), StoreError> {
    warn::go_on_in_tx(conn, actor, study, IMAGES_WITHDRAWN, |conn, of| {
        let (site, uid): (SiteId, String) =
            studies::table.find(of).select((studies::site_id, studies::study_uid)).first(conn)?;
        Ok(image_withdrawal_list(conn, site, &uid)?.iter().any(|row| row.undone_at.is_none()))
    })
}

/// Which of these UIDs a withdrawal that stands names.
fn standing(conn: &mut Connection, site: SiteId, uids: &[String]) -> Result<Vec<String>, StoreError> {
    Ok(withdrawn_images::table
        .inner_join(image_withdrawals::table.on(image_withdrawals::id.eq(withdrawn_images::withdrawal_id)))
        .filter(withdrawn_images::site_id.eq(site))
        .filter(withdrawn_images::sop_instance_uid.eq_any(uids))
        .filter(image_withdrawals::undone_at.is_null())
        .select(withdrawn_images::sop_instance_uid)
        .load(conn)?)
}

/// Hides what came after it was withdrawn. Gives whether anything was.
///
/// # Errors
/// What the database says.
pub fn withdrawn_catch_up_in_tx(conn: &mut Connection, actor: &Actor, study: &StudyRow) -> Result<bool, StoreError> {
    let named = image_withdrawal_list(conn, study.site_id, &study.study_uid)?;
    if named.iter().all(|row| row.undone_at.is_some()) {
        return Ok(false);
    }
    let shown: Vec<(InstanceId, String)> = instances::table
        .filter(instances::study_id.eq(study.id))
        .filter(instances::hidden_at.is_null())
        .select((instances::id, instances::sop_instance_uid))
        .load(conn)?;
    let uids: Vec<String> = shown.iter().map(|(_, uid)| uid.clone()).collect();
    let still = standing(conn, study.site_id, &uids)?;
    let ids: Vec<InstanceId> = shown.iter().filter(|(_, uid)| still.contains(uid)).map(|(id, _)| *id).collect();
    let hidden = !instances_hide_in_tx(conn, &ids, actor.at)?.is_empty();
    if hidden {
        warn::stop_in_tx(conn, actor, study.id, IMAGES_WITHDRAWN, actor.at)?;
    }
    Ok(hidden)
}

/// One withdrawal.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn image_withdrawal_get(conn: &mut Connection, id: i64) -> Result<ImageWithdrawalRow, StoreError> {
    image_withdrawals::table.find(id).select(ImageWithdrawalRow::as_select()).first(conn).or_not_found("the withdrawal")
}

/// The withdrawals of a study's images, newest first.
///
/// # Errors
/// What the database says.
pub fn image_withdrawal_list(
    conn: &mut Connection,
    site: SiteId,
    study_uid: &str,
) -> Result<Vec<ImageWithdrawalRow>, StoreError> {
    Ok(image_withdrawals::table
        .filter(image_withdrawals::site_id.eq(site))
        .filter(image_withdrawals::study_uid.eq(study_uid))
        .order(image_withdrawals::id.desc())
        .select(ImageWithdrawalRow::as_select())
        .load(conn)?)
}

/// How many images a withdrawal names, and how many of them are here.
///
/// # Errors
/// What the database says.
pub fn image_withdrawal_count(conn: &mut Connection, id: i64) -> Result<(i64, i64), StoreError> {
    let of = withdrawn_images::table.filter(withdrawn_images::withdrawal_id.eq(id));
    let all = of.count().get_result(conn)?;
    let here = withdrawn_images::table
        .filter(withdrawn_images::withdrawal_id.eq(id))
        .filter(withdrawn_images::instance_id.is_not_null())
        .count()
        .get_result(conn)?;
    Ok((all, here))
}
