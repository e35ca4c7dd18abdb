//! What can be set, where it comes from, and what is wrong with it.
//!
//! Settings come from one file (`dokuei.toml`), then from the environment, which
//! wins, then from the command line, which wins over both. One file here per
//! concern; each begins with the table of its variables. A key `http.address` is
//! `address` under `[http]` in the file and `DOKUEI_HTTP_ADDRESS` in the
//! environment; the few with a customary name of their own say so.
//!
//! *Guaranteed*: every fault (unparsable value, unknown key, missing need) is
//! reported in one list before anything starts, and no secret is ever printed.
//! `ops/dokuei.example.toml` names every key; a test holds it to that.

mod database;
mod dicom;
mod http;
mod log;
mod mail;
mod objects;
mod paths;
mod redis;
mod secret;
mod security;
mod signing;
mod source;
mod work;

pub use self::database::Database;
pub use self::dicom::Dicom;
pub use self::http::Http;
pub use self::log::{Log, LogFormat};
pub use self::mail::{Mail, MailTls};
pub use self::objects::Objects;
pub use self::paths::Paths;
pub use self::redis::Redis;
pub use self::secret::Secret;
pub use self::security::{CookieSecure, Security};
pub use self::signing::Signing;
pub use self::source::{Fault, Setting, Source};
pub use self::work::Work;

use std::path::Path;

/// Every setting of one process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Pages and API.
    pub http: Http,
    /// The DICOM listener.
    pub dicom: Dicom,
    /// Where rows are kept.
    pub database: Database,
    /// What wakes and fans out between processes.
    pub redis: Redis,
    /// Where images and artefacts are kept.
    pub objects: Objects,
    /// How mail leaves.
    pub mail: Mail,
    /// Sessions, passwords, throttling.
    pub security: Security,
    /// What reports are signed and set with.
    pub signing: Signing,
    /// Folders.
    pub paths: Paths,
    /// Background work.
    pub work: Work,
    /// What is logged and how.
    pub log: Log,
}

/// What the command line says; it wins over file and environment.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--data`.
    pub data: Option<String>,
    /// `--http`.
    pub http: Option<String>,
    /// `--dicom`.
    pub dicom: Option<String>,
}

impl Config {
    /// Reads every concern from `source` and reports everything that is wrong, in the order of the keys.
    ///
    /// # Errors
    /// All faults at once; the list is never empty.
    pub fn read(mut source: Source) -> Result<Self, Vec<Fault>> {
        let config = Self::take(&mut source);
        let faults = source.finish();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    fn take(source: &mut Source) -> Self {
        let paths = Paths::take(source);
        Self {
            http: Http::take(source),
            dicom: Dicom::take(source),
            database: Database::take(source, &paths),
            redis: Redis::take(source),
            objects: Objects::take(source, &paths),
            mail: Mail::take(source),
            security: Security::take(source),
            signing: Signing::take(source, &paths),
            work: Work::take(source),
            log: Log::take(source),
            paths,
        }
    }

    /// Reads `file` (or, when none is named, `dokuei.toml` in the working folder if there is one), this
    /// process's environment and `flags`.
    ///
    /// # Errors
    /// All faults at once, an unreadable or malformed file among them.
    pub fn load(file: Option<&Path>, flags: Flags) -> Result<Self, Vec<Fault>> {
        let customary = Path::new("dokuei.toml");
        let text = match file {
            Some(path) => read_file(path)?,
            None if customary.exists() => read_file(customary)?,
            None => String::new(),
        };
        let mut source = Source::new(&text, std::env::vars())?;
        for (key, value) in [("paths.data", flags.data), ("http.address", flags.http), ("dicom.address", flags.dicom)] {
            if let Some(value) = value {
                source.overrule(key, value);
            }
        }
        Self::read(source)
    }

    /// Every key there is with its variable in the environment, in the order of reading.
    pub fn keys() -> Vec<(&'static str, String)> {
        let mut source = Source::empty();
        let _ = Self::take(&mut source);
        source.asked()
    }
}

fn read_file(path: &Path) -> Result<String, Vec<Fault>> {
    std::fs::read_to_string(path)
        .map_err(|error| vec![Fault { key: path.display().to_string(), what: format!("cannot be read: {error}") }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str, env: &[(&str, &str)]) -> Source {
        Source::new(text, env.iter().map(|(k, v)| (k.to_string(), v.to_string()))).unwrap()
    }

    #[test]
    fn nothing_set_is_the_embedded_default() {
        let config = Config::read(Source::empty()).unwrap();
        assert_eq!(config.http.address.to_string(), "127.0.0.1:8080");
        assert_eq!(config.dicom.address.to_string(), "127.0.0.1:11112");
        assert_eq!(config.dicom.ae_title, "DOKUEI");
        assert!(config.database.url.expose().starts_with("sqlite://"));
        assert!(config.redis.url.is_none());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "[http]\naddress = \"127.0.0.1:1\"\n[dicom]\nae_title = \"FILE\"\n";
        let config = Config::read(source(text, &[("DOKUEI_HTTP_ADDRESS", "127.0.0.1:2")])).unwrap();
        assert_eq!(config.http.address.to_string(), "127.0.0.1:2");
        assert_eq!(config.dicom.ae_title, "FILE");
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let text = "[http]\naddress = \"nowhere\"\nadress = \"x\"\n[dicom]\nae_title = \"THIS TITLE IS TOO LONG\"\n[sky]\nblue = 1\n";
        let faults = Config::read(source(text, &[("DOKUEI_MAIL_PORT", "many"), ("DOKUEI_TYPO", "1")])).unwrap_err();
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        for key in ["http.address", "http.adress", "dicom.ae_title", "sky.blue", "mail.port", "DOKUEI_TYPO"] {
            assert!(keys.contains(&key), "{key} is missing in {keys:?}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let env = [("DATABASE_URL", "postgres://dokuei:hunter2@127.0.0.1/dokuei"), ("DOKUEI_MAIL_PASSWORD", "hunter3")];
        let config = Config::read(source("", &env)).unwrap();
        let printed = format!("{config:?}");
        assert!(!printed.contains("hunter"), "{printed}");
        assert_eq!(config.database.url.expose(), "postgres://dokuei:hunter2@127.0.0.1/dokuei");
        let faults = Config::read(source("", &[("DOKUEI_HTTP_METRICS_TOKEN", "hunter4")])).unwrap_err();
        assert!(!format!("{faults:?}").contains("hunter4"), "a secret that is too short is named, not shown");
    }

    #[test]
    fn the_example_parses_and_lists_every_key() {
        let text = include_str!("../../../ops/dokuei.example.toml");
        Config::read(source(text, &[])).expect("the example as it stands is valid");
        let uncommented: String = text
            .lines()
            .map(|line| {
                let setting = line.strip_prefix("# ").filter(|rest| {
                    rest.split_once(" = ").is_some_and(|(key, _)| {
                        key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
                    })
                });
                format!("{}\n", setting.unwrap_or(line))
            })
            .collect();
        let all = Source::new(&uncommented, std::iter::empty()).expect("with every comment taken off it is still TOML");
        let named = all.keys_in_file();
        for (key, variable) in Config::keys() {
            assert!(named.iter().any(|name| name == key), "{key} is not in ops/dokuei.example.toml");
            assert!(text.contains(&variable), "{variable} is not named in ops/dokuei.example.toml");
        }
        Config::read(all).expect("every value shown in the example is a legal one");
    }
}
