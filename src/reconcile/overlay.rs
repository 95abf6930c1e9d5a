//! An overlay of the mapping, such as a deployment's `enabled: true`: it follows what the mapping did, and what it lists
//! beside the mapping is reconciled with the release as `listed`.

use std::collections::BTreeSet;

use super::listing::{Item, Listing, overlay_owners};
use super::os_release::os_changes;
use super::pairing::{Fate, fates_of};
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
    let is_ours = |key: &str| knows(primary, key);
    let mut listing = Listing::of_overlay(&inputs, overlay_owners(&inputs, &primary.foreign, is_ours))?;
    let removes = primary.removes();
    if !removes {
        listing.repeats.clear();
    }
    let mut report = writing::blank(&listing, primary.version.clone(), Images::Listed, Because::Overlay);
    report.version_may_move = primary.version_may_move;
    let loses = |key: &str| {
        primary.renamed.iter().any(|renamed| renamed.from == key)
            || primary.removed.iter().any(|removed| removed.key == key)
    };
    for theirs in report.foreign.iter().filter(|theirs| loses(&theirs.key)) {
        let (key, registry, at) = (theirs.key.clone(), theirs.registry.clone(), theirs.at);
        report.notes.push(Note::OfRegistry { key, registry, at });
    }
    let fates = fates(&inputs, &listing, primary);
    for (item, fate) in listing.items.iter().zip(&fates) {
        let key = item.written.key.clone();
        if *fate == Fate::Dead {
            let proven = item.existence == Existence::Absent;
            report.dead.push(super::Dead { key, at: item.written.at, proven });
            report.version_may_move = false;
        } else if *fate == Fate::Stays && item.existence != Existence::Exists && !knows(primary, &key) {
            report.notes.push(Note::NotInMapping { key, at: item.written.at });
        }
    }
    if !report.version_may_move {
        return Ok(report);
    }
    report.os_changes = os_changes(&inputs, &listing, &fates);
    writing::write(report, &listing, &fates, &[], removes)
}

/// Whether the mapping has or had the key, as ours.
fn knows(primary: &Reconciliation, key: &str) -> bool {
    primary.kept.iter().any(|kept| kept.key == key)
        || primary.renamed.iter().any(|renamed| renamed.from == key || renamed.to.as_str() == key)
        || primary.removed.iter().any(|removed| removed.key == key)
        || primary.added.iter().any(|added| added.key.as_str() == key)
        || primary.dead.iter().any(|dead| dead.key == key)
}

/// The fate of each key of the overlay. Keys that the mapping renamed claim their new key first, superseded ones after
/// them, and what only the overlay lists last.
fn fates(inputs: &Inputs<'_>, listing: &Listing<'_>, primary: &Reconciliation) -> Vec<Fate> {
    let mut fates: Vec<Fate> = listing.items.iter().map(|_| Fate::Stays).collect();
    if !primary.version_may_move {
        return fates;
    }
    let mut claimed: BTreeSet<&str> = listing.items.iter().map(|item| item.written.key.as_str()).collect();
    for successor in [renamed_to, superseded_by] {
        for (item, fate) in listing.items.iter().zip(&mut fates) {
            if let Some(key) = successor(primary, item) {
                *fate = if claimed.insert(key.as_str()) {
                    Fate::Becomes(key.clone(), inputs.naming.facets(key.as_str()))
                } else {
                    Fate::Leaves(Departure::Superseded { by: key.clone() })
                };
            }
        }
    }
    for (item, fate) in listing.items.iter().zip(&mut fates).filter(|(_, fate)| **fate == Fate::Stays) {
        if let Some(why) = dropped(primary, item) {
            *fate = Fate::Leaves(why.clone());
        }
    }
    if nothing_to_decide(inputs).is_some() {
        return fates;
    }
    let only_here = |item: &Item<'_>| !knows(primary, &item.written.key) && !item.is_dead_stranger();
    fates_of(inputs, listing, fates, only_here)
}

fn renamed_to<'a>(primary: &'a Reconciliation, item: &Item<'_>) -> Option<&'a ImageKey> {
    primary.renamed.iter().find(|renamed| renamed.from == item.written.key).map(|renamed| &renamed.to)
}

fn superseded_by<'a>(primary: &'a Reconciliation, item: &Item<'_>) -> Option<&'a ImageKey> {
    match dropped(primary, item)? {
        Departure::Superseded { by } => Some(by),
        _ => None,
    }
}

/// Why the mapping dropped a key; that it was written twice there is no reason to drop it here.
fn dropped<'a>(primary: &'a Reconciliation, item: &Item<'_>) -> Option<&'a Departure> {
    let repeated = |why: &Departure| matches!(why, Departure::Repeated { .. });
    let mut removed = primary.removed.iter().filter(|removed| !repeated(&removed.why));
    removed.find(|removed| removed.key == item.written.key).map(|removed| &removed.why)
}
