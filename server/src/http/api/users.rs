//! Users and readers, for programs that take them over from a directory.

use actix_web::{HttpResponse, web};
use dokuei_models::UserId;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::admin::doer;
use super::super::{Answer, Routes};
use super::{Reason, done};
use crate::app::{readers, users};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/users", user_list);
    routes.post("/api/v1/users", user_create);
    routes.post("/api/v1/users/{user}/lock", user_lock);
    routes.post("/api/v1/users/{user}/unlock", user_unlock);
    routes.get("/api/v1/readers", reader_list);
}

/// A user.
#[derive(Serialize, ToSchema)]
struct UserShape {
    id: i64,
    login: String,
    name_ja: String,
    name_kana: String,
    name_en: String,
    email: String,
    /// Whether the user may sign in.
    active: bool,
    /// Codes of the roles in force.
    roles: Vec<&'static str>,
}

/// Every user, by login name.
#[utoipa::path(get, path = "/api/v1/users", tag = "administration",
    responses((status = 200, body = Vec<UserShape>)))]
pub(super) async fn user_list(who: Allowed<Administer>, state: State) -> Answer {
    doer(&who, &state)?;
    let shape = |line: users::UserLine| UserShape {
        id: line.user.id.0,
        login: line.user.login,
        name_ja: line.user.name_ja,
        name_kana: line.user.name_kana,
        name_en: line.user.name_en,
        email: line.user.email,
        active: line.user.active,
        roles: line.roles.into_iter().map(crate::authority::Role::code).collect(),
    };
    Ok(HttpResponse::Ok().json(users::list(&state, "").await?.into_iter().map(shape).collect::<Vec<_>>()))
}

/// A user with a password that is told once.
#[derive(Serialize, ToSchema)]
struct NewUserShape {
    id: i64,
    login: String,
    /// Kept nowhere.
    password: String,
}

/// Makes a user, with a first role where one is named; the password is in the answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/users", tag = "administration", request_body = users::UserForm,
    responses((status = 201, body = NewUserShape)))]
pub(super) async fn user_create(who: Allowed<Administer>, state: State, form: web::Json<users::UserForm>) -> Answer {
    let made = users::create(&state, doer(&who, &state)?, &form).await?;
    let shape = NewUserShape { id: made.id.0, login: made.login, password: made.password };
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(shape))
}

/// Locks a user out and ends the sessions.
#[utoipa::path(post, path = "/api/v1/users/{user}/lock", tag = "administration", params(("user" = i64, Path)),
    request_body = Reason, responses((status = 204)))]
pub(super) async fn user_lock(
    who: Allowed<Administer>,
    state: State,
    path: web::Path<UserId>,
    body: web::Json<Reason>,
) -> Answer {
    doer(&who, &state)?;
    users::set_active(&state, &who, *path, false, &body.reason).await?;
    done()
}

/// Lets a user in again.
#[utoipa::path(post, path = "/api/v1/users/{user}/unlock", tag = "administration", params(("user" = i64, Path)),
    responses((status = 204)))]
pub(super) async fn user_unlock(who: Allowed<Administer>, state: State, path: web::Path<UserId>) -> Answer {
    doer(&who, &state)?;
    users::set_active(&state, &who, *path, true, "").await?;
    done()
}

/// A reader.
#[derive(Serialize, ToSchema)]
struct ReaderShape {
    id: i64,
    user: i64,
    login: String,
    name_ja: String,
    name_en: String,
    pool: i64,
    qualification: String,
    /// Reading minutes in relation to the expected ones.
    pace: f64,
    capacity_minutes: i32,
    active: bool,
    /// Whether a shift runs now.
    on_shift: bool,
    paused: bool,
}

/// Every reader.
#[utoipa::path(get, path = "/api/v1/readers", tag = "administration",
    responses((status = 200, body = Vec<ReaderShape>)))]
pub(super) async fn reader_list(who: Allowed<Administer>, state: State) -> Answer {
    doer(&who, &state)?;
    let shape = |line: readers::ReaderLine| ReaderShape {
        id: line.reader.id.0,
        user: line.reader.user_id.0,
        login: line.names.0,
        name_ja: line.names.1,
        name_en: line.names.2,
        pool: line.reader.pool_id.0,
        qualification: line.reader.qualification,
        pace: line.reader.pace,
        capacity_minutes: line.reader.capacity_minutes,
        active: line.reader.active,
        on_shift: line.shift.is_some(),
        paused: line.reader.paused,
    };
    Ok(HttpResponse::Ok().json(readers::list(&state).await?.into_iter().map(shape).collect::<Vec<_>>()))
}
