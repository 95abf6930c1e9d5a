//! What strangers write and dibump works on: schemas, templates with values, annotations. The work ends, gives the same
//! again, and leaves every line ours.

use std::collections::BTreeMap;

use dibump::budget::{Budget, Counted, Exceeded};
use dibump::disk::releases::ReleasesFile;
use dibump::plan::schema::{Schema, SchemaAnswer};
use dibump::release::data::ReleaseData;
use dibump::release::diff::ReleaseDifference;
use dibump::release::{Artifact, Naming, Release};
use dibump::report::{artifacts, release_diff};
use dibump::template;
use dibump::values::{KeyPath, Rendered};
use serde_json::Value;

/// Keys are asked of a schema, in a mapping below the top level.
pub fn schema(data: &[u8]) {
    let Ok(schema) = Schema::parse(data) else { return };
    let path: KeyPath = "images".parse().expect("a path");
    let ask = || {
        let budget = Budget::default();
        let answers = schema.at(&path, &budget).and_then(|mapping| {
            ["ubuntu-noble-plain-rke2-1-31-8", "a", ""].map(|key| mapping.allows(key)).into_iter().collect()
        });
        (answers, budget.spent(Counted::Schema))
    };
    let (answers, steps): (Result<Vec<SchemaAnswer>, Exceeded>, u64) = ask();
    // Each rule once for each of four keys; a reference costs no more than it takes to write, a pattern is charged by the key.
    assert!(steps <= 200 * (data.len() as u64 + 1), "{steps} steps for {} bytes", data.len());
    assert_eq!(ask().0, answers);
}

/// A template in the first line, and behind it the values as JSON.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, values) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(values) = serde_json::from_str::<Value>(values) else { return };
    let render = || {
        let budget = Budget::default();
        let rendered = template::resolve(text, Rendered::new(&values, &budget).with());
        (rendered, budget.spent(Counted::TemplateBytes))
    };
    let (rendered, bytes) = render();
    if let Ok(rendered) = rendered.as_ref().map(|resolved| &resolved.text) {
        assert!(rendered.len() <= 1 << 20 || rendered == text, "{} bytes", rendered.len());
    }
    assert!(bytes <= (64 << 20) + (1 << 20), "{bytes} bytes for {} bytes", data.len());
    assert_eq!(render().0, rendered);
}

/// Annotations as `name=value`, apart by NUL, of an image that other outputs speak of.
pub fn annotations(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((format!("sylvaproject.org/diskimage/{name}"), value.to_owned()))
    };
    let annotations: BTreeMap<String, String> = text.split('\0').filter_map(pair).collect();
    let naming = Naming::default();
    let release = |version: &str, name: &str, annotations| {
        let artifact = Artifact::described(name.parse().expect("a key"), None, annotations, &naming);
        Release::complete(version.parse().expect("a version"), [artifact])
    };
    let before = release("0.4.11", "ubuntu-noble-plain-rke2-1-31-8", BTreeMap::new());
    let after = release("0.4.12", "ubuntu-noble-plain-rke2-1-31-9", annotations);
    let difference = ReleaseDifference::between(&before, &after);
    for output in [
        artifacts::text(&after, None, &naming, Some(80)),
        artifacts::text(&after, None, &naming, None),
        artifacts::markdown(&after, None, &naming),
        release_diff::text(&difference, None),
        release_diff::markdown(&difference),
    ] {
        assert_ours(&output);
    }
    let known =
        ReleaseData { releases: [(after.version.clone(), after.clone())].into(), ..ReleaseData::default() };
    let json = dibump::report::json::text(&ReleasesFile::new(None, &known)).expect("JSON");
    let back: Value = serde_json::from_str(&json).expect("what was written is read");
    let artifact = &back["releases"][0]["artifacts"][0];
    let read: BTreeMap<String, String> =
        serde_json::from_value(artifact["annotations"].clone()).unwrap_or_default();
    assert_eq!(read, *after.artifacts.values().next().expect("one").annotations);
    assert!(!json.chars().any(|c| c.is_control() && c != '\n'), "{json:?}");
}

/// No line begins with a command for a CI system, and nothing moves the cursor but our own colours.
fn assert_ours(output: &str) {
    let mut plain = String::new();
    for (i, part) in output.split("\u{1b}[").enumerate() {
        let colour = part
            .find('m')
            .filter(|end| i > 0 && part[..*end].chars().all(|c| c.is_ascii_digit() || c == ';'));
        plain.push_str(colour.map_or(part, |end| &part[end + 1..]));
    }
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    for line in plain.split('\n') {
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
        assert!(!line.chars().any(|c| c.is_control() || turns(c)), "{line:?}");
    }
}
