//! *incomplete*: images are promoted one by one, over hours; a release is whole when it has what the release before had.

use std::collections::BTreeSet;

use crate::release::hold::Missing;
use crate::release::{Family, K8sMinor, Release, Series, Version};

/// What `release` lacks of what the release before had. A minor that left with every family is no loss, and of a release
/// that is known in part nothing can be said.
pub(crate) fn missing(release: &Release, previous: Option<&(&Version, BTreeSet<Series>)>) -> Option<Missing> {
    if !release.is_complete() {
        return None;
    }
    let lines = release.lines();
    let families: BTreeSet<&Family> = lines.iter().map(|line| &line.family).collect();
    let minors: BTreeSet<K8sMinor> = lines.iter().map(|line| line.minor).collect();
    let lost: BTreeSet<&Series> = previous.iter().flat_map(|(_, before)| before.difference(&lines)).collect();
    let lost_families: BTreeSet<&Family> =
        lost.iter().map(|line| &line.family).filter(|family| !families.contains(family)).collect();
    let lost_lines =
        lost.into_iter().filter(|line| families.contains(&line.family) && minors.contains(&line.minor));
    let missing = Missing {
        previous: previous.map(|(version, _)| (*version).clone()),
        families: lost_families.into_iter().cloned().collect(),
        lines: lost_lines.cloned().collect(),
        unpromoted: release.unpromoted.iter().cloned().collect(),
    };
    (!missing.items().is_empty()).then_some(missing)
}
