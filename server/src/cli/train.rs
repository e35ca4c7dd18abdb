//! Training at the command line. Models are files; nothing is put in use by training.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use dokuei_prescreen::urgency::{invent_examples, read_examples, train};

#[derive(Debug, Subcommand)]
pub(super) enum TrainCommand {
    /// The urgency model, from examples of your own or invented ones; prints its figures as JSON
    Urgency {
        /// Where the model goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Examples as JSON lines; without them they are invented
        #[arg(long, value_name = "FILE")]
        examples: Option<PathBuf>,
        /// How many to invent
        #[arg(long, default_value_t = 20_000)]
        count: usize,
        /// The seed: the same seed and examples give the same model
        #[arg(long, default_value_t = 2026)]
        seed: u64,
    },
}

/// Trains, writes the model and prints its evaluation.
pub(super) fn run(command: TrainCommand) -> anyhow::Result<()> {
    let TrainCommand::Urgency { out, examples, count, seed } = command;
    let examples = match examples {
        Some(path) => {
            let file = File::open(&path).with_context(|| format!("{}", path.display()))?;
            read_examples(BufReader::new(file))?
        }
        None => invent_examples(count, seed),
    };
    let (model, evaluation) = train(&examples, seed)?;
    std::fs::write(&out, model.to_json()?).with_context(|| format!("{}", out.display()))?;
    println!("{}", serde_json::to_string_pretty(&evaluation)?);
    eprintln!("{} written to {}", model.version(), out.display());
    Ok(())
}
