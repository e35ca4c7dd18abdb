//! Characters that stand for others where a character set has only those.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Which kana a character set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kana {
    Neither,
    /// JIS X 0208: hiragana and katakana.
    Full,
    /// JIS X 0201: half-width katakana.
    Half,
    Both,
}

/// The text with its kana in the kind that there is.
pub(super) fn in_kana(text: &str, kana: Kana) -> Cow<'_, str> {
    match kana {
        Kana::Full if text.contains(is_half) => {
            // Together with their voice marks, which are characters of their own at half width.
            let mut out = String::new();
            let mut run = String::new();
            for c in text.chars() {
                if is_half(c) {
                    run.push(c);
                } else {
                    out.extend(run.drain(..).nfkc());
                    out.push(c);
                }
            }
            out.extend(run.drain(..).nfkc());
            Cow::Owned(out)
        }
        Kana::Half if text.contains(is_full) => {
            let mut out = String::new();
            for c in text.chars() {
                if is_full(c) {
                    out.extend(katakana(c).nfd().map(|part| half(part).unwrap_or(part)));
                } else {
                    out.push(c);
                }
            }
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(text),
    }
}

/// The same character at another code point: other widths, and the pairs on which
/// the tables of JIS X 0208 differ.
pub(super) fn same(c: char) -> Option<char> {
    Some(match c {
        '〜' => '～',
        '‖' => '∥',
        '−' => '－',
        '¢' => '￠',
        '£' => '￡',
        '¬' => '￢',
        '—' => '―',
        '¥' => '￥',
        '～' => '~',
        '\u{3000}' | '\u{a0}' => ' ',
        '！'..='｝' => char::from_u32(u32::from(c) - 0xFEE0)?,
        '\\' => '＼',
        '~' => '￣',
        _ => return None,
    })
}

/// The letter without its marks: `é` is `e`.
pub(super) fn letter(c: char) -> Option<char> {
    std::iter::once(c).nfkd().next().filter(|letter| *letter != c)
}

fn is_half(c: char) -> bool {
    matches!(c, '\u{ff61}'..='\u{ff9f}')
}

fn is_full(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '。' | '「' | '」' | '、')
}

/// Katakana for hiragana; anything else as it is.
fn katakana(c: char) -> std::iter::Once<char> {
    let code = u32::from(c);
    let shifted = matches!(c, 'ぁ'..='ゖ' | 'ゝ' | 'ゞ').then(|| char::from_u32(code + 0x60)).flatten();
    std::iter::once(shifted.unwrap_or(c))
}

/// The half-width form of a decomposed katakana.
fn half(c: char) -> Option<char> {
    match c {
        '\u{3099}' => Some('ﾞ'),
        '\u{309a}' => Some('ﾟ'),
        'ヮ' => Some('ﾜ'),
        'ヵ' => Some('ｶ'),
        'ヶ' => Some('ｹ'),
        _ => ('\u{ff61}'..='\u{ff9d}').find(|half| std::iter::once(*half).nfkc().eq(std::iter::once(c))),
    }
}
