//! The board in words and charts: five figures, the lanes, the backlog, the readers, what is in trouble.

use super::lanes::{self, Lane};
use crate::app::board::{Board, ReaderLoad};
use crate::http::Page;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::ui::chart::{self, Bar};

/// A number that matters now, with its last day.
pub(super) struct Figure {
    pub word: String,
    pub value: String,
    pub unit: String,
    pub note: String,
    pub alarm: bool,
    pub line: Html,
}

/// A reader and his load.
pub(super) struct ReaderLine {
    pub id: i64,
    pub name: String,
    pub badge: Html,
    pub bar: Html,
    pub numbers: String,
    pub until: String,
}

/// A kind of trouble and how often.
pub(super) struct Trouble {
    pub word: String,
    pub count: i64,
    pub href: String,
}

/// The board as it is shown.
pub(super) struct View {
    pub figures: Vec<Figure>,
    pub lanes: Vec<Lane>,
    pub backlog: Option<Html>,
    pub readers: Vec<ReaderLine>,
    pub trouble: Vec<Trouble>,
}

/// Puts a board into words.
pub(super) fn view(page: &Page, board: &Board) -> View {
    View {
        figures: figures(page, board),
        lanes: lanes::lanes(page, board),
        backlog: backlog(page, board),
        readers: board.readers.iter().map(|load| reader_line(page, board, load)).collect(),
        trouble: trouble(page, board),
    }
}

fn figures(page: &Page, board: &Board) -> Vec<Figure> {
    let lines = &board.lines;
    let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
    let figure = |key: &str, value: String, unit: String, note: String, alarm: bool, values: &[f64]| {
        let word = page.t(&format!("dispatch-figure-{key}"));
        let title = page.tv("dispatch-figure-line", &word);
        Figure { line: chart::sparkline(values, &title), word, value, unit, note, alarm }
    };
    #[expect(clippy::cast_possible_truncation, reason = "minutes of days")]
    let worst = chrono::TimeDelta::minutes(last(&lines.worst_wait_minutes) as i64);
    let cases = page.t("dispatch-unit-cases");
    let late = last(&lines.late);
    let paused = if board.paused == 0 { String::new() } else { page.tn("dispatch-paused-of-them", board.paused) };
    let gap = lines.gap_percent.last();
    vec![
        figure("waiting", format!("{:.0}", last(&lines.waiting)), cases.clone(), String::new(), false, &lines.waiting),
        figure("late", format!("{late:.0}"), cases, String::new(), late > 0.0, &lines.late),
        figure("worst", page.duration(worst), String::new(), String::new(), false, &lines.worst_wait_minutes),
        figure(
            "readers",
            format!("{:.0}", last(&lines.on_shift)),
            page.t("dispatch-unit-people"),
            paused,
            last(&lines.on_shift) < 1.0,
            &lines.on_shift,
        ),
        figure(
            "gap",
            gap.map_or_else(|| "—".to_owned(), |gap| format!("{gap:.1}")),
            if gap.is_some() { "%".to_owned() } else { String::new() },
            if gap.is_some() { String::new() } else { page.t("dispatch-no-plan") },
            false,
            &lines.gap_percent,
        ),
    ]
}

fn backlog(page: &Page, board: &Board) -> Option<Html> {
    let bars: Vec<Bar> = board
        .backlog
        .iter()
        .map(|of| Bar {
            label: of.modality.label(page.language).to_owned(),
            value: of.minutes,
            shown: format!("{:.0} {} / {}", of.minutes, page.t("dispatch-unit-minutes"), of.parts),
        })
        .collect();
    (!bars.is_empty()).then(|| chart::bars(&bars, &page.t("dispatch-backlog")))
}

fn reader_line(page: &Page, board: &Board, load: &ReaderLoad) -> ReaderLine {
    let (done, reading, planned) = (load.done_minutes, load.reading_minutes, load.planned_minutes);
    let capacity = f64::from(load.reader.capacity_minutes);
    let numbers = format!("{done:.0} + {reading:.0} + {planned:.0} / {capacity:.0}");
    let (tone, key) = match load.shift {
        Some(shift) if shift.starts_at <= page.now => {
            if load.reader.paused {
                (Tone::Warning, "dispatch-reader-paused")
            } else if load.on_duty {
                (Tone::Active, "dispatch-reader-on")
            } else {
                (Tone::Plain, "dispatch-reader-left")
            }
        }
        Some(_) => (Tone::Plain, "dispatch-reader-later"),
        None => (Tone::Plain, "dispatch-reader-off"),
    };
    let until = load.shift.map(|shift| {
        if shift.starts_at <= page.now {
            page.tv("dispatch-shift-until", page.time(shift.ends_at))
        } else {
            page.tv("dispatch-shift-from", page.time(shift.starts_at))
        }
    });
    let name = board.names.reader(page.language, load.reader.id);
    let in_hand = page.tn("dispatch-in-hand", load.in_hand);
    ReaderLine {
        id: load.reader.id.0,
        badge: badge::tone(tone, &page.t(key)),
        bar: chart::stacked(&[done, reading, planned], capacity, &format!("{name}: {numbers}")),
        numbers: format!("{numbers} {} ・ {in_hand}", page.t("dispatch-unit-minutes")),
        until: until.unwrap_or_default(),
        name,
    }
}

fn trouble(page: &Page, board: &Board) -> Vec<Trouble> {
    let of = &board.trouble;
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    [
        ("asked", count(of.asked)),
        ("conflicts", of.conflicts),
        ("claims", count(of.claims)),
        ("withdrawn", count(of.withdrawn)),
        ("deliveries", count(of.deliveries)),
        ("jobs", count(of.jobs)),
        ("quarantine", of.quarantine),
        ("refusals", of.refusals),
        ("silent", count(of.silent)),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(key, count)| Trouble {
        word: page.t(&format!("dispatch-trouble-{key}")),
        count,
        href: format!("/dispatch/trouble#{key}"),
    })
    .collect()
}
