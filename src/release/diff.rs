//! What changes between two releases, image by image. Values only; how it looks is the room `report`'s matter.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::pairing::{compare_k8s, compare_os_releases, pair_lines};
use super::{Artifact, Existence, Facets, Family, ImageKey, Release};

/// Two releases beside each other.
#[derive(Debug)]
pub struct ReleaseDifference<'a> {
    /// The release before.
    pub from: &'a Release,
    /// The release after.
    pub to: &'a Release,
    /// What becomes of each image, by family; those whose family nothing tells stand last.
    pub families: Vec<(Option<Family>, Vec<ImageChange<'a>>)>,
}

/// What becomes of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageChange<'a> {
    /// The same name and the same digest.
    Same(&'a Artifact, &'a Artifact),
    /// The same name with another digest.
    Rebuilt(&'a Artifact, &'a Artifact),
    /// The same name; a digest is not known.
    Kept(&'a Artifact, &'a Artifact),
    /// Another name of its line takes its place.
    Renamed(&'a Artifact, &'a Artifact),
    /// It is new.
    Added(&'a Artifact),
    /// It is gone.
    Removed(&'a Artifact),
    /// It was found after only, and the release before is not known well enough to call it new.
    PerhapsAdded(&'a Artifact),
    /// It was found before only, and the release after is not known well enough to call it gone.
    PerhapsRemoved(&'a Artifact),
}

impl<'a> ReleaseDifference<'a> {
    /// Compares two releases. A missing image counts as gone or new only where that was proven, and an image is paired
    /// with its successor as the mapping of a values file is: within its line, the newest with the newest.
    pub fn between(from: &'a Release, to: &'a Release) -> Self {
        let mut families: BTreeMap<Option<Family>, Vec<ImageChange<'a>>> = BTreeMap::new();
        for change in changes(from, to) {
            families.entry(change.newest().facets.as_ref().map(Facets::family)).or_default().push(change);
        }
        let unrecognised = families.remove_entry(&None);
        let mut families: Vec<_> = families.into_iter().chain(unrecognised).collect();
        families.iter_mut().for_each(|(_, changes)| changes.sort_by(newest_kubernetes_first));
        Self { from, to, families }
    }

    /// Every change, family by family.
    pub fn changes(&self) -> impl Iterator<Item = &ImageChange<'a>> {
        self.families.iter().flat_map(|(_, changes)| changes)
    }

    /// How many changes have this word, see [`ImageChange::word`].
    pub fn count(&self, word: &str) -> usize {
        self.changes().filter(|change| change.word() == word).count()
    }
}

impl<'a> ImageChange<'a> {
    /// Every word, in the order of a summary.
    pub const WORDS: [&'static str; 8] =
        ["renamed", "rebuilt", "added", "removed", "same", "kept", "perhaps-added", "perhaps-removed"];

    /// The kind of change, in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Same(..) => "same",
            Self::Rebuilt(..) => "rebuilt",
            Self::Kept(..) => "kept",
            Self::Renamed(..) => "renamed",
            Self::Added(_) => "added",
            Self::Removed(_) => "removed",
            Self::PerhapsAdded(_) => "perhaps-added",
            Self::PerhapsRemoved(_) => "perhaps-removed",
        }
    }

    /// The image of the release before.
    pub fn before(&self) -> Option<&'a Artifact> {
        match self {
            Self::Same(before, _)
            | Self::Rebuilt(before, _)
            | Self::Kept(before, _)
            | Self::Renamed(before, _)
            | Self::Removed(before)
            | Self::PerhapsRemoved(before) => Some(before),
            Self::Added(_) | Self::PerhapsAdded(_) => None,
        }
    }

    /// The image of the release after.
    pub fn after(&self) -> Option<&'a Artifact> {
        match self {
            Self::Same(_, after)
            | Self::Rebuilt(_, after)
            | Self::Kept(_, after)
            | Self::Renamed(_, after)
            | Self::Added(after)
            | Self::PerhapsAdded(after) => Some(after),
            Self::Removed(_) | Self::PerhapsRemoved(_) => None,
        }
    }

    /// The image after, or else the one before.
    pub fn newest(&self) -> &'a Artifact {
        match self {
            Self::Same(_, image)
            | Self::Rebuilt(_, image)
            | Self::Kept(_, image)
            | Self::Renamed(_, image)
            | Self::Added(image)
            | Self::PerhapsAdded(image)
            | Self::Removed(image)
            | Self::PerhapsRemoved(image) => image,
        }
    }
}

/// The bytes of some images together; `None` where one of them has no known size, or there is none.
pub fn total_size<'a>(images: impl Iterator<Item = &'a Artifact>) -> Option<u64> {
    let sizes: Option<Vec<u64>> = images.map(|image| image.size).collect();
    sizes.filter(|sizes| !sizes.is_empty())?.into_iter().try_fold(0, u64::checked_add)
}

fn changes<'a>(from: &'a Release, to: &'a Release) -> Vec<ImageChange<'a>> {
    let of_both = from.artifacts.values().filter_map(|before| Some((before, to.artifacts.get(&before.key)?)));
    let mut changes: Vec<ImageChange<'a>> = of_both.map(|(before, after)| same_name(before, after)).collect();
    let (gone, perhaps_gone) = only_in(from, to);
    let (came, perhaps_came) = only_in(to, from);
    let pairs = pair_lines(recognised(&gone), recognised(&came));
    let paired: BTreeSet<&ImageKey> =
        pairs.iter().flat_map(|(before, after)| [&before.key, &after.key]).collect();
    let alone = |image: &&'a Artifact| !paired.contains(&image.key);
    changes.extend(pairs.iter().map(|(before, after)| ImageChange::Renamed(before, after)));
    changes.extend(gone.into_iter().filter(alone).map(ImageChange::Removed));
    changes.extend(came.into_iter().filter(alone).map(ImageChange::Added));
    changes.extend(perhaps_gone.into_iter().map(ImageChange::PerhapsRemoved));
    changes.extend(perhaps_came.into_iter().map(ImageChange::PerhapsAdded));
    changes
}

fn same_name<'a>(before: &'a Artifact, after: &'a Artifact) -> ImageChange<'a> {
    match (&before.digest, &after.digest) {
        (Some(old), Some(new)) if old == new => ImageChange::Same(before, after),
        (Some(_), Some(_)) => ImageChange::Rebuilt(before, after),
        _ => ImageChange::Kept(before, after),
    }
}

/// The images of `one` that `other` was proven to lack, and those of which that is not known.
fn only_in<'a>(one: &'a Release, other: &Release) -> (Vec<&'a Artifact>, Vec<&'a Artifact>) {
    let missing = one.artifacts.values().filter(|image| !other.artifacts.contains_key(&image.key));
    missing.partition(|image| other.existence(&image.key) == Existence::Absent)
}

fn recognised<'a>(images: &[&'a Artifact]) -> impl Iterator<Item = (&'a Artifact, &'a Facets)> {
    images.iter().filter_map(|image| Some((*image, image.facets.as_ref()?)))
}

fn newest_kubernetes_first(a: &ImageChange<'_>, b: &ImageChange<'_>) -> Ordering {
    let (a, b) = (a.newest(), b.newest());
    let by_facets = match (&a.facets, &b.facets) {
        (Some(x), Some(y)) => {
            compare_k8s(y, x).then_with(|| compare_os_releases(&y.os_release, &x.os_release))
        }
        _ => Ordering::Equal,
    };
    by_facets.then_with(|| a.key.cmp(&b.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Coverage, Digest, Naming};

    fn image(name: &str, content: &str, size: u64) -> Artifact {
        let digest = (!content.is_empty()).then(|| Digest::of(content.as_bytes()));
        let key = name.parse().unwrap();
        Artifact::described(key, digest, BTreeMap::new(), &Naming::default()).sized(Some(size))
    }

    fn release(version: &str, names: &[&str]) -> Release {
        let content = |name: &&str| image(name, &format!("{name} {version}"), 1);
        Release::complete(version.parse().unwrap(), names.iter().map(content))
    }

    /// A line for each change, under its family.
    fn said(from: &Release, to: &Release) -> String {
        let name = |image: Option<&Artifact>| image.map_or("-".to_owned(), |image| image.key.to_string());
        let difference = ReleaseDifference::between(from, to);
        let mut text = String::new();
        for (family, changes) in &difference.families {
            text += &family.as_ref().map_or("?".to_owned(), ToString::to_string);
            for change in changes {
                text += &format!("\n  {} {} {}", change.word(), name(change.before()), name(change.after()));
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn images_are_paired_within_their_line_and_the_rest_is_new_or_gone() {
        let from = release(
            "0.4.11",
            &[
                "ubuntu-noble-plain-rke2-1-30-11",
                "ubuntu-noble-plain-rke2-1-29-15",
                "ubuntu-jammy-plain-rke2-1-31-7",
                "opensuse-15-6-plain-kubeadm-1-30",
                "diskimage-builder-plain",
            ],
        );
        let to = release(
            "0.4.12",
            &[
                "ubuntu-noble-plain-rke2-1-30-12",
                "ubuntu-noble-plain-rke2-1-31-8",
                "ubuntu-noble-plain-rke2-1-32-4",
                "opensuse-15-6-plain-kubeadm-1-30",
                "diskimage-builder-hardened",
            ],
        );
        insta::assert_snapshot!(said(&from, &to), @r"
        opensuse plain kubeadm
          rebuilt opensuse-15-6-plain-kubeadm-1-30 opensuse-15-6-plain-kubeadm-1-30
        ubuntu plain rke2
          added - ubuntu-noble-plain-rke2-1-32-4
          renamed ubuntu-jammy-plain-rke2-1-31-7 ubuntu-noble-plain-rke2-1-31-8
          renamed ubuntu-noble-plain-rke2-1-30-11 ubuntu-noble-plain-rke2-1-30-12
          removed ubuntu-noble-plain-rke2-1-29-15 -
        ?
          added - diskimage-builder-hardened
          removed diskimage-builder-plain -
        ");
    }

    #[test]
    fn what_was_not_proven_is_only_perhaps_gone_or_new() {
        let (old, new) = ("ubuntu-noble-plain-rke2-1-30-11", "ubuntu-noble-plain-rke2-1-30-12");
        let from = release("0.4.11", &[old]);
        let partial = Coverage::Partial { reason: "a list was cut".to_owned() };
        let mut to = Release { coverage: partial, ..release("0.4.12", &[new]) };
        insta::assert_snapshot!(said(&from, &to), @r"
        ubuntu plain rke2
          added - ubuntu-noble-plain-rke2-1-30-12
          perhaps-removed ubuntu-noble-plain-rke2-1-30-11 -
        ");
        insta::assert_snapshot!(said(&to, &from), @r"
        ubuntu plain rke2
          removed ubuntu-noble-plain-rke2-1-30-12 -
          perhaps-added - ubuntu-noble-plain-rke2-1-30-11
        ");

        to.absent.insert(old.parse().unwrap());
        insta::assert_snapshot!(said(&from, &to), @r"
        ubuntu plain rke2
          renamed ubuntu-noble-plain-rke2-1-30-11 ubuntu-noble-plain-rke2-1-30-12
        ");
    }

    #[test]
    fn a_name_that_stays_is_the_same_only_where_both_digests_say_so() {
        let name = "ubuntu-noble-plain-rke2-1-30";
        let word = |old: &str, new: &str| {
            let from = Release::complete("0.5.0".parse().unwrap(), [image(name, old, 1)]);
            let to = Release::complete("0.5.1".parse().unwrap(), [image(name, new, 1)]);
            ReleaseDifference::between(&from, &to).families[0].1[0].word()
        };
        assert_eq!(word("a", "a"), "same");
        assert_eq!(word("a", "b"), "rebuilt");
        assert_eq!(word("", "b"), "kept");
        assert_eq!(word("", ""), "kept");
    }

    #[test]
    fn a_total_needs_every_size() {
        let sized = image("a-b", "", 2);
        assert_eq!(total_size([&sized, &sized].into_iter()), Some(4));
        assert_eq!(total_size([&sized, &sized.clone().sized(None)].into_iter()), None);
        assert_eq!(total_size(std::iter::empty()), None);
        assert_eq!(total_size([&sized, &sized.clone().sized(Some(u64::MAX))].into_iter()), None);
    }
}
