//! A delivery goes only legal ways, and a case is returned when nothing required is owed.

use chrono::TimeDelta;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{DeliveryContent, DeliveryKind, DeliveryState, VersionState};
use dokuei_models::store::deliveries::{self, AfterFailure, NewDelivery};
use dokuei_models::store::withdrawals::{self, WithdrawalRow};
use dokuei_models::store::{artefacts, recipients, reports, signed_versions};
use dokuei_models::{CaseId, Connection, Db, DeliveryId, ReportVersionId, StoreError, UserId};

use super::databases::on_each;
use super::world::{self, actor, noon};

async fn signed(db: &Db) -> (CaseId, ReportVersionId, UserId) {
    db.tx(|conn| {
        let world = world::make(conn)?;
        let draft = reports::draft_open_in_tx(conn, world.read, world.readers[0], world.user, "", noon())?;
        reports::version_sign_in_tx(conn, draft.id, 0, VersionState::Final, "", world.user, noon())?;
        let object = KeptObject { key: "reports/aa/aa".into(), sha256: "aa".into(), size: 4 };
        artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &object, noon())?;
        Ok((world.case, draft.id, world.user))
    })
    .await
    .unwrap()
}

async fn owe(db: &Db, case: CaseId, version: ReportVersionId, required: bool) -> DeliveryId {
    let new = NewDelivery {
        content: DeliveryContent::Report,
        case,
        version,
        kind: DeliveryKind::Dicom,
        endpoint: None,
        destination: "PACS".into(),
        required,
        at: noon(),
    };
    db.tx(move |conn| deliveries::delivery_create_in_tx(conn, &new)).await.unwrap()
}

async fn tx<T: Send + 'static>(
    db: &Db,
    change: impl Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    db.tx(change).await
}

async fn fail(db: &Db, delivery: DeliveryId, after: AfterFailure) -> Result<(), StoreError> {
    tx(db, move |conn| deliveries::delivery_failed_in_tx(conn, &actor(), delivery, "文。\nA sentence.", after)).await
}

async fn begin(db: &Db, delivery: DeliveryId, minutes: i64) -> bool {
    let at = noon() + TimeDelta::minutes(minutes);
    tx(db, move |conn| deliveries::delivery_begin_in_tx(conn, delivery, at)).await.unwrap().is_some()
}

#[test]
fn a_delivery_is_sent_again_until_a_person_decides() {
    on_each(|db| async move {
        let (case, version, _) = signed(&db).await;
        let delivery = owe(&db, case, version, true).await;
        let early = fail(&db, delivery, AfterFailure::Dead).await.unwrap_err();
        assert!(matches!(early, StoreError::Conflict { .. }), "what was not being sent cannot fail: {early}");

        assert!(begin(&db, delivery, 0).await);
        assert!(begin(&db, delivery, 0).await, "a worker that died is followed by another");
        fail(&db, delivery, AfterFailure::Again(noon() + TimeDelta::minutes(5))).await.unwrap();
        assert!(!begin(&db, delivery, 4).await, "not before its time");
        assert!(begin(&db, delivery, 5).await);
        fail(&db, delivery, AfterFailure::Wait(noon() + TimeDelta::minutes(10))).await.unwrap();
        let row = db.read(move |conn| deliveries::delivery_get(conn, delivery)).await.unwrap();
        assert_eq!((row.state, row.attempts), (DeliveryState::Pending, 2), "waiting for a setting is no try");

        assert!(begin(&db, delivery, 10).await);
        fail(&db, delivery, AfterFailure::Dead).await.unwrap();
        assert!(!begin(&db, delivery, 999).await, "a dead one is left alone");
        let dead = db.read(|conn| deliveries::delivery_list_dead(conn, 10)).await.unwrap();
        assert_eq!(dead.iter().map(|one| one.delivery.id).collect::<Vec<_>>(), [delivery]);

        tx(&db, move |conn| deliveries::delivery_retry_in_tx(conn, &actor(), delivery)).await.unwrap();
        let again = tx(&db, move |conn| deliveries::delivery_retry_in_tx(conn, &actor(), delivery)).await.unwrap_err();
        assert!(matches!(again, StoreError::Repeat(_)), "{again}");
        let early = tx(&db, move |conn| deliveries::delivery_give_up_in_tx(conn, &actor(), delivery, "x")).await;
        assert!(matches!(early, Err(StoreError::Conflict { .. })), "only a dead one is given up");
        assert!(begin(&db, delivery, 10).await);
        tx(&db, move |conn| deliveries::delivery_done_in_tx(conn, &actor(), delivery)).await.unwrap();
        let twice = tx(&db, move |conn| deliveries::delivery_done_in_tx(conn, &actor(), delivery)).await.unwrap_err();
        assert!(matches!(twice, StoreError::Repeat(_)), "{twice}");
    });
}

#[test]
fn a_case_is_done_when_each_required_delivery_is_delivered_or_given_up() {
    on_each(|db| async move {
        let (case, version, _) = signed(&db).await;
        let done =
            |db: Db| async move { db.read(move |conn| deliveries::delivery_all_done(conn, case)).await.unwrap() };
        assert!(!done(db.clone()).await, "nothing was delivered to anybody");
        let (one, two, notice) = (
            owe(&db, case, version, true).await,
            owe(&db, case, version, true).await,
            owe(&db, case, version, false).await,
        );
        for delivery in [one, two] {
            assert!(begin(&db, delivery, 0).await);
        }
        tx(&db, move |conn| deliveries::delivery_done_in_tx(conn, &actor(), one)).await.unwrap();
        assert!(!done(db.clone()).await);
        fail(&db, two, AfterFailure::Dead).await.unwrap();
        assert!(!done(db.clone()).await, "a dead one is still owed");
        tx(&db, move |conn| deliveries::delivery_give_up_in_tx(conn, &actor(), two, "廃止された装置")).await.unwrap();
        assert!(done(db.clone()).await, "the notice by mail is not required");
        let row = db.read(move |conn| deliveries::delivery_get(conn, notice)).await.unwrap();
        assert_eq!(row.state, DeliveryState::Pending);
    });
}

#[test]
fn opened_accepted_and_acted_on_are_three_facts_written_once() {
    on_each(|db| async move {
        let (case, version, user) = signed(&db).await;
        let accept = move |conn: &mut Connection| recipients::recipient_accepted_in_tx(conn, &actor(), version, user);
        let stranger = tx(&db, accept).await.unwrap_err();
        assert!(matches!(stranger, StoreError::NotFound(_)), "who was not named leaves no fact: {stranger}");
        for _ in 0..2 {
            tx(&db, move |conn| recipients::recipient_add_in_tx(conn, case, version, user, noon())).await.unwrap();
        }
        let open = move |conn: &mut Connection| recipients::recipient_opened_in_tx(conn, &actor(), version, user);
        assert!(tx(&db, open).await.unwrap());
        assert!(!tx(&db, open).await.unwrap(), "the first time counts");
        let rows = db.read(move |conn| recipients::recipient_list(conn, &[case])).await.unwrap();
        assert_eq!(rows.len(), 1, "named once");
        assert!(rows[0].opened_at.is_some() && rows[0].accepted_at.is_none() && rows[0].acted_at.is_none());
        tx(&db, accept).await.unwrap();
        assert!(matches!(tx(&db, accept).await, Err(StoreError::Repeat(_))));
        tx(&db, move |conn| recipients::recipient_acted_in_tx(conn, &actor(), version, user, "再検査")).await.unwrap();
        let rows = db.read(move |conn| recipients::recipient_list(conn, &[case])).await.unwrap();
        assert!(rows[0].accepted_at.is_some() && rows[0].acted_note == "再検査");
    });
}

#[test]
fn a_draft_is_never_among_the_signed_versions() {
    on_each(|db| async move {
        let (case, version, user) = signed(&db).await;
        let read = db
            .tx(move |conn| {
                let read = dokuei_models::store::reads::read_list_of_case(conn, case)?[0].clone();
                let reader = dokuei_models::store::readers::reader_of_user(conn, user)?.unwrap();
                reports::draft_open_in_tx(conn, read.id, reader.id, user, "追記", noon())
            })
            .await
            .unwrap();
        let signed = db.read(move |conn| signed_versions::signed_version_list(conn, &[case])).await.unwrap();
        assert_eq!(signed.iter().map(|one| one.id).collect::<Vec<_>>(), [version]);
        let draft = db.read(move |conn| signed_versions::signed_version_get(conn, read.id)).await;
        assert!(matches!(draft, Err(StoreError::NotFound(_))));
    });
}

/// The worst moment: a report of the wrong patient is on its way while it is withdrawn.
#[test]
fn a_report_that_was_being_sent_when_it_was_withdrawn_is_not_sent_again() {
    on_each(|db| async move {
        let (case, version, user) = signed(&db).await;
        let (failing, orphaned) = (owe(&db, case, version, true).await, owe(&db, case, version, true).await);
        assert!(begin(&db, failing, 0).await && begin(&db, orphaned, 0).await);
        let row =
            WithdrawalRow { report_version_id: version, reason: "別の患者".into(), by_user_id: user, at: noon() };
        tx(&db, move |conn| withdrawals::withdrawal_add_in_tx(conn, &row.clone())).await.unwrap();
        tx(&db, move |conn| deliveries::delivery_stop_in_tx(conn, &actor(), case, "report_withdrawn")).await.unwrap();
        fail(&db, failing, AfterFailure::Again(noon())).await.unwrap();
        assert!(!begin(&db, failing, 1).await, "it is not tried again");
        assert!(!begin(&db, orphaned, 1).await, "nor is one whose worker died");
        for delivery in [failing, orphaned] {
            let row = db.read(move |conn| deliveries::delivery_get(conn, delivery)).await.unwrap();
            assert_eq!((row.state, row.given_up_reason.as_deref()), (DeliveryState::GivenUp, Some("report_withdrawn")));
        }
        // The notice itself goes.
        let notice = NewDelivery {
            content: DeliveryContent::Withdrawal,
            case,
            version,
            kind: DeliveryKind::Dicom,
            endpoint: None,
            destination: "PACS".into(),
            required: true,
            at: noon(),
        };
        let notice = tx(&db, move |conn| deliveries::delivery_create_in_tx(conn, &notice)).await.unwrap();
        assert!(db.read(move |conn| deliveries::notice_is_owed(conn, case)).await.unwrap());
        assert!(begin(&db, notice, 0).await);
        tx(&db, move |conn| deliveries::delivery_done_in_tx(conn, &actor(), notice)).await.unwrap();
        assert!(!db.read(move |conn| deliveries::notice_is_owed(conn, case)).await.unwrap());
    });
}
