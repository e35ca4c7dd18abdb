//! Folding and searching of Japanese and English words.
//!
//! Both dictionaries of this crate (body parts, clinical words) are lists of
//! patterns that are looked for in text. What makes two spellings equal is
//! decided here and only here: NFKC (half-width kana, full-width letters) and
//! lower case. Latin patterns match whole words; Japanese ones match anywhere,
//! because Japanese puts no spaces between words.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// NFKC and lower case; every run of white space becomes one space, ends trimmed.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkc().flat_map(char::to_lowercase) {
        if letter.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else {
            folded.push(letter);
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Like [`fold`], and everything that is neither letter nor digit separates words: `HEAD_NECK^3mm` is `head neck 3mm`.
pub(crate) fn fold_to_words(text: &str) -> String {
    let spaced: String =
        text.nfkc().map(|letter| if letter.is_alphanumeric() || letter == '々' { letter } else { ' ' }).collect();
    fold(&spaced)
}

/// FNV-1a, 64 bits: the one hash whose value is the same in every build, so that stored models stay readable.
pub(crate) fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A pattern found in a folded text: `text[start..end]`, and the number the pattern was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) id: usize,
}

/// Finds patterns in folded text: leftmost first, the longest at each place, never overlapping.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    by_first: HashMap<char, Vec<(String, usize)>>,
}

impl Finder {
    /// Builds a finder from `(pattern, id)`; patterns are folded by the caller, empty ones are ignored.
    pub(crate) fn new(patterns: impl IntoIterator<Item = (String, usize)>) -> Self {
        let mut by_first: HashMap<char, Vec<(String, usize)>> = HashMap::new();
        for (pattern, id) in patterns {
            if let Some(first) = pattern.chars().next() {
                by_first.entry(first).or_default().push((pattern, id));
            }
        }
        for list in by_first.values_mut() {
            list.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        }
        Self { by_first }
    }

    /// All finds in a text that was folded like the patterns.
    pub(crate) fn find_all(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(first) = text[at..].chars().next() {
            let here = self.by_first.get(&first).and_then(|list| {
                list.iter().find(|(pattern, _)| {
                    text[at..].starts_with(pattern.as_str()) && stands_alone(text, at, at + pattern.len())
                })
            });
            match here {
                Some((pattern, id)) => {
                    found.push(Found { start: at, end: at + pattern.len(), id: *id });
                    at += pattern.len();
                }
                None => at += first.len_utf8(),
            }
        }
        found
    }
}

/// Whether no Latin word is cut at either end of `text[start..end]`.
///
/// A single letter must stand apart from digits too: the `L` of `L2` is a vertebra and the `R` of `2R` two exposures.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let inside = &text[start..end];
    let is_single = inside.len() == 1;
    let cut = |edge: Option<char>, outside: Option<char>| {
        edge.is_some_and(|c| c.is_ascii_alphabetic())
            && outside.is_some_and(|c| c.is_ascii_alphabetic() || is_single && c.is_ascii_digit())
    };
    !cut(inside.chars().next(), text[..start].chars().next_back())
        && !cut(inside.chars().next_back(), text[end..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_cases_do_not_matter() {
        assert_eq!(fold("ﾋｻﾞ　ＣＴ"), "ヒザ ct");
        assert_eq!(fold_to_words("CHEST_ABD/Pelvis^1.25mm"), "chest abd pelvis 1 25mm");
        assert_eq!(fold_to_words("胸部・腹部"), "胸部 腹部");
    }

    #[test]
    fn the_longest_pattern_wins_and_latin_words_are_not_cut() {
        let finder = Finder::new([("胸".to_owned(), 0), ("胸腹骨盤".to_owned(), 1), ("hip".to_owned(), 2)]);
        let ids: Vec<_> = finder.find_all("胸腹骨盤ct hip2 ship").iter().map(|found| found.id).collect();
        assert_eq!(ids, [1, 2], "the hip in ship is none");
    }
}
