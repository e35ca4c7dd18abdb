//! `verify(rule).given(&read, &reader).breaks_hard_by(1)`: one rule, alone.

use std::collections::BTreeSet;

use dokuei_terms::{Modality, Part, Priority, Region};

use super::{Blocked, HardRule};
use crate::{PartWork, Privileges, Read, Reader, Settings, SkillTable};

pub(super) fn verify(rule: HardRule) -> Verifier {
    Verifier { rule, settings: Settings::default() }
}

pub(super) struct Verifier {
    rule: HardRule,
    settings: Settings,
}

impl Verifier {
    pub(super) fn with(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    pub(super) fn given(&self, read: &Read, reader: &Reader) -> Verdict {
        Verdict((self.rule)(read, reader, &self.settings))
    }
}

pub(super) struct Verdict(pub(super) Option<Blocked>);

impl Verdict {
    #[track_caller]
    pub(super) fn breaks_hard_by(self, times: usize) -> Self {
        assert_eq!(usize::from(self.0.is_some()), times, "{:?}", self.0);
        self
    }

    #[track_caller]
    pub(super) fn because(self, blocked: Blocked) {
        assert_eq!(self.0, Some(blocked));
    }
}

pub(super) fn part(region: &str, modality: Modality) -> Part {
    Part::new(region.parse::<Region>().expect("a region"), modality)
}

/// A routine head CT of site 1.
pub(super) fn a_read() -> Read {
    Read {
        id: 1,
        case: 1,
        site: 1,
        patient: None,
        parts: vec![PartWork { part: part("head.brain", Modality::Ct), minutes: 10.0 }],
        priority: Priority::Routine,
        urgency: 0.1,
        due_in_minutes: 600.0,
        waited_minutes: 0.0,
        current: None,
        pin: None,
        excluded: vec![],
        not_reader_of: vec![],
    }
}

/// Someone on shift who reads head CT and chest radiographs.
pub(super) fn a_reader() -> Reader {
    let skills: SkillTable = [
        ((part("head", Modality::Ct).region, Modality::Ct), 80.0),
        ((part("chest", Modality::Radiograph).region, Modality::Radiograph), 50.0),
    ]
    .into_iter()
    .collect();
    Reader {
        id: 7,
        skills,
        privileges: Privileges::All,
        available_from_minutes: -60.0,
        available_until_minutes: 420.0,
        logged_in: true,
        paused: false,
        busy_minutes: 0.0,
        capacity_minutes: 480.0,
        done_minutes: 0.0,
        pace: 1.0,
        knows_patients: BTreeSet::new(),
    }
}
