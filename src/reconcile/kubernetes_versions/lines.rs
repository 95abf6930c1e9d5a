//! Whole lines of a mapping of Kubernetes minors, where the setting says so: one that listed images need is copied from its
//! neighbour, and one goes whose last image left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::token::VersionToken;
use super::{ImagesBothSides, RKE2};
use crate::release::{K8sMinor, K8sVersion};
use crate::values::{Change, Document, KeyPath, Mapping, NewValue};

/// So many lines on each side of a new one are asked how it is written.
const NEIGHBOURS: usize = 8;

/// Which lines of a `k8s_version_map` come and go with the images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MapLines {
    /// A minor that the map lacks gets a line, copied from its neighbour.
    pub add: bool,
    /// The line of a minor goes that left with every image.
    pub remove: bool,
}

/// A line that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapLine {
    /// The Kubernetes minor.
    pub minor: K8sMinor,
    /// Whether it comes; else it goes.
    pub is_new: bool,
    /// The file and the place in it.
    pub place: String,
    /// What it says, or said.
    pub text: String,
}

/// What becomes of the lines of one map.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) changes: Vec<Change>,
    pub(super) lines: Vec<MapLine>,
}

impl Lines {
    /// The minors that get a line.
    pub(super) fn added(&self) -> impl Iterator<Item = K8sMinor> {
        self.lines.iter().filter(|line| line.is_new).map(|line| line.minor)
    }

    /// The minors whose line goes.
    pub(super) fn removed(&self) -> impl Iterator<Item = K8sMinor> {
        self.lines.iter().filter(|line| !line.is_new).map(|line| line.minor)
    }
}

/// The lines of the map at a path of a file, as the images ask for them.
pub(super) fn lines(
    setting: MapLines,
    path: &KeyPath,
    (file, document): (&str, &Document),
    images: &ImagesBothSides<'_>,
) -> Lines {
    let Ok(Some(mapping)) = document.mapping(path) else { return Lines::default() };
    let entries = entries(&mapping);
    let mut by_minor = entries.clone();
    by_minor.sort_by_key(|(place, minor, _)| (*minor, *place));
    let map = Map { path, place: format!("{file}: {path}"), entries, by_minor, images };
    let mut lines = Lines::default();
    if setting.add {
        map.add(&mut lines);
    }
    if setting.remove {
        map.remove(&mut lines);
    }
    lines
}

/// The entries of a map that are for one minor each and hold a text: their place in the mapping, minor and text.
fn entries(mapping: &Mapping) -> Vec<(usize, K8sMinor, &str)> {
    let mut found = Vec::new();
    for (place, entry) in mapping.entries.iter().enumerate() {
        let minor = entry.key.parse::<K8sVersion>().ok().filter(|version| version.patch.is_none());
        found.extend(minor.and_then(|minor| Some((place, minor.minor, entry.value.as_str()?))));
    }
    found
}

struct Map<'a> {
    path: &'a KeyPath,
    place: String,
    /// In the order of the file.
    entries: Vec<(usize, K8sMinor, &'a str)>,
    by_minor: Vec<(usize, K8sMinor, &'a str)>,
    images: &'a ImagesBothSides<'a>,
}

impl Map<'_> {
    /// A line for each minor of listed images that has none, as far as a neighbour shows how to write it.
    fn add(&self, lines: &mut Lines) {
        let there: BTreeSet<K8sMinor> = self.entries.iter().map(|(_, minor, _)| *minor).collect();
        for minor in self.images.listed_minors(None).difference(&there) {
            let reworded = |(place, text): (usize, _)| Some((place, text, self.words(text, *minor)?));
            let Some((like, text, words)) = self.neighbours(*minor).find_map(reworded) else { continue };
            lines.lines.push(MapLine {
                minor: *minor,
                is_new: true,
                place: self.place.clone(),
                text: NewValue::reworded(text, &words),
            });
            lines.changes.push(Change::Insert {
                mapping: self.path.clone(),
                before: self.before(*minor),
                above_comments: true,
                key: minor.to_string(),
                value: NewValue::Reworded(like, words),
            });
        }
    }

    /// The nearest entries, the lower one first.
    fn neighbours(&self, minor: K8sMinor) -> impl Iterator<Item = (usize, &str)> {
        let first_higher = self.by_minor.partition_point(|(_, other, _)| *other < minor);
        let (lower, higher) = self.by_minor.split_at(first_higher);
        let lower = lower.iter().rev().take(NEIGHBOURS);
        let mut near: Vec<&(usize, K8sMinor, &str)> = lower.chain(higher.iter().take(NEIGHBOURS)).collect();
        near.retain(|(_, other, _)| other.0 == minor.0);
        near.sort_by_key(|(_, other, _)| (other.1.abs_diff(minor.1), other.1 > minor.1));
        near.into_iter().map(|(place, _, text)| (*place, *text))
    }

    /// The versions of a neighbour's text, and what they are for another minor; `None` where that is not told of each.
    fn words(&self, text: &str, minor: K8sMinor) -> Option<Vec<(String, String)>> {
        let tokens = VersionToken::all(text);
        let word =
            |token: &VersionToken<'_>| Some((token.text.to_owned(), self.version(token, &tokens, minor)?));
        let words: Option<BTreeMap<String, String>> = tokens.iter().map(word).collect();
        words.filter(|words| !words.is_empty()).map(|words| words.into_iter().collect())
    }

    /// The version of a minor's images in place of one of another minor: of the flavors that had that one. Of one that no
    /// image had, the flavors of the minor tell, where no other version of its kind stands `beside` it.
    fn version(
        &self,
        token: &VersionToken<'_>,
        beside: &[VersionToken<'_>],
        minor: K8sMinor,
    ) -> Option<String> {
        let is_revised = beside.iter().any(VersionToken::is_rke2);
        let is_its = |flavor: &&str| match token.is_rke2() {
            true => *flavor == RKE2,
            false => !(is_revised && *flavor == RKE2),
        };
        let here: BTreeSet<&str> = self.images.flavors(minor).into_iter().filter(is_its).collect();
        let known = self.images.flavors_on_both_sides(token.minor).into_iter().filter(is_its);
        let mut had: BTreeSet<&str> = known.filter(|flavor| self.images.has_or_had(flavor, token)).collect();
        let is_rival =
            |other: &&VersionToken<'_>| other.is_rke2() == token.is_rke2() && other.text != token.text;
        if had.is_empty() && beside.iter().find(is_rival).is_none() {
            had.clone_from(&here);
        }
        let mut versions: BTreeSet<String> = BTreeSet::new();
        for flavor in had.intersection(&here) {
            versions.insert(token.rewritten(&self.images.exact(flavor, minor)?)?);
        }
        if versions.len() == 1 { versions.pop_first() } else { None }
    }

    /// Before which entry a minor stands: in the order that the entries have, which is upwards unless all go down.
    fn before(&self, minor: K8sMinor) -> Option<usize> {
        let goes_down = self.entries.len() > 1 && self.entries.windows(2).all(|pair| pair[0].1 > pair[1].1);
        let follows = |other: K8sMinor| if goes_down { other < minor } else { other > minor };
        self.entries.iter().find(|(_, other, _)| follows(*other)).map(|(place, ..)| *place)
    }

    /// The lines whose minor had an image that was listed, and has none any more. One line stays.
    fn remove(&self, lines: &mut Lines) {
        let left = self.images.minors_that_left();
        let gone: Vec<&(usize, K8sMinor, &str)> =
            self.entries.iter().filter(|(_, minor, _)| left.contains(minor)).collect();
        if gone.len() == self.entries.len() {
            return;
        }
        for (place, minor, text) in gone {
            lines.lines.push(MapLine {
                minor: *minor,
                is_new: false,
                place: self.place.clone(),
                text: (*text).to_owned(),
            });
            lines.changes.push(Change::Remove {
                mapping: self.path.clone(),
                entry: *place,
                with_comments_above: *place > 0,
            });
        }
    }
}

impl fmt::Display for MapLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minor, place, text, .. } = self;
        match self.is_new {
            true => write!(f, "{place} gets a line for {minor}: {text}"),
            false => write!(f, "{place} loses its line for {minor}, of which no image is left: {text}"),
        }
    }
}
