//! The billing clerk's month.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{Datelike, NaiveDate};
use dokuei_models::SiteId;
use dokuei_models::store::billable_events;
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_terms::Language;
use serde::Deserialize;

use super::{Answer, Page, Routes};
use crate::app::billing::{self, Encoding, Line, Month};
use crate::app::due::day_in_japan;
use crate::authority::{Allowed, rights::Bill};
use crate::error::{Error, codes};
use crate::state::State;
use crate::ui::Html;
use crate::ui::chart::{self, Bar};

/// Lines that the page itself shows; the export has all.
const SHOWN: usize = 300;

/// Registers the billing pages.
pub fn routes(routes: &mut Routes) {
    routes.get("/billing", show);
    routes.get("/billing/export", export);
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Query {
    month: String,
    site: Option<i64>,
    encoding: String,
}

#[derive(Template)]
#[template(path = "billing/page.html")]
struct BillingPage<'a> {
    page: &'a Page,
    month: &'a Month,
    months: Vec<String>,
    before: String,
    after: String,
    sites: Vec<SiteRow>,
    site: Option<i64>,
    by_site: Html,
    by_modality: Html,
    by_reader: Html,
    without_price: usize,
    shown: &'a [Line],
}

impl BillingPage<'_> {
    fn site_name<'s>(&self, site: &'s SiteRow) -> &'s str {
        match self.page.language {
            Language::En if !site.name_en.is_empty() => &site.name_en,
            _ => &site.name_ja,
        }
    }

    fn site<'l>(&self, line: &'l Line) -> &'l str {
        in_language(self.page.language, &line.site, &line.site_en)
    }

    fn reader<'l>(&self, line: &'l Line) -> &'l str {
        in_language(self.page.language, &line.reader, &line.reader_en)
    }

    fn kind(&self, line: &Line) -> String {
        self.page.t(&format!("billing-kind-{}", line.row.kind.replace('_', "-")))
    }

    fn part(&self, line: &Line) -> String {
        let part = dokuei_terms::Part {
            region: line.row.region,
            modality: line.row.modality,
            laterality: line.row.laterality,
        };
        part.label(self.page.language)
    }

    fn sentence(&self, line: &Line) -> String {
        match self.page.language {
            Language::Ja => line.row.addon_sentence_ja.clone(),
            Language::En => line.row.addon_sentence_en.clone(),
        }
    }

    fn addon(&self, line: &Line) -> String {
        self.page.t(&format!("billing-addon-{}", line.row.addon))
    }

    fn is_chosen(&self, site: &SiteRow) -> bool {
        self.site == Some(site.id.0)
    }
}

fn in_language<'t>(language: Language, ja: &'t str, en: &'t str) -> &'t str {
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

async fn load(state: &State, query: &Query) -> Result<Month, Error> {
    let chosen = chosen_month(state, &query.month)?;
    let site = query.site.map(SiteId);
    Ok(state.db.read(move |conn| billing::month(conn, &chosen, site)).await?)
}

fn chosen_month(state: &State, asked: &str) -> Result<String, Error> {
    if asked.is_empty() {
        return Ok(day_in_japan(state.now()).format("%Y-%m").to_string());
    }
    if !billing::is_month(asked) {
        return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "month: YYYY-MM"));
    }
    Ok(asked.to_owned())
}

async fn show(who: Allowed<Bill>, state: State, page: Page, query: web::Query<Query>) -> Answer {
    let month = load(&state, &query).await?;
    let actor = who.actor(state.now());
    let name = month.month.clone();
    let (months, all_sites) = state
        .db
        .tx(move |conn| {
            use dokuei_models::store::audit::{Subject, append_in_tx};
            let detail = serde_json::json!({ "month": name }).to_string();
            append_in_tx(conn, &actor, "ledger.view", Subject::none("ledger"), "done", &detail)?;
            Ok((billable_events::billable_month_list(conn)?, sites::site_list(conn)?))
        })
        .await?;
    let page = page.clone().titled(&page.t("billing-title"));
    let bars = |sums: Vec<billing::Sum>, title: &str| {
        let rows: Vec<Bar> = sums
            .into_iter()
            .take(10)
            .map(|sum| {
                #[expect(clippy::cast_precision_loss, reason = "a bar's length")]
                let value = sum.yen as f64;
                let shown = format!("{} · {}", page.yen(sum.yen), page.tn("billing-parts", sum.count));
                Bar { label: sum.label, value, shown }
            })
            .collect();
        chart::bars(&rows, title)
    };
    let language = page.language;
    let shown = &month.lines[..month.lines.len().min(SHOWN)];
    page.show(&BillingPage {
        by_site: bars(
            month.by(|line| in_language(language, &line.site, &line.site_en).to_owned()),
            &page.t("billing-by-site"),
        ),
        by_modality: bars(
            month.by(|line| line.row.modality.label(language).to_owned()),
            &page.t("billing-by-modality"),
        ),
        by_reader: bars(
            month.by(|line| in_language(language, &line.reader, &line.reader_en).to_owned()),
            &page.t("billing-by-reader"),
        ),
        before: neighbour(&month.month, -1),
        after: neighbour(&month.month, 1),
        without_price: month.without_price().len(),
        sites: all_sites.into_iter().filter(|site| site.refers).collect(),
        site: query.site,
        months,
        shown,
        month: &month,
        page: &page,
    })
}

/// The month before or after.
fn neighbour(month: &str, step: i32) -> String {
    let Ok(first) = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d") else { return month.to_owned() };
    let months = first.year() * 12 + i32::try_from(first.month0()).unwrap_or(0) + step;
    format!("{:04}-{:02}", months.div_euclid(12), months.rem_euclid(12) + 1)
}

async fn export(who: Allowed<Bill>, state: State, query: web::Query<Query>) -> Answer {
    let encoding = match query.encoding.as_str() {
        "" | "utf8" => Encoding::Utf8,
        "cp932" => Encoding::Cp932,
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "encoding: utf8, cp932")),
    };
    let month = load(&state, &query).await?;
    let bytes = billing::csv(&month, encoding).map_err(|error| Error::internal(anyhow::Error::from(error)))?;
    let (actor, name, lines) = (who.actor(state.now()), month.month.clone(), month.lines.len());
    state.db.tx(move |conn| billing::note_export_in_tx(conn, &actor, &name, lines)).await?;
    let charset = if encoding == Encoding::Utf8 { "utf-8" } else { "windows-31j" };
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", format!("text/csv; charset={charset}")))
        .insert_header((
            "content-disposition",
            format!("attachment; filename=\"dokuei-{}-{charset}.csv\"", month.month),
        ))
        .insert_header(("cache-control", "no-store"))
        .body(bytes))
}

#[cfg(test)]
mod tests {
    use super::neighbour;

    #[test]
    fn months_follow_one_another_over_the_year() {
        assert_eq!(neighbour("2026-12", 1), "2027-01");
        assert_eq!(neighbour("2027-01", -1), "2026-12");
    }
}
