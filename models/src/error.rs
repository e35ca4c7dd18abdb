//! What a store function can fail with.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failed store call. Messages never hold patient data or SQL values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such row, or none that the caller may know of.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// The change was made before: nothing happened now, and the caller may treat it as done.
    #[error("{0} was already done")]
    Repeat(&'static str),
    /// Somebody else changed the row meanwhile, or its state does not allow the change.
    #[error("{what}: not possible from state {state}")]
    Conflict {
        /// The change that was refused.
        what: &'static str,
        /// The state the row is in.
        state: String,
    },
    /// The row was changed since the caller read it.
    #[error("{0} was changed by somebody else meanwhile")]
    Stale(&'static str),
    /// A rule over several rows was broken (unique or foreign key).
    #[error("{0}")]
    Rule(String),
    /// The transaction lost a race and may be run again.
    #[error("the database asked to try again")]
    TryAgain,
    /// The database cannot be reached or has no room.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A stored value is not what this version understands.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// Anything else the database said.
    #[error("the database refused: {0}")]
    Database(String),
}

impl StoreError {
    /// Whether running the same transaction again may succeed.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::TryAgain)
    }

    /// A failed insert whose caller looked before for a row with the same key: somebody was first between the two, so
    /// that the transaction is run again and finds it.
    pub(crate) fn of_insert(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::TryAgain,
            other => other.into(),
        }
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound("the row"),
            DieselError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Rule(format!(
                    "a row with the same key exists already ({})",
                    info.constraint_name().or(info.table_name()).unwrap_or("unique rule")
                )),
                DatabaseErrorKind::ForeignKeyViolation => {
                    Self::Rule("a row that it refers to does not exist".to_owned())
                }
                DatabaseErrorKind::SerializationFailure => Self::TryAgain,
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::Unavailable("the connection was closed".to_owned())
                }
                _ => {
                    let message = info.message();
                    if message.contains("deadlock") || message.contains("database is locked") {
                        Self::TryAgain
                    } else if message.contains("disk is full") || message.contains("No space left") {
                        Self::Unavailable("no room is left on the disk".to_owned())
                    } else {
                        Self::Database(message.to_owned())
                    }
                }
            },
            DieselError::DeserializationError(error) => Self::Damaged(error.to_string()),
            other => Self::Database(other.to_string()),
        }
    }
}

impl From<dokuei_terms::UnknownTerm> for StoreError {
    fn from(error: dokuei_terms::UnknownTerm) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Turns "no row" into [`StoreError::NotFound`] with the noun's name.
pub trait OrNotFound<T> {
    /// Names what was looked for.
    fn or_not_found(self, what: &'static str) -> Result<T, StoreError>;
}

impl<T> OrNotFound<T> for Result<T, DieselError> {
    fn or_not_found(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| match error {
            DieselError::NotFound => StoreError::NotFound(what),
            other => other.into(),
        })
    }
}
