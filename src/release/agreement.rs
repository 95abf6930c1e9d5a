//! Whether listed images agree: those of one Kubernetes flavor and minor have one Kubernetes version, whichever producer
//! made them ([`disagreements`]). And which releases of several producers go together ([`next_set`]), asked step by step,
//! because looking a release up costs requests.
//!
//! A version is compared as far as both sides say it: `-rke2r1` and `+rke2r1` are the same, and a revision counts only
//! where both have one ([`K8sVersion::agrees_with`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use smol_str::SmolStr;

use super::{Facets, K8sMinor, K8sVersion};

/// A listed image, as far as agreement asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListedImage {
    /// Its key.
    pub key: String,
    /// Whose it is, as people are told: a producer and its release, or a registry.
    pub of: Option<String>,
    /// Its Kubernetes flavor.
    pub k8s_flavor: SmolStr,
    /// Its Kubernetes version.
    pub k8s_version: K8sVersion,
}

/// Two listed images of one Kubernetes flavor and minor that have different versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The one with the lower version.
    pub lower: ListedImage,
    /// The one with the higher version.
    pub higher: ListedImage,
}

/// A release that a producer may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseOption {
    /// What the mapping would list of it.
    pub listed: Vec<ListedImage>,
    /// Whether it may be gone to although its images disagree with others: somebody accepted it, or is only warned.
    pub may_disagree: bool,
}

/// Where a producer may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerOptions {
    /// The newer releases that the policy and the other gates allow, from the newest down, as far as they were looked up.
    pub newer: Vec<ReleaseOption>,
    /// Whether there may be more of them.
    pub may_have_more: bool,
    /// What the mapping lists of it.
    pub present: Vec<ListedImage>,
}

/// How many newer releases of a producer are looked at where several must agree.
pub const MOST_NEWER: usize = 5;

/// A set of releases: for each producer the place of its newer release, or none where it stays.
pub type Set = Vec<Option<usize>>;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetStep {
    /// Look up the next lower release of this producer, and ask again.
    LookFurther {
        /// The producer.
        producer: usize,
        /// What speaks against the last one that was looked up.
        against: Box<Disagreement>,
    },
    /// Go to this set; it is that of the present releases where no better one agrees.
    Decided(Set),
}

impl ListedImage {
    /// The image of a key.
    pub fn new(key: impl Into<String>, of: Option<String>, facets: &Facets) -> Self {
        let Facets { k8s_flavor, k8s_version, .. } = facets;
        Self { key: key.into(), of, k8s_flavor: k8s_flavor.clone(), k8s_version: k8s_version.clone() }
    }

    fn kind(&self) -> Kind<'_> {
        (&self.k8s_flavor, self.k8s_version.minor)
    }
}

/// Images that must agree: those of one flavor and minor.
type Kind<'a> = (&'a SmolStr, K8sMinor);

/// Every kind of images in which two disagree, with the lowest and the highest of them.
pub fn disagreements<'a>(images: impl IntoIterator<Item = &'a ListedImage>) -> Vec<Disagreement> {
    let mut kinds: BTreeMap<Kind<'_>, Vec<&ListedImage>> = BTreeMap::new();
    for image in images {
        kinds.entry(image.kind()).or_default().push(image);
    }
    kinds.into_values().filter_map(widest).collect()
}

/// Two images that disagree, as far apart as there are.
fn widest(mut images: Vec<&ListedImage>) -> Option<Disagreement> {
    images.sort_by_key(|image| &image.k8s_version);
    // Of equal versions the first is asked as the lower one, and the last as the higher one.
    let mut highest = images.clone();
    highest.reverse();
    for versions in [&mut images, &mut highest] {
        versions.dedup_by_key(|image| &image.k8s_version);
    }
    let pair = |lower: &&ListedImage| {
        let higher = highest.iter().find(|higher| !lower.k8s_version.agrees_with(&higher.k8s_version))?;
        (lower.k8s_version < higher.k8s_version)
            .then(|| Disagreement { lower: (*lower).clone(), higher: (*higher).clone() })
    };
    images.iter().find_map(pair)
}

/// Says which release must be looked up before a set can be chosen, or chooses it. `fixed` are listed images that no
/// producer here makes.
///
/// A set beats another if no member is older and one is newer; among the rest the first producer decides, then the second. In
/// this order the first set is chosen that agrees, or disagrees no more widely than the present one.
pub fn next_set(producers: &[ProducerOptions], fixed: &[ListedImage]) -> SetStep {
    let before = spread(&listed(producers, &producers.iter().map(|_| None).collect(), fixed));
    let mut against = None;
    for places in places(producers) {
        if let (Some(producer), Some(against)) = (unlooked(producers, &places), &against) {
            return SetStep::LookFurther { producer, against: Box::new(Disagreement::clone(against)) };
        }
        let set = set(producers, &places);
        match wider(producers, &set, fixed, &before) {
            Some(disagreement) => against = Some(disagreement),
            None => return SetStep::Decided(set),
        }
    }
    SetStep::Decided(producers.iter().map(|_| None).collect())
}

/// How many places a producer has: its newer releases, one for those that were not looked up, and the present one.
fn count(producer: &ProducerOptions) -> usize {
    producer.newer.len() + usize::from(producer.may_have_more) + 1
}

/// The places of all sets in the order of preference: the first producer's newest first, then the second's. None is beaten
/// by a later one, and the last is the present one.
fn places(producers: &[ProducerOptions]) -> impl Iterator<Item = Vec<usize>> {
    (0..producers.iter().map(count).product::<usize>()).map(move |number| {
        let mut rest = number;
        let mut place = |producer: &ProducerOptions| {
            let place = rest % count(producer);
            rest /= count(producer);
            place
        };
        let mut places: Vec<usize> = producers.iter().rev().map(&mut place).collect();
        places.reverse();
        places
    })
}

/// The first producer of which a release is asked that was not looked up.
fn unlooked(producers: &[ProducerOptions], places: &[usize]) -> Option<usize> {
    let mut asked = producers.iter().zip(places);
    asked.position(|(producer, place)| producer.may_have_more && *place == producer.newer.len())
}

fn set(producers: &[ProducerOptions], places: &[usize]) -> Set {
    let place = |(producer, place): (&ProducerOptions, &usize)| {
        Some(*place).filter(|place| *place < producer.newer.len())
    };
    producers.iter().zip(places).map(place).collect()
}

/// A disagreement that a set has and the present one has not, unless a member of the set may disagree.
fn wider(
    producers: &[ProducerOptions],
    set: &Set,
    fixed: &[ListedImage],
    before: &BTreeMap<Kind<'_>, usize>,
) -> Option<Disagreement> {
    let mut members = producers.iter().zip(set).filter_map(|(producer, place)| producer.newer.get((*place)?));
    if members.any(|release| release.may_disagree) {
        return None;
    }
    let images = listed(producers, set, fixed);
    let after = spread(&images);
    let widens =
        |kind: &Kind<'_>| after.get(kind) > Some(before.get(kind).unwrap_or(&1)).map(|count| count.max(&1));
    disagreements(images.iter().copied()).into_iter().find(|found| widens(&found.lower.kind()))
}

fn listed<'a>(producers: &'a [ProducerOptions], set: &Set, fixed: &'a [ListedImage]) -> Vec<&'a ListedImage> {
    let of = |(producer, place): (&'a ProducerOptions, &Option<usize>)| {
        place.and_then(|place| producer.newer.get(place)).map_or(&producer.present, |release| &release.listed)
    };
    producers.iter().zip(set).flat_map(of).chain(fixed).collect()
}

/// How many different versions the images of each kind have, as far as they say: patches, and revisions of a patch.
fn spread<'a>(images: &[&'a ListedImage]) -> BTreeMap<Kind<'a>, usize> {
    let mut patches: BTreeMap<Kind<'a>, BTreeMap<u64, BTreeSet<&str>>> = BTreeMap::new();
    for image in images {
        let Some(patch) = image.k8s_version.patch else { continue };
        let revisions = patches.entry(image.kind()).or_default().entry(patch).or_default();
        revisions.extend(image.k8s_version.revision.as_deref());
    }
    let count = |patches: BTreeMap<u64, BTreeSet<&str>>| patches.values().map(|all| all.len().max(1)).sum();
    patches.into_iter().map(|(kind, patches)| (kind, count(patches))).collect()
}

impl fmt::Display for ListedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.key)?;
        self.of.as_ref().map_or(Ok(()), |of| write!(f, " of {of}"))
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lower, higher } = self;
        write!(f, "{lower} has Kubernetes {}, and {higher} has {}", lower.k8s_version, higher.k8s_version)
    }
}

#[cfg(test)]
mod tests;
