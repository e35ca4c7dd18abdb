//! The clinical words that count, and what is said of them.
//!
//! `data/lexicon.csv` lists *concepts* with Japanese and English patterns. A word in a
//! clinical question is not yet a fact: "SAH除外" asks, "no evidence of SAH" denies,
//! "SAHの既往" is past. [`read`] therefore gives each hit its [`Standing`]. Where it is in
//! doubt the word counts as said: to raise a case too much costs minutes, to overlook a
//! stroke costs more.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::words::{Finder, fold, stable_hash};

/// How pressing a concept is, as a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Minutes count.
    Critical,
    /// Today, out of turn.
    Urgent,
    /// Worth knowing.
    Watch,
    /// Speaks against urgency.
    Calm,
}

impl Tier {
    pub(crate) const ALL: [Self; 4] = [Self::Critical, Self::Urgent, Self::Watch, Self::Calm];

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Urgent => "urgent",
            Self::Watch => "watch",
            Self::Calm => "calm",
        }
    }
}

/// What the sentence says of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Said or suspected (疑い).
    Said,
    /// To be excluded (除外目的, rule out): asked, and so less than said.
    Asked,
    /// Denied (なし, no evidence of, 除外済).
    Denied,
    /// Past (既往, 術後, history of).
    Past,
}

/// One concept of the lexicon.
#[derive(Debug)]
pub(crate) struct Concept {
    pub(crate) code: String,
    pub(crate) tier: Tier,
    /// Top regions it is invented for; empty for any. Scoring does not use this.
    pub(crate) regions: Vec<String>,
    /// What the invented examples assume; scoring does not use this.
    pub(crate) assumed_log_odds: f64,
    pub(crate) ja: String,
    pub(crate) en: String,
    pub(crate) patterns: Vec<String>,
}

/// A concept found in a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) concept: &'static Concept,
    pub(crate) standing: Standing,
    /// The words, as a range of the folded question.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

pub(crate) struct Lexicon {
    pub(crate) concepts: Vec<Concept>,
    finder: Finder,
    /// Changes when the file does: a model trained on another lexicon is refused.
    pub(crate) fingerprint: u64,
}

#[derive(Deserialize)]
struct Row {
    code: String,
    tier: Tier,
    regions: String,
    assumed_log_odds: f64,
    ja: String,
    en: String,
    patterns: String,
}

const FILE: &str = include_str!("../../data/lexicon.csv");

pub(crate) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let concepts: Vec<Concept> = csv::Reader::from_reader(FILE.as_bytes())
        .into_deserialize::<Row>()
        .map(|row| row.expect("data/lexicon.csv is part of the program and is read by its tests"))
        .map(|row| Concept {
            code: row.code,
            tier: row.tier,
            regions: row.regions.split('+').filter(|code| *code != "any").map(str::to_owned).collect(),
            assumed_log_odds: row.assumed_log_odds,
            ja: row.ja,
            en: row.en,
            patterns: row.patterns.split('|').map(fold).collect(),
        })
        .collect();
    let patterns =
        concepts.iter().enumerate().flat_map(|(id, concept)| concept.patterns.iter().map(move |p| (p.clone(), id)));
    Lexicon { finder: Finder::new(patterns), concepts, fingerprint: stable_hash(FILE.as_bytes()) }
});

/// Cues behind a word (mostly Japanese), the longest first where one begins another.
const CUES_BEHIND: &[(&str, Standing)] = &[
    ("除外できない", Standing::Said),
    ("除外できず", Standing::Said),
    ("否定できない", Standing::Said),
    ("否定できず", Standing::Said),
    ("cannot be excluded", Standing::Said),
    ("not excluded", Standing::Said),
    ("除外済", Standing::Denied),
    ("除外され", Standing::Denied),
    ("除外した", Standing::Denied),
    ("除外", Standing::Asked),
    ("否定目的", Standing::Asked),
    ("の有無", Standing::Asked),
    ("有無", Standing::Asked),
    ("の否定をお願い", Standing::Asked),
    ("否定", Standing::Denied),
    ("疑いなし", Standing::Denied),
    ("疑い", Standing::Said),
    ("疑う", Standing::Said),
    ("疑われ", Standing::Said),
    ("認めない", Standing::Denied),
    ("認めません", Standing::Denied),
    ("認めず", Standing::Denied),
    ("認められない", Standing::Denied),
    ("認められず", Standing::Denied),
    ("みられず", Standing::Denied),
    ("見られず", Standing::Denied),
    ("認め", Standing::Said),
    ("なし", Standing::Denied),
    ("無し", Standing::Denied),
    ("ありません", Standing::Denied),
    ("ない", Standing::Denied),
    ("無い", Standing::Denied),
    ("なく", Standing::Denied),
    ("無く", Standing::Denied),
    ("陰性", Standing::Denied),
    ("(-)", Standing::Denied),
    ("(−)", Standing::Denied),
    ("ruled out", Standing::Denied),
    ("excluded", Standing::Denied),
    ("unlikely", Standing::Denied),
    ("absent", Standing::Denied),
    ("negative", Standing::Denied),
    ("あり", Standing::Said),
    ("有り", Standing::Said),
    ("(+)", Standing::Said),
    ("陽性", Standing::Said),
    ("既往", Standing::Past),
    ("術後", Standing::Past),
    ("治療後", Standing::Past),
    ("後遺症", Standing::Past),
];

/// Cues before a word (mostly English). The nearest one counts.
const CUES_BEFORE: &[(&str, Standing)] = &[
    ("no evidence of", Standing::Denied),
    ("no signs of", Standing::Denied),
    ("no sign of", Standing::Denied),
    ("negative for", Standing::Denied),
    ("absence of", Standing::Denied),
    ("free of", Standing::Denied),
    ("without", Standing::Denied),
    ("denies", Standing::Denied),
    ("denied", Standing::Denied),
    ("ruled out", Standing::Denied),
    ("excluded", Standing::Denied),
    ("no", Standing::Denied),
    ("not", Standing::Denied),
    ("cannot rule out", Standing::Said),
    ("cannot exclude", Standing::Said),
    ("rule out", Standing::Asked),
    ("r/o", Standing::Asked),
    ("ro", Standing::Asked),
    ("exclude", Standing::Asked),
    ("除外:", Standing::Asked),
    ("history of", Standing::Past),
    ("h/o", Standing::Past),
    ("s/p", Standing::Past),
    ("previous", Standing::Past),
    ("prior", Standing::Past),
    ("陳旧性", Standing::Past),
    ("既往に", Standing::Past),
    ("but", Standing::Said),
    ("now", Standing::Said),
    ("with", Standing::Said),
    ("suspected", Standing::Said),
];

static FIND_BEHIND: LazyLock<Finder> = LazyLock::new(|| cue_finder(CUES_BEHIND));
static FIND_BEFORE: LazyLock<Finder> = LazyLock::new(|| cue_finder(CUES_BEFORE));

/// Words around a concept that carry no meaning of their own.
const FILLERS: &[&str] = &[
    "目的",
    "をお願いします",
    "お願いします",
    "疑い",
    "の疑い",
    "精査",
    "あり",
    "のため",
    "evidence of",
    "evaluate",
    "suspected",
    "for",
    "of",
    "to",
];

static FIND_EMPTY_WORDS: LazyLock<Finder> = LazyLock::new(|| {
    let cues = CUES_BEHIND.iter().chain(CUES_BEFORE).map(|(cue, _)| *cue);
    Finder::new(cues.chain(FILLERS.iter().copied()).map(|word| (fold(word), 0)))
});

/// What is left of a stretch of folded text without the words that only say how a concept stands.
pub(crate) fn without_empty_words(stretch: &str) -> Vec<&str> {
    let mut left = Vec::new();
    let mut at = 0;
    for found in FIND_EMPTY_WORDS.find_all(stretch) {
        left.push(&stretch[at..found.start]);
        at = found.end;
    }
    left.push(&stretch[at..]);
    left
}

fn cue_finder(cues: &[(&str, Standing)]) -> Finder {
    Finder::new(cues.iter().enumerate().map(|(id, (cue, _))| (fold(cue), id)))
}

/// How far from a word a cue is looked for, in bytes of folded text (about 20 Japanese letters or ten English words).
const REACH: usize = 60;

/// Finds the concepts of a question that was folded with [`fold`], in order.
pub(crate) fn read(folded: &str) -> Vec<Hit> {
    let lexicon = &*LEXICON;
    let found = lexicon.finder.find_all(folded);
    found
        .iter()
        .enumerate()
        .map(|(at, hit)| {
            let next = found.get(at + 1).map_or(folded.len(), |next| next.start);
            Hit {
                concept: &lexicon.concepts[hit.id],
                standing: standing(folded, hit.start, hit.end, next),
                start: hit.start,
                end: hit.end,
            }
        })
        .collect()
}

/// What is said of `text[start..end]`; the next concept begins at `next`.
fn standing(text: &str, start: usize, end: usize, next: usize) -> Standing {
    let clause_end = end + text[end..].find(ends_clause).unwrap_or(text.len() - end);
    let behind = &text[end..floor(text, clause_end.min(end + REACH))];
    if let Some(cue) = FIND_BEHIND.find_all(behind).into_iter().find(|cue| !is_part_of_another_word(behind, cue.start))
    {
        // "突然の頭痛 嘔吐なし": a space and another concept stand between, so the denial is of the other.
        let between = &behind[..cue.start];
        let passes_another = end + cue.start > next;
        if !(passes_another && between.contains(char::is_whitespace)) {
            return CUES_BEHIND[cue.id].1;
        }
    }
    // "脳梗塞後": directly behind, and not "後方".
    if text[end..].starts_with('後') && !text[end..].starts_with("後方") && !text[end..].starts_with("後頭") {
        return Standing::Past;
    }
    let clause_start =
        text[..start].rfind(ends_clause).map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    let before = &text[ceil(text, clause_start.max(start.saturating_sub(REACH))).min(start)..start];
    FIND_BEFORE.find_all(before).last().map_or(Standing::Said, |cue| CUES_BEFORE[cue.id].1)
}

/// "ない" in 少ない, きたない or 間もない denies nothing.
fn is_part_of_another_word(text: &str, at: usize) -> bool {
    text[at..].starts_with("ない") && ["少", "き", "も", "危"].iter().any(|left| text[..at].ends_with(left))
}

fn ends_clause(letter: char) -> bool {
    matches!(letter, '。' | '、' | '.' | ',' | ';' | '?' | '!' | '，' | '．')
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(question: &str) -> Vec<(String, Standing)> {
        read(&fold(question)).iter().map(|hit| (hit.concept.code.clone(), hit.standing)).collect()
    }

    #[test]
    fn patterns_are_unique_and_find_their_own_concept() {
        let mut seen = std::collections::HashSet::new();
        for concept in &LEXICON.concepts {
            for pattern in &concept.patterns {
                assert!(seen.insert(pattern.clone()), "{pattern} is listed twice");
                let hits = read(pattern);
                assert!(hits.len() == 1 && hits[0].concept.code == concept.code, "{pattern}: {hits:?}");
            }
        }
    }

    #[test]
    fn what_the_sentence_says_of_a_word() {
        use Standing::{Asked, Denied, Past, Said};
        for (question, code, expected) in [
            ("大動脈解離疑い", "aortic_dissection", Said),
            ("大動脈解離の疑いなし", "aortic_dissection", Denied),
            ("大動脈解離 疑いなし", "aortic_dissection", Denied),
            ("大動脈解離除外目的", "aortic_dissection", Asked),
            ("大動脈解離の除外をお願いします", "aortic_dissection", Asked),
            ("大動脈解離は除外済み", "aortic_dissection", Denied),
            ("大動脈解離を否定できない", "aortic_dissection", Said),
            ("ＳＡＨの既往", "subarachnoid_haemorrhage", Past),
            ("くも膜下出血術後", "subarachnoid_haemorrhage", Past),
            ("脳梗塞後のリハビリ中", "stroke", Past),
            ("陳旧性脳梗塞", "stroke", Past),
            ("ｸﾓ膜下出血を認めず", "subarachnoid_haemorrhage", Denied),
            ("no evidence of SAH", "subarachnoid_haemorrhage", Denied),
            ("Rule out stroke", "stroke", Asked),
            ("r/o PE, no stroke", "stroke", Denied),
            ("cannot rule out stroke", "stroke", Said),
            ("history of stroke", "stroke", Past),
            ("stroke was ruled out", "stroke", Denied),
            ("denies chest pain", "chest_pain", Denied),
            ("no fever but chest pain since noon", "chest_pain", Said),
            ("気胸(-)", "pneumothorax", Denied),
            ("気胸（＋）", "pneumothorax", Said),
            ("食欲がない、胸痛", "chest_pain", Said),
            ("気胸の有無", "pneumothorax", Asked),
            ("胸痛が少ない", "chest_pain", Said),
        ] {
            let all = standings(question);
            assert!(all.contains(&(code.to_owned(), expected)), "{question}: {all:?}");
        }
    }

    #[test]
    fn a_denial_reaches_a_list_but_not_past_a_space_to_the_word_before() {
        use Standing::{Denied, Said};
        assert_eq!(standings("発熱・呼吸困難なし"), [("fever".to_owned(), Denied), ("dyspnoea".to_owned(), Denied)]);
        assert_eq!(
            standings("突然の頭痛 発熱なし"),
            [("sudden_headache".to_owned(), Said), ("fever".to_owned(), Denied)]
        );
        assert_eq!(standings("胸痛あり発熱なし"), [("chest_pain".to_owned(), Said), ("fever".to_owned(), Denied)]);
    }
}
