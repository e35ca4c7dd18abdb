//! A DICOM unique identifier that was checked once.

use std::fmt;

use serde::Serialize;

/// A UID as the field really writes them: 1 to 64 digits and dots, no empty
/// component. Leading zeros, forbidden by PS3.5 9.1, are let through, because
/// devices that write them exist and their images must not be lost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Uid(String);

/// The bytes are not a UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UID: 1 to 64 digits and dots are needed, with no empty component")]
pub struct NotAUid;

impl Uid {
    /// Reads a UID with its padding (NUL, or the spaces that some devices use).
    pub fn parse(raw: &[u8]) -> Result<Self, NotAUid> {
        let text = std::str::from_utf8(raw).map_err(|_| NotAUid)?;
        let text = text.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace());
        let sound = (1..=64).contains(&text.len())
            && text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if sound { Ok(Self(text.to_owned())) } else { Err(NotAUid) }
    }

    /// The digits and dots.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_read_with_padding_and_refused_when_they_are_not_uids() {
        assert_eq!(Uid::parse(b"1.2.840.10008.1.1\0").unwrap().as_str(), "1.2.840.10008.1.1");
        assert_eq!(Uid::parse(b" 1.2.03 ").unwrap().as_str(), "1.2.03");
        for wrong in [&b""[..], b"\0", b".1", b"1.", b"1..2", b"1.2.x", b"1.2 3", &[b'1'; 65], b"1.\xe6"] {
            assert_eq!(Uid::parse(wrong), Err(NotAUid));
        }
    }
}
