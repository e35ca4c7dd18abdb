//! Refuses a problem that has no meaning, before anything is computed.

use std::collections::HashSet;

use crate::{Problem, Read, Reader, Settings};

/// Why a problem was refused. Messages name ids only.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemError {
    /// Two reads have one id.
    #[error("read {0} is given twice")]
    DuplicateRead(i64),
    /// Two readers have one id.
    #[error("reader {0} is given twice")]
    DuplicateReader(i64),
    /// A read has no part.
    #[error("read {0} has no part")]
    NoPart(i64),
    /// A number is not finite or not in its range.
    #[error("{what} of {noun} {id} is {value}, and must be {must}")]
    OutOfRange {
        /// `read` or `reader`.
        noun: &'static str,
        /// Its id.
        id: i64,
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        must: &'static str,
    },
    /// A setting has no meaning.
    #[error("setting {what}: {must}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What it must be.
        must: &'static str,
    },
}

/// Checks a whole problem; the first fault is returned.
pub(crate) fn check(problem: &Problem) -> Result<(), ProblemError> {
    check_settings(&problem.settings)?;
    let mut ids = HashSet::new();
    for reader in &problem.readers {
        if !ids.insert(reader.id) {
            return Err(ProblemError::DuplicateReader(reader.id));
        }
        check_reader(reader)?;
    }
    ids.clear();
    for read in &problem.reads {
        if !ids.insert(read.id) {
            return Err(ProblemError::DuplicateRead(read.id));
        }
        check_read(read)?;
    }
    Ok(())
}

fn check_reader(reader: &Reader) -> Result<(), ProblemError> {
    let wrong = |what, value, must| ProblemError::OutOfRange { noun: "reader", id: reader.id, what, value, must };
    for (what, value) in [
        ("available_from_minutes", reader.available_from_minutes),
        ("available_until_minutes", reader.available_until_minutes),
    ] {
        if !value.is_finite() {
            return Err(wrong(what, value, "a finite number"));
        }
    }
    for (what, value) in [("busy_minutes", reader.busy_minutes), ("done_minutes", reader.done_minutes)] {
        if !(0.0..f64::INFINITY).contains(&value) {
            return Err(wrong(what, value, "0 or more"));
        }
    }
    for (what, value) in [("capacity_minutes", reader.capacity_minutes), ("pace", reader.pace)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(wrong(what, value, "above 0"));
        }
    }
    match reader.skills.cells().find(|(_, value)| !(0.0..=100.0).contains(value)) {
        Some((_, value)) => Err(wrong("skill", value, "0 to 100")),
        None => Ok(()),
    }
}

fn check_read(read: &Read) -> Result<(), ProblemError> {
    let wrong = |what, value, must| ProblemError::OutOfRange { noun: "read", id: read.id, what, value, must };
    if read.parts.is_empty() {
        return Err(ProblemError::NoPart(read.id));
    }
    if let Some(work) = read.parts.iter().find(|work| !(work.minutes > 0.0 && work.minutes.is_finite())) {
        return Err(wrong("minutes", work.minutes, "above 0"));
    }
    if !(0.0..=1.0).contains(&read.urgency) {
        return Err(wrong("urgency", read.urgency, "0 to 1"));
    }
    if !read.due_in_minutes.is_finite() {
        return Err(wrong("due_in_minutes", read.due_in_minutes, "a finite number"));
    }
    if !(0.0..f64::INFINITY).contains(&read.waited_minutes) {
        return Err(wrong("waited_minutes", read.waited_minutes, "0 or more"));
    }
    Ok(())
}

fn check_settings(settings: &Settings) -> Result<(), ProblemError> {
    let wrong = |what, must| Err(ProblemError::Setting { what, must });
    let at_least_zero = |value: f64| (0.0..f64::INFINITY).contains(&value);
    for (what, value) in [
        ("urgency_weight", settings.urgency_weight),
        ("urgent_from", settings.urgent_from),
        ("skill_price", settings.skill_price),
        ("late_price_per_minute", settings.late_price_per_minute),
        ("overdue_work_price_per_minute", settings.overdue_work_price_per_minute),
        ("churn_price", settings.churn_price),
        ("continuity_price", settings.continuity_price),
        ("look_ahead_minutes", settings.look_ahead_minutes),
    ] {
        if !at_least_zero(value) {
            return wrong(what, "0 or more");
        }
    }
    if !settings.weight.all().into_iter().all(at_least_zero) {
        return wrong("weight", "0 or more for each priority");
    }
    if !settings.waiting_cap_minutes.all().into_iter().all(at_least_zero) {
        return wrong("waiting_cap_minutes", "0 or more for each priority");
    }
    if !(settings.waiting_cap_step_minutes > 0.0 && settings.waiting_cap_step_minutes.is_finite()) {
        return wrong("waiting_cap_step_minutes", "above 0");
    }
    if settings.horizons_minutes.len() > 7 || !settings.horizons_minutes.iter().all(|at| at_least_zero(*at)) {
        return wrong("horizons_minutes", "at most 7 numbers, each 0 or more");
    }
    if !settings.horizons_minutes.is_sorted() {
        return wrong("horizons_minutes", "rising");
    }
    if settings.load_steps.iter().any(|step| !at_least_zero(step.share) || !at_least_zero(step.price)) {
        return wrong("load_steps", "shares and prices 0 or more");
    }
    let prices: Vec<f64> = settings.load_steps.iter().map(|step| step.price).collect();
    if !prices.is_sorted() {
        return wrong("load_steps", "prices that rise: the load must be convex");
    }
    if !(settings.overload_price_per_minute.is_finite()
        && settings.overload_price_per_minute >= prices.last().copied().unwrap_or(0.0))
    {
        return wrong("overload_price_per_minute", "at least the price of the last load step");
    }
    Ok(())
}
