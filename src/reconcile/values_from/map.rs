//! The map in a values file that a list has the values of, and what becomes of it.
//!
//! It has one of two shapes. Its entries are for Kubernetes versions or minors and hold the values (`"1.31": v3.29.300`);
//! or their keys are the values, and each says for which versions it counts (`v3.29.300: true`, or sylva-core's template).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use super::range::Ranges;
use crate::reconcile::kubernetes_versions::{BroughtVersions, MapLines};
use crate::release::{Digest, K8sMinor, K8sVersion, named};
use crate::values::{
    Change, Document, Entry, KeyPath, Mapping, NewValue, Position, Text, TextsAt, ValuesError,
};

/// A value that a list has for a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedValue {
    /// The version so far, where images of its minor were listed.
    pub from: Option<K8sVersion>,
    /// The version that the update brings.
    pub to: K8sVersion,
    /// What the list says for it.
    pub value: String,
    /// Where the list is.
    pub url: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// What becomes of an entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetValue {
    /// The map.
    pub map: KeyPath,
    /// What it says so far; `None` for a new entry.
    pub from: Option<String>,
    /// What it will say; `None` for an entry that goes.
    pub to: Option<String>,
    /// Where it stands, or the map.
    pub at: Position,
    /// The lists that say so, by the Kubernetes versions that they are of.
    pub lists: Vec<ListedValue>,
}

/// What becomes of a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FollowedMap {
    /// The changes.
    pub changes: Vec<Change>,
    /// What they set.
    pub set: Vec<SetValue>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Why a map cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// It cannot be read, or not be changed where it stands.
    #[error("{0}")]
    Values(#[from] ValuesError),
    /// An entry holds what is no scalar.
    #[error("{at}: `{path}` is not a text (expected a version, or for which Kubernetes versions it counts)")]
    NoScalar {
        /// The entry.
        at: Position,
        /// Its path.
        path: KeyPath,
    },
    /// It has none of the two shapes.
    #[error(
        "{at}: `{path}` is neither for a Kubernetes version (`1.31`) nor says for which ones it counts (`true`, or a \
         comparison by k8s-version-match)"
    )]
    NoShape {
        /// The first entry that does not fit, or the map.
        at: Position,
        /// Its path.
        path: KeyPath,
    },
}

/// A map of a values file.
#[derive(Debug)]
pub struct VersionMap<'d> {
    /// The file, as notes name it.
    file: &'d str,
    mapping: Mapping,
    texts: Vec<Text<'d>>,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// Each entry is for a version or a minor.
    ByKubernetes(Vec<K8sVersion>),
    /// Each entry says for which versions it counts, where that is understood.
    ByRange(Vec<Option<Ranges>>),
}

impl<'d> VersionMap<'d> {
    /// The map at a path; `None` where there is no such key.
    ///
    /// # Errors
    /// What stands there is no such map.
    pub fn read(file: &'d str, document: &'d Document, path: &KeyPath) -> Result<Option<Self>, MapError> {
        let Some(mapping) = document.mapping(path)? else { return Ok(None) };
        let texts = match document.texts_at(path)? {
            Some(TextsAt::Entries(texts)) => texts.into_iter().map(|(_, text)| text).collect(),
            _ => Vec::new(),
        };
        if let Some(entry) = mapping.entries.iter().find(|entry| !is_scalar(entry)) {
            return Err(MapError::NoScalar { at: entry.at, path: path.below(&[&entry.key]) });
        }
        let shape = Shape::of(&mapping, &texts)?;
        Ok(Some(Self { file, mapping, texts, shape }))
    }

    /// What becomes of it where images bring versions for which lists have values.
    pub fn follow(&self, brought: &BroughtVersions, listed: &[ListedValue], lines: MapLines) -> FollowedMap {
        let mut followed = FollowedMap::default();
        match &self.shape {
            Shape::ByRange(ranges) => self.follow_ranges(ranges, brought, listed, &mut followed),
            Shape::ByKubernetes(keys) => {
                for listed in listed {
                    self.follow_version(keys, listed, lines, &mut followed);
                }
                if lines.remove {
                    self.remove(keys, &brought.left, &mut followed);
                }
            }
        }
        followed
    }

    /// What is wrong with it where a list has this value for a version: the bytes to blame, and why.
    pub fn misfit(&self, version: &K8sVersion, value: &str) -> Option<(Range<usize>, String)> {
        let chosen: Vec<usize> = match &self.shape {
            Shape::ByRange(ranges) => chosen(ranges, version),
            Shape::ByKubernetes(keys) => keys_for(keys, version).collect(),
        };
        if chosen.is_empty() && matches!(&self.shape, Shape::ByRange(ranges) if ranges.contains(&None)) {
            return None;
        }
        let Some(first) = chosen.first() else {
            let all = self.mapping.entries.first()?.key_span.clone();
            return Some((
                all,
                format!("no entry is for Kubernetes {version}, of which the list has {value}"),
            ));
        };
        let says = |entry: &usize| match &self.shape {
            Shape::ByRange(_) => self.mapping.entries[*entry].key.as_str(),
            Shape::ByKubernetes(_) => self.texts[*entry].value,
        };
        let differs = chosen.iter().find(|entry| says(entry) != value && !says(entry).contains("{{"))?;
        let span = self.mapping.entries[*first.max(differs)].key_span.clone();
        let says = says(differs);
        Some((span, format!("{says} is for Kubernetes {version}, of which the list has {value}")))
    }

    fn follow_ranges(
        &self,
        ranges: &[Option<Ranges>],
        brought: &BroughtVersions,
        listed: &[ListedValue],
        followed: &mut FollowedMap,
    ) {
        let mut wanted: BTreeMap<usize, Vec<&ListedValue>> = BTreeMap::new();
        for listed in listed {
            match chosen(ranges, &listed.to)[..] {
                [entry] => wanted.entry(entry).or_default().push(listed),
                [] => followed.notes.push(self.no_entry(ranges, listed)),
                [first, ..] => followed.notes.push(self.stays(
                    self.mapping.entries[first].at,
                    format!("several entries are for Kubernetes {}; leave one of them by hand", listed.to),
                )),
            }
        }
        let is_one = |listed: &[&ListedValue]| listed.iter().all(|other| other.value == listed[0].value);
        let keys: Vec<&str> = (0..self.mapping.entries.len())
            .map(|entry| match wanted.get(&entry) {
                Some(listed) if is_one(listed) => listed[0].value.as_str(),
                _ => self.mapping.entries[entry].key.as_str(),
            })
            .collect();
        for (place, listed) in &wanted {
            let entry = &self.mapping.entries[*place];
            if !is_one(listed) {
                let each = listed.iter().map(|listed| format!("{} for {}", listed.value, listed.to));
                let each = each.collect::<Vec<_>>().join(", ");
                let why =
                    format!("one entry is for versions of which the lists have {each}; split it by hand");
                followed.notes.push(self.stays(entry.at, why));
                continue;
            }
            let value = &listed[0].value;
            if entry.key == *value {
                continue;
            }
            if keys.iter().filter(|key| *key == value).count() > 1 {
                let why = format!("{value} would be written twice; join its entries by hand");
                followed.notes.push(self.stays(entry.at, why));
                continue;
            }
            let others: Vec<&K8sVersion> = brought
                .stay
                .iter()
                .filter(|version| ranges[*place].as_ref().is_some_and(|ranges| ranges.have(version)))
                .collect();
            if !others.is_empty() {
                let (path, others) = (&self.mapping.path, named(others));
                // The name is that of the versions that stay, unless it was that of one which goes as well.
                if listed.iter().all(|listed| listed.from.is_none()) {
                    let why = format!(
                        "one entry is for Kubernetes {others}, which stays, and for {}, of which the list has {value}; \
                         split it by hand",
                        named(listed.iter().map(|listed| &listed.to))
                    );
                    followed.notes.push(self.stays(entry.at, why));
                    continue;
                }
                followed.notes.push(format!(
                    "{}:{}: `{path}`: {value} is then for Kubernetes {others} as well",
                    self.file, entry.at
                ));
            }
            followed.changes.push(Change::Rename {
                mapping: self.mapping.path.clone(),
                entry: *place,
                to: value.clone(),
            });
            let lists = listed.iter().map(|listed| (*listed).clone()).collect();
            followed.set.push(self.set(Some(entry.key.clone()), Some(value.clone()), entry.at, lists));
        }
    }

    fn follow_version(
        &self,
        keys: &[K8sVersion],
        listed: &ListedValue,
        lines: MapLines,
        followed: &mut FollowedMap,
    ) {
        let old = listed.from.iter().find_map(|from| keys_for(keys, from).next());
        let Some(place) = keys_for(keys, &listed.to).next().or(old) else {
            return self.add(keys, listed, lines, followed);
        };
        let (entry, text) = (&self.mapping.entries[place], &self.texts[place]);
        if text.value.contains("{{") || !text.is_one_line {
            let why = format!("it is not written out; set {} for {} by hand", listed.value, listed.to);
            followed.notes.push(self.stays(entry.at, why));
            return;
        }
        let mapping = self.mapping.path.clone();
        if !keys[place].agrees_with(&listed.to) {
            let to = rewritten(&entry.key, &listed.to);
            followed.changes.push(Change::Rename { mapping, entry: place, to });
        }
        if text.value != listed.value {
            followed.changes.push(Change::SetText { text: text.id, value: listed.value.clone() });
            let (from, to) = (Some(text.value.to_owned()), Some(listed.value.clone()));
            followed.set.push(self.set(from, to, text.at, vec![listed.clone()]));
        }
    }

    /// A new entry, where the lines of Kubernetes minors come and go with the images.
    fn add(&self, keys: &[K8sVersion], listed: &ListedValue, lines: MapLines, followed: &mut FollowedMap) {
        let minor = listed.to.minor;
        let is_written =
            |place: &usize| self.texts[*place].is_one_line && !self.texts[*place].value.contains("{{");
        let nearest = (0..keys.len())
            .filter(|place| is_written(place) && keys[*place].minor.0 == minor.0)
            .min_by_key(|place| (keys[*place].minor.1.abs_diff(minor.1), keys[*place].minor > minor));
        let (Some(like), true) = (nearest, lines.add) else {
            let why = format!("no entry is for Kubernetes {minor}; add it with {} by hand", listed.value);
            followed.notes.push(self.stays(self.mapping.at, why));
            return;
        };
        let goes_down = keys.len() > 1 && keys.windows(2).all(|pair| pair[0].minor > pair[1].minor);
        let follows = |key: &K8sVersion| if goes_down { key.minor < minor } else { key.minor > minor };
        let key = match keys[like].patch {
            None => minor.to_string(),
            Some(_) => rewritten(&self.mapping.entries[like].key, &listed.to),
        };
        let words = vec![(self.texts[like].value.to_owned(), listed.value.clone())];
        followed.changes.push(Change::Insert {
            mapping: self.mapping.path.clone(),
            before: keys.iter().position(follows),
            above_comments: true,
            key,
            value: NewValue::Reworded(like, words),
        });
        followed.set.push(self.set(None, Some(listed.value.clone()), self.mapping.at, vec![listed.clone()]));
    }

    /// The entries of minors that left with every image. One stays.
    fn remove(&self, keys: &[K8sVersion], left: &BTreeSet<K8sMinor>, followed: &mut FollowedMap) {
        let gone: Vec<usize> = (0..keys.len()).filter(|place| left.contains(&keys[*place].minor)).collect();
        if gone.len() == keys.len() {
            return;
        }
        for place in gone {
            let (entry, text) = (&self.mapping.entries[place], &self.texts[place]);
            followed.changes.push(Change::Remove {
                mapping: self.mapping.path.clone(),
                entry: place,
                with_comments_above: place > 0,
            });
            followed.set.push(self.set(Some(text.value.to_owned()), None, entry.at, Vec::new()));
        }
    }

    fn set(
        &self,
        from: Option<String>,
        to: Option<String>,
        at: Position,
        lists: Vec<ListedValue>,
    ) -> SetValue {
        SetValue { map: self.mapping.path.clone(), from, to, at, lists }
    }

    /// No entry is known to count for a version.
    fn no_entry(&self, ranges: &[Option<Ranges>], listed: &ListedValue) -> String {
        let ListedValue { to, value, .. } = listed;
        match ranges.iter().position(Option::is_none) {
            Some(place) => {
                let entry = &self.mapping.entries[place];
                let why =
                    format!("for which versions it counts is not understood; set {value} for {to} by hand");
                self.stays(entry.at, why)
            }
            None => {
                let why = format!("no entry is for Kubernetes {to}; add one of {value} by hand");
                self.stays(self.mapping.at, why)
            }
        }
    }

    fn stays(&self, at: Position, why: String) -> String {
        format!("{}:{at}: `{}` does not follow its list: {why}", self.file, self.mapping.path)
    }
}

impl ListedValue {
    /// Where the list is, and the digest of what was read there.
    pub fn source(&self) -> String {
        format!("Kubernetes {}: {} ({})", self.to, self.url, self.digest)
    }
}

impl fmt::Display for SetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { map, from, to, at, .. } = self;
        match (from, to) {
            (Some(from), Some(to)) => write!(f, "{map} ({at}): {from} → {to}"),
            (None, Some(to)) => write!(f, "{map} gets an entry: {to}"),
            (Some(from), None) => {
                write!(f, "{map} ({at}) loses its entry, of whose minor no image is left: {from}")
            }
            (None, None) => write!(f, "{map}"),
        }
    }
}

impl Shape {
    fn of(mapping: &Mapping, texts: &[Text<'_>]) -> Result<Self, MapError> {
        let no_shape = |at, key: &[&str]| MapError::NoShape { at, path: mapping.path.below(key) };
        if texts.is_empty() {
            return Err(no_shape(mapping.at, &[]));
        }
        let ranges: Vec<Option<Ranges>> = texts.iter().map(|text| Ranges::of(text.value)).collect();
        let is_by_kubernetes = mapping.entries.iter().all(|entry| kubernetes_version(&entry.key).is_some());
        let are_templates = texts.iter().all(|text| text.value.contains("{{")) && !is_by_kubernetes;
        if ranges.iter().any(Option::is_some) || are_templates {
            return Ok(Self::ByRange(ranges));
        }
        let key =
            |entry: &Entry| kubernetes_version(&entry.key).ok_or_else(|| no_shape(entry.at, &[&entry.key]));
        mapping.entries.iter().map(key).collect::<Result<_, _>>().map(Self::ByKubernetes)
    }
}

/// The Kubernetes version or minor that a key is. The version of a chart can be read as one, but for its first number.
fn kubernetes_version(key: &str) -> Option<K8sVersion> {
    key.parse().ok().filter(|version: &K8sVersion| version.minor.0 == 1)
}

fn is_scalar(entry: &Entry) -> bool {
    use serde_json::Value;
    let is_text = matches!(entry.value, Value::String(_) | Value::Number(_) | Value::Bool(_));
    is_text && !entry.has_alias_or_anchor
}

/// The entries that count for a version.
fn chosen(ranges: &[Option<Ranges>], version: &K8sVersion) -> Vec<usize> {
    let counts =
        |(_, ranges): &(usize, &Option<Ranges>)| ranges.as_ref().is_some_and(|ranges| ranges.have(version));
    ranges.iter().enumerate().filter(counts).map(|(place, _)| place).collect()
}

/// The entries that are for a version or for its minor.
fn keys_for<'k>(keys: &'k [K8sVersion], version: &'k K8sVersion) -> impl Iterator<Item = usize> + 'k {
    keys.iter().enumerate().filter(|(_, key)| key.agrees_with(version)).map(|(place, _)| place)
}

/// Another version in the way in which a key is written.
fn rewritten(key: &str, version: &K8sVersion) -> String {
    let prefix = if key.starts_with('v') { "v" } else { "" };
    match key.find(['+', '-']) {
        None => format!("{prefix}{}", K8sVersion { revision: None, ..version.clone() }),
        Some(at) => format!("{prefix}{version}").replace('+', &key[at..=at]),
    }
}
