//! A bare assignment instance of one level, for comparing solvers: cases, eligible readers, a convex price of minutes.
//!
//! ```text
//! minimise    sum over the chosen pairs of cost + sum over readers of price(minutes) + sum over cases left out of drop
//! subject to  each case with one reader of its pairs, or left out
//!             a reader's minutes at most the widths of his segments together
//! ```
//! Minutes are minutes, costs, prices times minutes and drops are points.

use serde::{Deserialize, Serialize};

use crate::plan::StoppedBy;
use crate::solve::model::{Choices, Meter, Model, Pair, QUALITY};
use crate::solve::{Budget, Solved, solve};

/// An instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// How many cases there are; they are named 0, 1, ...
    pub cases: usize,
    /// How many readers there are; they are named 0, 1, ...
    pub readers: usize,
    /// Who may read what.
    pub pairs: Vec<InstancePair>,
    /// For each reader the price of his minutes, prices rising. Beyond the last segment nothing may come.
    pub load_segments: Vec<Vec<Segment>>,
    /// For each case the points lost if nobody reads it.
    pub drop: Vec<f64>,
}

/// A case with a reader who may have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InstancePair {
    /// The case.
    pub case: usize,
    /// The reader.
    pub reader: usize,
    /// Points.
    pub cost: f64,
    /// Minutes that he needs.
    pub minutes: f64,
}

/// A segment of the price of a reader's minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Minutes.
    pub width: f64,
    /// Points a minute.
    pub price: f64,
}

/// What is wrong with an instance.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InstanceError {
    /// A list has not one entry for each case or reader.
    #[error("`{list}` has {found} entries and should have {wanted}, one for each {of}")]
    Length {
        /// Which list.
        list: &'static str,
        /// How many entries it has.
        found: usize,
        /// How many it should have.
        wanted: usize,
        /// Of what one entry each.
        of: &'static str,
    },
    /// A pair names a case or reader that is not there.
    #[error(
        "pair {at} names case {case} and reader {reader}; cases go from 0 to {cases}, readers from 0 to {readers}, both ends apart"
    )]
    Unknown {
        /// Which pair.
        at: usize,
        /// Its case.
        case: usize,
        /// Its reader.
        reader: usize,
        /// How many cases there are.
        cases: usize,
        /// How many readers there are.
        readers: usize,
    },
    /// A pair stands there twice.
    #[error("case {case} and reader {reader} are paired twice")]
    Twice {
        /// The case.
        case: usize,
        /// The reader.
        reader: usize,
    },
    /// A number that has no meaning in its place.
    #[error("{what} of {of} {at} is {value}: it should be {should}")]
    Number {
        /// What it is.
        what: &'static str,
        /// Of what.
        of: &'static str,
        /// Of which.
        at: usize,
        /// The value.
        value: f64,
        /// What it should be.
        should: &'static str,
    },
    /// A reader's prices fall: the model would not be convex.
    #[error("the prices of reader {reader} fall from {before} to {after}: they should rise from segment to segment")]
    Falling {
        /// The reader.
        reader: usize,
        /// A price.
        before: f64,
        /// The next one.
        after: f64,
    },
}

/// A plan of an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstancePlan {
    /// Who reads what; a case that is not here is left out. By case.
    pub assignments: Vec<Assignment>,
    /// The plan's value.
    pub objective: f64,
    /// No plan has a lower value.
    pub bound: f64,
    /// What ended the work.
    pub stopped_by: StoppedBy,
    /// There was no time for more than a greedy plan.
    pub greedy_only: bool,
}

/// One case with its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The case.
    pub case: usize,
    /// The reader.
    pub reader: usize,
}

impl InstancePlan {
    /// `(objective - bound) / bound`, 0 if both are equal; infinite above a bound of 0.
    pub fn gap(&self) -> f64 {
        let apart = self.objective - self.bound;
        if apart <= 1e-9 { 0.0 } else { apart / self.bound.max(0.0) }
    }
}

impl Instance {
    /// Plans the instance with a seed within a budget; `spent` is the share of the caller's time that is spent.
    ///
    /// # Errors
    /// An instance that has no meaning is refused before anything is computed.
    pub fn plan(&self, seed: u64, budget: &Budget, spent: &dyn Fn() -> f64) -> Result<InstancePlan, InstanceError> {
        self.check()?;
        let (model, case_of) = self.model()?;
        let Solved { chosen, bound, value, stopped_by, greedy_only } = solve(&model, seed, budget, spent);
        let mut assignments: Vec<Assignment> = chosen
            .iter()
            .enumerate()
            .filter_map(|(read, at)| {
                let pair = &model.reads[read].pairs[(*at)?];
                Some(Assignment { case: case_of[read], reader: pair.reader as usize })
            })
            .collect();
        assignments.sort_by_key(|assignment| assignment.case);
        Ok(InstancePlan { assignments, objective: value[QUALITY], bound: bound[QUALITY], stopped_by, greedy_only })
    }

    fn check(&self) -> Result<(), InstanceError> {
        let lists = [
            ("load_segments", self.load_segments.len(), self.readers, "reader"),
            ("drop", self.drop.len(), self.cases, "case"),
        ];
        for (list, found, wanted, of) in lists {
            if found != wanted {
                return Err(InstanceError::Length { list, found, wanted, of });
            }
        }
        let number = |good: bool, what, of, at, value, should| match good {
            true => Ok(()),
            false => Err(InstanceError::Number { what, of, at, value, should }),
        };
        let at_least_0 = |value: f64| value.is_finite() && value >= 0.0;
        for (at, pair) in self.pairs.iter().enumerate() {
            if pair.case >= self.cases || pair.reader >= self.readers {
                let (case, reader, cases, readers) = (pair.case, pair.reader, self.cases, self.readers);
                return Err(InstanceError::Unknown { at, case, reader, cases, readers });
            }
            number(at_least_0(pair.cost), "the cost", "pair", at, pair.cost, "0 or more")?;
            let minutes = pair.minutes;
            number(at_least_0(minutes) && minutes > 0.0, "the minutes", "pair", at, minutes, "above 0")?;
        }
        for (at, drop) in self.drop.iter().enumerate() {
            number(at_least_0(*drop), "the drop", "case", at, *drop, "0 or more")?;
        }
        for (reader, segments) in self.load_segments.iter().enumerate() {
            let mut before = 0.0;
            for &Segment { width, price } in segments {
                number(at_least_0(width), "a segment's width", "reader", reader, width, "0 or more")?;
                number(at_least_0(price), "a segment's price", "reader", reader, price, "0 or more")?;
                if price < before {
                    return Err(InstanceError::Falling { reader, before, after: price });
                }
                before = price;
            }
        }
        Ok(())
    }

    /// The written model, and the case of each of its reads: the dearest to leave out come first.
    fn model(&self) -> Result<(Model, Vec<usize>), InstanceError> {
        let mut model = Model::default();
        for (at, segments) in self.load_segments.iter().enumerate() {
            let steps: Vec<(f64, f64)> = segments.iter().map(|segment| (segment.width, segment.price)).collect();
            model.meters.push(Meter::new(QUALITY, 0.0, &steps, f64::INFINITY));
            model.meters_of.push(at..at + 1);
        }
        let mut case_of: Vec<usize> = (0..self.cases).collect();
        case_of.sort_by(|a, b| self.drop[*b].total_cmp(&self.drop[*a]).then(a.cmp(b)));
        let mut read_of = vec![0; self.cases];
        for (read, &case) in case_of.iter().enumerate() {
            read_of[case] = read;
            model.reads.push(Choices { pairs: Vec::new(), drop: Some([0.0, self.drop[case]]), apart: None });
        }
        for pair in &self.pairs {
            model.reads[read_of[pair.case]].pairs.push(Pair {
                reader: pair.reader as u32,
                mask: 1,
                minutes: pair.minutes,
                cost: [0.0, pair.cost],
            });
        }
        for (read, choices) in model.reads.iter_mut().enumerate() {
            choices.pairs.sort_by_key(|pair| pair.reader);
            if let Some(twice) = choices.pairs.windows(2).find(|two| two[0].reader == two[1].reader) {
                return Err(InstanceError::Twice { case: case_of[read], reader: twice[0].reader as usize });
            }
        }
        Ok((model, case_of))
    }
}
