//! What a person types into a form, or a program sends: kept as it came until it has been checked.
//!
//! A form's numbers, days and codes are [`Typed`]: a wrong one is no refused body but a marked field, with what was
//! typed still standing in it. [`Faults`] collects every wrong field before anything is done.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::codes::common;
use crate::error::{Code, Error, Result};

/// A value that was typed: nothing, a `T`, or something that is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Typed<T> {
    /// Nothing, or only spaces.
    #[default]
    Empty,
    /// A value.
    Is(T),
    /// No such value; what was typed.
    Wrong(String),
}

impl<T: FromStr> Typed<T> {
    /// Reads what was typed.
    pub fn read(text: &str) -> Self {
        match text.trim() {
            "" => Self::Empty,
            // No number here is below nothing, and a day with a sign lies beyond the year 9999.
            text if text.starts_with(['+', '-']) => Self::Wrong(text.chars().take(60).collect()),
            text => text.parse().map_or_else(|_| Self::Wrong(text.chars().take(60).collect()), Self::Is),
        }
    }
}

impl<T> From<T> for Typed<T> {
    fn from(value: T) -> Self {
        Self::Is(value)
    }
}

impl<T> From<Option<T>> for Typed<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Self::Is)
    }
}

/// As it stands in the field.
impl<T: fmt::Display> fmt::Display for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Is(value) => value.fmt(f),
            Self::Wrong(text) => f.write_str(text),
        }
    }
}

/// As it was typed.
impl<T: fmt::Display> Serialize for Typed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Typed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<T: FromStr> Visitor<'_> for Reads<T> {
            type Value = Typed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or nothing")
            }

            fn visit_str<E>(self, text: &str) -> Result<Typed<T>, E> {
                Ok(Typed::read(text))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Typed<T>, E> {
                Ok(Typed::read(&number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Typed<T>, E> {
                Ok(Typed::read(&number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Typed<T>, E> {
                Ok(Typed::read(&number.to_string()))
            }

            fn visit_unit<E>(self) -> Result<Typed<T>, E> {
                Ok(Typed::Empty)
            }
        }
        deserializer.deserialize_any(Reads(PhantomData))
    }
}

/// The wrong fields of a form.
#[derive(Debug, Default)]
pub struct Faults(Vec<(&'static str, &'static Code)>);

impl Faults {
    /// Marks a field.
    pub fn add(&mut self, field: &'static str, code: &'static Code) {
        self.0.push((field, code));
    }

    /// A value that may be left out.
    pub fn optional<T: Clone>(&mut self, field: &'static str, typed: &Typed<T>) -> Option<T> {
        match typed {
            Typed::Empty => None,
            Typed::Is(value) => Some(value.clone()),
            Typed::Wrong(_) => {
                self.add(field, &common::FIELD_INVALID);
                None
            }
        }
    }

    /// A value that must be there.
    pub fn required<T: Clone>(&mut self, field: &'static str, typed: &Typed<T>) -> Option<T> {
        if matches!(typed, Typed::Empty) {
            self.add(field, &common::FIELD_REQUIRED);
        }
        self.optional(field, typed)
    }

    /// A whole number within bounds; the lower bound where it is wrong, which is never used then.
    pub fn number<T: Clone + PartialOrd>(
        &mut self,
        field: &'static str,
        typed: &Typed<T>,
        within: RangeInclusive<T>,
    ) -> T {
        match self.required(field, typed) {
            Some(number) if within.contains(&number) => number,
            Some(_) => {
                self.add(field, &common::FIELD_INVALID);
                within.start().clone()
            }
            None => within.start().clone(),
        }
    }

    /// A first day that must be there, and a last one that does not stand before it.
    pub fn days(&mut self, from: &Typed<NaiveDate>, to: &Typed<NaiveDate>) -> (NaiveDate, Option<NaiveDate>) {
        let (from, to) = (self.required("from_day", from), self.optional("to_day", to));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            self.add("to_day", &crate::error::codes::admin::DAYS_REVERSED);
        }
        (from.unwrap_or_default(), to)
    }

    /// A text that must be there, of so many characters at the most, without outer spaces.
    pub fn text(&mut self, field: &'static str, text: &str, most: usize) -> String {
        if text.trim().is_empty() {
            self.add(field, &common::FIELD_REQUIRED);
        }
        self.may_text(field, text, most)
    }

    /// A text that may be empty.
    pub fn may_text(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = text.trim();
        if text.chars().count() > most {
            self.add(field, &common::FIELD_TOO_LONG);
        }
        text.to_owned()
    }

    /// A code of a closed vocabulary; `without` where nothing is given.
    pub fn code<T: FromStr>(&mut self, field: &'static str, text: &str, without: T) -> T {
        let text = text.trim();
        if text.is_empty() {
            return without;
        }
        text.parse().unwrap_or_else(|_| {
            self.add(field, &common::FIELD_INVALID);
            without
        })
    }

    /// # Errors
    /// `form_invalid` with every field that was marked.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.0.into_iter().fold(Error::new(&common::FORM_INVALID), |error, (field, code)| error.field(field, code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_a_program_say_the_same() {
        assert_eq!(serde_json::from_str::<Typed<i32>>("12").unwrap(), Typed::Is(12));
        assert_eq!(serde_json::from_str::<Typed<i32>>("\" 12 \"").unwrap(), Typed::Is(12));
        assert_eq!(serde_json::from_str::<Typed<i32>>("null").unwrap(), Typed::Empty);
        assert_eq!(serde_json::from_str::<Typed<i32>>("\"\"").unwrap(), Typed::Empty);
        let wrong: Typed<NaiveDate> = serde_json::from_str("\"2026-02-30\"").unwrap();
        assert_eq!((wrong.to_string(), matches!(wrong, Typed::Wrong(_))), ("2026-02-30".to_owned(), true));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut faults = Faults::default();
        faults.text("name", "  ", 10);
        faults.number("port", &Typed::Is(70_000), 0..=65_535);
        faults.required::<i32>("day", &Typed::Wrong("x".to_owned()));
        let error = faults.done().unwrap_err();
        let fields: Vec<&str> = error.fields().iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["name", "port", "day"]);
        assert!(Faults::default().done().is_ok());
    }
}
