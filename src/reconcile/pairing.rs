//! What becomes of each listed key: dead keys are paired with artifacts of their line, newest with newest.

use std::cmp::Ordering;

use super::listing::{Item, Listing};
use super::{Departure, Inputs};
use crate::release::pairing::{newest_first, pair_lines};
use crate::release::{Artifact, Existence, Facets, ImageKey};

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

/// The fate of each item of the listing.
pub(super) fn fates(inputs: &Inputs<'_>, listing: &Listing<'_>) -> Vec<Fate> {
    let undecided = listing.items.iter().map(|_| Fate::Stays).collect();
    fates_of(inputs, listing, undecided, |_| true)
}

/// The fates, those of some items being decided by what the release has. Only a completely known release makes a key
/// leave, and only a key that the registry denied is renamed.
pub(super) fn fates_of(
    inputs: &Inputs<'_>,
    listing: &Listing<'_>,
    mut fates: Vec<Fate>,
    decides: impl Fn(&Item<'_>) -> bool,
) -> Vec<Fate> {
    for (item, fate) in listing.items.iter().zip(&mut fates).filter(|(item, _)| decides(item)) {
        *fate = if item.existence == Existence::Exists { Fate::Stays } else { Fate::Dead };
    }
    let is_dead = |i: usize, item: &Item<'_>| {
        fates[i] == Fate::Dead && item.existence == Existence::Absent && item.is_ours()
    };
    let dead = listing.items.iter().enumerate().filter(|(i, item)| is_dead(*i, item));
    let dead = dead.filter_map(|(i, item)| Some((i, item.facets.as_ref()?)));
    for (item, artifact) in pair_lines(dead, free(inputs, listing, &fates)) {
        fates[item] = Fate::Becomes(artifact.key.clone(), artifact.facets.clone());
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

/// The items that hold a release which is known in part: dead, and without an artifact of their line that is proven and
/// free. Where each has one, it is not shown that they are gone, and all of them hold it.
pub(super) fn stuck<'l, 'a>(
    inputs: &Inputs<'_>,
    listing: &'l Listing<'a>,
    fates: &[Fate],
) -> Vec<&'l Item<'a>> {
    let dead = || (0..fates.len()).filter(|&i| fates[i] == Fate::Dead);
    let unproven = dead().filter_map(|i| Some((i, listing.items[i].facets.as_ref()?)));
    let replaced: Vec<usize> =
        pair_lines(unproven, free(inputs, listing, fates)).into_iter().map(|(item, _)| item).collect();
    let mut stuck: Vec<usize> = dead().filter(|i| !replaced.contains(i)).collect();
    if stuck.is_empty() {
        stuck = dead().collect();
    }
    stuck.into_iter().map(|i| &listing.items[i]).collect()
}

/// Artifacts that no entry has, or gets.
fn free<'w>(
    inputs: &Inputs<'w>,
    listing: &Listing<'_>,
    fates: &[Fate],
) -> impl Iterator<Item = (&'w Artifact, &'w Facets)> {
    let is_free = |artifact: &&Artifact| {
        let gets = |fate: &Fate| matches!(fate, Fate::Becomes(key, _) if *key == artifact.key);
        !listing.lists(&artifact.key) && !listing.is_taken(artifact.key.as_str()) && !fates.iter().any(gets)
    };
    let free = inputs.wanted.artifacts.values().filter(is_free);
    free.filter_map(|artifact| Some((artifact, artifact.facets.as_ref()?)))
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
