//! Examples to learn from, one JSON object a line.
//!
//! `{"priority":"routine","parts":[{"region":"head","modality":"CT","laterality":"none"}],
//! "age_years":71,"source":"emergency","question":"突然の頭痛","urgent":true,"group":"site-1/patient-9"}`:
//! only `urgent` is required. Real examples are patient data; errors name the line and quote nothing.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::CaseFacts;

/// A case with what turned out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What was known before reading.
    #[serde(flatten)]
    pub facts: CaseFacts,
    /// Whether it needed attention before its turn (the signed report was critical or urgent).
    pub urgent: bool,
    /// Examples of one group (a patient) are never split between training and testing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A line that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// The file cannot be read.
    #[error("the examples cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A line is no example. The line itself is not quoted.
    #[error("line {line}, column {column} is not an example (JSON with `urgent`, see `read_examples`)")]
    Line {
        /// From 1.
        line: usize,
        /// From 1; 0 where the whole line is meant.
        column: usize,
    },
}

/// Reads examples; blank lines are passed over.
///
/// # Errors
/// [`ExampleError`] at the first line that is no example.
pub fn read_examples(reader: impl BufRead) -> Result<Vec<Example>, ExampleError> {
    let mut examples = Vec::new();
    for (at, line) in reader.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            let example = serde_json::from_str(&line)
                .map_err(|error| ExampleError::Line { line: at + 1, column: error.column() })?;
            examples.push(example);
        }
    }
    Ok(examples)
}

/// Writes examples as [`read_examples`] reads them.
///
/// # Errors
/// What the writer fails with.
pub fn write_examples(examples: &[Example], mut writer: impl Write) -> std::io::Result<()> {
    for example in examples {
        serde_json::to_writer(&mut writer, example)?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}
