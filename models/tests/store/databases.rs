//! A fresh database of each kind for one test.

use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection};
use dokuei_models::Db;
use dokuei_models::db::DatabaseUrl;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A database that is gone when this is dropped.
pub struct Fresh {
    pub db: Db,
    pub name: &'static str,
    _folder: tempfile::TempDir,
}

/// SQLite always; PostgreSQL too where a server is named. Without one the tests say so, or fail where it is required.
pub fn each() -> Vec<Fresh> {
    let mut fresh = vec![sqlite()];
    match std::env::var("DOKUEI_TEST_POSTGRES_URL") {
        Ok(url) => fresh.push(postgres(&url)),
        Err(_) if std::env::var("DOKUEI_TEST_PEERS").as_deref() == Ok("required") => {
            panic!("DOKUEI_TEST_POSTGRES_URL is not set, but DOKUEI_TEST_PEERS=required");
        }
        Err(_) => eprintln!("PostgreSQL is NOT tested: DOKUEI_TEST_POSTGRES_URL is not set"),
    }
    fresh
}

pub fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("test.sqlite3"))).unwrap();
    Fresh { db, name: "sqlite", _folder: folder }
}

fn postgres(server: &str) -> Fresh {
    let name = format!("models_{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let mut admin = PgConnection::establish(server).expect("DOKUEI_TEST_POSTGRES_URL answers");
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name}; ")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (base, query) =
        server.split_once('?').map_or((server, String::new()), |(base, query)| (base, format!("?{query}")));
    let base = base.rsplit_once('/').map_or(base, |(base, _)| base);
    let db = Db::open(&DatabaseUrl::Postgres(format!("{base}/{name}{query}"))).unwrap();
    Fresh { db, name: "postgres", _folder: tempfile::tempdir().unwrap() }
}

/// Runs one test body on each database.
pub fn on_each<F, Fut>(body: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for fresh in each() {
        eprintln!("on {}", fresh.name);
        runtime.block_on(body(fresh.db.clone()));
    }
}
