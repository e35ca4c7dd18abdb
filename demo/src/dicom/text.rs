//! Text in a site's character set (PS3.5 6.1.2, Annex H).

use encoding_rs::ISO_2022_JP;

/// The repertoire of a site's devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Charset {
    /// `ISO_IR 192`: UTF-8.
    Utf8,
    /// `\ISO 2022 IR 87`: ASCII, with escapes to JIS X 0208.
    Kanji,
    /// `ISO 2022 IR 13\ISO 2022 IR 87`: JIS X 0201 first. Half-width katakana is not used, so bytes differ from [`Charset::Kanji`] only in the escape back to the first set.
    KanaKanji,
}

impl Charset {
    /// The value of SpecificCharacterSet (0008,0005).
    pub const fn specific_character_set(self) -> &'static str {
        match self {
            Charset::Utf8 => "ISO_IR 192",
            Charset::Kanji => "\\ISO 2022 IR 87",
            Charset::KanaKanji => "ISO 2022 IR 13\\ISO 2022 IR 87",
        }
    }

    /// Encodes a text value without delimiters.
    ///
    /// Under ISO 2022 the result is 7-bit: each run of kanji is escaped and ends in the first character set. It comes as
    /// a string of ASCII characters, because the DICOM writer takes strings and writes ASCII as it is.
    pub fn text(self, value: &str) -> String {
        if self == Charset::Utf8 {
            return value.to_owned();
        }
        let (bytes, _, _) = ISO_2022_JP.encode(value);
        let escaped: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        match self {
            Charset::KanaKanji => escaped.replace("\u{1b}(B", "\u{1b}(J"),
            _ => escaped,
        }
    }

    /// Encodes a person's name: each component by itself, because the character set goes back to the first one at `^` and `=` (PS3.5 6.1.2.5.3).
    pub fn name(self, value: &str) -> String {
        let component = |part: &str| self.text(part);
        let group = |part: &str| part.split('^').map(component).collect::<Vec<_>>().join("^");
        value.split('=').map(group).collect::<Vec<_>>().join("=")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own example (PS3.5 H.3.1, example 1).
    #[test]
    fn yamada_tarou_is_written_as_the_standard_writes_him() {
        assert_eq!(
            Charset::Kanji.name("Yamada^Tarou=山田^太郎=やまだ^たろう"),
            "Yamada^Tarou=\u{1b}$B;3ED\u{1b}(B^\u{1b}$BB@O:\u{1b}(B=\u{1b}$B$d$^$@\u{1b}(B^\u{1b}$B$?$m$&\u{1b}(B"
        );
    }

    #[test]
    fn a_kanji_may_hold_the_delimiter_s_byte() {
        assert!(Charset::Kanji.name("見本").contains('\\'), "本 is 0x4B5C");
    }
}
