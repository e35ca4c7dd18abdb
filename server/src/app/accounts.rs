//! Users: making them, their passwords, grants, tokens, and what they chose for the screen.

use chrono::NaiveDateTime;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::{api_tokens, grants, sessions, users};
use dokuei_models::{Actor, Connection, PoolId, SiteId, StoreError, UserId};

use super::sessions::{prove_password, token_hash};
use crate::authority::{Person, Role, Scope};
use crate::error::codes::{accounts as codes, common};
use crate::error::{Error, Result};
use crate::state::State;
use crate::words;

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

/// A password that is easy to type and hard to guess: four groups of four, 80 bits.
pub fn random_password(state: &State) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0u8; 16];
    state.chance.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
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

/// Whether a text can be a login name: 2 to 60 letters, digits, `.`, `-`, `_` or `@`.
pub fn is_login(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
    (2..=60).contains(&text.len()) && text.chars().all(legal)
}

/// Makes an account with a password. `by` is the doer of the audit rows.
///
/// # Errors
/// `user_invalid`, `login_taken`, `form_invalid` for the password.
pub async fn create(state: &State, account: NewAccount, password: String, by: Actor) -> Result<UserId> {
    let login = account.login.trim().to_lowercase();
    if !is_login(&login) {
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
    set_active_because(state, login, active, "", by).await
}

/// The same with a reason, which the audit row keeps.
///
/// # Errors
/// `not_found`, `last_administrator`.
pub async fn set_active_because(state: &State, login: &str, active: bool, reason: &str, by: Actor) -> Result<()> {
    let login = login.trim().to_lowercase();
    let detail = if reason.is_empty() { String::new() } else { serde_json::json!({ "reason": reason }).to_string() };
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
            append_in_tx(connection, &by, action, Subject::row("user", user.id.0, None), "done", &detail)?;
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
