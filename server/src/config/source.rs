//! File and environment as one flat map of keys, and the faults found in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::Secret;

/// One thing that is wrong with the settings. `what` never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key (`http.address`), or the variable or file where there is no key.
    pub key: String,
    /// What is wrong and what would be right.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

/// A type that a setting can have.
pub trait Setting: Sized {
    /// Whether a wrong value may be repeated in the fault.
    const SHOWN: bool = true;
    /// What a right value looks like, for the fault's sentence.
    const SHAPE: &'static str;
    /// Reads one value; `None` is a fault.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! setting_from_str {
    ($($type:ty => $shape:literal),+ $(,)?) => {
        $(impl Setting for $type {
            const SHAPE: &'static str = $shape;
            fn parse(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }
        })+
    };
}
setting_from_str! {
    SocketAddr => "an address and port, such as 127.0.0.1:8080",
    u16 => "a whole number from 0 to 65535",
    u32 => "a whole number from 0 up",
    u64 => "a whole number from 0 up",
    usize => "a whole number from 0 up",
    bool => "true or false",
}

impl Setting for String {
    const SHAPE: &'static str = "a text that is not empty";
    fn parse(text: &str) -> Option<Self> {
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }
}

impl Setting for PathBuf {
    const SHAPE: &'static str = "a path";
    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| PathBuf::from(text))
    }
}

impl Setting for Secret {
    const SHOWN: bool = false;
    const SHAPE: &'static str = "a text that is not empty";
    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Secret::new(text))
    }
}

impl Setting for Vec<IpAddr> {
    const SHAPE: &'static str = "addresses separated by commas";
    fn parse(text: &str) -> Option<Self> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
    }
}

impl Setting for Vec<String> {
    const SHAPE: &'static str = "texts separated by commas";
    fn parse(text: &str) -> Option<Self> {
        Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }
}

/// The settings before they have types. Each concern takes its keys; what nobody takes is a fault.
#[derive(Debug)]
pub struct Source {
    file: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    flags: BTreeMap<String, String>,
    asked: Vec<(&'static str, String)>,
    faults: Vec<Fault>,
}

impl Source {
    /// A source where nothing is set.
    pub fn empty() -> Self {
        Self {
            file: BTreeMap::new(),
            env: BTreeMap::new(),
            flags: BTreeMap::new(),
            asked: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// A file's text and an environment. Variables set to nothing count as not set.
    ///
    /// # Errors
    /// One fault when the text is not TOML.
    pub fn new(text: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self, Vec<Fault>> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            vec![Fault { key: format!("dokuei.toml line {line}"), what: error.message().to_owned() }]
        })?;
        let mut source = Self { env: env.filter(|(_, value)| !value.is_empty()).collect(), ..Self::empty() };
        for (section, value) in table {
            match value {
                toml::Value::Table(keys) => {
                    for (key, value) in keys {
                        source.file.insert(format!("{section}.{key}"), as_text(value));
                    }
                }
                value => {
                    source.file.insert(section, as_text(value));
                }
            }
        }
        Ok(source)
    }

    /// Sets `key` above file and environment (the command line).
    pub fn overrule(&mut self, key: &str, value: String) {
        self.flags.insert(key.to_owned(), value);
    }

    /// The value of `key`, or `default` where it is not set or wrong (then a fault is kept).
    pub fn value<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The value of `key`, whose variable is `DOKUEI_` and the key in capitals.
    pub fn optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let variable = format!("DOKUEI_{}", key.replace('.', "_").to_ascii_uppercase());
        self.optional_named(key, &variable)
    }

    /// The value of `key`, whose variable has a customary name of its own (`DATABASE_URL`).
    pub fn optional_named<T: Setting>(&mut self, key: &'static str, variable: &str) -> Option<T> {
        self.asked.push((key, variable.to_owned()));
        let (text, place) = if let Some(text) = self.flags.get(key) {
            (text, "the command line")
        } else if let Some(text) = self.env.get(variable) {
            (text, variable)
        } else {
            (self.file.get(key)?, "the file")
        };
        let parsed = T::parse(text);
        if parsed.is_none() {
            let shown = if T::SHOWN { format!("{text:?} (from {place})") } else { format!("the value from {place}") };
            self.faults.push(Fault { key: key.to_owned(), what: format!("{shown} is not {}", T::SHAPE) });
        }
        parsed
    }

    /// Keeps a fault that a concern found itself.
    pub fn fault(&mut self, key: &str, what: impl Into<String>) {
        self.faults.push(Fault { key: key.to_owned(), what: what.into() });
    }

    /// Every key taken so far with its variable.
    pub fn asked(self) -> Vec<(&'static str, String)> {
        self.asked
    }

    /// The keys that the file sets.
    pub fn keys_in_file(&self) -> Vec<String> {
        self.file.keys().cloned().collect()
    }

    /// All faults: those kept, and every key or `DOKUEI_` variable that nobody took.
    pub fn finish(mut self) -> Vec<Fault> {
        let keys: BTreeSet<&str> = self.asked.iter().map(|(key, _)| *key).collect();
        let variables: BTreeSet<&str> = self.asked.iter().map(|(_, variable)| variable.as_str()).collect();
        let unknown_keys = self.file.keys().filter(|key| !keys.contains(key.as_str()));
        let unknown_variables =
            self.env.keys().filter(|name| name.starts_with("DOKUEI_") && !variables.contains(name.as_str()));
        let unknown: Vec<Fault> = unknown_keys
            .chain(unknown_variables)
            .map(|key| Fault {
                key: key.clone(),
                what: "is not a known setting; see ops/dokuei.example.toml".to_owned(),
            })
            .collect();
        self.faults.extend(unknown);
        self.faults
    }
}

fn as_text(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        toml::Value::Array(values) => values.into_iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
