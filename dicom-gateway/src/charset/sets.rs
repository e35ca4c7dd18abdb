//! Specific Character Set (0008,0005): what was declared, and decoding by it.

use super::iso2022::{self, Base, G1, Piece, Resets};
use super::name::PersonName;

/// The declared character sets of one object, ready to decode its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharacterSets {
    pub(super) base: Base,
    /// Sets to try for bytes above 0x7F when no escape sequence invoked one.
    pub(super) fallback: Option<G1>,
    unknown: bool,
}

impl Default for CharacterSets {
    fn default() -> Self {
        Self { base: Base::Ascii, fallback: None, unknown: false }
    }
}

impl CharacterSets {
    /// Reads the raw value of (0008,0005), padding and all. Unknown terms are
    /// ignored and remembered in [`CharacterSets::has_unknown_term`].
    pub fn parse(raw: &[u8]) -> Self {
        let text: String = raw.iter().map(|&b| char::from(b)).collect();
        let mut sets = Self::default();
        for (position, term) in text.split('\\').enumerate() {
            match Term::parse(term) {
                Term::Empty => {}
                Term::Unknown => sets.unknown = true,
                Term::Whole(base) => {
                    if position == 0 || matches!(sets.base, Base::Ascii) {
                        sets.base = base;
                    }
                }
                Term::Single(g1) => sets.single(position, g1),
                Term::Multi(g1) => {
                    if sets.fallback.is_none() {
                        sets.fallback = g1;
                    }
                }
            }
        }
        sets
    }

    fn single(&mut self, position: usize, g1: G1) {
        if position == 0 {
            self.base = Base::Single(g1);
        } else if self.fallback.is_none() {
            self.fallback = Some(g1);
        }
    }

    /// Whether a declared term was not understood; the text may then be wrong.
    pub fn has_unknown_term(&self) -> bool {
        self.unknown
    }

    /// One text of a VR in which `\` is an ordinary character (LT, ST, UT).
    /// Trailing spaces and NULs are dropped.
    pub fn text(&self, raw: &[u8]) -> String {
        let mut out = String::new();
        iso2022::walk(self, raw, Resets::Lines, |piece| match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Delimiter(delimiter) => out.push(char::from(delimiter)),
        });
        trimmed(&out)
    }

    /// The values of a multi-valued text (LO, SH, CS, UC), split at `\` where it
    /// is one, each without padding.
    pub fn values(&self, raw: &[u8]) -> Vec<String> {
        let mut out = vec![String::new()];
        iso2022::walk(self, raw, Resets::Values, |piece| match (piece, out.last_mut()) {
            (Piece::Text(text), Some(last)) => last.push_str(text),
            (Piece::Delimiter(_), _) => out.push(String::new()),
            (_, None) => {}
        });
        out.iter().map(|value| trimmed(value.trim_start())).collect()
    }

    /// The first value of a multi-valued text, or "" if there is none.
    pub fn first(&self, raw: &[u8]) -> String {
        self.values(raw).into_iter().next().unwrap_or_default()
    }

    /// The person names of a PN value, without the bytes they were read from.
    pub fn person_names(&self, raw: &[u8]) -> Vec<PersonName> {
        let mut names = vec![String::new()];
        iso2022::walk(self, raw, Resets::Names, |piece| match (piece, names.last_mut()) {
            (Piece::Delimiter(b'\\'), _) => names.push(String::new()),
            (Piece::Delimiter(delimiter), Some(last)) => last.push(char::from(delimiter)),
            (Piece::Text(text), Some(last)) => last.push_str(text),
            (_, None) => {}
        });
        let tidy = |name: &String| {
            let groups: Vec<String> = name.splitn(3, '=').map(tidy_group).collect();
            PersonName::parse(&groups.join("="))
        };
        names.iter().map(tidy).collect()
    }

    /// The first person name of a PN value in its three groups.
    pub fn person_name(&self, raw: &[u8]) -> PersonName {
        let mut groups = [String::new(), String::new(), String::new()];
        let mut group = 0;
        let mut ended = false;
        iso2022::walk(self, raw, Resets::Names, |piece| match piece {
            Piece::Delimiter(b'\\') => ended = true,
            Piece::Delimiter(b'=') if !ended => group += 1,
            Piece::Delimiter(delimiter) if !ended && group < 3 => groups[group].push(char::from(delimiter)),
            Piece::Text(text) if !ended && group < 3 => groups[group].push_str(text),
            _ => {}
        });
        let [alphabetic, ideographic, phonetic] = groups.map(|group| tidy_group(&group));
        PersonName::new(alphabetic, ideographic, phonetic, raw)
    }
}

/// One value of (0008,0005).
enum Term {
    Empty,
    Unknown,
    /// A set without code extensions: it is the whole repertoire.
    Whole(Base),
    /// A single-byte set: the initial state when first, else reached by escape.
    Single(G1),
    /// A double-byte set: reached by escape only. `None` for those in G0.
    Multi(Option<G1>),
}

impl Term {
    fn parse(term: &str) -> Self {
        let term: String =
            term.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_ascii_uppercase().replace(['_', '-'], " ");
        match term.as_str() {
            "" => return Self::Empty,
            "GB18030" | "GBK" | "GB2312" => return Self::Whole(Base::Gb18030),
            "UTF 8" | "UTF8" | "UNICODE" => return Self::Whole(Base::Utf8),
            "SHIFT JIS" | "SJIS" | "WINDOWS 31J" => return Self::Single(G1::Katakana),
            "ISO 2022 JP" => return Self::Multi(None),
            _ => {}
        }
        // "ISO_IR 100", "ISO 2022 IR 100", "ISO 2020 IR 100", "ISO IR100", "IR 100".
        let Some((_, number)) = term.rsplit_once("IR") else { return Self::Unknown };
        match number.trim() {
            "6" => Self::Empty,
            "13" => Self::Single(G1::Katakana),
            "14" => Self::Single(G1::Katakana),
            "87" | "159" => Self::Multi(None),
            "149" => Self::Multi(Some(G1::KsX1001)),
            "58" => Self::Multi(Some(G1::Gb2312)),
            "192" => Self::Whole(Base::Utf8),
            number => match iso2022::single_byte(number) {
                Some(encoding) => Self::Single(G1::Byte(encoding)),
                None => Self::Unknown,
            },
        }
    }
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches([' ', '\0']).to_owned()
}

/// Trailing empty components and padding say nothing: `Yamada^Tarou^^^ ` is
/// `Yamada^Tarou`.
fn tidy_group(group: &str) -> String {
    let components: Vec<&str> = group.split('^').map(|part| part.trim_matches([' ', '\0'])).collect();
    components.join("^").trim_end_matches('^').to_owned()
}
