//! The table of errors, one file per area. A new area: a file with `code_table! { … }`, a line here and one in [`all`].

pub mod accounts;
pub mod admin;
pub mod common;
pub mod dicomweb;
pub mod dispatch;
pub mod portal;
pub mod reading;

use super::Code;

/// Every code of every area.
pub fn all() -> Vec<&'static Code> {
    [common::ALL, accounts::ALL, admin::ALL, portal::ALL, dispatch::ALL, reading::ALL, dicomweb::ALL]
        .into_iter()
        .flatten()
        .copied()
        .collect()
}
