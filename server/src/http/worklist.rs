//! A reader's worklist: the page, its live list, starting, declining, coming and going.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::NaiveDate;
use dokuei_models::state::{HoldActor, ReadKind, ReadState};
use dokuei_models::store::cases::{
    IDENTITY_CHANGED, IMAGE_CONFLICT, IMAGES_WITHDRAWN, INCOMPLETE, LATE_IMAGES, PRIOR_REMOVED, WITHDRAWAL_ASKED,
};
use dokuei_models::store::worklists::WorklistRow;
use dokuei_models::{CaseId, ReadId};
use dokuei_terms::{Language, Priority};
use serde::Deserialize;

use super::page::see_other;
use super::{Answer, Page, Routes, live};
use crate::app::due::day_in_japan;
use crate::app::worklist::{self, Worklist};
use crate::authority::Allowed;
use crate::authority::rights::Read;
use crate::state::State;
use crate::ui::badge::{self, Tone};
use crate::ui::{Html, chart};
use crate::wake::Topic;

/// Registers the worklist and what it sends.
pub fn routes(routes: &mut Routes) {
    routes.get("/worklist", show);
    routes.get("/worklist/list", list);
    routes.get("/worklist/events", events);
    routes.post("/worklist/presence", be);
    routes.post("/reads/{read}/start", start);
    routes.post("/reads/{read}/decline", decline);
}

/// One line of the list.
struct Line {
    id: i64,
    in_progress: bool,
    held: bool,
    priority: Html,
    due: Html,
    urgency: Html,
    study: String,
    site: String,
    patient: String,
    question: String,
    priors: i32,
    flags: Vec<Html>,
    /// Why it is next, in short words.
    why: Vec<String>,
}

#[derive(Template)]
#[template(path = "worklist/page.html")]
struct Whole<'a> {
    page: &'a Page,
    signed: bool,
    list: List<'a>,
}

#[derive(Template)]
#[template(path = "worklist/list.html")]
struct List<'a> {
    page: &'a Page,
    next: Option<Line>,
    lines: Vec<Line>,
    to_compare: Vec<ReadId>,
    /// Signed reads whose withdrawal is asked for, with their cases.
    asked: Vec<(ReadId, CaseId)>,
    on_duty: bool,
    paused: bool,
    shift: String,
    in_shift: bool,
    /// When the next shift begins, where he is in none.
    begins: Option<String>,
    reads: usize,
    minutes: String,
    on_time: String,
    gauge: Html,
}

#[derive(Deserialize)]
struct Came {
    #[serde(default)]
    done: String,
}

async fn show(who: Allowed<Read>, state: State, page: Page, came: web::Query<Came>) -> Answer {
    let shown = worklist::worklist(&state, &who).await?;
    let page = page.clone().titled(&page.t("worklist-title")).dark();
    page.show(&Whole { page: &page, signed: came.done == "signed", list: list_of(&page, &shown) })
}

async fn list(who: Allowed<Read>, state: State, page: Page) -> Answer {
    let shown = worklist::worklist(&state, &who).await?;
    page.show(&list_of(&page, &shown))
}

async fn events(who: Allowed<Read>, state: State) -> Answer {
    let reader = worklist::reader_of(&state, &who).await?;
    Ok(live::events(&state, &who, vec![Topic::Worklist(reader.id.0)]))
}

#[derive(Deserialize)]
struct Being {
    presence: String,
    #[serde(default)]
    hours: Option<i64>,
}

async fn be(who: Allowed<Read>, state: State, request: HttpRequest, form: web::Form<Being>) -> Answer {
    worklist::be(&state, &who, form.presence.parse()?, form.hours).await?;
    Ok(see_other(request.headers().contains_key("hx-request"), "/worklist"))
}

async fn start(who: Allowed<Read>, state: State, path: web::Path<i64>) -> Answer {
    worklist::start(&state, &who, ReadId(*path)).await?;
    Ok(see_other(false, &format!("/reads/{path}")))
}

#[derive(Deserialize)]
struct Declining {
    #[serde(default)]
    reason: String,
}

async fn decline(
    who: Allowed<Read>,
    state: State,
    path: web::Path<i64>,
    request: HttpRequest,
    form: web::Form<Declining>,
) -> Answer {
    worklist::decline(&state, &who, ReadId(*path), &form.reason).await?;
    if request.headers().contains_key("x-quiet") {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(see_other(request.headers().contains_key("hx-request"), "/worklist"))
}

fn list_of<'a>(page: &'a Page, shown: &Worklist) -> List<'a> {
    let today = day_in_japan(page.now);
    let lines: Vec<Line> = shown.rows.iter().map(|row| line(page, row, today)).collect();
    let next = shown.rows.iter().find(|row| !row.read.frozen).map(|row| line(page, row, today));
    let done = shown.today;
    let share = |part: usize, of: usize| {
        if of == 0 {
            1.0
        } else {
            f64::from(u32::try_from(part).unwrap_or(u32::MAX)) / f64::from(u32::try_from(of).unwrap_or(u32::MAX))
        }
    };
    let on_time = format!("{} / {}", done.on_time, done.reads);
    let capacity = f64::from(shown.reader.capacity_minutes.max(1));
    let shift = shown.shift.map_or_else(
        || page.t("worklist-shift-none"),
        |shift| format!("{} – {}", page.time(shift.starts_at), page.time(shift.ends_at)),
    );
    List {
        page,
        next,
        lines,
        to_compare: shown.to_compare.clone(),
        asked: shown.asked.clone(),
        on_duty: shown.on_duty,
        paused: shown.reader.paused,
        shift,
        begins: shown.shift.filter(|shift| shift.starts_at > page.now).map(|shift| page.time(shift.starts_at)),
        in_shift: shown.shift.is_some_and(|shift| shift.starts_at <= page.now),
        reads: done.reads,
        // An empty sum is -0.0, which would be shown so.
        minutes: format!("{:.0} / {capacity:.0}", 0.0 + done.minutes),
        gauge: chart::gauge(share(done.on_time, done.reads), 0.9, &on_time, &page.t("worklist-on-time")),
        on_time,
    }
}

fn line(page: &Page, row: &WorklistRow, today: NaiveDate) -> Line {
    let parts: Vec<String> = row.parts.iter().map(|part| part.part.label(page.language)).collect();
    Line {
        id: row.read.id.0,
        in_progress: row.read.state == ReadState::InProgress,
        held: row.read.frozen,
        priority: page.priority(row.case.priority),
        due: page.due(row.case.due_at),
        urgency: urgency(row.case.urgency),
        study: parts.join(if page.language == Language::Ja { "・" } else { ", " }),
        site: if page.language == Language::En { row.site_en.clone() } else { row.site_ja.clone() },
        patient: person_in_words(page, row.birth_date, &row.sex, today),
        question: one_line(&row.question),
        priors: row.case.priors,
        flags: flags(page, row),
        why: why(page, row),
    }
}

/// Urgency as bars and a number: three bars from 0.65, two from 0.30, else one.
fn urgency(value: f64) -> Html {
    let (step, bars) = match value {
        v if v >= 0.65 => ("high", 3),
        v if v >= 0.30 => ("mid", 2),
        _ => ("low", 1),
    };
    let bar = |n: i32| {
        let height = 4 + 4 * n;
        let class = if n < bars { "on" } else { "off" };
        format!("<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"4\" height=\"{height}\"/>", n * 6, 12 - height)
    };
    let bars: String = (0..3).map(bar).collect();
    Html::raw(format!(
        "<span class=\"urgency urgency-{step}\"><svg viewBox=\"0 0 16 12\" aria-hidden=\"true\">{bars}</svg>{:.0}</span>",
        (value * 100.0).clamp(0.0, 100.0)
    ))
}

/// `68歳 男性`; months below two years.
pub fn person_in_words(page: &Page, born: Option<NaiveDate>, sex: &str, today: NaiveDate) -> String {
    let age = born.and_then(|born| today.years_since(born).map(|years| (born, years)));
    let age = match age {
        Some((_, years)) if years >= 2 => page.tn("reading-years", years),
        Some((born, _)) => page.tn("reading-months", (today - born).num_days() / 30),
        None => page.t("reading-age-unknown"),
    };
    let sex = match sex {
        "M" => page.t("reading-sex-m"),
        "F" => page.t("reading-sex-f"),
        "O" => page.t("reading-sex-o"),
        _ => String::new(),
    };
    format!("{age} {sex}").trim().to_owned()
}

fn one_line(text: &str) -> String {
    let joined: Vec<&str> = text.split_whitespace().collect();
    joined.join(" ").chars().take(160).collect()
}

fn flags(page: &Page, row: &WorklistRow) -> Vec<Html> {
    let mut shown = Vec::new();
    if row.read.state == ReadState::InProgress {
        shown.push(badge::tone(Tone::Active, &page.t("worklist-flag-in-progress")));
    }
    if row.read.frozen {
        let by_site = row.case.hold_actor == Some(HoldActor::Site);
        let key = if by_site { "worklist-flag-held" } else { "worklist-flag-held-dispatcher" };
        shown.push(badge::tone(Tone::Warning, &page.t(key)));
    }
    // A damaged list of flags shows as none here; the prescreen writes it anew.
    let codes: Vec<String> = serde_json::from_str(&row.case.flags).unwrap_or_default();
    for code in codes {
        let (tone, key) = match code.as_str() {
            LATE_IMAGES => (Tone::Warning, "worklist-flag-late-images"),
            PRIOR_REMOVED => (Tone::Bad, "worklist-flag-prior-removed"),
            IDENTITY_CHANGED => (Tone::Bad, "worklist-flag-identity-changed"),
            IMAGE_CONFLICT => (Tone::Warning, "worklist-flag-image-conflict"),
            INCOMPLETE => (Tone::Warning, "worklist-flag-incomplete"),
            IMAGES_WITHDRAWN => (Tone::Bad, "worklist-flag-images-withdrawn"),
            WITHDRAWAL_ASKED => (Tone::Bad, "worklist-flag-withdrawal-asked"),
            "label_region" => (Tone::Bad, "worklist-flag-label-region"),
            "label_laterality" => (Tone::Bad, "worklist-flag-label-laterality"),
            "label_modality" => (Tone::Warning, "worklist-flag-label-modality"),
            "no_request" => (Tone::Warning, "worklist-flag-no-request"),
            _ => continue,
        };
        shown.push(badge::tone(tone, &page.t(key)));
    }
    if row.case.ai_help {
        shown.push(Html::raw(format!("<span class=\"badge badge-ai\">{}</span>", page.t("worklist-flag-ai"))));
    }
    shown
}

fn why(page: &Page, row: &WorklistRow) -> Vec<String> {
    let mut reasons = Vec::new();
    if row.read.state == ReadState::InProgress {
        reasons.push(page.t("worklist-why-begun"));
    }
    if row.read.preferred_reader_id.is_some() {
        let signed = row.read.kind == ReadKind::Reopened;
        reasons.push(page.t(if signed { "worklist-why-signed" } else { "worklist-why-answered" }));
    }
    if row.case.due_at < page.now {
        reasons.push(page.t("worklist-why-late"));
    } else {
        reasons.push(page.tv("worklist-why-due", page.duration(row.case.due_at - page.now)));
    }
    if matches!(row.case.priority, Priority::Stat | Priority::Urgent) {
        reasons.push(row.case.priority.label(page.language).to_owned());
    }
    // The assigner's explanation is shown as far as it is understood.
    if let Ok(explanation) = serde_json::from_str::<serde_json::Value>(&row.read.explanation) {
        // Who asked the site is kept for the answer by a pin of the planner's own.
        if explanation["pinned"].as_bool() == Some(true) && row.read.preferred_reader_id.is_none() {
            reasons.push(page.t("worklist-why-pinned"));
        }
        if let Some(skill) = explanation["winner"]["skill"].as_f64() {
            reasons.push(page.tv("worklist-why-skill", format!("{skill:.0}")));
        }
    }
    if row.case.priors > 0 {
        reasons.push(page.tn("worklist-why-priors", row.case.priors));
    }
    if row.case.ai_help {
        reasons.push(page.t("worklist-flag-ai"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap().naive_utc();
        Page::new(Language::Ja, "dark".to_owned(), None, "/worklist".to_owned(), now)
    }

    #[test]
    fn an_infant_is_told_in_months() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(person_in_words(&page(), Some(day(2026, 5, 1)), "F", day(2026, 11, 1)), "6か月 女性");
        assert_eq!(person_in_words(&page(), Some(day(1958, 5, 1)), "M", day(2026, 11, 1)), "68歳 男性");
        assert_eq!(person_in_words(&page(), None, "", day(2026, 11, 1)), "年齢不明");
    }

    #[test]
    fn urgency_is_told_by_bars_and_a_number() {
        assert_eq!(urgency(0.7).as_str().matches("class=\"on\"").count(), 3);
        assert_eq!(urgency(0.3).as_str().matches("class=\"on\"").count(), 2);
        assert!(urgency(0.05).as_str().contains(">5</span>"));
    }

    #[test]
    fn a_question_of_several_lines_becomes_one() {
        assert_eq!(one_line("胸痛\n 3日前から\t増悪"), "胸痛 3日前から 増悪");
    }
}
