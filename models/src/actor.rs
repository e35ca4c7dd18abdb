//! Who does something, from where, and when.

use chrono::NaiveDateTime;

use crate::ids::UserId;

/// The doer of a change or a view. Goes into every event and audit row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, if it is one.
    pub user: Option<UserId>,
    /// `user:LOGIN`, `ae:TITLE` or `system:PART`. Never a patient's name.
    pub name: String,
    /// The network address it came from; empty for the system.
    pub address: String,
    /// When it happens (UTC).
    pub at: NaiveDateTime,
}

impl Actor {
    /// A part of the system acting by itself, e.g. `planner`.
    pub fn system(part: &str, at: NaiveDateTime) -> Self {
        Self { user: None, name: format!("system:{part}"), address: String::new(), at }
    }

    /// A DICOM peer.
    pub fn peer(ae_title: &str, address: &str, at: NaiveDateTime) -> Self {
        Self { user: None, name: format!("ae:{ae_title}"), address: address.to_owned(), at }
    }

    /// A person.
    pub fn person(user: UserId, login: &str, address: &str, at: NaiveDateTime) -> Self {
        Self { user: Some(user), name: format!("user:{login}"), address: address.to_owned(), at }
    }
}
