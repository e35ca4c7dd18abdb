//! A person's name in the three groups of PS3.5 6.2.1.

use std::fmt;

/// A name as UTF-8 in three groups (components still joined by `^`), with the
/// bytes it was read from. It has no `Display`, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PersonName {
    alphabetic: String,
    ideographic: String,
    phonetic: String,
    raw: Vec<u8>,
}

impl PersonName {
    /// A name of these groups, components joined by `^`, that was not read from bytes.
    pub fn of(alphabetic: &str, ideographic: &str, phonetic: &str) -> Self {
        Self::new(alphabetic.to_owned(), ideographic.to_owned(), phonetic.to_owned(), &[])
    }

    /// The name that [`joined`](Self::joined) writes.
    pub fn parse(joined: &str) -> Self {
        let mut groups = joined.splitn(3, '=');
        let mut next = || groups.next().unwrap_or_default();
        Self::of(next(), next(), next())
    }

    pub(super) fn new(alphabetic: String, ideographic: String, phonetic: String, raw: &[u8]) -> Self {
        let padding = raw.iter().rev().take_while(|&&b| b == b' ' || b == 0).count();
        Self { alphabetic, ideographic, phonetic, raw: raw[..raw.len() - padding].to_vec() }
    }

    /// Group 1: `Yamada^Tarou`.
    pub fn alphabetic(&self) -> &str {
        &self.alphabetic
    }

    /// Group 2: `山田^太郎`.
    pub fn ideographic(&self) -> &str {
        &self.ideographic
    }

    /// Group 3: `やまだ^たろう`.
    pub fn phonetic(&self) -> &str {
        &self.phonetic
    }

    /// The value as received, without its trailing padding.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether no group holds anything.
    pub fn is_empty(&self) -> bool {
        self.alphabetic.is_empty() && self.ideographic.is_empty() && self.phonetic.is_empty()
    }

    /// The three groups joined by `=`, without trailing empty groups: the form a
    /// PN value has in an ISO_IR 192 object.
    pub fn joined(&self) -> String {
        format!("{}={}={}", self.alphabetic, self.ideographic, self.phonetic).trim_end_matches('=').to_owned()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
