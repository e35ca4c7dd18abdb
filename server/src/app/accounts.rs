//! Signing in and out, who is asking, passwords, users and their grants.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::{api_tokens, grants, login_attempts, sessions, users};
use dokuei_models::{Actor, Connection, PoolId, SessionId, SiteId, StoreError, UserId};
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
    let now = state.now();
    let (name, place) = (login.clone(), address.to_owned());
    let (user, of_login, of_address) = state
        .db
        .read(move |connection| {
            let since = now - throttle::MEMORY;
            Ok((
                users::user_by_login(connection, &name)?,
                login_attempts::login_failures_of_login(connection, &name, since)?,
                login_attempts::login_failures_of_address(connection, &place, since)?,
            ))
        })
        .await?;
    let security = &state.config.security;
    let (free, most) = (security.login_free_attempts, security.login_wait_max_seconds);
    let wait = throttle::wait_seconds(of_login, free, most, now).max(throttle::wait_seconds(
        of_address,
        free.saturating_mul(throttle::ADDRESS_FACTOR),
        most,
        now,
    ));
    if wait > 0 {
        return Err(Error::new(&common::TOO_MANY_ATTEMPTS).with("seconds", wait).retry_after(wait));
    }
    let user = user.filter(|user| user.active);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let proved = state.passwords.proves(password, hash).await?;
    let Some(user) = user.filter(|_| proved) else {
        note_refusal(state, &login, address).await?;
        return Err(Error::new(&codes::LOGIN_REFUSED));
    };
    let token = begin_session(state, &user, address).await?;
    Ok(SignedInBrowser { token, user: user.id, language: user.language })
}

async fn note_refusal(state: &State, login: &str, address: &str) -> Result<()> {
    let (login, address, now) = (login.to_owned(), address.to_owned(), state.now());
    state
        .db
        .tx(move |connection| {
            login_attempts::login_attempt_insert_in_tx(connection, &login, &address, now, false)?;
            // What was typed as a name may be a password or a patient: it is not repeated in the trail.
            let actor = Actor { user: None, name: "anonymous".to_owned(), address: address.clone(), at: now };
            append_in_tx(connection, &actor, "session.begin", Subject::none("session"), "refused", "")
        })
        .await?;
    metrics::counter!("dokuei_logins_total", "outcome" => "refused").increment(1);
    Ok(())
}

async fn begin_session(state: &State, user: &users::User, address: &str) -> Result<String> {
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
            login_attempts::login_attempt_insert_in_tx(connection, &login, &session.address, now, true)?;
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
    let (id, login, now) = (person.id, person.login.clone(), state.now());
    let (user, failures) = state
        .db
        .read(move |connection| {
            let failures = login_attempts::login_failures_of_login(connection, &login, now - throttle::MEMORY)?;
            Ok((users::user_get(connection, id)?, failures))
        })
        .await?;
    let security = &state.config.security;
    let wait = throttle::wait_seconds(failures, security.login_free_attempts, security.login_wait_max_seconds, now);
    if wait > 0 {
        return Err(Error::new(&common::TOO_MANY_ATTEMPTS).with("seconds", wait).retry_after(wait));
    }
    let proved = state.passwords.proves(password, Some(user.password_hash)).await?;
    let (login, address) = (person.login.clone(), person.address.clone());
    state
        .db
        .tx(move |connection| login_attempts::login_attempt_insert_in_tx(connection, &login, &address, now, proved))
        .await?;
    if proved { Ok(()) } else { Err(Error::new(&codes::PASSWORD_WRONG)) }
}

/// Changes the person's own password and ends every other session.
///
/// # Errors
/// `form_invalid` with the fields `current` and `new` marked.
pub async fn change_password(state: &State, person: &Person, current: String, new: String) -> Result<()> {
    check_new_password(state, &person.login, &new)?;
    match prove_password(state, person, current).await {
        Err(error) if error.code() == &codes::PASSWORD_WRONG => {
            return Err(Error::new(&common::FORM_INVALID).field("current", &codes::PASSWORD_WRONG));
        }
        other => other?,
    }
    let hash = state.passwords.hash(new).await?;
    let (id, kept, actor) = (person.id, person.session(), person.actor(state.now()));
    state
        .db
        .tx(move |connection| {
            users::user_set_password_in_tx(connection, id, &hash)?;
            sessions::session_delete_of_user_in_tx(connection, id, kept)?;
            append_in_tx(connection, &actor, "user.password", Subject::row("user", id.0, None), "done", "")
        })
        .await?;
    Ok(())
}

/// # Errors
/// `form_invalid` with the field `new` marked.
pub fn check_new_password(state: &State, login: &str, new: &str) -> Result<()> {
    let fault = if new.chars().count() < state.config.security.password_min_length {
        &codes::PASSWORD_TOO_SHORT
    } else if new.to_lowercase() == login {
        &codes::PASSWORD_SAME_AS_LOGIN
    } else {
        return Ok(());
    };
    Err(Error::new(&common::FORM_INVALID).field("new", fault))
}

/// Sets the language (`ja`, `en`) and theme (`light`, `dark`, `auto`) of the person's screens.
///
/// # Errors
/// `bad_request` for anything else.
pub async fn set_screen(state: &State, person: &Person, language: &str, theme: &str) -> Result<()> {
    if words::language(language).is_none() || !["light", "dark", "auto"].contains(&theme) {
        return Err(Error::new(&common::BAD_REQUEST).with("reason", "language, theme"));
    }
    let (id, language, theme) = (person.id, language.to_owned(), theme.to_owned());
    state.db.tx(move |connection| users::user_set_screen_in_tx(connection, id, &language, &theme)).await?;
    Ok(())
}

/// What makes a new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The login name: 2 to 60 letters, digits, `.`, `-`, `_` or `@`; kept in lower case.
    pub login: String,
    /// Name in Japanese.
    pub name_ja: String,
    /// Name in kana, or empty.
    pub name_kana: String,
    /// Name in English, or empty.
    pub name_en: String,
    /// Mail address, or empty.
    pub email: String,
    /// `ja` or `en`.
    pub language: String,
    /// Roles with their scopes, in force from now on.
    pub grants: Vec<(Role, Scope)>,
}

/// Makes an account with a password. `by` is the doer of the audit rows.
///
/// # Errors
/// `user_invalid`, `login_taken`, `form_invalid` for the password.
pub async fn create(state: &State, account: NewAccount, password: String, by: Actor) -> Result<UserId> {
    let login = account.login.trim().to_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    if !(2..=60).contains(&login.len()) || !login.chars().all(legal) {
        return Err(Error::new(&codes::USER_INVALID).with("reason", "login"));
    }
    if account.name_ja.trim().is_empty() || words::language(&account.language).is_none() {
        return Err(Error::new(&codes::USER_INVALID).with("reason", "name, language"));
    }
    let reaches =
        |(role, scope): &(Role, Scope)| role.is_of_a_site() == matches!(scope, Scope::Site(_)) || !role.is_of_a_site();
    if !account.grants.iter().all(reaches) {
        return Err(Error::new(&codes::USER_INVALID).with("reason", "site"));
    }
    check_new_password(state, &login, &password)?;
    let hash = state.passwords.hash(password).await?;
    let now = state.now();
    let user = users::NewUser {
        login: login.clone(),
        name_ja: account.name_ja.trim().to_owned(),
        name_kana: account.name_kana.trim().to_owned(),
        name_en: account.name_en.trim().to_owned(),
        email: account.email.trim().to_owned(),
        password_hash: hash,
        language: account.language.clone(),
        theme: "auto".to_owned(),
        active: true,
        created_at: now,
        version: 1,
    };
    let made = state
        .db
        .tx(move |connection| {
            if users::user_by_login(connection, &user.login)?.is_some() {
                return Ok(None);
            }
            let id = users::user_insert_in_tx(connection, &user)?;
            append_in_tx(connection, &by, "user.create", Subject::row("user", id.0, None), "done", "")?;
            for (role, scope) in &account.grants {
                give_in_tx(connection, id, *role, *scope, &by)?;
            }
            Ok(Some(id))
        })
        .await?;
    made.ok_or_else(|| Error::new(&codes::LOGIN_TAKEN).with("login", login))
}

/// Gives a role within a transaction, with its audit row.
///
/// # Errors
/// Only the database's own.
pub fn give_in_tx(
    connection: &mut Connection,
    user: UserId,
    role: Role,
    scope: Scope,
    by: &Actor,
) -> Result<(), StoreError> {
    let (site_id, pool_id): (Option<SiteId>, Option<PoolId>) = match scope {
        Scope::All => (None, None),
        Scope::Site(site) => (Some(site), None),
        Scope::Pool(pool) => (None, Some(pool)),
    };
    let grant = grants::NewGrant {
        user_id: user,
        role: role.code().to_owned(),
        site_id,
        pool_id,
        from_at: by.at,
        to_at: None,
        given_by: by.user,
    };
    let id = grants::grant_insert_in_tx(connection, &grant)?;
    append_in_tx(connection, by, "grant.give", Subject::row("grant", id, site_id), "done", role.code())
}

/// Sets another person's password (an administrator at the command line) and ends all sessions of that person.
///
/// # Errors
/// `not_found` for an unknown login name, `form_invalid` for the password.
pub async fn reset_password(state: &State, login: &str, password: String, by: Actor) -> Result<()> {
    let login = login.trim().to_lowercase();
    check_new_password(state, &login, &password)?;
    let hash = state.passwords.hash(password).await?;
    state
        .db
        .tx(move |connection| {
            let user = users::user_by_login(connection, &login)?.ok_or(StoreError::NotFound("the user"))?;
            users::user_set_password_in_tx(connection, user.id, &hash)?;
            sessions::session_delete_of_user_in_tx(connection, user.id, None)?;
            append_in_tx(connection, &by, "user.password", Subject::row("user", user.id.0, None), "done", "")
        })
        .await?;
    Ok(())
}

/// Lets a person sign in or no longer; ends the sessions of one who may not.
///
/// # Errors
/// `not_found`, `last_administrator`.
pub async fn set_active(state: &State, login: &str, active: bool, by: Actor) -> Result<()> {
    let login = login.trim().to_lowercase();
    let last = state
        .db
        .tx(move |connection| {
            let user = users::user_by_login(connection, &login)?.ok_or(StoreError::NotFound("the user"))?;
            let administrator = Role::Administrator.code();
            let is_one =
                grants::grant_list_in_force(connection, user.id, by.at)?.iter().any(|g| g.role == administrator);
            if !active && is_one && grants::grant_count_of_role(connection, administrator, by.at)? <= 1 {
                return Ok(true);
            }
            users::user_set_active_in_tx(connection, user.id, active)?;
            if !active {
                sessions::session_delete_of_user_in_tx(connection, user.id, None)?;
            }
            let action = if active { "user.activate" } else { "user.deactivate" };
            append_in_tx(connection, &by, action, Subject::row("user", user.id.0, None), "done", "")?;
            Ok(false)
        })
        .await?;
    if last { Err(Error::new(&codes::LAST_ADMINISTRATOR)) } else { Ok(()) }
}

/// Makes an API token in the user's name and returns it; it cannot be shown again.
///
/// # Errors
/// Only the database's own.
pub async fn create_token(
    state: &State,
    user: UserId,
    name: &str,
    expires_at: Option<NaiveDateTime>,
    by: Actor,
) -> Result<String> {
    let token = format!("dokuei_{}", state.chance.token());
    let row = api_tokens::NewApiToken {
        user_id: user,
        name: name.to_owned(),
        token_hash: token_hash(&token),
        created_at: state.now(),
        expires_at,
    };
    state
        .db
        .tx(move |connection| {
            let id = api_tokens::api_token_insert_in_tx(connection, &row)?;
            append_in_tx(connection, &by, "api_token.create", Subject::row("api_token", id, None), "done", "")
        })
        .await?;
    Ok(token)
}

/// The id of the session whose cookie this is, where it is in force; for streams that must end with it.
///
/// # Errors
/// Only the database's own.
pub async fn session_still_there(state: &State, session: SessionId) -> Result<bool> {
    let now = state.now();
    let found = state.db.read(move |connection| sessions::session_get(connection, session)).await?;
    Ok(found.is_some_and(|session| session.expires_at > now))
}
