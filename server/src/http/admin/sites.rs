//! `/admin/sites`: the list, one site's sheet, its form.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use dokuei_models::SiteId;
use dokuei_models::state::OrphanRule;
use dokuei_models::store::pools::pool_list;
use dokuei_models::store::sites::{ContractRow, EndpointRow, FilingRow, SiteRow};
use serde::Deserialize;

use super::fields::Choice;
use super::{Fields, back, doer, is_invalid, named, pool_choices};
use crate::app::contracts::ContractForm;
use crate::app::due::day_in_japan;
use crate::app::endpoints::{self, Stranger};
use crate::app::sites::{self, SiteForm, SiteLine, SiteSheet};
use crate::app::{filings, returns};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/sites", list);
    routes.get("/admin/sites/new", new);
    routes.post("/admin/sites", create);
    routes.get("/admin/sites/{site}", show);
    routes.get("/admin/sites/{site}/edit", edit);
    routes.post("/admin/sites/{site}", update);
}

#[derive(Template)]
#[template(path = "admin/sites.html")]
struct ListPage<'a> {
    page: &'a Page,
    q: &'a str,
    lines: Vec<SiteLine>,
    strangers: Vec<Stranger>,
    pools: Vec<(dokuei_models::PoolId, String, String, String)>,
    ours: &'a str,
    form: Fields<'a>,
}

impl ListPage<'_> {
    fn name<'b>(&self, site: &'b SiteRow) -> &'b str {
        named(self.page, &site.name_ja, &site.name_en)
    }

    fn role(&self, site: &SiteRow) -> String {
        role_words(self.page, site)
    }

    fn reason(&self, stranger: &Stranger) -> String {
        self.page.code("dispatch-refusal", &stranger.reason)
    }

    fn called_wrong(&self, stranger: &Stranger) -> bool {
        stranger.called_ae != self.ours
    }
}

fn role_words(page: &Page, site: &SiteRow) -> String {
    match (site.refers, site.reads) {
        (true, true) => page.t("admin-site-both"),
        (false, true) => page.t("admin-site-reads"),
        _ => page.t("admin-site-refers"),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Wanted {
    pub q: String,
}

async fn list(who: Allowed<Administer>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    doer(&who, &state)?;
    let lines = sites::list(&state, &wanted.q).await?;
    let strangers = endpoints::strangers(&state).await?;
    let pools = state.db.read(pool_list).await?;
    let page = page.clone().titled(&page.t("admin-sites"));
    let ours = &state.config.dicom.ae_title;
    page.show(&ListPage { page: &page, q: &wanted.q, lines, strangers, pools, ours, form: Fields::new(&page) })
}

#[derive(Template)]
#[template(path = "admin/site_form.html")]
struct FormPage<'a> {
    page: &'a Page,
    site: Option<&'a SiteRow>,
    action: String,
    form: Fields<'a>,
    facts: &'a SiteForm,
    pools: Vec<Choice>,
    id_rules: Vec<Choice>,
    orphan_rules: Vec<Choice>,
}

async fn form_page(
    state: &State,
    page: Page,
    site: Option<&SiteRow>,
    facts: &SiteForm,
    refused: Option<&crate::error::Error>,
) -> Answer {
    let language = page.language;
    let pools = state.db.read(move |conn| pool_choices(conn, language)).await?;
    let title =
        site.map_or_else(|| page.t("admin-site-new"), |site| named(&page, &site.name_ja, &site.name_en).to_owned());
    let page = page.titled(&title);
    let words = |prefix: &str, codes: &[&str]| -> Vec<Choice> {
        codes.iter().map(|code| ((*code).to_owned(), page.code(prefix, code))).collect()
    };
    let orphan_codes: Vec<&str> = OrphanRule::ALL.iter().map(|rule| rule.code()).collect();
    let view = FormPage {
        action: site.map_or_else(|| "/admin/sites".to_owned(), |site| format!("/admin/sites/{}", site.id)),
        id_rules: words("admin-id-rule", &["exact", "ignore_zeros", "pad"]),
        orphan_rules: words("admin-orphan", &orphan_codes),
        form: refused.map_or_else(|| Fields::new(&page), |error| Fields::refused(&page, error)),
        page: &page,
        site,
        facts,
        pools,
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &view)
}

async fn new(who: Allowed<Administer>, state: State, page: Page) -> Answer {
    doer(&who, &state)?;
    let pool = state.db.read(pool_list).await?.first().map(|(id, ..)| *id);
    let facts = SiteForm { pool: pool.into(), ..SiteForm::fresh() };
    form_page(&state, page, None, &facts, None).await
}

async fn create(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<SiteForm>,
) -> Answer {
    match sites::create(&state, doer(&who, &state)?, &form).await {
        Ok(site) => back(&request, &format!("/admin/sites/{site}")),
        Err(error) if is_invalid(&error) => form_page(&state, page, None, &form, Some(&error)).await,
        Err(error) => Err(error),
    }
}

async fn edit(who: Allowed<Administer>, state: State, page: Page, path: web::Path<SiteId>) -> Answer {
    doer(&who, &state)?;
    let site = sites::sheet(&state, *path).await?.site;
    form_page(&state, page, Some(&site), &SiteForm::of(&site), None).await
}

async fn update(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<SiteId>,
    form: web::Form<SiteForm>,
) -> Answer {
    match sites::update(&state, doer(&who, &state)?, *path, &form).await {
        Ok(()) => back(&request, &format!("/admin/sites/{path}")),
        Err(error) if is_invalid(&error) => {
            let site = sites::sheet(&state, *path).await?.site;
            form_page(&state, page, Some(&site), &form, Some(&error)).await
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "admin/site.html")]
struct SitePage<'a> {
    page: &'a Page,
    sheet: &'a SiteSheet,
    form: Fields<'a>,
    next: ContractForm,
    tariffs: Vec<Choice>,
    price_days: Vec<Choice>,
    filing_kinds: Vec<Choice>,
    today: chrono::NaiveDate,
    ours: &'a str,
}

impl SitePage<'_> {
    fn name(&self) -> &str {
        named(self.page, &self.sheet.site.name_ja, &self.sheet.site.name_en)
    }

    fn pool(&self) -> &str {
        named(self.page, &self.sheet.pool.0, &self.sheet.pool.1)
    }

    fn role(&self) -> String {
        role_words(self.page, &self.sheet.site)
    }

    fn id_rule(&self) -> String {
        let rule = &self.sheet.site.patient_id_rule;
        match rule.strip_prefix("pad:") {
            Some(width) => self.page.tv("admin-id-rule-pad-to", width),
            None => self.page.code("admin-id-rule", rule),
        }
    }

    fn orphan_rule(&self) -> String {
        self.page.code("admin-orphan", self.sheet.site.orphan_rule.code())
    }

    fn direction(&self, peer: &EndpointRow) -> String {
        let does = [
            (peer.sends, "admin-endpoint-sends"),
            (peer.receives, "admin-endpoint-receives"),
            (peer.queries, "admin-endpoint-queries"),
        ];
        let words: Vec<String> =
            does.into_iter().filter(|(does, _)| *does).map(|(_, word)| self.page.t(word)).collect();
        if words.is_empty() { "—".to_owned() } else { words.join(self.page.t("admin-endpoint-and").as_str()) }
    }

    fn error(&self, peer: &EndpointRow) -> String {
        let error = peer.last_error.as_deref().unwrap_or_default();
        returns::error_sentence(self.page.language, error).to_owned()
    }

    fn in_force(&self, from: &chrono::NaiveDate, to: &Option<chrono::NaiveDate>) -> Html {
        span_badge(self.page, self.today, *from, *to)
    }

    fn span(&self, from: &chrono::NaiveDate, to: &Option<chrono::NaiveDate>) -> String {
        span_words(*from, *to)
    }

    fn price_day(&self, row: &ContractRow) -> String {
        self.page.code("admin-price-day", &row.price_day)
    }

    fn dues(&self, row: &ContractRow) -> String {
        let length = |minutes: i32| self.page.duration(chrono::TimeDelta::minutes(i64::from(minutes)));
        let all = [row.due_stat_minutes, row.due_urgent_minutes, row.due_priority_minutes, row.due_routine_minutes];
        all.map(length).join(" / ")
    }

    fn filing(&self, row: &FilingRow) -> String {
        self.page.code("admin-filing", &row.kind)
    }
}

/// `2026-04-01 – 2027-03-31`, open at its end where there is none.
pub(super) fn span_words(from: chrono::NaiveDate, to: Option<chrono::NaiveDate>) -> String {
    format!("{from} – {}", to.map(|day| day.to_string()).unwrap_or_default())
}

/// Whether a span of days holds today, lies ahead or is over.
pub(super) fn span_badge(
    page: &Page,
    today: chrono::NaiveDate,
    from: chrono::NaiveDate,
    to: Option<chrono::NaiveDate>,
) -> Html {
    if from > today {
        badge::tone(Tone::Active, &page.t("admin-span-ahead"))
    } else if to.is_some_and(|last| last < today) {
        badge::tone(Tone::Plain, &page.t("admin-span-over"))
    } else {
        badge::tone(Tone::Good, &page.t("admin-span-now"))
    }
}

async fn show(who: Allowed<Administer>, state: State, page: Page, path: web::Path<SiteId>) -> Answer {
    doer(&who, &state)?;
    let sheet = sites::sheet(&state, *path).await?;
    let page = page.clone().titled(named(&page, &sheet.site.name_ja, &sheet.site.name_en));
    let today = day_in_japan(state.now());
    let word = |prefix: &str, code: &str| (code.to_owned(), page.code(prefix, code));
    page.show(&SitePage {
        next: ContractForm::proposed(sheet.contracts.first().map(|(row, _)| row), sheet.tariffs.first(), today),
        tariffs: sheet.tariffs.iter().map(|name| (name.clone(), name.clone())).collect(),
        price_days: ["signing", "receipt"].map(|code| word("admin-price-day", code)).to_vec(),
        filing_kinds: filings::KINDS.map(|code| word("admin-filing", code)).to_vec(),
        form: Fields::new(&page),
        sheet: &sheet,
        today,
        ours: &state.config.dicom.ae_title,
        page: &page,
    })
}
