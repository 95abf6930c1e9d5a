//! The part of values files that some paths need: what stands at them, and whatever their templates name in turn.
//!
//! A target's file may hold what has nothing to do with a question and cannot be read; only what is asked for counts.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::merge::merge;
use super::{Document, KeyPath, Position, ValuesError};
use crate::template::paths;

/// A values file, and where the chart's values begin in it: at the top, or below `spec.values` of a HelmRelease.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The file.
    pub document: &'a Document,
    /// Where the values begin.
    pub root: &'a KeyPath,
}

/// What the files, merged in their order as Helm merges them, say at `wanted` and at all that it refers to.
///
/// # Errors
/// A path that cannot be read; the index of the file comes with the error.
pub fn excerpt(files: &[Layer<'_>], wanted: &[KeyPath]) -> Result<Value, (usize, ValuesError)> {
    let mut excerpts = vec![Map::new(); files.len()];
    let (mut open, mut read) = (wanted.to_vec(), BTreeSet::new());
    while let Some(path) = open.pop() {
        if !read.insert(path.clone()) {
            continue;
        }
        for (index, (file, excerpt)) in files.iter().zip(&mut excerpts).enumerate() {
            let value = file.document.value(&file.root.below(&path.0)).map_err(|error| (index, error))?;
            if let Some(value) = value {
                named(&value, &mut open);
                insert(excerpt, &path.0, value);
            }
        }
    }
    Ok(merge(excerpts))
}

/// The last file that has the path, or as much of it as there is, and where it stands in it.
pub fn place(files: &[Layer<'_>], at: &KeyPath) -> Option<(usize, Position)> {
    (1..=at.0.len()).rev().find_map(|depth| {
        let mut files = files.iter().enumerate().rev();
        files.find_map(|(index, file)| Some((index, file.document.key_at(&file.root.below(&at.0[..depth]))?)))
    })
}

/// The paths that the templates in a value name.
fn named(value: &Value, into: &mut Vec<KeyPath>) {
    match value {
        Value::String(text) => into.extend(paths(text).into_iter().map(KeyPath)),
        Value::Array(items) => items.iter().for_each(|item| named(item, into)),
        Value::Object(map) => map.values().for_each(|value| named(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn insert(into: &mut Map<String, Value>, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        into.insert(key.clone(), value);
    } else if let Value::Object(below) = into.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        insert(below, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_excerpt_has_what_its_templates_name_and_nothing_else() {
        let chart = document(
            "a: '{{ .Values.b.c }}'\nb: {c: '{{ .Values.d }}', e: 1}\nd: text\nbroken: *x\nother: 1\n"
                .replace("*x", "{x: 1, x: 2}")
                .as_str(),
        );
        let root = KeyPath(Vec::new());
        let layer = Layer { document: &chart, root: &root };
        let wanted = ["a".parse().unwrap()];
        let found = excerpt(&[layer], &wanted).unwrap();
        assert_eq!(found, json!({"a": "{{ .Values.b.c }}", "b": {"c": "{{ .Values.d }}"}, "d": "text"}));
    }

    #[test]
    fn later_files_win_wherever_their_values_begin() {
        let (chart, release) =
            (document("a: '{{ .Values.b }}'\nb: old\n"), document("spec:\n  values:\n    b: new\n"));
        let (top, below) = (KeyPath(Vec::new()), "spec.values".parse().unwrap());
        let layers = [Layer { document: &chart, root: &top }, Layer { document: &release, root: &below }];
        let found = excerpt(&layers, &["a".parse().unwrap()]).unwrap();
        assert_eq!(found, json!({"a": "{{ .Values.b }}", "b": "new"}));
        assert_eq!(place(&layers, &"b".parse().unwrap()), Some((1, Position { line: 3, column: 5 })));
        assert_eq!(place(&layers, &"a.x".parse().unwrap()), Some((0, Position { line: 1, column: 1 })));
        assert_eq!(place(&layers, &"z".parse().unwrap()), None);
    }
}
