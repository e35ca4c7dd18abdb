//! The reading room: the page, the draft, giving a read away, signing.

mod phrases;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use dokuei_models::ReadId;
use dokuei_models::state::{CaseStudyRole, NoteKind, ReadKind, ReadState, VersionState};
use dokuei_models::store::cases::{IDENTITY_CHANGED, IMAGE_CONFLICT, IMAGES_WITHDRAWN, WITHDRAWAL_ASKED};
use dokuei_models::store::reports::{DraftText, VersionRow};
use dokuei_models::store::studies::StudyRow;
use dokuei_terms::{Language, Priority};
use serde::Deserialize;
use serde_json::json;

use super::page::see_other;
use super::worklist::person_in_words;
use super::{Answer, Page, Routes, live};
use crate::app::due::day_in_japan;
use crate::app::priors;
use crate::app::reading::{self, Room, Saved, Signed};
use crate::authority::Allowed;
use crate::authority::rights::{Read, SeeReads};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::wake::Topic;

/// Registers the reading room and what it sends.
pub fn routes(routes: &mut Routes) {
    routes.get("/reads/{read}", show);
    routes.get("/reads/{read}/state", now);
    routes.get("/reads/{read}/events", events);
    routes.get("/reads/{read}/files/{file}", file);
    routes.post("/reads/{read}/draft", save);
    routes.post("/reads/{read}/priors", fetch_priors);
    routes.post("/reads/{read}/heartbeat", heartbeat);
    routes.post("/reads/{read}/give-back", give_back);
    routes.post("/reads/{read}/ask", ask);
}

/// A study as a chip: the current ones, and priors to be laid beside.
struct Chip {
    id: i64,
    text: String,
}

/// One line of the AI findings.
struct Finding {
    label: String,
    class: String,
    confidence: String,
    engine: String,
}

/// One reason of the urgency.
struct Reason {
    text: String,
    speaks_for: bool,
    share: String,
}

/// A question or answer.
struct Word {
    mine: bool,
    who: String,
    at: String,
    text: String,
}

/// A signed version.
struct Version {
    id: i64,
    badge: Html,
    who: String,
    at: String,
    reason: String,
    withdrawn: bool,
    findings: String,
    impression: String,
}

#[derive(Template)]
#[template(path = "reading/page.html")]
struct Whole<'a> {
    page: &'a Page,
    id: i64,
    case: i64,
    words: String,
    patient: String,
    patient_id: String,
    who: String,
    kana: String,
    study: String,
    site: String,
    priority: Priority,
    due_at: chrono::NaiveDateTime,
    kind: String,
    room: &'a Room,
    editable: bool,
    can_start: bool,
    held: bool,
    signed_by_me: bool,
    withdrawal_asked: bool,
    current: Vec<Chip>,
    priors: Vec<Chip>,
    files: Vec<(i64, String)>,
    urgency: String,
    reasons: Vec<Reason>,
    findings: Vec<Finding>,
    versions: Vec<Version>,
    thread: Vec<Word>,
    revision: i32,
    draft_findings: String,
    draft_impression: String,
    saved: String,
    phrases: Vec<(&'static str, &'static str)>,
}

async fn show(who: Allowed<SeeReads>, state: State, page: Page, path: web::Path<i64>) -> Answer {
    let room = reading::room(&state, &who, ReadId(*path)).await?;
    let page = page.clone().titled(&page.t("reading-title")).dark();
    let whole = whole(&page, &room);
    page.show(&whole)
}

fn whole<'a>(page: &'a Page, room: &'a Room) -> Whole<'a> {
    let (read, case) = (&room.access.read, &room.access.case);
    let own = room.access.own.is_some();
    let parts: Vec<String> = room.parts.iter().map(|part| part.part.label(page.language)).collect();
    let of_role = |wanted: CaseStudyRole| -> Vec<Chip> {
        let chosen = room.studies.iter().filter(|(_, role)| *role == wanted);
        chosen.map(|(study, _)| Chip { id: study.id.0, text: chip_text(page, study) }).collect()
    };
    let draft = room.draft.as_ref();
    Whole {
        id: read.id.0,
        case: case.id.0,
        words: js_words(page).to_string(),
        patient: room.patient.name().shown(),
        patient_id: room.patient.patient_id.clone(),
        who: person_in_words(page, room.patient.birth_date, &room.patient.sex, day_in_japan(page.now)),
        kana: room.patient.name_phonetic.replace('^', " "),
        study: parts.join(if page.language == Language::Ja { "・" } else { ", " }),
        site: if page.language == Language::En { room.site.name_en.clone() } else { room.site.name_ja.clone() },
        priority: case.priority,
        due_at: case.due_at,
        kind: kind_word(page, read.kind),
        editable: room.is_editable(),
        can_start: own && read.state == ReadState::Assigned && !read.frozen,
        held: read.frozen,
        signed_by_me: own && read.stands_signed(case),
        withdrawal_asked: case.has_flag(WITHDRAWAL_ASKED),
        current: of_role(CaseStudyRole::Current),
        priors: of_role(CaseStudyRole::Prior),
        files: room.files.iter().map(|file| (file.id, file.name.clone())).collect(),
        urgency: format!("{:.0}", case.urgency * 100.0),
        reasons: reasons(page, room),
        findings: room.findings.iter().map(finding).collect(),
        versions: room.signed.iter().map(|signed| version(page, signed)).collect(),
        thread: thread(page, room),
        revision: draft.map_or(0, |draft| draft.revision),
        draft_findings: draft.map(|draft| draft.findings.clone()).unwrap_or_default(),
        draft_impression: draft.map(|draft| draft.impression.clone()).unwrap_or_default(),
        saved: draft
            .filter(|draft| draft.revision > 0)
            .map(|draft| page.tv("reading-saved", page.time(draft.saved_at)))
            .unwrap_or_default(),
        phrases: phrases::phrases(page.language),
        page,
        room,
    }
}

fn chip_text(page: &Page, study: &StudyRow) -> String {
    let day = study.study_date.map_or_else(|| page.t("reading-date-unknown"), |day| day.to_string());
    format!("{day} {} {}", study.modalities.replace('\\', "/"), study.description).trim().to_owned()
}

/// What kind of reading it is; nothing for the ordinary one.
pub fn kind_word(page: &Page, kind: ReadKind) -> String {
    match kind {
        ReadKind::Single => String::new(),
        ReadKind::Independent => page.t("reading-kind-independent"),
        ReadKind::First => page.t("reading-kind-first"),
        ReadKind::Check => page.t("reading-kind-check"),
        ReadKind::Third => page.t("reading-kind-third"),
        ReadKind::Reopened => page.t("reading-kind-reopened"),
    }
}

/// A version's state as a badge.
pub fn version_badge(page: &Page, state: VersionState) -> Html {
    let (tone, key) = match state {
        VersionState::Draft => (Tone::Plain, "reading-version-draft"),
        VersionState::Preliminary => (Tone::Active, "reading-version-preliminary"),
        VersionState::Final => (Tone::Good, "reading-version-final"),
        VersionState::Addendum => (Tone::Good, "reading-version-addendum"),
        VersionState::Amended => (Tone::Warning, "reading-version-amended"),
        VersionState::Withdrawn => (Tone::Bad, "reading-version-withdrawn"),
    };
    badge::tone(tone, &page.t(key))
}

fn version(page: &Page, signed: &Signed) -> Version {
    let state = if signed.withdrawn.is_some() { VersionState::Withdrawn } else { signed.version.state };
    Version {
        id: signed.version.id.0,
        badge: version_badge(page, state),
        who: signed.signer.clone(),
        at: signed.version.signed_at.map(|at| page.date_time(at)).unwrap_or_default(),
        reason: signed.withdrawn.clone().unwrap_or_else(|| signed.version.reason.clone()),
        withdrawn: signed.withdrawn.is_some(),
        findings: signed.version.findings.clone(),
        impression: signed.version.impression.clone(),
    }
}

fn finding(row: &dokuei_models::store::prescreens::FindingRow) -> Finding {
    Finding {
        label: row.label.clone(),
        class: row.class.clone(),
        confidence: format!("{:.0} %", row.confidence * 100.0),
        engine: format!("{} {}", row.engine, row.engine_version),
    }
}

/// The largest reasons of the urgency, the base left out.
fn reasons(page: &Page, room: &Room) -> Vec<Reason> {
    let mut shown: Vec<_> = room.contributions.iter().filter(|one| one.code != "base").collect();
    shown.sort_by(|a, b| b.share.total_cmp(&a.share));
    shown
        .into_iter()
        .take(5)
        .map(|one| Reason {
            text: if page.language == Language::En { one.label.en.clone() } else { one.label.ja.clone() },
            speaks_for: one.log_odds >= 0.0,
            share: format!("{:.0} %", one.share * 100.0),
        })
        .collect()
}

fn thread(page: &Page, room: &Room) -> Vec<Word> {
    let word = |note: &dokuei_models::store::case_notes::CaseNoteRow| Word {
        mine: note.kind == NoteKind::Question,
        who: note.author_name.clone().unwrap_or_default(),
        at: page.time(note.at),
        text: note.body.clone(),
    };
    room.thread.iter().map(word).collect()
}

/// The words that the scripts put on the screen.
fn js_words(page: &Page) -> serde_json::Value {
    let keys = [
        "reading-js-image",
        "reading-js-frame",
        "reading-js-received",
        "reading-js-expected",
        "reading-js-loading",
        "reading-js-not-shown",
        "reading-js-no-images",
        "reading-js-prior",
        "reading-js-elsewhere",
        "reading-js-saved",
        "reading-js-saving",
        "reading-js-unsaved",
        "reading-js-save-failed",
        "reading-js-taken",
        "reading-js-held",
        "reading-js-late",
        "reading-js-preset",
        "reading-js-table",
        "reading-js-computed",
        "reading-js-overlay",
        "reading-js-truncated",
        "reading-js-released",
        "reading-js-series",
        "reading-js-manual",
    ];
    let map: serde_json::Map<String, serde_json::Value> =
        keys.iter().map(|key| (key.trim_start_matches("reading-js-").to_owned(), json!(page.t(key)))).collect();
    serde_json::Value::Object(map)
}

/// What a script asks after a signal: whether the read still is one's own, held, and how much is here.
async fn now(who: Allowed<SeeReads>, state: State, page: Page, path: web::Path<i64>) -> Answer {
    let (access, here) = reading::standing(&state, &who, ReadId(*path)).await?;
    let editable = access.own.is_some() && access.read.state == ReadState::InProgress && !access.read.frozen;
    Ok(HttpResponse::Ok().json(json!({
        "editable": editable,
        "state": access.read.state.code(),
        "held": access.read.frozen,
        "received": here.received,
        "banners": banners(&page, &access, here),
    })))
}

/// What stands over the report while it holds: each with a stable name, its words and its tone.
fn banners(page: &Page, access: &reading::Access, here: reading::Here) -> serde_json::Value {
    let case = &access.case;
    let coming = here.coming.then(|| super::signing::coming_in_words(page, here.counted, here.expected));
    let late = (here.late > 0).then(|| page.tn("reading-late-unseen", here.late));
    let flagged = |flag: &str, key: &str| case.has_flag(flag).then(|| page.t(key));
    json!([
        { "id": "coming", "text": coming, "tone": "warning" },
        { "id": "late-unseen", "text": late, "tone": "warning" },
        { "id": "asked", "text": flagged(WITHDRAWAL_ASKED, "reading-withdrawal-asked"), "tone": "bad" },
        { "id": "identity", "text": flagged(IDENTITY_CHANGED, "reading-identity-changed"), "tone": "bad" },
        { "id": "conflict", "text": flagged(IMAGE_CONFLICT, "reading-image-conflict"), "tone": "warning" },
        { "id": "withdrawn", "text": flagged(IMAGES_WITHDRAWN, "reading-images-withdrawn"), "tone": "bad" },
    ])
}

async fn events(who: Allowed<SeeReads>, state: State, path: web::Path<i64>) -> Answer {
    let (access, _) = reading::standing(&state, &who, ReadId(*path)).await?;
    let mut topics = vec![Topic::Case(access.case.id.0)];
    topics.extend(access.own.map(|reader| Topic::Worklist(reader.0)));
    Ok(live::events(&state, &who, topics))
}

async fn file(who: Allowed<SeeReads>, state: State, path: web::Path<(i64, i64)>) -> Answer {
    let (read, file) = path.into_inner();
    let (row, bytes) = reading::request_file(&state, &who, ReadId(read), file).await?;
    // Only what is known to be a picture or a PDF is opened in the browser.
    let shown = matches!(row.content_type.as_str(), "application/pdf" | "image/jpeg" | "image/png");
    let (kind, how) =
        if shown { (row.content_type.as_str(), "inline") } else { ("application/octet-stream", "attachment") };
    Ok(HttpResponse::Ok().content_type(kind).insert_header(("Content-Disposition", how)).body(bytes))
}

#[derive(Deserialize)]
struct Draft {
    revision: i32,
    #[serde(default)]
    findings: String,
    #[serde(default)]
    impression: String,
}

/// Saves; 409 with the other window's text where that was first.
async fn save(who: Allowed<Read>, state: State, page: Page, path: web::Path<i64>, form: web::Form<Draft>) -> Answer {
    let form = form.into_inner();
    // A browser sends line ends as CR LF.
    let text = DraftText {
        seen: form.revision,
        findings: form.findings.replace("\r\n", "\n"),
        impression: form.impression.replace("\r\n", "\n"),
    };
    let told = |row: &VersionRow| {
        json!({
            "revision": row.revision,
            "findings": row.findings,
            "impression": row.impression,
            "saved": page.tv("reading-saved", page.time(row.saved_at)),
        })
    };
    match reading::save_draft(&state, &who, ReadId(*path), text).await? {
        Saved::Done(row) => {
            Ok(HttpResponse::Ok().json(json!({ "revision": row.revision, "saved": told(&row)["saved"] })))
        }
        Saved::Differs(row) => Ok(HttpResponse::Conflict().json(told(&row))),
    }
}

async fn heartbeat(who: Allowed<Read>, state: State, path: web::Path<i64>) -> Answer {
    let mine = reading::heartbeat(&state, &who, ReadId(*path)).await?;
    Ok(HttpResponse::Ok().json(json!({ "mine": mine })))
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    question: String,
}

async fn fetch_priors(who: Allowed<Read>, state: State, path: web::Path<ReadId>) -> Answer {
    let read = path.into_inner();
    priors::ask_as_reader(&state, who.person(), read).await?;
    Ok(see_other(false, &format!("/reads/{read}")))
}

async fn give_back(
    who: Allowed<Read>,
    state: State,
    path: web::Path<i64>,
    request: HttpRequest,
    form: web::Form<Words>,
) -> Answer {
    reading::give_back(&state, &who, ReadId(*path), &form.reason).await?;
    Ok(see_other(request.headers().contains_key("hx-request"), "/worklist"))
}

async fn ask(
    who: Allowed<Read>,
    state: State,
    path: web::Path<i64>,
    request: HttpRequest,
    form: web::Form<Words>,
) -> Answer {
    reading::ask_site(&state, &who, ReadId(*path), &form.question).await?;
    Ok(see_other(request.headers().contains_key("hx-request"), "/worklist"))
}
