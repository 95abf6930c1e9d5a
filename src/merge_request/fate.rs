//! Whether a release that an open merge request offers is still worth offering.

use std::collections::BTreeMap;

use crate::release::Version;

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferStatus {
    /// It may be offered, or nobody can tell.
    Stays,
    /// The target branch has it already, or a newer one.
    OnTarget,
    /// The registry answered completely, and does not have it any more.
    Withdrawn,
    /// The configuration excludes it; the rule, as a sentence fragment.
    Excluded(String),
}

/// What became of each release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fates {
    known: BTreeMap<Version, OfferStatus>,
    /// Whether a release that is not among them was withdrawn: the registry named all that it has.
    exhaustive: bool,
}

impl Fates {
    /// What became of each release. Exhaustive is what names all releases that the registry has.
    pub fn new(known: BTreeMap<Version, OfferStatus>, exhaustive: bool) -> Self {
        Self { known, exhaustive }
    }

    /// What became of this release.
    pub fn of(&self, version: &Version) -> OfferStatus {
        let unlisted = if self.exhaustive { OfferStatus::Withdrawn } else { OfferStatus::Stays };
        self.known.get(version).cloned().unwrap_or(unlisted)
    }
}
