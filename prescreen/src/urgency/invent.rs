//! Invents examples, so that there is a model before there are reports.
//!
//! Every question, patient and outcome is made here from `data/lexicon.csv` and
//! `data/invented-phrases.csv` with the log-odds *assumed* there by the authors. A model
//! trained on this recovers those assumptions, no more: see `data/urgency-model.md`.

use std::sync::LazyLock;

use dokuei_terms::{Modality, Part, Priority, Region};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use super::lexicon::{Concept, LEXICON, Standing, Tier};
use super::model::probability;
use super::{CaseFacts, Example, Source};

#[derive(Deserialize)]
struct Phrase {
    language: String,
    regions: String,
    assumed_log_odds: f64,
    text: String,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../../data/invented-phrases.csv").as_bytes())
        .into_deserialize()
        .map(|row| row.expect("data/invented-phrases.csv is part of the program and is read by its tests"))
        .collect()
});

/// Examinations and how many of a hundred are so (after source 003's table of 2019, plain chest and screening included).
const EXAMINATIONS: &[(&str, Modality, u32)] = &[
    ("head", Modality::Ct, 12),
    ("head.brain", Modality::Mr, 8),
    ("chest", Modality::Ct, 10),
    ("abdomen", Modality::Ct, 12),
    ("pelvis", Modality::Ct, 3),
    ("pelvis.female", Modality::Mr, 2),
    ("spine.lumbar", Modality::Mr, 5),
    ("spine.cervical", Modality::Mr, 2),
    ("lower.knee", Modality::Mr, 3),
    ("upper.shoulder", Modality::Mr, 2),
    ("lower.hip", Modality::Radiograph, 3),
    ("chest", Modality::Radiograph, 25),
    ("abdomen.gi", Modality::Fluoroscopy, 8),
    ("chest.breast", Modality::Mammography, 4),
    ("abdomen", Modality::Ultrasound, 1),
];

/// Log-odds of an urgent case before anything is known.
const BASE: f64 = -2.4;
/// What the ordering doctor knows and does not write (standard deviation, log-odds): seen only through the declared priority.
const UNWRITTEN: f64 = 0.9;
/// Share of outcomes that are turned round, as reports are.
const WRONG_OUTCOMES: f64 = 0.02;
/// Share of questions with a slip of the keyboard.
const SLIPS: f64 = 0.05;

/// Invents `count` examples; equal seeds invent equal examples.
pub fn invent_examples(count: usize, seed: u64) -> Vec<Example> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..count).map(|_| invent(&mut rng)).collect()
}

fn invent(rng: &mut Xoshiro256PlusPlus) -> Example {
    let (region, modality) = examination(rng);
    let source = source(modality, rng);
    let age = age(source, rng);
    let (question, said) = question(region, source, rng);

    let mut log_odds = BASE + said;
    log_odds += match source {
        Some(Source::Emergency) => 1.0,
        Some(Source::Ward) => 0.3,
        Some(Source::CheckUp) => -1.5,
        Some(Source::Outpatient) | None => 0.0,
    };
    log_odds += match age {
        Some(0) => 0.5,
        Some(80..) => 0.3,
        _ => 0.0,
    };
    log_odds += match modality {
        Modality::Ct => 0.2,
        Modality::Mammography | Modality::Fluoroscopy => -0.6,
        _ => 0.0,
    };
    log_odds += UNWRITTEN * normal(rng);
    let urgent = rng.random_bool(probability(log_odds)) != rng.random_bool(WRONG_OUTCOMES);
    let facts = CaseFacts {
        priority: declared(log_odds + normal(rng)),
        parts: vec![Part::new(region, modality)],
        age_years: age,
        source,
        question,
    };
    Example { facts, urgent, group: None }
}

fn examination(rng: &mut Xoshiro256PlusPlus) -> (Region, Modality) {
    let total: u32 = EXAMINATIONS.iter().map(|(_, _, weight)| weight).sum();
    let mut left = rng.random_range(0..total);
    for (region, modality, weight) in EXAMINATIONS {
        if left < *weight {
            return (region.parse().expect("EXAMINATIONS names regions of the tree"), *modality);
        }
        left -= weight;
    }
    (Region::WHOLE_BODY, Modality::Other)
}

fn source(modality: Modality, rng: &mut Xoshiro256PlusPlus) -> Option<Source> {
    let of_hundred = match modality {
        Modality::Mammography | Modality::Fluoroscopy => [1, 4, 25, 65],
        Modality::Radiograph => [12, 18, 30, 35],
        Modality::Ct => [30, 25, 38, 2],
        _ => [8, 17, 68, 2],
    };
    let mut left = rng.random_range(0..100);
    for (source, weight) in Source::ALL.into_iter().zip(of_hundred) {
        if left < weight {
            return Some(source);
        }
        left -= weight;
    }
    None
}

fn age(source: Option<Source>, rng: &mut Xoshiro256PlusPlus) -> Option<u16> {
    if rng.random_bool(0.03) {
        return None;
    }
    let (low, high) = if source == Some(Source::CheckUp) { (30, 75) } else { (0, 98) };
    // Two draws, the older of them: patients are old.
    Some(rng.random_range(low..=high).max(rng.random_range(low..=high)))
}

/// The priority that a doctor declares who sees the case as this urgent; about 2 % become stat.
fn declared(seen: f64) -> Priority {
    match seen {
        seen if seen > 3.2 => Priority::Stat,
        seen if seen > 1.4 => Priority::Urgent,
        seen if seen > 0.2 => Priority::Priority,
        _ => Priority::Routine,
    }
}

/// A question and the log-odds its words are worth.
fn question(region: Region, source: Option<Source>, rng: &mut Xoshiro256PlusPlus) -> (String, f64) {
    if rng.random_bool(0.06) {
        return (String::new(), 0.0);
    }
    let japanese = rng.random_bool(0.7);
    let top = region.and_ancestors().last().unwrap_or(region).code();
    let wanted = |concept: &&Concept| {
        let fits = concept.regions.is_empty() || concept.regions.iter().any(|code| code == top);
        // A check-up asks no emergencies, an ambulance brings no check-up.
        fits && match source {
            Some(Source::CheckUp) => matches!(concept.tier, Tier::Calm | Tier::Watch),
            Some(Source::Emergency) => !matches!(concept.code.as_str(), "check_up" | "follow_up" | "no_symptoms"),
            _ => true,
        }
    };
    let concepts: Vec<&Concept> = LEXICON.concepts.iter().filter(wanted).collect();
    let phrases: Vec<&Phrase> = PHRASES
        .iter()
        .filter(|one| (one.language == "ja") == japanese && (one.regions == "any" || one.regions == top))
        .filter(|one| source != Some(Source::CheckUp) || one.assumed_log_odds <= 0.0)
        .collect();

    let (mut pieces, mut worth): (Vec<String>, f64) = (Vec::new(), 0.0);
    for _ in 0..rng.random_range(1..=3) {
        if rng.random_bool(0.45) {
            if let Some(phrase) = phrases.choose(rng).filter(|one| !pieces.contains(&one.text)) {
                pieces.push(phrase.text.clone());
                worth += phrase.assumed_log_odds;
            }
        } else if let Some((text, log_odds)) = said_concept(&concepts, japanese, rng) {
            pieces.push(text);
            worth += log_odds;
        }
    }
    let text = pieces.join(if japanese { "、" } else { ", " });
    (slip(text, rng), worth)
}

/// A concept in a sentence, and what it is worth there.
fn said_concept(concepts: &[&Concept], japanese: bool, rng: &mut Xoshiro256PlusPlus) -> Option<(String, f64)> {
    // Emergencies are rarer than everyday words.
    let concept = concepts
        .choose_weighted(rng, |concept| match concept.tier {
            Tier::Critical => 1.0,
            Tier::Urgent => 2.0,
            Tier::Watch | Tier::Calm => 5.0,
        })
        .ok()?;
    let patterns: Vec<&String> = concept.patterns.iter().filter(|one| one.is_ascii() != japanese).collect();
    let word = patterns.choose(rng)?;
    let standing = match (concept.tier, rng.random_range(0..100)) {
        (Tier::Calm, _) | (_, 0..62) => Standing::Said,
        (_, 62..74) => Standing::Asked,
        (_, 74..90) => Standing::Denied,
        _ => Standing::Past,
    };
    let forms: &[&str] = match (standing, japanese) {
        (Standing::Said, true) if concept.tier == Tier::Calm => &["{}", "{}目的", "{}のため"],
        (Standing::Said, true) => &["{}", "{}疑い", "{}の疑い", "{}あり", "{}精査"],
        (Standing::Said, false) if concept.tier == Tier::Calm => &["{}", "for {}"],
        (Standing::Said, false) => &["{}", "suspected {}", "{} since this morning", "evaluate {}"],
        (Standing::Asked, true) => &["{}除外目的", "{}の除外をお願いします", "{}の有無"],
        (Standing::Asked, false) => &["rule out {}", "r/o {}", "to exclude {}"],
        (Standing::Denied, true) => &["{}なし", "{}の疑いなし", "{}を認めず", "{}は否定的"],
        (Standing::Denied, false) => &["no {}", "no evidence of {}", "denies {}", "{} unlikely"],
        (Standing::Past, true) => &["{}の既往", "{}術後", "{}後"],
        (Standing::Past, false) => &["history of {}", "s/p {}", "previous {}"],
    };
    let share = match standing {
        Standing::Said => 1.0,
        Standing::Asked => 0.6,
        Standing::Denied => -0.1,
        Standing::Past => 0.1,
    };
    Some((forms.choose(rng)?.replace("{}", word), concept.assumed_log_odds * share))
}

/// Sometimes loses a letter.
fn slip(text: String, rng: &mut Xoshiro256PlusPlus) -> String {
    let letters = text.chars().count();
    if letters < 4 || !rng.random_bool(SLIPS) {
        return text;
    }
    let lost = rng.random_range(0..letters);
    text.chars().enumerate().filter(|(at, _)| *at != lost).map(|(_, letter)| letter).collect()
}

/// A standard normal number (Box-Muller).
fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    let (one, other): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_fits_a_top_region_and_none_is_in_the_lexicon() {
        for phrase in PHRASES.iter() {
            assert!(phrase.regions == "any" || phrase.regions.parse::<Region>().is_ok(), "{}", phrase.text);
            assert!(matches!(phrase.language.as_str(), "ja" | "en"));
        }
        for concept in &LEXICON.concepts {
            for region in &concept.regions {
                assert!(region.parse::<Region>().is_ok_and(|region| region.parent().is_none()), "{region}");
            }
        }
    }

    #[test]
    fn equal_seeds_invent_equal_examples_and_the_mix_is_plausible() {
        let examples = invent_examples(4000, 7);
        assert_eq!(examples, invent_examples(4000, 7));
        assert_ne!(examples, invent_examples(4000, 8));
        let share = |test: &dyn Fn(&Example) -> bool| examples.iter().filter(|one| test(one)).count() as f64 / 4000.0;
        let stat = share(&|one| one.facts.priority == Priority::Stat);
        assert!((0.01..0.05).contains(&stat), "stat {stat}");
        let urgent = share(&|one| one.urgent);
        assert!((0.1..0.35).contains(&urgent), "urgent {urgent}");
    }
}
