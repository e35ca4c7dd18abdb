//! Pools: made and renamed on the page of sites.

use actix_web::{HttpRequest, web};
use dokuei_models::PoolId;
use serde::Deserialize;

use super::{back, doer};
use crate::app::pools;
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::{Answer, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/admin/pools", add);
    routes.post("/admin/pools/{pool}", rename);
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PoolForm {
    code: String,
    name_ja: String,
    name_en: String,
}

async fn add(who: Allowed<Administer>, state: State, request: HttpRequest, form: web::Form<PoolForm>) -> Answer {
    let actor = doer(&who, &state)?;
    pools::create(&state, actor, &form.code, &form.name_ja, &form.name_en).await?;
    back(&request, "/admin/sites#pools")
}

async fn rename(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<PoolId>,
    form: web::Form<PoolForm>,
) -> Answer {
    let actor = doer(&who, &state)?;
    pools::rename(&state, actor, *path, &form.name_ja, &form.name_en).await?;
    back(&request, "/admin/sites#pools")
}
