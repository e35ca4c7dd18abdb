//! Matching of a query's identifier against an item that is at hand (PS3.4 C.2.2.2), sequences too.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dokuei_models::names::fold;
use dokuei_models::store::image_search::{DayRange, TimeRange};

use super::identifier::Unfit;
use crate::charset::PersonName;
use crate::dataset::{DataSet, Element, Value};

/// Whether every key with a value holds. A key that the item does not know matches everything.
pub(super) fn matches(identifier: &DataSet, item: &DataSet) -> Result<bool, Unfit> {
    for (tag, key) in identifier.iter() {
        let Some(known) = item.get(tag) else { continue };
        if tag == tags::SPECIFIC_CHARACTER_SET || key.value.is_empty() {
            continue;
        }
        let holds = match (&key.value, &known.value) {
            (Value::Sequence(keys), Value::Sequence(items)) => match keys.first() {
                None => true,
                Some(keys) => {
                    let mut any = keys.is_empty();
                    for item in items {
                        any |= matches(keys, item)?;
                    }
                    any
                }
            },
            (Value::Names(keys), Value::Names(names)) => name_holds(keys, names),
            (Value::Text(keys), Value::Text(values)) => {
                text_holds(known, keys, values).map_err(|comment| Unfit::new(comment, tag))?
            }
            _ => true,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn text_holds(known: &Element, keys: &[String], values: &[String]) -> Result<bool, &'static str> {
    let (Some(key), value) = (keys.first(), values.first().map_or("", String::as_str)) else { return Ok(true) };
    match known.vr {
        VR::DA => {
            let range = DayRange::parse(key).map_err(|_| "a date is none, and no range of dates")?;
            let Some(range) = range else { return Ok(true) };
            let day = chrono::NaiveDate::parse_from_str(value, "%Y%m%d").ok();
            Ok(day.is_some_and(|day| range.from.is_none_or(|from| day >= from) && range.to.is_none_or(|to| day <= to)))
        }
        VR::TM => {
            let range = TimeRange::parse(key).map_err(|_| "a time is none, and no range of times")?;
            Ok(range.is_none_or(|range| (range.from.as_str()..=range.to.as_str()).contains(&value)))
        }
        VR::UI => Ok(keys.iter().any(|key| key == value)),
        _ => Ok(keys.iter().any(|key| {
            if key.contains(['*', '?']) {
                wild(&key.to_lowercase(), &value.to_lowercase())
            } else {
                key.trim() == value
            }
        })),
    }
}

/// Each group that the key has must match some group of the name.
fn name_holds(keys: &[PersonName], names: &[PersonName]) -> bool {
    let groups = |name: &PersonName| [name.alphabetic(), name.ideographic(), name.phonetic()].map(fold);
    let (Some(key), Some(name)) = (keys.first(), names.first()) else { return !names.is_empty() };
    let known = groups(name);
    groups(key).iter().filter(|key| !key.is_empty()).all(|key| known.iter().any(|group| wild(key, group)))
}

/// Whether a text is what a pattern with `*` and `?` says.
fn wild(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The last star takes one more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Every key of the identifier with the item's value, empty where the item knows none; and whether some key is such.
pub(super) fn answer(identifier: &DataSet, item: &DataSet) -> (DataSet, bool) {
    let mut out = DataSet::default();
    let mut unsupported = false;
    for (tag, key) in identifier.iter() {
        if tag == tags::SPECIFIC_CHARACTER_SET {
            continue;
        }
        match (&key.value, item.get(tag)) {
            (Value::Sequence(keys), Some(Element { value: Value::Sequence(items), .. })) => {
                let keys = keys.first().filter(|keys| !keys.is_empty());
                let answered = items.iter().map(|item| match keys {
                    Some(keys) => {
                        let (answer, missing) = answer(keys, item);
                        unsupported |= missing;
                        answer
                    }
                    None => item.clone(),
                });
                let answered = answered.collect();
                out.put_items(tag, answered);
            }
            (_, Some(known)) => out.insert(tag, known.vr, known.value.clone()),
            (_, None) => {
                unsupported = true;
                out.put_empty(tag, key.vr);
            }
        }
    }
    (out, unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        for (pattern, text, holds) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "abbc", false),
            ("*本*", "松本", true),
            ("a", "ab", false),
            ("*a*b", "aab", true),
        ] {
            assert_eq!(wild(pattern, text), holds, "{pattern} {text}");
        }
    }
}
