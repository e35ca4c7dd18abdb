//! `/cases/{id}`: one case as a drawer and as a page, and what a dispatcher does with it.
//!
//! Every change answers with the renewed sheet, or without a script leads back to
//! the case's page.

use std::collections::HashMap;

use actix_web::{HttpRequest, web};
use askama::Template;
use chrono::TimeDelta;
use dokuei_assigner::NameOf;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::{CaseState, HoldActor, NoteKind};
use dokuei_models::store::cases::CaseRow;
use dokuei_models::{CaseId, DeliveryId, OverrideId, ReadId, ReaderId, StudyId};
use dokuei_terms::{Laterality, Modality, Part, Priority, Region};
use serde::Deserialize;

use super::case_view::{self, SheetView};
use super::{Answer, Page, Routes, live, page};
use crate::app::case_sheet::{self, Redeliver, Sheet};
use crate::app::overriding::{self, Decision, Price};
use crate::app::regrouping::{self, Regroup};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::{Error, Result, codes};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::wake::Topic;

/// Registers the case's page and every act on it.
pub fn routes(routes: &mut Routes) {
    routes.get("/cases/{case}", show);
    routes.get("/cases/{case}/events", events);
    routes.post("/cases/{case}/hold", hold);
    routes.post("/cases/{case}/release", release);
    routes.post("/cases/{case}/priority", prioritise);
    routes.post("/cases/{case}/exclude", exclude);
    routes.post("/cases/{case}/cancel", cancel);
    routes.post("/cases/{case}/plan", plan);
    routes.post("/cases/{case}/merge", merge);
    routes.post("/cases/{case}/parts", correct);
    routes.post("/cases/{case}/notes", note);
    routes.get("/cases/{case}/reads/{read}/price", price);
    routes.post("/cases/{case}/reads/{read}/pin", pin);
    routes.post("/cases/{case}/reads/{read}/unassign", unassign);
    routes.post("/cases/{case}/overrides/{which}/undo", undo);
    routes.post("/cases/{case}/studies/{study}/attach", attach);
    routes.post("/cases/{case}/studies/{study}/detach", detach);
    routes.post("/cases/{case}/studies/{study}/split", split);
    routes.post("/cases/{case}/deliveries/{delivery}/again", deliver_again);
    routes.post("/cases/{case}/deliveries/{delivery}/give-up", give_up);
}

/// Whether a fragment is asked for.
pub(super) fn is_fragment(request: &HttpRequest) -> bool {
    request.headers().get("hx-request").is_some_and(|value| value == "true")
}

/// A reason that says something.
pub(super) fn need_reason(text: &str) -> Result<String> {
    let text = text.trim();
    let fault = match text.chars().count() {
        0 => &codes::common::FIELD_REASON_REQUIRED,
        1..=1000 => return Ok(text.to_owned()),
        _ => &codes::common::FIELD_TOO_LONG,
    };
    Err(Error::new(&codes::common::FORM_INVALID).field("reason", fault))
}

fn invalid(field: &str) -> Error {
    Error::new(&codes::common::FORM_INVALID).field(field, &codes::common::FIELD_INVALID)
}

/// The word of a code under a prefix: `dispatch-doubt` and `birth_date` give `dispatch-doubt-birth-date`. A code
/// without a word shows as itself.
pub(super) fn code_word(page: &Page, prefix: &str, code: &str) -> String {
    let key = format!("{prefix}-{}", code.replace(['_', '.'], "-").to_lowercase());
    let word = page.t(&key);
    if word == key { code.to_owned() } else { word }
}

/// A case's state as a badge.
pub(super) fn state_badge(page: &Page, state: CaseState) -> Html {
    let tone = match state {
        CaseState::Receiving | CaseState::Reading | CaseState::Reported => Tone::Active,
        CaseState::WaitingRequest | CaseState::OnHold => Tone::Warning,
        CaseState::Returned | CaseState::Acknowledged => Tone::Good,
        CaseState::Ready | CaseState::Cancelled => Tone::Plain,
    };
    badge::tone(tone, &code_word(page, "dispatch-state", state.code()))
}

/// A case's flags as badges; unknown ones as they are.
pub(super) fn flag_badges(page: &Page, case: &CaseRow) -> Vec<Html> {
    let flags: Vec<String> = serde_json::from_str(&case.flags).unwrap_or_default();
    let mut badges: Vec<Html> =
        flags.iter().map(|flag| badge::tone(Tone::Warning, &code_word(page, "dispatch-flag", flag))).collect();
    if case.ai_help {
        badges.push(Html::raw(format!("<span class=\"badge badge-ai\">{}</span>", page.t("dispatch-ai-help"))));
    }
    badges
}

#[derive(Template)]
#[template(path = "case/sheet.html")]
struct SheetFragment<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    view: SheetView,
}

#[derive(Template)]
#[template(path = "case/page.html")]
struct SheetPage<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    view: SheetView,
}

async fn show(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
) -> Answer {
    let sheet = case_sheet::sheet(&state, who.person(), who.reach(), path.into_inner()).await?;
    if is_fragment(&request) {
        return page.show(&SheetFragment { page: &page, view: case_view::view(&page, &sheet), sheet: &sheet });
    }
    let page = page.clone().titled(&page.tv("dispatch-case-number", sheet.case.id));
    page.show(&SheetPage { page: &page, view: case_view::view(&page, &sheet), sheet: &sheet })
}

async fn events(who: Allowed<Dispatch>, state: State, path: web::Path<CaseId>) -> Answer {
    let case = path.into_inner();
    // Whoever may not open it hears nothing of it.
    case_sheet::sheet(&state, who.person(), who.reach(), case).await?;
    Ok(live::events(&state, who.person(), vec![Topic::Case(case.0)]))
}

/// The renewed sheet, or the way to the case's page.
pub(super) async fn answer(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    request: &HttpRequest,
    case: CaseId,
) -> Answer {
    if !is_fragment(request) {
        return Ok(page::see_other(false, &format!("/cases/{case}")));
    }
    let sheet = case_sheet::sheet(state, who.person(), who.reach(), case).await?;
    page.show(&SheetFragment { page, view: case_view::view(page, &sheet), sheet: &sheet })
}

#[derive(Deserialize)]
struct ReasonForm {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct HoldForm {
    #[serde(default)]
    reason: String,
    actor: String,
    minutes: i64,
}

async fn hold(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<HoldForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let actor: HoldActor = form.actor.parse().map_err(|_| invalid("actor"))?;
    if !(1..=60 * 24 * 31).contains(&form.minutes) {
        return Err(invalid("minutes"));
    }
    let decision = Decision::Hold { actor, until: state.now() + TimeDelta::minutes(form.minutes) };
    decide(&who, &state, &page, &request, path.into_inner(), decision, reason).await
}

async fn decide(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    request: &HttpRequest,
    case: CaseId,
    decision: Decision,
    reason: String,
) -> Answer {
    overriding::decide(state, who.person(), who.reach(), case, decision, reason).await?;
    answer(who, state, page, request, case).await
}

async fn release(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    decide(&who, &state, &page, &request, path.into_inner(), Decision::Release, reason).await
}

#[derive(Deserialize)]
struct PriorityForm {
    #[serde(default)]
    reason: String,
    priority: String,
}

async fn prioritise(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<PriorityForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let priority: Priority = form.priority.parse().map_err(|_| invalid("priority"))?;
    decide(&who, &state, &page, &request, path.into_inner(), Decision::Prioritise(priority), reason).await
}

#[derive(Deserialize)]
struct ReaderForm {
    #[serde(default)]
    reason: String,
    reader: ReaderId,
}

async fn exclude(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<ReaderForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let decision = Decision::Exclude { reader: form.reader };
    decide(&who, &state, &page, &request, path.into_inner(), decision, reason).await
}

async fn cancel(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    decide(&who, &state, &page, &request, path.into_inner(), Decision::Cancel, reason).await
}

async fn plan(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
) -> Answer {
    let case = path.into_inner();
    case_sheet::plan_again(&state, who.reach(), case).await?;
    answer(&who, &state, &page, &request, case).await
}

#[derive(Deserialize)]
struct PriceQuery {
    reader: ReaderId,
}

/// A case that a pin makes late, in words.
struct DelayedLine {
    case: CaseId,
    before: String,
    after: String,
}

struct PriceView {
    case: CaseId,
    read: ReadId,
    reader: ReaderId,
    name: String,
    forbidden: Option<String>,
    not_open: bool,
    skill: String,
    ends: String,
    late: bool,
    instead: Option<String>,
    points: Option<String>,
    terms: Vec<(String, String)>,
    delayed: Vec<DelayedLine>,
}

#[derive(Template)]
#[template(path = "case/price.html")]
struct PriceFragment<'a> {
    page: &'a Page,
    view: PriceView,
}

#[derive(Template)]
#[template(path = "case/price_page.html")]
struct PricePage<'a> {
    page: &'a Page,
    view: PriceView,
}

async fn price(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, ReadId)>,
    query: web::Query<PriceQuery>,
) -> Answer {
    let (case, read) = path.into_inner();
    let price = overriding::price(&state, who.reach(), case, read, query.reader).await?;
    let names = state.db.read(crate::app::board::Names::load).await?;
    let minutes = |minutes: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "minutes of days")]
        let whole = minutes.max(0.0) as i64;
        page.duration(TimeDelta::minutes(whole))
    };
    let mut view = PriceView {
        case,
        read,
        reader: query.reader,
        name: names.reader(page.language, query.reader),
        forbidden: None,
        not_open: false,
        skill: String::new(),
        ends: String::new(),
        late: false,
        instead: None,
        points: None,
        terms: Vec::new(),
        delayed: Vec::new(),
    };
    match price {
        Price::Forbidden(blocked) => {
            let name = |which: NameOf| names.of(page.language, which);
            view.forbidden = Some(blocked.words(page.language, &name));
        }
        Price::NotOpen => view.not_open = true,
        Price::Costs { quote, ends_in_minutes, due_in_minutes, delayed } => {
            view.skill = format!("{:.0}", quote.offer.skill);
            view.ends = ends_in_minutes.map(minutes).unwrap_or_default();
            view.late = ends_in_minutes.is_some_and(|end| end > due_in_minutes);
            view.instead = quote.instead_of.map(|offer| names.of(page.language, NameOf::Reader(offer.reader)));
            view.points = quote.more_points().map(|points| format!("{points:+.1}"));
            if let Some(instead) = quote.instead_of {
                let more = quote.offer.terms.minus(&instead.terms);
                view.terms = more
                    .named()
                    .into_iter()
                    .filter(|(_, points)| points.abs() >= 0.05)
                    .map(|(term, points)| (code_word(&page, "dispatch-term", term), format!("{points:+.1}")))
                    .collect();
            }
            view.delayed = delayed
                .into_iter()
                .filter(|one| one.case != case)
                .map(|one| DelayedLine {
                    case: one.case,
                    before: if one.before_minutes > 0.0 { minutes(one.before_minutes) } else { String::new() },
                    after: minutes(one.after_minutes),
                })
                .collect();
        }
    }
    if is_fragment(&request) {
        return page.show(&PriceFragment { page: &page, view });
    }
    let page = page.clone().titled(&page.tv("dispatch-case-number", case));
    page.show(&PricePage { page: &page, view })
}

async fn pin(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, ReadId)>,
    form: web::Form<ReaderForm>,
) -> Answer {
    let (case, read) = path.into_inner();
    let reason = need_reason(&form.reason)?;
    let decision = Decision::Pin { read, reader: form.reader };
    decide(&who, &state, &page, &request, case, decision, reason).await
}

async fn unassign(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, ReadId)>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let (case, read) = path.into_inner();
    let reason = need_reason(&form.reason)?;
    decide(&who, &state, &page, &request, case, Decision::Unassign(read), reason).await
}

async fn undo(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, OverrideId)>,
) -> Answer {
    let (case, which) = path.into_inner();
    overriding::take_back(&state, who.person(), who.reach(), case, which).await?;
    answer(&who, &state, &page, &request, case).await
}

async fn regroup(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    request: &HttpRequest,
    case: CaseId,
    what: Regroup,
    reason: String,
) -> Answer {
    regrouping::regroup(state, who.person(), who.reach(), case, what, reason).await?;
    answer(who, state, page, request, case).await
}

#[derive(Deserialize)]
struct AttachForm {
    #[serde(default)]
    seen: String,
}

async fn attach(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, StudyId)>,
    form: web::Form<AttachForm>,
) -> Answer {
    let (case, study) = path.into_inner();
    let seen: Vec<IdentityDoubt> = form.seen.split('+').filter_map(|code| code.parse().ok()).collect();
    regroup(&who, &state, &page, &request, case, Regroup::Attach { study, seen }, String::new()).await
}

async fn detach(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, StudyId)>,
) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, &page, &request, case, Regroup::Detach(study), String::new()).await
}

async fn split(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, StudyId)>,
) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, &page, &request, case, Regroup::Split(study), String::new()).await
}

#[derive(Deserialize)]
struct MergeForm {
    from: CaseId,
    #[serde(default)]
    reason: String,
}

async fn merge(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<MergeForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    regroup(&who, &state, &page, &request, path.into_inner(), Regroup::Merge(form.from), reason).await
}

/// `region0`, `modality0`, `laterality0`, `region1` ...; a line without a region is left out.
async fn correct(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<HashMap<String, String>>,
) -> Answer {
    let reason = need_reason(form.get("reason").map(String::as_str).unwrap_or_default())?;
    let mut parts = Vec::new();
    for at in 0..case_view::MOST_PARTS {
        let field = |name: &str| form.get(&format!("{name}{at}")).map(String::as_str).unwrap_or_default();
        if field("region").is_empty() {
            continue;
        }
        let region: Region = field("region").parse().map_err(|_| invalid("region0"))?;
        let modality: Modality = field("modality").parse().map_err(|_| invalid("modality0"))?;
        let laterality: Laterality = field("laterality").parse().map_err(|_| invalid("laterality0"))?;
        let part = Part { region, modality, laterality };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return Err(Error::new(&codes::common::FORM_INVALID).field("region0", &codes::common::FIELD_REQUIRED));
    }
    regroup(&who, &state, &page, &request, path.into_inner(), Regroup::Correct(parts), reason).await
}

#[derive(Deserialize)]
struct NoteForm {
    kind: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    body: String,
}

async fn note(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<CaseId>,
    form: web::Form<NoteForm>,
) -> Answer {
    let case = path.into_inner();
    let form = form.into_inner();
    let kind = match form.kind.as_str() {
        "phone" => NoteKind::Phone,
        "note" => NoteKind::Note,
        _ => return Err(invalid("kind")),
    };
    let (contact, body) = (form.contact.trim().to_owned(), form.body.trim().to_owned());
    let fault = match body.chars().count() {
        0 => Some(&codes::common::FIELD_REQUIRED),
        1..=4000 => None,
        _ => Some(&codes::common::FIELD_TOO_LONG),
    };
    if let Some(fault) = fault {
        return Err(Error::new(&codes::common::FORM_INVALID).field("body", fault));
    }
    if contact.chars().count() > 200 {
        return Err(Error::new(&codes::common::FORM_INVALID).field("contact", &codes::common::FIELD_TOO_LONG));
    }
    case_sheet::note(&state, who.person(), who.reach(), case, kind, contact, body).await?;
    answer(&who, &state, &page, &request, case).await
}

async fn deliver_again(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, DeliveryId)>,
) -> Answer {
    let (_, delivery) = path.into_inner();
    let case = case_sheet::redeliver(&state, who.person(), who.reach(), delivery, Redeliver::Again).await?;
    answer(&who, &state, &page, &request, case).await
}

async fn give_up(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<(CaseId, DeliveryId)>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let (_, delivery) = path.into_inner();
    let what = Redeliver::GiveUp(reason);
    let case = case_sheet::redeliver(&state, who.person(), who.reach(), delivery, what).await?;
    answer(&who, &state, &page, &request, case).await
}
