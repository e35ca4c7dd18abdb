//! What happened to a case: events, notes and calls, deliveries.

use dokuei_models::ReaderId;
use dokuei_models::state::{DeliveryContent, DeliveryState, NoteKind};
use dokuei_models::store::case_events::CaseEventRow;
use dokuei_models::store::deliveries::DeliveryRow;
use dokuei_terms::{Language, Priority};

use crate::app::case_sheet::Sheet;
use crate::app::returns;
use crate::http::Page;
use crate::http::case_words::doubt_words;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// One thing that happened.
pub struct EventLine {
    /// When.
    pub time: String,
    /// What.
    pub words: String,
    /// More of it.
    pub more: String,
    /// Who.
    pub by: String,
}

/// A delivery.
pub struct DeliveryLine {
    /// The delivery.
    pub row: DeliveryRow,
    /// How it goes.
    pub kind: String,
    /// Its state.
    pub badge: Html,
    /// When, how often, what went wrong.
    pub about: String,
    /// Whether a person must decide.
    pub dead: bool,
}

/// A note or a call.
pub struct NoteLine {
    /// What it is.
    pub kind: String,
    /// Who was on the telephone.
    pub contact: String,
    /// The text.
    pub body: String,
    /// Who wrote it, and when.
    pub about: String,
    /// A telephone call.
    pub call: bool,
}

/// Notes and calls, as they were written.
pub(super) fn notes(page: &Page, sheet: &Sheet) -> Vec<NoteLine> {
    sheet
        .notes
        .iter()
        .map(|note| NoteLine {
            kind: page.code("dispatch-note", note.kind.code()),
            contact: note.contact.clone(),
            body: note.body.clone(),
            about: format!("{} {}", note.author_name.clone().unwrap_or_default(), page.time(note.at)),
            call: note.kind == NoteKind::Phone,
        })
        .collect()
}

pub(super) fn delivery(page: &Page, row: &DeliveryRow) -> DeliveryLine {
    let tone = match row.state {
        DeliveryState::Pending => Tone::Plain,
        DeliveryState::Sending => Tone::Active,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Dead => Tone::Bad,
        DeliveryState::GivenUp => Tone::Warning,
    };
    let error = row.last_error.as_deref().map(|error| returns::error_sentence(page.language, error).to_owned());
    let when = row.delivered_at.map(|at| page.time(at)).unwrap_or_else(|| page.tn("dispatch-attempts", row.attempts));
    let given_up = row.given_up_reason.as_deref().map(|reason| page.code("dispatch-reason", reason));
    DeliveryLine {
        kind: match row.content {
            DeliveryContent::Report => page.code("dispatch-delivery-kind", row.kind.code()),
            DeliveryContent::Withdrawal => {
                page.tv("dispatch-delivery-withdrawal", page.code("dispatch-delivery-kind", row.kind.code()))
            }
        },
        badge: badge::tone(tone, &page.code("dispatch-delivery-state", row.state.code())),
        about: [Some(row.destination.clone()), Some(when), error, given_up]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ・ "),
        dead: row.state == DeliveryState::Dead,
        row: row.clone(),
    }
}

pub(super) fn event(page: &Page, sheet: &Sheet, event: &CaseEventRow) -> EventLine {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_default();
    let mut more = Vec::new();
    if let Some(reader) = data.get("reader").and_then(serde_json::Value::as_i64) {
        let name = sheet.names.reader(page.language, ReaderId(reader));
        // He did it himself: his name, as events keep it, stands at the end of the line.
        if event.actor_name != Some(sheet.names.reader(Language::Ja, ReaderId(reader))) {
            more.push(name);
        }
    }
    if let Some(priority) = data.get("priority").and_then(|code| code.as_str()?.parse::<Priority>().ok()) {
        more.push(priority.label(page.language).to_owned());
    }
    if let Some(study) = data.get("study").and_then(serde_json::Value::as_i64) {
        more.push(page.tv("dispatch-study-number", study));
    }
    if let Some(case) = data.get("case").and_then(serde_json::Value::as_i64) {
        more.push(page.tv("dispatch-case-number", case));
    }
    if let Some(instances) = data.get("instances").and_then(serde_json::Value::as_i64) {
        more.push(page.tn("dispatch-images", instances));
    }
    if let Some(kind) = data.get("kind").and_then(|code| code.as_str()) {
        more.push(page.code("dispatch-override", kind));
    }
    if let Some(differs) = data.get("differs").and_then(|codes| codes.as_array()) {
        let doubts: Vec<_> = differs.iter().filter_map(|code| code.as_str()?.parse().ok()).collect();
        if !doubts.is_empty() {
            more.push(page.tv("dispatch-differs", doubt_words(page, &doubts)));
        }
    }
    if let Some(reason) = data.get("reason").and_then(|reason| reason.as_str()).filter(|text| !text.is_empty()) {
        let prefix = if event.kind == "read_wait" { "dispatch-wait" } else { "dispatch-reason" };
        more.push(page.code(prefix, reason));
    }
    if event.kind.starts_with("priors_") {
        more.extend(priors(page, &data));
    }
    EventLine {
        time: page.time(event.at),
        words: page.code("dispatch-event", &event.kind),
        more: more.join(" ・ "),
        by: event.actor_name.clone().unwrap_or_default(),
    }
}

/// What became of asking a PACS for priors: "PACS: 3 of 4 fetched; 1 refused: ...".
fn priors(page: &Page, data: &serde_json::Value) -> Vec<String> {
    let number = |key: &str| data.get(key).and_then(serde_json::Value::as_u64).unwrap_or_default();
    let mut said: Vec<String> =
        data.get("pacs").and_then(|name| name.as_str()).map(str::to_owned).into_iter().collect();
    if data.get("wanted").is_some() {
        said.push(page.tv("dispatch-priors-count", format!("{} / {}", number("fetched"), number("wanted"))));
        let more = [
            ("here", "dispatch-priors-here"),
            ("others", "dispatch-priors-others"),
            ("refused", "dispatch-priors-refused"),
        ];
        said.extend(more.into_iter().filter(|(key, _)| number(key) > 0).map(|(key, word)| page.tv(word, number(key))));
    }
    let why = if page.language == Language::En { "why_en" } else { "why_ja" };
    let reasons = data.get(why).and_then(|list| list.as_array()).into_iter().flatten();
    said.extend(reasons.filter_map(|reason| reason.as_str().map(str::to_owned)));
    said
}
