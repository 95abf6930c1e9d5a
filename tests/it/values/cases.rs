//! `tests/data/edits/<case>/`: `in.yaml` with `changes.json` made gives `out.yaml`, byte for byte.

use std::fs;
use std::path::Path;

use dibump::values::{Change, Document, EditNote, KeyPath, Mapping, NewValue};
use serde_json::Value;

#[test]
fn every_written_case_gives_its_bytes() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/edits");
    let mut seen = 0;
    let mut failed = Vec::new();
    for case in fs::read_dir(cases).expect("the cases") {
        let folder = case.expect("a case").path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if std::panic::catch_unwind(|| check(&folder, &name)).is_err() {
            failed.push(name);
        }
        seen += 1;
    }
    assert!(failed.is_empty(), "{failed:?}");
    assert!(seen > 30, "only {seen} cases were found");
}

fn check(folder: &Path, name: &str) {
    let read = |file: &str| fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{name}/{file}: {e}"));
    let story: Value = serde_json::from_slice(&read("changes.json")).expect("changes");
    let document = Document::parse(read("in.yaml")).unwrap_or_else(|e| panic!("{name}: {e}"));
    let path: KeyPath = text(&story["mapping"]).parse().expect("a path");
    let mapping = document.mapping(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let changes: Vec<Change> =
        list(&story["changes"]).iter().map(|c| change(c, &path, mapping.as_ref())).collect();
    let edited = document.edit(&changes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let expected = String::from_utf8(read("out.yaml")).expect("UTF-8");
    assert_eq!(edited.text(), expected, "{name}");
    assert!(edited.edits.leaves_the_rest(document.text(), edited.text()), "{name}");
    let notes: Vec<Value> = edited.notes.iter().map(note).collect();
    assert_eq!(notes, list(&story["notes"]), "{name}");
    let again = Document::parse(edited.text().to_owned().into_bytes()).expect("what was checked reads");
    assert_eq!(again.edit(&[]).expect("nothing").text(), edited.text(), "{name}");
}

fn change(written: &Value, path: &KeyPath, mapping: Option<&Mapping>) -> Change {
    let entry = |of: &Value| entry(of, mapping);
    let optional = |of: &Value| (!of.is_null()).then(|| entry(of));
    let map = path.clone();
    let flag = |name: &str| written[name].as_bool().unwrap_or(false);
    if let Some(to) = written["set"].as_str() {
        Change::SetScalar { path: to.parse().expect("a path"), value: text(&written["value"]) }
    } else if !written["rename"].is_null() {
        Change::Rename { mapping: map, entry: entry(&written["rename"]), to: text(&written["to"]) }
    } else if !written["remove"].is_null() {
        let with_comments_above = flag("with_comments_above");
        Change::Remove { mapping: map, entry: entry(&written["remove"]), with_comments_above }
    } else if !written["enable"].is_null() {
        Change::Enable { mapping: map, from: entry(&written["from"]), to: entry(&written["enable"]) }
    } else {
        Change::Insert {
            mapping: map,
            before: optional(&written["before"]),
            above_comments: flag("above_comments"),
            key: text(&written["insert"]),
            value: match optional(&written["like"]) {
                Some(like) => NewValue::Like(like),
                None => NewValue::Fields(fields(&written["fields"])),
            },
        }
    }
}

/// The fields of a new entry that copies none.
fn fields(written: &Value) -> Vec<(String, String)> {
    let fields = written.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// An entry is named by its key, or by its index where the key is written twice.
fn entry(of: &Value, mapping: Option<&Mapping>) -> usize {
    match of {
        Value::Number(index) => usize::try_from(index.as_u64().expect("an index")).expect("small"),
        _ => {
            let key = text(of);
            let entries = &mapping.expect("a mapping").entries;
            entries.iter().position(|e| e.key == key).unwrap_or_else(|| panic!("no entry {key}"))
        }
    }
}

fn note(note: &EditNote) -> Value {
    match note {
        EditNote::CommentAboveStays { key, at } => serde_json::json!(["above", key, at.to_string()]),
        EditNote::CommentBelowStays { key, at } => serde_json::json!(["below", key, at.to_string()]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
