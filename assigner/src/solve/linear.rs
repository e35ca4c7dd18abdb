//! Writes the model, or the part of it that is still free, for HiGHS.
//!
//! HiGHS runs on the calling thread, silent, with limits in iterations and
//! nodes, never in seconds, so that equal input gives equal output.

use good_lp::solvers::highs::highs;
use good_lp::{
    Constraint, DualValues, Expression, ProblemVariables, ResolutionError, Solution, SolutionWithDual, SolverModel,
    Variable, constraint::ConstraintReference, solvers::SolutionStatus, variable,
};

use super::model::{LEVELS, Model, QUALITY, REACH};
use crate::StoppedBy;

/// Which part of a model is written, and for which level.
pub(super) struct Scope<'a> {
    pub(super) model: &'a Model,
    /// The reads that are free; the others are in `loads`.
    pub(super) free: &'a [usize],
    /// For each free read the pairs it may take.
    pub(super) active: &'a [Vec<usize>],
    /// Minutes of the reads that are fixed, by meter.
    pub(super) loads: &'a [f64],
    /// The level that is minimised.
    pub(super) level: usize,
    /// What the free reads and the meters may yet cost on the reach level, when that is not the level minimised.
    pub(super) reach_limit: Option<f64>,
}

/// How a model is solved.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// As a relaxation, with at most this many simplex iterations.
    Relaxed { iterations: u32 },
    /// In whole numbers, with at most this many nodes, ending at this relative gap.
    Whole { nodes: Option<u32>, gap: f64 },
}

/// Prices of the rows of a relaxation; all 0 or more.
#[derive(Debug, Clone, Default)]
pub(super) struct Prices {
    /// Of a minute, by meter.
    pub(super) minute: Vec<f64>,
    /// Of the reach level's limit.
    pub(super) reach: f64,
    /// Of being the one read of a group with a reader: group, reader, price.
    pub(super) apart: Vec<(usize, u32, f64)>,
}

/// A solution.
pub(super) struct Written {
    /// For each free read, the share of each of its active pairs.
    pub(super) shares: Vec<Vec<f64>>,
    /// The level's value over the free part, fixed loads counted as 0.
    pub(super) objective: f64,
    /// Prices, for a relaxation.
    pub(super) prices: Prices,
    /// It is the optimum, no limit stopped it.
    pub(super) complete: bool,
}

struct Rows {
    reach: Option<ConstraintReference>,
    meters: Vec<(usize, ConstraintReference)>,
    apart: Vec<(usize, u32, ConstraintReference)>,
}

/// Writes and solves a scope.
pub(super) fn solve(scope: &Scope<'_>, kind: Kind, seed: u64) -> Result<Written, StoppedBy> {
    let mut vars = ProblemVariables::new();
    let mut columns = Columns::add(scope, kind, &mut vars);
    let objective = std::mem::take(&mut columns.objective);
    let mut problem = vars.minimise(objective.clone()).using(highs);
    problem = problem
        .set_threads(1)
        .set_option("parallel", "off")
        .set_option("random_seed", i32::try_from(seed & 0x7fff_ffff).unwrap_or_default());
    problem = match kind {
        Kind::Relaxed { iterations } => {
            problem.set_option("simplex_iteration_limit", i32::try_from(iterations).unwrap_or(i32::MAX))
        }
        Kind::Whole { nodes, gap } => {
            let nodes = nodes.and_then(|nodes| i32::try_from(nodes).ok()).unwrap_or(i32::MAX);
            problem.set_option("mip_max_nodes", nodes).set_option("mip_rel_gap", gap).set_option("mip_abs_gap", 1e-7)
        }
    };
    let rows = columns.add_rows(scope, &mut problem);
    let mut solution = problem.solve().map_err(|error| match error {
        // good_lp says so when a limit was met before anything feasible was found.
        ResolutionError::Other("NoSolutionFound") => StoppedBy::Budget,
        _ => StoppedBy::SolverFailed,
    })?;
    let complete = matches!(solution.status(), SolutionStatus::Optimal | SolutionStatus::GapLimit);
    let shares = columns.pairs.iter().map(|pairs| pairs.iter().map(|pair| solution.value(*pair)).collect()).collect();
    let objective = solution.eval(objective);
    let prices = match kind {
        Kind::Relaxed { .. } => read_prices(scope, &rows, &mut solution),
        Kind::Whole { .. } => Prices::default(),
    };
    Ok(Written { shares, objective, prices, complete })
}

fn read_prices<S: for<'a> SolutionWithDual<'a>>(scope: &Scope<'_>, rows: &Rows, solution: &mut S) -> Prices {
    // Every such row is "at most" in a minimisation, so its dual is 0 or below; the price is its negative.
    let duals = solution.compute_dual();
    let price = |row: &ConstraintReference| (-duals.dual(row.clone())).max(0.0);
    let mut minute = vec![0.0; scope.model.meters.len()];
    for (meter, row) in &rows.meters {
        minute[*meter] = price(row);
    }
    Prices {
        minute,
        reach: rows.reach.as_ref().map_or(0.0, price),
        apart: rows.apart.iter().map(|(group, reader, row)| (*group, *reader, price(row))).collect(),
    }
}

/// The variables, and the sums they stand in.
struct Columns {
    objective: Expression,
    reach: Expression,
    pairs: Vec<Vec<Variable>>,
    drops: Vec<Option<Variable>>,
    /// By meter: minutes that come on it, less the steps that carry them.
    meters: Vec<Option<Expression>>,
}

impl Columns {
    fn add(scope: &Scope<'_>, kind: Kind, vars: &mut ProblemVariables) -> Self {
        let model = scope.model;
        let mut columns = Self {
            objective: Expression::with_capacity(scope.free.len() * 16),
            reach: Expression::default(),
            pairs: Vec::with_capacity(scope.free.len()),
            drops: Vec::with_capacity(scope.free.len()),
            meters: vec![None; model.meters.len()],
        };
        let choice = || match kind {
            Kind::Relaxed { .. } => variable().min(0.0),
            Kind::Whole { .. } => variable().binary(),
        };
        let most = most_minutes(scope);
        for (&read, active) in scope.free.iter().zip(scope.active) {
            let choices = &model.reads[read];
            let mut taken = Vec::with_capacity(active.len());
            for &at in active {
                let pair = &choices.pairs[at];
                let x = vars.add(choice());
                columns.pay(scope, x, pair.cost);
                for meter in model.loaded_by(pair) {
                    if scope.writes(meter, most[meter]) {
                        columns.meters[meter].get_or_insert_with(Expression::default).add_mul(pair.minutes, x);
                    }
                }
                taken.push(x);
            }
            columns.pairs.push(taken);
            let left_out = choices.drop.map(|drop| {
                let u = vars.add(choice());
                columns.pay(scope, u, drop);
                u
            });
            columns.drops.push(left_out);
        }
        for (at, meter) in model.meters.iter().enumerate() {
            if columns.meters[at].is_none() {
                continue;
            }
            for (width, price) in meter.steps_from(scope.loads[at]) {
                let step = vars.add(variable().min(0.0).max(width));
                let mut cost = [0.0; LEVELS];
                cost[meter.level] = price;
                columns.pay(scope, step, cost);
                if let Some(row) = &mut columns.meters[at] {
                    row.add_mul(-1.0, step);
                }
            }
        }
        columns
    }

    fn pay(&mut self, scope: &Scope<'_>, variable: Variable, cost: [f64; LEVELS]) {
        if cost[scope.level] != 0.0 {
            self.objective.add_mul(cost[scope.level], variable);
        }
        if scope.reach_limit.is_some() && cost[REACH] != 0.0 {
            self.reach.add_mul(cost[REACH], variable);
        }
    }

    fn add_rows(&mut self, scope: &Scope<'_>, problem: &mut impl SolverModel) -> Rows {
        for (pairs, drop) in self.pairs.iter().zip(&self.drops) {
            let mut once = Expression::with_capacity(pairs.len() + 1);
            for variable in pairs.iter().chain(drop) {
                once.add_mul(1.0, *variable);
            }
            problem.add_constraint(once.eq(1.0));
        }
        let meters = self
            .meters
            .iter_mut()
            .enumerate()
            .filter_map(|(at, row)| row.take().map(|row| (at, problem.add_constraint(at_most(row, 0.0)))))
            .collect();
        let reach = scope.reach_limit.map(|limit| {
            let row = std::mem::take(&mut self.reach);
            problem.add_constraint(at_most(row, limit))
        });
        Rows { reach, meters, apart: self.add_apart(scope, problem) }
    }

    fn add_apart(&self, scope: &Scope<'_>, problem: &mut impl SolverModel) -> Vec<(usize, u32, ConstraintReference)> {
        let mut rows = Vec::new();
        for group in 0..scope.model.apart.len() {
            let mut seats: Vec<(u32, Variable)> = Vec::new();
            for (i, &read) in scope.free.iter().enumerate() {
                if scope.model.reads[read].apart == Some(group) {
                    let readers = scope.active[i].iter().map(|&at| scope.model.reads[read].pairs[at].reader);
                    seats.extend(readers.zip(self.pairs[i].iter().copied()));
                }
            }
            seats.sort_by_key(|(reader, _)| *reader);
            for same in seats.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
                let mut row = Expression::with_capacity(same.len());
                for (_, variable) in same {
                    row.add_mul(1.0, *variable);
                }
                rows.push((group, same[0].0, problem.add_constraint(at_most(row, 1.0))));
            }
        }
        rows
    }
}

fn at_most(row: Expression, limit: f64) -> Constraint {
    row.leq(limit)
}

fn most_minutes(scope: &Scope<'_>) -> Vec<f64> {
    let mut most = scope.loads.to_vec();
    for (&read, active) in scope.free.iter().zip(scope.active) {
        for &at in active {
            let pair = &scope.model.reads[read].pairs[at];
            for meter in scope.model.loaded_by(pair) {
                most[meter] += pair.minutes;
            }
        }
    }
    most
}

impl Scope<'_> {
    /// A meter is written if it can cost, or forbid, something that this solve looks at.
    fn writes(&self, meter: usize, most: f64) -> bool {
        let meter = &self.model.meters[meter];
        let seen = meter.level == self.level || (self.level == QUALITY && self.reach_limit.is_some());
        let forbids = meter.knots.last().is_some_and(|knot| knot.price.is_infinite());
        (seen || forbids) && !meter.is_idle(most)
    }
}
