//! Entries that are enabled by default, while a newer Kubernetes of their family comes in: the default stays where people
//! put it, or follows, as the target says.

use std::collections::{BTreeMap, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{Item, Listing};
use super::pairing::EntryAction;
use super::{MovedDefault, Note, Reconciliation};
use crate::release::{Artifact, Facets, Family, ImageKey, K8sMinor};
use crate::values::{Change, KeyPath, NewValue, Position};

/// What becomes of `default_enabled` where a newer Kubernetes of the family comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DefaultEnabled {
    /// It stays with its entry, and the newer image is named.
    #[default]
    Stay,
    /// It moves to the newest Kubernetes of the family where it was with the newest before.
    Follow,
}

/// An entry that has `default_enabled`, was the newest of its family, and will not be.
#[derive(Debug)]
pub(super) struct Outdated {
    /// The entry, and how many the mapping has.
    entry: usize,
    entries: usize,
    /// Its key, as it is and as it will be.
    was: String,
    key: ImageKey,
    /// The newest image of its family, which comes in.
    newest: ImageKey,
    at: Position,
    /// Whether nothing but the default enables it, and its key is written once.
    is_plain: bool,
}

impl Outdated {
    /// What is said where the default stays.
    pub(super) fn note(&self) -> Note {
        Note::DefaultStays { key: self.key.clone(), newest: self.newest.clone(), at: self.at }
    }

    /// Moves the default with what the entry has: the entry gets the key of the newest image, and the old key an entry of its
    /// own without the default, where the newest one would have stood. False where the two do not stand beside each other.
    fn move_in(&self, mapping: &KeyPath, made: &mut MadeChanges<'_>) -> bool {
        let Some(&place) = made.inserts.get(self.newest.as_str()) else { return false };
        let Change::Insert { before, .. } = &made.changes[place] else { return false };
        let last = self.entry + 1 == self.entries;
        // An entry that comes after stands above what is said of the next one.
        let (before, above_comments) = match before {
            Some(before) if *before == self.entry => (Some(self.entry + 1).filter(|_| !last), true),
            Some(before) if *before == self.entry + 1 => (Some(self.entry), false),
            None if last => (Some(self.entry), false),
            _ => return false,
        };
        let renamed = made.renames.get(&self.entry).and_then(|place| made.changes.get_mut(*place));
        match renamed {
            Some(Change::Rename { to, .. }) => self.newest.as_str().clone_into(to),
            _ => {
                let (mapping, to) = (mapping.clone(), self.newest.to_string());
                made.further.push(Change::Rename { mapping, entry: self.entry, to });
            }
        }
        made.inserts.remove(self.newest.as_str());
        made.changes[place] = Change::Insert {
            mapping: mapping.clone(),
            before,
            above_comments,
            key: self.key.to_string(),
            value: NewValue::Like(self.entry),
        };
        true
    }
}

/// The changes that are made already, by what they are of.
struct MadeChanges<'a> {
    changes: &'a mut [Change],
    /// Where a key is inserted.
    inserts: HashMap<String, usize>,
    /// Where an entry is renamed.
    renames: HashMap<usize, usize>,
    /// Renames that come before all.
    further: Vec<Change>,
}

impl<'a> MadeChanges<'a> {
    fn of(changes: &'a mut [Change]) -> Self {
        let (mut inserts, mut renames) = (HashMap::new(), HashMap::new());
        for (place, change) in changes.iter().enumerate() {
            match change {
                Change::Insert { key, .. } => drop(inserts.entry(key.clone()).or_insert(place)),
                Change::Rename { entry, .. } => drop(renames.entry(*entry).or_insert(place)),
                _ => {}
            }
        }
        Self { changes, inserts, renames, further: Vec::new() }
    }
}

/// Moves defaults where the target says so; what stays is told.
pub(super) fn follow(outdated: Vec<Outdated>, mapping: &KeyPath, done: &mut Reconciliation) {
    let enabling: HashSet<usize> = done.changes.iter().flat_map(switched).collect();
    let mut made = MadeChanges::of(&mut done.changes);
    for outdated in outdated {
        let may_move = outdated.is_plain && !enabling.contains(&outdated.entry);
        if may_move && outdated.move_in(mapping, &mut made) {
            let (from, to) = (outdated.was, outdated.newest.to_string());
            done.moved_defaults.push(MovedDefault { from, to });
        } else {
            done.notes.push(outdated.note());
        }
    }
    let further = made.further;
    done.changes.splice(..0, further);
}

/// The entries between which what enables them moves.
fn switched(change: &Change) -> Vec<usize> {
    match change {
        Change::Enable { from, to, .. } => vec![*from, *to],
        _ => Vec::new(),
    }
}

/// The defaults that will not be with the newest of their family.
pub(super) fn outdated(listing: &Listing<'_>, fates: &[EntryAction], added: &[&Artifact]) -> Vec<Outdated> {
    let remaining = listing.items.iter().zip(fates).filter(|(_, fate)| fate.remains());
    let mut newest_listed: BTreeMap<Family, K8sMinor> = BTreeMap::new();
    for facets in remaining.clone().filter_map(|(item, _)| item.facets.as_ref()) {
        let newest = newest_listed.entry(facets.family()).or_insert(minor(facets));
        *newest = minor(facets).max(*newest);
    }
    let mut newest_added: BTreeMap<Family, (&Artifact, K8sMinor)> = BTreeMap::new();
    for (artifact, facets) in added.iter().filter_map(|artifact| Some((*artifact, artifact.facets.as_ref()?)))
    {
        let newest = newest_added.entry(facets.family()).or_insert((artifact, minor(facets)));
        if minor(facets) >= newest.1 {
            *newest = (artifact, minor(facets));
        }
    }
    let repeated: HashSet<usize> = listing.repeats.iter().map(|(_, of)| listing.items[*of].entry).collect();
    let outdated = |(item, fate): (&Item<'_>, &EntryAction)| {
        let facets = item.facets.as_ref()?;
        let family = facets.family();
        let is_newest = newest_listed.get(&family).is_none_or(|newest| *newest <= minor(facets));
        let (newest, _) =
            newest_added.get(&family).filter(|(_, newest)| is_newest && *newest > minor(facets))?;
        Some(Outdated {
            entry: item.entry,
            entries: listing.mapping.entries.len(),
            was: item.written.key.clone(),
            key: fate.key_after(item)?.clone(),
            newest: newest.key.clone(),
            at: item.written.at,
            is_plain: item.written.value.get("enabled").is_none() && !repeated.contains(&item.entry),
        })
    };
    remaining.filter(|(item, _)| is_default(item)).filter_map(outdated).collect()
}

fn is_default(item: &Item<'_>) -> bool {
    item.written.value.get("default_enabled") == Some(&serde_json::Value::Bool(true))
}

fn minor(facets: &Facets) -> K8sMinor {
    facets.k8s_version.minor
}
