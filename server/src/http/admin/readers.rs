//! `/admin/readers`: the list, one reader's sheet, his form.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use chrono::NaiveDate;
use dokuei_models::state::Place;
use dokuei_models::store::pools::pool_list;
use dokuei_models::store::readers::{ReaderRow, reader_list_all};
use dokuei_models::store::shifts::ShiftPatternRow;
use dokuei_models::store::users::user_list;
use dokuei_models::{ReaderId, SiteId, UserId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::fields::Choice;
use super::sites::{span_badge, span_words};
use super::{Fields, back, doer, is_invalid, named, pool_choices, site_choices};
use crate::app::due::day_in_japan;
use crate::app::readers::{self, ReaderForm, ReaderLine, ReaderSheet};
use crate::app::typed::Typed;
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::error::Error;
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/readers", list);
    routes.get("/admin/readers/new", new);
    routes.post("/admin/readers", create);
    routes.get("/admin/readers/{reader}", show);
    routes.post("/admin/readers/{reader}", update);
}

#[derive(Template)]
#[template(path = "admin/readers.html")]
struct ListPage<'a> {
    page: &'a Page,
    lines: Vec<ReaderLine>,
    pools: Vec<Choice>,
}

impl ListPage<'_> {
    fn name<'b>(&self, line: &'b ReaderLine) -> &'b str {
        named(self.page, &line.names.1, &line.names.2)
    }

    fn pool(&self, reader: &ReaderRow) -> &str {
        let id = reader.pool_id.to_string();
        self.pools.iter().find(|(known, _)| *known == id).map_or("", |(_, word)| word)
    }

    fn place(&self, place: &Place) -> String {
        self.page.code("admin-place", place.code())
    }
}

async fn list(who: Allowed<Administer>, state: State, page: Page) -> Answer {
    doer(&who, &state)?;
    let lines = readers::list(&state).await?;
    let language = page.language;
    let pools = state.db.read(move |conn| pool_choices(conn, language)).await?;
    let page = page.clone().titled(&page.t("admin-readers"));
    page.show(&ListPage { page: &page, lines, pools })
}

#[derive(Template)]
#[template(path = "admin/reader_new.html")]
struct NewPage<'a> {
    page: &'a Page,
    form: Fields<'a>,
    facts: &'a ReaderForm,
    users: Vec<Choice>,
    pools: Vec<Choice>,
}

/// Users who are no readers yet.
async fn candidates(state: &State, language: Language) -> Result<Vec<Choice>, Error> {
    let load = move |conn: &mut dokuei_models::Connection| {
        let known: Vec<UserId> = reader_list_all(conn)?.into_iter().map(|(reader, ..)| reader.user_id).collect();
        let mut users = user_list(conn)?;
        users.retain(|user| user.active && !known.contains(&user.id));
        let name = |ja: String, en: String| if language == Language::En && !en.is_empty() { en } else { ja };
        let choice = |user: dokuei_models::store::users::User| {
            (user.id.to_string(), format!("{}（{}）", name(user.name_ja, user.name_en), user.login))
        };
        Ok(users.into_iter().map(choice).collect())
    };
    Ok(state.db.read(load).await?)
}

async fn new_page(state: &State, page: Page, facts: &ReaderForm, refused: Option<&Error>) -> Answer {
    let language = page.language;
    let users = candidates(state, language).await?;
    let pools = state.db.read(move |conn| pool_choices(conn, language)).await?;
    let page = page.clone().titled(&page.t("admin-reader-new"));
    let form = refused.map_or_else(|| Fields::new(&page), |error| Fields::refused(&page, error));
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &NewPage { page: &page, form, facts, users, pools })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Begun {
    user: Typed<UserId>,
}

async fn new(who: Allowed<Administer>, state: State, page: Page, begun: web::Query<Begun>) -> Answer {
    doer(&who, &state)?;
    let pool = state.db.read(pool_list).await?.first().map(|(id, ..)| *id);
    let facts = ReaderForm { user: begun.into_inner().user, ..ReaderForm::fresh(None, pool) };
    new_page(&state, page, &facts, None).await
}

async fn create(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<ReaderForm>,
) -> Answer {
    match readers::create(&state, doer(&who, &state)?, &form).await {
        Ok(reader) => back(&request, &format!("/admin/readers/{reader}")),
        Err(error) if is_invalid(&error) => new_page(&state, page, &form, Some(&error)).await,
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "admin/reader.html")]
struct ReaderPage<'a> {
    page: &'a Page,
    sheet: &'a ReaderSheet,
    form: Fields<'a>,
    facts: &'a ReaderForm,
    pools: Vec<Choice>,
    sites: Vec<Choice>,
    places: Vec<Choice>,
    weekdays: [(&'static str, String); 7],
    today: NaiveDate,
}

impl ReaderPage<'_> {
    fn name(&self) -> &str {
        named(self.page, &self.sheet.user.name_ja, &self.sheet.user.name_en)
    }

    fn site(&self, site: &SiteId) -> &str {
        let id = site.to_string();
        self.sites.iter().find(|(known, _)| *known == id).map_or("", |(_, word)| word)
    }

    fn span(&self, from: &NaiveDate, to: &Option<NaiveDate>) -> String {
        span_words(*from, *to)
    }

    fn in_force(&self, from: &NaiveDate, to: &Option<NaiveDate>) -> Html {
        span_badge(self.page, self.today, *from, *to)
    }

    fn place(&self, place: &Place) -> String {
        self.page.code("admin-place", place.code())
    }

    /// The spans of one day of the week.
    fn of_day(&self, at: &usize) -> Vec<&ShiftPatternRow> {
        let day = i32::try_from(*at).unwrap_or(0);
        self.sheet.patterns.iter().filter(|pattern| pattern.weekday == day).collect()
    }

    fn times(&self, pattern: &ShiftPatternRow) -> String {
        let clock = |minute: i32| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
        let next = if pattern.end_minute > 1440 { self.page.t("admin-shift-next-day") + " " } else { String::new() };
        format!("{}–{next}{}", clock(pattern.start_minute), clock(pattern.end_minute))
    }
}

async fn reader_page(state: &State, page: Page, reader: ReaderId, typed: Option<(&ReaderForm, &Error)>) -> Answer {
    let language = page.language;
    let sheet = readers::sheet(state, reader).await?;
    let (pools, sites) =
        state.db.read(move |conn| Ok((pool_choices(conn, language)?, site_choices(conn, language)?))).await?;
    let page = page.clone().titled(named(&page, &sheet.user.name_ja, &sheet.user.name_en));
    let known = ReaderForm::of(&sheet.reader);
    let day = |code: &'static str| (code, page.t(&format!("admin-day-{code}")));
    let view = ReaderPage {
        form: typed.map_or_else(|| Fields::new(&page), |(_, error)| Fields::refused(&page, error)),
        facts: typed.map_or(&known, |(form, _)| form),
        places: Place::ALL.iter().map(|one| (one.code().to_owned(), page.code("admin-place", one.code()))).collect(),
        weekdays: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(day),
        today: day_in_japan(state.now()),
        sheet: &sheet,
        page: &page,
        pools,
        sites,
    };
    let status = if typed.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &view)
}

async fn show(who: Allowed<Administer>, state: State, page: Page, path: web::Path<ReaderId>) -> Answer {
    doer(&who, &state)?;
    reader_page(&state, page, *path, None).await
}

async fn update(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<ReaderId>,
    form: web::Form<ReaderForm>,
) -> Answer {
    match readers::update(&state, doer(&who, &state)?, *path, &form).await {
        Ok(()) => back(&request, &format!("/admin/readers/{path}")),
        Err(error) if is_invalid(&error) => reader_page(&state, page, *path, Some((&form, &error))).await,
        Err(error) => Err(error),
    }
}
