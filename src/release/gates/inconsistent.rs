//! *inconsistent*: names and annotations agree with each other and with the release that carries them.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::data::SelectionQuery;
use crate::release::hold::Defect;
use crate::release::{Family, ImageKey, K8sMinor, K8sVersion, Naming, Release, Series};

/// The worst defect of a release. `current` is the release that the file names.
pub(super) fn defect(
    release: &Release,
    current: Option<&Release>,
    query: &SelectionQuery<'_>,
) -> Option<Defect> {
    // Where signatures are required, an image that will be listed must prove what it is, and nobody's word ends that: the
    // plan asks.
    let wrong_image = || (!query.requires_signatures).then(|| wrong_image(release, query.naming)).flatten();
    names(release, query.naming).or_else(wrong_image).or_else(|| mixed_kubernetes(release)).or_else(|| {
        let current = current.filter(|_| query.policy.allows_patches_only())?;
        os_release(release, current, &query.listed_lines())
    })
}

fn names(release: &Release, naming: &Naming) -> Option<Defect> {
    let strange: Vec<&ImageKey> =
        release.artifacts.keys().filter(|key| naming.facets(key.as_str()).is_none()).collect();
    let (key, count) = ((*strange.first()?).clone(), strange.len());
    let holds_tag = strange.iter().all(|key| key.as_str().contains(release.version.as_str()));
    Some(if holds_tag { Defect::NamesHoldTag { key, count } } else { Defect::NoScheme { key, count } })
}

/// The first image of a release that is another one by its annotations.
pub(crate) fn wrong_image(release: &Release, naming: &Naming) -> Option<Defect> {
    release.artifacts.values().find_map(|artifact| {
        let contradiction = artifact.identity(&release.version, naming).contradiction()?.clone();
        Some(Defect::WrongImage { key: artifact.key.clone(), contradiction })
    })
}

/// A cluster has one Kubernetes version; images of its flavor and minor that differ cannot all fit it.
fn mixed_kubernetes(release: &Release) -> Option<Defect> {
    let mut versions: BTreeMap<(&str, K8sMinor), BTreeSet<&K8sVersion>> = BTreeMap::new();
    for facets in release.artifacts.values().filter_map(|artifact| artifact.facets.as_ref()) {
        if facets.k8s_version.patch.is_some() {
            let of = (facets.k8s_flavor.as_str(), facets.k8s_version.minor);
            versions.entry(of).or_default().insert(&facets.k8s_version);
        }
    }
    let ((k8s_flavor, _), versions) = versions.into_iter().find(|(_, versions)| differ(versions))?;
    let versions = versions.into_iter().cloned().collect();
    Some(Defect::MixedKubernetes { k8s_flavor: k8s_flavor.to_owned(), versions })
}

/// A version without a revision may be one with it: a name does not tell.
fn differ(versions: &BTreeSet<&K8sVersion>) -> bool {
    let patches: BTreeSet<_> = versions.iter().map(|version| version.patch).collect();
    let revisions: BTreeSet<_> = versions.iter().filter_map(|version| version.revision.as_ref()).collect();
    patches.len() > 1 || revisions.len() > 1
}

fn os_release(release: &Release, current: &Release, listed: &BTreeSet<Series>) -> Option<Defect> {
    let (before, after) = (os_releases(current), os_releases(release));
    let listed: BTreeSet<&Family> = listed.iter().map(|line| &line.family).collect();
    let mut before = before.into_iter().filter(|(line, _)| listed.contains(&line.family));
    before.find_map(|(line, before)| {
        let after = after.get(&line)?;
        let (from, to) = (before.iter().next()?.clone(), after.iter().next()?.clone());
        before.is_disjoint(after).then_some(Defect::OsRelease { line, from, to })
    })
}

fn os_releases(release: &Release) -> BTreeMap<Series, BTreeSet<String>> {
    let mut releases: BTreeMap<Series, BTreeSet<String>> = BTreeMap::new();
    for facets in release.artifacts.values().filter_map(|artifact| artifact.facets.as_ref()) {
        releases.entry(facets.line()).or_default().insert(facets.os_release.replace('.', "-"));
    }
    releases
}
