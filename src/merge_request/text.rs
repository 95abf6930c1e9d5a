//! The text for the reviewer: what changes, what could not be checked, how to see it for oneself.
//!
//! What matters stands in the first 2,700 characters, where GitLab cuts the description that pipelines see
//! (`CI_MERGE_REQUEST_DESCRIPTION`); notes and digests follow. It says the same as long as the plan is the same: no
//! times, no counters. Everything that comes from outside goes through [`markdown`].

mod findings;
mod following;
mod os_release;

use std::collections::BTreeMap;

pub use findings::FindingsSummary;
pub use following::{Following, ReferenceSummary, VersionChange};
pub use os_release::OsReleases;

use crate::markdown;
use crate::release::{Digest, Facets, K8sVersion, Size, Version};

/// The first part's share of the description, in characters.
const ESSENTIALS: usize = 2_700;
/// Entries of a list in the first part; the rest of it stands below.
const SHORT_LIST: usize = 5;
/// What is shown of the notes of one release.
const NOTE_LINES: usize = 60;
const NOTE_CHARS: usize = 4_000;

/// What there is to say about an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The producer.
    pub producer: String,
    /// The registry prefix that was asked.
    pub prefix: String,
    /// The release that the file names, where it names one.
    pub from: Option<Version>,
    /// The release that is proposed; the same one where only keys are aligned.
    pub to: Version,
    /// What changes, file by file.
    pub files: Vec<FileSummary>,
    /// What the release lacks, item by item, where it is proposed all the same.
    pub missing: Vec<String>,
    /// Whether the release is whole, in a sentence.
    pub complete: Option<String>,
    /// What it does to the findings of `dibump check`.
    pub findings: FindingsSummary,
    /// OS releases that change.
    pub os_releases: OsReleases,
    /// What follows the image keys elsewhere.
    pub following: Following,
    /// Signatures, in a sentence.
    pub signatures: Option<String>,
    /// What a reviewer should know, a sentence each: Kubernetes going down, a scheme crossed, a gate overridden.
    pub warnings: Vec<String>,
    /// What could not be checked, a sentence each.
    pub unchecked: Vec<String>,
    /// What a deployment replaces once this is merged: images in use whose content changes.
    pub rolls: Vec<KeyChange>,
    /// Other releases, and why they are not proposed.
    pub others: Vec<(Version, String)>,
    /// The images that the files will list.
    pub images: Vec<ImageRow>,
    /// The producer's release notes (untrusted) of every release on the way, newest first.
    pub release_notes: Vec<(Version, String)>,
    /// The command that shows the same plan.
    pub reproduce: String,
}

/// What changes in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// Its path in the project.
    pub path: String,
    /// How its mapping is treated, and why: `follow`, `the mapping leaves out 3 of 22 artifacts`.
    pub policy: Option<(String, String)>,
    /// Keys that are renamed, added, removed.
    pub changes: Vec<KeyChange>,
    /// Keys that stay as they are; their images may have changed.
    pub kept: Vec<KeyChange>,
    /// Keys that the release has and the mapping leaves out.
    pub suggested: Vec<String>,
}

/// One key that changes: renamed if both sides are there, else added or removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// The key before.
    pub from: Option<Image>,
    /// The key after.
    pub to: Option<Image>,
    /// Why it goes.
    pub why: Option<String>,
    /// Whether the value of a key that goes enables it.
    pub enabled: bool,
}

/// An image that a file will list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// Its key.
    pub key: String,
    /// The digest of its manifest, where that was read.
    pub digest: Option<Digest>,
    /// The size of its layers, where that is known.
    pub size: Option<Size>,
    /// What is to be said of its signature; `None` where signatures were not asked for.
    pub signature: Option<String>,
}

/// An image key and what it stands for, where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The key.
    pub key: String,
    /// What the image contains.
    pub facets: Option<Facets>,
}

/// The title of the merge request and of its commit.
pub fn title(producer: &str, from: Option<&Version>, to: &Version) -> String {
    match from {
        Some(from) if from == to => format!("Align image keys with {}", markdown::title(to.as_str())),
        _ => format!("Update {} to {}", markdown::title(producer), markdown::title(to.as_str())),
    }
}

/// The bot's part of the description.
pub fn describe(summary: &Summary) -> String {
    let head = [summary.findings.head(), summary.os_releases.head()];
    let mut parts: Vec<String> = head.into_iter().flatten().collect();
    parts.push(headline(summary));
    let missing: Vec<String> = summary.missing.iter().map(|item| markdown::inline(item)).collect();
    parts.extend(bullets("Missing in this release", short(&missing)));
    parts.extend(bullets("Please look at", &warnings(summary)));
    parts.extend(summary.os_releases.part());
    parts.extend(summary.findings.resolved());
    parts.extend(sentence("Complete", summary.complete.as_deref()));
    parts.extend(sentence("Signatures", summary.signatures.as_deref()));
    parts.push(format!("**What to do:** {}", to_do(summary)));
    let others = other_releases(summary);
    parts.extend(bullets("Other releases", short(&others)));
    parts.extend(families(summary));
    parts.extend(bullets("What follows", &summary.following.lines()));
    parts.push(format!("**See it for yourself:**\n\n{}", markdown::command(&summary.reproduce)));

    let lists: Vec<String> = summary.files.iter().flat_map(key_lists).collect();
    parts.extend(essential_lists(&lists, ESSENTIALS.saturating_sub(length(&parts))));
    parts.extend(bullets("All that is missing", if missing.len() > SHORT_LIST { &missing } else { &[] }));
    parts.extend(bullets("All other releases", if others.len() > SHORT_LIST { &others } else { &[] }));
    parts.extend(summary.findings.rest());
    parts.extend(summary.files.iter().filter_map(suggestions));
    parts.extend(bullets("Images in use that change", &rolling(summary)));
    parts.extend(images(summary));
    parts.extend(release_notes(summary));
    parts.join("\n\n")
}

fn sentence(heading: &str, text: Option<&str>) -> Option<String> {
    text.map(|text| format!("**{heading}:** {}", markdown::inline(text)))
}

/// The reviewer's next step, by what there is.
fn to_do(summary: &Summary) -> String {
    let look = !summary.findings.errors.is_empty() || !warnings(summary).is_empty();
    let mut steps = Vec::new();
    if !summary.missing.is_empty() {
        steps.push(
            "wait until the release is whole, or make sure that you need nothing of what is missing".into(),
        );
    } else if look {
        steps.push("judge what is listed above".to_owned());
    }
    match summary.rolls.len() {
        0 => {}
        1 => steps.push("be ready for the nodes of 1 image in use to be replaced".to_owned()),
        count => steps.push(format!("be ready for the nodes of {count} images in use to be replaced")),
    }
    steps.push("merge once the pipeline is green".to_owned());
    let (last, first) = (steps.pop().unwrap_or_default(), steps.join("; "));
    let text = if first.is_empty() { last } else { format!("{first}; then {last}") };
    format!("{text}. Closing it says no to this release only.")
}

fn rolling(summary: &Summary) -> Vec<String> {
    let line = |change: &KeyChange| key_line(change).trim_start_matches("- ").to_owned();
    summary.rolls.iter().map(line).collect()
}

/// Notes by release, each cut to its share: a description has room for some pages, and notes for novels.
fn release_notes(summary: &Summary) -> Vec<String> {
    let heading = format!("### What {} says", markdown::inline(&summary.producer));
    let note = |(version, text): &(Version, String)| {
        format!("**{}**\n\n{}", markdown::inline(version.as_str()), markdown::block(&trimmed(text)))
    };
    let notes: Vec<String> = summary.release_notes.iter().map(note).collect();
    if notes.is_empty() { Vec::new() } else { std::iter::once(heading).chain(notes).collect() }
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

fn headline(summary: &Summary) -> String {
    let (to, prefix) = (markdown::code(summary.to.as_str()), markdown::code(&summary.prefix));
    let what = match &summary.from {
        Some(from) if *from == summary.to => format!("Aligns the image keys with release {to}"),
        Some(from) => format!("Moves from release {} to {to}", markdown::code(from.as_str())),
        None => format!("Moves to release {to}"),
    };
    let files: Vec<String> = summary.files.iter().map(in_file).collect();
    format!("{what} of {} ({prefix}).\n\n{}", markdown::inline(&summary.producer), files.join("\n"))
}

fn in_file(file: &FileSummary) -> String {
    let count = |kind: fn(&KeyChange) -> bool| file.changes.iter().filter(|change| kind(change)).count();
    let (renamed, added, removed) = (count(is_renamed), count(is_added), count(is_removed));
    let policy = file.policy.as_ref().map(|(policy, because)| {
        format!(" (images: {}, {})", markdown::inline(policy), markdown::inline(because))
    });
    format!(
        "- {}: {renamed} renamed, {added} added, {removed} removed, {} kept{}",
        markdown::code(&file.path),
        file.kept.len(),
        policy.unwrap_or_default()
    )
}

/// What a reviewer must not overlook: keys that were in use and go come first.
fn warnings(summary: &Summary) -> Vec<String> {
    let enabled = summary.files.iter().flat_map(|file| &file.changes).filter(|change| change.enabled);
    let gone = enabled.filter_map(|change| match (&change.from, &change.to) {
        (Some(from), None) => Some(format!("{} was enabled, and goes", markdown::code(&from.key))),
        _ => None,
    });
    let told = summary.findings.warnings.iter().chain(&summary.warnings).map(|text| markdown::inline(text));
    let unchecked = summary.unchecked.iter().map(|text| format!("not checked: {}", markdown::inline(text)));
    gone.chain(unchecked).chain(told).collect()
}

fn other_releases(summary: &Summary) -> Vec<String> {
    let line = |(version, why): &(Version, String)| {
        format!("{}: {}", markdown::code(version.as_str()), markdown::inline(why))
    };
    summary.others.iter().map(line).collect()
}

/// A table with a row for each family: which Kubernetes versions come and go.
fn families(summary: &Summary) -> Option<String> {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in summary.files.iter().flat_map(|file| file.kept.iter().chain(&file.changes)) {
        let facets = |image: &Option<Image>| image.as_ref().and_then(|image| image.facets.clone());
        let (from, to) = (facets(&change.from), facets(&change.to));
        let Some(family) = to.as_ref().or(from.as_ref()).map(Facets::family) else { continue };
        let cells = rows.entry(family.to_string()).or_default();
        let cell = moves(from.as_ref().map(|f| &f.k8s_version), to.as_ref().map(|f| &f.k8s_version));
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    let row = |(family, cells): (String, Vec<String>)| {
        format!("| {} | {} |", markdown::inline(&family), cells.join(", "))
    };
    let rows: Vec<String> = rows.into_iter().map(row).collect();
    (!rows.is_empty()).then(|| format!("| Family | Kubernetes |\n|---|---|\n{}", rows.join("\n")))
}

fn moves(from: Option<&K8sVersion>, to: Option<&K8sVersion>) -> String {
    let text = |version: &K8sVersion| markdown::inline(&version.to_string());
    match (from, to) {
        (Some(from), Some(to)) if from == to => text(to),
        (Some(from), Some(to)) => format!("{} → {}", text(from), text(to)),
        (None, Some(to)) => format!("added {}", text(to)),
        (Some(from), None) => format!("removed {}", text(from)),
        (None, None) => String::new(),
    }
}

fn key_lists(file: &FileSummary) -> Vec<String> {
    file.changes.iter().map(key_line).collect()
}

fn key_line(change: &KeyChange) -> String {
    let why = change.why.as_deref().map(|why| format!(" ({})", markdown::inline(why))).unwrap_or_default();
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => {
            format!("- {} → {}{why}", markdown::code(&from.key), markdown::code(&to.key))
        }
        (None, Some(to)) => format!("- added {}{why}", markdown::code(&to.key)),
        (Some(from), None) => format!("- removed {}{why}", markdown::code(&from.key)),
        (None, None) => String::new(),
    }
}

/// The list of keys, whole if it fits; else its beginning, and the rest under a heading of its own.
fn essential_lists(lines: &[String], room: usize) -> Vec<String> {
    let mut used = 0;
    let fits = lines.iter().take_while(|line| {
        used += line.chars().count() + 1;
        used + 60 <= room
    });
    let (first, rest) = lines.split_at(fits.count());
    let mut parts = Vec::new();
    if !first.is_empty() {
        parts.push(format!("**Keys:**\n\n{}", first.join("\n")));
    }
    if !rest.is_empty() {
        parts.push(format!("### {} more keys\n\n{}", rest.len(), rest.join("\n")));
    }
    parts
}

fn suggestions(file: &FileSummary) -> Option<String> {
    let keys: Vec<String> = file.suggested.iter().map(|key| markdown::code(key)).collect();
    bullets(&format!("Published, and not in {}", markdown::code(&file.path)), &keys)
}

/// The images that will be listed; a column of signatures only where they were asked for.
fn images(summary: &Summary) -> Option<String> {
    let asked = summary.images.iter().any(|image| image.signature.is_some());
    let row = |[key, size, signature, digest]: [String; 4]| match asked {
        true => format!("| {key} | {size} | {signature} | {digest} |"),
        false => format!("| {key} | {size} | {digest} |"),
    };
    let heads = row(["Image", "Size", "Signature", "Manifest"].map(str::to_owned));
    let rule = row(["---"; 4].map(str::to_owned)).replace(' ', "");
    let image = |image: &ImageRow| {
        row([
            markdown::code(&image.key),
            image.size.map(|size| size.to_string()).unwrap_or_default(),
            image.signature.as_deref().map(markdown::inline).unwrap_or_default(),
            image.digest.as_ref().map(|digest| markdown::code(digest.as_str())).unwrap_or_default(),
        ])
    };
    let rows: Vec<String> = [heads, rule].into_iter().chain(summary.images.iter().map(image)).collect();
    (!summary.images.is_empty()).then(|| format!("### Images\n\n{}", rows.join("\n")))
}

/// A list whose items are inert already; `None` if it is empty.
fn bullets(heading: &str, items: &[String]) -> Option<String> {
    let items: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
    (!items.is_empty()).then(|| format!("**{heading}:**\n\n{}", items.join("\n")))
}

fn short(items: &[String]) -> &[String] {
    items.get(..SHORT_LIST).unwrap_or(items)
}

fn length(parts: &[String]) -> usize {
    parts.iter().map(|part| part.chars().count() + 2).sum()
}

fn is_renamed(change: &KeyChange) -> bool {
    change.from.is_some() && change.to.is_some()
}

fn is_added(change: &KeyChange) -> bool {
    change.from.is_none()
}

fn is_removed(change: &KeyChange) -> bool {
    change.to.is_none()
}

#[cfg(test)]
mod tests;
