//! An instance that comes again with other bytes: what is taken, what waits, and what a person makes of it.

use diesel::prelude::*;
use dokuei_models::objects::KeptObject;
use dokuei_models::schema::{cases as case_table, instances, quarantine as quarantine_table};
use dokuei_models::state::{CaseEvent, CaseState, CaseStudyRole, case_apply_in_tx};
use dokuei_models::store::cases::{self, IDENTITY_CHANGED, IMAGE_CONFLICT};
use dokuei_models::store::images::{
    self, Again, AgainKept, Decision, Difference, InstanceFacts, Kept, KnownInstance, Standing,
};
use dokuei_models::store::quarantine::QuarantineOutcome;
use dokuei_models::store::{object_keys, quarantine, studies};
use dokuei_models::{CaseId, Connection, InstanceId, SiteId, StoreError, StudyId};

use super::databases::on_each;
use super::world::{self, actor, identity, noon};

fn facts(number: i32) -> InstanceFacts {
    InstanceFacts {
        identity: identity(),
        study_uid: "1.2.3".into(),
        series_uid: "1.2.3.1".into(),
        sop_instance_uid: format!("1.2.3.1.{number}"),
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        modality: "CT".into(),
        instance_number: Some(number),
        frames: 1,
        ..InstanceFacts::default()
    }
}

fn object(name: &str) -> KeptObject {
    KeptObject { key: format!("k/{name}"), sha256: name.into(), size: 10 }
}

fn other_patient(number: i32) -> InstanceFacts {
    let mut facts = facts(number);
    facts.identity.patient_id = "0021".into();
    facts
}

/// A study of two images in the world's case.
struct Begun {
    site: SiteId,
    case: CaseId,
    study: StudyId,
    ids: Vec<InstanceId>,
}

fn begin(conn: &mut Connection) -> Result<Begun, StoreError> {
    let case = world::make(conn)?.case;
    let site = cases::case_get(conn, case)?.site_id;
    let mut ids = Vec::new();
    for number in 1..=2 {
        match images::instance_keep_in_tx(conn, site, None, &facts(number), &object(&format!("old{number}")), noon())? {
            Kept::New(id) => ids.push(id),
            other => panic!("{other:?}"),
        }
    }
    let study = studies::instance_get(conn, ids[0])?.study_id;
    cases::case_study_add_in_tx(conn, case, study, CaseStudyRole::Current)?;
    case_apply_in_tx(conn, &actor(), case, &CaseEvent::Ready)?;
    Ok(Begun { site, case, study, ids })
}

fn again(
    conn: &mut Connection,
    site: SiteId,
    facts: InstanceFacts,
    name: &str,
    difference: Difference,
) -> Result<AgainKept, StoreError> {
    let known = match images::instance_keep_in_tx(conn, site, None, &facts, &object(name), noon())? {
        Kept::Known(known) => known,
        Kept::Repeat(id) => return Ok(AgainKept::Repeat(id)),
        other => panic!("{other:?}"),
    };
    let before = self::facts(facts.instance_number.unwrap());
    let changed = vec!["00100020".to_owned()];
    images::instance_again_in_tx(
        conn,
        site,
        None,
        &Again { known, before, facts, difference, changed },
        &object(name),
        noon(),
    )
}

fn standing(conn: &mut Connection, case: CaseId) -> Result<(CaseState, bool, bool), StoreError> {
    let row = cases::case_get(conn, case)?;
    Ok((row.state, row.has_flag(IDENTITY_CHANGED), row.has_flag(IMAGE_CONFLICT)))
}

#[test]
fn another_header_is_shown_at_once_and_the_older_one_is_kept() {
    on_each(|db| async move {
        db.tx(|conn| {
            let begun = begin(conn)?;
            let mut new = facts(1);
            new.study_description = "HEAD".into();
            new.series_uid = "1.2.3.7".into();
            let kept = again(conn, begun.site, new.clone(), "new1", Difference::Header)?;
            assert_eq!(kept, AgainKept::Renewed(begun.ids[0]));
            let row = studies::instance_get(conn, begun.ids[0])?;
            assert_eq!((row.sha256.as_str(), row.object_key.as_str()), ("new1", "k/new1"));
            let study = studies::study_get(conn, begun.study)?;
            assert_eq!((study.description.as_str(), study.instances, study.series), ("HEAD", 2, 2));
            assert_eq!(again(conn, begun.site, facts(1), "old1", Difference::Header)?, AgainKept::Repeat(begun.ids[0]));
            assert_eq!(again(conn, begun.site, new, "new1", Difference::Header)?, AgainKept::Repeat(begun.ids[0]));
            assert_eq!(standing(conn, begun.case)?, (CaseState::Ready, false, false));
            let named = object_keys::object_key_list_named(conn, &["k/old1".into(), "k/new1".into()])?;
            assert_eq!(named.len(), 2, "both are kept from the sweeper");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn another_patient_stops_the_case_until_a_person_decides_for_all_images_and_can_be_taken_back() {
    on_each(|db| async move {
        db.tx(|conn| {
            let begun = begin(conn)?;
            let study = begun.study;
            assert_eq!(
                again(conn, begun.site, other_patient(1), "new1", Difference::Header)?,
                AgainKept::Waits(begun.ids[0])
            );
            assert_eq!(standing(conn, begun.case)?, (CaseState::OnHold, true, false));
            assert_eq!(cases::case_get(conn, begun.case)?.hold_reason.as_deref(), Some(IDENTITY_CHANGED));
            assert_eq!(studies::instance_get(conn, begun.ids[0])?.sha256, "old1", "what was there is shown on");
            let waiting = |conn: &mut Connection| -> Result<Vec<i64>, StoreError> {
                let rows = images::version_list_of_study(conn, study)?;
                Ok(rows.iter().filter(|row| row.standing == Standing::Waiting).map(|row| row.id).collect())
            };
            again(conn, begun.site, other_patient(2), "new2", Difference::Header)?;
            let both = waiting(conn)?;
            images::versions_decide_in_tx(conn, &actor(), study, &both, Decision::Take, "corrected by the site")?;
            let row = studies::study_get(conn, study)?;
            assert_eq!(row.header_patient_id, "0021");
            assert_eq!(studies::instance_get(conn, begun.ids[0])?.sha256, "new1");
            // The request still names the other patient: the case stays with the dispatcher.
            assert_eq!(standing(conn, begun.case)?, (CaseState::OnHold, false, false));
            let again_decided = images::versions_decide_in_tx(conn, &actor(), study, &both, Decision::Keep, "late");
            assert!(matches!(again_decided, Err(StoreError::Repeat(_))));
            images::versions_undo_in_tx(conn, &actor(), study, &both)?;
            assert_eq!(studies::study_get(conn, study)?.header_patient_id, "0012");
            assert_eq!(studies::instance_get(conn, begun.ids[1])?.sha256, "old2");
            assert_eq!(standing(conn, begun.case)?, (CaseState::OnHold, true, false));
            let both = waiting(conn)?;
            images::versions_decide_in_tx(conn, &actor(), study, &both, Decision::Keep, "a mistake of the PACS")?;
            assert_eq!(standing(conn, begun.case)?, (CaseState::Ready, false, false), "the case goes on");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn taking_a_part_never_leaves_two_patients_in_one_study() {
    on_each(|db| async move {
        let mixed = db
            .tx(|conn| {
                let begun = begin(conn)?;
                again(conn, begun.site, other_patient(1), "new1", Difference::Header)?;
                let rows = images::version_list_of_study(conn, begun.study)?;
                let id = rows.iter().find(|row| row.standing == Standing::Waiting).unwrap().id;
                images::versions_decide_in_tx(conn, &actor(), begun.study, &[id], Decision::Take, "one of two")
            })
            .await;
        assert!(matches!(mixed, Err(StoreError::Conflict { state, .. }) if state == "mixed_patients"));
        let shown: i64 = db
            .read(|conn| Ok(instances::table.filter(instances::sha256.eq("new1")).count().get_result(conn)?))
            .await
            .unwrap();
        assert_eq!(shown, 0, "nothing of it happened");
    });
}

#[test]
fn other_pixels_are_kept_apart_and_marked_and_nothing_stops() {
    on_each(|db| async move {
        db.tx(|conn| {
            let begun = begin(conn)?;
            let kept = again(conn, begun.site, facts(1), "new1", Difference::Pixels)?;
            assert_eq!(kept, AgainKept::Waits(begun.ids[0]));
            assert_eq!(standing(conn, begun.case)?, (CaseState::Ready, false, true));
            let rows = images::version_list_of_study(conn, begun.study)?;
            let id = rows.iter().find(|row| row.standing == Standing::Waiting).unwrap().id;
            images::versions_decide_in_tx(conn, &actor(), begun.study, &[id], Decision::Take, "sent again, repaired")?;
            assert_eq!(studies::instance_get(conn, begun.ids[0])?.sha256, "new1");
            assert_eq!(standing(conn, begun.case)?, (CaseState::Ready, false, false));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn an_image_of_another_patient_in_a_known_study_is_kept_apart_and_the_case_stops_until_it_is_resolved() {
    on_each(|db| async move {
        db.tx(|conn| {
            let begun = begin(conn)?;
            let kept = images::instance_keep_in_tx(conn, begun.site, None, &other_patient(3), &object("new3"), noon())?;
            assert_eq!(kept, Kept::OtherPatient);
            assert_eq!(studies::study_get(conn, begun.study)?.instances, 2);
            assert_eq!(standing(conn, begun.case)?, (CaseState::OnHold, true, false));
            let id: i64 = quarantine_table::table.select(quarantine_table::id).first(conn)?;
            quarantine::quarantine_resolve_in_tx(conn, &actor(), id, QuarantineOutcome::Discarded, "sent by mistake")?;
            assert_eq!(standing(conn, begun.case)?, (CaseState::Ready, false, false));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn two_sites_with_one_uid_stay_separate_and_a_signed_case_is_marked() {
    on_each(|db| async move {
        db.tx(|conn| {
            let begun = begin(conn)?;
            let mut other = dokuei_models::store::sites::site_get(conn, begun.site)?;
            other.code = "b".into();
            let other = dokuei_models::store::sites::site_insert_in_tx(conn, &other)?;
            let kept = images::instance_keep_in_tx(conn, other, None, &other_patient(1), &object("theirs"), noon())?;
            assert!(matches!(kept, Kept::New(_)));
            diesel::update(case_table::table.find(begun.case))
                .set(case_table::state.eq(CaseState::Returned))
                .execute(conn)?;
            again(conn, begun.site, other_patient(1), "new1", Difference::Header)?;
            assert_eq!(standing(conn, begun.case)?, (CaseState::Returned, true, false));
            let stale = Again {
                known: KnownInstance { id: begun.ids[1], sha256: "gone".into(), size: 1, object_key: "k".into() },
                before: facts(2),
                facts: facts(2),
                difference: Difference::Header,
                changed: Vec::new(),
            };
            let stale = images::instance_again_in_tx(conn, begun.site, None, &stale, &object("new2"), noon());
            assert!(matches!(stale, Err(StoreError::Stale(_))), "what was compared with is not shown any more");
            Ok(())
        })
        .await
        .unwrap();
    });
}
