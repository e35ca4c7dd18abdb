//! An application entity title that was checked once.

use std::fmt;

use serde::Serialize;

/// 1 to 16 characters of the default repertoire without control characters or
/// backslash, without leading or trailing spaces (PS3.5 6.2, VR AE).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct AeTitle(String);

/// The text is not an AE title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an AE title: 1 to 16 printable ASCII characters are needed, without backslash")]
pub struct NotAnAeTitle;

impl AeTitle {
    /// Checks and trims.
    pub fn parse(text: &str) -> Result<Self, NotAnAeTitle> {
        let text = text.trim_matches([' ', '\0']);
        let sound =
            (1..=16).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7F).contains(&byte) && byte != b'\\');
        if sound { Ok(Self(text.to_owned())) } else { Err(NotAnAeTitle) }
    }

    /// Without padding.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AeTitle {
    type Err = NotAnAeTitle;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_not_part_of_a_title() {
        assert_eq!(AeTitle::parse("DOKUEI\0 ").unwrap(), AeTitle::parse(" DOKUEI").unwrap());
        for wrong in ["", "  ", "SEVENTEEN_LETTERS", "A\\B", "読影", "A\nB"] {
            assert_eq!(AeTitle::parse(wrong), Err(NotAnAeTitle));
        }
    }
}
