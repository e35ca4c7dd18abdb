//! Who the token belongs to and what it may do.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use crate::authority::{Scope, SignedIn, rights};
use crate::words;

/// Registers `GET /api/v1/me`.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/me", me);
}

/// A role with how far it reaches.
#[derive(Serialize, ToSchema)]
struct GrantShape {
    /// The role's code.
    role: &'static str,
    /// The site, where the grant names one.
    site: Option<i64>,
    /// The pool, where the grant names one. Without both it reaches everything.
    pool: Option<i64>,
}

/// The token's user.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The user's id.
    id: i64,
    /// The login name.
    login: String,
    /// The name in Japanese.
    name_ja: String,
    /// The name in English, or empty.
    name_en: String,
    /// `ja` or `en`: the language of sentences.
    language: &'static str,
    /// Grants in force.
    grants: Vec<GrantShape>,
    /// What these grants allow: the rights that routes name.
    rights: Vec<&'static str>,
}

/// The token's user, grants and rights.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses((status = 200, body = Me)))]
pub(super) async fn me(who: SignedIn) -> Answer {
    let grants = who
        .grants
        .iter()
        .map(|grant| {
            let (site, pool) = match grant.scope {
                Scope::All => (None, None),
                Scope::Site(site) => (Some(site.0), None),
                Scope::Pool(pool) => (None, Some(pool.0)),
            };
            GrantShape { role: grant.role.code(), site, pool }
        })
        .collect();
    let rights = rights::ALL.iter().filter(|(_, roles)| who.has_one_of(roles)).map(|(name, _)| *name).collect();
    Ok(HttpResponse::Ok().json(Me {
        id: who.id.0,
        login: who.login.clone(),
        name_ja: who.name_ja.clone(),
        name_en: who.name_en.clone(),
        language: words::code(who.language),
        grants,
        rights,
    }))
}
