//! A case's sheet in words: explanations, history, urgency, as its template shows them.

mod history;
mod parts;
mod reads;
mod studies;

use dokuei_models::ReaderId;
use dokuei_models::state::CaseStudyRole;
use dokuei_terms::{Laterality, Modality, Priority, Region};

use self::history::{DeliveryLine, EventLine, NoteLine};
pub(super) use self::parts::MOST_PARTS;
use self::parts::{PartFact, PartLine, Reason};
pub(super) use self::reads::why;
use self::reads::{OverrideLine, ReadLine};
use self::studies::StudyLine;
use super::Page;
use super::case_words::{age_and_sex, flag_badges, parts_in_words, state_badge};
use crate::app::case_sheet::Sheet;
use crate::ui::Html;

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
            page.code("dispatch-kind", sheet.request.kind.code()),
            page.code("dispatch-source", sheet.request.source.code()),
        ]
        .join(" ・ "),
        reads: sheet.reads.iter().map(|read| reads::line(page, sheet, read)).collect(),
        overrides: sheet.overrides.iter().map(|one| reads::override_line(page, sheet, one)).collect(),
        studies: sheet
            .studies
            .iter()
            .map(|(study, role)| studies::line(page, study, *role == CaseStudyRole::Current, &[]))
            .collect(),
        several: current > 1 && case.state.is_open(),
        loose: sheet.loose.iter().map(|one| studies::line(page, &one.study, false, &one.doubts)).collect(),
        siblings: sheet.siblings.iter().map(|other| (other.id.0, page.tv("dispatch-case-number", other.id))).collect(),
        parts: parts::facts(page, sheet),
        part_lines: parts::lines(sheet),
        regions: Region::all().map(|region| (region.code(), parts::indented(page, region))).collect(),
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
        reasons: parts::reasons(page, sheet),
        deliveries: sheet.deliveries.iter().map(|row| history::delivery(page, row)).collect(),
        notes: history::notes(page, sheet),
        events: sheet.events.iter().rev().map(|event| history::event(page, sheet, event)).collect(),
    }
}

fn held(page: &Page, sheet: &Sheet) -> Option<String> {
    let case = &sheet.case;
    let reason = case.hold_reason.as_deref()?;
    let who = case.hold_actor.map(|who| page.t(&format!("dispatch-hold-{who}"))).unwrap_or_default();
    let until = case.hold_until.map(|at| page.tv("dispatch-hold-until", page.time(at))).unwrap_or_default();
    Some(format!("{who}: {} ({until})", page.code("dispatch-reason", reason)))
}
