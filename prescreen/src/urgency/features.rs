//! From facts to the numbers that a linear model weighs.
//!
//! Named features (priority steps, source, modality, top region, age band, concepts and
//! their standings) and a fixed number of hashed ones: letter pairs and triples of
//! Japanese, whole words and word pairs of English. What the lexicon recognised is
//! taken out of the text first, with the words that say how it stands, so that a denied
//! word cannot come back as letters and "to exclude" has no weight of its own.

use std::collections::BTreeMap;

use dokuei_terms::{Modality, Priority, Region};

use super::lexicon::{self, Concept, Hit, LEXICON, Standing, Tier};
use super::{CaseFacts, Source};
use crate::words::{fold, stable_hash};

/// Number of hashed features.
pub(crate) const HASHED: usize = 1024;

/// Concepts of one group count together at most as much as this many.
const MOST_COUNTED: f64 = 3.0;

/// What a concept that is to be excluded counts against one that is said. Fixed and not learned, so that
/// "rule out" never stands above "suspected" by an accident of few examples.
const ASKED_STRENGTH: f64 = 0.6;

/// The three steps above routine; each is a feature of its own whose weight is never negative.
pub(crate) const PRIORITY_STEPS: [(&str, Priority); 3] = [
    ("priority.at_least_priority", Priority::Priority),
    ("priority.at_least_urgent", Priority::Urgent),
    ("priority.at_least_stat", Priority::Stat),
];

/// Age bands: name and the first age above it.
const AGE_BANDS: [(&str, u16); 6] =
    [("age.0", 1), ("age.1_14", 15), ("age.15_39", 40), ("age.40_64", 65), ("age.65_79", 80), ("age.80_up", u16::MAX)];

/// A hashed feature that is present, with the pieces of text that made it.
pub(crate) struct HashedFeature {
    pub(crate) index: usize,
    pub(crate) value: f64,
    pub(crate) text: String,
}

/// The features of one case.
pub(crate) struct Features {
    pub(crate) named: BTreeMap<String, f64>,
    pub(crate) hashed: Vec<HashedFeature>,
    /// The lexicon's concepts in the question.
    pub(crate) mentions: Vec<Mention>,
}

/// One concept in a question with what is said of it.
///
/// Its weight is its group's and, where it is said or asked, its own: rare concepts lean on their tier.
pub(crate) struct Mention {
    pub(crate) concept: &'static Concept,
    /// The strongest, where it stands in several sentences.
    pub(crate) standing: Standing,
    /// The feature of its tier, e.g. `said.critical`.
    pub(crate) group: String,
    /// 1, or [`ASKED_STRENGTH`].
    pub(crate) strength: f64,
    /// Its part of the group's feature.
    pub(crate) of_group: f64,
    /// The words it was found by.
    pub(crate) words: Vec<String>,
}

impl Mention {
    /// The feature of the concept itself; what is denied or past has none.
    pub(crate) fn own_feature(&self) -> Option<String> {
        matches!(self.standing, Standing::Said | Standing::Asked).then(|| format!("word.{}", self.concept.code))
    }

    /// The code of its contribution.
    pub(crate) fn code(&self) -> String {
        let kind = match self.standing {
            Standing::Said | Standing::Asked => "word",
            Standing::Denied => "denied",
            Standing::Past => "past",
        };
        format!("{kind}.{}", self.concept.code)
    }
}

/// Every named feature there is, in a fixed order.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = PRIORITY_STEPS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.extend(Source::ALL.iter().map(|source| format!("source.{}", source.code())));
    names.extend(Modality::ALL.iter().map(|modality| format!("modality.{modality}")));
    names.extend(Region::all().filter(|region| region.parent().is_none()).map(|region| format!("region.{region}")));
    names.extend(AGE_BANDS.iter().map(|(name, _)| (*name).to_owned()));
    names.extend(["age.unknown".to_owned(), "question.empty".to_owned()]);
    names.extend(LEXICON.concepts.iter().map(|concept| format!("word.{}", concept.code)));
    for group in ["said", "denied", "past"] {
        names.extend(Tier::ALL.iter().map(|tier| format!("{group}.{}", tier.code())));
    }
    names
}

/// Computes the features of a case.
pub(crate) fn features(facts: &CaseFacts) -> Features {
    let mut named = BTreeMap::new();
    for (name, step) in PRIORITY_STEPS {
        // `Ord` of Priority sorts the most pressing first.
        if facts.priority <= step {
            named.insert(name.to_owned(), 1.0);
        }
    }
    if let Some(source) = facts.source {
        named.insert(format!("source.{}", source.code()), 1.0);
    }
    for part in &facts.parts {
        named.insert(format!("modality.{}", part.modality), 1.0);
        let top = part.region.and_ancestors().last().unwrap_or(part.region);
        named.insert(format!("region.{top}"), 1.0);
    }
    let age = match facts.age_years {
        None => "age.unknown",
        Some(age) => AGE_BANDS.iter().find(|(_, end)| age < *end).map_or("age.80_up", |(name, _)| name),
    };
    named.insert(age.to_owned(), 1.0);

    let text = fold(&facts.question);
    if text.is_empty() {
        named.insert("question.empty".to_owned(), 1.0);
    }
    let hits = lexicon::read(&text);
    let mentions = mentions(&text, &hits);
    for one in &mentions {
        *named.entry(one.group.clone()).or_insert(0.0) += one.of_group;
        if let Some(own) = one.own_feature() {
            named.insert(own, one.strength);
        }
    }
    let hashed = hash(&text, &hits);
    Features { named, hashed, mentions }
}

/// Brings the hits together by concept; a word said twice is no more urgent than said once.
fn mentions(text: &str, hits: &[Hit]) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    for hit in hits {
        let (group, strength) = match hit.standing {
            Standing::Said => ("said", 1.0),
            Standing::Asked => ("said", ASKED_STRENGTH),
            Standing::Denied => ("denied", 1.0),
            Standing::Past => ("past", 1.0),
        };
        let group = format!("{group}.{}", hit.concept.tier.code());
        let words = text[hit.start..hit.end].to_owned();
        match mentions.iter_mut().find(|one| one.concept.code == hit.concept.code && one.group == group) {
            Some(one) => {
                if strength > one.strength {
                    (one.strength, one.standing) = (strength, hit.standing);
                }
                if !one.words.contains(&words) {
                    one.words.push(words);
                }
            }
            None => mentions.push(Mention {
                concept: hit.concept,
                standing: hit.standing,
                group,
                strength,
                of_group: 0.0,
                words: vec![words],
            }),
        }
    }
    for at in 0..mentions.len() {
        let together: f64 = mentions.iter().filter(|one| one.group == mentions[at].group).map(|one| one.strength).sum();
        mentions[at].of_group = mentions[at].strength * (MOST_COUNTED / together).min(1.0);
    }
    mentions
}

/// Hashes what the lexicon left over; the vector has length one, so that a long history weighs no more than a short one.
fn hash(text: &str, hits: &[Hit]) -> Vec<HashedFeature> {
    let mut pieces: Vec<String> = Vec::new();
    let mut at = 0;
    for (start, end) in hits.iter().map(|hit| (hit.start, hit.end)).chain([(text.len(), text.len())]) {
        for stretch in lexicon::without_empty_words(&text[at..start]) {
            cut(stretch, &mut pieces);
        }
        at = end;
    }
    pieces.sort_unstable();
    pieces.dedup();
    let value = 1.0 / (pieces.len().max(1) as f64).sqrt();
    pieces
        .into_iter()
        .map(|text| {
            let hash = stable_hash(text.as_bytes());
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            HashedFeature { index: (hash % HASHED as u64) as usize, value: value * sign, text }
        })
        .collect()
}

/// Cuts a stretch of text into words and word pairs (Latin) or letter pairs and triples (anything else).
fn cut(stretch: &str, pieces: &mut Vec<String>) {
    let mut previous: Option<&str> = None;
    for run in stretch.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let mut rest = run;
        while !rest.is_empty() {
            let latin = rest.starts_with(|c: char| c.is_ascii());
            let end = rest.find(|c: char| c.is_ascii() != latin).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            if latin {
                if !word.chars().all(|c| c.is_ascii_digit()) {
                    pieces.push(word.to_owned());
                    pieces.extend(previous.map(|previous| format!("{previous} {word}")));
                    previous = Some(word);
                }
            } else {
                let letters: Vec<char> = word.chars().collect();
                pieces.extend(letters.windows(2).map(String::from_iter));
                pieces.extend(letters.windows(3).map(String::from_iter));
                previous = None;
            }
        }
    }
}
