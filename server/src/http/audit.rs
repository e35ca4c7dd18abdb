//! `/audit`: the trail searched and its seals checked, for the security officer.
//!
//! What is looked for stands in the address: login names, actions, ids and days,
//! never a patient.

use actix_web::web;
use askama::Template;
use chrono::{Days, NaiveDate};
use dokuei_models::japan;
use dokuei_models::store::audit::{AuditFault, AuditQuery, AuditRow, SealState};
use serde::Deserialize;

use super::admin::Fields;
use super::{Answer, Page, Routes};
use crate::app::trail::{self, Checked};
use crate::app::typed::Typed;
use crate::authority::Allowed;
use crate::authority::rights::Audit;
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// Rows on one page.
const ROWS: usize = 100;

/// Registers the page.
pub fn routes(routes: &mut Routes) {
    routes.get("/audit", show);
    routes.post("/audit/verify", verify);
}

#[derive(Debug, Clone, Deserialize, Default)]
#[serde(default)]
struct Wanted {
    actor: String,
    action: String,
    subject_kind: String,
    subject: Typed<i64>,
    outcome: String,
    from_day: Typed<NaiveDate>,
    to_day: Typed<NaiveDate>,
    before: Option<i64>,
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Wanted {
    fn query(&self) -> AuditQuery {
        let day = |typed: &Typed<NaiveDate>| match typed {
            Typed::Is(day) => Some(*day),
            _ => None,
        };
        AuditQuery {
            actor: filled(&self.actor),
            action: filled(&self.action),
            subject_kind: filled(&self.subject_kind),
            subject_id: match self.subject {
                Typed::Is(id) => Some(id),
                _ => None,
            },
            outcome: filled(&self.outcome),
            from: day(&self.from_day).map(japan::midnight),
            to: day(&self.to_day).map(|last| japan::midnight(last + Days::new(1))),
            before_id: self.before,
            limit: i64::try_from(ROWS + 1).unwrap_or(i64::MAX),
        }
    }
}

#[derive(Template)]
#[template(path = "audit/page.html")]
struct AuditPage<'a> {
    page: &'a Page,
    form: Fields<'a>,
    wanted: &'a Wanted,
    rows: Vec<AuditRow>,
    seal: SealState,
    /// The row before which the next page begins.
    older: Option<i64>,
    outcomes: Vec<(String, String)>,
}

impl AuditPage<'_> {
    fn outcome(&self, row: &AuditRow) -> Html {
        let tone = match row.outcome.as_str() {
            "done" => Tone::Good,
            "refused" => Tone::Warning,
            _ => Tone::Bad,
        };
        badge::tone(tone, &self.page.code("audit-outcome", &row.outcome))
    }

    fn subject(&self, row: &AuditRow) -> String {
        row.subject_id.map_or_else(|| row.subject_kind.clone(), |id| format!("{} #{id}", row.subject_kind))
    }

    fn is_sealed(&self, row: &AuditRow) -> bool {
        self.seal.last_sealed.is_some_and(|last| row.id <= last)
    }

    /// Seconds count here: two changes of one minute are told apart.
    fn at(&self, row: &AuditRow) -> String {
        japan::local(row.at).format("%Y-%m-%d %H:%M:%S").to_string()
    }
}

async fn show(who: Allowed<Audit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let mut rows = trail::search(&state, &who, wanted.query()).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let page = page.clone().titled(&page.t("nav-audit"));
    let outcomes = ["done", "refused", "failed"].map(|code| (code.to_owned(), page.code("audit-outcome", code)));
    page.show(&AuditPage {
        form: Fields::new(&page),
        older: rows.last().map(|row| row.id).filter(|_| more),
        seal: trail::seal_state(&state).await?,
        outcomes: outcomes.to_vec(),
        wanted: &wanted,
        page: &page,
        rows,
    })
}

#[derive(Template)]
#[template(path = "audit/checked.html")]
struct CheckedView<'a> {
    page: &'a Page,
    checked: &'a Checked,
}

impl CheckedView<'_> {
    fn fault(&self, fault: &AuditFault) -> String {
        match fault {
            AuditFault::ChangedRow { id } => self.page.tv("audit-fault-changed", id),
            AuditFault::MissingRow { id, .. } => self.page.tv("audit-fault-missing", id),
            AuditFault::BrokenSeal { seal } => self.page.tv("audit-fault-seal", seal),
        }
    }
}

async fn verify(who: Allowed<Audit>, state: State, page: Page) -> Answer {
    let checked = trail::verify(&state, &who).await?;
    page.show(&CheckedView { page: &page, checked: &checked })
}
