//! `/admin/users`: the list, one user's sheet, making one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use dokuei_models::UserId;
use dokuei_models::store::api_tokens::ApiToken;
use dokuei_models::store::grants::Grant;
use dokuei_models::store::users::User;

use super::fields::Choice;
use super::sites::Wanted;
use super::{Fields, back, doer, is_invalid, named, pool_choices, site_choices};
use crate::app::users::{self, NewUser, UserForm, UserLine, UserSheet};
use crate::authority::rights::Administer;
use crate::authority::{Allowed, Role};
use crate::error::Error;
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/users", list);
    routes.get("/admin/users/new", new);
    routes.post("/admin/users", create);
    routes.get("/admin/users/{user}", show);
    routes.post("/admin/users/{user}", update);
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct ListPage<'a> {
    page: &'a Page,
    q: &'a str,
    lines: Vec<UserLine>,
}

impl ListPage<'_> {
    fn name<'b>(&self, user: &'b User) -> &'b str {
        named(self.page, &user.name_ja, &user.name_en)
    }
}

async fn list(who: Allowed<Administer>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    doer(&who, &state)?;
    let lines = users::list(&state, &wanted.q).await?;
    let page = page.clone().titled(&page.t("admin-users"));
    page.show(&ListPage { page: &page, q: &wanted.q, lines })
}

/// Roles, and how far they may reach.
struct Choices {
    roles: Vec<Choice>,
    scopes: Vec<Choice>,
}

async fn choices(state: &State, page: &Page) -> Result<Choices, Error> {
    let language = page.language;
    let (pools, sites) =
        state.db.read(move |conn| Ok((pool_choices(conn, language)?, site_choices(conn, language)?))).await?;
    let mut scopes = vec![("all".to_owned(), page.t("admin-scope-all"))];
    scopes.extend(pools.into_iter().map(|(id, word)| (format!("pool:{id}"), page.tv("admin-scope-pool", word))));
    scopes.extend(sites.into_iter().map(|(id, word)| (format!("site:{id}"), page.tv("admin-scope-site", word))));
    let roles = Role::ALL.iter().map(|role| (role.code().to_owned(), page.role(*role))).collect();
    Ok(Choices { roles, scopes })
}

#[derive(Template)]
#[template(path = "admin/user_new.html")]
struct NewPage<'a> {
    page: &'a Page,
    form: Fields<'a>,
    facts: &'a UserForm,
    choices: Choices,
    languages: Vec<Choice>,
}

async fn new_page(state: &State, page: Page, facts: &UserForm, refused: Option<&Error>) -> Answer {
    let page = page.clone().titled(&page.t("admin-user-new"));
    let choices = choices(state, &page).await?;
    let languages =
        [("ja", "日本語"), ("en", "English")].map(|(code, word)| (code.to_owned(), word.to_owned())).to_vec();
    let form = refused.map_or_else(|| Fields::new(&page), |error| Fields::refused(&page, error));
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &NewPage { page: &page, form, facts, choices, languages })
}

async fn new(who: Allowed<Administer>, state: State, page: Page) -> Answer {
    doer(&who, &state)?;
    let facts = UserForm { language: "ja".to_owned(), scope: "all".to_owned(), ..UserForm::default() };
    new_page(&state, page, &facts, None).await
}

#[derive(Template)]
#[template(path = "admin/password.html")]
struct PasswordPage<'a> {
    page: &'a Page,
    made: &'a NewUser,
    is_new: bool,
    is_reader: bool,
}

/// The one time that a password is shown; nobody keeps this answer.
pub(super) fn show_password(page: &Page, made: &NewUser, is_new: bool, is_reader: bool) -> Answer {
    let page = page.clone().titled(&page.t("admin-password-title"));
    let mut answer = page.show(&PasswordPage { page: &page, made, is_new, is_reader })?;
    let never = actix_web::http::header::HeaderValue::from_static("no-store");
    answer.headers_mut().insert(actix_web::http::header::CACHE_CONTROL, never);
    Ok(answer)
}

async fn create(who: Allowed<Administer>, state: State, page: Page, form: web::Form<UserForm>) -> Answer {
    match users::create(&state, doer(&who, &state)?, &form).await {
        Ok(made) => show_password(&page, &made, true, form.role == Role::Reader.code()),
        Err(error) if is_invalid(&error) => new_page(&state, page, &form, Some(&error)).await,
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage<'a> {
    page: &'a Page,
    sheet: &'a UserSheet,
    form: Fields<'a>,
    facts: &'a UserForm,
    choices: Choices,
    is_me: bool,
    today: chrono::NaiveDate,
}

impl UserPage<'_> {
    fn role(&self, grant: &Grant) -> String {
        Role::of(&grant.role).map_or_else(|| grant.role.clone(), |role| self.page.role(role))
    }

    fn scope(&self, grant: &Grant) -> &str {
        let key = match (grant.site_id, grant.pool_id) {
            (Some(site), _) => format!("site:{site}"),
            (None, Some(pool)) => format!("pool:{pool}"),
            (None, None) => "all".to_owned(),
        };
        self.choices.scopes.iter().find(|(known, _)| *known == key).map_or("", |(_, word)| word)
    }

    fn has_ended(&self, grant: &Grant) -> bool {
        grant.to_at.is_some_and(|to| to <= self.page.now)
    }

    fn state(&self, grant: &Grant) -> Html {
        if self.has_ended(grant) {
            badge::tone(Tone::Plain, &self.page.t("admin-span-over"))
        } else if grant.from_at > self.page.now {
            badge::tone(Tone::Active, &self.page.t("admin-span-ahead"))
        } else {
            badge::tone(Tone::Good, &self.page.t("admin-span-now"))
        }
    }

    fn is_in_force(&self, token: &ApiToken) -> bool {
        token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > self.page.now)
    }
}

async fn user_page(
    who: &Allowed<Administer>,
    state: &State,
    page: Page,
    user: UserId,
    typed: Option<(&UserForm, &Error)>,
) -> Answer {
    let sheet = users::sheet(state, user).await?;
    let page = page.clone().titled(named(&page, &sheet.user.name_ja, &sheet.user.name_en));
    let known = UserForm::of(&sheet.user);
    let view = UserPage {
        form: typed.map_or_else(|| Fields::new(&page), |(_, error)| Fields::refused(&page, error)),
        facts: typed.map_or(&known, |(form, _)| form),
        choices: choices(state, &page).await?,
        is_me: who.id == user,
        today: crate::app::due::day_in_japan(state.now()),
        sheet: &sheet,
        page: &page,
    };
    let status = if typed.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &view)
}

async fn show(who: Allowed<Administer>, state: State, page: Page, path: web::Path<UserId>) -> Answer {
    doer(&who, &state)?;
    user_page(&who, &state, page, *path, None).await
}

async fn update(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<UserId>,
    form: web::Form<UserForm>,
) -> Answer {
    match users::update(&state, doer(&who, &state)?, *path, &form).await {
        Ok(()) => back(&request, &format!("/admin/users/{path}")),
        Err(error) if is_invalid(&error) => user_page(&who, &state, page, *path, Some((&form, &error))).await,
        Err(error) => Err(error),
    }
}
