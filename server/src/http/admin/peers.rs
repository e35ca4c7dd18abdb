//! `/admin/peers`: every DICOM peer at a glance, and one in full.

use std::borrow::Borrow;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::EndpointId;
use dokuei_models::store::commitments::{CommitmentRow, CommitmentState};
use dokuei_models::store::priors::PriorWay;
use dokuei_models::store::sites::PeerTls;
use dokuei_models::store::spooled::SpoolNode;

use super::endpoints::choices;
use super::{Choice, Fields, back, doer, is_invalid, named};
use crate::app::peer_sheet::{self, PeerLine, Peers, Refused};
use crate::app::priors::rule::{self, RuleForm};
use crate::app::returns;
use crate::app::site_limits::{self, LimitsForm};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::error::Error;
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::badge::{self, Tone};
use crate::ui::{Html, chart, escape};

/// A certificate that ends so soon is pointed out.
const SOON: TimeDelta = TimeDelta::days(30);

/// A node says every ten seconds how its spool fares.
const SILENT: TimeDelta = TimeDelta::minutes(2);

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/peers", list);
    routes.get("/admin/peers/{endpoint}", show);
    routes.post("/admin/peers/{endpoint}/limits", set_limits);
    routes.post("/admin/peers/{endpoint}/priors", set_rule);
}

/// What both pages say alike.
struct Words<'a> {
    page: &'a Page,
    now: NaiveDateTime,
}

impl Words<'_> {
    fn site(&self, line: &PeerLine) -> String {
        named(self.page, &line.site.name_ja, &line.site.name_en).to_owned()
    }

    fn badge(&self, tone: Tone, key: &str) -> Html {
        badge::tone(tone, &self.page.t(key))
    }

    fn echo(&self, line: &PeerLine) -> Html {
        let state = line.state.as_ref();
        match state {
            _ if line.row.host.is_empty() => self.badge(Tone::Plain, "peers-echo-nowhere"),
            Some(state) if state.failures > 1 => self.badge(Tone::Bad, "peers-echo-failing"),
            Some(state) if state.failures == 1 => self.badge(Tone::Warning, "peers-echo-missed"),
            Some(state) if state.answered_at.is_some() => self.badge(Tone::Good, "peers-echo-answers"),
            _ if line.row.watched => self.badge(Tone::Plain, "peers-echo-soon"),
            _ => self.badge(Tone::Plain, "peers-echo-unwatched"),
        }
    }

    fn echo_detail(&self, line: &PeerLine) -> String {
        let Some(state) = &line.state else { return String::new() };
        match (state.failing_since, state.answered_at) {
            (Some(since), _) => {
                let times = self.page.tn("dispatch-failing-times", state.failures);
                format!("{times} · {}", self.page.tv("dispatch-failing-since", self.page.date_time(since)))
            }
            (None, Some(at)) => {
                format!("{} · {} ms", self.page.date_time(at), state.echo_ms.unwrap_or_default())
            }
            (None, None) => String::new(),
        }
    }

    fn failure(&self, line: &PeerLine) -> String {
        let failure = line.state.as_ref().and_then(|state| state.failure.as_deref());
        failure.map(|text| returns::error_sentence(self.page.language, text).to_owned()).unwrap_or_default()
    }

    fn tls(&self, line: &PeerLine) -> Html {
        let required = line.row.tls == PeerTls::Required;
        let seen = line.state.as_ref().is_some_and(|state| state.tls_at.is_some());
        match (required, seen) {
            (true, true) => self.badge(Tone::Good, "peers-tls-required"),
            (true, false) => self.badge(Tone::Warning, "peers-tls-never"),
            (false, true) => self.badge(Tone::Plain, "peers-tls-spoken"),
            (false, false) => self.badge(Tone::Plain, "peers-tls-none"),
        }
    }

    fn ends(&self, not_after: impl Borrow<Option<NaiveDateTime>>) -> Html {
        let Some(at) = *not_after.borrow() else { return Html::raw(String::new()) };
        let date = self.page.date_time(at);
        if at < self.now {
            badge::tone(Tone::Bad, &self.page.tv("peers-certificate-over", date))
        } else if at < self.now + SOON {
            badge::tone(Tone::Warning, &self.page.tv("peers-certificate-until", date))
        } else {
            Html::raw(format!(
                "<small class=\"muted nowrap\">{}</small>",
                self.page.tv("peers-certificate-until", date)
            ))
        }
    }

    fn chart(&self, line: &PeerLine) -> Html {
        let values: Vec<f64> = line.per_day.iter().map(|count| *count as f64).collect();
        let numbers: Vec<String> = line.per_day.iter().map(i64::to_string).collect();
        chart::sparkline(&values, &self.page.tv("peers-chart", numbers.join(", ")))
    }

    fn commitment(&self, row: &CommitmentRow) -> Html {
        let tone = match row.state {
            CommitmentState::Asked => Tone::Active,
            CommitmentState::Reported if row.failed > 0 => Tone::Warning,
            CommitmentState::Reported => Tone::Good,
            CommitmentState::Expired => Tone::Bad,
        };
        badge::tone(tone, &self.page.code("peers-commitment-state", row.state.code()))
    }

    /// How many objects it asked about.
    fn items(&self, row: &CommitmentRow) -> String {
        row.references().map_or_else(|_| "–".to_owned(), |items| items.len().to_string())
    }

    /// How a node's spool fares, the worst first.
    fn spool(&self, node: &SpoolNode) -> Html {
        if node.lost > 0 {
            badge::tone(Tone::Bad, &self.page.tn("peers-spool-lost", node.lost))
        } else if node.seen_at < self.now - SILENT {
            badge::tone(Tone::Bad, &self.page.tv("peers-spool-silent", self.page.date_time(node.seen_at)))
        } else if node.waiting_bytes >= node.limit_bytes / 10 * 9 {
            self.badge(Tone::Bad, "peers-spool-full")
        } else if let Some(since) = node.failing_since {
            badge::tone(Tone::Warning, &self.page.tv("peers-spool-failing", self.page.date_time(since)))
        } else {
            self.badge(Tone::Good, "peers-spool-copies")
        }
    }

    /// Bytes in MiB, of those that may wait.
    fn spool_room(&self, node: &SpoolNode) -> String {
        format!("{} / {} MiB", node.waiting_bytes >> 20, node.limit_bytes >> 20)
    }

    fn reason(&self, refused: &Refused) -> String {
        self.page.code("dispatch-refusal", &refused.reason)
    }

    fn advice(&self, refused: &Refused) -> String {
        let advice = self.page.code("peers-advice", &refused.reason);
        if advice == refused.reason { String::new() } else { advice }
    }
}

#[derive(Template)]
#[template(path = "admin/peers.html")]
struct ListPage<'a> {
    page: &'a Page,
    peers: &'a Peers,
    words: Words<'a>,
    ours: &'a str,
    our_certificate: Option<NaiveDateTime>,
}

async fn list(who: Allowed<Administer>, state: State, page: Page) -> Answer {
    doer(&who, &state)?;
    let peers = peer_sheet::list(&state).await?;
    let page = page.clone().titled(&page.t("peers-title"));
    let words = Words { page: &page, now: state.now() };
    let our_certificate = state.dicom_tls.as_ref().and_then(|tls| tls.not_after()).map(|at| at.naive_utc());
    page.show(&ListPage { page: &page, peers: &peers, words, ours: &state.config.dicom.ae_title, our_certificate })
}

#[derive(Template)]
#[template(path = "admin/peer.html")]
struct PeerPage<'a> {
    page: &'a Page,
    line: &'a PeerLine,
    words: Words<'a>,
    form: Fields<'a>,
    rule: RuleForm,
    asked: Option<Asked>,
    ways: Vec<Choice>,
    limits: LimitsForm,
    ours: &'a str,
}

impl PeerPage<'_> {
    fn setting(&self, is: impl Borrow<bool>) -> String {
        self.page.t(if *is.borrow() { "peers-yes" } else { "peers-no" })
    }

    fn character_set(&self) -> String {
        let set = &self.line.row.character_set;
        if set.is_empty() { self.page.t("admin-character-set-own") } else { set.clone() }
    }

    /// How asking for priors went: when, or why not.
    fn asked_for_priors(&self) -> Html {
        let Some(asked) = &self.asked else { return Html::raw(String::new()) };
        let at = self.page.tv("peers-priors-asked", self.page.date_time(asked.at));
        match &asked.failure {
            None => badge::tone(Tone::Good, &at),
            Some(why) => {
                let why = escape(returns::error_sentence(self.page.language, why));
                Html::raw(format!("{} <small class=\"bad-text\">{why}</small>", badge::tone(Tone::Bad, &at)))
            }
        }
    }

    fn name_form(&self) -> String {
        self.page.code("admin-name-form", self.line.row.name_form.code())
    }
}

/// What became of asking for priors.
struct Asked {
    at: NaiveDateTime,
    /// In both languages.
    failure: Option<String>,
}

/// The forms of a peer's page, as they are or as they were sent.
struct Forms {
    rule: RuleForm,
    asked: Option<Asked>,
    limits: LimitsForm,
}

impl Forms {
    async fn of(state: &State, endpoint: EndpointId) -> Result<Self, Error> {
        let rule = rule::get(state, endpoint).await?;
        let asked = rule.as_ref().and_then(|rule| Some((rule.asked_at?, rule.failure.clone())));
        Ok(Self {
            rule: RuleForm::of(rule.as_ref()),
            asked: asked.map(|(at, failure)| Asked { at, failure }),
            limits: LimitsForm::of(&site_limits::get(state, endpoint).await?),
        })
    }
}

async fn show(who: Allowed<Administer>, state: State, page: Page, path: web::Path<EndpointId>) -> Answer {
    doer(&who, &state)?;
    let forms = Forms::of(&state, *path).await?;
    sheet(&state, page, *path, forms, None).await
}

async fn sheet(state: &State, page: Page, endpoint: EndpointId, forms: Forms, refused: Option<&Error>) -> Answer {
    let line = peer_sheet::get(state, endpoint).await?;
    let page = page.clone().titled(&format!("{} {}", line.row.name, line.row.ae_title));
    let words = Words { page: &page, now: state.now() };
    let form = refused.map_or_else(|| Fields::new(&page), |error| Fields::refused(&page, error));
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (ours, Forms { rule, asked, limits }) = (state.config.dicom.ae_title.as_str(), forms);
    let ways = choices(&page, "peers-priors-way", PriorWay::ALL.iter().map(|way| way.code()));
    page.show_as(status, &PeerPage { page: &page, line: &line, words, form, rule, asked, ways, limits, ours })
}

async fn set_rule(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<EndpointId>,
    form: web::Form<RuleForm>,
) -> Answer {
    match rule::set(&state, doer(&who, &state)?, *path, &form).await {
        Ok(()) => back(&request, &format!("/admin/peers/{path}#priors")),
        Err(error) if is_invalid(&error) => {
            let forms = Forms { rule: form.into_inner(), ..Forms::of(&state, *path).await? };
            sheet(&state, page, *path, forms, Some(&error)).await
        }
        Err(error) => Err(error),
    }
}

async fn set_limits(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<EndpointId>,
    form: web::Form<LimitsForm>,
) -> Answer {
    match site_limits::set(&state, doer(&who, &state)?, *path, &form).await {
        Ok(()) => back(&request, &format!("/admin/peers/{path}#limits")),
        Err(error) if is_invalid(&error) => {
            let forms = Forms { limits: form.into_inner(), ..Forms::of(&state, *path).await? };
            sheet(&state, page, *path, forms, Some(&error)).await
        }
        Err(error) => Err(error),
    }
}
