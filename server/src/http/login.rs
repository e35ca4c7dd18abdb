//! Signing in and out, and the language before that.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::door::{self, RequestFacts, SESSION_COOKIE};
use super::page::{LANGUAGE_COOKIE, see_other};
use super::{Answer, Page, Routes};
use crate::app::{accounts, sessions};
use crate::authority::{Anyone, SignedIn};
use crate::error::{Error, codes};
use crate::state::State;
use crate::words;

/// Registers signing in and out.
pub fn routes(routes: &mut Routes) {
    routes.get("/login", show);
    routes.post("/login", enter);
    routes.post("/logout", leave);
    routes.post("/language", choose_language);
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    page: &'a Page,
    to: &'a str,
    login: &'a str,
    fault: Option<String>,
}

#[derive(Deserialize)]
struct Destination {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
struct Entering {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    to: String,
}

async fn show(who: Anyone, page: Page, query: web::Query<Destination>) -> Answer {
    if who.0.is_some() {
        return Ok(see_other(false, own_path(&query.to)));
    }
    let title = page.t("login-title");
    let page = page.titled(&title);
    page.show(&Login { page: &page, to: &query.to, login: "", fault: None })
}

async fn enter(_: Anyone, state: State, page: Page, request: HttpRequest, form: web::Form<Entering>) -> Answer {
    let form = form.into_inner();
    let address = request.extensions().get::<RequestFacts>().map(|facts| facts.address.clone()).unwrap_or_default();
    match sessions::sign_in(&state, &form.login, form.password, &address).await {
        Ok(browser) => {
            let mut answer = see_other(false, own_path(&form.to));
            answer
                .add_cookie(&session_cookie(&state, browser.token))
                .map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?;
            Ok(answer)
        }
        Err(error) if [&codes::accounts::LOGIN_REFUSED, &codes::common::TOO_MANY_ATTEMPTS].contains(&error.code()) => {
            let language = page.language;
            let title = page.t("login-title");
            let page = page.titled(&title);
            let status = StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::UNAUTHORIZED);
            let fault = Some(error.sentence(language));
            let mut answer = page.show_as(status, &Login { page: &page, to: &form.to, login: &form.login, fault })?;
            if let Some(seconds) = error.retry_after_seconds() {
                answer.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds.into());
            }
            Ok(answer)
        }
        Err(error) => Err(error),
    }
}

async fn leave(who: SignedIn, state: State) -> Answer {
    sessions::sign_out(&state, &who).await?;
    let mut gone = session_cookie(&state, String::new());
    gone.make_removal();
    let mut answer = see_other(false, "/login");
    answer.add_cookie(&gone).map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?;
    Ok(answer)
}

#[derive(Deserialize)]
struct Language {
    language: String,
    #[serde(default)]
    to: String,
}

async fn choose_language(who: Anyone, state: State, form: web::Form<Language>) -> Answer {
    if words::language(&form.language).is_none() {
        return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "language"));
    }
    if let Some(person) = who.0 {
        accounts::set_screen(&state, &person, &form.language, &person.theme).await?;
    }
    let cookie = Cookie::build(LANGUAGE_COOKIE, form.language.clone())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(door::cookies_are_secure(&state))
        .max_age(Duration::days(365))
        .finish();
    let mut answer: HttpResponse = see_other(false, own_path(&form.to));
    answer.add_cookie(&cookie).map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?;
    Ok(answer)
}

fn session_cookie(state: &State, token: String) -> Cookie<'static> {
    // No Max-Age: it ends with the browser, and on the server in any case.
    Cookie::build(SESSION_COOKIE, token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(door::cookies_are_secure(state))
        .finish()
}

/// A path of ours, or `/`: never another host (`//evil`, `/\evil`), never a control character.
fn own_path(to: &str) -> &str {
    let ours = to.starts_with('/')
        && !to.starts_with("//")
        && to.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !to.starts_with("/login");
    if ours { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn signing_in_leads_to_no_other_host() {
        assert_eq!(own_path("/worklist"), "/worklist");
        for to in
            ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nSet-Cookie: x", "/login?to=/login"]
        {
            assert_eq!(own_path(to), "/", "{to}");
        }
    }
}
