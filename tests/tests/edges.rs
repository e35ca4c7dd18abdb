//! The edge check itself: it must fail where an arrow is wrong, and name the way out.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::Result;

/// A workspace of one room with the given lines under its `[dependencies]`, and what the check says of it.
fn checked(room: &str, dependencies: &str) -> Result<Output> {
    let folder = tempfile::tempdir()?;
    let manifest = format!(
        "[package]\nname = \"{room}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\nmembers = [\"terms\"]\n\n{dependencies}\n"
    );
    let terms = "[package]\nname = \"dokuei-models\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    for (place, manifest) in [(folder.path().to_owned(), manifest.as_str()), (folder.path().join("terms"), terms)] {
        fs::create_dir_all(place.join("src"))?;
        fs::write(place.join("src/lib.rs"), "")?;
        fs::write(place.join("Cargo.toml"), manifest)?;
    }
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ops/check-edges");
    Ok(Command::new(check).arg(folder.path()).output()?)
}

fn refuses(room: &str, dependencies: &str, edge: &str, way_out: &str) -> Result<()> {
    let output = checked(room, dependencies)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(edge) && said.contains(way_out), "{said}");
    Ok(())
}

#[test]
fn an_allowed_library_passes() -> Result<()> {
    let output = checked("dokuei-assigner", "[dependencies]\ngood_lp = \"1\"")?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn a_database_library_outside_models_is_refused() -> Result<()> {
    refuses("dokuei-assigner", "[dependencies]\ndiesel = \"2\"", "dokuei-assigner -> diesel", "models/src/store")
}

#[test]
fn a_renamed_library_is_still_seen() -> Result<()> {
    let renamed = "[dependencies]\nstore = { package = \"diesel\", version = \"2\" }";
    refuses("dokuei-assigner", renamed, "dokuei-assigner -> diesel", "models/src/store")
}

#[test]
fn a_library_used_only_in_tests_or_on_another_system_is_still_seen() -> Result<()> {
    let in_tests = "[dev-dependencies]\nactix-web = \"4\"";
    refuses("dokuei-dicom-gateway", in_tests, "dokuei-dicom-gateway -> actix-web", "server/src/http")?;
    let elsewhere = "[target.'cfg(windows)'.dependencies]\ndicom-ul = \"0.10\"";
    refuses("dokuei-server", elsewhere, "dokuei-server -> dicom-ul", "dicom-gateway")
}

#[test]
fn a_pure_room_that_reaches_for_the_domain_is_refused() -> Result<()> {
    let domain = "[dependencies]\ndokuei-models = { path = \"terms\" }";
    refuses("dokuei-assigner", domain, "dokuei-assigner -> dokuei-models", "models/terms")
}

#[test]
fn a_room_nobody_drew_is_refused() -> Result<()> {
    let domain = "[dependencies]\ndokuei-models = { path = \"terms\" }";
    refuses("dokuei-annexe", domain, "dokuei-annexe -> dokuei-models", "ARCHITECTURE.md")
}

#[test]
fn every_dependency_is_explained() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let reasons = fs::read_to_string(root.join("ops/dependencies.md"))?;
    let table = manifest.split("[workspace.dependencies]").nth(1).expect("a table of dependencies");
    let names: Vec<&str> = table
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.trim_end_matches(".workspace")))
        .filter(|name| !name.starts_with("dokuei-"))
        .collect();
    assert!(names.len() > 20, "the table was not read: {names:?}");
    let missing: Vec<&&str> = names.iter().filter(|name| !reasons.contains(&format!("- `{name}`: "))).collect();
    assert!(missing.is_empty(), "say in ops/dependencies.md why these are here: {missing:?}");
    Ok(())
}
