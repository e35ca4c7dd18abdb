//! An invented pool: readers with specialities, a mixed evening of reads. Equal arguments give equal pools.
#![allow(dead_code, reason = "each test binary uses its own share")]

use std::collections::BTreeSet;

use dokuei_assigner::{PartWork, Privileges, Problem, Read, Reader, Settings, SkillTable};
use dokuei_terms::{Modality, Part, Priority, Region};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, all: &[(T, u64)]) -> T {
        let total = all.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (value, weight) in all {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        all[0].0
    }
}

pub fn region(code: &str) -> Region {
    code.parse().expect("a region")
}

const KINDS: &[((&str, Modality, f64), u64)] = &[
    (("chest", Modality::Radiograph, 3.0), 30),
    (("chest.lung", Modality::Ct, 12.0), 14),
    (("abdomen", Modality::Ct, 14.0), 14),
    (("head.brain", Modality::Ct, 8.0), 10),
    (("head.brain", Modality::Mr, 14.0), 12),
    (("spine.lumbar", Modality::Mr, 15.0), 8),
    (("lower.knee", Modality::Mr, 14.0), 6),
    (("abdomen", Modality::Ultrasound, 6.0), 4),
    (("chest.breast", Modality::Mammography, 4.0), 2),
];

pub fn a_pool(reads: usize, readers: usize, seed: u64) -> Problem {
    let mut dice = Dice(seed);
    let readers = (1i64..).take(readers).map(|id| a_reader(id, &mut dice)).collect::<Vec<_>>();
    let reads = (1i64..).take(reads).map(|id| a_read(id, &readers, &mut dice)).collect();
    Problem { readers, reads, settings: Settings::default() }
}

fn a_reader(id: i64, dice: &mut Dice) -> Reader {
    let mut skills = SkillTable::default();
    let specialities: BTreeSet<u64> = (0..3).map(|_| dice.below(KINDS.len() as u64)).collect();
    for (i, ((code, modality, _), _)) in (0u64..).zip(KINDS) {
        let value = match specialities.contains(&i) {
            true => [80.0, 90.0, 100.0][dice.below(3) as usize],
            false => [0.0, 0.0, 10.0, 20.0, 50.0, 50.0, 60.0][dice.below(7) as usize],
        };
        skills.set(region(code), *modality, value);
    }
    let privileges = match dice.one_in(4) {
        true => Privileges::Sites((1..=20).filter(|_| !dice.one_in(3)).collect()),
        false => Privileges::All,
    };
    Reader {
        id,
        skills,
        privileges,
        available_from_minutes: -(dice.below(240) as f64),
        available_until_minutes: 120.0 + dice.below(360) as f64,
        logged_in: !dice.one_in(20),
        paused: dice.one_in(20),
        busy_minutes: dice.below(12) as f64,
        capacity_minutes: 240.0 + dice.below(240) as f64,
        done_minutes: dice.below(120) as f64,
        pace: 0.8 + dice.below(50) as f64 / 100.0,
        knows_patients: (0..dice.below(10)).map(|_| dice.below(400) as i64).collect(),
    }
}

fn a_read(id: i64, readers: &[Reader], dice: &mut Dice) -> Read {
    let priority =
        dice.of(&[(Priority::Stat, 2), (Priority::Urgent, 8), (Priority::Priority, 18), (Priority::Routine, 72)]);
    let (code, modality, minutes) = dice.of(KINDS);
    let work = |code, modality, minutes| PartWork { part: Part::new(region(code), modality), minutes };
    let mut parts = vec![work(code, modality, minutes * (0.7 + dice.below(60) as f64 / 100.0))];
    if code == "chest.lung" && dice.one_in(2) {
        parts.push(work("abdomen", Modality::Ct, 8.0));
    }
    let allowed = match priority {
        Priority::Stat => 60.0,
        Priority::Urgent => 240.0,
        Priority::Priority => 600.0,
        Priority::Routine => 1600.0,
    };
    let waited_minutes = dice.below((allowed * 0.6) as u64) as f64;
    let someone = |dice: &mut Dice| readers[dice.below(readers.len() as u64) as usize].id;
    Read {
        id,
        case: id,
        site: 1 + dice.below(20) as i64,
        patient: Some(dice.below(400) as i64),
        parts,
        priority,
        urgency: dice.below(100) as f64 / 100.0,
        due_in_minutes: allowed - waited_minutes,
        waited_minutes,
        current: (dice.one_in(2) && !readers.is_empty()).then(|| someone(dice)),
        pin: None,
        excluded: vec![],
        not_reader_of: vec![],
    }
}
