//! A release of disk images: its version, its artifacts and what is known of them.
//!
//! Pure values. What may be proposed is the [`policy`]'s matter, what is proposed that of [`selection`]; nothing here reads a file, a clock or the network.

pub mod accepted;
pub mod agreement;
pub mod artifact;
pub mod data;
pub mod diff;
pub mod facets;
pub mod gates;
pub mod guess;
pub mod hold;
pub mod identity;
pub mod key;
pub mod layer;
pub mod named;
pub mod one_line;
pub mod pairing;
pub mod policy;
pub mod prefix;
pub mod selection;
pub mod size;
pub mod span;
pub mod tag;
pub mod user_info;
pub mod version;

use std::collections::{BTreeMap, BTreeSet};

pub use artifact::{Artifact, Digest, InvalidDigest};
pub use facets::{Facets, Family, K8sMinor, K8sVersion, NamePattern, Naming, Scheme, Series};
pub(crate) use facets::{OfFamily, OfLine};
pub use key::{ImageKey, InvalidImageKey};
pub use layer::ImageLayer;
pub use named::{counted, named};
pub use one_line::one_line;
pub use prefix::{InvalidPrefix, Prefix, Repository};
pub use size::{InvalidSize, Size};
pub use tag::{InvalidTag, Tag};
pub use user_info::{address_without_user_info, without_user_info};
pub use version::{InvalidVersion, Version};

/// How far the artifacts of a release are known.
///
/// "Partial" and "unknown" are values, never an empty list: partial never removes or adds, unknown never changes anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Every artifact of the release is listed; a name that is not listed does not exist.
    Complete,
    /// What is listed is proven, but other names may exist. `reason` says why the list may be short.
    Partial {
        /// Why the list may be short, as a sentence fragment.
        reason: String,
    },
    /// Nothing can be said: a time-out, a 5xx, a cut list, an expired token.
    Unknown {
        /// What failed, as a sentence fragment.
        reason: String,
    },
}

/// Whether an artifact carries a release's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// The registry has it.
    Exists,
    /// The registry let us in and said no.
    Absent,
    /// Neither was proven.
    Unknown,
}

/// One version and the artifacts that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The version, which is also the OCI tag of every artifact.
    pub version: Version,
    /// How far `artifacts` can be trusted.
    pub coverage: Coverage,
    /// The artifacts that were proven to exist, by key.
    pub artifacts: BTreeMap<ImageKey, Artifact>,
    /// What carries the version too and is not a disk image. No gate counts it, and no mapping lists it.
    pub others: BTreeMap<ImageKey, Artifact>,
    /// Keys that were asked for and proven not to exist. Only needed where `coverage` is partial.
    pub absent: BTreeSet<ImageKey>,
    /// Keys that were built for this version and wait for their promotion (`snapshots/<key>` carries it).
    pub unpromoted: BTreeSet<ImageKey>,
}

impl Release {
    /// A release whose artifacts are all known.
    pub fn complete(version: Version, artifacts: impl IntoIterator<Item = Artifact>) -> Self {
        Self::with_coverage(version, Coverage::Complete, artifacts)
    }

    /// A release of which nothing is known.
    pub fn unknown(version: Version, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::with_coverage(version, Coverage::Unknown { reason }, [])
    }

    /// A release with the given coverage and no proven absences.
    pub fn with_coverage(
        version: Version,
        coverage: Coverage,
        artifacts: impl IntoIterator<Item = Artifact>,
    ) -> Self {
        let artifacts = artifacts.into_iter().map(|a| (a.key.clone(), a)).collect();
        let (others, absent, unpromoted) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { version, coverage, artifacts, others, absent, unpromoted }
    }

    /// The same with what is not a disk image set apart.
    #[must_use]
    pub fn images_only(mut self, naming: &Naming) -> Self {
        let is_image = |_: &ImageKey, artifact: &mut Artifact| artifact.is_image(&self.version, naming);
        let images = self.artifacts.extract_if(.., is_image).collect();
        self.others.extend(std::mem::replace(&mut self.artifacts, images));
        self
    }

    /// Counts what a file lists as an image, whatever it looks like.
    pub(crate) fn count_listed(&mut self, listed: &BTreeSet<ImageKey>) {
        self.artifacts.extend(self.others.extract_if(.., |key, _| listed.contains(key)));
    }

    /// Whether something carries the version, and it is known that none of that is a disk image.
    pub fn has_only_others(&self) -> bool {
        let is_known = !matches!(self.coverage, Coverage::Unknown { .. });
        is_known && self.artifacts.is_empty() && !self.others.is_empty()
    }

    /// Whether every artifact is known and there is none.
    pub fn is_empty(&self) -> bool {
        self.is_complete() && self.artifacts.is_empty()
    }

    /// Whether every artifact is known.
    pub fn is_complete(&self) -> bool {
        self.coverage == Coverage::Complete
    }

    /// Whether `key` carries this version.
    pub fn existence(&self, key: &ImageKey) -> Existence {
        if self.artifacts.contains_key(key) || self.others.contains_key(key) {
            Existence::Exists
        } else if self.is_complete() || self.absent.contains(key) {
            Existence::Absent
        } else {
            Existence::Unknown
        }
    }

    /// The lines that the release publishes.
    pub fn lines(&self) -> BTreeSet<Series> {
        self.artifacts.values().filter_map(|a| a.facets.as_ref()).map(Facets::line).collect()
    }

    /// The lines of its artifacts, one for each artifact.
    pub(crate) fn of_lines(&self) -> impl Iterator<Item = OfLine<'_>> {
        self.artifacts.values().filter_map(|a| a.facets.as_ref()).map(Facets::of_line)
    }

    /// The families that the release publishes.
    pub fn families(&self) -> BTreeSet<Family> {
        self.artifacts.values().filter_map(|a| a.facets.as_ref()).map(Facets::family).collect()
    }
}
