//! A site withdraws images: hidden at once, the case stops, and both go back.

use dokuei_models::objects::KeptObject;
use dokuei_models::state::{CaseEvent, CaseState, CaseStudyRole, case_apply_in_tx};
use dokuei_models::store::cases::{self, IMAGES_WITHDRAWN};
use dokuei_models::store::images::{
    self, InstanceFacts, Kept, Rejection, Withdraw, WithdrawalCause, image_withdrawal_list,
    image_withdrawal_undo_in_tx, images_withdraw_in_tx, withdrawn_catch_up_in_tx,
};
use dokuei_models::store::studies;
use dokuei_models::{CaseId, Connection, InstanceId, SiteId, StoreError, StudyId};

use super::databases::on_each;
use super::world::{self, actor, noon};

fn begin(conn: &mut Connection) -> Result<(SiteId, CaseId, StudyId, Vec<InstanceId>), StoreError> {
    let case = world::make(conn)?.case;
    let site = cases::case_get(conn, case)?.site_id;
    let mut ids = Vec::new();
    for number in 1..=3 {
        match world::instance(conn, site, "1.2.3", &format!("1.2.3.{number}"), &format!("{number:064}"))? {
            Kept::New(id) => ids.push(id),
            other => panic!("{other:?}"),
        }
    }
    let study = studies::instance_get(conn, ids[0])?.study_id;
    cases::case_study_add_in_tx(conn, case, study, CaseStudyRole::Current)?;
    case_apply_in_tx(conn, &actor(), case, &CaseEvent::Ready)?;
    Ok((site, case, study, ids))
}

fn withdraw(site: SiteId, cause: WithdrawalCause, instances: &[&str]) -> Withdraw {
    Withdraw {
        site,
        study_uid: "1.2.3".into(),
        cause,
        note: "wrong side".into(),
        rejection: None,
        instances: instances.iter().map(|uid| (*uid).to_owned()).collect(),
    }
}

#[test]
fn what_is_withdrawn_is_hidden_and_the_case_stops_until_it_is_taken_back() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (site, case, study, ids) = begin(conn)?;
            let one = images_withdraw_in_tx(conn, &actor(), &withdraw(site, WithdrawalCause::Site, &["1.2.3.1"]))?;
            let both = withdraw(site, WithdrawalCause::Quality, &["1.2.3.1", "1.2.3.2"]);
            let two = images_withdraw_in_tx(conn, &actor(), &both)?;
            assert_eq!(studies::study_get(conn, study)?.instances, 1);
            assert!(studies::instance_get(conn, ids[0]).is_err());
            let row = cases::case_get(conn, case)?;
            assert_eq!((row.state, row.hold_reason.as_deref()), (CaseState::OnHold, Some(IMAGES_WITHDRAWN)));
            assert!(row.has_flag(IMAGES_WITHDRAWN));
            image_withdrawal_undo_in_tx(conn, &actor(), two)?;
            assert!(studies::instance_get(conn, ids[0]).is_err(), "the other withdrawal stands");
            assert!(studies::instance_get(conn, ids[1]).is_ok());
            assert_eq!(cases::case_get(conn, case)?.state, CaseState::OnHold);
            assert!(matches!(image_withdrawal_undo_in_tx(conn, &actor(), two), Err(StoreError::Repeat(_))));
            image_withdrawal_undo_in_tx(conn, &actor(), one)?;
            let row = cases::case_get(conn, case)?;
            assert_eq!((row.state, row.has_flag(IMAGES_WITHDRAWN)), (CaseState::Ready, false));
            assert_eq!(studies::study_get(conn, study)?.instances, 3);
            let gone =
                images_withdraw_in_tx(conn, &actor(), &withdraw(site, WithdrawalCause::Retention, &["1.2.3.3"]))?;
            assert!(matches!(
                image_withdrawal_undo_in_tx(conn, &actor(), gone),
                Err(StoreError::Conflict { state, .. }) if state == "retention"
            ));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_rejection_note_hides_what_it_names_also_what_comes_after_it() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (site, case, study, ids) = begin(conn)?;
            let facts = InstanceFacts {
                identity: world::identity(),
                study_uid: "1.2.3".into(),
                series_uid: "1.2.3.900".into(),
                sop_instance_uid: "1.2.3.900.1".into(),
                sop_class_uid: "1.2.840.10008.5.1.4.1.1.88.59".into(),
                modality: "KO".into(),
                rejection: Some(Rejection {
                    cause: WithdrawalCause::PatientSafety,
                    instances: vec!["1.2.3.2".into(), "1.2.3.9".into()],
                }),
                ..InstanceFacts::default()
            };
            let object = KeptObject { key: "k/note".into(), sha256: "note".into(), size: 10 };
            let kept = images::instance_keep_in_tx(conn, site, None, &facts, &object, noon())?;
            let Kept::New(note) = kept else { panic!("{kept:?}") };
            assert!(studies::instance_get(conn, ids[1]).is_err());
            assert_eq!(cases::case_get(conn, case)?.state, CaseState::OnHold);
            let row = image_withdrawal_list(conn, site, "1.2.3")?.remove(0);
            assert_eq!(
                (row.cause, row.rejection_id, row.by_user_id),
                (WithdrawalCause::PatientSafety, Some(note), None)
            );
            world::instance(conn, site, "1.2.3", "1.2.3.9", &format!("{:064}", 9))?;
            let study_row = studies::study_get(conn, study)?;
            assert_eq!(study_row.instances, 4);
            assert!(withdrawn_catch_up_in_tx(conn, &actor(), &study_row)?);
            assert_eq!(studies::study_get(conn, study)?.instances, 3);
            assert!(!withdrawn_catch_up_in_tx(conn, &actor(), &study_row)?, "once");
            Ok(())
        })
        .await
        .unwrap();
    });
}
