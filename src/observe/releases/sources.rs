//! What an opened source says of each version.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::tag_lists::TagLists;
use crate::catalogue::{Candidates, ReleaseNote, RepositoryNames};
use crate::release::{Artifact, ImageKey, Naming, Series, Version};

/// An opened source.
pub(super) enum OpenSource {
    /// The registry's own tag lists: which names carry each version, whose tags it does not tell, which names wait for
    /// promotion at times, and which names are no disk images.
    Tagged {
        lists: TagLists,
        denied: BTreeSet<ImageKey>,
        snapshots: BTreeSet<ImageKey>,
        others: BTreeSet<ImageKey>,
    },
    /// Names of which no tag list shows a version, as of a mirror that has none: each must be asked for.
    Untagged(BTreeSet<ImageKey>),
    /// Announcements: names that were said to be published, newest version last.
    Announced { name: &'static str, notes: BTreeMap<Version, ReleaseNote> },
}

/// The names that a source gives for a version.
pub(super) enum Listing {
    /// All names, and the registry said so itself.
    Proven(BTreeSet<ImageKey>),
    /// All names, if each of them exists.
    Claimed(BTreeSet<ImageKey>),
    /// Perhaps not all names.
    Short { names: BTreeSet<ImageKey>, reason: String },
}

/// What a source says that has nothing of the producer; `None` where it has something.
pub(super) fn nothing_in(candidates: &Candidates) -> Option<String> {
    match candidates {
        Candidates::Names(names) if names.published.is_empty() => {
            Some(format!("{} repositor{}", names.listed, if names.listed == 1 { "y" } else { "ies" }))
        }
        Candidates::Releases(notes) if notes.is_empty() => Some("no release".to_owned()),
        Candidates::Names(_) | Candidates::Releases(_) => None,
    }
}

/// An announcement is a source as it is; names first need their tag lists, and are handed back for that.
pub(super) fn open(name: &'static str, candidates: Candidates) -> Result<OpenSource, RepositoryNames> {
    match candidates {
        Candidates::Names(names) => Err(names),
        Candidates::Releases(notes) => {
            let notes = notes.into_iter().map(|note| (note.version.clone(), note)).collect();
            Ok(OpenSource::Announced { name, notes })
        }
    }
}

/// The source that tag lists make.
pub(super) fn tagged(
    lists: TagLists,
    denied: BTreeSet<ImageKey>,
    snapshots: BTreeSet<ImageKey>,
    others: BTreeSet<ImageKey>,
) -> OpenSource {
    match lists.is_empty() {
        true => OpenSource::Untagged(lists.names().cloned().chain(denied).collect()),
        false => OpenSource::Tagged { lists, denied, snapshots, others },
    }
}

impl OpenSource {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tagged { .. } | Self::Untagged(_) => "tag lists",
            Self::Announced { name, .. } => name,
        }
    }

    /// Whether its names are claims that the registry has not confirmed.
    pub(super) fn needs_proof(&self) -> bool {
        matches!(self, Self::Announced { .. })
    }

    /// Whether the registry named every release that it has.
    pub(super) fn is_exhaustive(&self) -> bool {
        matches!(self, Self::Tagged { denied, .. } if denied.is_empty())
    }

    /// The versions that disk images carry, as far as it knows.
    pub(super) fn versions(&self) -> Vec<(Version, Option<Timestamp>)> {
        match self {
            Self::Tagged { lists, others, .. } => {
                let releases = lists.versions_of(|name| !others.contains(name));
                releases.map(|version| (version.clone(), None)).collect()
            }
            Self::Untagged(_) => Vec::new(),
            Self::Announced { notes, .. } => {
                notes.values().map(|note| (note.version.clone(), note.released_at)).collect()
            }
        }
    }

    /// The versions that these names carry, disk images or not.
    pub(super) fn versions_of(&self, names: &BTreeSet<ImageKey>) -> Vec<Version> {
        let Self::Tagged { lists, others, .. } = self else { return Vec::new() };
        lists.versions_of(|name| others.contains(name) && names.contains(name)).cloned().collect()
    }

    /// Whether it is known to be no disk image.
    pub(super) fn is_other(&self, name: &ImageKey) -> bool {
        matches!(self, Self::Tagged { others, .. } if others.contains(name))
    }

    pub(super) fn all_names(&self) -> Vec<ImageKey> {
        match self {
            Self::Tagged { lists, .. } => lists.newest().map(|(name, _)| name.clone()).collect(),
            Self::Untagged(names) => names.iter().cloned().collect(),
            Self::Announced { notes, .. } => {
                notes.values().filter_map(|note| note.names.as_ref()).flatten().cloned().collect()
            }
        }
    }

    /// The newest release of which names were announced, with these.
    pub(super) fn newest_names(&self) -> Option<(Version, BTreeSet<ImageKey>)> {
        let Self::Announced { notes, .. } = self else { return None };
        notes.values().rev().find_map(|note| Some((note.version.clone(), note.names.clone()?)))
    }

    pub(super) fn note(&self, version: &Version) -> Option<&ReleaseNote> {
        match self {
            Self::Tagged { .. } | Self::Untagged(_) => None,
            Self::Announced { notes, .. } => notes.get(version),
        }
    }

    /// Names that may wait for their promotion to `version`: they have a place for snapshots and do not carry it, and were
    /// never promoted before, or last in the release before. Whoever is older than that is not built any more.
    pub(super) fn suspects(&self, version: &Version, naming: &Naming) -> BTreeSet<ImageKey> {
        let Self::Tagged { lists, snapshots, others, .. } = self else { return BTreeSet::new() };
        let may_be_image = |name: &ImageKey| {
            lists.carries_any(name, |_| true) && !others.contains(name)
                || Artifact::named(name.clone(), naming).is_image(version, naming)
        };
        let before = lists.below(version).find(|version| !version.is_prerelease());
        let is_suspect = |name: &&ImageKey| {
            !lists.carries(name, version)
                && may_be_image(name)
                && (before.is_some_and(|before| lists.carries(name, before))
                    || !lists.carries_any(name, |version| !version.is_prerelease()))
        };
        snapshots.iter().filter(is_suspect).cloned().collect()
    }

    /// The lines of a release whose names it lists in full; `None` where it knows of none.
    pub(super) fn outline(&self, version: &Version, naming: &Naming) -> Option<BTreeSet<Series>> {
        match self.listing(version, naming) {
            Listing::Proven(names) | Listing::Claimed(names) => Some(lines(&names, naming)),
            Listing::Short { .. } => None,
        }
        .filter(|lines| !lines.is_empty())
    }

    pub(super) fn listing(&self, version: &Version, naming: &Naming) -> Listing {
        match self {
            Self::Tagged { lists, denied, .. } => {
                let names = lists.names_of(version);
                match denied.first() {
                    None => Listing::Proven(names),
                    Some(name) => Listing::Short {
                        names: names.union(denied).cloned().collect(),
                        reason: format!("the registry refuses to list the tags of {name}"),
                    },
                }
            }
            Self::Untagged(names) => {
                Listing::Short { names: names.clone(), reason: "no tag list shows a version".to_owned() }
            }
            Self::Announced { name, notes } => announced(name, notes, version, naming),
        }
    }
}

/// Announcements are complete when they have a list and lack no line of the previous release whose minor they still have.
fn announced(
    source: &str,
    notes: &BTreeMap<Version, ReleaseNote>,
    version: &Version,
    naming: &Naming,
) -> Listing {
    let Some(names) = notes.get(version).and_then(|note| note.names.clone()) else {
        let reason = format!("{source} list no artifacts of {version}");
        return Listing::Short { names: BTreeSet::new(), reason };
    };
    let previous = notes.range(..version).rev().find_map(|(_, note)| note.names.as_ref());
    let before = previous.map(|names| lines(names, naming)).unwrap_or_default();
    let now = lines(&names, naming);
    let lost = before.difference(&now).find(|lost| now.iter().any(|line| line.minor == lost.minor));
    match lost {
        Some(line) => {
            let reason = format!("{source} of {version} lack {line}, which the release before had");
            Listing::Short { names, reason }
        }
        None => Listing::Claimed(names),
    }
}

fn lines(names: &BTreeSet<ImageKey>, naming: &Naming) -> BTreeSet<Series> {
    names.iter().filter_map(|name| naming.facets(name.as_str())).map(|facets| facets.line()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(version: &str, names: Option<&[&str]>) -> ReleaseNote {
        ReleaseNote {
            version: version.parse().unwrap(),
            names: names.map(|names| names.iter().map(|name| name.parse().unwrap()).collect()),
            released_at: None,
            description: String::new(),
        }
    }

    fn listing(notes: Vec<ReleaseNote>, version: &str) -> String {
        let Ok(source) = open("release-notes", Candidates::Releases(notes)) else {
            return "not opened".to_owned();
        };
        match source.listing(&version.parse().unwrap(), &Naming::default()) {
            Listing::Proven(names) => format!("{} proven", names.len()),
            Listing::Claimed(names) => format!("{} claimed", names.len()),
            Listing::Short { names, reason } => format!("{}: {reason}", names.len()),
        }
    }

    fn only_tagged(tags: BTreeMap<ImageKey, Vec<String>>) -> OpenSource {
        tagged(TagLists::new(tags).unwrap(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new())
    }

    const UBUNTU_31: &str = "ubuntu-noble-plain-rke2-1-31-8";
    const SUSE_31: &str = "opensuse-15-6-plain-rke2-1-31-8";
    const UBUNTU_32: &str = "ubuntu-noble-plain-rke2-1-32-1";

    #[test]
    fn notes_that_lose_a_line_whose_minor_they_still_have_are_short() {
        let notes = vec![note("0.4.1", Some(&[UBUNTU_31, SUSE_31])), note("0.4.2", Some(&[UBUNTU_31]))];
        assert_eq!(
            listing(notes, "0.4.2"),
            "1: release-notes of 0.4.2 lack opensuse plain rke2 1.31, which the release before had"
        );
    }

    #[test]
    fn a_minor_that_left_with_every_family_is_no_loss() {
        let notes = vec![note("0.4.1", Some(&[UBUNTU_31])), note("0.4.2", Some(&[UBUNTU_32]))];
        assert_eq!(listing(notes, "0.4.2"), "1 claimed");
    }

    #[test]
    fn notes_without_a_list_say_nothing() {
        assert_eq!(
            listing(vec![note("0.4.1", None)], "0.4.1"),
            "0: release-notes list no artifacts of 0.4.1"
        );
        assert_eq!(listing(vec![], "0.4.1"), "0: release-notes list no artifacts of 0.4.1");
    }

    #[test]
    fn signatures_and_test_tags_are_no_releases() {
        let tags =
            ["0.4.12", "sha256-abc.sig", "bn-test-3", "0.0.0-git-098dca5b"].map(str::to_owned).to_vec();
        let source = only_tagged(BTreeMap::from([(UBUNTU_31.parse().unwrap(), tags)]));
        let versions: Vec<String> =
            source.versions().iter().map(|(version, _)| version.to_string()).collect();
        assert_eq!(versions, ["0.0.0-git-098dca5b", "0.4.12"]);
    }

    #[test]
    fn tag_lists_without_any_version_are_no_proof_that_nothing_exists() {
        let source = only_tagged(BTreeMap::from([(UBUNTU_31.parse().unwrap(), vec![])]));
        assert!(matches!(
            source.listing(&"0.4.12".parse().unwrap(), &Naming::default()),
            Listing::Short { .. }
        ));
    }

    #[test]
    fn tags_that_the_registry_does_not_tell_make_no_release_complete() {
        let tags = BTreeMap::from([(UBUNTU_31.parse().unwrap(), vec!["0.4.12".to_owned()])]);
        let denied = BTreeSet::from([SUSE_31.parse().unwrap()]);
        let source = tagged(TagLists::new(tags).unwrap(), denied, BTreeSet::new(), BTreeSet::new());
        assert!(!source.is_exhaustive());
        let listing = source.listing(&"0.4.12".parse().unwrap(), &Naming::default());
        assert!(matches!(listing, Listing::Short { names, .. } if names.len() == 2));
    }

    #[test]
    fn only_images_that_may_still_be_promoted_are_suspects() {
        let tags = |versions: &[&str]| versions.iter().map(ToString::to_string).collect::<Vec<_>>();
        let key = |text: &str| text.parse::<ImageKey>().unwrap();
        let image = |os: &str| key(&format!("{os}-1-plain-rke2-1-31-1"));
        let lists = TagLists::new(BTreeMap::from([
            (image("there"), tags(&["0.4.11", "0.4.12"])),
            (image("late"), tags(&["0.4.10", "0.4.11"])),
            (image("gone"), tags(&["0.4.10", "0.0.0-git-abc"])),
        ]));
        let source = tagged(
            lists.unwrap(),
            BTreeSet::new(),
            ["there", "late", "gone", "new"].map(image).into_iter().chain([key("docs")]).collect(),
            BTreeSet::new(),
        );
        let suspects = source.suspects(&"0.4.12".parse().unwrap(), &Naming::default());
        assert_eq!(suspects, ["late", "new"].map(image).into());
    }
}
