//! The reads of a case: who has them and why, and the decisions that bind the plan.

use dokuei_assigner::{Explanation, NameOf, Waiting};
use dokuei_models::state::{OverrideKind, ReadState};
use dokuei_models::store::overrides::OverrideRow;
use dokuei_models::store::reads::ReadRow;
use dokuei_models::{OverrideId, ReadId};
use dokuei_terms::Priority;

use crate::app::case_sheet::Sheet;
use crate::http::Page;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// A read with why it is where it is.
pub struct ReadLine {
    /// The read.
    pub id: ReadId,
    /// What kind of reading.
    pub kind: String,
    /// Its state.
    pub badge: Html,
    /// Its reader.
    pub reader: String,
    /// When what happened.
    pub times: String,
    /// Why, a sentence a line.
    pub why: Vec<String>,
    /// Its signed versions: id and number.
    pub versions: Vec<(i64, i32)>,
    /// Whether it can be pinned.
    pub open: bool,
    /// Whether it can be taken from its reader.
    pub held: bool,
}

/// A decision in force.
pub struct OverrideLine {
    /// The decision.
    pub id: OverrideId,
    /// What.
    pub words: String,
    /// Why, by whom, when.
    pub about: String,
}

pub(super) fn line(page: &Page, sheet: &Sheet, read: &ReadRow) -> ReadLine {
    let withdrawn = read.state == ReadState::Signed && !read.stands_signed(&sheet.case);
    let tone = match (read.state, &read.waiting_reason) {
        _ if withdrawn => Tone::Bad,
        (ReadState::Signed, _) => Tone::Good,
        (ReadState::Open, Some(_)) => Tone::Bad,
        (ReadState::Assigned | ReadState::InProgress, Some(_)) => Tone::Warning,
        (ReadState::InProgress, None) => Tone::Active,
        _ => Tone::Plain,
    };
    let mut times = Vec::new();
    for (key, at) in [
        ("dispatch-read-assigned-at", read.assigned_at),
        ("dispatch-read-seen-at", read.seen_at),
        ("dispatch-read-started-at", read.started_at),
        ("dispatch-read-signed-at", read.signed_at),
    ] {
        if let Some(at) = at {
            times.push(page.tv(key, page.time(at)));
        }
    }
    if read.missed_starts > 0 {
        times.push(page.tn("dispatch-read-missed", read.missed_starts));
    }
    let mut why = why(page, sheet, read);
    if let (Some(code), true) = (&read.waiting_reason, why.is_empty() || read.state != ReadState::Open) {
        why.insert(0, page.code("dispatch-wait", code));
    }
    ReadLine {
        id: read.id,
        kind: page.code("dispatch-read-kind", read.kind.code()),
        badge: badge::tone(
            tone,
            &page.code("dispatch-read-state", if withdrawn { "withdrawn" } else { read.state.code() }),
        ),
        reader: read.reader_id.map(|who| sheet.names.reader(page.language, who)).unwrap_or_default(),
        times: times.join(" ・ "),
        why,
        versions: sheet.signed.iter().filter(|one| one.0 == read.id).map(|one| (one.1.0, one.2)).collect(),
        open: matches!(read.state, ReadState::Open | ReadState::Assigned),
        held: matches!(read.state, ReadState::Assigned | ReadState::InProgress),
    }
}

/// The assigner's own words.
pub fn why(page: &Page, sheet: &Sheet, read: &ReadRow) -> Vec<String> {
    let name = |which: NameOf| sheet.names.of(page.language, which);
    let words = if let Ok(explanation) = serde_json::from_str::<Explanation>(&read.explanation) {
        explanation.words(page.language, &name)
    } else if let Ok(waiting) = serde_json::from_str::<Waiting>(&read.explanation) {
        waiting.words(page.language, &name)
    } else {
        String::new()
    };
    words.lines().map(str::to_owned).collect()
}

pub(super) fn override_line(page: &Page, sheet: &Sheet, one: &OverrideRow) -> OverrideLine {
    let reader = one.reader_id.map(|who| sheet.names.reader(page.language, who)).unwrap_or_default();
    let value = match one.kind {
        OverrideKind::Pin | OverrideKind::Exclude => reader,
        OverrideKind::Priority => {
            one.value.parse::<Priority>().map(|of| of.label(page.language).to_owned()).unwrap_or_default()
        }
        OverrideKind::Hold => String::new(),
    };
    OverrideLine {
        id: one.id,
        words: format!("{} {value}", page.code("dispatch-override", one.kind.code())).trim().to_owned(),
        about: format!("{} ({})", one.reason, page.time(one.at)),
    }
}
