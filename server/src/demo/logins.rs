//! The demo's passwords: printed once, and kept in a file that only its owner may read.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

/// One account that was made.
#[derive(Clone)]
pub(super) struct Login {
    pub login: String,
    pub password: String,
    pub role: &'static str,
    pub name: String,
    pub site: String,
    /// A reader's daily shift, e.g. `08:00-20:00`; empty for others.
    pub shift: String,
}

/// Writes `DIR/demo-logins.txt` (0600) and prints the same on standard error.
pub(super) fn keep_and_print(data: &Path, logins: &[Login]) -> anyhow::Result<()> {
    let mut text = String::from("# Demo logins. Invented people, random passwords; this file is the only copy.\n");
    text.push_str("# login\tpassword\trole\tname\tsite\tshift (JST)\n");
    for login in logins {
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}\t{}\n",
            login.login, login.password, login.role, login.name, login.site, login.shift
        ));
    }
    let path = data.join("demo-logins.txt");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    eprintln!("{text}# kept in {}", path.display());
    Ok(())
}
