//! Release data: what is known of a producer's releases at one moment, and what a target asks of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::hold::Hold;
use super::policy::Policy;
use super::{ImageKey, Naming, Release, Series, Version};

/// A version that might be a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// When the producer announced it, where a source says so.
    pub released_at: Option<Timestamp>,
    /// When it was first seen here, where nothing else dates it and a memory outlived a run.
    pub first_seen: Option<Timestamp>,
}

/// What planning found against releases.
pub type FoundHolds = BTreeMap<Version, Vec<Hold>>;

/// What a target asks of the releases.
#[derive(Debug, Clone)]
pub struct SelectionQuery<'a> {
    /// The update policy.
    pub policy: &'a Policy,
    /// The release that the file names.
    pub current: Option<&'a Version>,
    /// A person's own choice, which overrides the policy.
    pub to: Option<&'a Version>,
    /// The keys that the file lists: their series are asked for with `step: series` and where only patches are allowed.
    pub listed: &'a BTreeSet<ImageKey>,
    /// How names are read.
    pub naming: &'a Naming,
    /// What planning an update to a release found against it: signatures, a jump.
    pub found: &'a FoundHolds,
    /// Whether the images that would be listed must be signed: then the plan asks whether they are what they are asked for.
    pub requires_signatures: bool,
    /// The time of asking.
    pub now: Timestamp,
}

impl SelectionQuery<'_> {
    /// The series of the listed keys, by their names.
    pub(super) fn listed_lines(&self) -> BTreeSet<Series> {
        let facets = self.listed.iter().filter_map(|key| self.naming.facets(key.as_str()));
        facets.map(|facets| facets.line()).collect()
    }
}

/// What is known of a producer's releases at one moment.
#[derive(Debug, Clone, Default)]
pub struct ReleaseData {
    /// Every version that might be a release.
    pub candidates: BTreeMap<Version, Candidate>,
    /// The releases whose artifacts were read.
    pub releases: BTreeMap<Version, Release>,
    /// The lines of releases whose names a source lists in full, read or not: of those before one that was read.
    pub outlines: BTreeMap<Version, BTreeSet<Series>>,
}

impl ReleaseData {
    /// Settles what is a disk image for somebody whose files list these keys: what is listed is one, and a version that
    /// nothing but other things carry is no candidate.
    pub fn settle(&mut self, listed: &BTreeSet<ImageKey>) {
        self.releases.values_mut().for_each(|release| release.count_listed(listed));
        let Self { candidates, releases, .. } = self;
        candidates.retain(|version, _| !releases.get(version).is_some_and(Release::has_only_others));
    }

    /// The lines of the next lower release that is known in full. Releases of whose names none can be read are passed
    /// over: they say nothing about lines.
    pub fn lines_before(&self, version: &Version) -> Option<(&Version, BTreeSet<Series>)> {
        let lower = self.candidates.range(..version.clone()).rev().map(|(version, _)| version);
        let lines = |version: &Version| match self.releases.get(version) {
            Some(release) if release.is_complete() => Some(release.lines()),
            _ => self.outlines.get(version).cloned(),
        };
        lower
            .filter(|version| !version.is_prerelease())
            .filter_map(|version| Some((version, lines(version)?)))
            .find(|(_, lines)| !lines.is_empty())
    }

    /// The release before a version: the highest lower one that is no pre-release.
    pub fn version_before(&self, version: &Version) -> Option<&Version> {
        let known = self.candidates.keys().chain(self.releases.keys());
        known.filter(|other| *other < version && !other.is_prerelease()).max()
    }

    /// What is known of a version beside its artifacts; nothing, where no source named it.
    pub(super) fn candidate(&self, version: &Version) -> Candidate {
        let unnamed = || Candidate { version: version.clone(), released_at: None, first_seen: None };
        self.candidates.get(version).cloned().unwrap_or_else(unnamed)
    }
}
