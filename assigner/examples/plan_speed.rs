//! Measures plans of invented pools and prints a table.
//!
//! `cargo run --example plan_speed [-- SEEDS]`: milliseconds
//! are of one plan, explanations included: wall time, and the thread's CPU time
//! as Linux counts it, which a busy machine does not blur. The gap is against
//! the plan's own proved bound.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use dokuei_assigner::{Budget, Level, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds: u64 = std::env::args().nth(1).map_or(Ok(3), |seeds| seeds.parse())?;
    println!(
        "| pool | reads x readers | seed | budget | ms | CPU ms | reach | quality | bound | gap | waiting | ended by |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let sizes = [(20, 8), (100, 20), (300, 40), (1000, 80), (2000, 200)];
    let evenings = sizes.map(|size| ("evening", size));
    let backlogs = [("backlog", (300, 40)), ("backlog", (1000, 80))];
    for (pool, (reads, readers)) in evenings.into_iter().chain(backlogs) {
        for seed in 0..seeds {
            let mut problem = common::a_pool(reads, readers, seed);
            if pool == "backlog" {
                // A day nobody read: every fifth read is beyond its cap, or about to be.
                for read in problem.reads.iter_mut().step_by(5) {
                    read.waited_minutes += 1000.0;
                    read.due_in_minutes -= 1000.0;
                }
            }
            for (name, budget) in [("greedy", Budget::greedy()), ("whole", Budget::default())] {
                let (begun, cpu) = (Instant::now(), cpu_ms()?);
                let made = plan(&problem, seed, &budget, &|| 0.0)?;
                let ms = begun.elapsed().as_secs_f64() * 1e3;
                let cpu = cpu_ms()? - cpu;
                let (Some(reach), Some(quality)) = (made.certificate(Level::Reach), made.certificate(Level::Quality))
                else {
                    return Err("a plan has both certificates".into());
                };
                println!(
                    "| {pool} | {reads} x {readers} | {seed} | {name} | {ms:.0} | {cpu:.0} | {:.2} | {:.1} | {:.1} | {:.2} % | {} | {:?} |",
                    reach.value,
                    quality.value,
                    quality.bound,
                    quality.gap * 100.0,
                    made.waiting.len(),
                    made.stopped_by,
                );
            }
        }
    }
    Ok(())
}

/// CPU time of this thread so far: the first number of its schedstat, nanoseconds (proc(5)).
fn cpu_ms() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns: f64 = text.split_whitespace().next().ok_or("schedstat is empty")?.parse()?;
    Ok(ns / 1e6)
}
