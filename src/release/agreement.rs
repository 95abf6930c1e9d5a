//! Whether listed images agree: those of one Kubernetes flavor and minor have one Kubernetes version, whichever producer
//! made them ([`disagreements`]). And which releases of several producers go together ([`next_set`]), asked step by step,
//! because what names leave open costs requests. The search has no caller in the program yet: plans are made for one
//! producer at a time, and it is what plans of several will be chosen by.
//!
//! A version is compared as far as both sides say it: `-rke2r1` and `+rke2r1` are the same, and a revision counts only
//! where both have one ([`K8sVersion::agrees_with`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use smol_str::SmolStr;

use super::{Facets, K8sMinor, K8sVersion, Version};

/// A listed image, as far as agreement asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedImage {
    /// Its key.
    pub key: String,
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

/// What a mapping would list of one release of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseImages {
    /// As the names say it; manifests may say more.
    Named(Vec<ListedImage>),
    /// As the manifests say it.
    Read(Vec<ListedImage>),
    /// It could not be read, for this reason.
    Unknown(String),
}

/// A release that a producer may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseOption {
    /// Its version.
    pub version: Version,
    /// What the mapping would list of it.
    pub listed: ReleaseImages,
}

/// The releases of one producer: those that the policy and the gates allow, from the newest down, and its present one last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerReleases(Vec<ReleaseOption>);

/// How many releases of a producer are looked at besides its present one.
pub const MOST_NEWER: usize = 5;

/// A set of releases, one of each producer in the order of the producers, by their places in these.
pub type Set = Vec<usize>;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetStep {
    /// Read the manifests of these releases of the producers, and ask again.
    Read(Vec<(usize, Version)>),
    /// Go to this set.
    Decided(ChosenSet),
    /// A set that might be better could not be judged.
    Unknown {
        /// The producer.
        producer: usize,
        /// Its release.
        version: Version,
        /// Why it could not be read.
        reason: String,
    },
}

/// The set to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenSet {
    /// The set; that of the present releases where no better one agrees.
    pub set: Set,
    /// The sets before it in the order of preference, each with what speaks against it.
    pub passed: Vec<(Set, Disagreement)>,
}

impl ProducerReleases {
    /// The newest of the newer releases, and the present one; `newer` comes from the newest down.
    pub fn new(newer: impl IntoIterator<Item = ReleaseOption>, present: ReleaseOption) -> Self {
        Self(newer.into_iter().take(MOST_NEWER).chain([present]).collect())
    }

    /// The releases from the newest down.
    pub fn releases(&self) -> &[ReleaseOption] {
        &self.0
    }
}

impl ListedImage {
    /// The image of a key.
    pub fn new(key: impl Into<String>, facets: &Facets) -> Self {
        let Facets { k8s_flavor, k8s_version, .. } = facets;
        Self { key: key.into(), k8s_flavor: k8s_flavor.clone(), k8s_version: k8s_version.clone() }
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
    let highest = || images.iter().rev();
    let pair = |lower: &&ListedImage| {
        let higher = highest().find(|higher| !lower.k8s_version.agrees_with(&higher.k8s_version))?;
        (lower.k8s_version < higher.k8s_version)
            .then(|| Disagreement { lower: (*lower).clone(), higher: (*higher).clone() })
    };
    images.iter().find_map(pair)
}

/// Says which releases must be read before a set can be chosen, or chooses it.
///
/// A set beats another if no member is older and one is newer; among the rest the first producer decides, then the second. In
/// this order the first set is chosen that agrees, or disagrees no more widely than the present one.
pub fn next_set(producers: &[ProducerReleases]) -> SetStep {
    let present: Set = producers.iter().map(|producer| producer.0.len().saturating_sub(1)).collect();
    let mut passed = Vec::new();
    for set in sets(producers) {
        if set == present {
            break;
        }
        match judge(producers, &set, &present) {
            Judgement::Agrees => return SetStep::Decided(ChosenSet { set, passed }),
            Judgement::Disagrees(disagreement) => passed.push((set, disagreement)),
            Judgement::Open(releases) => return SetStep::Read(releases),
            Judgement::Unknown { producer, version, reason } => {
                return SetStep::Unknown { producer, version, reason };
            }
        }
    }
    SetStep::Decided(ChosenSet { set: present, passed })
}

/// All sets in the order of preference: the first producer's newest first, then the second's. None is beaten by a later one.
fn sets(producers: &[ProducerReleases]) -> impl Iterator<Item = Set> {
    let count = producers.iter().map(|producer| producer.0.len()).product::<usize>();
    (0..count).map(move |number| {
        let mut rest = number;
        let mut set: Set = producers
            .iter()
            .rev()
            .map(|producer| {
                let place = rest % producer.0.len();
                rest /= producer.0.len();
                place
            })
            .collect();
        set.reverse();
        set
    })
}

enum Judgement {
    Agrees,
    Disagrees(Disagreement),
    /// These releases must be read first.
    Open(Vec<(usize, Version)>),
    Unknown {
        producer: usize,
        version: Version,
        reason: String,
    },
}

fn judge(producers: &[ProducerReleases], set: &Set, present: &Set) -> Judgement {
    let images = listed(producers, set);
    let (before, after) = (spread(&listed(producers, present)), spread(&images));
    let widens = |kind: &Kind<'_>| {
        after.get(kind).is_some_and(|after| *after > before.get(kind).copied().unwrap_or_default().max(1))
    };
    let wider = disagreements(images.iter().copied()).into_iter().find(|found| widens(&found.lower.kind()));
    match wider {
        // What names alone say decides against a set; for it, more is asked.
        Some(disagreement) => Judgement::Disagrees(disagreement),
        None => unread(producers, set, &images),
    }
}

/// What must be read before a set of which nothing is known against it may be chosen.
fn unread(producers: &[ProducerReleases], set: &Set, images: &[&ListedImage]) -> Judgement {
    let of =
        |producer: usize, place: &usize| producers.get(producer).and_then(|producer| producer.0.get(*place));
    let members =
        set.iter().enumerate().filter_map(|(producer, place)| Some((producer, of(producer, place)?)));
    let mut open = Vec::new();
    for (producer, candidate) in members {
        match &candidate.listed {
            ReleaseImages::Unknown(reason) => {
                let (version, reason) = (candidate.version.clone(), reason.clone());
                return Judgement::Unknown { producer, version, reason };
            }
            ReleaseImages::Named(own) if own.iter().any(|image| meets_another(image, images)) => {
                open.push((producer, candidate.version.clone()));
            }
            ReleaseImages::Named(_) | ReleaseImages::Read(_) => {}
        }
    }
    if open.is_empty() { Judgement::Agrees } else { Judgement::Open(open) }
}

/// Whether another image is of the same kind, so that what a name leaves open may differ.
fn meets_another(image: &ListedImage, images: &[&ListedImage]) -> bool {
    images.iter().any(|other| !std::ptr::eq(*other, image) && other.kind() == image.kind())
}

fn listed<'a>(producers: &'a [ProducerReleases], set: &Set) -> Vec<&'a ListedImage> {
    let members = producers.iter().zip(set).filter_map(|(producer, place)| producer.0.get(*place));
    let images = members.filter_map(|candidate| match &candidate.listed {
        ReleaseImages::Named(images) | ReleaseImages::Read(images) => Some(images),
        ReleaseImages::Unknown(_) => None,
    });
    images.flatten().collect()
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

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lower, higher } = self;
        write!(
            f,
            "`{}` has Kubernetes {}, and `{}` has {}",
            lower.key, lower.k8s_version, higher.key, higher.k8s_version
        )
    }
}

#[cfg(test)]
mod tests;
