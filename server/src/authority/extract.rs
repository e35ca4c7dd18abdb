//! Authority as the first parameter of a handler.
//!
//! The outermost middleware (`http::door`) has already found out who is asking
//! and left a [`Person`] with the request; here it is only compared with what
//! the handler's type names. No database is asked.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use super::{Person, Reach, Right, Role};
use crate::error::{Error, codes};
use crate::state::State;

/// What the first parameter of every handler is: it says who may come in.
pub trait Authority: FromRequest {
    /// The name in the table of routes: a right's, `anyone`, `signed_in` or `monitor`.
    const NEEDS: &'static str;
    /// The roles that may come in; `None` where it is not a matter of roles.
    const ROLES: Option<&'static [Role]>;
}

/// A person who has the right `R`.
pub struct Allowed<R: Right> {
    person: Rc<Person>,
    right: PhantomData<R>,
}

impl<R: Right> Allowed<R> {
    /// How far the right reaches for this person.
    pub fn reach(&self) -> Reach {
        self.person.reach::<R>()
    }

    /// The person.
    pub fn person(&self) -> &Person {
        &self.person
    }
}

impl<R: Right> Deref for Allowed<R> {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

impl<R: Right> FromRequest for Allowed<R> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match person_of(request) {
            None => Err(Error::new(&codes::common::SIGN_IN_FIRST)),
            Some(person) if person.has::<R>() => Ok(Self { person, right: PhantomData }),
            Some(_) => Err(Error::new(&codes::common::NOT_ALLOWED).with("right", R::NAME)),
        })
    }
}

impl<R: Right> Authority for Allowed<R> {
    const NEEDS: &'static str = R::NAME;
    const ROLES: Option<&'static [Role]> = Some(R::ROLES);
}

/// Anybody with an account, whatever the role.
pub struct SignedIn(Rc<Person>);

impl Deref for SignedIn {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.0
    }
}

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(person_of(request).map(Self).ok_or_else(|| Error::new(&codes::common::SIGN_IN_FIRST)))
    }
}

impl Authority for SignedIn {
    const NEEDS: &'static str = "signed_in";
    const ROLES: Option<&'static [Role]> = Some(&Role::ALL);
}

/// Everybody, signed in or not. No page with patient data begins with this.
pub struct Anyone(pub Option<Rc<Person>>);

impl FromRequest for Anyone {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(person_of(request))))
    }
}

impl Authority for Anyone {
    const NEEDS: &'static str = "anyone";
    const ROLES: Option<&'static [Role]> = None;
}

/// The monitoring system: a caller on loopback (not through a proxy), or one that has `http.metrics_token`.
pub struct Monitor;

impl FromRequest for Monitor {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let direct = !request.headers().contains_key("x-forwarded-for") && !request.headers().contains_key("forwarded");
        let local = direct && request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
        let wanted = request.app_data::<State>().and_then(|state| state.config.http.metrics_token.as_ref());
        let given = bearer(request);
        let known = matches!((wanted, given), (Some(wanted), Some(given)) if same(wanted.expose(), given));
        ready(if local || known { Ok(Self) } else { Err(Error::not_found()) })
    }
}

impl Authority for Monitor {
    const NEEDS: &'static str = "monitor";
    const ROLES: Option<&'static [Role]> = None;
}

/// Another process of this installation: one that has `objects.node_token`. Without that setting there is none.
pub struct Node;

impl FromRequest for Node {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let wanted = request.app_data::<State>().and_then(|state| state.config.objects.node_token.as_ref());
        let given = bearer(request);
        let known = matches!((wanted, given), (Some(wanted), Some(given)) if same(wanted.expose(), given));
        ready(if known { Ok(Self) } else { Err(Error::not_found()) })
    }
}

impl Authority for Node {
    const NEEDS: &'static str = "node";
    const ROLES: Option<&'static [Role]> = None;
}

/// The token of `Authorization: Bearer`.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0u8, |differ, (a, b)| differ | (a ^ b)) == 0
}

fn person_of(request: &HttpRequest) -> Option<Rc<Person>> {
    request.extensions().get::<Rc<Person>>().cloned()
}
