//! What the mapping lists: each key of ours once, with what it stands for and whether the wanted release has it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ownership::Owner;
use super::{Foreign, Inputs, Listed, Refusal};
use crate::release::{Existence, Facets, ImageKey, Release};
use crate::values::{Entry, Mapping};

/// The entries of a mapping, sorted by what may be done with them.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    /// The mapping.
    pub(super) mapping: &'a Mapping,
    /// Keys that are ours or may be, each where it is written first, in the order of the file.
    pub(super) items: Vec<Item<'a>>,
    /// Further entries with the key and the value of an item: the entry, and the item's place in `items`.
    pub(super) repeats: Vec<(usize, usize)>,
    /// Entries of other registries.
    pub(super) foreign: Vec<Foreign>,
    /// Entries whose key is a template.
    pub(super) templates: Vec<Listed>,
    taken: HashSet<&'a str>,
    /// The entry at which the key of each entry is written first.
    pub(super) firsts: Vec<usize>,
    /// Where the item of each entry stands in `items`, if it is one.
    places: Vec<Option<usize>>,
}

/// One listed key.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Its index in the mapping.
    pub(super) entry: usize,
    /// The entry.
    pub(super) written: &'a Entry,
    /// Its key, if an artifact can have it.
    pub(super) key: Option<ImageKey>,
    /// Whose it is: ours or undetermined.
    pub(super) owner: Owner,
    /// Whether the wanted release has it.
    pub(super) existence: Existence,
    /// What it stands for, where an artifact or its name tells.
    pub(super) facets: Option<Facets>,
    /// Whether the release that the file names has it.
    pub(super) was_published: bool,
}

impl<'a> Listing<'a> {
    /// Reads the mapping; fails where a key is written twice with different values.
    pub(super) fn read(inputs: &Inputs<'a>) -> Result<Self, Refusal> {
        Self::read_as(inputs, inputs.ownership.owners(inputs.mapping)).without_contradictions()
    }

    /// Reads the mapping, whose entries are whose being known. Of a key that is written twice the first counts.
    pub(super) fn read_as(inputs: &Inputs<'a>, owners: Vec<Owner>) -> Self {
        Self::sort(inputs.mapping, owners, |entry, written, owner| Item::read(inputs, entry, written, owner))
    }

    /// Reads an overlay, whose entries are whose being known.
    pub(super) fn of_overlay(inputs: &Inputs<'a>, owners: Vec<Owner>) -> Result<Self, Refusal> {
        Self::read_as(inputs, owners).without_contradictions()
    }

    fn sort(
        mapping: &'a Mapping,
        owners: Vec<Owner>,
        item: impl Fn(usize, &'a Entry, Owner) -> Item<'a>,
    ) -> Self {
        let mut listing = Self {
            mapping,
            firsts: first_of_each(mapping),
            items: Vec::new(),
            repeats: Vec::new(),
            foreign: Vec::new(),
            templates: Vec::new(),
            taken: HashSet::new(),
            places: vec![None; mapping.entries.len()],
        };
        for (entry, (written, owner)) in mapping.entries.iter().zip(owners).enumerate() {
            listing.sort_in(item(entry, written, owner));
        }
        listing
    }

    fn sort_in(&mut self, item: Item<'a>) {
        let (written, first) = (item.written, self.firsts[item.entry]);
        let owner = item.owner.clone();
        match owner {
            Owner::Template => self.templates.push(Listed::of(written, None)),
            Owner::Foreign(registry) => {
                self.taken.insert(&written.key);
                self.foreign.push(Foreign { key: written.key.clone(), registry, at: written.at });
            }
            Owner::Ours { .. } | Owner::Undetermined(_) => match self.places[first] {
                Some(of) => self.repeats.push((item.entry, of)),
                None => {
                    self.places[item.entry] = Some(self.items.len());
                    self.items.push(item);
                }
            },
        }
    }

    /// The item of an entry, unless it is a repetition or not ours.
    pub(super) fn item_of(&self, entry: usize) -> Option<&Item<'a>> {
        self.places[entry].map(|at| &self.items[at])
    }

    /// A key that is written again with another value says two things.
    fn without_contradictions(self) -> Result<Self, Refusal> {
        let entries = &self.mapping.entries;
        for (entry, first) in entries.iter().zip(&self.firsts).map(|(entry, first)| (entry, &entries[*first]))
        {
            if first.value != entry.value {
                let (key, first, second) = (entry.key.clone(), first.at, entry.at);
                return Err(Refusal::WrittenTwice { key, first, second });
            }
        }
        Ok(self)
    }

    /// Whether another registry's entry has this key, so that ours cannot have it too.
    pub(super) fn is_taken(&self, key: &str) -> bool {
        self.taken.contains(key)
    }

    /// The keys of the items.
    pub(super) fn keys(&self) -> HashSet<&'a str> {
        self.items.iter().map(|item| item.written.key.as_str()).collect()
    }
}

impl<'a> Item<'a> {
    fn read(inputs: &Inputs<'a>, entry: usize, written: &'a Entry, owner: Owner) -> Self {
        // What is no repository name cannot be an artifact, however little is known of the release.
        let key = written.key.parse::<ImageKey>().ok();
        let published = |release: &'a Release| release.artifacts.get(key.as_ref()?);
        let (wanted, now) = (published(inputs.wanted), inputs.current.and_then(published));
        let existence = match (wanted, &key) {
            (Some(_), _) => Existence::Exists,
            (None, Some(key)) => inputs.wanted.existence(key),
            (None, None) => Existence::Absent,
        };
        let facets = [wanted, now].into_iter().flatten().find_map(|artifact| artifact.facets.clone());
        let facets = facets.or_else(|| inputs.naming.facets(&written.key));
        Self { entry, written, key, owner, existence, facets, was_published: now.is_some() }
    }

    /// Whether the wanted release does not have it, and it may be somebody else's: its registry is undetermined, or
    /// neither its field, its name nor the release that the file names says what it is.
    pub(super) fn is_dead_stranger(&self) -> bool {
        let unrecognised =
            self.owner == (Owner::Ours { explicit: false }) && self.facets.is_none() && !self.was_published;
        self.existence != Existence::Exists && (matches!(self.owner, Owner::Undetermined(_)) || unrecognised)
    }

    /// Whether it may be renamed, removed or copied.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.owner, Owner::Ours { .. })
    }

    /// The item for a report.
    pub(super) fn listed(&self) -> Listed {
        Listed::of(self.written, self.facets.as_ref())
    }
}

/// Whose the entries of an overlay are. What an entry says of its registry goes before what the mapping says of its key:
/// Helm has the overlay's word last. `is_ours` tells of a key that it is the mapping's, and ours.
pub(super) fn overlay_owners(
    inputs: &Inputs<'_>,
    foreign: &[Foreign],
    is_ours: impl Fn(&str) -> bool,
) -> Vec<Owner> {
    // Of a key that the mapping writes twice the first counts.
    let by_key: BTreeMap<&str, &Foreign> =
        foreign.iter().rev().map(|foreign| (foreign.key.as_str(), foreign)).collect();
    let owner = |entry: &Entry| match (inputs.ownership.owner_alone(entry), by_key.get(entry.key.as_str())) {
        (Owner::Ours { explicit: false }, Some(foreign)) => Owner::Foreign(foreign.registry.clone()),
        (Owner::Ours { .. } | Owner::Undetermined(_), None) if is_ours(&entry.key) => {
            Owner::Ours { explicit: true }
        }
        (owner, _) => owner,
    };
    inputs.mapping.entries.iter().map(owner).collect()
}

/// The entry at which the key of each entry is written first.
fn first_of_each(mapping: &Mapping) -> Vec<usize> {
    let mut firsts: HashMap<&str, usize> = HashMap::with_capacity(mapping.entries.len());
    let entries = mapping.entries.iter().enumerate();
    entries.map(|(i, entry)| *firsts.entry(entry.key.as_str()).or_insert(i)).collect()
}
