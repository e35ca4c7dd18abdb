//! The words for cases, studies and requests that several pages share.

use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::CaseState;
use dokuei_models::store::cases::CaseRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_terms::Language;

use super::Page;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};

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

/// What stands between words of a list.
pub(super) fn dot(page: &Page) -> &'static str {
    if page.language == Language::Ja { "・" } else { ", " }
}

/// `CT/SR 312 images`.
pub(super) fn study_title(page: &Page, study: &StudyRow) -> String {
    let modalities = study.modalities.replace('\\', "/");
    format!("{modalities} {}", page.tn("dispatch-images", study.instances)).trim().to_owned()
}

/// The differing fields by name.
pub(super) fn doubt_words(page: &Page, doubts: &[IdentityDoubt]) -> String {
    let words: Vec<String> = doubts.iter().map(|doubt| page.code("dispatch-doubt", doubt.code())).collect();
    words.join(dot(page))
}

/// A case's state as a badge.
pub(super) fn state_badge(page: &Page, state: CaseState) -> Html {
    let tone = match state {
        CaseState::Receiving | CaseState::Reading | CaseState::Reported => Tone::Active,
        CaseState::WaitingRequest | CaseState::OnHold => Tone::Warning,
        CaseState::Returned | CaseState::Acknowledged => Tone::Good,
        CaseState::Ready | CaseState::Cancelled => Tone::Plain,
    };
    badge::tone(tone, &page.code("dispatch-state", state.code()))
}

/// A case's flags as badges; unknown ones as they are.
pub(super) fn flag_badges(page: &Page, case: &CaseRow) -> Vec<Html> {
    let flags: Vec<String> = serde_json::from_str(&case.flags).unwrap_or_default();
    let mut badges: Vec<Html> =
        flags.iter().map(|flag| badge::tone(Tone::Warning, &page.code("dispatch-flag", flag))).collect();
    if case.ai_help {
        badges.push(Html::raw(format!("<span class=\"badge badge-ai\">{}</span>", page.t("dispatch-ai-help"))));
    }
    badges
}
