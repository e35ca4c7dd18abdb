//! The words on screens and in mails, in Japanese and English.
//!
//! `templates/locales/ja/*.ftl` and `templates/locales/en/*.ftl`: one Fluent file
//! per area and language, compiled in. A key begins with its area
//! (`portal-upload-title`). A test holds that both languages have the same keys
//! with the same variables, and that every key a template or a source file
//! names exists.

use std::borrow::Cow;
use std::collections::HashMap;

use dokuei_terms::Language;
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};

static_loader! {
    static WORDS = {
        locales: "../templates/locales",
        fallback_language: "ja",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static JA: LanguageIdentifier = langid!("ja");
static EN: LanguageIdentifier = langid!("en");

fn identifier(language: Language) -> &'static LanguageIdentifier {
    match language {
        Language::Ja => &JA,
        Language::En => &EN,
    }
}

/// The word for `key`. A key that does not exist shows as itself (and fails the test).
pub fn word(language: Language, key: &str) -> String {
    WORDS.try_lookup(identifier(language), key).unwrap_or_else(|| key.to_owned())
}

/// The word for `key` with its variables filled in.
pub fn word_with(language: Language, key: &str, values: &[(&'static str, FluentValue<'static>)]) -> String {
    let values: HashMap<Cow<'static, str>, FluentValue<'static>> =
        values.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
    WORDS.try_lookup_with_args(identifier(language), key, &values).unwrap_or_else(|| key.to_owned())
}

/// The language's code: `ja` or `en`.
pub const fn code(language: Language) -> &'static str {
    match language {
        Language::Ja => "ja",
        Language::En => "en",
    }
}

/// The language of a code, where it is one.
pub fn language(code: &str) -> Option<Language> {
    match code {
        "ja" => Some(Language::Ja),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The language that an `Accept-Language` header likes best; Japanese where it says nothing we speak.
pub fn accepted(header: &str) -> Language {
    let mut wishes: Vec<(f32, Language)> = header
        .split(',')
        .filter_map(|wish| {
            let mut parts = wish.trim().split(';');
            let tag = parts.next()?.trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            Some((weight, language(tag.split('-').next()?)?))
        })
        .collect();
    wishes.sort_by(|a, b| b.0.total_cmp(&a.0));
    wishes.first().map_or(Language::Ja, |wish| wish.1)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use super::*;

    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path, extension));
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
        found
    }

    fn room() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    /// Key => the variables its text names, over all files of one language.
    fn keys(language: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in files(&room().join("../templates/locales").join(language), "ftl") {
            let mut current = None;
            for line in std::fs::read_to_string(&file).unwrap().lines() {
                if let Some((key, _)) =
                    line.split_once('=').filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
                {
                    let key = key.trim().to_owned();
                    assert!(!keys.contains_key(&key), "{key} is there twice in {language}");
                    keys.insert(key.clone(), BTreeSet::new());
                    current = Some(key);
                }
                let variables = line.split('$').skip(1).map(|rest| {
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == '-').collect::<String>()
                });
                if let Some(key) = &current {
                    keys.get_mut(key).unwrap().extend(variables);
                }
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_variables() {
        let (ja, en) = (keys("ja"), keys("en"));
        for (key, variables) in &ja {
            assert_eq!(en.get(key), Some(variables), "{key} in English");
        }
        for key in en.keys() {
            assert!(ja.contains_key(key), "{key} has no Japanese");
        }
    }

    #[test]
    fn every_key_that_is_named_exists() {
        let known = keys("ja");
        let mut sources = files(&room().join("../templates"), "html");
        sources.extend(files(&room().join("../templates"), "txt"));
        sources.extend(files(&room().join("src"), "rs"));
        for file in sources {
            let text = std::fs::read_to_string(&file).unwrap();
            for call in [".t(\"", ".tn(\"", ".tv(\"", "word(language, \"", "word_with(language, \""] {
                for rest in text.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(known.contains_key(key), "{key} in {} has no words", file.display());
                }
            }
        }
    }

    #[test]
    fn every_key_can_be_looked_up_in_both_languages() {
        for language in [Language::Ja, Language::En] {
            for (key, variables) in keys(code(language)) {
                let values: HashMap<Cow<'static, str>, FluentValue<'static>> =
                    variables.into_iter().map(|name| (Cow::Owned(name), FluentValue::from(3))).collect();
                let found = WORDS.try_lookup_with_args(identifier(language), &key, &values);
                assert!(found.is_some(), "{key} does not parse in {}", code(language));
            }
        }
    }

    #[test]
    fn the_browser_is_asked_for_its_language() {
        assert_eq!(accepted("en-GB,en;q=0.9,ja;q=0.8"), Language::En);
        assert_eq!(accepted("fr,ja;q=0.3,en;q=0.2"), Language::Ja);
        assert_eq!(accepted(""), Language::Ja);
    }
}
