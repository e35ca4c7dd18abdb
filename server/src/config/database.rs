//! Where rows are kept.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `database.url` | `DATABASE_URL` | `sqlite://DIR/dokuei.sqlite3` | `postgres://...` or `sqlite://PATH`; separate roles need PostgreSQL |

use super::{Paths, Secret, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Database {
    pub url: Secret,
    /// Whether somebody set the address, or it is the embedded default.
    pub is_set: bool,
}

impl Database {
    pub(super) fn take(source: &mut Source, paths: &Paths) -> Self {
        let set: Option<Secret> = source.optional_named("database.url", "DATABASE_URL");
        let is_set = set.is_some();
        let embedded = || Secret::new(format!("sqlite://{}", paths.data.join("dokuei.sqlite3").display()));
        let database = Self { url: set.unwrap_or_else(embedded), is_set };
        let known = ["postgres://", "postgresql://", "sqlite://"];
        if !known.iter().any(|scheme| database.url.expose().starts_with(scheme)) {
            source.fault("database.url", "must begin with postgres:// or sqlite://");
        }
        database
    }

    /// Whether rows are in PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.expose().starts_with("postgres")
    }
}
