//! Sets and signs one invented report and says what it took.
//!
//! ```sh
//! cargo run --example one_report -- OUT_FOLDER [FONTS_FOLDER]
//! ```
//! Writes `ja.pdf`, `amended.pdf`, `en.pdf`, `long.pdf`, each signed, with `root.pem`; prints time and memory of each step.

#[path = "../tests/support/samples.rs"]
mod support;

use std::path::PathBuf;
use std::time::Instant;

use dokuei_report::{Fonts, ReportStatus, sign, typeset};
use dokuei_terms::Language;

/// Resident and highest resident memory in MB, from the kernel.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
    };
    format!("resident {} MB, highest {} MB", field("VmRSS"), field("VmHWM"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("usage: one_report OUT_FOLDER [FONTS_FOLDER]")?;
    let fonts = Fonts::in_folder(arguments.next().unwrap_or_else(|| "/usr/share/fonts".into()));
    std::fs::create_dir_all(&out)?;
    println!("at start: {}", memory());

    let authority = support::authority();
    let reader = support::reader(&authority);
    std::fs::write(out.join("root.pem"), authority.certificate_pem()?)?;

    let mut english = support::report();
    (english.language, english.status) = (Language::En, ReportStatus::Preliminary);
    let mut long = support::report();
    long.findings = long.findings.repeat(40);
    for (name, document) in [
        ("ja", support::report()),
        ("again", support::report()),
        ("amended", support::amended()),
        ("en", english),
        ("long", long),
    ] {
        let begin = Instant::now();
        let pdf = typeset(&document, &fonts)?;
        let typeset_ms = begin.elapsed().as_millis();
        let begin = Instant::now();
        let signed = sign(&pdf, &reader, &support::details())?;
        let sign_ms = begin.elapsed().as_millis();
        println!(
            "{name}: typeset {typeset_ms} ms, sign {sign_ms} ms, {} KB unsigned, {} KB signed; {}",
            pdf.len() / 1024,
            signed.len() / 1024,
            memory()
        );
        std::fs::write(out.join(format!("{name}.pdf")), signed)?;
    }
    Ok(())
}
