//! What goes wrong, said once: a code, a status, a sentence with the way out.
//!
//! A *code* is one row of a table in `codes/` (one file per area): HTTP status,
//! stable name, Japanese and English sentence. Handlers and `app` return
//! [`Error`]; the outermost middleware renders it as a page, as a fragment for
//! htmx, or as an RFC 9457 problem document, by what the caller accepts
//! (`http::problem`). Sentences never hold patient data: the values put into
//! them are ids, codes and what the caller typed into a form field.

pub mod codes;

use std::fmt;

use dokuei_models::objects::ObjectError;
use dokuei_terms::Language;

/// One row of the table of errors.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// HTTP status.
    pub status: u16,
    /// Stable name, e.g. `read_already_claimed`: what an API client switches on.
    pub name: &'static str,
    /// The sentence in Japanese; `{name}` is filled from the error's values.
    pub ja: &'static str,
    /// The sentence in English.
    pub en: &'static str,
}

/// Declares codes and the list of them: `code_table! { READ_ALREADY_CLAIMED = 409, "read_already_claimed", "…", "…"; }`.
macro_rules! code_table {
    ($($(#[$doc:meta])* $code:ident = $status:literal, $name:literal, $ja:literal, $en:literal;)*) => {
        $($(#[$doc])* pub const $code: $crate::error::Code =
            $crate::error::Code { status: $status, name: $name, ja: $ja, en: $en };)*

        /// Every code of this area.
        pub const ALL: &[&$crate::error::Code] = &[$(&$code),*];
    };
}
pub(crate) use code_table;

/// An answer that is not the one asked for.
#[derive(Debug)]
pub struct Error {
    code: &'static Code,
    values: Vec<(&'static str, String)>,
    fields: Vec<(String, &'static Code)>,
    retry_after_seconds: Option<u64>,
    source: Option<anyhow::Error>,
}

/// What handlers and `app` functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this code.
    pub fn new(code: &'static Code) -> Self {
        Self { code, values: Vec::new(), fields: Vec::new(), retry_after_seconds: None, source: None }
    }

    /// Fills `{name}` of the sentence. Never pass patient data.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// Names a form field that is wrong and why.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, code: &'static Code) -> Self {
        self.fields.push((field.into(), code));
        self
    }

    /// Says when to try again (`Retry-After`).
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Something failed that the caller cannot mend. The cause is logged, never shown.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self { source: Some(cause.into()), ..Self::new(&codes::common::INTERNAL) }
    }

    /// Bytes that the object store did not keep: where it is away or full by a code that says what has not happened and
    /// to try again in a minute; anything else is `internal`. The cause is logged.
    pub fn not_kept(code: &'static Code, error: ObjectError) -> Self {
        match error {
            ObjectError::Unavailable(_) | ObjectError::Full => {
                Self { source: Some(error.into()), ..Self::new(code) }.retry_after(60)
            }
            ObjectError::Missing | ObjectError::Altered => Self::internal(error),
        }
    }

    /// No such thing, or another site's: the two look the same.
    pub fn not_found() -> Self {
        Self::new(&codes::common::NOT_FOUND)
    }

    /// The code.
    pub fn code(&self) -> &'static Code {
        self.code
    }

    /// Wrong form fields with their codes.
    pub fn fields(&self) -> &[(String, &'static Code)] {
        &self.fields
    }

    /// Seconds until a repeat may succeed, where known.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// What lies beneath, for the log.
    pub fn source(&self) -> Option<&anyhow::Error> {
        self.source.as_ref()
    }

    /// The sentence for a person.
    pub fn sentence(&self, language: Language) -> String {
        fill(self.code.sentence(language), &self.values)
    }
}

impl Code {
    /// The sentence before its values are filled in.
    pub fn sentence(&self, language: Language) -> &'static str {
        match language {
            Language::Ja => self.ja,
            Language::En => self.en,
        }
    }
}

fn fill(sentence: &str, values: &[(&'static str, String)]) -> String {
    values.iter().fold(sentence.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

impl From<dokuei_models::StoreError> for Error {
    /// A refusal of the store in the words of a person. What only an operator can mend becomes `internal`.
    fn from(error: dokuei_models::StoreError) -> Self {
        use dokuei_models::StoreError as Store;
        match error {
            Store::NotFound(_) => Self::not_found(),
            Store::Repeat(_) => Self::new(&codes::common::ALREADY_DONE),
            Store::Conflict { .. } | Store::Stale(_) | Store::TryAgain => {
                Self { source: Some(error.into()), ..Self::new(&codes::common::CONFLICT) }
            }
            Store::Unavailable(_) => {
                Self { source: Some(error.into()), ..Self::new(&codes::common::UNAVAILABLE) }.with("what", "database")
            }
            other => Self::internal(other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name)
    }
}

impl std::error::Error for Error {}

impl actix_web::ResponseError for Error {
    fn status_code(&self) -> actix_web::http::StatusCode {
        actix_web::http::StatusCode::from_u16(self.code.status)
            .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A bare answer; the outermost middleware gives it its body.
    fn error_response(&self) -> actix_web::HttpResponse {
        actix_web::HttpResponse::new(self.status_code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_stable_name_a_legal_status_and_two_sentences() {
        let mut names = std::collections::BTreeSet::new();
        for code in codes::all() {
            assert!(names.insert(code.name), "{} is declared twice", code.name);
            assert!((400..600).contains(&code.status), "{} has status {}", code.name, code.status);
            assert!(
                code.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()),
                "{}",
                code.name
            );
            assert!(!code.ja.is_ascii() && code.ja.ends_with('。'), "{}: {}", code.name, code.ja);
            assert!(code.en.ends_with('.'), "{}: {}", code.name, code.en);
            let holes = |text: &str| {
                let mut names: Vec<String> =
                    text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
                names.sort();
                names
            };
            assert_eq!(holes(code.ja), holes(code.en), "{} names the same values in both languages", code.name);
        }
    }

    #[test]
    fn a_sentence_names_the_value() {
        let error = Error::new(&codes::common::TOO_MANY_ATTEMPTS).with("seconds", 40);
        assert!(error.sentence(Language::Ja).contains("40"));
        assert!(error.sentence(Language::En).contains("40"));
    }

    #[test]
    fn the_cause_of_an_internal_error_is_not_in_its_sentence() {
        let error = Error::internal(anyhow::anyhow!("the address of the database is postgres://secret"));
        assert!(!error.sentence(Language::En).contains("postgres"));
        assert!(!error.to_string().contains("postgres"));
        assert!(error.source().is_some());
    }
}
