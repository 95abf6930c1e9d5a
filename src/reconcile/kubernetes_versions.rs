//! Kubernetes versions in the files of a target that must be those of the images: `_internal.k8s_version_map`, a
//! cluster's own version.
//!
//! Pure. What is set comes from the images of the wanted release: from those that the mappings list, and for a flavor
//! that they do not list at some minor, from those that the release publishes. Where several flavors share a text, the
//! version that the images had before says whose a version is (`whose`). In doubt everything stays and is told.

mod images;
mod lines;
mod pattern;
pub mod places;
mod rule;
mod setting;
mod token;
mod whose;

use std::collections::BTreeSet;
use std::fmt;

use crate::release::{K8sMinor, named};
use crate::values::{Change, Document, KeyPath, Position, Replacement};

pub use images::{BroughtVersions, ImagesBothSides, ImagesSide};
use lines::{Lines, lines};
pub use lines::{MapLine, MapLines};
pub use pattern::{InvalidPattern, Pattern};
use places::{FoundVersion, is_in_map, judged, maps, minor, of_rules, tokens};
pub use rule::{InvalidRule, VersionPlace, VersionRule};
pub use setting::{InvalidKubernetesVersions, KubernetesVersions};
use token::VersionToken;
use whose::{VersionAction, fate};

/// So many mappings of versions of a file are held against all images; real files have one or two.
const MOST_MAPS: usize = 100;

/// The flavor whose versions have a revision.
const RKE2: &str = "rke2";

/// A file in which Kubernetes versions may stand.
#[derive(Debug, Clone, Copy)]
pub struct VersionsFile<'a> {
    /// Its path, as notes name it.
    pub path: &'a str,
    /// Its text with spans.
    pub document: &'a Document,
    /// Whether it holds the version of the target.
    pub holds_version: bool,
}

/// What becomes of the Kubernetes versions of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coupled {
    /// The changes.
    pub changes: Vec<Change>,
    /// What they set, in the order of the file.
    pub set: Vec<SetVersion>,
    /// Lines of maps that come and go.
    pub lines: Vec<MapLine>,
    /// What a reader should know.
    pub notes: Vec<VersionsNote>,
    /// Rules of which nothing is in the file; they may be for another one.
    pub not_found: Vec<VersionsNote>,
}

/// A Kubernetes version that becomes that of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVersion {
    /// The Kubernetes minor.
    pub minor: K8sMinor,
    /// The flavor of Kubernetes.
    pub k8s_flavor: String,
    /// As it is written.
    pub from: String,
    /// As it will be.
    pub to: String,
    /// Where it stands.
    pub at: Position,
}

/// What a reader should know of Kubernetes versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionsNote {
    /// There is nothing at a rule's place, or it cannot be read.
    NotFound {
        /// The place.
        place: VersionPlace,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// A mapping has no entry for minors of the listed images.
    LacksMinors {
        /// The file and the place in it.
        place: String,
        /// The minors, the first of them where there are many.
        minors: String,
        /// How many there are.
        count: usize,
    },
    /// There are so many mappings that those behind some were not held against the images.
    TooManyMaps {
        /// The file.
        path: String,
        /// How many were not looked at.
        count: usize,
    },
    /// A version stays.
    Stays {
        /// File, line and column.
        at: String,
        /// The version.
        version: String,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// A version that no rule names fits no image any more.
    NoLongerFits {
        /// File, line and column.
        at: String,
        /// The version.
        version: String,
        /// The versions of listed images, the first of them where there are many.
        listed: String,
        /// The path of keys that leads to it.
        path: KeyPath,
    },
    /// Nothing is to be set, and the versions of a mapping are not those of the images.
    Differs {
        /// The file and the place in it.
        place: String,
        /// What `auto` would set.
        set: Vec<SetVersion>,
    },
}

/// Couples a file with the images of a target.
pub fn couple(setting: &KubernetesVersions, file: VersionsFile<'_>, images: &ImagesBothSides<'_>) -> Coupled {
    let judged = judged(file.document);
    let pass = Pass { file, images };
    match setting {
        KubernetesVersions::Rules(rules) => pass.by_rules(rules, &judged),
        KubernetesVersions::Auto(lines) if file.holds_version => {
            let (map, others) = judged.into_iter().partition(|found| is_in_map(&found.path));
            let mut coupled = pass.map(map, *lines);
            coupled.notes.extend(pass.misfits(&others, &BTreeSet::new()));
            coupled
        }
        KubernetesVersions::Off if file.holds_version => pass.off(judged),
        KubernetesVersions::Auto(_) | KubernetesVersions::Off => {
            Coupled { notes: pass.misfits(&judged, &BTreeSet::new()), ..Coupled::default() }
        }
    }
}

/// One file.
struct Pass<'a> {
    file: VersionsFile<'a>,
    images: &'a ImagesBothSides<'a>,
}

impl Pass<'_> {
    fn by_rules(&self, rules: &[VersionRule], judged: &[FoundVersion<'_>]) -> Coupled {
        let named = of_rules(rules, self.file.document, self.file.path);
        let mut coupled = Coupled { not_found: named.not_found, ..Coupled::default() };
        let mut told = BTreeSet::new();
        for found in named.found.values() {
            let fate = fate(found, &found.flavors, &self.beside(found), self.images);
            if fate != VersionAction::Right {
                told.insert(found.token.range.start);
            }
            self.take(found, fate, &mut coupled);
        }
        coupled.notes.extend(named.notes);
        coupled.notes.extend(self.lacking(rules));
        coupled.notes.extend(self.misfits(judged, &told));
        coupled
    }

    /// A mapping that follows by itself. What stays in it is told only where no image will have it.
    fn map(&self, found: Vec<FoundVersion<'_>>, setting: MapLines) -> Coupled {
        let mut coupled = Coupled::default();
        let of_file = (self.file.path, self.file.document);
        let maps = maps(self.file.document);
        let lines: Vec<Lines> =
            maps.iter().take(MOST_MAPS).map(|(path, _)| lines(setting, path, of_file, self.images)).collect();
        let removed: BTreeSet<(Vec<&str>, K8sMinor)> = maps
            .iter()
            .zip(&lines)
            .flat_map(|((KeyPath(path), _), lines)| {
                lines.removed().map(|minor| (path.iter().map(String::as_str).collect(), minor))
            })
            .collect();
        let goes = |found: &&FoundVersion<'_>| {
            let of_line = found.path.split_last().and_then(|(key, map)| Some((map.to_vec(), minor(key)?)));
            !removed.is_empty() && of_line.is_some_and(|line| removed.contains(&line))
        };
        for found in found.iter().filter(|found| !goes(found)) {
            let flavors = self.images.flavors(found.token.minor);
            let beside = self.beside(found);
            match fate(found, &flavors, &beside, self.images) {
                VersionAction::Stays(_) if self.images.will_fit(&found.token, &beside) => {}
                // Of a branch for other clusters nothing is known, whatever it says.
                VersionAction::Right => {
                    coupled.notes.extend(self.misfits(std::slice::from_ref(found), &BTreeSet::new()))
                }
                fate => self.take(found, fate, &mut coupled),
            }
        }
        let listed = self.images.listed_minors(None);
        for ((path, there), lines) in maps.iter().zip(lines) {
            let there: BTreeSet<K8sMinor> = there.iter().copied().chain(lines.added()).collect();
            coupled.notes.extend(self.lack(path, listed.difference(&there).copied()));
            coupled.changes.extend(lines.changes);
            coupled.lines.extend(lines.lines);
        }
        coupled.notes.extend(self.too_many(maps.len()));
        coupled
    }

    fn off(&self, judged: Vec<FoundVersion<'_>>) -> Coupled {
        let (map, others): (Vec<_>, Vec<_>) = judged.into_iter().partition(|found| is_in_map(&found.path));
        let mut notes = Vec::new();
        let maps = maps(self.file.document);
        notes.extend(self.too_many(maps.len()));
        for (path, _) in maps.into_iter().take(MOST_MAPS) {
            let below =
                |found: &&FoundVersion<'_>| path.0.iter().zip(&found.path).all(|(key, other)| key == other);
            let below = map.iter().filter(below).cloned().collect();
            let set = self.map(below, MapLines::default()).set;
            if !set.is_empty() {
                notes.push(VersionsNote::Differs { place: format!("{}: {path}", self.file.path), set });
            }
        }
        notes.extend(self.misfits(&others, &BTreeSet::new()));
        Coupled { notes, ..Coupled::default() }
    }

    fn too_many(&self, maps: usize) -> Option<VersionsNote> {
        let count = maps.saturating_sub(MOST_MAPS);
        (count > 0).then(|| VersionsNote::TooManyMaps { path: self.file.path.to_owned(), count })
    }

    fn take(&self, found: &FoundVersion<'_>, fate: VersionAction, coupled: &mut Coupled) {
        let token = &found.token;
        let at = self.file.document.position(token.range.start);
        match fate {
            VersionAction::Right => {}
            VersionAction::Stays(why) => {
                coupled.notes.push(VersionsNote::stays(self.file.path, at, token.text, why))
            }
            VersionAction::Becomes(k8s_flavor, to) => {
                let parts = vec![Replacement { range: token.range.clone(), text: to.clone() }];
                coupled.changes.push(Change::ReplaceParts { text: found.text.id, parts });
                let from = token.text.to_owned();
                coupled.set.push(SetVersion { minor: token.minor, k8s_flavor, from, to, at });
            }
        }
    }

    /// All versions of the text that holds one.
    fn beside(&self, found: &FoundVersion<'_>) -> Vec<VersionToken<'_>> {
        tokens(&found.text, self.file.document)
    }

    /// Versions that had an image and lose it, but for those of which something was said.
    fn misfits(&self, found: &[FoundVersion<'_>], told: &BTreeSet<usize>) -> Vec<VersionsNote> {
        let loses = |found: &&FoundVersion<'_>| {
            !told.contains(&found.token.range.start)
                && self.images.no_longer_fits(&found.token, &self.beside(found))
        };
        let note = |found: &FoundVersion<'_>| VersionsNote::NoLongerFits {
            at: format!("{}:{}", self.file.path, self.file.document.position(found.token.range.start)),
            version: found.token.text.to_owned(),
            listed: named(self.images.listed_versions(found.token.minor)),
            path: KeyPath(found.path.iter().map(|key| (*key).to_owned()).collect()),
        };
        found.iter().filter(loses).map(note).collect()
    }

    /// The minors of listed images that mappings of rules lack, each once.
    fn lacking(&self, rules: &[VersionRule]) -> Vec<VersionsNote> {
        let mut told = BTreeSet::new();
        let mut notes = Vec::new();
        for rule in rules {
            let VersionPlace::Path(path) = &rule.place else { continue };
            let Some(there) = maps_at(self.file.document, path) else { continue };
            let minors = self.images.listed_minors(Some(&rule.k8s_flavor));
            let lacks = minors.into_iter().filter(|minor| !there.contains(minor));
            let new: Vec<K8sMinor> = lacks.filter(|minor| told.insert((path, *minor))).collect();
            notes.extend(self.lack(path, new.into_iter()));
        }
        notes
    }

    fn lack(&self, path: &KeyPath, minors: impl Iterator<Item = K8sMinor> + Clone) -> Option<VersionsNote> {
        let (place, count) = (format!("{}: {path}", self.file.path), minors.clone().count());
        (count > 0).then(|| VersionsNote::LacksMinors { place, minors: named(minors), count })
    }
}

/// The minors of the mapping at a path, if there is one.
fn maps_at(document: &Document, path: &KeyPath) -> Option<BTreeSet<K8sMinor>> {
    let mapping = document.mapping(path).ok()??;
    let minor = |key: &str| key.parse().ok().map(|version: crate::release::K8sVersion| version.minor);
    Some(mapping.entries.iter().filter_map(|entry| minor(&entry.key)).collect())
}

impl VersionsNote {
    fn stays(path: &str, at: Position, version: &str, why: String) -> Self {
        Self::Stays { at: format!("{path}:{at}"), version: version.to_owned(), why }
    }
}

impl fmt::Display for SetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} → {}", self.k8s_flavor, self.minor, self.from, self.to)
    }
}

impl fmt::Display for VersionsNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { place, why } => write!(f, "no Kubernetes version is set at {place}: {why}"),
            Self::LacksMinors { place, minors, count } => {
                let them = if *count == 1 { "it" } else { "them" };
                write!(f, "{place} has no {minors}, which listed images have; add {them} by hand")
            }
            Self::TooManyMaps { path, count } => {
                write!(
                    f,
                    "{path}: {count} more mappings of Kubernetes versions were not compared with the images"
                )
            }
            Self::Stays { at, version, why } => write!(f, "{at}: Kubernetes {version} stays: {why}"),
            Self::NoLongerFits { at, version, listed, path } => {
                write!(f, "{at}: Kubernetes {version} fits no listed image any more")?;
                if !listed.is_empty() {
                    write!(f, " (listed images have {listed})")?;
                }
                write!(f, "; decide whether {path} moves, or name it in `kubernetes_versions:`")
            }
            Self::Differs { place, set } => {
                let told: Vec<String> = set.iter().map(ToString::to_string).collect();
                write!(f, "{place} differs from the images ({}); ", told.join(", "))?;
                f.write_str("`kubernetes_versions: auto` sets it")
            }
        }
    }
}

#[cfg(test)]
mod tests;
