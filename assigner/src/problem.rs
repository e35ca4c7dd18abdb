//! What the caller knows: readers, reads, settings.
//!
//! Times are minutes relative to the caller's "now". A read in progress is not
//! sent as a read: it is its reader's `busy_minutes`. A read on hold is not sent.

use std::collections::BTreeSet;

use dokuei_terms::{Part, Priority};
use serde::{Deserialize, Serialize};

use crate::{Settings, SkillTable};

/// A read's id in the caller's books.
pub type ReadId = i64;
/// A reader's id in the caller's books.
pub type ReaderId = i64;
/// A site's id in the caller's books.
pub type SiteId = i64;
/// A case's id in the caller's books.
pub type CaseId = i64;
/// A key that is equal for reads of one patient; it says nothing else about him.
pub type PatientKey = i64;

/// One pool's readers and open reads at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Everyone who might read, whoever is not available included (so that a plan can say why).
    pub readers: Vec<Reader>,
    /// Every read that is open or assigned, and not held.
    pub reads: Vec<Read>,
    /// Prices, caps and weights.
    pub settings: Settings,
}

/// A part of a read with the minutes a reader of ordinary speed needs for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PartWork {
    /// Region, modality and side.
    pub part: Part,
    /// Expected reading minutes, above 0.
    pub minutes: f64,
}

/// One reading of a case, to be given to one reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Unique among the reads.
    pub id: ReadId,
    /// The case. Reads of one case always go to different readers.
    pub case: CaseId,
    /// The site that asks, whose privilege a reader needs.
    pub site: SiteId,
    /// Patient, for continuity only; `None` when unknown.
    pub patient: Option<PatientKey>,
    /// At least one part.
    pub parts: Vec<PartWork>,
    /// What the site declared.
    pub priority: Priority,
    /// Prescreen's urgency, 0..=1.
    pub urgency: f64,
    /// Minutes until the report is due; negative when it is late already.
    pub due_in_minutes: f64,
    /// Minutes since the read could first have been started, at least 0.
    pub waited_minutes: f64,
    /// The reader it is published to, if it is assigned. Moving it away costs the churn price.
    pub current: Option<ReaderId>,
    /// A dispatcher's pin. It overrules every soft term, and no hard rule.
    pub pin: Option<ReaderId>,
    /// Readers who shall not have it, each with a reason.
    pub excluded: Vec<Exclude>,
    /// Readers who signed, or are at work on, another read of the same case.
    pub not_reader_of: Vec<ReaderId>,
}

impl Read {
    /// The minutes an ordinary reader needs for all parts.
    pub fn minutes(&self) -> f64 {
        self.parts.iter().map(|work| work.minutes).sum()
    }
}

/// One reader kept from one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclude {
    /// Who is kept from it.
    pub reader: ReaderId,
    /// Why.
    pub reason: ExclusionReason,
}

/// Why a reader is kept from a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// The reader gave it back.
    Declined,
    /// He did not accept or start it in time.
    NotStarted,
    /// A dispatcher decided so.
    Dispatcher,
    /// A conflict of interest, e.g. he treats or knows the patient.
    ConflictOfInterest,
    /// The contract with the site forbids it.
    Contract,
}

/// Which sites a reader may read for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privileges {
    /// All sites.
    All,
    /// Only these.
    Sites(BTreeSet<SiteId>),
}

/// One reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reader {
    /// Unique among the readers.
    pub id: ReaderId,
    /// What he reads how well.
    pub skills: SkillTable,
    /// For whom he may read.
    pub privileges: Privileges,
    /// When his shift begins; 0 or below when it has.
    pub available_from_minutes: f64,
    /// When his shift ends.
    pub available_until_minutes: f64,
    /// He is logged in.
    pub logged_in: bool,
    /// He paused his shift.
    pub paused: bool,
    /// Minutes left of the reads he is at work on, at least 0.
    pub busy_minutes: f64,
    /// The minutes of work he takes in this shift, above 0: the measure of a fair share.
    pub capacity_minutes: f64,
    /// Minutes of work he has done in this shift, at least 0.
    pub done_minutes: f64,
    /// His minutes per ordinary minute: 1 is ordinary, 0.8 quicker, above 0.
    pub pace: f64,
    /// Patients of whom he has a read in hand or read one lately.
    pub knows_patients: BTreeSet<PatientKey>,
}

impl Reader {
    /// The first minute at which he could begin something new.
    pub fn free_in_minutes(&self) -> f64 {
        self.available_from_minutes.max(0.0) + self.busy_minutes
    }

    /// The minutes he needs for a read.
    pub fn minutes_for(&self, read: &Read) -> f64 {
        read.minutes() * self.pace
    }
}
