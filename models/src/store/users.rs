//! Users: people with an account.
//!
//! A user is never deleted, only made inactive: audit rows and signed reports
//! name users for good. `login` is unique and kept in lower case.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::Connection;
use crate::error::{OrNotFound as _, StoreError};
use crate::ids::UserId;
use crate::schema::users;

/// One user. `password_hash` is a PHC string (`$argon2id$...`).
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// The row.
    pub id: UserId,
    /// The login name, lower case.
    pub login: String,
    /// Name in Japanese.
    pub name_ja: String,
    /// Name in kana.
    pub name_kana: String,
    /// Name in English.
    pub name_en: String,
    /// Mail address, or empty.
    pub email: String,
    /// PHC string.
    pub password_hash: String,
    /// `ja` or `en`.
    pub language: String,
    /// `light`, `dark` or `auto`.
    pub theme: String,
    /// Whether the user may sign in.
    pub active: bool,
    /// When the account was made (UTC).
    pub created_at: NaiveDateTime,
    /// For optimistic locking.
    pub version: i32,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("login", &self.login).finish_non_exhaustive()
    }
}

/// What a new user is made of.
#[derive(Clone, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser {
    /// The login name, lower case.
    pub login: String,
    /// Name in Japanese.
    pub name_ja: String,
    /// Name in kana.
    pub name_kana: String,
    /// Name in English.
    pub name_en: String,
    /// Mail address, or empty.
    pub email: String,
    /// PHC string.
    pub password_hash: String,
    /// `ja` or `en`.
    pub language: String,
    /// `light`, `dark` or `auto`.
    pub theme: String,
    /// Whether the user may sign in.
    pub active: bool,
    /// When the account is made (UTC).
    pub created_at: NaiveDateTime,
    /// 1.
    pub version: i32,
}

/// The user with this id.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn user_get(connection: &mut Connection, id: UserId) -> Result<User, StoreError> {
    users::table.find(id).select(User::as_select()).first(connection).or_not_found("the user")
}

/// The user with this login name (compared in lower case), if there is one.
///
/// # Errors
/// Only the database's own.
pub fn user_by_login(connection: &mut Connection, login: &str) -> Result<Option<User>, StoreError> {
    let login = login.to_lowercase();
    Ok(users::table.filter(users::login.eq(login)).select(User::as_select()).first(connection).optional()?)
}

/// Every user, by login name.
///
/// # Errors
/// Only the database's own.
pub fn user_list(connection: &mut Connection) -> Result<Vec<User>, StoreError> {
    Ok(users::table.order(users::login).select(User::as_select()).load(connection)?)
}

/// How many users there are.
///
/// # Errors
/// Only the database's own.
pub fn user_count(connection: &mut Connection) -> Result<i64, StoreError> {
    Ok(users::table.count().get_result(connection)?)
}

/// Makes a user.
///
/// # Errors
/// [`StoreError::TryAgain`] when the login name is taken (look before).
pub fn user_insert_in_tx(connection: &mut Connection, user: &NewUser) -> Result<UserId, StoreError> {
    diesel::insert_into(users::table)
        .values(user.clone())
        .returning(users::id)
        .get_result(connection)
        .map_err(StoreError::of_insert)
}

/// Sets names and address, where nobody changed the row since `version`.
///
/// # Errors
/// [`StoreError::Stale`] when somebody did.
pub fn user_rename_in_tx(
    connection: &mut Connection,
    id: UserId,
    version: i32,
    name_ja: &str,
    name_kana: &str,
    name_en: &str,
    email: &str,
) -> Result<(), StoreError> {
    let changed = diesel::update(users::table.filter(users::id.eq(id)).filter(users::version.eq(version)))
        .set((
            users::name_ja.eq(name_ja),
            users::name_kana.eq(name_kana),
            users::name_en.eq(name_en),
            users::email.eq(email),
            users::version.eq(version + 1),
        ))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Stale("the user")) }
}

/// Sets the password's hash. Sessions stay; the caller ends those that must end.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn user_set_password_in_tx(connection: &mut Connection, id: UserId, password_hash: &str) -> Result<(), StoreError> {
    let changed = diesel::update(users::table.find(id))
        .set((users::password_hash.eq(password_hash), users::version.eq(users::version + 1)))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the user")) }
}

/// Sets what the user chose for the screen: language (`ja`, `en`) and theme (`light`, `dark`, `auto`).
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn user_set_screen_in_tx(
    connection: &mut Connection,
    id: UserId,
    language: &str,
    theme: &str,
) -> Result<(), StoreError> {
    let changed = diesel::update(users::table.find(id))
        .set((users::language.eq(language), users::theme.eq(theme), users::version.eq(users::version + 1)))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the user")) }
}

/// Lets a user sign in, or no longer.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn user_set_active_in_tx(connection: &mut Connection, id: UserId, active: bool) -> Result<(), StoreError> {
    let changed = diesel::update(users::table.find(id))
        .set((users::active.eq(active), users::version.eq(users::version + 1)))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the user")) }
}
