//! Which repositories carry which versions, by their tag lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::{ImageKey, Version};

/// The most versions of all repositories together; a year of nightly builds has 365.
const MOST_VERSIONS: usize = 100_000;

/// The tag lists of a producer. Each version is there once, however many repositories carry it.
#[derive(Debug, Default)]
pub(super) struct TagLists {
    /// In their order.
    versions: Vec<Version>,
    /// By name, where each of its versions stands among them; in order.
    carried: BTreeMap<ImageKey, Vec<u32>>,
}

/// More versions than are kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MOST_VERSIONS} versions in all repositories; what is cut counts as unknown")]
pub(super) struct TooManyVersions;

impl TagLists {
    /// Tags that are no versions (`sha256-….sig`, `bn-test-3`) are no releases.
    pub(super) fn new(tags: BTreeMap<ImageKey, Vec<String>>) -> Result<Self, TooManyVersions> {
        let mut numbers: BTreeMap<Version, u32> = BTreeMap::new();
        let mut carried = BTreeMap::new();
        for (name, tags) in tags {
            let mut versions = Vec::new();
            for version in tags.iter().filter_map(|tag| tag.parse::<Version>().ok()) {
                let next = u32::try_from(numbers.len()).map_err(|_| TooManyVersions)?;
                versions.push(*numbers.entry(version).or_insert(next));
            }
            if numbers.len() > MOST_VERSIONS {
                return Err(TooManyVersions);
            }
            carried.insert(name, versions);
        }
        let mut places = vec![0; numbers.len()];
        for (place, number) in (0..).zip(numbers.values()) {
            places[*number as usize] = place;
        }
        for versions in carried.values_mut() {
            versions.iter_mut().for_each(|number| *number = places[*number as usize]);
            versions.sort_unstable();
        }
        Ok(Self { versions: numbers.into_keys().collect(), carried })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &ImageKey> {
        self.carried.keys()
    }

    /// The newest version of each name that has any.
    pub(super) fn newest(&self) -> impl Iterator<Item = (&ImageKey, &Version)> {
        self.carried.iter().filter_map(|(name, at)| Some((name, &self.versions[*at.last()? as usize])))
    }

    /// The versions that any of these names carries, in their order.
    pub(super) fn versions_of(&self, is_one: impl Fn(&ImageKey) -> bool) -> impl Iterator<Item = &Version> {
        let mut is_carried = vec![false; self.versions.len()];
        for at in self.carried.iter().filter(|(name, _)| is_one(name)).flat_map(|(_, at)| at) {
            is_carried[*at as usize] = true;
        }
        self.versions.iter().zip(is_carried).filter_map(|(version, is_carried)| is_carried.then_some(version))
    }

    /// The names that carry a version.
    pub(super) fn names_of(&self, version: &Version) -> BTreeSet<ImageKey> {
        let Some(place) = self.place(version) else { return BTreeSet::new() };
        let carrying = self.carried.iter().filter(|(_, at)| at.binary_search(&place).is_ok());
        carrying.map(|(name, _)| name.clone()).collect()
    }

    /// Whether a name carries a version.
    pub(super) fn carries(&self, name: &ImageKey, version: &Version) -> bool {
        let at = self.carried.get(name).zip(self.place(version));
        at.is_some_and(|(at, place)| at.binary_search(&place).is_ok())
    }

    /// Whether a name carries any version that is one of these.
    pub(super) fn carries_any(&self, name: &ImageKey, is_one: impl Fn(&Version) -> bool) -> bool {
        let at = self.carried.get(name).into_iter().flatten();
        at.map(|place| &self.versions[*place as usize]).any(is_one)
    }

    /// The versions below one, from the highest down.
    pub(super) fn below(&self, version: &Version) -> impl Iterator<Item = &Version> {
        let end = self.versions.partition_point(|lower| lower < version);
        self.versions[..end].iter().rev()
    }

    fn place(&self, version: &Version) -> Option<u32> {
        u32::try_from(self.versions.binary_search(version).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_versions_than_are_kept_are_an_error() {
        let list = |count: usize| (0..count).map(|patch| format!("0.0.{patch}")).collect::<Vec<_>>();
        let lists = |count| TagLists::new(BTreeMap::from([("a".parse().unwrap(), list(count))]));
        assert!(lists(MOST_VERSIONS).is_ok());
        assert_eq!(lists(MOST_VERSIONS + 1).unwrap_err(), TooManyVersions);
    }

    #[test]
    fn each_name_carries_what_its_list_says() {
        let key = |text: &str| text.parse::<ImageKey>().unwrap();
        let tags = |tags: &[&str]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
        let lists = TagLists::new(BTreeMap::from([
            (key("a"), tags(&["0.4.12", "0.4.9", "latest"])),
            (key("b"), tags(&["0.4.12", "sha256-abc.sig"])),
            (key("c"), tags(&[])),
        ]));
        let (lists, v) = (lists.unwrap(), |text: &str| text.parse::<Version>().unwrap());
        assert_eq!(lists.names_of(&v("0.4.12")), BTreeSet::from([key("a"), key("b")]));
        assert!(lists.carries(&key("a"), &v("0.4.9")) && !lists.carries(&key("b"), &v("0.4.9")));
        let newest: Vec<String> = lists.newest().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(newest, ["a 0.4.12", "b 0.4.12"]);
        let of_b: Vec<&str> = lists.versions_of(|name| *name == key("b")).map(Version::as_str).collect();
        assert_eq!(of_b, ["0.4.12"]);
        assert_eq!(lists.below(&v("0.4.12")).map(Version::as_str).collect::<Vec<_>>(), ["0.4.9"]);
    }
}
