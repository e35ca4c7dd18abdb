//! A wanted Specific Character Set (0008,0005), and writing UTF-8 text in it.
//!
//! Rules: PS3.3 C.12.1.1.2 (terms and escape sequences), PS3.5 6.1.2.5.3 (the state
//! is back at value 1 before each delimiter, line end, `^`, `=` and the end of the
//! value). A character that the set lacks is written as its other width or kana kind
//! where the set has that, else as its letter without marks, else as `?`.

use encoding_rs::{EUC_JP, Encoding, GB18030, SHIFT_JIS, UTF_8};

use super::iso2022::single_byte;
use super::name::PersonName;
use super::substitute::{self, Kana};
use super::supplementary;

const ESC: u8 = 0x1B;

/// Which groups of a name a device can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NameForm {
    /// All three groups.
    #[default]
    All,
    /// The alphabetic group alone.
    Romaji,
    /// The phonetic group, or the alphabetic where there is none, in the place of
    /// the alphabetic.
    Kana,
}

/// Text as bytes of a [`Repertoire`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Encoded {
    /// Unpadded.
    pub bytes: Vec<u8>,
    /// A character was replaced by another, or a whole name dropped. A change of width
    /// or of kana kind is none.
    pub lossy: bool,
}

/// A code element that lies in G0 (bytes 0x21 to 0x7E).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum G0 {
    Ascii,
    Romaji,
    Kanji,
    Supplementary,
}

/// A code element that lies in G1 (bytes 0xA1 to 0xFF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum G1 {
    Katakana,
    Single(&'static Encoding, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Low(G0),
    High(G1),
}

/// The character sets that text is to be written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repertoire {
    /// Without code extensions the whole text is in this encoding.
    whole: Option<&'static Encoding>,
    base: (G0, Option<G1>),
    extensions: Vec<Element>,
    declared: String,
}

impl Default for Repertoire {
    /// The default repertoire, ISO_IR 6.
    fn default() -> Self {
        Self { whole: None, base: (G0::Ascii, None), extensions: Vec::new(), declared: String::new() }
    }
}

impl Repertoire {
    /// ISO_IR 192.
    pub fn utf8() -> Self {
        Self { whole: Some(UTF_8), declared: "ISO_IR 192".to_owned(), ..Self::default() }
    }

    /// What every Japanese device reads: `\ISO 2022 IR 87`.
    pub fn kanji() -> Self {
        Self { extensions: vec![Element::Low(G0::Kanji)], declared: "\\ISO 2022 IR 87".to_owned(), ..Self::default() }
    }

    /// Reads a value of (0008,0005), with backslashes between its terms. `None` if a
    /// term is not among those that can be written: ISO_IR 6, 13, 100, 101, 109, 110,
    /// 126, 127, 138, 144, 148, 166, 192, 203; with extensions also IR 87 and 159;
    /// GB18030, GBK.
    pub fn parse(value: &str) -> Option<Self> {
        let terms: Vec<String> = value.split('\\').map(plain).collect();
        let numbers: Vec<&str> = terms.iter().map(|term| number(term)).collect();
        match *numbers.first()? {
            "192" => return Some(Self::utf8()),
            "GB18030" => {
                return Some(Self { whole: Some(GB18030), declared: terms[0].clone(), ..Self::default() });
            }
            _ => {}
        }
        let mut out = Self::default();
        let mut names = Vec::new();
        for (position, number) in numbers.iter().enumerate() {
            match (*number, position) {
                ("" | "6", 0) => {}
                ("13", 0) => out.base = (G0::Romaji, Some(G1::Katakana)),
                // Given as the only or first term by devices that mean it as an extension.
                ("87" | "159", 0) => names.push(String::new()),
                (single, 0) => out.base = (G0::Ascii, Some(high(single)?)),
                ("", _) => continue,
                _ => {}
            }
            match (*number, position) {
                ("87", _) => out.extend(Element::Low(G0::Kanji)),
                ("159", _) => out.extend(Element::Low(G0::Supplementary)),
                (_, 0) => {}
                ("6", _) => out.extend(Element::Low(G0::Ascii)),
                ("13", _) => {
                    out.extend(Element::Low(G0::Romaji));
                    out.extend(Element::High(G1::Katakana));
                }
                (single, _) => out.extend(Element::High(high(single)?)),
            }
            names.push((*number).to_owned());
        }
        let several = names.len() > 1;
        let name = |number: &String| match (number.as_str(), several) {
            ("" | "6", false) => String::new(),
            ("", true) => String::new(),
            (number, false) => format!("ISO_IR {number}"),
            (number, true) => format!("ISO 2022 IR {number}"),
        };
        out.declared = names.iter().map(name).collect::<Vec<_>>().join("\\");
        Some(out)
    }

    fn extend(&mut self, element: Element) {
        if !self.extensions.contains(&element) {
            self.extensions.push(element);
        }
    }

    /// The value of (0008,0005); empty for the default repertoire.
    pub fn declared(&self) -> &str {
        &self.declared
    }

    /// One text in which `\` is an ordinary character (ST, LT, UT).
    pub fn text(&self, text: &str) -> Encoded {
        let mut out = Encoded::default();
        self.append(text, &mut out);
        out
    }

    /// Values joined by `\` (LO, SH, UC).
    pub fn values<S: AsRef<str>>(&self, values: &[S]) -> Encoded {
        let mut out = Encoded::default();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                out.bytes.push(b'\\');
            }
            self.append(&without(value.as_ref(), &['\\'], &mut out.lossy), &mut out);
        }
        out
    }

    /// Person names joined by `\`, in their groups.
    pub fn names(&self, names: &[PersonName], form: NameForm) -> Encoded {
        let mut out = Encoded::default();
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                out.bytes.push(b'\\');
            }
            let groups = match form {
                NameForm::All => [name.alphabetic(), name.ideographic(), name.phonetic()],
                NameForm::Romaji => [name.alphabetic(), "", ""],
                NameForm::Kana if name.phonetic().is_empty() => [name.alphabetic(), "", ""],
                NameForm::Kana => [name.phonetic(), "", ""],
            };
            out.lossy |= !name.is_empty() && groups.iter().all(|group| group.is_empty());
            let last = groups.iter().rposition(|group| !group.is_empty()).map_or(0, |index| index + 1);
            for (index, group) in groups[..last].iter().enumerate() {
                if index > 0 {
                    out.bytes.push(b'=');
                }
                for (index, part) in without(group, &['\\', '='], &mut out.lossy).split('^').enumerate() {
                    if index > 0 {
                        out.bytes.push(b'^');
                    }
                    self.append(part, &mut out);
                }
            }
        }
        out
    }

    /// Writes one stretch of text, which begins and ends in the state of value 1.
    fn append(&self, text: &str, out: &mut Encoded) {
        if let Some(encoding) = self.whole {
            let (bytes, _, unmappable) = encoding.encode(text);
            out.bytes.extend_from_slice(&bytes);
            out.lossy |= unmappable;
            return;
        }
        let mut pen = Pen { repertoire: self, g0: self.base.0, g1: self.base.1, out: &mut out.bytes };
        for c in substitute::in_kana(text, self.kana()).chars() {
            if c.is_control() {
                pen.home();
                pen.g1 = self.base.1;
                if c != '\u{1b}' {
                    pen.out.extend(u8::try_from(c).ok());
                }
            } else if !pen.put(c) && !substitute::same(c).is_some_and(|other| pen.put(other)) {
                out.lossy = true;
                let plain = substitute::letter(c).filter(|letter| pen.put(*letter));
                if plain.is_none() && !pen.put('?') {
                    pen.out.push(b'?');
                }
            }
        }
        pen.home();
    }

    /// Which kind of kana it has.
    fn kana(&self) -> Kana {
        let half = self.base.1 == Some(G1::Katakana) || self.extensions.contains(&Element::High(G1::Katakana));
        let full = self.extensions.contains(&Element::Low(G0::Kanji));
        match (full, half) {
            (true, true) => Kana::Both,
            (true, false) => Kana::Full,
            (false, true) => Kana::Half,
            (false, false) => Kana::Neither,
        }
    }
}

/// The state of the code elements while a stretch is written.
struct Pen<'a> {
    repertoire: &'a Repertoire,
    g0: G0,
    g1: Option<G1>,
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes a character, with an escape sequence where one is needed; `false` if no
    /// declared set has it.
    fn put(&mut self, c: char) -> bool {
        if let Some(code) = low(self.g0, c) {
            self.out.extend_from_slice(&code);
            return true;
        }
        if let Some(byte) = self.g1.and_then(|g1| upper(g1, c)) {
            self.out.push(byte);
            return true;
        }
        let home = Element::Low(self.repertoire.base.0);
        for element in std::iter::once(&home).chain(&self.repertoire.extensions) {
            match *element {
                Element::Low(g0) => {
                    let Some(code) = low(g0, c) else { continue };
                    self.invoke(g0);
                    self.out.extend_from_slice(&code);
                    return true;
                }
                Element::High(g1) => {
                    let Some(byte) = upper(g1, c) else { continue };
                    match g1 {
                        G1::Katakana => self.out.extend_from_slice(&[ESC, b')', b'I']),
                        G1::Single(_, last) => self.out.extend_from_slice(&[ESC, b'-', last]),
                    }
                    self.g1 = Some(g1);
                    self.out.push(byte);
                    return true;
                }
            }
        }
        false
    }

    fn invoke(&mut self, g0: G0) {
        if self.g0 != g0 {
            self.g0 = g0;
            self.out.extend_from_slice(match g0 {
                G0::Ascii => b"\x1b(B",
                G0::Romaji => b"\x1b(J",
                G0::Kanji => b"\x1b$B",
                G0::Supplementary => b"\x1b$(D",
            });
        }
    }

    fn home(&mut self) {
        self.invoke(self.repertoire.base.0);
    }
}

/// The code of a character in a set of G0.
fn low(set: G0, c: char) -> Option<Vec<u8>> {
    match set {
        G0::Ascii => matches!(c, ' '..='~').then(|| vec![c as u8]),
        // 0x5C, its yen sign, is the delimiter of values and is never written.
        G0::Romaji if c == '‾' => Some(b"~".to_vec()),
        G0::Romaji => (matches!(c, ' '..='}') && c != '\\').then(|| vec![c as u8]),
        G0::Kanji => {
            let mut buffer = [0; 4];
            let (bytes, _, unmappable) = EUC_JP.encode(c.encode_utf8(&mut buffer));
            match *bytes {
                [first @ 0xA1..=0xFE, second @ 0xA1..=0xFE] if !unmappable => Some(vec![first & 0x7F, second & 0x7F]),
                _ => None,
            }
        }
        G0::Supplementary => supplementary::code(c).map(|code| code.to_vec()),
    }
}

/// The code of a character in a set of G1.
fn upper(set: G1, c: char) -> Option<u8> {
    let mut buffer = [0; 4];
    let encoding = match set {
        G1::Katakana => SHIFT_JIS,
        G1::Single(encoding, _) => encoding,
    };
    let (bytes, _, unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
    match *bytes {
        // 0x80 to 0x9F are control codes in the standard's sets, whatever Windows put there.
        [byte @ 0xA0..=0xFF] if !unmappable => Some(byte),
        _ => None,
    }
}

fn high(number: &str) -> Option<G1> {
    let last = match number {
        "100" => b'A',
        "101" => b'B',
        "109" => b'C',
        "110" => b'D',
        "144" => b'L',
        "127" => b'G',
        "126" => b'F',
        "138" => b'H',
        "148" => b'M',
        "203" => b'b',
        "166" => b'T',
        _ => return None,
    };
    single_byte(number).map(|encoding| G1::Single(encoding, last))
}

fn plain(term: &str) -> String {
    term.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_ascii_uppercase().replace('-', "_")
}

/// `87` of `ISO 2022 IR 87`; other terms as they are.
fn number(term: &str) -> &str {
    match term {
        "UTF_8" | "UTF8" => "192",
        "GBK" | "GB2312" => "GB18030",
        _ => term.rsplit_once("IR").map_or(term, |(_, number)| number.trim_matches([' ', '_'])),
    }
}

/// The text without the delimiters that it cannot hold.
fn without(text: &str, delimiters: &[char], lossy: &mut bool) -> String {
    *lossy |= text.contains(delimiters);
    text.replace(delimiters, "?")
}
