//! *incomplete*: images are promoted one by one, over hours; a release is whole when it has what the release before had.

use std::collections::BTreeSet;
use std::fmt;

use crate::release::{Family, ImageKey, K8sMinor, Line, Release, Version};

/// What a release lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The release that it is compared with; `None` where only images that wait for promotion were found.
    pub previous: Option<Version>,
    /// Families that the release before had.
    pub families: Vec<Family>,
    /// Lines that the release before had, of families that are there and of minors that other families have.
    pub lines: Vec<Line>,
    /// Images that were built for the release and not promoted yet.
    pub unpromoted: Vec<ImageKey>,
}

/// What `release` lacks of what the release before had. A minor that left with every family is no loss, and of a release
/// that is known in part nothing can be said.
pub(super) fn missing(release: &Release, previous: Option<&(&Version, BTreeSet<Line>)>) -> Option<Missing> {
    if !release.is_complete() {
        return None;
    }
    let lines = release.lines();
    let families: BTreeSet<&Family> = lines.iter().map(|line| &line.family).collect();
    let minors: BTreeSet<K8sMinor> = lines.iter().map(|line| line.minor).collect();
    let lost: BTreeSet<&Line> = previous.iter().flat_map(|(_, before)| before.difference(&lines)).collect();
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

impl Missing {
    /// Each thing that is missing, as people name it.
    pub fn items(&self) -> Vec<String> {
        let families = self.families.iter().map(ToString::to_string);
        let lines = self.lines.iter().map(ToString::to_string);
        let unpromoted = self.unpromoted.iter().map(|key| format!("{key} (built, not promoted)"));
        families.chain(lines).chain(unpromoted).collect()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items();
        let (first, more) =
            (items.iter().take(3).cloned().collect::<Vec<_>>(), items.len().saturating_sub(3));
        write!(f, "not published in full: {}", first.join(", "))?;
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        let verb = if items.len() == 1 { "is" } else { "are" };
        write!(f, " {verb} missing")?;
        match &self.previous {
            Some(previous) if !(self.families.is_empty() && self.lines.is_empty()) => {
                write!(f, ", compared with {previous}")
            }
            _ => Ok(()),
        }
    }
}
