//! Pieces of pages that are easier to compute than to write in a template: badges, clocks, charts.
//!
//! Every function returns [`Html`] with no inline style (the CSP forbids it);
//! colours come from classes in `templates/assets/app.css`.

pub mod badge;
pub mod chart;
pub mod due;

use std::fmt;

/// Markup that is safe as it is: text in it was escaped by whoever made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Html(String);

impl Html {
    /// Trusts `markup`. Whatever in it came from a person must have gone through [`escape`].
    pub fn raw(markup: String) -> Self {
        Self(markup)
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

/// Text as it may stand in markup and in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
