//! `/arrivals` and `/portal/arrivals`: studies on their way in, live, and a site's withdrawals.

use actix_web::web;
use askama::Template;
use dokuei_models::completeness::{Reason, Says, Verdict};
use dokuei_models::store::images::WithdrawalCause;
use dokuei_models::{InstanceId, StudyId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::case_words::study_title;
use super::form::ReasonForm;
use super::signing::coming_in_words;
use super::{Answer, Page, Routes, live, page};
use crate::app::arrival_pages::{self as app, Line, Sender, Sheet};
use crate::authority::rights::{Dispatch, SeeArrivals, Submit};
use crate::authority::{Allowed, Reach};
use crate::error::{Error, codes};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// Registers both pages.
pub fn routes(routes: &mut Routes) {
    routes.get("/arrivals", show);
    routes.get("/arrivals/list", list);
    routes.get("/arrivals/events", events);
    routes.get("/arrivals/{study}", one);
    routes.post("/arrivals/{study}/whole", whole);
    routes.get("/portal/arrivals", portal_show);
    routes.get("/portal/arrivals/list", portal_list);
    routes.get("/portal/arrivals/{study}", portal_one);
    routes.post("/portal/arrivals/{study}/withdraw", withdraw);
    routes.post("/portal/withdrawals/{withdrawal}/undo", undo);
}

/// One study in words.
struct View<'a> {
    line: &'a Line,
    href: String,
    title: String,
    patient: String,
    site: String,
    verdict: Html,
    words: String,
    max: i32,
    senders: Vec<String>,
    last: String,
    reasons: Vec<String>,
}

fn view<'a>(page: &Page, line: &'a Line, base: &str, named: bool) -> View<'a> {
    let known = &line.known;
    let (tone, key) = match known.verdict {
        Verdict::Complete => (Tone::Good, "arrivals-complete"),
        Verdict::Probably => (Tone::Plain, "arrivals-probably"),
        Verdict::Coming => (Tone::Active, "arrivals-coming"),
    };
    let words = match (known.verdict, known.expected) {
        (Verdict::Coming, expected) => coming_in_words(page, known.received, expected),
        (_, Some(expected)) => page.tv("arrivals-of", format!("{} / {expected}", known.received)),
        (_, None) => page.tn("dispatch-images", known.received),
    };
    let identity = line.study.identity();
    View {
        href: format!("{base}/{}", line.study.id),
        title: study_title(page, &line.study),
        patient: if named { format!("{} {}", identity.name.shown(), identity.patient_id) } else { String::new() },
        site: match page.language {
            Language::En if !line.site.name_en.is_empty() => line.site.name_en.clone(),
            _ => line.site.name_ja.clone(),
        },
        verdict: badge::tone(tone, &page.t(key)),
        words,
        max: known.expected.unwrap_or(known.received).max(known.received).max(1),
        senders: line.senders.iter().map(|sender| sender_in_words(page, sender)).collect(),
        last: page.time(line.study.last_received_at),
        reasons: known.reasons.iter().map(|reason| reason_in_words(page, reason)).collect(),
        line,
    }
}

/// Who sent it: an AE title as it is, another way in words.
fn sender_in_words(page: &Page, sender: &Sender) -> String {
    match sender {
        Sender::AeTitle(title) => title.clone(),
        Sender::Via(way) => page.code("arrivals-via", way),
    }
}

/// One piece of evidence as a person reads it.
fn reason_in_words(page: &Page, reason: &Reason) -> String {
    let who = page.code("arrivals-kind", reason.kind.code());
    let says = page.code("arrivals-says", reason.says.code());
    match reason.expected.filter(|_| matches!(reason.says, Says::Met | Says::Short | Says::Outdated)) {
        Some(expected) => format!("{who}: {} / {expected} — {says}", reason.received),
        None => format!("{who}: {says}"),
    }
}

#[derive(Template)]
#[template(path = "arrivals/page.html")]
struct ListPage<'a> {
    page: &'a Page,
    base: &'a str,
    events: &'a str,
    views: Vec<View<'a>>,
}

#[derive(Template)]
#[template(path = "arrivals/list.html")]
struct ListFragment<'a> {
    page: &'a Page,
    views: Vec<View<'a>>,
}

#[derive(Template)]
#[template(path = "arrivals/study.html")]
struct StudyPage<'a> {
    page: &'a Page,
    base: &'a str,
    events: &'a str,
    sheet: &'a Sheet,
    view: View<'a>,
    may_say_whole: bool,
    may_withdraw: bool,
}

impl StudyPage<'_> {
    fn cause(&self, cause: &WithdrawalCause) -> String {
        self.page.code("withdrawal-cause", cause.code())
    }

    fn verdict(&self, verdict: &Verdict) -> String {
        self.page.code("arrivals", verdict.code())
    }

    fn number(&self, number: &Option<i32>) -> String {
        number.map_or_else(|| "–".to_owned(), |number| number.to_string())
    }

    fn undone(&self, at: &Option<chrono::NaiveDateTime>) -> String {
        at.map(|at| self.page.date_time(at)).unwrap_or_default()
    }
}

async fn lists(state: &State, reach: Reach, page: &Page, base: &str, named: bool, whole: bool) -> Answer {
    let lines = app::list(state, reach).await?;
    let page = page.clone().titled(&page.t("nav-arrivals"));
    let views = lines.iter().map(|line| view(&page, line, base, named)).collect();
    if !whole {
        return page.show(&ListFragment { page: &page, views });
    }
    let events = if base == "/arrivals" { "/arrivals/events" } else { "/portal/events" };
    page.show(&ListPage { page: &page, base, events, views })
}

/// Whether the person also dispatches: an administrator sees studies without their patients.
pub(super) fn is_named(who: &Allowed<SeeArrivals>) -> bool {
    use crate::authority::rights::Right as _;
    who.person().has_one_of(Dispatch::ROLES)
}

async fn show(who: Allowed<SeeArrivals>, state: State, page: Page) -> Answer {
    lists(&state, who.reach(), &page, "/arrivals", is_named(&who), true).await
}

async fn list(who: Allowed<SeeArrivals>, state: State, page: Page) -> Answer {
    lists(&state, who.reach(), &page, "/arrivals", is_named(&who), false).await
}

async fn portal_show(who: Allowed<Submit>, state: State, page: Page) -> Answer {
    lists(&state, who.reach(), &page, "/portal/arrivals", true, true).await
}

async fn portal_list(who: Allowed<Submit>, state: State, page: Page) -> Answer {
    lists(&state, who.reach(), &page, "/portal/arrivals", true, false).await
}

async fn events(who: Allowed<SeeArrivals>, state: State) -> Answer {
    let topics = app::topics(&state, who.reach()).await?;
    Ok(live::events(&state, who.person(), topics))
}

async fn one(who: Allowed<SeeArrivals>, state: State, page: Page, path: web::Path<StudyId>) -> Answer {
    let sheet = app::sheet(&state, who.person(), who.reach(), *path).await?;
    let named = is_named(&who);
    let page = page.clone().titled(&page.t("nav-arrivals"));
    page.show(&StudyPage {
        page: &page,
        base: "/arrivals",
        events: "/arrivals/events",
        view: view(&page, &sheet.line, "/arrivals", named),
        may_say_whole: named,
        may_withdraw: false,
        sheet: &sheet,
    })
}

async fn portal_one(who: Allowed<Submit>, state: State, page: Page, path: web::Path<StudyId>) -> Answer {
    let sheet = app::sheet(&state, who.person(), who.reach(), *path).await?;
    let page = page.clone().titled(&page.t("nav-arrivals"));
    page.show(&StudyPage {
        page: &page,
        base: "/portal/arrivals",
        events: "/portal/events",
        view: view(&page, &sheet.line, "/portal/arrivals", true),
        may_say_whole: false,
        may_withdraw: true,
        sheet: &sheet,
    })
}

async fn whole(who: Allowed<Dispatch>, state: State, path: web::Path<StudyId>, form: web::Form<ReasonForm>) -> Answer {
    app::whole(&state, who.person(), who.reach(), *path, &form.reason()?).await?;
    Ok(page::see_other(false, &format!("/arrivals/{}", *path)))
}

#[derive(Deserialize)]
struct Withdrawing {
    /// `all` or `chosen`.
    #[serde(default)]
    what: String,
    /// Instance ids parted by commas, for `chosen`.
    #[serde(default)]
    images: String,
    #[serde(default)]
    reason: String,
}

async fn withdraw(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<StudyId>,
    form: web::Form<Vec<(String, String)>>,
) -> Answer {
    let form = gathered(&form);
    let chosen = match form.what.as_str() {
        "all" => None,
        "chosen" => {
            let ids: Result<Vec<InstanceId>, _> =
                form.images.split(',').filter(|id| !id.is_empty()).map(str::parse::<InstanceId>).collect();
            Some(ids.map_err(|_| Error::new(&codes::common::BAD_REQUEST).with("reason", "images"))?)
        }
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "what")),
    };
    app::withdraw(&state, who.person(), who.reach(), *path, chosen, &form.reason).await?;
    Ok(page::see_other(false, &format!("/portal/arrivals/{}", *path)))
}

/// Each ticked box is a field `images` of its own.
fn gathered(fields: &[(String, String)]) -> Withdrawing {
    let all =
        |name: &'static str| fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str());
    Withdrawing {
        what: all("what").next().unwrap_or_default().to_owned(),
        images: all("images").collect::<Vec<_>>().join(","),
        reason: all("reason").next().unwrap_or_default().to_owned(),
    }
}

async fn undo(who: Allowed<Submit>, state: State, path: web::Path<i64>) -> Answer {
    app::undo(&state, who.person(), who.reach(), *path).await?;
    Ok(page::see_other(false, "/portal/arrivals"))
}
