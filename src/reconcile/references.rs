//! Names of image keys wherever they stand in the files of a target: what is renamed there, and what is left dangling.
//!
//! Pure. Which files these are, and where they come from, is not known here.
//! A name is followed by what the mappings of the target decided of it ([`Moves::new`]), and a name that no mapping lists
//! by the artifact of its line. What a file says of itself goes first ([`Here`]).

mod follow;
mod globs;
mod here;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::{Departure, Ownership, Reconciliation};
use crate::release::pairing::{ByLine, pair_lines};
use crate::release::{Existence, Facets, ImageKey, Naming, Release, Version};
use crate::values::{Change, Position};

pub use follow::entries;
pub use globs::{Globs, InvalidGlob};
pub use here::{Here, KeysHere, own_images};

/// The releases that names are followed from and to.
#[derive(Debug, Clone, Copy)]
pub struct BothReleases<'a> {
    /// The release that the files name, as far as it is known.
    pub current: Option<&'a Release>,
    /// The release that they will name.
    pub wanted: &'a Release,
    /// How names are read where no artifact tells what they stand for.
    pub naming: &'a Naming,
    /// Which registries are ours: newer charts write their names before the key, `sylva--ubuntu-…`.
    pub ownership: &'a Ownership,
}

/// What becomes of the names of image keys.
#[derive(Debug, Clone)]
pub struct Moves<'a> {
    releases: BothReleases<'a>,
    /// What the mappings say of keys.
    decided: HashMap<&'a str, Move>,
    /// Keys of the release before that no mapping speaks of and the new release was not shown to have.
    undecided: BTreeMap<&'a str, &'a Facets>,
    /// The length of the shortest of all these names.
    shortest: usize,
}

/// What becomes of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Move {
    /// It stays, being alive, unknown or somebody else's.
    Stays,
    /// It becomes another.
    Becomes(ImageKey, Claim),
    /// It goes, and what names it stays as it is.
    Goes(Stays),
}

/// By what right a name gets a key; of two in one mapping the first has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It is renamed to it.
    Renamed,
    /// It is superseded by it.
    Superseded,
}

/// What becomes of the image keys that a file names. Every list is in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The changes.
    pub changes: Vec<Change>,
    /// What they change.
    pub followed: Vec<Followed>,
    /// What stays and will name no image of the release.
    pub dangling: Vec<Dangling>,
}

/// A name that becomes that of another image key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The name so far.
    pub from: String,
    /// The new name.
    pub to: String,
    /// Where it stands.
    pub at: Position,
}

/// A name that stays, though the release will not have that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangling {
    /// The name.
    pub key: String,
    /// Where it stands.
    pub at: Position,
    /// Why it stays.
    pub why: Stays,
}

/// Why a reference stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The key goes.
    Removed(Departure),
    /// The key gets another name, and the new one stands beside this one already.
    HasNewKey(String),
    /// The key gets another name, and it is not written in one line.
    NotInOneLine(String),
    /// The key gets another name, and it is a part of a longer text.
    InText(String),
    /// The file says that another registry has the key.
    OfRegistry(String),
    /// Too little is known of the release to tell what becomes of it.
    Unproven(Version),
}

impl References {
    /// Adds what becomes of the keys of another producer.
    pub fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.followed.extend(other.followed);
        self.dangling.extend(other.dangling);
    }
}

impl<'a> Moves<'a> {
    /// What mappings did to their keys. Where two speak of one key, the first has the word: of a file with a mapping of
    /// its own, that one.
    ///
    /// `own_images` are keys of the user's own images, which no release takes away.
    pub fn new(
        releases: BothReleases<'a>,
        own_images: &BTreeSet<&str>,
        mappings: impl IntoIterator<Item = &'a Reconciliation>,
    ) -> Self {
        let mut decided = HashMap::new();
        for (key, fate) in mappings.into_iter().flat_map(moves) {
            decided.entry(key).or_insert(fate);
        }
        let before = releases.current.filter(|current| current.version != releases.wanted.version);
        let published = before.into_iter().flat_map(|current| &current.artifacts);
        let undecided: BTreeMap<&str, &Facets> = published
            .filter(|(key, _)| releases.wanted.existence(key) != Existence::Exists)
            .filter_map(|(key, artifact)| Some((key.as_str(), artifact.facets.as_ref()?)))
            .filter(|(key, _)| !decided.contains_key(key) && !own_images.contains(key))
            .collect();
        let moving = decided.iter().filter(|(_, fate)| **fate != Move::Stays).map(|(key, _)| key.len());
        let shortest = moving.chain(undecided.keys().map(|key| key.len())).min().unwrap_or(usize::MAX);
        Self { releases, decided, undecided, shortest }
    }

    /// What becomes of names that no mapping of the target speaks of, as if a mapping listed them all: the newest of a
    /// line follows the newest, and an older one that is left over speaks of the same image from now on. `listed` are
    /// keys that stand beside them.
    fn by_line<'n>(
        &self,
        names: &BTreeMap<&'n str, Facets>,
        listed: &BTreeSet<&str>,
    ) -> BTreeMap<&'n str, Move> {
        if names.is_empty() {
            return BTreeMap::new();
        }
        let wanted = self.releases.wanted;
        let existence = |name: &str| name.parse().map_or(Existence::Absent, |key| wanted.existence(&key));
        let dead = names.iter().filter(|(name, _)| existence(name) == Existence::Absent);
        let published = wanted.artifacts.values().filter(|artifact| !listed.contains(artifact.key.as_str()));
        let free = published.filter_map(|artifact| Some((&artifact.key, artifact.facets.as_ref()?)));
        let pairs = pair_lines(dead.map(|(name, facets)| (*name, facets)), free);
        let mut moves: BTreeMap<&str, Move> =
            pairs.into_iter().map(|(name, key)| (name, Move::Becomes(key.clone(), Claim::Renamed))).collect();
        let published = wanted.artifacts.values();
        let published =
            ByLine::new(published.filter_map(|artifact| Some((&artifact.key, artifact.facets.as_ref()?))));
        for (name, facets) in names {
            let left = || match existence(name) {
                Existence::Exists => Move::Stays,
                Existence::Unknown => Move::Goes(Stays::Unproven(wanted.version.clone())),
                Existence::Absent => self.left_over(published.best(facets)),
            };
            moves.entry(name).or_insert_with(left);
        }
        moves
    }

    fn left_over(&self, best: Option<&(&ImageKey, &Facets)>) -> Move {
        let wanted = self.releases.wanted;
        match best {
            Some((key, _)) => Move::Becomes((*key).clone(), Claim::Superseded),
            None if wanted.is_complete() => Move::Goes(Stays::Removed(Departure::LineGone)),
            None => Move::Goes(Stays::Unproven(wanted.version.clone())),
        }
    }
}

/// What a mapping did to each of its keys. One that was only written twice stays.
fn moves(mapping: &Reconciliation) -> impl Iterator<Item = (&str, Move)> {
    let renamed = mapping
        .renamed
        .iter()
        .map(|renamed| (renamed.from.as_str(), Move::Becomes(renamed.to.clone(), Claim::Renamed)));
    let removed = mapping.removed.iter().filter_map(|removed| match &removed.why {
        Departure::Repeated { .. } => None,
        Departure::Superseded { by } => {
            Some((removed.key.as_str(), Move::Becomes(by.clone(), Claim::Superseded)))
        }
        why => Some((removed.key.as_str(), Move::Goes(Stays::Removed(why.clone())))),
    });
    let kept = mapping.kept.iter().map(|kept| kept.key.as_str());
    let dead = mapping.dead.iter().map(|dead| dead.key.as_str());
    let foreign = mapping.foreign.iter().map(|foreign| foreign.key.as_str());
    let stay = kept.chain(dead).chain(foreign).map(|key| (key, Move::Stays));
    renamed.chain(removed).chain(stay)
}

impl References {
    /// What dangles, a sentence each, with the file's path.
    pub fn notes(&self, path: &str) -> impl Iterator<Item = String> {
        self.dangling.iter().map(move |dangling| format!("{path}:{}: {dangling}", dangling.at))
    }
}

impl fmt::Display for Dangling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.why {
            Stays::Removed(why) => write!(f, "{key} is named here and leaves the mapping: {why}"),
            Stays::HasNewKey(to) => write!(f, "{key} stays, because {to} is next to it already"),
            Stays::NotInOneLine(to) => {
                write!(f, "{key} becomes {to}; change it by hand, because it is not written in one line")
            }
            Stays::InText(to) => {
                write!(f, "{key} becomes {to}; change it by hand, because it is part of a longer text")
            }
            Stays::OfRegistry(registry) => write!(
                f,
                "{key} is an image of the registry `{registry}` here and stays; the mapping does not have this key any more"
            ),
            Stays::Unproven(version) => {
                write!(f, "{key} is named here, and what becomes of it in {version} is not known")
            }
        }
    }
}

#[cfg(test)]
mod tests;
