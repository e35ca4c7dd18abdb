//! Whoever tampers with the trail is found out.

use diesel::connection::SimpleConnection;
use dokuei_models::store::audit::{self, AuditFault, Subject};
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
            audit::audit_seal_in_tx(conn, noon(), 100).map(drop)
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
            audit::audit_seal_in_tx(conn, noon(), 10).map(drop)
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
