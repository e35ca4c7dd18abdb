//! The parts of a case, as facts and as a form, and the reasons of its urgency.

use dokuei_prescreen::urgency::Contribution;
use dokuei_terms::{Language, Region};

use crate::app::case_sheet::Sheet;
use crate::http::Page;
use crate::http::case_words::dot;

/// How many parts a person can name.
pub const MOST_PARTS: usize = 8;

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

/// The parts as they stand.
pub(super) fn facts(page: &Page, sheet: &Sheet) -> Vec<PartFact> {
    sheet
        .parts
        .iter()
        .map(|part| PartFact {
            label: part.part.label(page.language),
            minutes: format!("{:.0}", part.minutes),
            confidence: format!("{:.0}", part.confidence * 100.0),
            source: page.code("dispatch-part-source", &part.source),
        })
        .collect()
}

/// A region under its parents.
pub(super) fn indented(page: &Page, region: Region) -> String {
    let depth = region.and_ancestors().count().saturating_sub(1);
    format!("{}{}", "　".repeat(depth.min(4)), region.label(page.language))
}

pub(super) fn lines(sheet: &Sheet) -> Vec<PartLine> {
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

pub(super) fn reasons(page: &Page, sheet: &Sheet) -> Vec<Reason> {
    let Some(prescreen) = &sheet.prescreen else { return Vec::new() };
    let contributions: Vec<Contribution> = serde_json::from_str(&prescreen.contributions).unwrap_or_default();
    contributions
        .into_iter()
        .map(|one| Reason {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0..1")]
            share: (one.share.clamp(0.0, 1.0) * 100.0) as u64,
            log_odds: format!("{:+.2}", one.log_odds),
            towards: one.log_odds >= 0.0,
            words: one.words.join(dot(page)),
            label: if page.language == Language::Ja { one.label.ja } else { one.label.en },
        })
        .collect()
}
