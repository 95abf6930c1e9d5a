//! How the entries of a mapping stand to the release that it should list, for one who judges and changes nothing.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use super::addition::additions;
use super::listing::{Item, Listing, overlay_owners};
use super::ownership::Owner;
use super::pairing::fates;
use super::policy::decide;
use super::{Because, Foreign, Images, Inputs};
use crate::release::pairing::ByLine;
use crate::release::{Existence, Facets, ImageKey, OfLine, Release};
use crate::values::Entry;

/// How a mapping stands to a release.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// The policy that holds; never [`Images::Auto`].
    pub policy: Images,
    /// Why that policy.
    pub because: Because,
    /// Every entry of the mapping, in its order.
    pub entries: Vec<Stand<'a>>,
    /// Artifacts that the policy wants listed and no entry lists or would be renamed to, by family and from the newest
    /// Kubernetes down.
    pub unlisted: Vec<ImageKey>,
}

/// How one entry stands.
#[derive(Debug, Clone)]
pub struct Stand<'a> {
    /// Its index in the mapping.
    pub index: usize,
    /// The entry.
    pub entry: &'a Entry,
    /// What it stands for, where an artifact or its name tells.
    pub facets: Option<Facets>,
    /// The index of the entry that has the same key further up.
    pub repeats: Option<usize>,
    /// What it is to the release.
    pub is: Is,
}

/// What an entry is to the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Is {
    /// Its artifact exists.
    Living,
    /// No artifact has its key: the registry said so.
    Dead {
        /// The artifact that comes nearest: of its line, else of its family, else the one that is most alike.
        nearest: Option<ImageKey>,
        /// Whether that is the only artifact of its line, no entry lists it, and no other dead key is of the line.
        successor: bool,
    },
    /// Whether its artifact exists was not shown.
    Unproven,
    /// It is another registry's.
    Foreign {
        /// The registry that it names.
        registry: String,
    },
    /// Several registries are named, nothing says which is ours, and ours does not have it.
    Stray {
        /// The registry that it names.
        registry: String,
    },
    /// Its key is a template.
    Template,
}

/// How a mapping stands to [`Inputs::wanted`]. [`Inputs::current`] is the release before, which says what is new in the
/// wanted one; without it nothing is new.
pub fn standing<'a>(inputs: &Inputs<'a>) -> Standing<'a> {
    let owners = inputs.ownership.owners(inputs.mapping);
    let listing = Listing::read_as(inputs, owners.clone());
    // What the mapping leaves out on purpose is told by the release that it lists.
    let (policy, because) = decide(&Inputs { current: Some(inputs.wanted), ..*inputs }, &listing);
    let added = additions(inputs, &listing, &fates(inputs, &listing), policy).added;
    Standing {
        policy,
        because,
        entries: stands(inputs, &listing, &owners),
        unlisted: added.iter().map(|artifact| artifact.key.clone()).collect(),
    }
}

/// How an overlay of the mapping stands to the same release. It need not list anything. [`Inputs::ownership`] is
/// [`super::Ownership::settled_by`] the mapping.
pub fn overlay_standing<'a>(inputs: &Inputs<'a>, primary: &Standing<'_>) -> Standing<'a> {
    let foreign = primary.entries.iter().filter_map(|stand| match &stand.is {
        Is::Foreign { registry } | Is::Stray { registry } => {
            let (key, registry, at) = (stand.entry.key.clone(), registry.clone(), stand.entry.at);
            Some(Foreign { key, registry, at })
        }
        _ => None,
    });
    let ours = primary.entries.iter().filter(|s| !matches!(s.is, Is::Foreign { .. } | Is::Stray { .. }));
    let ours: HashSet<&str> = ours.map(|stand| stand.entry.key.as_str()).collect();
    let is_ours = |key: &str| ours.contains(key);
    let owners = overlay_owners(inputs, &foreign.collect::<Vec<_>>(), is_ours);
    let listing = Listing::read_as(inputs, owners.clone());
    let entries = stands(inputs, &listing, &owners);
    Standing { policy: Images::Listed, because: Because::Overlay, entries, unlisted: Vec::new() }
}

fn stands<'a>(inputs: &Inputs<'a>, listing: &Listing<'a>, owners: &[Owner]) -> Vec<Stand<'a>> {
    let successors = LazyCell::new(|| Successors::new(inputs.wanted, listing));
    let entries = inputs.mapping.entries.iter().zip(owners).enumerate();
    let stand = |(index, (entry, owner)): (usize, (&'a Entry, &Owner))| {
        let first = listing.firsts[index];
        let item = listing.item_of(first);
        Stand {
            index,
            entry,
            facets: item.and_then(|item| item.facets.clone()).or_else(|| inputs.naming.facets(&entry.key)),
            repeats: (first != index).then_some(first),
            is: is(|| &successors, listing, item, owner),
        }
    };
    entries.map(stand).collect()
}

fn is<'a>(
    successors: impl FnOnce() -> &'a Successors<'a>,
    listing: &Listing<'_>,
    item: Option<&Item<'_>>,
    owner: &Owner,
) -> Is {
    match (owner, item) {
        (Owner::Template, _) => Is::Template,
        (Owner::Foreign(registry), _) => Is::Foreign { registry: registry.clone() },
        (_, Some(item)) => match (item.existence, owner) {
            (Existence::Exists, _) => Is::Living,
            (Existence::Unknown, _) => Is::Unproven,
            (Existence::Absent, Owner::Undetermined(registry)) => Is::Stray { registry: registry.clone() },
            (Existence::Absent, _) => successors().of(listing, item),
        },
        // The key is another registry's further up.
        (_, None) => Is::Unproven,
    }
}

/// What a dead key may become, by what is there.
struct Successors<'a> {
    published: ByLine<'a, &'a ImageKey>,
    /// How many items of each line have no artifact.
    dead: HashMap<OfLine<'a>, usize>,
    listed: HashSet<&'a str>,
    is_complete: bool,
}

impl<'a> Successors<'a> {
    fn new(wanted: &'a Release, listing: &'a Listing<'a>) -> Self {
        let published = wanted.artifacts.values().filter_map(|a| Some((&a.key, a.facets.as_ref()?)));
        let mut dead = HashMap::new();
        for item in listing.items.iter().filter(|item| item.existence != Existence::Exists) {
            if let Some(facets) = &item.facets {
                *dead.entry(facets.of_line()).or_default() += 1;
            }
        }
        let is_complete = wanted.is_complete();
        Self { published: ByLine::new(published), dead, listed: listing.keys(), is_complete }
    }

    fn of(&self, listing: &Listing<'_>, item: &Item<'_>) -> Is {
        let Some(facets) = &item.facets else { return Is::Dead { nearest: None, successor: false } };
        let nearest = self.published.nearest(facets).map(|(key, _)| (*key).clone());
        let free = |key: &ImageKey| !self.listed.contains(key.as_str()) && !listing.is_taken(key.as_str());
        let is_only = self.is_complete && self.dead.get(&facets.of_line()) == Some(&1);
        let successor = is_only && matches!(self.published.beside(facets), [(key, _)] if free(key));
        Is::Dead { nearest, successor }
    }
}
