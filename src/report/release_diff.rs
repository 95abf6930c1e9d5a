//! What changes between two releases, for terminals and in Markdown.

use anstyle::Style;

use super::size::changed;
use super::table::{Column, Table};
use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, printable};
use crate::markdown;
use crate::release::diff::{ImageChange, ReleaseDifference, total_size};
use crate::release::{Artifact, Coverage, Facets, Family, K8sVersion, Release, Size};

/// The difference for a terminal of this width.
pub fn text(difference: &ReleaseDifference<'_>, width: Option<usize>) -> String {
    let mut text = format!("{}\n", paint(BOLD, versions(difference)));
    for doubt in doubts(difference) {
        text += &format!("{} {}\n", paint(YELLOW, "!"), paint(YELLOW, printable(&doubt)));
    }
    let mut table = Table::of([
        Column::whole("Image"),
        Column::optional("Kubernetes"),
        Column::optional("OS"),
        Column::optional("Size"),
    ]);
    for (family, changes) in &difference.families {
        table.heading(format!("{}  {}", paint(BOLD, printable(&name(family))), paint(DIM, volume(changes))));
        for change in changes {
            let (mark, style) = mark(change);
            let [kubernetes, os, size] = facts(change).map(|fact| (printable(&fact), Style::new()));
            table.row([(format!("{mark} {}", short_names(change)), style), kubernetes, os, size]);
        }
    }
    if !table.is_empty() {
        text += &format!("\n{}\n", table.fitted(width));
    }
    text + &summary(difference, |change| format!("{} ", mark(change).0)) + "\n"
}

/// The same in Markdown, with whole names.
pub fn markdown(difference: &ReleaseDifference<'_>) -> String {
    let mut text = format!("## {}\n", versions(difference));
    for doubt in doubts(difference) {
        text += &format!("\n**Not all is known:** {}\n", markdown::inline(&doubt));
    }
    for (family, changes) in &difference.families {
        let mut table = Table::of([
            Column::whole("Change"),
            Column::optional("Before").verbatim(),
            Column::optional("After").verbatim(),
            Column::optional("Kubernetes"),
            Column::optional("OS"),
            Column::optional("Size"),
        ]);
        for change in changes {
            let name =
                |image: Option<&Artifact>| image.map(|image| image.key.to_string()).unwrap_or_default();
            let [kubernetes, os, size] = facts(change);
            let cells =
                [said(change).to_owned(), name(change.before()), name(change.after()), kubernetes, os, size];
            table.row(cells.map(|cell| (cell, Style::new())));
        }
        let heading = markdown::inline(&name(family));
        text += &format!("\n### {heading}\n\n{}", table.markdown());
    }
    format!("{text}\n{}\n", markdown::inline(&summary(difference, |_| String::new())))
}

fn versions(difference: &ReleaseDifference<'_>) -> String {
    moved(Some(difference.from.version.to_string()), Some(difference.to.version.to_string()))
}

/// What a reader must know before believing the rest.
fn doubts(difference: &ReleaseDifference<'_>) -> Vec<String> {
    let doubt = |release: &Release| match &release.coverage {
        Coverage::Complete => None,
        Coverage::Partial { reason } => {
            Some(format!("{} is known in part only, other images may exist: {reason}", release.version))
        }
        Coverage::Unknown { reason } => Some(format!("{} is unknown: {reason}", release.version)),
    };
    [difference.from, difference.to].into_iter().filter_map(doubt).collect()
}

fn name(family: &Option<Family>) -> String {
    family.as_ref().map_or("of no known family".to_owned(), ToString::to_string)
}

fn mark(change: &ImageChange<'_>) -> (char, Style) {
    match change {
        ImageChange::Renamed(..) => ('~', CYAN),
        ImageChange::Rebuilt(..) => ('*', Style::new()),
        ImageChange::Added(_) => ('+', GREEN),
        ImageChange::Removed(_) => ('-', RED),
        ImageChange::Same(..) => ('=', DIM),
        ImageChange::Kept(..) => ('·', Style::new()),
        ImageChange::PerhapsAdded(_) | ImageChange::PerhapsRemoved(_) => ('?', YELLOW),
    }
}

/// The change in the words of a table or a summary.
fn said(change: &ImageChange<'_>) -> &'static str {
    match change {
        ImageChange::Renamed(..) => "renamed",
        ImageChange::Rebuilt(..) => "rebuilt",
        ImageChange::Added(_) => "added",
        ImageChange::Removed(_) => "removed",
        ImageChange::Same(..) => "unchanged",
        ImageChange::Kept(..) => "still there",
        ImageChange::PerhapsAdded(_) => "perhaps added",
        ImageChange::PerhapsRemoved(_) => "perhaps removed",
    }
}

/// Kubernetes version, OS release and size, before and after where they differ.
fn facts(change: &ImageChange<'_>) -> [String; 3] {
    let facets = [change.before(), change.after()].map(|image| image.and_then(|image| image.facets.as_ref()));
    let [before, after] = facets.map(|facets| facets.map(|facets| &facets.k8s_version));
    let sizes = [change.before(), change.after()].map(|image| image.and_then(|image| image.size));
    [kubernetes(before, after), os_release(facets), changed(sizes[0], sizes[1])]
}

/// The revision of the distribution stands once where both have the same.
fn kubernetes(before: Option<&K8sVersion>, after: Option<&K8sVersion>) -> String {
    let mut before = before.cloned();
    if let (Some(old), Some(new)) = (&mut before, after)
        && old != new
        && old.revision == new.revision
    {
        old.revision = None;
    }
    moved(before.map(|version| version.to_string()), after.map(ToString::to_string))
}

fn os_release([before, after]: [Option<&Facets>; 2]) -> String {
    let text = |facets: &Facets| facets.os_release.to_string();
    match (before, after) {
        (Some(old), Some(new)) if old.same_os_release(new) => text(new),
        _ => moved(before.map(text), after.map(text)),
    }
}

fn moved(before: Option<String>, after: Option<String>) -> String {
    match (before, after) {
        (Some(old), Some(new)) if old != new => format!("{old} → {new}"),
        (_, Some(one)) | (Some(one), None) => one,
        (None, None) => String::new(),
    }
}

/// The names before and after, what they have in common written once: `ubuntu-noble-plain-rke2-1-30-{11 → 12}`.
fn short_names(change: &ImageChange<'_>) -> String {
    let ImageChange::Renamed(before, after) = change else { return change.newest().key.to_string() };
    let [old, new] = [before, after].map(|image| image.key.as_str().split('-').collect::<Vec<_>>());
    if old.len() != new.len() {
        return format!("{} → {}", before.key, after.key);
    }
    let word = |(old, new): (&&str, &&str)| match old == new {
        true => (*new).to_owned(),
        false => format!("{{{old} → {new}}}"),
    };
    old.iter().zip(&new).map(word).collect::<Vec<_>>().join("-")
}

/// How many images a family has and how large they are together, before and after.
fn volume(changes: &[ImageChange<'_>]) -> String {
    let count =
        |side: fn(&ImageChange<'_>) -> bool| changes.iter().filter(|change| side(change)).count().to_string();
    let images = moved(Some(count(|c| c.before().is_some())), Some(count(|c| c.after().is_some())));
    let before =
        total_size(changes.iter().filter_map(ImageChange::before)).map(|bytes| Size(bytes).to_string());
    let after =
        total_size(changes.iter().filter_map(ImageChange::after)).map(|bytes| Size(bytes).to_string());
    let sizes = moved(before, after);
    let comma = if sizes.is_empty() { "" } else { ", " };
    format!("{images} {}{comma}{sizes}", if images == "1" { "image" } else { "images" })
}

/// How many images each change befell, and what the releases are in all. With its mark, a count explains the table.
fn summary(difference: &ReleaseDifference<'_>, mark: impl Fn(&ImageChange<'_>) -> String) -> String {
    let kinds = ImageChange::WORDS.into_iter().filter_map(|word| {
        let first = difference.changes().find(|change| change.word() == word)?;
        Some(format!("{}{} {}", mark(first), difference.count(word), said(first)))
    });
    let kinds: Vec<String> = kinds.collect();
    let changes: Vec<ImageChange<'_>> = difference.changes().copied().collect();
    let kinds = if kinds.is_empty() { "no images".to_owned() } else { kinds.join(", ") };
    format!("{kinds}; in all {}", volume(&changes))
}

#[cfg(test)]
mod tests;
