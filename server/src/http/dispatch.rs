//! `/dispatch`: the board, the search, and what found no partner.
//!
//! The board renews itself by morphing (`/dispatch/board`), so that nothing
//! jumps. What is searched for comes in a body, never in an address.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::{CaseState, MatchState, ReadState, RequestState};
use dokuei_models::store::board::BoardCase;
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{CaseId, RequestId, StudyId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::cases::{self, is_fragment, need_reason};
use super::{Answer, Page, Routes, live};
use crate::app::board::{self, Board, ReaderLoad};
use crate::app::case_sheet::{self, Unpaired};
use crate::app::finding_cases::{self, Finding};
use crate::app::matching::OLDER_THAN_LIMIT;
use crate::app::regrouping::{self, Settle};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::Result;
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::ui::chart::{self, Bar};
use crate::wake::Topic;

/// Registers the board and what is on it.
pub fn routes(routes: &mut Routes) {
    routes.get("/dispatch", show);
    routes.get("/dispatch/board", renew);
    routes.get("/dispatch/events", events);
    routes.post("/dispatch/search", search);
    routes.get("/dispatch/studies/{study}", show_study);
    routes.get("/dispatch/requests/{request}", show_request);
    routes.post("/dispatch/join", join);
    routes.post("/dispatch/studies/{study}/open", open_default);
    routes.post("/dispatch/studies/{study}/keep", keep);
    routes.post("/dispatch/requests/{request}/withdraw", withdraw);
}

struct Figure {
    word: String,
    value: String,
    unit: String,
    note: String,
    alarm: bool,
    line: Html,
}

/// One card of a lane: a case, images or a request.
struct Card {
    id: String,
    href: String,
    late: bool,
    priority: Option<Html>,
    due: Option<Html>,
    title: String,
    line: String,
    badges: Vec<Html>,
}

struct Lane {
    key: &'static str,
    title: String,
    empty: String,
    count: i64,
    cards: Vec<Card>,
    hidden: i64,
}

struct ReaderLine {
    id: i64,
    name: String,
    badge: Html,
    bar: Html,
    numbers: String,
    until: String,
}

struct Trouble {
    word: String,
    count: i64,
    href: String,
}

/// The board as it is shown.
struct View {
    figures: Vec<Figure>,
    lanes: Vec<Lane>,
    backlog: Option<Html>,
    readers: Vec<ReaderLine>,
    trouble: Vec<Trouble>,
}

#[derive(Template)]
#[template(path = "dispatch/page.html")]
struct BoardPage<'a> {
    page: &'a Page,
    view: View,
}

#[derive(Template)]
#[template(path = "dispatch/board.html")]
struct BoardFragment<'a> {
    page: &'a Page,
    view: View,
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page) -> Answer {
    let board = board::board(&state, who.reach()).await?;
    board::opened(&state, who.person()).await?;
    let page = page.clone().titled(&page.t("nav-dispatch"));
    page.show(&BoardPage { view: view(&page, &board), page: &page })
}

async fn renew(who: Allowed<Dispatch>, state: State, page: Page) -> Answer {
    let board = board::board(&state, who.reach()).await?;
    page.show(&BoardFragment { view: view(&page, &board), page: &page })
}

async fn events(who: Allowed<Dispatch>, state: State) -> Answer {
    let pools = board::pools_within(&state, who.reach()).await?;
    let mut topics: Vec<Topic> = pools.into_iter().map(|pool| Topic::Board(pool.0)).collect();
    topics.push(Topic::Deliveries);
    Ok(live::events(&state, who.person(), topics))
}

fn view(page: &Page, board: &Board) -> View {
    View {
        figures: figures(page, board),
        lanes: lanes(page, board),
        backlog: backlog(page, board),
        readers: board.readers.iter().map(|load| reader_line(page, board, load)).collect(),
        trouble: trouble(page, board),
    }
}

fn figures(page: &Page, board: &Board) -> Vec<Figure> {
    let lines = &board.lines;
    let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
    let figure = |key: &str, value: String, unit: String, note: String, alarm: bool, values: &[f64]| {
        let word = page.t(&format!("dispatch-figure-{key}"));
        let title = page.tv("dispatch-figure-line", &word);
        Figure { line: chart::sparkline(values, &title), word, value, unit, note, alarm }
    };
    #[expect(clippy::cast_possible_truncation, reason = "minutes of days")]
    let worst = chrono::TimeDelta::minutes(last(&lines.worst_wait_minutes) as i64);
    let cases = page.t("dispatch-unit-cases");
    let late = last(&lines.late);
    let paused = if board.paused == 0 { String::new() } else { page.tn("dispatch-paused-of-them", board.paused) };
    let gap = lines.gap_percent.last();
    vec![
        figure("waiting", format!("{:.0}", last(&lines.waiting)), cases.clone(), String::new(), false, &lines.waiting),
        figure("late", format!("{late:.0}"), cases, String::new(), late > 0.0, &lines.late),
        figure("worst", page.duration(worst), String::new(), String::new(), false, &lines.worst_wait_minutes),
        figure(
            "readers",
            format!("{:.0}", last(&lines.on_shift)),
            page.t("dispatch-unit-people"),
            paused,
            last(&lines.on_shift) < 1.0,
            &lines.on_shift,
        ),
        figure(
            "gap",
            gap.map_or_else(|| "—".to_owned(), |gap| format!("{gap:.1}")),
            if gap.is_some() { "%".to_owned() } else { String::new() },
            if gap.is_some() { String::new() } else { page.t("dispatch-no-plan") },
            false,
            &lines.gap_percent,
        ),
    ]
}

fn lanes(page: &Page, board: &Board) -> Vec<Lane> {
    let mut unmatched: Vec<(chrono::NaiveDateTime, Card)> = Vec::new();
    for study in &board.orphans {
        let at = study.match_deadline.unwrap_or(study.first_received_at);
        unmatched.push((at, study_card(page, board, study)));
    }
    for request in &board.unmet {
        let minutes = board.sites.iter().find(|site| site.id == request.site_id).map_or(0, |s| s.orphan_wait_minutes);
        let deadline = request.wanted_by.unwrap_or(request.created_at + chrono::TimeDelta::minutes(i64::from(minutes)));
        unmatched.push((deadline, request_card(page, board, request, deadline)));
    }
    unmatched.sort_by_key(|(at, _)| *at);
    let keys = ["receiving", "ready", "reading", "hold", "done"];
    let mut lanes = vec![lane(
        page,
        "unmatched",
        board.orphan_count + board.unmet_count,
        unmatched.into_iter().map(|(_, card)| card).collect(),
    )];
    for (at, key) in keys.into_iter().enumerate() {
        let mut cards: Vec<Card> = board.lanes[at].iter().map(|case| case_card(page, board, case)).collect();
        let mut count = board.lane_counts[at];
        if key == "receiving" {
            cards.extend(board.arriving.iter().map(|study| arriving_card(page, board, study)));
            count += board.arriving_count;
        }
        lanes.push(lane(page, key, count, cards));
    }
    lanes
}

fn lane(page: &Page, key: &'static str, count: i64, cards: Vec<Card>) -> Lane {
    let shown = i64::try_from(cards.len()).unwrap_or(i64::MAX);
    Lane {
        key,
        title: page.t(&format!("dispatch-lane-{key}")),
        empty: page.t(&format!("dispatch-lane-{key}-empty")),
        count,
        cards,
        hidden: (count - shown).max(0),
    }
}

/// `68歳 男`, as far as it is known.
pub(super) fn age_and_sex(page: &Page, birth_date: Option<chrono::NaiveDate>, sex: &str) -> String {
    let today = crate::app::due::day_in_japan(page.now);
    let age = birth_date.and_then(|birth| today.years_since(birth)).map(|years| page.tn("dispatch-age", years));
    let sex = match sex {
        "M" => page.t("dispatch-sex-m"),
        "F" => page.t("dispatch-sex-f"),
        "O" => page.t("dispatch-sex-o"),
        _ => String::new(),
    };
    [age.unwrap_or_default(), sex].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The parts in words, two at the most.
pub(super) fn parts_in_words(page: &Page, parts: &[dokuei_models::store::cases::CasePart]) -> String {
    let mut words: Vec<String> = parts.iter().take(2).map(|part| part.part.label(page.language)).collect();
    if parts.len() > 2 {
        words.push(page.tn("dispatch-parts-more", parts.len() - 2));
    }
    if words.is_empty() { page.t("dispatch-parts-none") } else { words.join(dot(page)) }
}

pub(super) fn dot(page: &Page) -> &'static str {
    if page.language == Language::Ja { "・" } else { ", " }
}

fn case_card(page: &Page, board: &Board, found: &BoardCase) -> Card {
    let case = &found.case;
    let mut badges = Vec::new();
    let mut line = vec![board.names.site(page.language, case.site_id), age_and_sex(page, found.birth_date, &found.sex)];
    match case.state {
        CaseState::Ready | CaseState::Reading => {
            let held: Vec<_> = found.reads.iter().filter(|read| read.reader_id.is_some()).collect();
            for read in &held {
                if let Some(reader) = read.reader_id {
                    line.push(board.names.reader(page.language, reader));
                }
            }
            if let Some(read) = found.reads.iter().find(|read| read.state == ReadState::Open) {
                let word = match &read.waiting_reason {
                    Some(code) => cases::code_word(page, "dispatch-wait", code),
                    None => page.t("dispatch-wait-plan"),
                };
                let tone = if read.waiting_reason.is_some() { Tone::Bad } else { Tone::Plain };
                badges.push(badge::tone(tone, &word));
            }
            if held.iter().any(|read| read.waiting_reason.as_deref() == Some("stale_with_draft")) {
                badges.push(badge::tone(Tone::Warning, &page.t("dispatch-wait-stale-with-draft")));
            }
        }
        CaseState::OnHold => {
            let actor = case.hold_actor.map(|who| page.t(&format!("dispatch-hold-{who}"))).unwrap_or_default();
            badges.push(badge::tone(Tone::Warning, &actor));
            if let Some(until) = case.hold_until {
                line.push(page.tv("dispatch-hold-until", page.time(until)));
            }
        }
        CaseState::Reported => badges.push(badge::tone(Tone::Active, &page.t("dispatch-state-reported"))),
        CaseState::Returned => badges.push(badge::tone(Tone::Good, &page.t("dispatch-state-returned"))),
        CaseState::Acknowledged => badges.push(badge::tone(Tone::Good, &page.t("dispatch-state-acknowledged"))),
        _ => {}
    }
    badges.extend(cases::flag_badges(page, case));
    let done = case.reported_at;
    Card {
        id: format!("case-{}", case.id),
        href: format!("/cases/{}", case.id),
        late: done.is_none() && case.due_at < page.now,
        priority: Some(page.priority(case.priority)),
        due: Some(match done {
            Some(at) => Html::raw(format!("<time>{}</time>", page.time(at))),
            None => page.due(case.due_at),
        }),
        title: parts_in_words(page, &found.parts),
        line: line.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ・ "),
        badges,
    }
}

fn study_title(page: &Page, study: &StudyRow) -> String {
    let modalities = study.modalities.replace('\\', "/");
    format!("{modalities} {}", page.tn("dispatch-images", study.instances)).trim().to_owned()
}

fn study_card(page: &Page, board: &Board, study: &StudyRow) -> Card {
    let badge = if study.match_state == MatchState::Doubtful {
        let differs = doubt_words(page, &doubts_of(study.match_reason.as_deref().unwrap_or_default()));
        badge::tone(Tone::Bad, &page.tv("dispatch-differs", differs))
    } else {
        badge::tone(Tone::Warning, &page.t("dispatch-no-request"))
    };
    Card {
        id: format!("study-{}", study.id),
        href: format!("/dispatch/studies/{}", study.id),
        late: study.match_deadline.is_some_and(|at| at < page.now),
        priority: None,
        due: study.match_deadline.map(|at| page.due(at)),
        title: study_title(page, study),
        line: board.names.site(page.language, study.site_id),
        badges: vec![badge],
    }
}

fn arriving_card(page: &Page, board: &Board, study: &StudyRow) -> Card {
    Card {
        due: Some(Html::raw(format!("<time>{}</time>", page.time(study.first_received_at)))),
        late: false,
        badges: vec![badge::tone(Tone::Active, &page.t("dispatch-arriving"))],
        ..study_card(page, board, study)
    }
}

fn request_card(page: &Page, board: &Board, request: &RequestRow, deadline: chrono::NaiveDateTime) -> Card {
    let badge = if request.state == RequestState::Doubtful {
        let differs = doubt_words(page, &doubts_of(request.state_reason.as_deref().unwrap_or_default()));
        badge::tone(Tone::Bad, &page.tv("dispatch-differs", differs))
    } else if request.state_reason.as_deref() == Some(OLDER_THAN_LIMIT) {
        badge::tone(Tone::Bad, &page.t("dispatch-older-than-limit"))
    } else {
        badge::tone(Tone::Warning, &page.t("dispatch-no-images"))
    };
    Card {
        id: format!("request-{}", request.id),
        href: format!("/dispatch/requests/{}", request.id),
        late: deadline < page.now,
        priority: Some(page.priority(request.priority)),
        due: Some(page.due(deadline)),
        title: if request.exam.is_empty() { page.t("dispatch-request") } else { request.exam.clone() },
        line: board.names.site(page.language, request.site_id),
        badges: vec![badge],
    }
}

/// The doubts of a match reason: `12:name+sex,13:sex` or `name+sex`.
fn doubts_of(reason: &str) -> Vec<IdentityDoubt> {
    let mut doubts: Vec<IdentityDoubt> = reason
        .split(',')
        .filter_map(|pair| pair.rsplit(':').next())
        .flat_map(|codes| codes.split('+'))
        .filter_map(|code| code.parse().ok())
        .collect();
    doubts.sort_unstable();
    doubts.dedup();
    doubts
}

/// The differing fields by name.
pub(super) fn doubt_words(page: &Page, doubts: &[IdentityDoubt]) -> String {
    let words: Vec<String> =
        doubts.iter().map(|doubt| cases::code_word(page, "dispatch-doubt", doubt.code())).collect();
    words.join(dot(page))
}

fn backlog(page: &Page, board: &Board) -> Option<Html> {
    let bars: Vec<Bar> = board
        .backlog
        .iter()
        .map(|of| Bar {
            label: of.modality.label(page.language).to_owned(),
            value: of.minutes,
            shown: format!("{:.0} {} / {}", of.minutes, page.t("dispatch-unit-minutes"), of.parts),
        })
        .collect();
    (!bars.is_empty()).then(|| chart::bars(&bars, &page.t("dispatch-backlog")))
}

fn reader_line(page: &Page, board: &Board, load: &ReaderLoad) -> ReaderLine {
    let (done, reading, planned) = (load.done_minutes, load.reading_minutes, load.planned_minutes);
    let capacity = f64::from(load.reader.capacity_minutes);
    let numbers = format!("{done:.0} + {reading:.0} + {planned:.0} / {capacity:.0}");
    let (tone, key) = match load.shift {
        Some(shift) if shift.starts_at <= page.now => {
            if load.reader.paused {
                (Tone::Warning, "dispatch-reader-paused")
            } else if load.on_duty {
                (Tone::Active, "dispatch-reader-on")
            } else {
                (Tone::Plain, "dispatch-reader-left")
            }
        }
        Some(_) => (Tone::Plain, "dispatch-reader-later"),
        None => (Tone::Plain, "dispatch-reader-off"),
    };
    let until = load.shift.map(|shift| {
        if shift.starts_at <= page.now {
            page.tv("dispatch-shift-until", page.time(shift.ends_at))
        } else {
            page.tv("dispatch-shift-from", page.time(shift.starts_at))
        }
    });
    let name = board.names.reader(page.language, load.reader.id);
    let in_hand = page.tn("dispatch-in-hand", load.in_hand);
    ReaderLine {
        id: load.reader.id.0,
        badge: badge::tone(tone, &page.t(key)),
        bar: chart::stacked(&[done, reading, planned], capacity, &format!("{name}: {numbers}")),
        numbers: format!("{numbers} {} ・ {in_hand}", page.t("dispatch-unit-minutes")),
        until: until.unwrap_or_default(),
        name,
    }
}

fn trouble(page: &Page, board: &Board) -> Vec<Trouble> {
    let of = &board.trouble;
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    [
        ("deliveries", count(of.deliveries)),
        ("jobs", count(of.jobs)),
        ("quarantine", of.quarantine),
        ("refusals", of.refusals),
        ("silent", count(of.silent)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(key, count)| Trouble {
        word: page.t(&format!("dispatch-trouble-{key}")),
        count,
        href: format!("/dispatch/trouble#{key}"),
    })
    .collect()
}

#[derive(Deserialize)]
struct SearchForm {
    #[serde(default)]
    q: String,
}

struct FoundLine {
    href: String,
    name: String,
    facts: String,
    title: String,
    site: String,
    priority: Html,
    state: Html,
    due: Html,
}

#[derive(Template)]
#[template(path = "dispatch/found.html")]
struct FoundFragment<'a> {
    page: &'a Page,
    asked: bool,
    more: bool,
    lines: Vec<FoundLine>,
}

#[derive(Template)]
#[template(path = "dispatch/found_page.html")]
struct FoundPage<'a> {
    page: &'a Page,
    asked: bool,
    more: bool,
    lines: Vec<FoundLine>,
}

async fn search(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<SearchForm>,
) -> Answer {
    let asked = !form.q.trim().is_empty();
    let found = finding_cases::find(&state, who.person(), who.reach(), &form.q).await?;
    let lines = found_lines(&page, &found);
    if is_fragment(&request) {
        return page.show(&FoundFragment { page: &page, asked, more: found.more, lines });
    }
    let page = page.clone().titled(&page.t("dispatch-search"));
    page.show(&FoundPage { page: &page, asked, more: found.more, lines })
}

fn found_lines(page: &Page, found: &Finding) -> Vec<FoundLine> {
    found
        .cases
        .iter()
        .map(|one| FoundLine {
            href: format!("/cases/{}", one.case.id),
            name: one.patient.name().shown(),
            facts: [
                one.patient.patient_id.clone(),
                age_and_sex(page, one.patient.birth_date, &one.patient.sex),
                one.accession_number.clone(),
            ]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ・ "),
            title: parts_in_words(page, &one.parts),
            site: found.names.site(page.language, one.case.site_id),
            priority: page.priority(one.case.priority),
            state: cases::state_badge(page, one.case.state),
            due: match one.case.reported_at {
                Some(at) => Html::raw(format!("<time>{}</time>", page.time(at))),
                None => page.due(one.case.due_at),
            },
        })
        .collect()
}

/// One side of a pair, as two columns are compared.
struct Side {
    patient_id: String,
    name: String,
    kana: String,
    birth_date: String,
    sex: String,
    accession_number: String,
    about: String,
}

/// One thing it may belong to.
struct Offer {
    study: StudyId,
    request: RequestId,
    heading: String,
    other: Side,
    doubts: Vec<IdentityDoubt>,
    doubt_codes: String,
    doubt_words: String,
}

impl Offer {
    fn differs(&self, code: &str) -> bool {
        self.doubts.iter().any(|doubt| doubt.code() == code)
    }
}

#[derive(Template)]
#[template(path = "dispatch/unpaired.html")]
struct UnpairedFragment<'a> {
    page: &'a Page,
    found: &'a Unpaired,
    title: String,
    own: Side,
    deadline: Option<Html>,
    offers: Vec<Offer>,
}

#[derive(Template)]
#[template(path = "dispatch/unpaired_page.html")]
struct UnpairedPage<'a> {
    page: &'a Page,
    found: &'a Unpaired,
    title: String,
    own: Side,
    deadline: Option<Html>,
    offers: Vec<Offer>,
}

async fn show_study(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<StudyId>,
) -> Answer {
    let found = case_sheet::unpaired_study(&state, who.person(), who.reach(), path.into_inner()).await?;
    show_unpaired(&page, &request, &found)
}

async fn show_request(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<RequestId>,
) -> Answer {
    let found = case_sheet::unpaired_request(&state, who.person(), who.reach(), path.into_inner()).await?;
    show_unpaired(&page, &request, &found)
}

fn side_of_study(page: &Page, study: &StudyRow) -> Side {
    let identity = study.identity();
    side(
        page,
        &identity,
        &study.accession_number,
        [
            study_title(page, study),
            study.description.clone(),
            study.study_date.map(|day| day.to_string()).unwrap_or_default(),
        ],
    )
}

fn side_of_request(page: &Page, request: &RequestRow) -> Side {
    side(
        page,
        &request.identity(),
        &request.accession_number,
        [
            request.exam.clone(),
            request.question.clone(),
            page.tv("dispatch-requested-at", page.time(request.created_at)),
        ],
    )
}

fn side(
    page: &Page,
    identity: &dokuei_models::store::patients::Identity,
    accession_number: &str,
    about: [String; 3],
) -> Side {
    let or_dash = |text: &str| if text.is_empty() { "—".to_owned() } else { text.replace('^', " ") };
    Side {
        patient_id: or_dash(&identity.patient_id),
        name: or_dash(&identity.name.shown()),
        kana: or_dash(if identity.name.phonetic.is_empty() {
            &identity.name.alphabetic
        } else {
            &identity.name.phonetic
        }),
        birth_date: identity.birth_date.map_or_else(|| "—".to_owned(), |day| day.to_string()),
        sex: match identity.sex.as_str() {
            "M" => page.t("dispatch-sex-m"),
            "F" => page.t("dispatch-sex-f"),
            "O" => page.t("dispatch-sex-o"),
            _ => "—".to_owned(),
        },
        accession_number: or_dash(accession_number),
        about: about.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ・ "),
    }
}

fn show_unpaired(page: &Page, request: &HttpRequest, found: &Unpaired) -> Answer {
    let offer = |study: StudyId, asked: RequestId, heading: String, other: Side, doubts: &[IdentityDoubt]| Offer {
        study,
        request: asked,
        heading,
        other,
        doubt_codes: doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>().join("+"),
        doubt_words: doubt_words(page, doubts),
        doubts: doubts.to_vec(),
    };
    let (title, own, deadline, offers) = match (&found.study, &found.request) {
        (Some(study), _) => (
            study_title(page, study),
            side_of_study(page, study),
            study.match_deadline.map(|at| page.due(at)),
            found
                .requests
                .iter()
                .map(|(asked, doubts)| {
                    let heading = page.tv("dispatch-request-number", asked.id);
                    offer(study.id, asked.id, heading, side_of_request(page, asked), doubts)
                })
                .collect(),
        ),
        (None, Some(asked)) => (
            page.tv("dispatch-request-number", asked.id),
            side_of_request(page, asked),
            asked.wanted_by.map(|at| page.due(at)),
            found
                .studies
                .iter()
                .map(|loose| {
                    let heading = page.tv("dispatch-study-number", loose.study.id);
                    offer(loose.study.id, asked.id, heading, side_of_study(page, &loose.study), &loose.doubts)
                })
                .collect(),
        ),
        (None, None) => return Err(crate::error::Error::not_found()),
    };
    if is_fragment(request) {
        return page.show(&UnpairedFragment { page, found, title, own, deadline, offers });
    }
    let page = page.clone().titled(&page.t("dispatch-lane-unmatched"));
    page.show(&UnpairedPage { page: &page, found, title, own, deadline, offers })
}

#[derive(Deserialize)]
struct JoinForm {
    study: StudyId,
    request: RequestId,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct ReasonForm {
    #[serde(default)]
    reason: String,
}

async fn join(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<JoinForm>,
) -> Answer {
    let form = form.into_inner();
    let seen: Vec<IdentityDoubt> = form.seen.split('+').filter_map(|code| code.parse().ok()).collect();
    // Who agrees to a difference says why; an agreeing pair needs no words.
    let reason = if seen.is_empty() { form.reason } else { need_reason(&form.reason)? };
    let what = Settle::Join { request: form.request, study: form.study, seen };
    let case = regrouping::settle(&state, who.person(), who.reach(), what, reason).await?;
    settled(who, &state, &page, &request, case).await
}

async fn open_default(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<StudyId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let what = Settle::OpenDefault(path.into_inner());
    let case = regrouping::settle(&state, who.person(), who.reach(), what, reason).await?;
    settled(who, &state, &page, &request, case).await
}

async fn keep(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<StudyId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let what = Settle::KeepForComparison(path.into_inner());
    let case = regrouping::settle(&state, who.person(), who.reach(), what, reason).await?;
    settled(who, &state, &page, &request, case).await
}

async fn withdraw(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<RequestId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let reason = need_reason(&form.reason)?;
    let what = Settle::Withdraw(path.into_inner());
    let case = regrouping::settle(&state, who.person(), who.reach(), what, reason).await?;
    settled(who, &state, &page, &request, case).await
}

#[derive(Template)]
#[template(path = "dispatch/settled.html")]
struct SettledFragment<'a> {
    page: &'a Page,
}

/// The case that came of it, else that it is done.
async fn settled(
    who: Allowed<Dispatch>,
    state: &State,
    page: &Page,
    request: &HttpRequest,
    case: Option<CaseId>,
) -> Result<HttpResponse> {
    match case {
        Some(case) => cases::answer(&who, state, page, request, case).await,
        None if is_fragment(request) => page.show(&SettledFragment { page }),
        None => Ok(super::page::see_other(false, "/dispatch")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_differing_fields_of_several_requests_are_named_once() {
        assert_eq!(doubts_of("12:name+sex,13:sex"), [IdentityDoubt::Name, IdentityDoubt::Sex]);
        assert_eq!(doubts_of("birth_date"), [IdentityDoubt::BirthDate]);
        assert_eq!(doubts_of("no_request"), []);
    }
}
