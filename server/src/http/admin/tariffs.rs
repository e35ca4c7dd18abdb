//! `/admin/tariffs`: names, versions, prices.

use actix_web::{HttpRequest, web};
use askama::Template;
use chrono::{Days, NaiveDate};
use dokuei_models::TariffId;
use dokuei_models::store::tariffs::{TariffLineRow, TariffRow};
use dokuei_terms::{Modality, Region};

use super::fields::Choice;
use super::sites::{span_badge, span_words};
use super::{Fields, back, doer};
use crate::app::due::day_in_japan;
use crate::app::tariffs::{self, KINDS, PriceForm, SURCHARGED, SurchargeForm, TariffForm, TariffSheet};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/tariffs", list);
    routes.post("/admin/tariffs", create);
    routes.get("/admin/tariffs/{tariff}", show);
    routes.post("/admin/tariffs/{tariff}/next", next);
    routes.post("/admin/tariffs/{tariff}/remove", remove);
    routes.post("/admin/tariffs/{tariff}/prices", set_price);
    routes.post("/admin/tariffs/{tariff}/surcharges", set_surcharges);
}

#[derive(Template)]
#[template(path = "admin/tariffs.html")]
struct ListPage<'a> {
    page: &'a Page,
    versions: Vec<(TariffRow, usize, bool)>,
    today: NaiveDate,
    form: Fields<'a>,
}

impl ListPage<'_> {
    fn span(&self, row: &TariffRow) -> String {
        span_words(row.from_day, row.to_day)
    }

    fn in_force(&self, row: &TariffRow) -> Html {
        span_badge(self.page, self.today, row.from_day, row.to_day)
    }
}

async fn list(who: Allowed<Administer>, state: State, page: Page) -> Answer {
    doer(&who, &state)?;
    let versions = tariffs::list(&state).await?;
    let page = page.clone().titled(&page.t("admin-tariffs"));
    page.show(&ListPage { page: &page, versions, today: day_in_japan(state.now()), form: Fields::new(&page) })
}

async fn create(who: Allowed<Administer>, state: State, request: HttpRequest, form: web::Form<TariffForm>) -> Answer {
    let tariff = tariffs::create(&state, doer(&who, &state)?, &form).await?;
    back(&request, &format!("/admin/tariffs/{tariff}"))
}

/// One place of the table with its three amounts.
struct PriceRow {
    modality: String,
    region: String,
    words: (String, String),
    amounts: [Option<i64>; 3],
}

#[derive(Template)]
#[template(path = "admin/tariff.html")]
struct TariffPage<'a> {
    page: &'a Page,
    sheet: &'a TariffSheet,
    rows: Vec<PriceRow>,
    surcharges: [(&'static str, String, Option<i64>); 3],
    modalities: Vec<Choice>,
    regions: Vec<Choice>,
    form: Fields<'a>,
    today: NaiveDate,
    tomorrow: NaiveDate,
}

impl TariffPage<'_> {
    fn span(&self, row: &TariffRow) -> String {
        span_words(row.from_day, row.to_day)
    }

    fn in_force(&self, row: &TariffRow) -> Html {
        span_badge(self.page, self.today, row.from_day, row.to_day)
    }

    fn yen(&self, amount: &Option<i64>) -> String {
        amount.map_or_else(|| "—".to_owned(), |yen| self.page.yen(yen))
    }

    fn typed(&self, amount: &Option<i64>) -> String {
        amount.map(|yen| yen.to_string()).unwrap_or_default()
    }

    fn is_shown(&self, row: &TariffRow) -> bool {
        row.id == self.sheet.tariff.id
    }
}

/// The lines as a table: one row a place, in the order in which the places were entered.
fn price_rows(page: &Page, lines: &[TariffLineRow]) -> Vec<PriceRow> {
    let mut rows: Vec<PriceRow> = Vec::new();
    for line in lines {
        let Some(kind) = KINDS.iter().position(|kind| *kind == line.kind) else { continue };
        let (modality, region) = (line.modality.clone().unwrap_or_default(), line.region.clone().unwrap_or_default());
        let at = rows.iter().position(|row| row.modality == modality && row.region == region).unwrap_or_else(|| {
            let modality_word = modality.parse::<Modality>().map(|one| one.label(page.language).to_owned());
            let region_word = region.parse::<Region>().map(|one| one.label(page.language).to_owned());
            let words = (
                modality_word.unwrap_or_else(|_| page.t("admin-tariff-all-modalities")),
                region_word.unwrap_or_else(|_| page.t("admin-tariff-all-regions")),
            );
            rows.push(PriceRow { modality, region, words, amounts: [None; 3] });
            rows.len() - 1
        });
        rows[at].amounts[kind] = Some(line.amount_yen);
    }
    rows
}

async fn show(who: Allowed<Administer>, state: State, page: Page, path: web::Path<TariffId>) -> Answer {
    doer(&who, &state)?;
    let sheet = tariffs::sheet(&state, *path).await?;
    let page = page.clone().titled(&sheet.tariff.name);
    let language = page.language;
    let of_priority = |code: &str| {
        let line = sheet.lines.iter().find(|line| line.kind == "urgency" && line.priority.as_deref() == Some(code));
        line.map(|line| line.amount_yen)
    };
    let all = |word: &str| vec![(String::new(), page.t(word))];
    let modalities = Modality::ALL.iter().map(|one| (one.code().to_owned(), one.label(language).to_owned()));
    let regions = Region::all().map(|one| (one.code().to_owned(), one.label(language).to_owned()));
    let today = day_in_japan(state.now());
    page.show(&TariffPage {
        rows: price_rows(&page, &sheet.lines),
        surcharges: SURCHARGED.map(|one| (one.code(), one.label(language).to_owned(), of_priority(one.code()))),
        modalities: all("admin-tariff-all-modalities").into_iter().chain(modalities).collect(),
        regions: all("admin-tariff-all-regions").into_iter().chain(regions).collect(),
        form: Fields::new(&page),
        tomorrow: today + Days::new(1),
        today,
        sheet: &sheet,
        page: &page,
    })
}

async fn next(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<TariffId>,
    form: web::Form<TariffForm>,
) -> Answer {
    let tariff = tariffs::next(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/tariffs/{tariff}"))
}

async fn remove(who: Allowed<Administer>, state: State, request: HttpRequest, path: web::Path<TariffId>) -> Answer {
    tariffs::remove(&state, doer(&who, &state)?, *path).await?;
    back(&request, "/admin/tariffs")
}

async fn set_price(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<TariffId>,
    form: web::Form<PriceForm>,
) -> Answer {
    tariffs::set_price(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/tariffs/{path}"))
}

async fn set_surcharges(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<TariffId>,
    form: web::Form<SurchargeForm>,
) -> Answer {
    tariffs::set_surcharges(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/tariffs/{path}"))
}
