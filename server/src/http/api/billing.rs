//! A month of the ledger, as JSON and as CSV.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use dokuei_models::SiteId;
use dokuei_models::store::audit::{Subject, append_in_tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use crate::app::billing::{self as app, Encoding, Line, Month};
use crate::authority::Allowed;
use crate::authority::rights::Bill;
use crate::error::{Error, Result, codes};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/billing/{month}", billing_month);
    routes.get("/api/v1/billing/{month}/export.csv", billing_csv);
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    site: Option<SiteId>,
    #[serde(default)]
    encoding: String,
}

async fn load(state: &State, month: String, site: Option<SiteId>) -> Result<Month> {
    if !app::is_month(&month) {
        return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "month: YYYY-MM"));
    }
    Ok(state.db.read(move |conn| app::month(conn, &month, site)).await?)
}

/// A line of the ledger.
#[derive(Serialize, ToSchema)]
struct LineShape {
    id: i64,
    /// `reading`, `urgency`, `reader_fee` or `addon`.
    kind: String,
    counts_on: NaiveDate,
    site: i64,
    site_name: String,
    case: i64,
    read: i64,
    version: i64,
    reader: i64,
    reader_name: String,
    region: &'static str,
    modality: &'static str,
    laterality: &'static str,
    priority: &'static str,
    quantity: i32,
    /// Yen without tax.
    amount_yen: i64,
    /// Whether the tariff has a line for it.
    has_price: bool,
    /// Whether the imaging-management add-on may be claimed.
    addon: String,
    addon_tier: String,
    addon_points: i32,
    addon_sentence_ja: String,
    addon_sentence_en: String,
    /// The line that this one corrects.
    corrects: Option<i64>,
}

impl LineShape {
    fn of(line: &Line) -> Self {
        let row = &line.row;
        Self {
            id: row.id.0,
            kind: row.kind.clone(),
            counts_on: row.counts_on,
            site: row.site_id.0,
            site_name: line.site.clone(),
            case: row.case_id.0,
            read: row.read_id.0,
            version: row.report_version_id.0,
            reader: row.reader_id.0,
            reader_name: line.reader.clone(),
            region: row.region.code(),
            modality: row.modality.code(),
            laterality: row.laterality.code(),
            priority: row.priority.code(),
            quantity: row.quantity,
            amount_yen: row.amount_yen,
            has_price: row.tariff_line_id.is_some(),
            addon: row.addon.clone(),
            addon_tier: row.addon_tier.clone(),
            addon_points: row.addon_points,
            addon_sentence_ja: row.addon_sentence_ja.clone(),
            addon_sentence_en: row.addon_sentence_en.clone(),
            corrects: row.corrects_id.map(|id| id.0),
        }
    }
}

/// A month of the ledger.
#[derive(Serialize, ToSchema)]
struct MonthShape {
    month: String,
    /// What the sites owe, in yen without tax.
    charged_yen: i64,
    /// What the readers are owed.
    owed_yen: i64,
    parts: i64,
    addon_points: i64,
    /// Readings that no line of the tariff prices.
    without_price: usize,
    lines: Vec<LineShape>,
}

/// A month of the ledger.
#[utoipa::path(get, path = "/api/v1/billing/{month}", tag = "billing",
    params(("month" = String, Path, description = "YYYY-MM"), ("site" = Option<i64>, Query)),
    responses((status = 200, body = MonthShape)))]
pub(super) async fn billing_month(
    who: Allowed<Bill>,
    state: State,
    path: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Answer {
    let month = load(&state, path.into_inner(), wanted.site).await?;
    let (actor, name) = (who.actor(state.now()), month.month.clone());
    state
        .db
        .tx(move |conn| {
            let detail = serde_json::json!({ "month": name }).to_string();
            append_in_tx(conn, &actor, "ledger.view", Subject::none("ledger"), "done", &detail)
        })
        .await?;
    Ok(HttpResponse::Ok().json(MonthShape {
        charged_yen: month.charged_yen(),
        owed_yen: month.owed_yen(),
        parts: month.parts(),
        addon_points: month.addon_points(),
        without_price: month.without_price().len(),
        lines: month.lines.iter().map(LineShape::of).collect(),
        month: month.month,
    }))
}

/// The same as CSV, with every column that accounting takes.
#[utoipa::path(get, path = "/api/v1/billing/{month}/export.csv", tag = "billing",
    params(
        ("month" = String, Path, description = "YYYY-MM"),
        ("site" = Option<i64>, Query),
        ("encoding" = Option<String>, Query, description = "utf8 (default, with a byte order mark) or cp932"),
    ),
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(super) async fn billing_csv(
    who: Allowed<Bill>,
    state: State,
    path: web::Path<String>,
    wanted: web::Query<Wanted>,
) -> Answer {
    let (encoding, charset) = match wanted.encoding.as_str() {
        "" | "utf8" => (Encoding::Utf8, "utf-8"),
        "cp932" => (Encoding::Cp932, "windows-31j"),
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "encoding: utf8, cp932")),
    };
    let month = load(&state, path.into_inner(), wanted.site).await?;
    let bytes = app::csv(&month, encoding).map_err(Error::internal)?;
    let (actor, name, lines) = (who.actor(state.now()), month.month.clone(), month.lines.len());
    state.db.tx(move |conn| app::note_export_in_tx(conn, &actor, &name, lines)).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", format!("text/csv; charset={charset}")))
        .insert_header(("content-disposition", format!("attachment; filename=\"dokuei-{}.csv\"", month.month)))
        .body(bytes))
}
