//! *inconsistent*: names and annotations agree with each other and with the release that carries them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::release::choice::SelectionQuery;
use crate::release::{
    Artifact, Facets, Family, ImageKey, K8sMinor, K8sVersion, Line, Naming, Release, Version,
};

/// The annotation with the producer's own tag of the commit that an image was built from.
const COMMIT_TAG: &str = "sylvaproject.org/diskimage/commit-tag";

/// What is wrong with a release; of several defects the one that explains most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// Names contain the release's own tag, as those of diskimage-builder 0.4.4.
    NamesHoldTag {
        /// One of them.
        key: ImageKey,
        /// How many there are.
        count: usize,
    },
    /// Names fit no known scheme.
    NoScheme {
        /// One of them.
        key: ImageKey,
        /// How many there are.
        count: usize,
    },
    /// Name and annotations speak of different images.
    Contradiction {
        /// The name.
        key: ImageKey,
        /// The annotation.
        annotation: &'static str,
        /// What the annotation says.
        says: String,
    },
    /// The image was built for another release.
    OtherRelease {
        /// Its name.
        key: ImageKey,
        /// That release.
        tag: Version,
    },
    /// Images of one Kubernetes flavor and minor have different Kubernetes versions.
    MixedKubernetes {
        /// The Kubernetes flavor.
        k8s_flavor: String,
        /// The versions, lowest first.
        versions: Vec<K8sVersion>,
    },
    /// The OS release of a listed family changes, where only patches are allowed.
    OsRelease {
        /// The line.
        line: Line,
        /// The OS release so far.
        from: String,
        /// The OS release that it would be.
        to: String,
    },
}

/// The worst defect of a release. `current` is the release that the file names.
pub(super) fn defect(
    release: &Release,
    current: Option<&Release>,
    query: &SelectionQuery<'_>,
) -> Option<Defect> {
    let artifacts = || release.artifacts.values();
    names(release, query.naming)
        .or_else(|| artifacts().find_map(|artifact| contradiction(artifact, query.naming)))
        .or_else(|| artifacts().find_map(|artifact| other_release(artifact, &release.version)))
        .or_else(|| mixed_kubernetes(release))
        .or_else(|| {
            let current = current.filter(|_| query.policy.allows_patches_only())?;
            let listed = query.listed.iter().map(|line| &line.family).collect();
            os_release(release, current, &listed)
        })
}

fn names(release: &Release, naming: &Naming) -> Option<Defect> {
    let strange: Vec<&ImageKey> =
        release.artifacts.keys().filter(|key| naming.facets(key.as_str()).is_none()).collect();
    let (key, count) = ((*strange.first()?).clone(), strange.len());
    let holds_tag = strange.iter().all(|key| key.as_str().contains(release.version.as_str()));
    Some(if holds_tag { Defect::NamesHoldTag { key, count } } else { Defect::NoScheme { key, count } })
}

/// Annotations are compared with the name after `.` became `-`, without the distribution's revision, and only as far as
/// the name goes.
fn contradiction(artifact: &Artifact, naming: &Naming) -> Option<Defect> {
    let annotated = Facets::from_annotations(&artifact.annotations)?;
    let named = naming.facets(artifact.key.as_str())?;
    let dashed = |text: &str| text.replace('.', "-");
    let os_release = !annotated.os_release.is_empty() && !named.os_release.is_empty();
    let version = K8sVersion { revision: None, ..annotated.k8s_version.clone() };
    let version =
        K8sVersion { patch: version.patch.filter(|_| named.k8s_version.patch.is_some()), ..version };
    let differing = [
        ("os", annotated.os != named.os, &annotated.os),
        (
            "os-release",
            os_release && dashed(&annotated.os_release) != dashed(&named.os_release),
            &annotated.os_release,
        ),
        ("flavor", annotated.flavor != named.flavor, &annotated.flavor),
        ("k8s-flavor", annotated.k8s_flavor != named.k8s_flavor, &annotated.k8s_flavor),
        (
            "k8s-version",
            version != K8sVersion { revision: None, ..named.k8s_version },
            &annotated.k8s_version.to_string(),
        ),
    ];
    let (annotation, _, says) = differing.into_iter().find(|(_, differs, _)| *differs)?;
    Some(Defect::Contradiction { key: artifact.key.clone(), annotation, says: says.clone() })
}

/// One commit may carry several tags, and the annotation then holds all of them.
fn other_release(artifact: &Artifact, version: &Version) -> Option<Defect> {
    let tags = artifact.annotations.get(COMMIT_TAG)?.split_whitespace();
    let tags: Vec<Version> =
        tags.filter_map(|tag| tag.parse().ok()).filter(|tag: &Version| !tag.is_prerelease()).collect();
    if tags.contains(version) {
        return None;
    }
    let tag = tags.into_iter().next()?;
    Some(Defect::OtherRelease { key: artifact.key.clone(), tag })
}

/// A cluster has one Kubernetes version; images of its flavor and minor that differ cannot all fit it.
fn mixed_kubernetes(release: &Release) -> Option<Defect> {
    let mut versions: BTreeMap<(String, K8sMinor), BTreeSet<K8sVersion>> = BTreeMap::new();
    for facets in release.artifacts.values().filter_map(|artifact| artifact.facets.as_ref()) {
        if facets.k8s_version.patch.is_some() {
            let of = (facets.k8s_flavor.clone(), facets.k8s_version.minor);
            versions.entry(of).or_default().insert(facets.k8s_version.clone());
        }
    }
    let ((k8s_flavor, _), versions) = versions.into_iter().find(|(_, versions)| differ(versions))?;
    Some(Defect::MixedKubernetes { k8s_flavor, versions: versions.into_iter().collect() })
}

/// A version without a revision may be one with it: a name does not tell.
fn differ(versions: &BTreeSet<K8sVersion>) -> bool {
    let patches: BTreeSet<_> = versions.iter().map(|version| version.patch).collect();
    let revisions: BTreeSet<_> = versions.iter().filter_map(|version| version.revision.as_ref()).collect();
    patches.len() > 1 || revisions.len() > 1
}

fn os_release(release: &Release, current: &Release, listed: &BTreeSet<&Family>) -> Option<Defect> {
    let (before, after) = (os_releases(current), os_releases(release));
    let mut before = before.into_iter().filter(|(line, _)| listed.contains(&line.family));
    before.find_map(|(line, before)| {
        let after = after.get(&line)?;
        let (from, to) = (before.iter().next()?.clone(), after.iter().next()?.clone());
        before.is_disjoint(after).then_some(Defect::OsRelease { line, from, to })
    })
}

fn os_releases(release: &Release) -> BTreeMap<Line, BTreeSet<String>> {
    let mut releases: BTreeMap<Line, BTreeSet<String>> = BTreeMap::new();
    for facets in release.artifacts.values().filter_map(|artifact| artifact.facets.as_ref()) {
        releases.entry(facets.line()).or_default().insert(facets.os_release.replace('.', "-"));
    }
    releases
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamesHoldTag { key, count } => {
                let names = names_of(*count, "holds", "hold");
                write!(f, "{names} the release's own tag, as in no other release: {key}")
            }
            Self::NoScheme { key, count } => {
                write!(f, "{} no known scheme (see `names.pattern`): {key}", names_of(*count, "fits", "fit"))
            }
            Self::Contradiction { key, annotation, says } => {
                write!(f, "{key} contradicts its annotation {annotation}, which says {says}")
            }
            Self::OtherRelease { key, tag } => write!(f, "{key} was built for release {tag}"),
            Self::MixedKubernetes { k8s_flavor, versions } => {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "its {k8s_flavor} images have different Kubernetes versions: {}",
                    versions.join(", ")
                )
            }
            Self::OsRelease { line, from, to } => {
                write!(f, "{line} moves from OS release {from} to {to}, and only patches are allowed here")
            }
        }
    }
}

fn names_of(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("a name {one}") } else { format!("{count} names {many}") }
}
