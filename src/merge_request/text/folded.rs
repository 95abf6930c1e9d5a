//! What is folded: there to be looked up, and nothing that a reviewer must not overlook.

use std::collections::BTreeMap;

use super::Background;
use crate::markdown;
use crate::plan::findings::told;
use crate::plan::view::{FileView, KeyAction, KeyView, NamedImage, ReleaseView, StepView};
use crate::plan::{PlanView, SetValue};
use crate::release::{Artifact, Size, Version, counted};

/// What is shown of the notes of one release, and of all of them: a description has room for some pages, and notes for
/// novels.
const NOTE_LINES: usize = 60;
const NOTE_CHARS: usize = 4_000;
const ALL_NOTES_CHARS: usize = 16_000;

/// The folded parts, in the order in which they are wanted; the notes are those that the visible part does not show in full.
pub(super) fn parts(plan: &PlanView, background: &Background, all_notes: Vec<String>) -> Vec<String> {
    let parts = [
        keys(plan),
        followed(plan),
        notes(plan, all_notes),
        suggested(plan),
        other_releases(plan),
        release_notes(plan, background),
        digests(plan),
        Some(markdown::folded("How to reproduce", &markdown::command(&background.reproduce))),
    ];
    parts.into_iter().flatten().collect()
}

/// The keys of each file, a table for each family.
fn keys(plan: &PlanView) -> Option<String> {
    let counts = [
        (KeyAction::Rename, "renamed"),
        (KeyAction::Add, "added"),
        (KeyAction::Remove, "removed"),
        (KeyAction::Keep, "kept"),
    ];
    let counts = counts.map(|(action, what)| (plan.count(action), what));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let counts: Vec<String> = counts.collect();
    let body: Vec<String> = plan.files.iter().map(keys_of).collect();
    let has_keys = plan.files.iter().any(|file| !file.keys.is_empty());
    has_keys.then(|| markdown::folded(&format!("Image keys: {}", counts.join(", ")), &body.join("\n\n")))
}

fn keys_of(file: &FileView) -> String {
    let mut families: BTreeMap<Option<String>, Vec<Vec<String>>> = BTreeMap::new();
    for key in &file.keys {
        families.entry(key.family().map(|family| family.to_string())).or_default().push(row(key));
    }
    let table = |(family, rows): (Option<String>, Vec<Vec<String>>)| {
        let family = family.unwrap_or_else(|| "Other names".to_owned());
        format!("**{}**\n\n{}", markdown::inline(&family), markdown::table(&["Old", "New", "In use"], rows))
    };
    let policy = markdown::inline(&format!("images: {}, {}", file.policy, file.because));
    let heading = format!("{} ({policy})", markdown::code(&file.path));
    std::iter::once(heading).chain(families.into_iter().map(table)).collect::<Vec<_>>().join("\n\n")
}

fn row(key: &KeyView) -> Vec<String> {
    let name = |image: &Option<NamedImage>| {
        image.as_ref().map(|image| markdown::code(&image.key)).unwrap_or_default()
    };
    let new = match key.action {
        KeyAction::Keep => "unchanged".to_owned(),
        KeyAction::Rename | KeyAction::Add => name(&key.to),
        KeyAction::Remove => format!("removed: {}", markdown::inline(key.why.as_deref().unwrap_or_default())),
    };
    let old = if key.action == KeyAction::Add { "new".to_owned() } else { name(&key.from) };
    vec![old, new, if key.in_use { "yes".to_owned() } else { String::new() }]
}

/// What follows the keys elsewhere.
fn followed(plan: &PlanView) -> Option<String> {
    let versions = plan.kubernetes_versions().map(|set| {
        let (from, to) = (markdown::code(&set.from), markdown::code(&set.to));
        let of = markdown::inline(&format!("{} {}", set.k8s_flavor, set.minor));
        format!("Kubernetes of {of}: {from} → {to}")
    });
    let references = plan
        .followed()
        .into_iter()
        .map(|(path, count)| format!("{}: {} renamed", markdown::code(path), counted(count, "reference")));
    let lines = plan.files.iter().flat_map(|file| &file.kubernetes_lines);
    let lines = lines.map(|line| markdown::prose(&line.to_string()));
    let values = plan.files.iter().flat_map(|file| &file.values).map(value);
    let defaults = plan.files.iter().flat_map(|file| &file.moved_defaults);
    let defaults = defaults.map(|moved| markdown::prose(&moved.to_string()));
    list(
        "What follows the keys",
        defaults.chain(versions).chain(lines).chain(values).chain(references).collect(),
    )
}

/// A value of a list, with the digest of each list that says so.
fn value(set: &SetValue) -> String {
    let lists = set.lists.iter().map(|list| {
        let (url, digest) = (markdown::code(&list.url), markdown::code(list.digest.as_str()));
        format!("{url} ({digest})")
    });
    let lists: Vec<String> = lists.collect();
    let said = markdown::prose(&set.to_string());
    if lists.is_empty() { said } else { format!("{said}, by {}", lists.join(", ")) }
}

/// All notes, where the visible part had no room for them; what the release lacks, what `check` resolves, and what it
/// could not tell.
fn notes(plan: &PlanView, notes: Vec<String>) -> Option<String> {
    let lines = |texts: Vec<String>| texts.iter().map(|text| markdown::prose(text)).collect::<Vec<_>>();
    let missing = plan.changing().flat_map(|step| &step.completeness);
    let missing = missing.flat_map(|release| release.missing.clone()).collect();
    let lists = [
        ("All notes", notes),
        ("Missing in this release", missing),
        ("Resolved by this update", plan.findings.difference.resolved.iter().map(told).collect()),
        ("Not checked", plan.findings.not_checked.clone()),
    ];
    let lists = lists.into_iter().filter(|(_, texts)| !texts.is_empty());
    let list = |(heading, texts)| format!("**{heading}:**\n\n{}", markdown::bullets(lines(texts)));
    let body: Vec<String> = lists.map(list).collect();
    (!body.is_empty()).then(|| markdown::folded("More about the checks", &body.join("\n\n")))
}

fn suggested(plan: &PlanView) -> Option<String> {
    let files = plan.files.iter().filter(|file| !file.suggested.is_empty());
    let of_file = |file: &FileView| {
        let keys = file.suggested.iter().map(|key| markdown::code(key));
        format!("Not in {}:\n\n{}", markdown::code(&file.path), markdown::bullets(keys))
    };
    let count: usize = plan.files.iter().map(|file| file.suggested.len()).sum();
    let body: Vec<String> = files.map(of_file).collect();
    (count > 0).then(|| markdown::folded(&format!("Published and not listed: {count}"), &body.join("\n\n")))
}

fn other_releases(plan: &PlanView) -> Option<String> {
    let of_step = |step: &StepView| {
        let (shown, counts) = ReleaseView::shown(step.other_releases());
        let line = |release: &ReleaseView| {
            let version = markdown::code(release.version.as_str());
            format!("{}{version}: {}", producer(plan, step), markdown::prose(&release.told()))
        };
        let count = |count: &String| format!("{}{}", producer(plan, step), markdown::prose(count));
        shown.into_iter().map(line).chain(counts.iter().map(count)).collect::<Vec<_>>()
    };
    list("Other releases", plan.steps.iter().flat_map(of_step).collect())
}

/// The name of a producer before its version, where there are several.
fn producer(plan: &PlanView, step: &StepView) -> String {
    if plan.steps.len() > 1 { format!("{} ", markdown::inline(&step.producer)) } else { String::new() }
}

/// Notes by release, each cut to its share, and all of them to theirs: the newest come first.
fn release_notes(plan: &PlanView, background: &Background) -> Option<String> {
    let mut used = 0;
    let releases: Vec<(&StepView, &(Version, String))> = background
        .changing(plan)
        .flat_map(|(step, source)| source.release_notes.iter().map(move |note| (step, note)))
        .collect();
    let note = |(step, (version, text)): &(&StepView, &(Version, String))| {
        let version = format!("{}{}", producer(plan, step), markdown::inline(version.as_str()));
        let note = format!("**{version}**\n\n{}", markdown::block(&trimmed(text)));
        used += note.chars().count();
        if used > ALL_NOTES_CHARS { format!("**{version}**: left out, as the notes are long") } else { note }
    };
    let notes: Vec<String> = releases.iter().map(note).collect();
    let heading = format!("Release notes: {}", releases.len());
    (!notes.is_empty()).then(|| markdown::folded(&heading, &notes.join("\n\n")))
}

fn trimmed(notes: &str) -> String {
    let lines: Vec<&str> = notes.trim().lines().collect();
    let mut used = 0;
    let fits = lines.iter().take(NOTE_LINES).take_while(|line| {
        used += line.chars().count() + 1;
        used <= NOTE_CHARS
    });
    let count = fits.count();
    let kept = lines[..count].join("\n");
    if count == lines.len() { kept } else { format!("{kept}\n(cut)") }
}

/// The images that will be listed; a column of signatures only where they were asked for.
fn digests(plan: &PlanView) -> Option<String> {
    let checked: Vec<_> = plan.changing().filter_map(|step| step.signatures.checked()).collect();
    let row = |artifact: &Artifact| {
        let verdict = checked.iter().find_map(|checked| checked.verdicts.get(&artifact.key));
        let signature = verdict.map(|verdict| markdown::inline(&verdict.to_string()));
        let signature = (!checked.is_empty()).then_some(signature);
        let digest = artifact.digest.as_ref().map(|digest| markdown::code(digest.as_str()));
        let size = artifact.size.map(|size| Size(size).to_string());
        let cells = [Some(markdown::code(artifact.key.as_str())), size];
        let cells = cells.into_iter().chain(signature).chain([digest]);
        cells.map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    let heads: &[&str] = match checked.is_empty() {
        false => &["Image", "Size", "Signature", "Manifest"],
        true => &["Image", "Size", "Manifest"],
    };
    let read: Vec<&Artifact> = plan.listed.iter().filter(|artifact| artifact.digest.is_some()).collect();
    let table = markdown::table(heads, read.iter().copied().map(row));
    let heading = format!("Digests and sizes: {}", read.len());
    (!read.is_empty()).then(|| markdown::folded(&heading, &table))
}

/// A folded list; `None` if it is empty.
fn list(heading: &str, items: Vec<String>) -> Option<String> {
    let summary = format!("{heading}: {}", items.len());
    (!items.is_empty()).then(|| markdown::folded(&summary, &markdown::bullets(items)))
}
