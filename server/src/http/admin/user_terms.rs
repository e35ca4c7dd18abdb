//! What a user's sheet sends: roles, locking, passwords, tokens.

use actix_web::{HttpRequest, web};
use dokuei_models::UserId;

use super::users::show_password;
use super::{back, doer};
use crate::app::users::{self, GrantForm};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::form::ReasonForm;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/admin/users/{user}/grants", give);
    routes.post("/admin/users/{user}/grants/{grant}/end", take);
    routes.post("/admin/users/{user}/lock", lock);
    routes.post("/admin/users/{user}/unlock", unlock);
    routes.post("/admin/users/{user}/password", new_password);
    routes.post("/admin/users/{user}/tokens/{token}/revoke", revoke);
}

type Who = Allowed<Administer>;

async fn give(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<UserId>,
    form: web::Form<GrantForm>,
) -> Answer {
    users::give(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/users/{path}#grants"))
}

async fn take(who: Who, state: State, request: HttpRequest, path: web::Path<(UserId, i64)>) -> Answer {
    doer(&who, &state)?;
    let (user, grant) = path.into_inner();
    users::take(&state, &who, user, grant).await?;
    back(&request, &format!("/admin/users/{user}#grants"))
}

async fn lock(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<UserId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    doer(&who, &state)?;
    users::set_active(&state, &who, *path, false, &form.reason()?).await?;
    back(&request, &format!("/admin/users/{path}"))
}

async fn unlock(who: Who, state: State, request: HttpRequest, path: web::Path<UserId>) -> Answer {
    doer(&who, &state)?;
    users::set_active(&state, &who, *path, true, "").await?;
    back(&request, &format!("/admin/users/{path}"))
}

async fn new_password(who: Who, state: State, page: Page, path: web::Path<UserId>) -> Answer {
    let made = users::new_password(&state, doer(&who, &state)?, *path).await?;
    show_password(&page, &made, false, false)
}

async fn revoke(who: Who, state: State, request: HttpRequest, path: web::Path<(UserId, i64)>) -> Answer {
    let (user, token) = path.into_inner();
    users::revoke_token(&state, doer(&who, &state)?, user, token).await?;
    back(&request, &format!("/admin/users/{user}#tokens"))
}
