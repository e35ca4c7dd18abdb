//! A hospital day: examinations as they leave the three referring sites.
//!
//! An endless or counted sequence, a function of the seed and of the moment at
//! which the day begins. Age, sex, region, protocol, question and priority fit
//! one another. Some exams have a *twist*, as real days do; the pictures
//! themselves always show what the order says, so a wrong label is a label's
//! fault.

mod catalogue;
mod exam;
mod people;
mod shots;

pub use catalogue::SurveyClass;
pub use exam::{Exam, Late, RequestForm, RequestKind, RequestSource, Twist};

use std::sync::Arc;

use chrono::{Duration, NaiveDateTime};
use dokuei_terms::{Laterality, Part, Priority};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{
    dicom::{Charset, Patient, Study, uid},
    phantom::{bodies::Build, noise::mix},
};
use catalogue::{Acuity, PROCEDURES, Procedure, Question};

/// Mean seconds between two exams.
const MEAN_GAP_SECONDS: f32 = 75.0;

/// The day of a seed that begins at `start` (Japan Standard Time); `count` exams, or without end.
///
/// The first exam leaves after one second. Exams come in order of `offset_seconds`.
pub fn day(seed: u64, start: NaiveDateTime, count: Option<usize>) -> impl Iterator<Item = Exam> + Send {
    let chain = [seed, start.and_utc().timestamp() as u64];
    let state =
        Day { chain, start, rng: Xoshiro256PlusPlus::seed_from_u64(mix(seed ^ mix(chain[1]))), index: 0, clock: 1.0 };
    state.take(count.unwrap_or(usize::MAX))
}

struct Day {
    chain: [u64; 2],
    start: NaiveDateTime,
    rng: Xoshiro256PlusPlus,
    index: u64,
    clock: f32,
}

/// A referring site as its devices see it.
struct Sender {
    ae_title: &'static str,
    letter: char,
    charset: Charset,
    institution: &'static str,
    station: &'static str,
    phone: &'static str,
    monochrome1: bool,
    orders_drop_zeros: bool,
}

const SENDERS: [Sender; 3] = [
    Sender {
        ae_title: "HOSPITAL_A",
        letter: 'A',
        charset: Charset::Kanji,
        institution: "架空市立みなと総合病院",
        station: "DEMO_A1",
        phone: "000-1000-2199",
        monochrome1: false,
        orders_drop_zeros: false,
    },
    Sender {
        ae_title: "HOSPITAL_B",
        letter: 'B',
        charset: Charset::Utf8,
        institution: "見本会やまて病院",
        station: "DEMO_B1",
        phone: "000-1000-0022",
        monochrome1: true,
        orders_drop_zeros: true,
    },
    Sender {
        ae_title: "CLINIC_C",
        letter: 'C',
        charset: Charset::KanaKanji,
        institution: "模擬健診クリニック",
        station: "DEMO_C1",
        phone: "000-1000-0033",
        monochrome1: false,
        orders_drop_zeros: false,
    },
];

impl Iterator for Day {
    type Item = Exam;

    fn next(&mut self) -> Option<Exam> {
        let exam = self.exam();
        self.index += 1;
        let share: f32 = self.rng.random_range(0.0001..1.0);
        self.clock += (-share.ln() * MEAN_GAP_SECONDS).max(1.0);
        Some(exam)
    }
}

/// What was decided of an exam before it is written down.
struct Choice {
    procedure: &'static Procedure,
    question: &'static Question,
    site: usize,
    patient: Patient,
    side: Laterality,
    twist: Twist,
    priority: Priority,
}

impl Day {
    fn pick(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let mut left = self.rng.random_range(0..weights.clone().sum::<u32>().max(1));
        for (at, weight) in weights.enumerate() {
            if left < weight {
                return at;
            }
            left -= weight;
        }
        0
    }

    fn one_in(&mut self, share: f32) -> bool {
        self.rng.random_range(0.0..1.0_f32) < share
    }

    fn choose(&mut self) -> Choice {
        let procedure = &PROCEDURES[self.pick(PROCEDURES.iter().map(|p| p.share))];
        let able = procedure.questions.iter().any(|q| q.acuity == Acuity::Emergency);
        // Four procedures of 315 per mille may be stat: 6.3 % of those make 2 % of all.
        let stat = able && self.one_in(0.0635);
        let fits = |q: &&Question| (q.acuity == Acuity::Emergency) == stat;
        let questions: Vec<&'static Question> = procedure.questions.iter().filter(fits).collect();
        let question = questions[self.rng.random_range(0..questions.len())];
        let site = match (stat, question.acuity) {
            (true, _) => usize::from(self.one_in(0.25)),
            (_, Acuity::CheckUp) => self.pick(procedure.sites.iter().copied()),
            // The clinic examines healthy people; the sick are at the hospitals.
            _ => self.pick(procedure.sites[..2].iter().copied()),
        };
        let patient = people::patient(&mut self.rng, SENDERS[site].ae_title, question, self.start.date());
        let side = match (procedure.paired, self.one_in(0.5)) {
            (false, _) => Laterality::None,
            (true, true) => Laterality::Left,
            (true, false) => Laterality::Right,
        };
        let (urgent, prior) = (self.one_in(0.35), self.one_in(0.12));
        let priority = match question.acuity {
            Acuity::Emergency => Priority::Stat,
            Acuity::Acute if urgent => Priority::Urgent,
            Acuity::Acute => Priority::Priority,
            Acuity::Planned if prior => Priority::Priority,
            Acuity::Planned | Acuity::CheckUp => Priority::Routine,
        };
        let twist = match self.rng.random_range(0.0..1.0_f32) {
            x if x < 0.20 => Twist::EarlierStudy,
            x if x < 0.25 => Twist::WrongLabel,
            // A stat request is never forgotten: somebody is at the telephone.
            x if x < 0.30 && !stat => Twist::NoRequest,
            x if x < 0.38 => Twist::LateImages,
            _ => Twist::None,
        };
        Choice { procedure, question, site, patient, side, twist, priority }
    }

    fn exam(&mut self) -> Exam {
        let mut choice = self.choose();
        let sender = &SENDERS[choice.site];
        let offset_seconds = self.clock as u64;
        let sent = self.start + Duration::seconds(offset_seconds as i64);
        let tag = mix(self.chain[0] ^ mix(self.chain[1])) & 0xFFF;
        let accession = format!("{}{}{tag:03X}{:05}", sender.letter, sent.format("%y%m%d"), self.index % 100_000);
        let build = Build {
            seed: mix(self.chain[0] ^ mix(self.index)),
            female: choice.patient.sex == crate::dicom::Sex::Female,
            age: choice.patient.age_on(sent.date()),
            finding: self.one_in(choice.question.shown),
        };
        let taken = sent - Duration::minutes(self.rng.random_range(4..25));
        let mut study = self.study(&choice, sender, build, &accession, taken, 1);
        let late = (choice.twist == Twist::LateImages).then(|| exam::late(&mut study, self.rng.random_range(30..240)));
        if late.as_ref().is_some_and(|late| late.series.is_empty()) {
            choice.twist = Twist::None;
        }
        let earlier = (choice.twist == Twist::EarlierStudy).then(|| {
            let before = taken - Duration::days(self.rng.random_range(90..700));
            // The earlier study was of the same body, before the finding.
            let build = Build { finding: false, age: choice.patient.age_on(before.date()), ..build };
            let accession = format!("{}{}P{:05}", sender.letter, before.format("%y%m%d"), self.index % 100_000);
            Arc::new(self.study(&choice, sender, build, &accession, before, 2))
        });
        let request = (choice.twist != Twist::NoRequest).then(|| self.request(&choice, sender, &accession, &study));
        Exam {
            index: self.index,
            offset_seconds,
            site: sender.ae_title,
            survey_class: choice.procedure.class,
            patient: choice.patient,
            request,
            study: Arc::new(study),
            late: late.filter(|late| !late.series.is_empty()),
            earlier,
            twist: choice.twist,
        }
    }

    fn study(
        &mut self,
        choice: &Choice,
        sender: &Sender,
        build: Build,
        accession: &str,
        started: NaiveDateTime,
        which: u64,
    ) -> Study {
        let chain = [self.chain[0], self.chain[1], self.index, which];
        let (right, wrong) = choice.procedure.body_part;
        let wrong_now = choice.twist == Twist::WrongLabel && which == 1;
        // On a paired part the usual slip is the side; elsewhere it is the part.
        let (body_part, laterality) = match (wrong_now, choice.side) {
            (true, Laterality::Left) => (right, Laterality::Right),
            (true, Laterality::Right) => (right, Laterality::Left),
            (true, side) => (wrong, side),
            (false, side) => (right, side),
        };
        let label = shots::Label { body_part, laterality, pictured: choice.side, monochrome1: sender.monochrome1 };
        let forgotten = choice.twist == Twist::NoRequest && which == 1 && self.one_in(0.5);
        Study {
            uid: uid(&chain),
            id: format!("{}", 1000 + self.index),
            started,
            accession: if forgotten { String::new() } else { accession.to_owned() },
            description: match choice.side {
                Laterality::None => choice.procedure.name.to_owned(),
                side => format!("{}{}", side.label(dokuei_terms::Language::Ja), choice.procedure.name),
            },
            referring: people::doctor(sender.letter, choice.question.department).1,
            patient: choice.patient.clone(),
            charset: sender.charset,
            institution: sender.institution.to_owned(),
            station: sender.station.to_owned(),
            build,
            series: shots::series(choice.procedure, &build, &label, &chain),
        }
    }

    fn request(&mut self, choice: &Choice, sender: &Sender, accession: &str, study: &Study) -> RequestForm {
        let (login, doctor) = people::doctor(sender.letter, choice.question.department);
        let id = choice.patient.id.as_str();
        let part = |&(code, modality): &(&str, dokuei_terms::Modality)| {
            code.parse().ok().map(|region| Part { region, modality, laterality: choice.side })
        };
        let check_up = choice.question.acuity == Acuity::CheckUp;
        RequestForm {
            accession: accession.to_owned(),
            study_uid: study.uid.clone(),
            patient_id: if sender.orders_drop_zeros && self.one_in(0.3) { id.trim_start_matches('0') } else { id }
                .to_owned(),
            ordering_login: login,
            ordering_doctor: doctor,
            department: choice.question.department.to_owned(),
            phone: sender.phone.to_owned(),
            examination: study.description.clone(),
            parts: choice.procedure.parts.iter().filter_map(part).collect(),
            question: choice.question.text.to_owned(),
            history: people::history(&mut self.rng, choice.patient.age_on(study.started.date()), check_up),
            kind: if choice.procedure.class == SurveyClass::Mammography && check_up {
                RequestKind::IndependentDouble
            } else {
                RequestKind::Reading
            },
            priority: choice.priority,
            source: match choice.question.acuity {
                Acuity::Emergency => RequestSource::Emergency,
                Acuity::CheckUp => RequestSource::CheckUp,
                _ if choice.question.department == "救急科" => RequestSource::Emergency,
                _ if self.one_in(0.3) => RequestSource::Ward,
                _ => RequestSource::Outpatient,
            },
        }
    }
}

#[cfg(test)]
mod tests;
