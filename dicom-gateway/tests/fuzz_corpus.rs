//! What the fuzzer has found worth trying, once more: every input of its corpus, and every crash that was ever found,
//! through the same functions as `ops/fuzz` uses.

#[path = "../fuzz/harness/association.rs"]
mod association;
#[path = "../fuzz/harness/data_set.rs"]
mod data_set;

use std::fs;
use std::path::Path;

/// Runs every file of `fuzz/corpus/TARGET` and `fuzz/crashes/TARGET`; the name of the one that fails is printed before.
fn replay(target: &str, one: fn(&[u8])) -> usize {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let mut files = Vec::new();
    for folder in ["corpus", "crashes"] {
        let entries = fs::read_dir(fuzz.join(folder).join(target)).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()));
    }
    files.sort();
    for file in &files {
        let bytes = fs::read(file).expect("a file of the repository");
        let tried = std::panic::catch_unwind(|| one(&bytes));
        assert!(tried.is_ok(), "{} fails", file.display());
    }
    files.len()
}

#[test]
fn no_association_of_the_corpus_brings_the_receiver_down() {
    assert!(replay("association", association::speak) > 50, "the corpus is missing");
}

#[test]
fn no_object_of_the_corpus_brings_a_reader_down() {
    assert!(replay("data_set", data_set::read) > 50, "the corpus is missing");
}
