//! An overlay of the mapping, such as a deployment's `enabled: true`: it follows what the mapping did.

use std::collections::BTreeSet;

use super::listing::{Item, Listing};
use super::pairing::Fate;
use super::{Because, Departure, Images, Note, Reconciliation, Refusal, writing};
use crate::release::{ImageKey, Naming};
use crate::values::Mapping;

/// Reconciles an overlay as `listed` against the mapping that `primary` reconciled: what that renamed or dropped is
/// renamed or dropped here too, a key that it never had stays and is reported.
///
/// Where the mapping dropped a key because another superseded it, and the overlay has only the dropped one, the
/// overlay's entry takes the other's key: it speaks of the same image.
pub fn overlay(
    mapping: &Mapping,
    primary: &Reconciliation,
    naming: &Naming,
) -> Result<Reconciliation, Refusal> {
    let mut listing = Listing::of_overlay(mapping, primary, naming)?;
    if !primary.removes() {
        listing.repeats.clear();
    }
    let mut report = writing::blank(&listing, primary.version.clone(), Images::Listed, Because::Overlay);
    report.version_may_move = primary.version_may_move;
    for item in listing.items.iter().filter(|item| !knows(primary, &item.written.key)) {
        report.notes.push(Note::NotInMapping { key: item.written.key.clone(), at: item.written.at });
    }
    let fates = fates(&listing, primary, naming);
    writing::write(report, &listing, &fates, &[], true)
}

/// Whether the mapping has or had the key.
fn knows(primary: &Reconciliation, key: &str) -> bool {
    primary.kept.iter().any(|kept| kept.key == key)
        || primary.renamed.iter().any(|renamed| renamed.from == key || renamed.to.as_str() == key)
        || primary.removed.iter().any(|removed| removed.key == key)
        || primary.added.iter().any(|added| added.key.as_str() == key)
        || primary.dead.iter().any(|dead| dead.key == key)
}

/// The fate of each key of the overlay. Keys that the mapping renamed claim their new key before superseded ones do.
fn fates(listing: &Listing<'_>, primary: &Reconciliation, naming: &Naming) -> Vec<Fate> {
    let mut claimed: BTreeSet<&str> = listing.items.iter().map(|item| item.written.key.as_str()).collect();
    let mut fates: Vec<Fate> = listing.items.iter().map(|_| Fate::Stays).collect();
    for successor in [renamed_to, superseded_by] {
        for (item, fate) in listing.items.iter().zip(&mut fates) {
            if let Some(key) = successor(primary, item) {
                *fate = if claimed.insert(key.as_str()) {
                    Fate::Becomes(key.clone(), naming.facets(key.as_str()))
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
    fates
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
