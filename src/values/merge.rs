//! Values files as Helm merges them into the values that templates see.
//!
//! The first file is the chart's own, the others are the user's (`-f`): those are laid over each other first, so that a
//! null and a later mapping for the same key are a mapping, and then over the chart's, where a null deletes. A null of
//! the chart's own is nothing, and one of the user for a key that the chart does not have stays (Helm, `pkg/cli/values`
//! and `pkg/chart/common/util/coalesce.go`).

use serde_json::{Map, Number, Value};

use super::set::{Setting, Unsettable};
use super::{Document, ValuesError};

/// What the files say together. Numbers are floating, as Helm's are.
///
/// # Errors
/// A file whose top level is not a mapping, that has two documents, or a key with two values; the index of the file comes
/// with the error.
pub fn merged(files: &[&Document]) -> Result<Value, (usize, ValuesError)> {
    let read = |(index, file): (usize, &&Document)| file.top_level().map_err(|error| (index, error));
    files.iter().enumerate().map(read).collect::<Result<_, _>>().map(merge)
}

/// The same with what `--set` lays over the user's files. Its whole numbers stay whole, as in Helm.
///
/// # Errors
/// As [`merged`], and: a setting leads through something else than a mapping or a list.
pub fn merged_with(files: &[&Document], settings: &[Setting]) -> Result<Value, Unmerged> {
    let read =
        |(index, file): (usize, &&Document)| file.top_level().map_err(|error| Unmerged::File(index, error));
    let files = files.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    merge_with(files, |users| settings.iter().try_for_each(|setting| setting.lay_over(users)))
        .map_err(Unmerged::Setting)
}

/// Why values cannot be merged.
#[derive(Debug)]
pub enum Unmerged {
    /// One of the files, by its index.
    File(usize, ValuesError),
    /// One of the settings.
    Setting(Unsettable),
}

/// What was read already, together.
pub(super) fn merge(files: Vec<Map<String, Value>>) -> Value {
    merge_with(files, |_| Ok(())).unwrap_or_else(|never: std::convert::Infallible| match never {})
}

fn merge_with<E>(
    files: Vec<Map<String, Value>>,
    lay_over: impl FnOnce(&mut Map<String, Value>) -> Result<(), E>,
) -> Result<Value, E> {
    let mut files = files.into_iter();
    let mut values = files.next().unwrap_or_default();
    drop_nulls(&mut values);
    let mut users = Map::new();
    files.for_each(|file| overlay(&mut users, file));
    values.values_mut().chain(users.values_mut()).for_each(float);
    lay_over(&mut users)?;
    coalesce(&mut values, users);
    Ok(Value::Object(values))
}

/// Later files over earlier ones: mappings merge, everything else takes the place of what was there.
fn overlay(into: &mut Map<String, Value>, later: Map<String, Value>) {
    for (key, value) in later {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => overlay(below, above),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// The user's values over the chart's: as above, but null deletes.
fn coalesce(chart: &mut Map<String, Value>, user: Map<String, Value>) {
    for (key, value) in user {
        match (chart.get_mut(&key), value) {
            (Some(_), Value::Null) => drop(chart.remove(&key)),
            (Some(Value::Object(below)), Value::Object(above)) => coalesce(below, above),
            (_, value) => drop(chart.insert(key, value)),
        }
    }
}

fn drop_nulls(chart: &mut Map<String, Value>) {
    chart.retain(|_, value| !value.is_null());
    chart.values_mut().filter_map(Value::as_object_mut).for_each(drop_nulls);
}

/// Helm reads YAML by way of JSON, where each number is a float, and templates print them so.
fn float(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(float),
        Value::Object(map) => map.values_mut().for_each(float),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn together(files: &[&str]) -> Value {
        let documents: Vec<Document> =
            files.iter().map(|text| Document::parse(text.as_bytes().to_vec()).unwrap()).collect();
        merged(&documents.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn later_files_win_mappings_merge_and_null_deletes() {
        assert_eq!(together(&[]), json!({}));
        assert_eq!(together(&["", "# nothing\n"]), json!({}));
        let chart = "a: {x: text, w: no}\nb: [1]\nc: text\nd: ~\n";
        assert_eq!(
            together(&[chart, "a: {w: yes, z: 010}\nb: [2]\n", "c: null\na: {x: ~}\ne: null\n"]),
            json!({"a": {"w": true, "z": 8.0}, "b": [2.0], "e": null})
        );
        assert_eq!(together(&[chart, "a: text\n"]), json!({"a": "text", "b": [1.0], "c": "text"}));
    }

    #[test]
    fn the_users_files_are_laid_over_each_other_before_the_charts() {
        let chart = "a: {x: text}\n";
        assert_eq!(together(&[chart, "a: null\n", "a: {z: new}\n"]), json!({"a": {"x": "text", "z": "new"}}));
        assert_eq!(together(&[chart, "a: {z: new}\n", "a: null\n"]), json!({}));
    }

    #[test]
    fn a_value_that_is_set_is_the_last_word() {
        let set = |files: &[&str], settings: &[&str]| {
            let read = |text: &&str| Document::parse(text.as_bytes().to_vec()).unwrap();
            let documents: Vec<Document> = files.iter().map(read).collect();
            let settings: Vec<Setting> = settings.iter().map(|text| text.parse().unwrap()).collect();
            merged_with(&documents.iter().collect::<Vec<_>>(), &settings).unwrap()
        };
        assert_eq!(
            set(&["a: {x: text, w: text}\nm: 2\n"], &["a.x=true,b.c=1", "a.w=null,d=v1.31.8"]),
            json!({"a": {"x": true}, "b": {"c": 1}, "d": "v1.31.8", "m": 2.0})
        );
        // A list of the chart's own is replaced, one of the user's is changed: the settings are laid over the user's files.
        assert_eq!(set(&["l: [a, b]\n"], &["l[1]=c"]), json!({"l": [null, "c"]}));
        assert_eq!(set(&["l: [a, b]\n", "l: [d, e]\n"], &["l[1]=c"]), json!({"l": ["d", "c"]}));
    }

    #[test]
    fn keys_are_texts_as_helm_has_them() {
        assert_eq!(
            together(&["on: 1\n1.10: a\n'1.20': b\n8: c\n"]),
            json!({"true": 1.0, "1.1": "a", "1.20": "b", "8": "c"})
        );
    }

    #[test]
    fn a_key_with_two_values_is_no_value() {
        let of = |text: &str| {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            merged(&[&document]).map_err(|(_, error)| error.to_string())
        };
        assert_eq!(of("a: {x: {}, w: 1, x: {}}\n"), Ok(json!({"a": {"x": {}, "w": 1.0}})));
        assert_eq!(
            of("a:\n  x: 1\n  x: 2\n").unwrap_err(),
            "3:3: `a.x` is written twice with different values, first at 2:3"
        );
        assert_eq!(of("- a\n").unwrap_err(), "1:1: the file is a list (expected a mapping)");
        assert!(of("a: 1\n---\nb: 2\n").unwrap_err().starts_with("3:1: the file is two documents"));
    }
}
