//! One's own account: password, language, theme.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::page::see_other;
use super::{Answer, Page, Routes};
use crate::app::accounts;
use crate::authority::SignedIn;
use crate::error::{Error, codes};
use crate::state::State;

/// Registers the account page and what it sends.
pub fn routes(routes: &mut Routes) {
    routes.get("/account", show);
    routes.post("/account/password", change_password);
    routes.post("/account/screen", set_screen);
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    page: &'a Page,
    done: bool,
    least: usize,
    faults: Vec<(String, String)>,
}

impl Account<'_> {
    /// What is wrong with a field, if anything.
    fn fault(&self, field: &str) -> &str {
        self.faults.iter().find(|(name, _)| name == field).map_or("", |(_, sentence)| sentence.as_str())
    }
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

async fn show(_who: SignedIn, state: State, page: Page, query: web::Query<Done>) -> Answer {
    let page = page.clone().titled(&page.t("account-title"));
    let least = state.config.security.password_min_length;
    page.show(&Account { page: &page, done: query.done == "password", least, faults: Vec::new() })
}

#[derive(Deserialize)]
struct PasswordForm {
    current: String,
    new: String,
    again: String,
}

async fn change_password(who: SignedIn, state: State, page: Page, form: web::Form<PasswordForm>) -> Answer {
    let form = form.into_inner();
    let changed = if form.new == form.again {
        accounts::change_password(&state, &who, form.current, form.new).await
    } else {
        Err(Error::new(&codes::common::FORM_INVALID).field("again", &codes::accounts::PASSWORDS_DIFFER))
    };
    match changed {
        Ok(()) => Ok(see_other(false, "/account?done=password")),
        Err(error) if error.code() == &codes::common::FORM_INVALID => {
            let page = page.clone().titled(&page.t("account-title"));
            let faults =
                error.fields().iter().map(|(f, code)| (f.clone(), code.sentence(page.language).to_owned())).collect();
            let least = state.config.security.password_min_length;
            page.show_as(StatusCode::UNPROCESSABLE_ENTITY, &Account { page: &page, done: false, least, faults })
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct ScreenForm {
    language: Option<String>,
    theme: Option<String>,
}

/// Takes language, theme or both; what is not sent stays. A script gets an empty answer, a form a page.
async fn set_screen(
    who: SignedIn,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<ScreenForm>,
) -> Answer {
    let language = form.language.as_deref().unwrap_or(page.lang());
    let theme = form.theme.as_deref().unwrap_or(&who.theme);
    accounts::set_screen(&state, &who, language, theme).await?;
    if request.headers().contains_key("x-quiet") {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(see_other(false, "/account"))
}
