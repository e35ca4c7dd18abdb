//! Makes typed text printable and says what could not be printed.
//!
//! What a font can draw is kept as typed: no normalisation, so 髙, 﨑 and 𠮷 stay
//! themselves. What none can draw (emoji, a hospital's own private characters)
//! becomes 〓, the printer's mark for a missing sort, and is listed by code point
//! at the end of the report. Characters that draw nothing but change how others
//! read (controls, bidirectional overrides, invisible joiners) are dropped and
//! listed too: a signed page must show what it says.

use std::collections::BTreeMap;

/// Stands for a character that cannot be printed.
pub(crate) const MISSING: char = '〓';

/// Collects texts and the characters that could not be printed.
pub(crate) struct Legible<'a> {
    covers: &'a dyn Fn(char) -> bool,
    replaced: BTreeMap<char, usize>,
    removed: BTreeMap<char, usize>,
}

impl<'a> Legible<'a> {
    /// `covers` says whether the fonts can draw a character.
    pub(crate) fn new(covers: &'a dyn Fn(char) -> bool) -> Self {
        Self { covers, replaced: BTreeMap::new(), removed: BTreeMap::new() }
    }

    /// One line: line breaks and tabs become spaces.
    pub(crate) fn line(&mut self, text: &str) -> String {
        self.clean(text, false)
            .split(['\n', '\t'])
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Several lines, without empty ones at either end; at most one empty line in a row.
    pub(crate) fn lines(&mut self, text: &str) -> Vec<String> {
        let text = self.clean(text, true);
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n') {
            let line = line.trim_end().to_owned();
            if line.is_empty() && lines.last().is_none_or(String::is_empty) {
                continue;
            }
            lines.push(line);
        }
        if lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    /// Code points printed as 〓, as `U+1F600`, in order, without repeats.
    pub(crate) fn replaced(&self) -> Vec<String> {
        self.replaced.keys().map(|c| format!("U+{:04X}", *c as u32)).collect()
    }

    /// Code points left out because they draw nothing, without repeats.
    pub(crate) fn removed(&self) -> Vec<String> {
        self.removed.keys().map(|c| format!("U+{:04X}", *c as u32)).collect()
    }

    fn clean(&mut self, text: &str, tabs_indent: bool) -> String {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' => {
                    if chars.peek() != Some(&'\n') {
                        out.push('\n');
                    }
                }
                '\n' | '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
                '\t' if tabs_indent => out.push('\u{3000}'),
                '\t' => out.push('\t'),
                '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => out.push(' '),
                // Variation selectors choose a glyph of the character before (IVS); a lone emoji selector says nothing here.
                '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => out.push(c),
                '\u{fe0e}' | '\u{fe0f}' => {}
                c if draws_nothing(c) => *self.removed.entry(c).or_default() += 1,
                c if !is_private_or_noncharacter(c) && (self.covers)(c) => out.push(c),
                c => {
                    *self.replaced.entry(c).or_default() += 1;
                    out.push(MISSING);
                }
            }
        }
        out
    }
}

/// Controls and default-ignorable code points (Unicode 16, DerivedCoreProperties.txt), bidirectional controls included.
fn draws_nothing(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Private use (a hospital's own characters mean nothing elsewhere) and noncharacters, which PDF/A-2u cannot name.
fn is_private_or_noncharacter(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{fffff}' | '\u{100000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}')
        || (c as u32) & 0xfffe == 0xfffe
        || c == '\u{fffd}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_variants_stay_themselves_and_what_cannot_be_drawn_is_named() {
        let covers = |c: char| (c as u32) < 0x1f000 || c == '𠮷' || c == '𩸽';
        let mut legible = Legible::new(&covers);
        assert_eq!(legible.line("髙﨑 𠮷男𩸽"), "髙﨑 𠮷男𩸽");
        assert_eq!(legible.line("a😀\u{e000}b"), "a〓〓b");
        assert_eq!(legible.replaced(), ["U+E000", "U+1F600"]);
        assert!(legible.removed().is_empty());
    }

    #[test]
    fn what_would_turn_the_text_around_is_dropped_and_named() {
        let mut legible = Legible::new(&|_| true);
        assert_eq!(legible.line("右\u{202e}左\u{0}\u{1b}[31m"), "右左[31m");
        assert_eq!(legible.removed(), ["U+0000", "U+001B", "U+202E"]);
    }

    #[test]
    fn lines_are_kept_and_empty_ones_thinned() {
        let mut legible = Legible::new(&|_| true);
        assert_eq!(legible.lines("\n一\r\n\r\n\r\n\t二\r三 \n\n"), ["一", "", "\u{3000}二", "三"]);
        assert!(legible.lines(" \n ").is_empty());
    }
}
