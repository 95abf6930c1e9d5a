//! An overlay of the mapping, such as a deployment's `enabled: true`: it follows what the mapping did, and what it lists
//! beside the mapping is reconciled with the release as `listed`.

use std::collections::{BTreeMap, BTreeSet};

use super::listing::{Item, Listing, overlay_owners};
use super::os_release::os_changes;
use super::pairing::{EntryAction, fates_of};
use super::{Because, Departure, Images, Inputs, Note, Reconciliation, Refusal, nothing_to_decide, writing};
use crate::release::{Existence, ImageKey};

/// Reconciles an overlay, [`Inputs::mapping`], of the mapping that `primary` reconciled with the same release.
/// [`Inputs::ownership`] is [`super::Ownership::settled_by`] that mapping.
///
/// What the mapping renamed or dropped is renamed or dropped here too. Where it dropped a key because another superseded
/// it, and the overlay has only the dropped one, the overlay's entry takes the other's key: it speaks of the same image.
/// A key that only the overlay lists is renamed to the artifact of its line, or dropped, as in a mapping of its own; one
/// that nothing knows stays and is reported.
pub fn overlay(inputs: Inputs<'_>, primary: &Reconciliation) -> Result<Reconciliation, Refusal> {
    let known = Known::of(primary);
    let is_ours = |key: &str| known.keys.contains(key);
    let mut listing = Listing::of_overlay(&inputs, overlay_owners(&inputs, &primary.foreign, is_ours))?;
    let removes = primary.removes();
    if !removes {
        listing.repeats.clear();
    }
    let mut report = writing::blank(&listing, primary.version.clone(), Images::Listed, Because::Overlay);
    report.version_may_move = primary.version_may_move;
    for theirs in report.foreign.iter().filter(|theirs| known.loses(&theirs.key)) {
        let (key, registry, at) = (theirs.key.clone(), theirs.registry.clone(), theirs.at);
        report.notes.push(Note::OfRegistry { key, registry, at });
    }
    let fates = fates(&inputs, &listing, primary, &known);
    for (item, fate) in listing.items.iter().zip(&fates) {
        let key = item.written.key.clone();
        if *fate == EntryAction::Dead {
            let proven = item.existence == Existence::Absent;
            report.dead.push(super::Dead { key, at: item.written.at, proven });
            report.version_may_move = false;
        } else if *fate == EntryAction::Stays
            && item.existence != Existence::Exists
            && !known.keys.contains(key.as_str())
        {
            report.notes.push(Note::NotInMapping { key, at: item.written.at });
        }
    }
    if !report.version_may_move {
        return Ok(report);
    }
    report.os_changes = os_changes(&inputs, &listing, &fates);
    writing::write(report, &listing, &fates, &[], inputs.ownership, removes)
}

/// What became of the keys of the mapping, by the key.
struct Known<'a> {
    /// The keys that the mapping has or had, as ours.
    keys: BTreeSet<&'a str>,
    renamed: BTreeMap<&'a str, &'a ImageKey>,
    /// Why it dropped them; that a key was written twice there is no reason to drop it here.
    dropped: BTreeMap<&'a str, &'a Departure>,
    removed: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(primary: &'a Reconciliation) -> Self {
        let renamed = primary.renamed.iter().rev().map(|renamed| (renamed.from.as_str(), &renamed.to));
        let renamed: BTreeMap<&str, &ImageKey> = renamed.collect();
        let removed: BTreeSet<&str> = primary.removed.iter().map(|removed| removed.key.as_str()).collect();
        let repeated = |why: &Departure| matches!(why, Departure::Repeated { .. });
        let dropped = primary.removed.iter().rev().filter(|removed| !repeated(&removed.why));
        let keys = (primary.kept.iter().map(|kept| kept.key.as_str()))
            .chain(renamed.iter().flat_map(|(from, to)| [*from, to.as_str()]))
            .chain(removed.iter().copied())
            .chain(primary.added.iter().map(|added| added.key.as_str()))
            .chain(primary.dead.iter().map(|dead| dead.key.as_str()));
        Self {
            keys: keys.collect(),
            dropped: dropped.map(|removed| (removed.key.as_str(), &removed.why)).collect(),
            renamed,
            removed,
        }
    }

    fn loses(&self, key: &str) -> bool {
        self.renamed.contains_key(key) || self.removed.contains(key)
    }

    fn renamed_to(&self, item: &Item<'_>) -> Option<&'a ImageKey> {
        self.renamed.get(item.written.key.as_str()).copied()
    }

    fn superseded_by(&self, item: &Item<'_>) -> Option<&'a ImageKey> {
        match self.dropped(item)? {
            Departure::Superseded { by } => Some(by),
            _ => None,
        }
    }

    fn dropped(&self, item: &Item<'_>) -> Option<&'a Departure> {
        self.dropped.get(item.written.key.as_str()).copied()
    }
}

/// The fate of each key of the overlay. Keys that the mapping renamed claim their new key first, superseded ones after
/// them, and what only the overlay lists last.
fn fates(
    inputs: &Inputs<'_>,
    listing: &Listing<'_>,
    primary: &Reconciliation,
    known: &Known<'_>,
) -> Vec<EntryAction> {
    let mut fates: Vec<EntryAction> = listing.items.iter().map(|_| EntryAction::Stays).collect();
    if !primary.version_may_move {
        return fates;
    }
    let mut claimed: BTreeSet<&str> = listing.items.iter().map(|item| item.written.key.as_str()).collect();
    for successor in [Known::renamed_to, Known::superseded_by] {
        for (item, fate) in listing.items.iter().zip(&mut fates) {
            if let Some(key) = successor(known, item) {
                *fate = if claimed.insert(key.as_str()) {
                    EntryAction::Becomes(key.clone(), inputs.naming.facets(key.as_str()))
                } else {
                    EntryAction::Leaves(Departure::Superseded { by: key.clone() })
                };
            }
        }
    }
    for (item, fate) in listing.items.iter().zip(&mut fates).filter(|(_, fate)| **fate == EntryAction::Stays)
    {
        if let Some(why) = known.dropped(item) {
            *fate = EntryAction::Leaves(why.clone());
        }
    }
    if nothing_to_decide(inputs).is_some() {
        return fates;
    }
    let only_here =
        |item: &Item<'_>| !known.keys.contains(item.written.key.as_str()) && !item.is_dead_stranger();
    fates_of(inputs, listing, fates, only_here)
}
