//! What stands on a medium for people: `INDEX.HTM` and `README.TXT`.

use askama::Template;
use chrono::NaiveDateTime;
use dokuei_models::store::studies::StudyRow;

use super::Content;
use super::images::{AsReceived, Reason};

/// In Japanese and English, for a browser.
#[derive(Template)]
#[template(path = "medium/index.html")]
struct Index<'a> {
    content: &'a Content,
    name: String,
    made: String,
    as_received: &'a [AsReceived],
}

/// In ASCII, for anything.
#[derive(Template)]
#[template(path = "medium/readme.txt")]
struct Readme<'a> {
    content: &'a Content,
    made: String,
    as_received: &'a [AsReceived],
}

impl Index<'_> {
    fn day(&self, study: &StudyRow) -> String {
        study.study_date.map(|day| day.to_string()).unwrap_or_default()
    }

    fn modalities(&self, study: &StudyRow) -> String {
        study.modalities.replace('\\', "/")
    }
}

/// `INDEX.HTM` (UTF-8).
///
/// # Errors
/// The template's own.
pub(super) fn index(content: &Content, as_received: &[AsReceived], now: NaiveDateTime) -> askama::Result<String> {
    Index { content, name: content.patient.name().shown(), made: made(now), as_received }.render()
}

/// `README.TXT`: ASCII with the line ends that every system reads.
///
/// # Errors
/// The template's own.
pub(super) fn readme(content: &Content, as_received: &[AsReceived], now: NaiveDateTime) -> askama::Result<String> {
    let text = Readme { content, made: made(now), as_received }.render()?;
    let ascii: String = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    Ok(ascii.replace('\n', "\r\n"))
}

fn made(now: NaiveDateTime) -> String {
    dokuei_models::japan::local(now).format("%Y-%m-%d %H:%M").to_string()
}
