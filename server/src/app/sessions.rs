//! Signing in and out, and who is asking.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::{api_tokens, grants, login_attempts, sessions, users};
use dokuei_models::{Actor, Connection, SessionId, StoreError, UserId};
use sha2::{Digest as _, Sha256};

use super::throttle;
use crate::authority::{Grant, Person, Role, Scope, Through};
use crate::error::codes::{accounts as codes, common};
use crate::error::{Error, Result};
use crate::state::State;
use crate::words;

/// How stale "last seen" may be before it is written again.
const SEEN_EVERY: TimeDelta = TimeDelta::seconds(60);

/// What the browser is given after signing in.
pub struct SignedInBrowser {
    /// The cookie's value. Only its hash is kept.
    pub token: String,
    /// Who it is.
    pub user: UserId,
    /// The language chosen.
    pub language: String,
}

/// SHA-256 in hexadecimal: what rows hold of a token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Signs a person in, from `address`.
///
/// # Errors
/// `too_many_attempts` while the name or the address must wait (no password is looked at then), `login_refused`
/// for a wrong name or password or an inactive user, which look and last the same.
pub async fn sign_in(state: &State, login: &str, password: String, address: &str) -> Result<SignedInBrowser> {
    let login = login.trim().to_lowercase();
    let attempt = begin_attempt(state, &login, address).await?;
    let user = state.db.read(move |connection| users::user_by_login(connection, &login)).await?;
    let user = user.filter(|user| user.active);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let proved = state.passwords.proves(password, hash).await?;
    let Some(user) = user.filter(|_| proved) else {
        note_refusal(state, address).await?;
        return Err(Error::new(&codes::LOGIN_REFUSED));
    };
    let token = begin_session(state, &user, address, attempt).await?;
    Ok(SignedInBrowser { token, user: user.id, language: user.language })
}

/// Counts an attempt before the password is looked at: a thousand guesses sent at once are a thousand attempts.
///
/// # Errors
/// `too_many_attempts` while the name or the address must wait; nothing is counted then.
async fn begin_attempt(state: &State, login: &str, address: &str) -> Result<i64> {
    let (login, address, now) = (login.to_owned(), address.to_owned(), state.now());
    let (free, most) = (state.config.security.login_free_attempts, state.config.security.login_wait_max_seconds);
    let begun = state
        .db
        .tx(move |connection| {
            let since = now - throttle::MEMORY;
            let of_login = login_attempts::login_failures_of_login(connection, &login, since)?;
            let of_address = login_attempts::login_failures_of_address(connection, &address, since)?;
            let free_of_address = free.saturating_mul(throttle::ADDRESS_FACTOR);
            let wait = throttle::wait_seconds(of_login, free, most, now).max(throttle::wait_seconds(
                of_address,
                free_of_address,
                most,
                now,
            ));
            if wait > 0 {
                return Ok(Err(wait));
            }
            login_attempts::login_attempt_begin_in_tx(connection, &login, &address, now).map(Ok)
        })
        .await?;
    begun.map_err(|wait| Error::new(&common::TOO_MANY_ATTEMPTS).with("seconds", wait).retry_after(wait))
}

async fn note_refusal(state: &State, address: &str) -> Result<()> {
    // What was typed as a name may be a password or a patient: it is not repeated in the trail.
    let actor = Actor { user: None, name: "anonymous".to_owned(), address: address.to_owned(), at: state.now() };
    state
        .db
        .tx(move |connection| {
            append_in_tx(connection, &actor, "session.begin", Subject::none("session"), "refused", "")
        })
        .await?;
    metrics::counter!("dokuei_logins_total", "outcome" => "refused").increment(1);
    Ok(())
}

async fn begin_session(state: &State, user: &users::User, address: &str, attempt: i64) -> Result<String> {
    let token = state.chance.token();
    let now = state.now();
    let session = sessions::NewSession {
        user_id: user.id,
        token_hash: token_hash(&token),
        csrf_token: state.chance.token(),
        address: address.to_owned(),
        created_at: now,
        seen_at: now,
        expires_at: now + TimeDelta::hours(i64::from(state.config.security.session_hours)),
    };
    let login = user.login.clone();
    let idle_since = now - TimeDelta::minutes(i64::from(state.config.security.session_idle_minutes));
    state
        .db
        .tx(move |connection| {
            sessions::session_sweep_in_tx(connection, now, idle_since)?;
            login_attempts::login_attempt_sweep_in_tx(connection, now - throttle::MEMORY)?;
            login_attempts::login_attempt_succeeded_in_tx(connection, attempt)?;
            let id = sessions::session_insert_in_tx(connection, &session)?;
            let actor = Actor::person(session.user_id, &login, &session.address, now);
            append_in_tx(connection, &actor, "session.begin", Subject::row("session", id.0, None), "done", "")
        })
        .await?;
    metrics::counter!("dokuei_logins_total", "outcome" => "done").increment(1);
    Ok(token)
}

/// Ends the person's session.
///
/// # Errors
/// Only the database's own.
pub async fn sign_out(state: &State, person: &Person) -> Result<()> {
    let Some(session) = person.session() else { return Ok(()) };
    let actor = person.actor(state.now());
    state
        .db
        .tx(move |connection| {
            sessions::session_delete_in_tx(connection, session)?;
            append_in_tx(connection, &actor, "session.end", Subject::row("session", session.0, None), "done", "")
        })
        .await?;
    Ok(())
}

/// Who has the session of this cookie, if it is in force.
///
/// # Errors
/// Only the database's own.
pub async fn person_of_session(state: &State, token: &str, address: &str) -> Result<Option<Person>> {
    let hash = token_hash(token);
    let now = state.now();
    let idle = TimeDelta::minutes(i64::from(state.config.security.session_idle_minutes));
    let address = address.to_owned();
    let found = state
        .db
        .read(move |connection| {
            let Some(session) = sessions::session_in_force(connection, &hash, now, now - idle)? else {
                return Ok(None);
            };
            let through = Through::Session { id: session.id, csrf: session.csrf_token };
            let person = person_get(connection, session.user_id, now, through, &address)?;
            Ok(person.map(|person| (person, session.id, session.seen_at)))
        })
        .await?;
    let Some((person, session, seen_at)) = found else { return Ok(None) };
    if now - seen_at > SEEN_EVERY {
        state.db.tx(move |connection| sessions::session_seen_in_tx(connection, session, now)).await?;
    }
    Ok(Some(person))
}

/// In whose name this API token is, if it is in force.
///
/// # Errors
/// Only the database's own.
pub async fn person_of_token(state: &State, token: &str, address: &str) -> Result<Option<Person>> {
    let hash = token_hash(token);
    let now = state.now();
    let address = address.to_owned();
    let found = state
        .db
        .read(move |connection| {
            let Some(token) = api_tokens::api_token_in_force(connection, &hash, now)? else { return Ok(None) };
            let person = person_get(connection, token.user_id, now, Through::Token { id: token.id }, &address)?;
            Ok(person.map(|person| (person, token.id, token.used_at)))
        })
        .await?;
    let Some((person, id, used_at)) = found else { return Ok(None) };
    if used_at.is_none_or(|used_at| now - used_at > SEEN_EVERY) {
        state.db.tx(move |connection| api_tokens::api_token_used_in_tx(connection, id, now)).await?;
    }
    Ok(Some(person))
}

fn person_get(
    connection: &mut Connection,
    user: UserId,
    now: NaiveDateTime,
    through: Through,
    address: &str,
) -> Result<Option<Person>, StoreError> {
    let user = users::user_get(connection, user)?;
    if !user.active {
        return Ok(None);
    }
    let grants = grants::grant_list_in_force(connection, user.id, now)?;
    Ok(Some(Person {
        id: user.id,
        login: user.login,
        name_ja: user.name_ja,
        name_en: user.name_en,
        language: words::language(&user.language).unwrap_or_default(),
        theme: user.theme,
        grants: grants.iter().filter_map(grant_of).collect(),
        through,
        address: address.to_owned(),
    }))
}

/// A row's grant; a role that this version does not know gives nothing, and a site's role without its site neither.
fn grant_of(row: &grants::Grant) -> Option<Grant> {
    let role = Role::of(&row.role)?;
    let scope = match (row.site_id, row.pool_id) {
        (Some(site), _) => Scope::Site(site),
        (None, Some(pool)) => Scope::Pool(pool),
        (None, None) => Scope::All,
    };
    (!role.is_of_a_site() || matches!(scope, Scope::Site(_))).then_some(Grant { role, scope })
}

/// Proves the person's password once more (before a password change, or to open signing).
///
/// # Errors
/// `password_wrong`, or `too_many_attempts` after too many.
pub async fn prove_password(state: &State, person: &Person, password: String) -> Result<()> {
    let attempt = begin_attempt(state, &person.login, &person.address).await?;
    let id = person.id;
    let user = state.db.read(move |connection| users::user_get(connection, id)).await?;
    if !state.passwords.proves(password, Some(user.password_hash)).await? {
        return Err(Error::new(&codes::PASSWORD_WRONG));
    }
    state.db.tx(move |connection| login_attempts::login_attempt_succeeded_in_tx(connection, attempt)).await?;
    Ok(())
}

/// Whether the session still is there; for streams that must end with it.
///
/// # Errors
/// Only the database's own.
pub async fn session_still_there(state: &State, session: SessionId) -> Result<bool> {
    let now = state.now();
    let found = state.db.read(move |connection| sessions::session_get(connection, session)).await?;
    Ok(found.is_some_and(|session| session.expires_at > now))
}
