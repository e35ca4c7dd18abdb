//! A case's sheet in words: explanations, history, urgency, as its template shows them.

use dokuei_assigner::{Explanation, NameOf, Waiting};
use dokuei_models::state::{CaseStudyRole, DeliveryContent, DeliveryState, NoteKind, OverrideKind, ReadState};
use dokuei_models::store::case_events::CaseEventRow;
use dokuei_models::store::deliveries::DeliveryRow;
use dokuei_models::store::reads::ReadRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{OverrideId, ReadId, ReaderId};
use dokuei_prescreen::urgency::Contribution;
use dokuei_terms::{Language, Laterality, Modality, Priority, Region};

use super::Page;
use super::cases::{code_word, flag_badges, state_badge};
use super::dispatch::{age_and_sex, doubt_words, parts_in_words};
use crate::app::case_sheet::Sheet;
use crate::app::returns;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

/// How many parts a person can name.
pub const MOST_PARTS: usize = 8;

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

/// A study of the case, or one that could be.
pub struct StudyLine {
    /// The study.
    pub study: StudyRow,
    /// Modality and images.
    pub title: String,
    /// Description, day, when it came.
    pub about: String,
    /// Whether it is to be read.
    pub current: bool,
    /// What differs from the request, in words; empty where nothing does.
    pub differs: String,
    /// The same as codes.
    pub codes: String,
}

/// One reason of the urgency.
pub struct Reason {
    /// What.
    pub label: String,
    /// The words it rests on.
    pub words: String,
    /// What it adds to the log-odds.
    pub log_odds: String,
    /// Its share, 0..100.
    pub share: u64,
    /// Whether it speaks for urgency.
    pub towards: bool,
}

/// A part as a form's line.
pub struct PartLine {
    /// The place in the form.
    pub at: usize,
    /// Codes; empty for a free line.
    pub region: &'static str,
    /// See above.
    pub modality: &'static str,
    /// See above.
    pub laterality: &'static str,
}

/// A part as it stands.
pub struct PartFact {
    /// In words.
    pub label: String,
    /// Expected minutes.
    pub minutes: String,
    /// 0..100.
    pub confidence: String,
    /// Where it comes from.
    pub source: String,
}

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

/// Everything that is computed for the template.
pub struct SheetView {
    /// What is to be read.
    pub title: String,
    /// State, flags.
    pub badges: Vec<Html>,
    /// Why it is held and until when.
    pub held: Option<String>,
    /// The patient's name.
    pub name: String,
    /// His kana or Latin name.
    pub kana: String,
    /// His age and sex.
    pub age: String,
    /// The request's kind and source.
    pub request_kind: String,
    /// The reads.
    pub reads: Vec<ReadLine>,
    /// Decisions in force.
    pub overrides: Vec<OverrideLine>,
    /// Its studies.
    pub studies: Vec<StudyLine>,
    /// Whether a study can be taken out.
    pub several: bool,
    /// Studies that could be put in.
    pub loose: Vec<StudyLine>,
    /// Other open cases of the patient: number and words.
    pub siblings: Vec<(i64, String)>,
    /// Parts.
    pub parts: Vec<PartFact>,
    /// The form's lines.
    pub part_lines: Vec<PartLine>,
    /// Regions to choose from: code and word.
    pub regions: Vec<(&'static str, String)>,
    /// Modalities to choose from.
    pub modalities: Vec<(&'static str, &'static str)>,
    /// Sides to choose from.
    pub lateralities: Vec<(&'static str, String)>,
    /// Priorities to choose from.
    pub priorities: Vec<(&'static str, &'static str)>,
    /// Readers to choose from.
    pub readers: Vec<(ReaderId, String)>,
    /// Urgency in per cent.
    pub urgency: String,
    /// Its reasons.
    pub reasons: Vec<Reason>,
    /// What is owed to the site.
    pub deliveries: Vec<DeliveryLine>,
    /// Notes: kind, who with, text, by, when, whether it is a call.
    pub notes: Vec<NoteLine>,
    /// History, the newest first.
    pub events: Vec<EventLine>,
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

/// Puts a sheet into words.
pub fn view(page: &Page, sheet: &Sheet) -> SheetView {
    let case = &sheet.case;
    let mut badges = vec![state_badge(page, case.state)];
    badges.extend(flag_badges(page, case));
    let current = sheet.studies.iter().filter(|(_, role)| *role == CaseStudyRole::Current).count();
    let name = sheet.patient.name();
    SheetView {
        title: parts_in_words(page, &sheet.parts),
        badges,
        held: held(page, sheet),
        kana: [&name.phonetic, &name.alphabetic]
            .into_iter()
            .filter(|group| !group.is_empty() && **group != name.shown())
            .map(|group| group.replace('^', " "))
            .collect::<Vec<_>>()
            .join(" ・ "),
        name: name.shown(),
        age: age_and_sex(page, sheet.patient.birth_date, &sheet.patient.sex),
        request_kind: [
            code_word(page, "dispatch-kind", sheet.request.kind.code()),
            code_word(page, "dispatch-source", sheet.request.source.code()),
        ]
        .join(" ・ "),
        reads: sheet.reads.iter().map(|read| read_line(page, sheet, read)).collect(),
        overrides: sheet.overrides.iter().map(|one| override_line(page, sheet, one)).collect(),
        studies: sheet
            .studies
            .iter()
            .map(|(study, role)| study_line(page, study, *role == CaseStudyRole::Current, &[]))
            .collect(),
        several: current > 1 && case.state.is_open(),
        loose: sheet.loose.iter().map(|one| study_line(page, &one.study, false, &one.doubts)).collect(),
        siblings: sheet.siblings.iter().map(|other| (other.id.0, page.tv("dispatch-case-number", other.id))).collect(),
        parts: sheet
            .parts
            .iter()
            .map(|part| PartFact {
                label: part.part.label(page.language),
                minutes: format!("{:.0}", part.minutes),
                confidence: format!("{:.0}", part.confidence * 100.0),
                source: code_word(page, "dispatch-part-source", &part.source),
            })
            .collect(),
        part_lines: part_lines(sheet),
        regions: Region::all().map(|region| (region.code(), indented(page, region))).collect(),
        modalities: Modality::ALL.iter().map(|of| (of.code(), of.label(page.language))).collect(),
        lateralities: Laterality::ALL
            .iter()
            .map(|side| {
                let word = side.label(page.language);
                (side.code(), if word.is_empty() { "—".to_owned() } else { word.to_owned() })
            })
            .collect(),
        priorities: Priority::ALL.iter().map(|of| (of.code(), of.label(page.language))).collect(),
        readers: sheet
            .readers
            .iter()
            .map(|(reader, ..)| (reader.id, sheet.names.reader(page.language, reader.id)))
            .collect(),
        urgency: format!("{:.0}", case.urgency * 100.0),
        reasons: reasons(page, sheet),
        deliveries: sheet.deliveries.iter().map(|row| delivery_line(page, row)).collect(),
        notes: sheet
            .notes
            .iter()
            .map(|note| NoteLine {
                kind: code_word(page, "dispatch-note", note.kind.code()),
                contact: note.contact.clone(),
                body: note.body.clone(),
                about: format!("{} {}", note.author_name.clone().unwrap_or_default(), page.time(note.at)),
                call: note.kind == NoteKind::Phone,
            })
            .collect(),
        events: sheet.events.iter().rev().map(|event| event_line(page, sheet, event)).collect(),
    }
}

/// A region under its parents.
fn indented(page: &Page, region: Region) -> String {
    let depth = region.and_ancestors().count().saturating_sub(1);
    format!("{}{}", "　".repeat(depth.min(4)), region.label(page.language))
}

fn held(page: &Page, sheet: &Sheet) -> Option<String> {
    let case = &sheet.case;
    let reason = case.hold_reason.as_deref()?;
    let who = case.hold_actor.map(|who| page.t(&format!("dispatch-hold-{who}"))).unwrap_or_default();
    let until = case.hold_until.map(|at| page.tv("dispatch-hold-until", page.time(at))).unwrap_or_default();
    Some(format!("{who}: {} ({until})", code_word(page, "dispatch-reason", reason)))
}

fn part_lines(sheet: &Sheet) -> Vec<PartLine> {
    let mut lines: Vec<PartLine> = sheet
        .parts
        .iter()
        .take(MOST_PARTS)
        .enumerate()
        .map(|(at, part)| PartLine {
            at,
            region: part.part.region.code(),
            modality: part.part.modality.code(),
            laterality: part.part.laterality.code(),
        })
        .collect();
    if lines.len() < MOST_PARTS {
        let modality = lines.first().map_or("CT", |line| line.modality);
        lines.push(PartLine { at: lines.len(), region: "", modality, laterality: "none" });
    }
    lines
}

fn read_line(page: &Page, sheet: &Sheet, read: &ReadRow) -> ReadLine {
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
        why.insert(0, code_word(page, "dispatch-wait", code));
    }
    ReadLine {
        id: read.id,
        kind: code_word(page, "dispatch-read-kind", read.kind.code()),
        badge: badge::tone(
            tone,
            &code_word(page, "dispatch-read-state", if withdrawn { "withdrawn" } else { read.state.code() }),
        ),
        reader: read.reader_id.map(|who| sheet.names.reader(page.language, who)).unwrap_or_default(),
        times: times.join(" ・ "),
        why,
        open: matches!(read.state, ReadState::Open | ReadState::Assigned),
        held: matches!(read.state, ReadState::Assigned | ReadState::InProgress),
    }
}

/// The assigner's own words.
pub(super) fn why(page: &Page, sheet: &Sheet, read: &ReadRow) -> Vec<String> {
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

fn override_line(page: &Page, sheet: &Sheet, one: &dokuei_models::store::overrides::OverrideRow) -> OverrideLine {
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
        words: format!("{} {value}", code_word(page, "dispatch-override", one.kind.code())).trim().to_owned(),
        about: format!("{} ({})", one.reason, page.time(one.at)),
    }
}

fn study_line(
    page: &Page,
    study: &StudyRow,
    current: bool,
    doubts: &[dokuei_models::identity::IdentityDoubt],
) -> StudyLine {
    let about = [
        study.description.clone(),
        study.study_date.map(|day| day.to_string()).unwrap_or_default(),
        study.accession_number.clone(),
        page.tv("dispatch-received-at", page.time(study.last_received_at)),
    ];
    StudyLine {
        title: format!("{} {}", study.modalities.replace('\\', "/"), page.tn("dispatch-images", study.instances)),
        about: about.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ・ "),
        current,
        differs: doubt_words(page, doubts),
        codes: doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>().join("+"),
        study: study.clone(),
    }
}

fn reasons(page: &Page, sheet: &Sheet) -> Vec<Reason> {
    let Some(prescreen) = &sheet.prescreen else { return Vec::new() };
    let contributions: Vec<Contribution> = serde_json::from_str(&prescreen.contributions).unwrap_or_default();
    contributions
        .into_iter()
        .map(|one| Reason {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0..1")]
            share: (one.share.clamp(0.0, 1.0) * 100.0) as u64,
            log_odds: format!("{:+.2}", one.log_odds),
            towards: one.log_odds >= 0.0,
            words: one.words.join(super::dispatch::dot(page)),
            label: if page.language == Language::Ja { one.label.ja } else { one.label.en },
        })
        .collect()
}

fn delivery_line(page: &Page, row: &DeliveryRow) -> DeliveryLine {
    let tone = match row.state {
        DeliveryState::Pending => Tone::Plain,
        DeliveryState::Sending => Tone::Active,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Dead => Tone::Bad,
        DeliveryState::GivenUp => Tone::Warning,
    };
    let error = row.last_error.as_deref().map(|error| returns::error_sentence(page.language, error).to_owned());
    let when = row.delivered_at.map(|at| page.time(at)).unwrap_or_else(|| page.tn("dispatch-attempts", row.attempts));
    let given_up = row.given_up_reason.as_deref().map(|reason| code_word(page, "dispatch-reason", reason));
    DeliveryLine {
        kind: match row.content {
            DeliveryContent::Report => code_word(page, "dispatch-delivery-kind", row.kind.code()),
            DeliveryContent::Withdrawal => {
                page.tv("dispatch-delivery-withdrawal", code_word(page, "dispatch-delivery-kind", row.kind.code()))
            }
        },
        badge: badge::tone(tone, &code_word(page, "dispatch-delivery-state", row.state.code())),
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

fn event_line(page: &Page, sheet: &Sheet, event: &CaseEventRow) -> EventLine {
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap_or_default();
    let mut more = Vec::new();
    if let Some(reader) = data.get("reader").and_then(serde_json::Value::as_i64) {
        more.push(sheet.names.reader(page.language, ReaderId(reader)));
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
        more.push(code_word(page, "dispatch-override", kind));
    }
    if let Some(differs) = data.get("differs").and_then(|codes| codes.as_array()) {
        let doubts: Vec<_> = differs.iter().filter_map(|code| code.as_str()?.parse().ok()).collect();
        if !doubts.is_empty() {
            more.push(page.tv("dispatch-differs", doubt_words(page, &doubts)));
        }
    }
    if let Some(reason) = data.get("reason").and_then(|reason| reason.as_str()).filter(|text| !text.is_empty()) {
        let prefix = if event.kind == "read_wait" { "dispatch-wait" } else { "dispatch-reason" };
        more.push(code_word(page, prefix, reason));
    }
    EventLine {
        time: page.time(event.at),
        words: code_word(page, "dispatch-event", &event.kind),
        more: more.join(" ・ "),
        by: event.actor_name.clone().unwrap_or_default(),
    }
}
