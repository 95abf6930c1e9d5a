//! Which Kubernetes versions the keys of each family move to.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown;
use crate::plan::view::{KeyView, NamedImage};
use crate::release::{Family, K8sVersion};

/// Families that are named before the rest is counted.
const FAMILIES: usize = 3;
/// Versions of a family that are shown before the rest is counted.
const VERSIONS: usize = 6;

/// What becomes of the Kubernetes versions of each family.
pub(super) struct FamilyMoves(BTreeMap<Family, BTreeSet<Move>>);

/// What becomes of the Kubernetes version of a key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Move {
    Changes(K8sVersion, K8sVersion),
    New(K8sVersion),
    Dropped(K8sVersion),
    Stays(K8sVersion),
}

impl FamilyMoves {
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a KeyView>) -> Self {
        let version = |image: &Option<NamedImage>| Some(image.as_ref()?.facets.as_ref()?.k8s_version.clone());
        let mut families: BTreeMap<Family, BTreeSet<Move>> = BTreeMap::new();
        for key in keys {
            let Some(family) = key.family() else { continue };
            families.entry(family).or_default().extend(Move::between(version(&key.from), version(&key.to)));
        }
        families.values_mut().for_each(without_repeated_minors);
        Self(families)
    }

    /// Whether any key goes to a lower version.
    pub(super) fn go_down(&self) -> bool {
        let is_lower = |from: &K8sVersion, to: &K8sVersion| match (from.patch, to.patch) {
            (Some(before), Some(after)) => (to.minor, after) < (from.minor, before),
            // Not every name has a patch version.
            _ => to.minor < from.minor,
        };
        self.0
            .values()
            .flatten()
            .any(|change| matches!(change, Move::Changes(from, to) if is_lower(from, to)))
    }

    /// A line for the families of one Kubernetes flavor that do the same; `shown` of them, the rest is counted.
    pub(super) fn lines(&self, shown: usize) -> Vec<String> {
        let mut groups: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for (family, moves) in &self.0 {
            let name = format!("{} {}", family.os, family.flavor);
            groups.entry((&family.k8s_flavor, told(moves))).or_default().push(name);
            *sizes.entry(&family.k8s_flavor).or_default() += 1;
        }
        let more = groups.len().saturating_sub(shown);
        let rest = (more > 0).then(|| format!("{more} more below"));
        let line = |((flavor, moves), families): ((&str, String), Vec<String>)| {
            let of = match sizes.get(flavor) == Some(&families.len()) && families.len() > 1 {
                true => format!("all {} families", families.len()),
                false => some_of(families.iter().map(|name| markdown::inline(name)), FAMILIES),
            };
            format!("{} ({of}): {moves}", markdown::inline(flavor))
        };
        groups.into_iter().take(shown).map(line).chain(rest).collect()
    }
}

impl Move {
    fn between(from: Option<K8sVersion>, to: Option<K8sVersion>) -> Option<Self> {
        match (from, to) {
            (Some(from), Some(to)) if from.agrees_with(&to) => Some(Self::Stays(short(to))),
            (Some(from), Some(to)) if (from.minor, from.patch) == (to.minor, to.patch) => {
                Some(Self::Changes(from, to))
            }
            (Some(from), Some(to)) => Some(Self::Changes(short(from), short(to))),
            (None, Some(to)) => Some(Self::New(short(to))),
            (Some(from), None) => Some(Self::Dropped(short(from))),
            (None, None) => None,
        }
    }

    fn told(&self) -> String {
        let code = |version: &K8sVersion| markdown::code(&version.to_string());
        match self {
            Self::Changes(from, to) => markdown::code(&format!("{from} → {to}")),
            Self::New(to) => format!("new {}", code(to)),
            Self::Dropped(from) => format!("dropped {}", code(from)),
            Self::Stays(at) => code(at),
        }
    }
}

/// A version without the distribution's revision, which only annotations have.
fn short(version: K8sVersion) -> K8sVersion {
    K8sVersion { revision: None, ..version }
}

/// A key that goes is news only where its minor goes with it, and a new one where its minor is new.
fn without_repeated_minors(moves: &mut BTreeSet<Move>) {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    for change in moves.iter() {
        match change {
            Move::Changes(from, to) => drop((before.insert(from.minor), after.insert(to.minor))),
            Move::Stays(at) => drop((before.insert(at.minor), after.insert(at.minor))),
            Move::New(to) => drop(after.insert(to.minor)),
            Move::Dropped(from) => drop(before.insert(from.minor)),
        }
    }
    moves.retain(|change| match change {
        Move::New(to) => !before.contains(&to.minor),
        Move::Dropped(from) => !after.contains(&from.minor),
        Move::Changes(..) | Move::Stays(_) => true,
    });
}

/// What changes; where nothing does, what stays.
fn told(moves: &BTreeSet<Move>) -> String {
    let changes = moves.iter().filter(|change| !matches!(change, Move::Stays(_)));
    let told: Vec<String> = changes.map(Move::told).collect();
    match told.is_empty() {
        true => format!("{} as before", some_of(moves.iter().map(Move::told), VERSIONS)),
        false => some_of(told.into_iter(), VERSIONS),
    }
}

fn some_of(items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let rest = (more > 0).then(|| format!("{more} more"));
    items.take(most).chain(rest).collect::<Vec<_>>().join(", ")
}
