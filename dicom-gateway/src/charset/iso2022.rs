//! The state machine: code elements G0 and G1, escape sequences and resets
//! (PS3.5 6.1.2.5 and PS3.3 C.12.1.1.2, tables C.12-2 to C.12-4).

use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7,
    ISO_8859_8, ISO_8859_15, SHIFT_JIS, WINDOWS_874, WINDOWS_1252, WINDOWS_1254,
};

use super::CharacterSets;

const ESC: u8 = 0x1B;

/// What is active before the first escape sequence and after every reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Ascii,
    Single(G1),
    Utf8,
    Gb18030,
}

/// What bytes 0xA0 to 0xFF mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum G1 {
    /// A single-byte set, named by the encoding that holds it in its upper half.
    Byte(&'static Encoding),
    /// JIS X 0201 katakana; Shift_JIS pairs are understood too.
    Katakana,
    KsX1001,
    Gb2312,
}

/// What bytes 0x21 to 0x7E mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum G0 {
    Ascii,
    /// JIS X 0201 romaji: ASCII but for the yen sign and the overline.
    Romaji,
    /// JIS X 0201 katakana moved to the lower half (not DICOM, but sent).
    Katakana,
    JisX0208,
    JisX0212,
}

/// Where the state falls back to value 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Resets {
    /// At control characters only; `\` is text.
    Lines,
    /// Also at `\`, which is reported as a delimiter.
    Values,
    /// Also at `^` and `=`, reported as delimiters.
    Names,
}

impl Resets {
    fn at(self, byte: u8) -> bool {
        match self {
            Self::Lines => false,
            Self::Values => byte == b'\\',
            Self::Names => matches!(byte, b'\\' | b'^' | b'='),
        }
    }
}

pub(super) enum Piece<'a> {
    Text(&'a str),
    Delimiter(u8),
}

/// The upper half of the single-byte set registered as ISO-IR `number`.
pub(super) fn single_byte(number: &str) -> Option<&'static Encoding> {
    Some(match number {
        "100" => WINDOWS_1252,
        "101" => ISO_8859_2,
        "109" => ISO_8859_3,
        "110" => ISO_8859_4,
        "144" => ISO_8859_5,
        "127" => ISO_8859_6,
        "126" => ISO_8859_7,
        "138" => ISO_8859_8,
        "148" => WINDOWS_1254,
        "203" => ISO_8859_15,
        "166" => WINDOWS_874,
        _ => return None,
    })
}

struct State {
    g0: G0,
    g1: Option<G1>,
}

impl State {
    fn initial(sets: &CharacterSets) -> Self {
        match sets.base {
            Base::Single(G1::Katakana) => Self { g0: G0::Romaji, g1: Some(G1::Katakana) },
            Base::Single(g1) => Self { g0: G0::Ascii, g1: Some(g1) },
            Base::Ascii | Base::Utf8 | Base::Gb18030 => Self { g0: G0::Ascii, g1: None },
        }
    }

    /// Applies the escape sequence at the start of `rest` and returns its length;
    /// an unknown one is one byte long and changes nothing.
    fn escape(&mut self, rest: &[u8]) -> usize {
        let (g0, g1, len) = match rest {
            [ESC, b'(', b'B', ..] => (Some(G0::Ascii), None, 3),
            [ESC, b'(', b'J', ..] => (Some(G0::Romaji), None, 3),
            [ESC, b'(', b'I', ..] => (Some(G0::Katakana), None, 3),
            [ESC, b')', b'I', ..] => (None, Some(G1::Katakana), 3),
            [ESC, b'$', b'@' | b'B', ..] => (Some(G0::JisX0208), None, 3),
            [ESC, b'$', b'(', b'@' | b'B', ..] => (Some(G0::JisX0208), None, 4),
            [ESC, b'$', b'(', b'D', ..] => (Some(G0::JisX0212), None, 4),
            [ESC, b'$', b')', b'C', ..] => (None, Some(G1::KsX1001), 4),
            [ESC, b'$', b')', b'A', ..] => (None, Some(G1::Gb2312), 4),
            [ESC, b'-', last, ..] => {
                let number = match last {
                    b'A' => "100",
                    b'B' => "101",
                    b'C' => "109",
                    b'D' => "110",
                    b'L' => "144",
                    b'G' => "127",
                    b'F' => "126",
                    b'H' => "138",
                    b'M' => "148",
                    b'b' => "203",
                    b'T' => "166",
                    _ => "",
                };
                (None, single_byte(number).map(G1::Byte), 3)
            }
            _ => (None, None, 1),
        };
        self.g0 = g0.unwrap_or(self.g0);
        self.g1 = g1.or(self.g1);
        len
    }
}

/// Walks over `raw` once and hands out decoded text and the delimiters between.
pub(super) fn walk(sets: &CharacterSets, raw: &[u8], resets: Resets, mut on: impl FnMut(Piece<'_>)) {
    let guessed = guess(sets, raw);
    let mut state = State::initial(sets);
    let mut run = Run::default();
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let rest = &raw[at..];
        if byte == ESC {
            run.flush(&mut on);
            at += state.escape(rest);
            continue;
        }
        let double = match state.g0 {
            G0::JisX0208 | G0::JisX0212 => rest.get(1).is_some_and(|second| (0x21..=0x7E).contains(second)),
            _ => false,
        };
        if double && (0x21..=0x7E).contains(&byte) {
            let pair = [byte | 0x80, rest[1] | 0x80];
            if state.g0 == G0::JisX0212 {
                run.push(EUC_JP, &[0x8F, pair[0], pair[1]], &mut on);
            } else {
                run.push(EUC_JP, &pair, &mut on);
            }
            at += 2;
        } else if byte < 0x80 {
            // A lone byte in a double-byte set can only be a sender that forgot
            // to go back; it is read as the ASCII that it was meant to be.
            if resets.at(byte) {
                run.flush(&mut on);
                on(Piece::Delimiter(byte));
                state = State::initial(sets);
            } else if byte < 0x20 {
                run.push(WINDOWS_1252, &[byte], &mut on);
                state = State::initial(sets);
            } else {
                match (state.g0, byte) {
                    (G0::Romaji, b'\\') => run.push_char('¥', &mut on),
                    (G0::Romaji, b'~') => run.push_char('‾', &mut on),
                    (G0::Katakana, 0x21..=0x5F) => run.push(SHIFT_JIS, &[byte | 0x80], &mut on),
                    _ => run.push(WINDOWS_1252, &[byte], &mut on),
                }
            }
            at += 1;
        } else {
            let (encoding, len) = high(sets, guessed, state.g1, rest);
            run.push(encoding, &rest[..len], &mut on);
            at += len;
        }
    }
    run.flush(&mut on);
}

/// The encoding and length of the character that starts `rest` with a byte of
/// 0x80 or more.
fn high(sets: &CharacterSets, guessed: &'static Encoding, g1: Option<G1>, rest: &[u8]) -> (&'static Encoding, usize) {
    let pair = |encoding| (encoding, rest.len().min(2));
    match (sets.base, g1.or(sets.fallback)) {
        (Base::Utf8, _) => (guessed, character_len(guessed, rest)),
        (Base::Gb18030, _) => (GB18030, character_len(GB18030, rest)),
        (_, Some(G1::Byte(encoding))) => (encoding, 1),
        (_, Some(G1::Katakana)) => (SHIFT_JIS, character_len(SHIFT_JIS, rest)),
        (_, Some(G1::KsX1001)) => pair(EUC_KR),
        (_, Some(G1::Gb2312)) => pair(GBK),
        (_, None) => (guessed, character_len(guessed, rest)),
    }
}

/// What to read bytes as that no declared set explains.
fn guess(sets: &CharacterSets, raw: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(raw).is_ok() || matches!(sets.base, Base::Utf8) && !shift_jis(raw) {
        encoding_rs::UTF_8
    } else if shift_jis(raw) {
        SHIFT_JIS
    } else {
        WINDOWS_1252
    }
}

fn shift_jis(raw: &[u8]) -> bool {
    !raw.contains(&ESC) && SHIFT_JIS.decode_without_bom_handling_and_without_replacement(raw).is_some()
}

fn character_len(encoding: &'static Encoding, rest: &[u8]) -> usize {
    let first = rest[0];
    let wanted = if encoding == encoding_rs::UTF_8 {
        match first {
            0xF0..=0xF7 => 4,
            0xE0..=0xEF => 3,
            0xC0..=0xDF => 2,
            _ => 1,
        }
    } else if encoding == SHIFT_JIS {
        let lead = matches!(first, 0x81..=0x9F | 0xE0..=0xFC);
        if lead && rest.get(1).is_some_and(|second| matches!(second, 0x40..=0x7E | 0x80..=0xFC)) { 2 } else { 1 }
    } else if encoding == GB18030 {
        match (first, rest.get(1)) {
            (0x81..=0xFE, Some(0x30..=0x39)) => 4,
            (0x81..=0xFE, Some(0x40..=0x7E | 0x80..=0xFE)) => 2,
            _ => 1,
        }
    } else {
        1
    };
    // A truncated character must not swallow what follows it.
    if encoding == encoding_rs::UTF_8 {
        1 + rest[1..].iter().take(wanted - 1).take_while(|byte| (0x80..=0xBF).contains(*byte)).count()
    } else {
        wanted.min(rest.len())
    }
}

/// Bytes of one encoding, gathered so that each run is decoded at once.
#[derive(Default)]
struct Run {
    encoding: Option<&'static Encoding>,
    bytes: Vec<u8>,
}

impl Run {
    fn push(&mut self, encoding: &'static Encoding, bytes: &[u8], on: &mut impl FnMut(Piece<'_>)) {
        if self.encoding.is_some_and(|current| current != encoding) {
            self.flush(on);
        }
        self.encoding = Some(encoding);
        self.bytes.extend_from_slice(bytes);
    }

    fn push_char(&mut self, character: char, on: &mut impl FnMut(Piece<'_>)) {
        self.flush(on);
        on(Piece::Text(character.encode_utf8(&mut [0; 4])));
    }

    fn flush(&mut self, on: &mut impl FnMut(Piece<'_>)) {
        if let Some(encoding) = self.encoding.take() {
            on(Piece::Text(&encoding.decode_without_bom_handling(&self.bytes).0));
            self.bytes.clear();
        }
    }
}
