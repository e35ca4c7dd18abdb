//! What every page knows: language, theme, who is looking, where, and the words.
//!
//! A template holds `page: &Page` and asks it for everything that is not its
//! own: `{{ page.t("portal-title") }}`, `{{ page.priority(case.priority) }}`,
//! `{{ page.asset("app.css") }}`. As a handler's parameter it is made from the
//! request.

use std::borrow::Borrow;
use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use askama::Template;
use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::japan;
use dokuei_terms::{Language, Priority};
use fluent_templates::fluent_bundle::FluentValue;

use super::navigation::{self, Entry};
use super::{Answer, assets, icons};
use crate::authority::{Person, Role};
use crate::error::{Error, Result};
use crate::state::State;
use crate::ui::{Html, badge, due};
use crate::words;

/// The cookie with the language chosen before signing in.
pub const LANGUAGE_COOKIE: &str = "dokuei_language";

/// See the module.
#[derive(Debug, Clone)]
pub struct Page {
    /// The language of words.
    pub language: Language,
    /// `light`, `dark` or `auto`.
    pub theme: String,
    /// Who is looking.
    pub person: Option<Rc<Person>>,
    /// The path of the page, without query.
    pub path: String,
    /// What stands in the window's title.
    pub title: String,
    /// The current time (UTC), one for the whole page.
    pub now: NaiveDateTime,
    /// Whether a script asks for a part of the page only.
    pub fragment: bool,
}

impl Page {
    /// A page before it has a title.
    pub fn new(
        language: Language,
        theme: String,
        person: Option<Rc<Person>>,
        path: String,
        now: NaiveDateTime,
    ) -> Self {
        Self { language, theme, person, path, title: String::new(), now, fragment: false }
    }

    /// With this title.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// On a dark screen whatever the person chose: a reader's room is dark.
    #[must_use]
    pub fn dark(mut self) -> Self {
        "dark".clone_into(&mut self.theme);
        self
    }

    /// The word for a key.
    pub fn t(&self, key: &str) -> String {
        words::word(self.language, key)
    }

    /// The word for a key with the number `$n`.
    pub fn tn(&self, key: &str, n: impl Count) -> String {
        words::word_with(self.language, key, &[("n", FluentValue::from(n.count()))])
    }

    /// The word for a key with the text `$value`.
    pub fn tv(&self, key: &str, value: impl std::fmt::Display) -> String {
        words::word_with(self.language, key, &[("value", FluentValue::from(value.to_string()))])
    }

    /// The word of a code under a prefix: `dispatch-doubt` and `birth_date` give `dispatch-doubt-birth-date`. A code
    /// without a word shows as itself.
    pub fn code(&self, prefix: &str, code: &str) -> String {
        let key = format!("{prefix}-{}", code.replace(['_', '.'], "-").to_lowercase());
        let word = self.t(&key);
        if word == key { code.to_owned() } else { word }
    }

    /// The language's code.
    pub fn lang(&self) -> &'static str {
        words::code(self.language)
    }

    /// The other language's code and its own name: what the switch offers.
    pub fn other_language(&self) -> (&'static str, &'static str) {
        match self.language {
            Language::Ja => ("en", "English"),
            Language::En => ("ja", "日本語"),
        }
    }

    /// The address of an asset, with its content's hash.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// An icon of `assets/icons.svg`.
    pub fn icon(&self, name: &str) -> Html {
        icons::icon(name)
    }

    /// The token that forms must carry.
    pub fn csrf(&self) -> &str {
        self.person.as_ref().map_or("", |person| person.csrf())
    }

    /// The hidden field that forms must hold.
    pub fn csrf_field(&self) -> Html {
        Html::raw(format!("<input type=\"hidden\" name=\"csrf\" value=\"{}\">", self.csrf()))
    }

    /// The entries of the navigation that the person's roles open.
    pub fn navigation(&self) -> Vec<&'static Entry> {
        self.person.as_deref().map(navigation::entries_of).unwrap_or_default()
    }

    /// Whether a navigation entry is the page's own.
    pub fn is_at(&self, entry: &Entry) -> bool {
        self.path == entry.href || self.path.starts_with(&format!("{}/", entry.href))
    }

    /// The person's name, or nothing.
    pub fn who(&self) -> &str {
        self.person.as_ref().map_or("", |person| person.name(self.language))
    }

    /// The first character of the person's name.
    pub fn initial(&self) -> String {
        self.who().chars().next().map(String::from).unwrap_or_default()
    }

    /// A theme in words.
    pub fn theme_word(&self, theme: &str) -> String {
        words::word(self.language, &format!("theme-{theme}"))
    }

    /// The person's roles in words, each once.
    pub fn roles(&self) -> String {
        let Some(person) = &self.person else { return String::new() };
        let mut names: Vec<String> =
            Role::ALL.into_iter().filter(|role| person.has_role(*role)).map(|role| self.role(role)).collect();
        names.dedup();
        names.join(if self.language == Language::Ja { "・" } else { ", " })
    }

    /// A role in words.
    pub fn role(&self, role: impl Borrow<Role>) -> String {
        words::word(self.language, &format!("role-{}", role.borrow().code().replace('_', "-")))
    }

    /// A priority as shape, word and colour.
    pub fn priority(&self, priority: impl Borrow<Priority>) -> Html {
        badge::priority(*priority.borrow(), self.language)
    }

    /// A clock that counts down to `due_at` (UTC) and says when it is late.
    pub fn due(&self, due_at: impl Borrow<NaiveDateTime>) -> Html {
        due::clock(*due_at.borrow(), self.now, self.language)
    }

    /// A time of day in Japan: `14:05`, with the day in front where it is not today.
    pub fn time(&self, at: impl Borrow<NaiveDateTime>) -> String {
        let there = japan::local(*at.borrow());
        if there.date() == japan::day(self.now) {
            there.format("%H:%M").to_string()
        } else {
            there.format("%m/%d %H:%M").to_string()
        }
    }

    /// A day and time in Japan: `2026-04-01 14:05`.
    pub fn date_time(&self, at: impl Borrow<NaiveDateTime>) -> String {
        japan::local(*at.borrow()).format("%Y-%m-%d %H:%M").to_string()
    }

    /// A day in Japan: `2026-04-01`.
    pub fn date(&self, at: impl Borrow<NaiveDateTime>) -> String {
        japan::local(*at.borrow()).format("%Y-%m-%d").to_string()
    }

    /// A length of time in words: `1時間20分`.
    pub fn duration(&self, length: impl Borrow<TimeDelta>) -> String {
        due::length(*length.borrow(), self.language)
    }

    /// Whole yen: `¥12,000`.
    pub fn yen(&self, amount: impl Borrow<i64>) -> String {
        let amount = *amount.borrow();
        let digits = amount.unsigned_abs().to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{}¥{grouped}", if amount < 0 { "−" } else { "" })
    }

    /// Renders a template as a page or fragment.
    ///
    /// # Errors
    /// `internal` when the template fails.
    pub fn show(&self, template: &impl Template) -> Answer {
        self.show_as(StatusCode::OK, template)
    }

    /// The same with another status (a form that is shown again: 422).
    ///
    /// # Errors
    /// `internal` when the template fails.
    pub fn show_as(&self, status: StatusCode, template: &impl Template) -> Answer {
        let body = template.render().map_err(Error::internal)?;
        Ok(HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Language", self.lang()))
            .body(body))
    }
}

/// A whole number of things, as templates have them (by value or by reference).
pub trait Count {
    /// The number.
    fn count(&self) -> i64;
}

macro_rules! count {
    ($($number:ty),+) => {$(
        impl Count for $number {
            fn count(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        }
    )+};
}
count!(usize, u64, i64, u32, i32, u8);

impl<T: Count> Count for &T {
    fn count(&self) -> i64 {
        (*self).count()
    }
}

impl FromRequest for Page {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<State>() else {
            return ready(Err(Error::internal(anyhow::anyhow!("the application has no state"))));
        };
        let person = request.extensions().get::<Rc<Person>>().cloned();
        let language = language_of(request, person.as_deref());
        let theme = theme_of(request, person.as_deref());
        let fragment = request.headers().get("hx-request").is_some_and(|value| value == "true");
        let page = Self::new(language, theme, person, request.path().to_owned(), state.now());
        ready(Ok(Self { fragment, ..page }))
    }
}

/// The person's language; before signing in the cookie's, else what the browser likes best.
pub fn language_of(request: &HttpRequest, person: Option<&Person>) -> Language {
    if let Some(person) = person {
        // A program says what it wants with each call.
        if person.session().is_some() {
            return person.language;
        }
    }
    let chosen = request.cookie(LANGUAGE_COOKIE).and_then(|cookie| words::language(cookie.value()));
    let liked = || request.headers().get("accept-language").and_then(|value| value.to_str().ok()).map(words::accepted);
    chosen.or_else(liked).unwrap_or_default()
}

/// The person's theme; before signing in what the machine prefers.
pub fn theme_of(_: &HttpRequest, person: Option<&Person>) -> String {
    person.map_or_else(|| "auto".to_owned(), |person| person.theme.clone())
}

/// A redirect after a form was taken (303), also for htmx.
pub fn see_other(request_is_htmx: bool, to: &str) -> HttpResponse {
    if request_is_htmx {
        HttpResponse::Ok().insert_header(("HX-Redirect", to)).finish()
    } else {
        HttpResponse::SeeOther().insert_header(("Location", to)).finish()
    }
}
