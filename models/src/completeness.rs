//! Whether all of a study is here, and how that is known. Pure: no clock, no connection.
//!
//! Nothing in DICOM says that a study is complete. What is said (a count on the
//! request, performed procedure steps, availability notifications, Images in
//! Acquisition, a released association, silence, a person) is weighed here, and
//! each verdict comes with its reasons. A verdict never rests on silence alone
//! where somebody counted and the count is not reached.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;

use crate::codes::codes;
use crate::store::evidence::{EvidenceKind, EvidenceRow};

codes! {
    /// What is believed of a study.
    Verdict {
        /// Everything that somebody counted is here, and nothing says that more comes.
        Complete => "complete",
        /// Nothing speaks against it, and nobody counted.
        Probably => "probably",
        /// More is known or thought to come.
        Coming => "coming",
    }
}

codes! {
    /// What one piece of evidence says.
    Says {
        /// Its count is reached.
        Met => "met",
        /// Its count is not reached.
        Short => "short",
        /// It goes on: a step in progress, an open association.
        Running => "running",
        /// It has ended: a released association, a passed quiet time.
        Ended => "ended",
        /// It has not happened yet: the quiet time.
        Awaited => "awaited",
        /// More came since it was said.
        Outdated => "outdated",
    }
}

/// What is here of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Instances that came, withdrawn ones too: they count against what was announced.
    pub instances: i32,
    /// The same, by Series Instance UID.
    pub by_series: BTreeMap<String, i32>,
    /// For how long nothing has come.
    pub quiet_for: TimeDelta,
    /// For how long nothing must come by the site's rule.
    pub quiet_needed: TimeDelta,
    /// Whether an association that brought instances of it is open.
    pub sending: bool,
}

/// One reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Who says it.
    pub kind: EvidenceKind,
    /// Which of its kind.
    pub source: String,
    /// What it says.
    pub says: Says,
    /// How many instances it expects.
    pub expected: Option<i32>,
    /// How many of those are here.
    pub received: i32,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// What is believed.
    pub verdict: Verdict,
    /// How many instances there should be, by whoever expects most.
    pub expected: Option<i32>,
    /// How many are here.
    pub received: i32,
    /// What it rests on.
    pub reasons: Vec<Reason>,
}

impl Completeness {
    /// How many are known to be missing.
    pub fn missing(&self) -> i32 {
        self.expected.map_or(0, |expected| (expected - self.received).max(0))
    }

    /// Whether the study may be put into its case without waiting for silence.
    pub fn is_complete(&self) -> bool {
        self.verdict == Verdict::Complete
    }
}

/// Weighs what is here against what was said: `newest` holds the newest row of each kind and source.
pub fn judge(arrived: &Arrived, newest: &[EvidenceRow]) -> Completeness {
    let mut reasons: Vec<Reason> = newest.iter().filter_map(|row| reason_of(arrived, row)).collect();
    let quiet = arrived.quiet_for >= arrived.quiet_needed;
    reasons.push(Reason {
        kind: EvidenceKind::Quiet,
        source: String::new(),
        says: if quiet { Says::Ended } else { Says::Awaited },
        expected: None,
        received: arrived.instances,
    });
    if arrived.sending {
        reasons.push(Reason {
            kind: EvidenceKind::Release,
            source: String::new(),
            says: Says::Running,
            expected: None,
            received: arrived.instances,
        });
    }
    let person = reasons.iter().any(|reason| reason.kind == EvidenceKind::Person && reason.says == Says::Met);
    let counted = |says| reasons.iter().any(|reason| is_count(reason.kind) && reason.says == says);
    let by_device =
        |says| reasons.iter().any(|reason| reason.kind == EvidenceKind::ImagesInAcquisition && reason.says == says);
    let steps: i32 = sum(&reasons, EvidenceKind::Mpps);
    let steps_short = steps > arrived.instances;
    let verdict = if person {
        Verdict::Complete
    } else if counted(Says::Short) || counted(Says::Running) || steps_short {
        Verdict::Coming
    } else if counted(Says::Met) {
        if arrived.sending && !quiet { Verdict::Probably } else { Verdict::Complete }
    } else if by_device(Says::Short) {
        // A device may count what it never sends: silence outweighs it.
        if quiet { Verdict::Probably } else { Verdict::Coming }
    } else if !quiet {
        Verdict::Coming
    } else if by_device(Says::Met) && !arrived.sending {
        Verdict::Complete
    } else {
        Verdict::Probably
    };
    let expected = reasons
        .iter()
        .filter(|reason| matches!(reason.kind, EvidenceKind::Request | EvidenceKind::Ian | EvidenceKind::Person))
        .filter_map(|reason| reason.expected)
        .chain([steps, sum(&reasons, EvidenceKind::ImagesInAcquisition)])
        .filter(|count| *count > 0)
        .max();
    let expected = if person { Some(arrived.instances) } else { expected };
    Completeness { verdict, expected, received: arrived.instances, reasons }
}

/// The kinds whose count somebody answers for.
const fn is_count(kind: EvidenceKind) -> bool {
    matches!(kind, EvidenceKind::Request | EvidenceKind::Mpps | EvidenceKind::Ian | EvidenceKind::Person)
}

fn sum(reasons: &[Reason], kind: EvidenceKind) -> i32 {
    reasons.iter().filter(|reason| reason.kind == kind).filter_map(|reason| reason.expected).sum()
}

/// What a row says now. `None` for a row that says nothing of its own.
fn reason_of(arrived: &Arrived, row: &EvidenceRow) -> Option<Reason> {
    let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap_or_default();
    let received = match row.kind {
        EvidenceKind::ImagesInAcquisition => arrived.by_series.get(&row.source).copied().unwrap_or(0),
        // A step is held against the series that it made.
        EvidenceKind::Mpps => match detail.get("series").and_then(serde_json::Value::as_array) {
            Some(made) => {
                let uids = made.iter().filter_map(|one| one.get("series").and_then(serde_json::Value::as_str));
                uids.filter_map(|uid| arrived.by_series.get(uid)).sum()
            }
            None => arrived.instances,
        },
        _ => arrived.instances,
    };
    let counts = row.expected_instances.map(|expected| if expected > received { Says::Short } else { Says::Met });
    let says = match row.kind {
        EvidenceKind::Quiet => return None,
        EvidenceKind::Release => Says::Ended,
        // PS3.3 C.4.14: IN PROGRESS, COMPLETED or DISCONTINUED.
        EvidenceKind::Mpps if detail.get("step").and_then(|status| status.as_str()) == Some("IN PROGRESS") => {
            Says::Running
        }
        EvidenceKind::Mpps => counts.unwrap_or(Says::Ended),
        // Who says "all is here" says how many that were.
        EvidenceKind::Person => match row.expected_instances {
            Some(expected) if expected < received => Says::Outdated,
            Some(expected) if expected > received => Says::Short,
            _ => Says::Met,
        },
        EvidenceKind::Request | EvidenceKind::Ian | EvidenceKind::ImagesInAcquisition => counts?,
    };
    Some(Reason { kind: row.kind, source: row.source.clone(), says, expected: row.expected_instances, received })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SiteId;

    const QUIET: i64 = 60;

    fn arrived(instances: i32, quiet_for: i64, sending: bool) -> Arrived {
        Arrived {
            instances,
            by_series: BTreeMap::from([("1.2.1".to_owned(), instances)]),
            quiet_for: TimeDelta::seconds(quiet_for),
            quiet_needed: TimeDelta::seconds(QUIET),
            sending,
        }
    }

    fn said(kind: EvidenceKind, expected: Option<i32>, detail: &str) -> EvidenceRow {
        EvidenceRow {
            id: 1,
            site_id: SiteId(1),
            study_uid: "1.2".into(),
            kind,
            source: if kind == EvidenceKind::ImagesInAcquisition { "1.2.1".into() } else { "s".into() },
            expected_instances: expected,
            detail: detail.into(),
            at: chrono::NaiveDateTime::default(),
        }
    }

    #[test]
    fn the_table_of_verdicts() {
        use EvidenceKind::{Ian, ImagesInAcquisition, Mpps, Person, Release, Request};
        use Verdict::{Coming, Complete, Probably};
        const RUNS: &str = r#"{"step":"IN PROGRESS"}"#;
        const DONE: &str = r#"{"step":"COMPLETED","series":[{"series":"1.2.1","instances":350}]}"#;
        type Line = (&'static str, i32, i64, bool, Vec<EvidenceRow>, Verdict, Option<i32>);
        let table: Vec<Line> = vec![
            ("nothing said, still coming", 10, 5, true, vec![], Coming, None),
            ("silence while the sender is there", 10, 60, true, vec![], Probably, None),
            ("released, not silent yet", 10, 5, false, vec![said(Release, None, "{}")], Coming, None),
            ("released and silent", 10, 60, false, vec![said(Release, None, "{}")], Probably, None),
            ("the request counts more", 312, 600, false, vec![said(Request, Some(350), "{}")], Coming, Some(350)),
            ("the request's count is here", 350, 1, false, vec![said(Request, Some(350), "{}")], Complete, Some(350)),
            ("and more than that", 351, 1, false, vec![said(Request, Some(350), "{}")], Complete, Some(350)),
            (
                "the count is here, the sender too",
                350,
                1,
                true,
                vec![said(Request, Some(350), "{}")],
                Probably,
                Some(350),
            ),
            (
                "a step goes on",
                350,
                600,
                false,
                vec![said(Request, Some(350), "{}"), said(Mpps, None, RUNS)],
                Coming,
                Some(350),
            ),
            ("the step is done", 350, 1, false, vec![said(Mpps, Some(350), DONE)], Complete, Some(350)),
            ("the step made more", 349, 600, false, vec![said(Mpps, Some(350), DONE)], Coming, Some(350)),
            ("a step without a count says nothing of it", 9, 60, false, vec![said(Mpps, None, "{}")], Probably, None),
            ("the sender has more", 300, 600, false, vec![said(Ian, Some(350), "{}")], Coming, Some(350)),
            (
                "one short against one met",
                312,
                600,
                false,
                vec![said(Request, Some(300), "{}"), said(Ian, Some(350), "{}")],
                Coming,
                Some(350),
            ),
            ("the device counts more", 30, 5, false, vec![said(ImagesInAcquisition, Some(40), "{}")], Coming, Some(40)),
            (
                "and silence outweighs it",
                30,
                60,
                false,
                vec![said(ImagesInAcquisition, Some(40), "{}")],
                Probably,
                Some(40),
            ),
            (
                "the device's count and silence",
                40,
                60,
                false,
                vec![said(ImagesInAcquisition, Some(40), "{}")],
                Complete,
                Some(40),
            ),
            (
                "a person says that is all",
                312,
                1,
                false,
                vec![said(Request, Some(350), "{}"), said(Person, Some(312), "{}")],
                Complete,
                Some(312),
            ),
            (
                "and more comes after all",
                313,
                1,
                false,
                vec![said(Request, Some(350), "{}"), said(Person, Some(312), "{}")],
                Coming,
                Some(350),
            ),
            ("a person expects more", 10, 600, false, vec![said(Person, Some(12), "{}")], Coming, Some(12)),
        ];
        for (what, instances, quiet_for, sending, evidence, verdict, expected) in table {
            let found = judge(&arrived(instances, quiet_for, sending), &evidence);
            assert_eq!((found.verdict, found.expected), (verdict, expected), "{what}: {:?}", found.reasons);
        }
    }

    #[test]
    fn two_steps_are_added_up_and_each_is_held_against_its_own_series() {
        let mut here = arrived(100, 60, false);
        here.by_series = BTreeMap::from([("1.2.1".to_owned(), 40), ("1.2.2".to_owned(), 60)]);
        let step = |source: &str, uid: &str, count: i32| EvidenceRow {
            source: source.to_owned(),
            ..said(
                EvidenceKind::Mpps,
                Some(count),
                &format!(r#"{{"step":"COMPLETED","series":[{{"series":"{uid}","instances":{count}}}]}}"#),
            )
        };
        let found = judge(&here, &[step("a", "1.2.1", 40), step("b", "1.2.2", 70)]);
        assert_eq!((found.verdict, found.expected, found.missing()), (Verdict::Coming, Some(110), 10));
        let says: Vec<Says> =
            found.reasons.iter().filter(|one| one.kind == EvidenceKind::Mpps).map(|one| one.says).collect();
        assert_eq!(says, [Says::Met, Says::Short]);
        assert!(judge(&here, &[step("a", "1.2.1", 40), step("b", "1.2.2", 60)]).is_complete());
    }
}
