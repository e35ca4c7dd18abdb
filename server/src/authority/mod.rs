//! Who may do what.
//!
//! A *role* is given to a person by a grant (with a scope and dates). A *right*
//! is what a handler needs; [`rights`] says which roles confer it. The right is
//! named in the handler's type: its first parameter is [`Allowed<R>`], or
//! [`Anyone`] where no account is needed, and a route whose handler begins with
//! anything else does not compile (`http::routes`). The written matrix of roles
//! and routes is a test.
//!
//! A grant's scope reaches one site, one pool or everything: [`Reach`]. What
//! lies outside is *not found*, never *not allowed*.

mod extract;
mod person;
pub mod rights;
mod scope;

pub use extract::{Allowed, Anyone, Authority, Monitor, Node, SignedIn, bearer, same};
pub use person::{Grant, Person, Through};
pub use rights::{Right, Role};
pub use scope::{Reach, Scope};
