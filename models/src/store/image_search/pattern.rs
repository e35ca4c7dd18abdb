//! What a key of a query may say of an attribute (PS3.4 C.2.2.2).

use chrono::NaiveDate;

use crate::names::fold;

/// A text to be matched: single value or wildcard matching (PS3.4 C.2.2.2.1, C.2.2.2.4).
///
/// A single value is the attribute's, letter by letter. A text with `*` (any letters, also none) or `?` (any one
/// letter) matches whatever its case.
#[derive(Clone, PartialEq, Eq)]
pub struct TextPattern(String);

impl std::fmt::Debug for TextPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextPattern(***)")
    }
}

impl TextPattern {
    /// The pattern of a key's value; `None` where it matches everything: empty, or nothing but `*`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.chars().all(|letter| letter == '*')).then(|| Self(text.to_owned()))
    }

    pub(super) fn single_value(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(self.0.as_str())
    }

    pub(super) fn marked(&self) -> Marked {
        Marked::new(&self.0.to_lowercase())
    }
}

/// A person's name to be matched: against each of the three groups, blind to case, width, the kind of kana, spaces and
/// `^` ([`fold`]).
#[derive(Clone, PartialEq, Eq)]
pub struct NamePattern(Vec<String>);

impl std::fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NamePattern(***)")
    }
}

impl NamePattern {
    /// The pattern of a key's value; `None` where it matches everything. A value with several groups (`A=B=C`) asks
    /// for each that it has.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of(text.split('=').map(fold).collect())
    }

    /// The pattern of a key's value with `fuzzymatching` (PS3.18 8.3.4.2): each of its words anywhere in a group.
    pub fn fuzzy(text: &str) -> Option<Self> {
        let words = text.split(['=', '^', ' ', '\u{3000}', '*', '?']).map(fold).filter(|word| !word.is_empty());
        Self::of(words.map(|word| format!("*{word}*")).collect())
    }

    fn of(groups: Vec<String>) -> Option<Self> {
        let telling: Vec<String> =
            groups.into_iter().filter(|group| !group.chars().all(|letter| letter == '*')).collect();
        (!telling.is_empty()).then_some(Self(telling))
    }

    pub(super) fn marked(&self) -> impl Iterator<Item = Marked> {
        self.0.iter().map(|group| Marked::new(group))
    }
}

/// A pattern against a text that is written `^text^`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    /// For `LIKE ... ESCAPE '!'`.
    pub like: String,
    /// Every three letters that must stand beside each other; the two of a run that has no more.
    pub runs: Vec<String>,
}

impl Marked {
    fn new(pattern: &str) -> Self {
        let marked = format!("^{pattern}^");
        let marked = marked.trim_start_matches("^*").trim_end_matches("*^");
        let mut runs: Vec<String> = Vec::new();
        for part in marked.split(['*', '?']) {
            let letters: Vec<char> = part.chars().collect();
            for run in letters.windows(letters.len().clamp(2, 3)) {
                let run: String = run.iter().collect();
                if !runs.contains(&run) {
                    runs.push(run);
                }
            }
        }
        let like: String = marked
            .chars()
            .flat_map(|letter| match letter {
                '*' => vec!['%'],
                '?' => vec!['_'],
                '%' | '_' | '!' => vec!['!', letter],
                other => vec![other],
            })
            .collect();
        Self { like: format!("%{like}%"), runs }
    }
}

/// Days from and to, both included; at least one is given (PS3.4 C.2.2.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

impl DayRange {
    /// Reads `20260401`, `20260401-20260430`, `20260401-` or `-20260430`; `Ok(None)` where the value matches
    /// everything.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Option<Self>, NoRange> {
        let text = text.trim();
        let day = |part: &str| match part.trim() {
            "" => Ok(None),
            // The dots are of ACR-NEMA (PS3.5 6.2, note 2 of DA) and still sent.
            part => NaiveDate::parse_from_str(&part.replace('.', ""), "%Y%m%d").map(Some).map_err(|_| NoRange),
        };
        if text.chars().all(|letter| letter == '*') {
            return Ok(None);
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        match (day(from)?, day(to)?) {
            (None, None) => Ok(None),
            (from, to) => Ok(Some(Self { from, to })),
        }
    }
}

/// Times of day from and to as `HHMMSS`, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeRange {
    /// The first second.
    pub from: String,
    /// The last second.
    pub to: String,
}

impl TimeRange {
    /// Reads `10`, `1030`, `103000.5`, and ranges of them; what a part leaves out is its whole hour or minute.
    /// Fractions of a second are not kept in the index and count as the second. `Ok(None)` matches everything.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Option<Self>, NoRange> {
        let text = text.trim();
        if text.chars().all(|letter| letter == '*' || letter == '-') {
            return Ok(None);
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let part = |part: &str, rest: &str| {
            let digits = part.trim().split('.').next().unwrap_or_default().replace(':', "");
            let sound =
                digits.len() <= 6 && digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_digit());
            sound.then(|| format!("{digits}{}", &rest[digits.len()..])).ok_or(NoRange)
        };
        Ok(Some(Self { from: part(from, "000000")?, to: part(to, "235959")? }))
    }
}

/// A key's value is no date or time and no range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a date or time nor a range of them")]
pub struct NoRange;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_stars_matches_everything() {
        assert!(TextPattern::parse("").is_none() && TextPattern::parse(" * ").is_none());
        assert!(NamePattern::parse("**").is_none() && NamePattern::parse("*=*").is_none());
        assert!(NamePattern::parse("^^").is_none());
        assert!(DayRange::parse("-").unwrap().is_none() && TimeRange::parse("").unwrap().is_none());
    }

    #[test]
    fn a_pattern_has_what_the_index_holds() {
        let runs = |pattern: &str| NamePattern::parse(pattern).unwrap().marked().next().unwrap().runs;
        assert_eq!(runs("*山田*"), ["山田"]);
        assert_eq!(runs("山田*"), ["^山田"]);
        assert_eq!(runs("Yam*"), ["^ya", "yam"]);
        assert_eq!(runs("*本"), ["本^"]);
        assert!(runs("*本*").is_empty() && runs("*a?b*").is_empty());
        assert_eq!(NamePattern::parse("Yam*").unwrap().marked().next().unwrap().like, "%^yam%");
    }

    #[test]
    fn a_pattern_means_just_what_stands_there() {
        assert_eq!(TextPattern::parse("A_1%*").unwrap().marked().like, "%^a!_1!%%");
        assert_eq!(TextPattern::parse("?B").unwrap().marked().like, "%^_b^%");
        assert_eq!(TextPattern::parse("1.2").unwrap().single_value(), Some("1.2"));
        assert_eq!(TextPattern::parse("1*2").unwrap().single_value(), None);
    }

    #[test]
    fn dates_and_times_are_ranges() {
        let day = |text| NaiveDate::parse_from_str(text, "%Y%m%d").ok();
        let range = |text| DayRange::parse(text).unwrap().unwrap();
        assert_eq!(range("20260401"), DayRange { from: day("20260401"), to: day("20260401") });
        assert_eq!(range("-20260401"), DayRange { from: None, to: day("20260401") });
        assert_eq!(range("2026.04.01-"), DayRange { from: day("20260401"), to: None });
        assert!(DayRange::parse("2026").is_err() && DayRange::parse("20261341").is_err());
        let time = |text| TimeRange::parse(text).unwrap().unwrap();
        assert_eq!(time("10-1130"), TimeRange { from: "100000".into(), to: "113059".into() });
        assert_eq!(time("103000.123"), TimeRange { from: "103000".into(), to: "103000".into() });
        assert!(TimeRange::parse("1030001").is_err() && TimeRange::parse("noon").is_err());
    }
}
