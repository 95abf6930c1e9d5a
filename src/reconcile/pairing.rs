//! What becomes of each listed key: dead keys are paired with artifacts of their line, newest with newest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::listing::{Item, Listing};
use super::{Departure, Inputs};
use crate::release::{Artifact, Existence, Facets, ImageKey, Line};

/// What becomes of a listed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has an artifact.
    Stays,
    /// It gets the key of an artifact of its line, and stands for what that is.
    Becomes(ImageKey, Option<Facets>),
    /// It goes.
    Leaves(Departure),
    /// It was not shown to have an artifact, and too little is known to rename or remove it.
    Dead,
}

/// The fate of each item of the listing. Only a completely known release makes a key leave, and only a key that the
/// registry denied is renamed.
pub(super) fn fates(inputs: &Inputs<'_>, listing: &Listing<'_>) -> Vec<Fate> {
    let mut fates: Vec<Fate> = listing
        .items
        .iter()
        .map(|item| if item.existence == Existence::Exists { Fate::Stays } else { Fate::Dead })
        .collect();
    let is_dead = |item: &Item<'_>| item.existence == Existence::Absent && item.is_ours();
    let dead = by_line(listing.items.iter().enumerate().filter(|(_, item)| is_dead(item)), |(_, item)| {
        item.facets.as_ref()
    });
    let free = inputs
        .wanted
        .artifacts
        .values()
        .filter(|artifact| !listing.lists(&artifact.key) && !listing.is_taken(artifact.key.as_str()));
    let mut free = by_line(free, |artifact| artifact.facets.as_ref());
    for (line, dead) in dead {
        for (item, artifact) in pair(dead, free.remove(&line).unwrap_or_default()) {
            fates[item] = Fate::Becomes(artifact.key.clone(), artifact.facets.clone());
        }
    }
    if inputs.wanted.is_complete() {
        let left: Vec<usize> = (0..fates.len()).filter(|&i| fates[i] == Fate::Dead).collect();
        let departures: Vec<Fate> =
            left.iter().map(|&i| Fate::Leaves(departure(inputs, listing, &fates, i))).collect();
        for (i, fate) in left.into_iter().zip(departures) {
            fates[i] = fate;
        }
    }
    fates
}

fn by_line<T>(
    all: impl Iterator<Item = T>,
    facets: impl Fn(&T) -> Option<&Facets>,
) -> BTreeMap<Line, Vec<T>> {
    let mut lines: BTreeMap<Line, Vec<T>> = BTreeMap::new();
    for one in all {
        if let Some(line) = facets(&one).map(Facets::line) {
            lines.entry(line).or_default().push(one);
        }
    }
    lines
}

/// Pairs the dead keys of a line with its free artifacts: within an OS release first, then across; the newest with
/// the newest. Equals are paired in the order of the file and of the keys.
fn pair<'a>(
    dead: Vec<(usize, &Item<'_>)>,
    mut free: Vec<&'a Artifact>,
) -> impl Iterator<Item = (usize, &'a Artifact)> {
    let mut dead: Vec<(usize, &Facets)> =
        dead.into_iter().filter_map(|(i, item)| Some((i, item.facets.as_ref()?))).collect();
    dead.sort_by(|(_, a), (_, b)| newest_first(a, b));
    free.sort_by(|a, b| match (&a.facets, &b.facets) {
        (Some(a), Some(b)) => newest_first(a, b),
        _ => Ordering::Equal,
    });
    let mut pairs = Vec::new();
    dead.retain(|(item, facets)| {
        let same = |a: &&Artifact| a.facets.as_ref().is_some_and(|f| f.same_os_release(facets));
        match free.iter().position(same) {
            Some(found) => pairs.push((*item, free.remove(found))),
            None => return true,
        }
        false
    });
    pairs.extend(dead.into_iter().map(|(item, _)| item).zip(free));
    pairs.into_iter()
}

/// Why a dead key that found no free artifact goes from a completely known release.
fn departure(inputs: &Inputs<'_>, listing: &Listing<'_>, fates: &[Fate], dead: usize) -> Departure {
    let Some(facets) = &listing.items[dead].facets else {
        return Departure::Unrecognised;
    };
    let of_line = |key: &ImageKey| {
        let found = inputs.wanted.artifacts.get(key).and_then(|artifact| artifact.facets.as_ref());
        found.filter(|other| other.line() == facets.line()).map(|other| (other, key.clone()))
    };
    let best = |keys: Vec<ImageKey>| {
        let candidates = keys.iter().filter_map(of_line);
        candidates.min_by(|(a, _), (b, _)| nearest_first(facets, a, b)).map(|(_, key)| key)
    };
    let ours = listing.items.iter().zip(fates).filter(|(item, _)| item.is_ours());
    let survivors = ours.filter_map(|(item, fate)| fate.key_after(item));
    if let Some(by) = best(survivors.collect()) {
        return Departure::Superseded { by };
    }
    match best(inputs.wanted.artifacts.keys().cloned().collect()) {
        Some(by) => Departure::Taken { by },
        None => Departure::LineGone,
    }
}

impl Fate {
    /// The key that an item has afterwards; `None` where it goes or has no artifact.
    pub(super) fn key_after(&self, item: &Item<'_>) -> Option<ImageKey> {
        match self {
            Self::Stays => item.written.key.parse().ok(),
            Self::Becomes(key, _) => Some(key.clone()),
            Self::Leaves(_) | Self::Dead => None,
        }
    }

    /// Whether the entry is there afterwards.
    pub(super) fn remains(&self) -> bool {
        !matches!(self, Self::Leaves(_))
    }
}

pub(super) fn nearest_first(to: &Facets, a: &Facets, b: &Facets) -> Ordering {
    let far = |facets: &Facets| !facets.same_os_release(to);
    far(a).cmp(&far(b)).then_with(|| newest_first(a, b))
}

/// The order within a line: the newest OS release first, then the highest patch and revision.
fn newest_first(a: &Facets, b: &Facets) -> Ordering {
    compare_os_releases(&b.os_release, &a.os_release).then_with(|| compare_k8s(b, a))
}

/// Kubernetes versions from low to high; a revision counts by its numbers (`rke2r2` before `rke2r10`).
pub(super) fn compare_k8s(a: &Facets, b: &Facets) -> Ordering {
    let (a, b) = (&a.k8s_version, &b.k8s_version);
    let revision = |text: &Option<String>| text.as_deref().map(natural);
    (a.minor, a.patch)
        .cmp(&(b.minor, b.patch))
        .then_with(|| revision(&a.revision).cmp(&revision(&b.revision)))
}

/// OS releases from old to new: numbers by value, code names by the alphabet (`jammy` before `noble`).
pub(super) fn compare_os_releases(a: &str, b: &str) -> Ordering {
    natural(a).cmp(&natural(b))
}

/// Text as its words and numbers, so that `15-10` is above `15.6`.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let same = |c: char| c.is_ascii_digit() == first.is_ascii_digit();
            let (part, tail) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
            parts.push(part.parse().map_or((0, part.to_owned()), |number| (number, String::new())));
            rest = tail;
        }
    }
    parts
}
