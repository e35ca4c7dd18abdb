//! Trains the urgency model: `cargo run --example train_urgency -- --out FILE [--examples FILE] [--count N] [--seed N]`.
//!
//! Without `--examples` (JSON lines, see `read_examples`) it invents `--count` of them. Prints the evaluation as JSON.

use std::error::Error;
use std::fs::{self, File};
use std::io::BufReader;

use dokuei_prescreen::urgency::{invent_examples, read_examples, train};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut examples, mut out, mut count, mut seed) = (None, None, 12_000, 2026);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--examples" => examples = Some(value),
            "--out" => out = Some(value),
            "--count" => count = value.parse()?,
            "--seed" => seed = value.parse()?,
            _ => return Err(format!("{name} is not known: use --examples, --out, --count, --seed").into()),
        }
    }
    let out = out.ok_or("--out FILE says where the model goes")?;
    let examples = match examples {
        Some(path) => read_examples(BufReader::new(File::open(path)?))?,
        None => invent_examples(count, seed),
    };
    let (model, evaluation) = train(&examples, seed)?;
    fs::write(&out, model.to_json()?)?;
    println!("{}", serde_json::to_string_pretty(&evaluation)?);
    eprintln!("{} written to {out}", model.version());
    Ok(())
}
