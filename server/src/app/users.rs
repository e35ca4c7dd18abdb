//! Users as an administrator keeps them: made, named, given roles, locked, let in again. See also [`super::accounts`].

use chrono::{Days, NaiveDate, NaiveDateTime};
use dokuei_models::japan;
use dokuei_models::store::api_tokens::{self, ApiToken};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::grants::{self, Grant, NewGrant};
use dokuei_models::store::readers;
use dokuei_models::store::users::{self, User};
use dokuei_models::{Actor, Connection, PoolId, ReaderId, SiteId, StoreError, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{self, NewAccount};
use super::changes;
use super::due::day_in_japan;
use super::sites::email;
use super::typed::{Faults, Typed};
use crate::authority::{Person, Role, Scope};
use crate::error::codes::{accounts as account_codes, admin as codes, common};
use crate::error::{Code, Error, Result};
use crate::state::State;
use crate::words;

/// A user as an administrator enters him.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UserForm {
    /// The version that was seen; not looked at for a new user.
    pub version: i32,
    /// The login name; a user keeps it.
    pub login: String,
    /// Name in Japanese.
    pub name_ja: String,
    /// Name in kana.
    pub name_kana: String,
    /// Name in English.
    pub name_en: String,
    /// Mail address, or empty.
    pub email: String,
    /// `ja` or `en`; a user changes it himself.
    pub language: String,
    /// The first role, or empty.
    pub role: String,
    /// How far it reaches: `all`, `site:3` or `pool:1`.
    pub scope: String,
}

impl UserForm {
    /// A user as he is.
    pub fn of(row: &User) -> Self {
        Self {
            version: row.version,
            login: row.login.clone(),
            name_ja: row.name_ja.clone(),
            name_kana: row.name_kana.clone(),
            name_en: row.name_en.clone(),
            email: row.email.clone(),
            language: row.language.clone(),
            ..Self::default()
        }
    }
}

/// A user with a password that is shown once.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The row.
    pub id: UserId,
    /// The login name.
    pub login: String,
    /// The password, which is kept nowhere.
    pub password: String,
}

/// A role with its scope, as far as the role allows that scope.
fn role_of(faults: &mut Faults, role: &str, scope: &str) -> Option<(Role, Scope)> {
    let Some(role) = Role::of(role) else {
        faults.add("role", &common::FIELD_REQUIRED);
        return None;
    };
    let scope = match scope.split_once(':') {
        Some(("site", id)) => id.parse().ok().map(|id| Scope::Site(SiteId(id))),
        Some(("pool", id)) => id.parse().ok().map(|id| Scope::Pool(PoolId(id))),
        _ => Some(Scope::All),
    };
    let everywhere = matches!(role, Role::Administrator | Role::SecurityOfficer | Role::Billing);
    match scope {
        None => faults.add("scope", &common::FIELD_INVALID),
        Some(scope) if role.is_of_a_site() != matches!(scope, Scope::Site(_)) => {
            faults.add("scope", if role.is_of_a_site() { &codes::SITE_OF_ROLE } else { &codes::ROLE_WIDER });
        }
        Some(Scope::Pool(_)) if everywhere => faults.add("scope", &codes::ROLE_EVERYWHERE),
        Some(scope) => return Some((role, scope)),
    }
    None
}

/// Makes a user with a password of the house's.
///
/// # Errors
/// `form_invalid`.
pub async fn create(state: &State, actor: Actor, form: &UserForm) -> Result<NewUser> {
    let mut faults = Faults::default();
    let login = form.login.trim().to_lowercase();
    if !accounts::is_login(&login) {
        faults.add("login", &codes::LOGIN_LETTERS);
    }
    let account = NewAccount {
        login: login.clone(),
        name_ja: faults.text("name_ja", &form.name_ja, 60),
        name_kana: faults.may_text("name_kana", &form.name_kana, 60),
        name_en: faults.may_text("name_en", &form.name_en, 60),
        email: email(&mut faults, &form.email),
        language: if words::language(&form.language).is_some() { form.language.clone() } else { "ja".to_owned() },
        grants: match form.role.as_str() {
            "" => Vec::new(),
            role => role_of(&mut faults, role, &form.scope).into_iter().collect(),
        },
    };
    faults.done()?;
    let password = accounts::random_password(state);
    let made = accounts::create(state, account, password.clone(), actor).await;
    match made {
        Ok(id) => Ok(NewUser { id, login, password }),
        Err(error) if error.code() == &account_codes::LOGIN_TAKEN => {
            Err(Error::new(&common::FORM_INVALID).field("login", &codes::LOGIN_USED))
        }
        Err(error) => Err(error),
    }
}

/// Changes a user's names and address.
///
/// # Errors
/// `not_found`, `form_invalid`, `conflict` when somebody was first.
pub async fn update(state: &State, actor: Actor, user: UserId, form: &UserForm) -> Result<()> {
    let known = state.db.read(move |conn| users::user_get(conn, user)).await?;
    let mut faults = Faults::default();
    let form = UserForm {
        login: known.login.clone(),
        name_ja: faults.text("name_ja", &form.name_ja, 60),
        name_kana: faults.may_text("name_kana", &form.name_kana, 60),
        name_en: faults.may_text("name_en", &form.name_en, 60),
        email: email(&mut faults, &form.email),
        language: known.language.clone(),
        version: form.version,
        ..UserForm::default()
    };
    faults.done()?;
    let detail = changes::between(&UserForm::of(&known), &form);
    state
        .db
        .tx(move |conn| {
            let (ja, kana, en) = (&form.name_ja, &form.name_kana, &form.name_en);
            users::user_rename_in_tx(conn, user, form.version, ja, kana, en, &form.email)?;
            append_in_tx(conn, &actor, "user.change", Subject::row("user", user.0, None), "done", &detail)
        })
        .await?;
    Ok(())
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct UserLine {
    /// The user.
    pub user: User,
    /// The roles in force.
    pub roles: Vec<Role>,
}

/// Every user whose login or name holds `wanted`, by login name.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State, wanted: &str) -> Result<Vec<UserLine>> {
    let (wanted, now) = (wanted.trim().to_lowercase(), state.now());
    let load = move |conn: &mut Connection| {
        let given = grants::grant_list_all_in_force(conn, now)?;
        let line = |user: User| {
            let of_user = given.iter().filter(|grant| grant.user_id == user.id);
            let mut roles: Vec<Role> = of_user.filter_map(|grant| Role::of(&grant.role)).collect();
            roles.sort_unstable();
            roles.dedup();
            UserLine { user, roles }
        };
        let holds = |user: &User| {
            let names = [&user.login, &user.name_ja, &user.name_kana, &user.name_en];
            names.iter().any(|name| name.to_lowercase().contains(&wanted))
        };
        Ok(users::user_list(conn)?.into_iter().filter(holds).map(line).collect())
    };
    Ok(state.db.read(load).await?)
}

/// A user with everything that belongs to him.
#[derive(Debug, Clone)]
pub struct UserSheet {
    /// The user.
    pub user: User,
    /// His grants, ended ones too.
    pub grants: Vec<Grant>,
    /// His tokens, revoked ones too.
    pub tokens: Vec<ApiToken>,
    /// The reader he is.
    pub reader: Option<ReaderId>,
}

/// Loads a user's sheet.
///
/// # Errors
/// `not_found`.
pub async fn sheet(state: &State, user: UserId) -> Result<UserSheet> {
    let load = move |conn: &mut Connection| {
        Ok(UserSheet {
            user: users::user_get(conn, user)?,
            grants: grants::grant_list(conn, user)?,
            tokens: api_tokens::api_token_list(conn, user)?,
            reader: readers::reader_of_user(conn, user)?.map(|reader| reader.id),
        })
    };
    Ok(state.db.read(load).await?)
}

/// A role as it is given. Days are Japan's; without a first day it counts from now on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct GrantForm {
    /// The role's code.
    pub role: String,
    /// How far it reaches: `all`, `site:3` or `pool:1`.
    pub scope: String,
    /// Its first day.
    pub from_day: Typed<NaiveDate>,
    /// Its last day.
    pub to_day: Typed<NaiveDate>,
}

/// Gives a role.
///
/// # Errors
/// `not_found`, `form_invalid`.
pub async fn give(state: &State, actor: Actor, user: UserId, form: &GrantForm) -> Result<()> {
    let mut faults = Faults::default();
    let today = day_in_japan(actor.at);
    let from = if matches!(form.from_day, Typed::Empty) { today.into() } else { form.from_day.clone() };
    let (from, to) = faults.days(&from, &form.to_day);
    let given = role_of(&mut faults, &form.role, &form.scope);
    faults.done()?;
    let Some((role, scope)) = given else { return Ok(()) };
    let (site_id, pool_id) = match scope {
        Scope::All => (None, None),
        Scope::Site(site) => (Some(site), None),
        Scope::Pool(pool) => (None, Some(pool)),
    };
    let grant = NewGrant {
        user_id: user,
        role: role.code().to_owned(),
        site_id,
        pool_id,
        from_at: if from <= today { actor.at } else { japan::midnight(from) },
        to_at: to.map(|last| japan::midnight(last + Days::new(1))),
        given_by: actor.user,
    };
    let given = state
        .db
        .tx(move |conn| {
            users::user_get(conn, user)?;
            let same = |one: &Grant| {
                (&one.role, one.site_id, one.pool_id) == (&grant.role, grant.site_id, grant.pool_id)
                    && one.to_at.is_none_or(|to| to > grant.from_at)
                    && grant.to_at.is_none_or(|to| to > one.from_at)
            };
            // Two of the same would stay one when the other is ended.
            if grants::grant_list(conn, user)?.iter().any(same) {
                return Ok(false);
            }
            let id = grants::grant_insert_in_tx(conn, &grant)?;
            let detail = serde_json::json!({ "user": user, "role": grant.role, "to": grant.to_at }).to_string();
            append_in_tx(conn, &actor, "grant.give", Subject::row("grant", id, site_id), "done", &detail)?;
            Ok(true)
        })
        .await?;
    if given { Ok(()) } else { Err(Error::new(&common::FORM_INVALID).field("role", &codes::ROLE_GIVEN)) }
}

/// Ends a role of a user now.
///
/// # Errors
/// `not_found`, `own_administration`, `last_administrator`, `already_done`.
pub async fn take(state: &State, who: &Person, user: UserId, grant: i64) -> Result<()> {
    let actor = who.actor(state.now());
    let me = who.id;
    let taken = state
        .db
        .tx(move |conn| {
            let row = grants::grant_get(conn, grant)?;
            if row.user_id != user {
                return Err(StoreError::NotFound("the grant"));
            }
            if let Some(refused) = keeps_administration(conn, &row, me, actor.at)? {
                return Ok(Err(refused));
            }
            grants::grant_end_in_tx(conn, grant, actor.at)?;
            let detail = serde_json::json!({ "user": user, "role": row.role }).to_string();
            append_in_tx(conn, &actor, "grant.end", Subject::row("grant", grant, row.site_id), "done", &detail)?;
            Ok(Ok(()))
        })
        .await?;
    taken.map_err(Error::new)
}

/// Why this grant must stay: nobody may take his own last administrator role, and the house keeps one administrator.
fn keeps_administration(
    conn: &mut Connection,
    row: &Grant,
    me: UserId,
    at: NaiveDateTime,
) -> Result<Option<&'static Code>, StoreError> {
    let administrator = Role::Administrator.code();
    if row.role != administrator {
        return Ok(None);
    }
    let in_force = grants::grant_list_in_force(conn, row.user_id, at)?;
    let others = in_force.iter().filter(|one| one.role == administrator && one.id != row.id).count();
    if others > 0 || !in_force.iter().any(|one| one.id == row.id) {
        return Ok(None);
    }
    if row.user_id == me {
        return Ok(Some(&codes::OWN_ADMINISTRATION));
    }
    let left = grants::grant_count_of_role(conn, administrator, at)?;
    let counted = users::user_get(conn, row.user_id)?.active;
    Ok((counted && left <= 1).then_some(&account_codes::LAST_ADMINISTRATOR))
}

/// Locks a user out, with a reason, or lets him in again.
///
/// # Errors
/// `not_found`, `own_account`, `last_administrator`, `form_invalid` without a reason.
pub async fn set_active(state: &State, who: &Person, user: UserId, active: bool, reason: &str) -> Result<()> {
    if user == who.id {
        return Err(Error::new(&codes::OWN_ACCOUNT));
    }
    if !active && reason.trim().is_empty() {
        return Err(Error::new(&common::FORM_INVALID).field("reason", &common::FIELD_REASON_REQUIRED));
    }
    let login = state.db.read(move |conn| users::user_get(conn, user)).await?.login;
    accounts::set_active_because(state, &login, active, reason.trim(), who.actor(state.now())).await
}

/// Gives a user a new password, which ends his sessions.
///
/// # Errors
/// `not_found`.
pub async fn new_password(state: &State, actor: Actor, user: UserId) -> Result<NewUser> {
    let login = state.db.read(move |conn| users::user_get(conn, user)).await?.login;
    let password = accounts::random_password(state);
    accounts::reset_password(state, &login, password.clone(), actor).await?;
    Ok(NewUser { id: user, login, password })
}

/// Revokes an API token of a user.
///
/// # Errors
/// `not_found`.
pub async fn revoke_token(state: &State, actor: Actor, user: UserId, token: i64) -> Result<()> {
    state
        .db
        .tx(move |conn| {
            api_tokens::api_token_revoke_in_tx(conn, user, token, actor.at)?;
            append_in_tx(conn, &actor, "api_token.revoke", Subject::row("api_token", token, None), "done", "")
        })
        .await?;
    Ok(())
}
