//! Fields of forms with their labels, hints and faults, alike on every page of the area.

use std::borrow::Borrow;
use std::fmt::Display;

use crate::error::Error;
use crate::http::Page;
use crate::ui::{Html, escape};

/// A value and the word for it.
pub(in crate::http) type Choice = (String, String);

/// What makes the fields of one form.
pub(in crate::http) struct Fields<'a> {
    page: &'a Page,
    faults: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    /// A form that is shown for the first time.
    pub fn new(page: &'a Page) -> Self {
        Self { page, faults: Vec::new() }
    }

    /// A form that is shown again because of this.
    pub fn refused(page: &'a Page, error: &Error) -> Self {
        let sentence = |(field, code): &(String, &'static crate::error::Code)| {
            (field.clone(), code.sentence(page.language).to_owned())
        };
        Self { page, faults: error.fields().iter().map(sentence).collect() }
    }

    /// Whether the form was refused.
    pub fn is_refused(&self) -> bool {
        !self.faults.is_empty()
    }

    /// A line of text. `more` are further attributes, e.g. `required maxlength="60"` or `type="date"`.
    pub fn text(&self, name: &str, label: impl Display, hint: impl Display, value: impl Display, more: &str) -> Html {
        let value = escape(&value.to_string());
        self.wrap(name, label, hint, more, &format!("<input name=\"{name}\" value=\"{value}\" {more}>"))
    }

    /// Several lines of text.
    pub fn area(&self, name: &str, label: impl Display, hint: impl Display, value: impl Display, more: &str) -> Html {
        let value = escape(&value.to_string());
        self.wrap(name, label, hint, more, &format!("<textarea name=\"{name}\" {more}>{value}</textarea>"))
    }

    /// One of several.
    pub fn select(
        &self,
        name: &str,
        label: impl Display,
        hint: impl Display,
        choices: &[Choice],
        chosen: impl Display,
        more: &str,
    ) -> Html {
        let chosen = chosen.to_string();
        let mut options = String::new();
        if more.contains("blank") || (chosen.is_empty() && more.contains("required")) {
            options.push_str("<option value=\"\"></option>");
        }
        for (value, word) in choices {
            let mark = if *value == chosen { " selected" } else { "" };
            options.push_str(&format!("<option value=\"{}\"{mark}>{}</option>", escape(value), escape(word)));
        }
        let more = more.replace("blank", "");
        self.wrap(name, label, hint, &more, &format!("<select name=\"{name}\" {more}>{options}</select>"))
    }

    /// Yes or no.
    pub fn check(&self, name: &str, label: impl Display, checked: impl Borrow<bool>) -> Html {
        let mark = if *checked.borrow() { " checked" } else { "" };
        let fault = self.fault(name);
        let label = escape(&label.to_string());
        let class = if fault.is_empty() { "" } else { " wrong" };
        Html::raw(format!(
            "<div class=\"field{class}\"><label class=\"check\"><input type=\"checkbox\" name=\"{name}\" \
             value=\"true\"{mark}>{label}</label>{fault}</div>"
        ))
    }

    fn wrap(&self, name: &str, label: impl Display, hint: impl Display, more: &str, control: &str) -> Html {
        let required =
            if more.contains("required") { format!("<b>{}</b>", self.page.t("admin-required")) } else { String::new() };
        let hint = hint.to_string();
        let hint = if hint.is_empty() { String::new() } else { format!("<small>{}</small>", escape(&hint)) };
        let fault = self.fault(name);
        let wrong = if fault.is_empty() { "" } else { " wrong" };
        let label = escape(&label.to_string());
        Html::raw(format!("<label class=\"field{wrong}\"><span>{label}{required}</span>{control}{hint}{fault}</label>"))
    }

    fn fault(&self, name: &str) -> String {
        let of_field = self.faults.iter().filter(|(field, _)| field == name);
        of_field.map(|(_, sentence)| format!("<em>{}</em>", escape(sentence))).collect()
    }
}

#[cfg(test)]
mod tests {
    use dokuei_terms::Language;

    use super::*;
    use crate::error::codes::common;

    #[test]
    fn a_refused_form_shows_what_was_typed_and_why() {
        let now = chrono::NaiveDateTime::default();
        let page = Page::new(Language::En, "light".to_owned(), None, "/".to_owned(), now);
        let error = Error::new(&common::FORM_INVALID).field("name", &common::FIELD_REQUIRED);
        let form = Fields::refused(&page, &error);
        let html = form.text("name", "Name", "", "<b>\"", "required").to_string();
        assert!(html.contains("wrong") && html.contains(common::FIELD_REQUIRED.en), "{html}");
        assert!(html.contains("value=\"&lt;b&gt;&quot;\""), "{html}");
        let html = form.select("kind", "Kind", "", &[("a".to_owned(), "A".to_owned())], "a", "").to_string();
        assert!(html.contains("<option value=\"a\" selected>") && !html.contains("wrong"), "{html}");
    }
}
