//! Whoever tampers with the trail is found out.

use diesel::connection::SimpleConnection;
use dokuei_models::db::Flavour;
use dokuei_models::store::audit::{self, AuditFault, AuditQuery, LOOK_BACK, Span, Subject};
use dokuei_models::{Actor, Connection, Db, StoreError};

use super::databases::on_each;
use super::world::{actor, noon};

/// An intruder who owns the database takes the guards away first.
fn without_guards(conn: &mut Connection, sql: &str) -> Result<(), StoreError> {
    let (before, after) = match conn {
        Connection::Postgres(_) => (
            "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE audit_sealed DISABLE TRIGGER USER; ALTER TABLE audit_seals DISABLE TRIGGER USER;",
            "",
        ),
        Connection::Sqlite(_) => (
            "DROP TRIGGER IF EXISTS audit_never_update; DROP TRIGGER IF EXISTS audit_never_delete; \
             DROP TRIGGER IF EXISTS audit_sealed_never_delete; DROP TRIGGER IF EXISTS audit_seals_never_delete;",
            "",
        ),
    };
    conn.batch_execute(&format!("{before} {sql} {after}")).map_err(StoreError::from)
}

async fn three_sealed_rows(db: &Db) {
    for action in ["one", "two", "three"] {
        db.tx(move |conn| {
            audit::append_in_tx(conn, &actor(), action, Subject::none("test"), "done", "")?;
            audit::audit_seal_in_tx(conn, noon(), 100, Span::Recent).map(drop)
        })
        .await
        .unwrap();
    }
    assert_eq!(db.read(audit::audit_verify).await.unwrap(), []);
}

#[test]
fn a_changed_row_shows() {
    on_each(|db| async move {
        three_sealed_rows(&db).await;
        db.tx(|conn| without_guards(conn, "UPDATE audit SET action = 'other' WHERE id = 2;")).await.unwrap();
        assert_eq!(db.read(audit::audit_verify).await.unwrap(), [AuditFault::ChangedRow { id: 2 }]);
    });
}

#[test]
fn a_removed_row_shows_the_newest_included() {
    on_each(|db| async move {
        three_sealed_rows(&db).await;
        db.tx(|conn| without_guards(conn, "DELETE FROM audit WHERE id = 3;")).await.unwrap();
        let faults = db.read(audit::audit_verify).await.unwrap();
        assert!(faults.contains(&AuditFault::MissingRow { id: 3, seal: 3 }), "{faults:?}");
    });
}

#[test]
fn a_row_removed_with_its_seal_breaks_the_chain_or_the_exported_head() {
    on_each(|db| async move {
        three_sealed_rows(&db).await;
        let head = db.read(audit::audit_head).await.unwrap();
        let cut = "DELETE FROM audit_sealed WHERE audit_id = 2; DELETE FROM audit_seals WHERE id = 2; DELETE FROM audit WHERE id = 2;";
        db.tx(move |conn| without_guards(conn, cut)).await.unwrap();
        assert_eq!(db.read(audit::audit_verify).await.unwrap(), [AuditFault::BrokenSeal { seal: 3 }]);
        let tail = "DELETE FROM audit_sealed WHERE audit_id = 3; DELETE FROM audit_seals WHERE id = 3; DELETE FROM audit WHERE id = 3;";
        db.tx(move |conn| without_guards(conn, tail)).await.unwrap();
        assert_eq!(db.read(audit::audit_verify).await.unwrap(), [], "what is left agrees with itself");
        assert_ne!(db.read(audit::audit_head).await.unwrap(), head, "but not with the head that was exported");
    });
}

#[test]
fn every_column_is_under_the_hash() {
    on_each(|db| async move {
        let person = Actor::peer("HOSPITAL_A", "127.0.0.1", noon());
        db.tx(move |conn| {
            audit::append_in_tx(conn, &person, "x", Subject::row("case", 7, None), "done", "{}")?;
            audit::audit_seal_in_tx(conn, noon(), 10, Span::Recent).map(drop)
        })
        .await
        .unwrap();
        for column in ["actor", "action", "subject_kind", "outcome", "detail", "address"] {
            db.tx(move |conn| {
                without_guards(conn, &format!("UPDATE audit SET {column} = {column} || 'x' WHERE id = 1;"))
            })
            .await
            .unwrap();
            let faults = db.read(audit::audit_verify).await.unwrap();
            assert_eq!(faults, [AuditFault::ChangedRow { id: 1 }], "{column}");
            let cut = match db.flavour() {
                dokuei_models::db::Flavour::Postgres => {
                    format!("UPDATE audit SET {column} = left({column}, -1) WHERE id = 1;")
                }
                dokuei_models::db::Flavour::Sqlite => {
                    format!("UPDATE audit SET {column} = substr({column}, 1, length({column}) - 1) WHERE id = 1;")
                }
            };
            db.tx(move |conn| without_guards(conn, &cut)).await.unwrap();
            assert_eq!(db.read(audit::audit_verify).await.unwrap(), [], "{column}");
        }
    });
}

async fn sealed(db: &Db, span: Span) -> usize {
    db.tx(move |conn| audit::audit_seal_in_tx(conn, noon(), 100, span)).await.unwrap()
}

fn append(conn: &mut Connection, action: &str) -> Result<(), StoreError> {
    audit::append_in_tx(conn, &actor(), action, Subject::none("test"), "done", "")
}

/// How many rows no seal names.
async fn unsealed(db: &Db) -> i64 {
    use diesel::prelude::*;
    use dokuei_models::schema::{audit as rows, audit_sealed};
    db.read(|conn| {
        Ok(rows::table
            .left_join(audit_sealed::table.on(audit_sealed::audit_id.eq(rows::id)))
            .filter(audit_sealed::seal_id.is_null())
            .count()
            .get_result(conn)?)
    })
    .await
    .unwrap()
}

#[test]
fn a_slow_transaction_that_commits_a_lower_id_is_sealed_however_late() {
    on_each(|db| async move {
        // SQLite has one writer: an id is never shown after a higher one.
        if db.flavour() == Flavour::Sqlite {
            return;
        }
        append_and_commit(&db, "first").await;
        assert_eq!(sealed(&db, Span::Recent).await, 1);
        for (label, skipped, by_recent) in [("late", 0, 1), ("much later", LOOK_BACK + 5, 0)] {
            let (written, wait) = std::sync::mpsc::channel::<()>();
            let (go_on, held) = std::sync::mpsc::channel::<()>();
            let held = std::sync::Mutex::new(held);
            let slow = tokio::spawn({
                let db = db.clone();
                async move {
                    db.tx(move |conn| {
                        append(conn, "slow")?;
                        written.send(()).ok();
                        held.lock().unwrap().recv().ok();
                        Ok(())
                    })
                    .await
                }
            });
            tokio::task::spawn_blocking(move || wait.recv().unwrap()).await.unwrap();
            db.tx(move |conn| {
                Ok(conn.batch_execute(&format!(
                    "SELECT setval(pg_get_serial_sequence('audit', 'id'), (SELECT last_value FROM audit_id_seq) + {skipped})"
                ))?)
            })
            .await
            .unwrap();
            append_and_commit(&db, "quick").await;
            assert_eq!(sealed(&db, Span::Recent).await, 1, "{label}: the quick one, whose id is higher");
            go_on.send(()).unwrap();
            slow.await.unwrap().unwrap();
            assert_eq!(unsealed(&db).await, 1, "{label}");
            assert_eq!(sealed(&db, Span::Recent).await, by_recent, "{label}");
            assert_eq!(sealed(&db, Span::Whole).await, 1 - by_recent, "{label}");
            assert_eq!(unsealed(&db).await, 0, "{label}");
            assert_eq!(db.read(audit::audit_verify).await.unwrap(), [], "{label}");
        }
    });
}

async fn append_and_commit(db: &Db, action: &'static str) {
    db.tx(move |conn| append(conn, action)).await.unwrap();
}

#[test]
fn a_search_finds_what_was_typed_whatever_its_case_and_takes_no_sign_for_a_pattern() {
    on_each(|db| async move {
        let found = db
            .tx(|conn| {
                let peer = Actor::peer("HOSPITAL_A", "192.0.2.1", noon());
                audit::append_in_tx(conn, &peer, "association.refused", Subject::none("association"), "refused", "")?;
                let search = |conn: &mut Connection, actor: &str| {
                    let query = AuditQuery { actor: Some(actor.to_owned()), limit: 10, ..AuditQuery::default() };
                    Ok::<usize, StoreError>(audit::audit_search(conn, &query)?.len())
                };
                Ok([
                    search(conn, "hospital_a")?,
                    search(conn, "HOSPITAL_A")?,
                    search(conn, "hospital%")?,
                    search(conn, "h_spital")?,
                ])
            })
            .await
            .unwrap();
        assert_eq!(found, [1, 1, 0, 0]);
    });
}
