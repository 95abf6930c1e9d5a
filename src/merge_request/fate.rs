//! Whether a release that an open merge request offers is still worth offering.

use std::collections::BTreeMap;

use super::Offered;
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

/// What became of each release of each producer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fates(BTreeMap<String, ProducerFates>);

/// What became of each release of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerFates {
    known: BTreeMap<Version, OfferStatus>,
    /// Whether a release that is not among them was withdrawn: the registry named all that it has.
    exhaustive: bool,
}

impl Fates {
    /// What became of the releases of each producer, by its name.
    pub fn new(producers: impl IntoIterator<Item = (String, ProducerFates)>) -> Self {
        Self(producers.into_iter().collect())
    }

    /// What became of an offer, and of which of its releases that is said: a set is on the target branch where all of it
    /// is, and not worth offering where one release is not.
    pub fn of(&self, offered: &Offered) -> (OfferStatus, Offered) {
        let status = |producer: Option<&str>, version: &Version| {
            let only = || self.0.values().next().filter(|_| self.0.len() == 1);
            let fates = producer.map_or_else(only, |name| self.0.get(name));
            fates.map_or(OfferStatus::Stays, |fates| fates.of(version))
        };
        let each: Vec<OfferStatus> =
            offered.each().map(|(producer, version)| status(producer, version)).collect();
        let is_over =
            |status: &&OfferStatus| matches!(status, OfferStatus::Withdrawn | OfferStatus::Excluded(_));
        if let Some(over) = each.iter().find(is_over) {
            return (
                over.clone(),
                offered.only(|producer, version| status(Some(producer), version) == *over),
            );
        }
        let is_there = !each.is_empty() && each.iter().all(|status| *status == OfferStatus::OnTarget);
        (if is_there { OfferStatus::OnTarget } else { OfferStatus::Stays }, offered.clone())
    }
}

impl ProducerFates {
    /// What became of each release. Exhaustive is what names all releases that the registry has.
    pub fn new(known: BTreeMap<Version, OfferStatus>, exhaustive: bool) -> Self {
        Self { known, exhaustive }
    }

    fn of(&self, version: &Version) -> OfferStatus {
        let unlisted = if self.exhaustive { OfferStatus::Withdrawn } else { OfferStatus::Stays };
        self.known.get(version).cloned().unwrap_or(unlisted)
    }
}
