//! Plans a bare assignment instance at the command line, for comparing solvers (format: the README of `assigner`).

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Args;
use dokuei_assigner::{Assignment, Budget, Instance, InstancePlan, StoppedBy};
use serde::Serialize;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The instance, a JSON file
    #[arg(long, value_name = "FILE")]
    instance: PathBuf,
    /// Where the plan goes, as JSON
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Seconds it may take in all; without it 1 up to 1,000 cases, 3 up to 2,000, else 20
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// What the search draws from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Moves that the search may try. With it the plan is the same on every machine, unless its status is "time"
    #[arg(long, value_name = "N")]
    moves: Option<u64>,
}

/// What is written.
#[derive(Debug, Serialize)]
struct Written<'p> {
    assignments: &'p [Assignment],
    objective: f64,
    bound: f64,
    /// `(objective - bound) / bound`; null above a bound of 0.
    gap: Option<f64>,
    seconds: f64,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// Proved best, up to rounding.
    Optimal,
    /// The work was done and a gap is left.
    Gap,
    /// The seconds were used up, or hurried the search.
    Time,
    /// They were used up before there was more than a greedy plan.
    Greedy,
}

/// Below this a gap is rounding.
const ROUNDING: f64 = 1e-6;

/// Plans the instance and writes the plan; `begun` is when the process began.
pub(super) fn run(args: PlanArgs, begun: Instant) -> anyhow::Result<()> {
    let instance = read(&args.instance)?;
    let seconds = args.seconds.unwrap_or(match instance.cases {
        0..=1_000 => 1.0,
        1_001..=2_000 => 3.0,
        _ => 20.0,
    });
    ensure!(seconds.is_finite() && seconds > 0.0, "--seconds is {seconds}: it should be above 0");
    let budget = Budget { search_moves: args.moves.unwrap_or(u64::MAX), ..Budget::default() };
    let work_seconds = seconds - time_to_write(seconds);
    let spent = || begun.elapsed().as_secs_f64() / work_seconds;
    let plan = instance.plan(args.seed, &budget, &spent).with_context(|| args.instance.display().to_string())?;
    write(&args.out, &plan, begun).with_context(|| args.out.display().to_string())
}

/// Kept for the last descent and the file.
fn time_to_write(seconds: f64) -> f64 {
    (0.025 + 0.015 * seconds).min(seconds / 2.0)
}

fn read(path: &Path) -> anyhow::Result<Instance> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    serde_json::from_reader(BufReader::with_capacity(1 << 20, file)).with_context(|| {
        format!(
            "{}: not an instance: `cases`, `readers`, `pairs`, `load_segments` and `drop` are wanted",
            path.display()
        )
    })
}

fn status_of(plan: &InstancePlan) -> Status {
    match plan.stopped_by {
        _ if plan.gap() <= ROUNDING => Status::Optimal,
        _ if plan.greedy_only => Status::Greedy,
        StoppedBy::Stop => Status::Time,
        StoppedBy::Finished | StoppedBy::Budget | StoppedBy::SolverFailed => Status::Gap,
    }
}

/// Beside the file and then in its place, so that nobody reads half a plan.
fn write(path: &Path, plan: &InstancePlan, begun: Instant) -> anyhow::Result<()> {
    let gap = plan.gap();
    let mut written = Written {
        assignments: &plan.assignments,
        objective: plan.objective,
        bound: plan.bound,
        gap: gap.is_finite().then_some(gap),
        seconds: 0.0,
        status: status_of(plan),
    };
    let part = path.with_added_extension("part");
    let mut file = BufWriter::new(File::create(&part)?);
    written.seconds = begun.elapsed().as_secs_f64();
    serde_json::to_writer(&mut file, &written)?;
    file.write_all(b"\n")?;
    file.flush()?;
    std::fs::rename(part, path)?;
    Ok(())
}
