//! Operating systems that get another release below keys that the mapping goes on to list.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::listing::{Item, Listing};
use super::pairing::EntryAction;
use super::{Departure, Inputs, OsChange};
use crate::release::{Facets, ImageKey};

/// The changes of OS releases, in the order in which their keys are listed.
pub(super) fn os_changes(inputs: &Inputs<'_>, listing: &Listing<'_>, fates: &[EntryAction]) -> Vec<OsChange> {
    let mut changes: Vec<OsChange> = Vec::new();
    let (mut places, mut told) = (HashMap::new(), HashSet::new());
    for (item, fate) in listing.items.iter().zip(fates) {
        let Some((key, before, after)) = images(inputs, item, fate) else { continue };
        let known = !before.os_release.is_empty() && !after.os_release.is_empty();
        if !known || before.same_os_release(&after) {
            continue;
        }
        let (family, from, to) =
            (after.family(), before.os_release.to_string(), after.os_release.to_string());
        let place = *places.entry((family.clone(), from.clone(), to.clone())).or_insert(changes.len());
        if !told.insert((place, key.clone())) {
            continue;
        }
        match changes.get_mut(place) {
            Some(change) => change.keys.push(key),
            None => changes.push(OsChange { family, from, to, keys: vec![key] }),
        }
    }
    changes
}

/// The key that takes the place of an item, and what both stand for in their releases.
fn images(inputs: &Inputs<'_>, item: &Item<'_>, fate: &EntryAction) -> Option<(ImageKey, Facets, Facets)> {
    let key = match fate {
        EntryAction::Leaves(Departure::Superseded { by }) => by.clone(),
        fate => fate.key_after(item)?.clone(),
    };
    let old = item.key.as_ref();
    let published = old.and_then(|key| inputs.current?.artifacts.get(key)?.facets.clone());
    let before = published.or_else(|| inputs.naming.facets(&item.written.key))?;
    let after = inputs.wanted.artifacts.get(&key)?.facets.clone()?;
    Some((key, before, after))
}

impl fmt::Display for OsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = if self.keys.len() == 1 {
            "1 image key".to_owned()
        } else {
            format!("{} image keys", self.keys.len())
        };
        write!(f, "{} moves from OS release {} to {} ({keys})", self.family, self.from, self.to)
    }
}
