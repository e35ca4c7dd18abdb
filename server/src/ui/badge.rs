//! Badges: a shape, a word and a colour, so that none of the three is needed alone.
//!
//! Shapes: stat is an octagon, urgent a triangle, priority a diamond, routine a
//! circle. The colours (vermilion, orange, sky blue, grey of Okabe and Ito's
//! palette) are told apart with every common colour vision.

use dokuei_terms::{Language, Priority};

use super::{Html, escape};

/// A priority.
pub fn priority(priority: Priority, language: Language) -> Html {
    let shape = match priority {
        Priority::Stat => "<path d=\"M5 1h6l4 4v6l-4 4H5l-4-4V5z\"/>",
        Priority::Urgent => "<path d=\"M8 1.5 15.5 15H.5z\"/>",
        Priority::Priority => "<path d=\"M8 .8 15.2 8 8 15.2.8 8z\"/>",
        Priority::Routine => "<circle cx=\"8\" cy=\"8\" r=\"5\"/>",
    };
    Html::raw(format!(
        "<span class=\"priority priority-{}\"><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\">{shape}</svg>{}</span>",
        priority.code(),
        priority.label(language),
    ))
}

/// What a badge says beside its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to do.
    Plain,
    /// Going on.
    Active,
    /// Done.
    Good,
    /// Look at it.
    Warning,
    /// Something is wrong.
    Bad,
}

/// A word with a tone: `●` going on, `✓` done, `▲` look, `■` wrong.
pub fn tone(tone: Tone, word: &str) -> Html {
    let (class, mark) = match tone {
        Tone::Plain => ("plain", ""),
        Tone::Active => ("active", "●"),
        Tone::Good => ("good", "✓"),
        Tone::Warning => ("warning", "▲"),
        Tone::Bad => ("bad", "■"),
    };
    let mark = if mark.is_empty() { String::new() } else { format!("<i aria-hidden=\"true\">{mark}</i>") };
    Html::raw(format!("<span class=\"badge badge-{class}\">{mark}{}</span>", escape(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_told_by_shape_and_word_and_colour() {
        let mut shapes = std::collections::BTreeSet::new();
        for value in Priority::ALL {
            let html = priority(*value, Language::Ja).to_string();
            assert!(html.contains(value.label(Language::Ja)));
            assert!(html.contains(&format!("priority-{}", value.code())));
            shapes
                .insert(html.split("aria-hidden=\"true\">").nth(1).unwrap().split("</svg>").next().unwrap().to_owned());
        }
        assert_eq!(shapes.len(), 4, "four priorities, four shapes");
    }

    #[test]
    fn a_word_cannot_become_markup() {
        assert!(!tone(Tone::Bad, "<script>").as_str().contains("<script>"));
    }
}
