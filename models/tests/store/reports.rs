//! Drafts, signed versions and worklists.

use dokuei_models::objects::KeptObject;
use dokuei_models::state::{
    AssignedRead, CaseEvent, HoldActor, ReadEvent, ReadKind, VersionState, case_apply_in_tx, read_apply_in_tx,
    read_assign_in_tx,
};
use dokuei_models::store::reports::{self, DraftText};
use dokuei_models::store::withdrawals::{self, WithdrawalRow};
use dokuei_models::store::{artefacts, cases, reads, signing_keys, worklists};
use dokuei_models::{Connection, ReadId, ReaderId, StoreError};

use super::databases::on_each;
use super::world::{self, World, actor, noon};

fn text(seen: i32, findings: &str) -> DraftText {
    DraftText { seen, findings: findings.to_owned(), impression: "異常なし".to_owned() }
}

fn assign(conn: &mut Connection, read: ReadId, reader: ReaderId, place: i32) -> Result<(), StoreError> {
    let seen_version = reads::read_get(conn, read)?.version;
    let item =
        AssignedRead { read, seen_version, reader, plan: None, place_in_list: place, explanation: String::new() };
    read_assign_in_tx(conn, &actor(), &item)
}

fn ready(conn: &mut Connection) -> Result<World, StoreError> {
    let world = world::make(conn)?;
    case_apply_in_tx(conn, &actor(), world.case, &CaseEvent::Ready)?;
    assign(conn, world.read, world.readers[0], 10)?;
    Ok(world)
}

#[test]
fn two_windows_cannot_overwrite_each_other() {
    on_each(|db| async move {
        let world = db.tx(ready).await.unwrap();
        let (read, reader, user) = (world.read, world.readers[0], world.user);
        let save = |seen, words: &'static str| {
            let db = db.clone();
            async move {
                db.tx(move |conn| reports::draft_save_in_tx(conn, read, reader, user, &text(seen, words), noon())).await
            }
        };
        assert_eq!(save(0, "first window").await.unwrap().revision, 1);
        assert_eq!(save(0, "second window").await.unwrap_err(), StoreError::Stale("the draft"));
        assert_eq!(save(1, "first window again").await.unwrap().revision, 2);
        let kept = db.read(move |conn| reports::draft_of_read(conn, read)).await.unwrap().unwrap();
        assert_eq!((kept.findings.as_str(), kept.number), ("first window again", 1));
        assert!(db.read(move |conn| reports::draft_exists(conn, read)).await.unwrap());
    });
}

#[test]
fn a_draft_outlives_its_reader_and_the_next_one_goes_on_with_it() {
    on_each(|db| async move {
        let world = db.tx(ready).await.unwrap();
        let (read, [first, second], user) = (world.read, world.readers, world.user);
        let report = db
            .tx(move |conn| {
                read_apply_in_tx(conn, &actor(), read, &ReadEvent::Start { reader: first })?;
                reports::draft_save_in_tx(conn, read, first, user, &text(0, "begun"), noon())?;
                let back = ReadEvent::GiveBack { reader: first, reason: "tired".to_owned() };
                read_apply_in_tx(conn, &actor(), read, &back)?;
                assign(conn, read, second, 10)?;
                reports::draft_save_in_tx(conn, read, second, user, &text(1, "begun, finished"), noon())?;
                reports::report_of_read(conn, read)
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!(report.reader_id, second);
    });
}

#[test]
fn only_the_revision_that_was_typeset_becomes_the_signed_version() {
    on_each(|db| async move {
        let world = db.tx(ready).await.unwrap();
        let (read, reader, user) = (world.read, world.readers[0], world.user);
        let draft = db
            .tx(move |conn| {
                let draft = reports::draft_save_in_tx(conn, read, reader, user, &text(0, "a"), noon())?;
                reports::draft_save_in_tx(conn, read, reader, user, &text(1, "b"), noon())?;
                Ok(draft)
            })
            .await
            .unwrap();
        let sign = |revision| {
            let db = db.clone();
            async move {
                db.tx(move |conn| {
                    let becomes = VersionState::Final;
                    reports::version_sign_in_tx(conn, draft.id, revision, becomes, "", user, noon())?;
                    let object = KeptObject { key: "reports/ab/abc".into(), sha256: "abc".into(), size: 3 };
                    artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &object, noon())
                })
                .await
            }
        };
        let draft = reports_of(&db, read).await;
        assert_eq!(draft.revision, 2);
        assert_eq!(sign(1).await.unwrap_err(), StoreError::Stale("the draft"));
        sign(2).await.unwrap();
        assert_eq!(sign(2).await.unwrap_err(), StoreError::Stale("the draft"), "a signed version is not signed again");
        let (_, signed) = db.read(move |conn| reports::version_get(conn, draft.id)).await.unwrap();
        assert_eq!((signed.state, signed.signed_by, signed.signed_at), (VersionState::Final, Some(user), Some(noon())));
        let pdf =
            db.read(move |conn| artefacts::artefact_of_kind(conn, draft.id, artefacts::PDF)).await.unwrap().unwrap();
        assert_eq!(pdf.sha256, "abc");
        assert!(!db.read(move |conn| reports::draft_exists(conn, read)).await.unwrap());
    });
}

async fn reports_of(db: &dokuei_models::Db, read: ReadId) -> reports::VersionRow {
    db.read(move |conn| reports::draft_of_read(conn, read)).await.unwrap().unwrap()
}

#[test]
fn a_reopened_case_writes_the_next_version_of_the_same_report() {
    on_each(|db| async move {
        let world = db.tx(ready).await.unwrap();
        let (read, reader, user, case) = (world.read, world.readers[0], world.user, world.case);
        let (first, next) = db
            .tx(move |conn| {
                let draft = reports::draft_save_in_tx(conn, read, reader, user, &text(0, "a"), noon())?;
                reports::version_sign_in_tx(conn, draft.id, 1, VersionState::Final, "", user, noon())?;
                let again = cases::read_create_in_tx(conn, &actor(), case, 2, ReadKind::Reopened, 2.0)?;
                let next = reports::draft_open_in_tx(conn, again, reader, user, "late images", noon())?;
                assert_eq!(reports::draft_open_in_tx(conn, again, reader, user, "", noon())?.id, next.id);
                assert!(!reports::draft_exists(conn, again)?, "an empty draft holds no words");
                Ok((draft, next))
            })
            .await
            .unwrap();
        assert_eq!((next.report_id, next.number, next.reason.as_str()), (first.report_id, 2, "late images"));
        let versions = db.read(move |conn| reports::version_list_of_case(conn, case)).await.unwrap();
        assert_eq!(versions.len(), 2);
    });
}

#[test]
fn a_worklist_has_the_begun_first_then_the_plans_order_then_what_waits_for_a_site() {
    on_each(|db| async move {
        let world = db.tx(ready).await.unwrap();
        let (case, reader, user) = (world.case, world.readers[0], world.user);
        let order = db
            .tx(move |conn| {
                let mut made = Vec::new();
                for (number, place) in [(2, 5), (3, 20), (4, 1)] {
                    let read = cases::read_create_in_tx(conn, &actor(), case, number, ReadKind::Third, 5.0)?;
                    assign(conn, read, reader, place)?;
                    made.push(read);
                }
                read_apply_in_tx(conn, &actor(), made[1], &ReadEvent::Start { reader })?;
                let list = worklists::worklist(conn, reader)?;
                assert_eq!(list[0].parts.len(), 1);
                assert_eq!(list[0].site_en, "Invented Hospital");
                assert_eq!(worklists::worklist(conn, world.readers[1])?.len(), 0);
                Ok((list.iter().map(|row| row.read.id).collect::<Vec<_>>(), made))
            })
            .await
            .unwrap();
        let (list, made) = order;
        assert_eq!(list, [made[1], made[2], made[0], world.read]);

        let held = db
            .tx(move |conn| {
                let back = ReadEvent::GiveBack { reader, reason: "asked_site".to_owned() };
                read_apply_in_tx(conn, &actor(), made[1], &back)?;
                reads::read_prefer_in_tx(conn, made[1], Some(reader))?;
                let hold = CaseEvent::Hold { reason: "question".into(), actor: HoldActor::Site, until: noon() };
                case_apply_in_tx(conn, &actor(), case, &hold)?;
                let list = worklists::worklist(conn, reader)?;
                assert!(list.iter().all(|row| row.read.frozen));
                let _ = user;
                Ok(list.iter().any(|row| row.read.id == made[1]))
            })
            .await
            .unwrap();
        assert!(held, "what was asked about stays in sight");
    });
}

#[test]
fn a_reader_signs_with_one_key_at_a_time() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        let reader = world.readers[0];
        let first = db
            .tx(move |conn| signing_keys::signing_key_add_in_tx(conn, reader, "PEM 1", b"sealed", noon()))
            .await
            .unwrap();
        db.tx(move |conn| signing_keys::signing_key_revoke_in_tx(conn, first, noon())).await.unwrap();
        let again = db.tx(move |conn| signing_keys::signing_key_revoke_in_tx(conn, first, noon())).await;
        assert!(matches!(again, Err(StoreError::Repeat(_))));
        db.tx(move |conn| signing_keys::signing_key_add_in_tx(conn, reader, "PEM 2", b"\0\xffsealed", noon()))
            .await
            .unwrap();
        let kept = db.read(move |conn| signing_keys::signing_key_of(conn, reader)).await.unwrap().unwrap();
        assert_eq!((kept.certificate_pem.as_str(), kept.sealed_key.as_slice()), ("PEM 2", b"\0\xffsealed".as_slice()));
        assert!(!format!("{kept:?}").contains("sealed"));
    });
}

#[test]
fn a_withdrawal_is_written_once_and_never_changes_and_leaves_the_version_as_it_was() {
    on_each(|db| async move {
        let (case, version, user) = db
            .tx(|conn| {
                let world = world::make(conn)?;
                let draft = reports::draft_open_in_tx(conn, world.read, world.readers[0], world.user, "", noon())?;
                reports::version_sign_in_tx(conn, draft.id, 0, VersionState::Final, "", world.user, noon())?;
                Ok((world.case, draft.id, world.user))
            })
            .await
            .unwrap();
        let in_force = || db.read(move |conn| withdrawals::version_list_in_force(conn, case));
        assert_eq!(in_force().await.unwrap(), [version]);
        let row =
            WithdrawalRow { report_version_id: version, reason: "取り違え".into(), by_user_id: user, at: noon() };
        let add = || {
            let row = row.clone();
            db.tx(move |conn| withdrawals::withdrawal_add_in_tx(conn, &row))
        };
        add().await.unwrap();
        add().await.expect_err("a version is withdrawn once");
        assert_eq!(in_force().await.unwrap(), []);
        let list = db.read(move |conn| withdrawals::withdrawal_list(conn, case)).await.unwrap();
        assert_eq!(list, std::slice::from_ref(&row));
        let kept = db.read(move |conn| reports::version_get(conn, version)).await.unwrap().1;
        assert_eq!(kept.state, VersionState::Final);
        for sql in ["UPDATE withdrawals SET reason = 'x'", "DELETE FROM withdrawals"] {
            let changed = db.tx(move |conn| Ok(diesel::connection::SimpleConnection::batch_execute(conn, sql)?)).await;
            changed.expect_err("a withdrawal never changes");
        }
    });
}
