//! What a change changed, for its audit row: field by field, before and after.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The fields that differ as JSON: `{"quiet_seconds":["60","30"]}`. Empty where nothing does.
pub fn between<T: Serialize>(before: &T, after: &T) -> String {
    let fields = |form: &T| match serde_json::to_value(form) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let (before, after) = (fields(before), fields(after));
    let changed: Map<String, Value> = after
        .into_iter()
        .filter(|(name, _)| name != "version")
        .filter_map(|(name, new)| {
            let old = before.get(&name).cloned().unwrap_or_default();
            (old != new).then(|| (name, Value::Array(vec![old, new])))
        })
        .collect();
    if changed.is_empty() { String::new() } else { Value::Object(changed).to_string() }
}

/// A free text goes into the trail as a few letters of its hash: that it changed is told, what it says is not.
///
/// # Errors
/// The serializer's.
pub fn veiled<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    serializer.serialize_str(if text.is_empty() { "" } else { &digest[..8] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Form {
        version: i32,
        name: &'static str,
        #[serde(serialize_with = "veiled")]
        notes: String,
    }

    #[test]
    fn the_trail_tells_what_changed_and_keeps_free_text_out() {
        let form = |version, name, notes: &str| Form { version, name, notes: notes.to_owned() };
        assert_eq!(between(&form(1, "a", "x"), &form(2, "a", "x")), "");
        let told = between(&form(1, "a", ""), &form(2, "b", "山田さんは造影剤禁忌"));
        assert!(told.contains("\"name\":[\"a\",\"b\"]") && told.contains("\"notes\""), "{told}");
        assert!(!told.contains("山田"), "{told}");
    }
}
