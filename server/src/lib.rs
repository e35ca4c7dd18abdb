//! Pages, API, services and background work: everything behind the binary `dokuei`.
//!
//! Three layers, one file name per noun in each: `http/cases.rs` parses,
//! authorises and renders; `app/cases.rs` decides; `dokuei_models::store::cases`
//! speaks SQL. A handler never sees the database, a store function never returns
//! an HTTP type. Authority is named in the handler's type (`authority`).
//! `boot` composes the roles out of services that share one [`state::State`].

pub mod app;
pub mod authority;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod error;
pub mod http;
pub mod state;
pub mod ui;
pub mod wake;
pub mod words;
pub mod work;
