//! The administrator's area: sites with what belongs to them, tariffs, readers, users.
//!
//! Forms that make or change one thing are shown again with their wrong fields
//! marked; small forms inside a sheet answer htmx with a toast.

mod endpoints;
mod fields;
mod peers;
mod pools;
mod reader_terms;
mod readers;
mod site_terms;
mod sites;
mod tariffs;
mod user_terms;
mod users;

use actix_web::{HttpRequest, HttpResponse};
use dokuei_models::store::pools::pool_list;
use dokuei_models::store::sites::{SiteRow, site_list};
use dokuei_models::{Actor, Connection};
use dokuei_terms::Language;

use self::fields::Choice;
use super::page::see_other;
use super::{Answer, Page, Routes};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::error::{Error, Result, codes};
use crate::state::State;

pub(super) use self::fields::Fields;

/// Registers the area.
pub fn routes(routes: &mut Routes) {
    sites::routes(routes);
    site_terms::routes(routes);
    pools::routes(routes);
    endpoints::routes(routes);
    peers::routes(routes);
    tariffs::routes(routes);
    readers::routes(routes);
    reader_terms::routes(routes);
    users::routes(routes);
    user_terms::routes(routes);
}

/// The doer, who must administer the whole house: what is kept here belongs to no single site or pool.
///
/// # Errors
/// `not_found` for an administrator of a part.
pub(super) fn doer(who: &Allowed<Administer>, state: &State) -> Result<Actor> {
    if who.reach().everything { Ok(who.actor(state.now())) } else { Err(Error::not_found()) }
}

/// Back to a page after a form was taken. The page that a small form stands on is loaded anew where it was scrolled to:
/// an address that differs in its fragment only would load nothing.
fn back(request: &HttpRequest, to: &str) -> Answer {
    let current = request.headers().get("hx-current-url").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = current.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or_default();
    let plain = |path: &str| path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let fragment = request.headers().get("hx-request").is_some_and(|value| value == "true");
    if fragment && plain(path) == plain(to) {
        return Ok(HttpResponse::Ok().insert_header(("HX-Refresh", "true")).finish());
    }
    Ok(see_other(fragment, to))
}

/// Whether a form is to be shown again.
fn is_invalid(error: &Error) -> bool {
    error.code() == &codes::common::FORM_INVALID || !error.fields().is_empty()
}

/// A name in the page's language; the Japanese one where there is no other.
pub(super) fn named<'a>(page: &Page, ja: &'a str, en: &'a str) -> &'a str {
    if page.language == Language::En && !en.is_empty() { en } else { ja }
}

/// Every site as a choice.
fn site_choices(conn: &mut Connection, language: Language) -> Result<Vec<Choice>, dokuei_models::StoreError> {
    let label = |site: &SiteRow| match language {
        Language::En if !site.name_en.is_empty() => site.name_en.clone(),
        _ => site.name_ja.clone(),
    };
    Ok(site_list(conn)?.iter().map(|site| (site.id.to_string(), label(site))).collect())
}

/// Every pool as a choice.
fn pool_choices(conn: &mut Connection, language: Language) -> Result<Vec<Choice>, dokuei_models::StoreError> {
    let label = |ja: String, en: String| if language == Language::En && !en.is_empty() { en } else { ja };
    Ok(pool_list(conn)?.into_iter().map(|(id, _, ja, en)| (id.to_string(), label(ja, en))).collect())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_page_that_a_small_form_stands_on_is_loaded_anew() {
        let at = |url: &str| {
            let request = TestRequest::default().insert_header(("hx-request", "true"));
            request.insert_header(("hx-current-url", url.to_owned())).to_http_request()
        };
        let here = back(&at("https://dokuei.example/admin/sites/3?x=1#days"), "/admin/sites/3#days").unwrap();
        assert!(here.headers().contains_key("hx-refresh"));
        let elsewhere = back(&at("https://dokuei.example/admin/tariffs"), "/admin/tariffs/1").unwrap();
        assert_eq!(elsewhere.headers().get("hx-redirect").unwrap(), "/admin/tariffs/1");
        let plain = back(&TestRequest::default().to_http_request(), "/admin/sites/3#days").unwrap();
        assert_eq!(plain.status(), 303);
    }
}
