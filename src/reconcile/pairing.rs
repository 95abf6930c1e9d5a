//! What becomes of each listed key: dead keys are paired with artifacts of their line, newest with newest.

use std::collections::{BTreeSet, HashSet};

use super::listing::{Item, Listing};
use super::{Departure, Inputs};
use crate::release::pairing::{ByLine, pair_lines};
use crate::release::{Artifact, Existence, Facets, ImageKey};

/// What becomes of a listed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryAction {
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
pub(super) fn fates(inputs: &Inputs<'_>, listing: &Listing<'_>) -> Vec<EntryAction> {
    let undecided = listing.items.iter().map(|_| EntryAction::Stays).collect();
    fates_of(inputs, listing, undecided, |_| true)
}

/// The fates, those of some items being decided by what the release has. Only a completely known release makes a key
/// leave, and only a key that the registry denied is renamed.
pub(super) fn fates_of(
    inputs: &Inputs<'_>,
    listing: &Listing<'_>,
    mut fates: Vec<EntryAction>,
    decides: impl Fn(&Item<'_>) -> bool,
) -> Vec<EntryAction> {
    for (item, fate) in listing.items.iter().zip(&mut fates).filter(|(item, _)| decides(item)) {
        *fate = if item.existence == Existence::Exists { EntryAction::Stays } else { EntryAction::Dead };
    }
    let is_dead = |i: usize, item: &Item<'_>| {
        fates[i] == EntryAction::Dead && item.existence == Existence::Absent && item.is_ours()
    };
    let dead = listing.items.iter().enumerate().filter(|(i, item)| is_dead(*i, item));
    let dead = dead.filter_map(|(i, item)| Some((i, item.facets.as_ref()?)));
    for (item, artifact) in pair_lines(dead, free(inputs, listing, &fates)) {
        fates[item] = EntryAction::Becomes(artifact.key.clone(), artifact.facets.clone());
    }
    if inputs.wanted.is_complete() && fates.contains(&EntryAction::Dead) {
        let departures = departures(inputs, listing, &fates);
        for (fate, departure) in fates.iter_mut().filter(|fate| **fate == EntryAction::Dead).zip(departures) {
            *fate = EntryAction::Leaves(departure);
        }
    }
    fates
}

/// The items that hold a release which is known in part: dead, and without an artifact of their line that is proven and
/// free. Where each has one, it is not shown that they are gone, and all of them hold it.
pub(super) fn stuck<'l, 'a>(
    inputs: &Inputs<'_>,
    listing: &'l Listing<'a>,
    fates: &[EntryAction],
) -> Vec<&'l Item<'a>> {
    let dead = || (0..fates.len()).filter(|&i| fates[i] == EntryAction::Dead);
    let unproven = dead().filter_map(|i| Some((i, listing.items[i].facets.as_ref()?)));
    let replaced: BTreeSet<usize> =
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
    fates: &[EntryAction],
) -> impl Iterator<Item = (&'w Artifact, &'w Facets)> {
    let gets = |fate: &EntryAction| match fate {
        EntryAction::Becomes(key, _) => Some(key.clone()),
        _ => None,
    };
    let given: HashSet<ImageKey> = fates.iter().filter_map(gets).collect();
    let lists = listing.keys();
    let is_free = move |artifact: &&Artifact| {
        let key = &artifact.key;
        !lists.contains(key.as_str()) && !given.contains(key) && !listing.is_taken(key.as_str())
    };
    let free = inputs.wanted.artifacts.values().filter(is_free);
    free.filter_map(|artifact| Some((artifact, artifact.facets.as_ref()?)))
}

/// Why the dead keys that found no free artifact go from a completely known release, in their order.
fn departures(inputs: &Inputs<'_>, listing: &Listing<'_>, fates: &[EntryAction]) -> Vec<Departure> {
    let with_facets = |key: &ImageKey| {
        let (key, artifact) = inputs.wanted.artifacts.get_key_value(key)?;
        Some((key, artifact.facets.as_ref()?))
    };
    let ours = listing.items.iter().zip(fates).filter(|(item, _)| item.is_ours());
    let survivors = ByLine::new(ours.filter_map(|(item, fate)| with_facets(fate.key_after(item)?)));
    let published = ByLine::new(inputs.wanted.artifacts.keys().filter_map(with_facets));
    let why = |item: &Item<'_>| {
        let Some(facets) = &item.facets else { return Departure::Unrecognised };
        match (survivors.best(facets), published.best(facets)) {
            (Some((by, _)), _) => Departure::Superseded { by: (*by).clone() },
            (None, Some((by, _))) => Departure::Taken { by: (*by).clone() },
            (None, None) => Departure::LineGone,
        }
    };
    let dead = listing.items.iter().zip(fates).filter(|(_, fate)| **fate == EntryAction::Dead);
    dead.map(|(item, _)| why(item)).collect()
}

impl EntryAction {
    /// The key that an item has afterwards; `None` where it goes or has no artifact.
    pub(super) fn key_after<'i>(&'i self, item: &'i Item<'_>) -> Option<&'i ImageKey> {
        match self {
            Self::Stays => item.key.as_ref(),
            Self::Becomes(key, _) => Some(key),
            Self::Leaves(_) | Self::Dead => None,
        }
    }

    /// Whether the entry is there afterwards.
    pub(super) fn remains(&self) -> bool {
        !matches!(self, Self::Leaves(_))
    }
}
