//! A small language for mappings and releases, and what changes do to a mapping.
//!
//! Keys are short: `u-1-31-8` is `ubuntu-noble-plain-rke2-1-31-8`, see [`FAMILIES`].

use serde_json::{Value, json};

use crate::reconcile::{DefaultEnabled, Images, Inputs, Ownership, Reconciliation, Refusal, reconcile};
use crate::release::{Artifact, Coverage, Naming, Release};
use crate::values::{Change, Entry, Mapping, MappingStyle, Position};

const FAMILIES: [(&str, &str); 7] = [
    ("u", "ubuntu-noble-plain-rke2"),
    ("j", "ubuntu-jammy-plain-rke2"),
    ("h", "ubuntu-noble-hardened-rke2"),
    ("k", "ubuntu-noble-plain-kubeadm"),
    ("s", "opensuse-15-6-plain-rke2"),
    ("t", "opensuse-15-5-plain-rke2"),
    ("w", "opensuse-15.5-plain-rke2"),
];

/// The whole name of a short one.
pub(super) fn long(key: &str) -> String {
    match key.split_once('-').and_then(|(short, rest)| {
        FAMILIES.iter().find(|(s, _)| *s == short).map(|(_, family)| format!("{family}-{rest}"))
    }) {
        Some(long) => long,
        None => key.to_owned(),
    }
}

/// Text with short names for long ones.
pub(super) fn short(text: &str) -> String {
    FAMILIES.iter().fold(text.to_owned(), |text, (short, family)| {
        text.replace(&format!("{family}-"), &format!("{short}-"))
    })
}

/// `0.4.11: u-1-31-7 u-1-30-9`; `0.4.11~` is known in part (`!key` is proven absent), `0.4.11?` is unknown.
pub(super) fn release(text: &str) -> Release {
    let (head, keys) = text.split_once(':').unwrap_or((text, ""));
    let reason = || "HTTP 503".to_owned();
    let (version, coverage) = match (head.strip_suffix('~'), head.strip_suffix('?')) {
        (Some(version), _) => (version, Coverage::Partial { reason: reason() }),
        (_, Some(version)) => (version, Coverage::Unknown { reason: reason() }),
        _ => (head, Coverage::Complete),
    };
    let words: Vec<&str> = keys.split_whitespace().collect();
    let artifact = |key: &&str| Artifact::named(long(key).parse().unwrap(), &Naming::default());
    let there = words.iter().filter(|word| !word.starts_with('!')).map(artifact);
    let mut release = Release::with_coverage(version.parse().unwrap(), coverage, there);
    release.absent = words
        .iter()
        .filter_map(|word| word.strip_prefix('!'))
        .map(|key| long(key).parse().unwrap())
        .collect();
    release
}

/// An entry a line: `key`, `key = {"json": 1}`, `key @kiwi` (its registry), `key *` (enabled), `key &` (an anchor);
/// `#` on a line of its own is a comment above the next entry.
pub(super) fn mapping(text: &str) -> Mapping {
    let mut entries = Vec::new();
    let mut comment_above = false;
    for (i, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        if line == "#" {
            comment_above = true;
            continue;
        }
        let (key, value, anchor) = read_entry(line);
        entries.push(Entry {
            key: long(key),
            at: Position { line: i + 1, column: 3 },
            value,
            key_span: 0..0,
            anchor_used_elsewhere: anchor,
            has_alias_or_anchor: anchor,
            comment_above,
        });
        comment_above = false;
    }
    let style = if entries.is_empty() { MappingStyle::Null } else { MappingStyle::Block };
    Mapping { path: "images".parse().unwrap(), style, entries, at: Position { line: 1, column: 1 } }
}

fn read_entry(line: &str) -> (&str, Value, bool) {
    if let Some((key, value)) = line.split_once(" = ") {
        return (key, serde_json::from_str(value).unwrap(), false);
    }
    let Some((key, mark)) = line.split_once(' ').filter(|_| !line.contains("{{")) else {
        return (line, json!({}), false);
    };
    match mark.strip_prefix('@') {
        Some(registry) => (key, json!({"os_images_oci_registry": registry}), false),
        None if mark == "*" => (key, json!({"enabled": true}), false),
        None => (key, json!({}), mark == "&"),
    }
}

/// What changes make of a mapping.
pub(super) fn apply(mapping: &Mapping, changes: &[Change]) -> Mapping {
    let mut slots: Vec<Option<Entry>> = mapping.entries.iter().cloned().map(Some).collect();
    let mut inserted: Vec<Vec<Entry>> = vec![Vec::new(); slots.len() + 1];
    for change in changes {
        match change {
            Change::SetScalar { .. } | Change::SetText { .. } | Change::ReplaceParts { .. } => {
                panic!("reconciliation sets no scalars")
            }
            Change::Rename { entry, to, .. } => slots[*entry].as_mut().unwrap().key = to.clone(),
            Change::Remove { entry, .. } => slots[*entry] = None,
            Change::Enable { to, .. } => slots[*to].as_mut().unwrap().value["enabled"] = json!(true),
            Change::Insert { before, key, value, .. } => {
                let value = value.data(mapping);
                let at = before.unwrap_or(mapping.entries.len());
                inserted[at].push(Entry { key: key.clone(), value, ..blank() });
            }
        }
    }
    slots.push(None);
    let entries = inserted.into_iter().zip(slots).flat_map(|(new, old)| new.into_iter().chain(old)).collect();
    Mapping { entries, ..mapping.clone() }
}

fn blank() -> Entry {
    Entry {
        key: String::new(),
        at: Position { line: 0, column: 0 },
        value: json!({}),
        key_span: 0..0,
        anchor_used_elsewhere: false,
        has_alias_or_anchor: false,
        comment_above: false,
    }
}

/// The keys of a mapping, short, with `*` where they are enabled.
pub(super) fn keys(mapping: &Mapping) -> String {
    let show = |entry: &Entry| {
        let mark = if entry.value.get("enabled") == Some(&json!(true)) { "*" } else { "" };
        short(&entry.key) + mark
    };
    mapping.entries.iter().map(show).collect::<Vec<_>>().join(" ")
}

/// A reconciliation without registries.
pub(super) fn run(
    images: &str,
    current: &str,
    wanted: &str,
    mapping: &Mapping,
) -> Result<Reconciliation, Refusal> {
    run_with(&Ownership::default(), images, current, wanted, mapping)
}

/// A reconciliation; no release is named where `current` is empty.
pub(super) fn run_with(
    ownership: &Ownership,
    images: &str,
    current: &str,
    wanted: &str,
    mapping: &Mapping,
) -> Result<Reconciliation, Refusal> {
    let current = (!current.is_empty()).then(|| release(current));
    let images: Images = images.parse().unwrap();
    let (wanted, naming) = (release(wanted), Naming::default());
    reconcile(Inputs {
        mapping,
        ownership,
        current: current.as_ref(),
        wanted: &wanted,
        images,
        default_enabled: DefaultEnabled::Stay,
        naming: &naming,
    })
}

/// The report in short words, a line each: what goes, what is suggested, what is dead, what is to be noted.
pub(super) fn report(result: &Reconciliation) -> String {
    let mut lines = Vec::new();
    for removed in &result.removed {
        let loud = if removed.enabled { "ENABLED " } else { "" };
        lines.push(format!("- {} {loud}{}", removed.key, removed.why));
    }
    lines.extend(result.suggested.iter().map(|s| format!("? {} {}", s.key, s.why)));
    lines.extend(result.foreign.iter().map(|f| format!("@ {} {}", f.key, f.registry)));
    lines.extend(result.templates.iter().map(|t| format!("t {}", t.key)));
    lines.extend(
        result.dead.iter().map(|d| format!("x {} {}", d.key, if d.proven { "absent" } else { "unproven" })),
    );
    lines.extend(result.notes.iter().map(|note| format!("! {note}")));
    if !result.version_may_move {
        lines.push("the version stays".to_owned());
    }
    short(&lines.join("\n"))
}
