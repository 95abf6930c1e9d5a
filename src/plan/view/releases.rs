//! What became of each release.

use std::collections::BTreeMap;

use crate::release::data::ReleaseData;
use crate::release::policy::Exclusion;
use crate::release::selection::SelectionVerdict;
use crate::release::{Coverage, Version};

/// So many releases that are passed over for the same reason are shown; the others are only counted.
const MOST_ALIKE: usize = 3;

/// What became of one release.
#[derive(Debug, Clone)]
pub struct ReleaseView {
    /// The version.
    pub version: Version,
    /// What became of it.
    pub verdict: SelectionVerdict,
    /// How much of it is known; `None` if its artifacts were not read.
    pub coverage: Option<Coverage>,
    /// How many artifacts are known.
    pub artifacts: Option<usize>,
}

impl ReleaseView {
    pub(super) fn new((version, verdict): &(Version, SelectionVerdict), known: &ReleaseData) -> Self {
        let release = known.releases.get(version);
        Self {
            version: version.clone(),
            verdict: verdict.clone(),
            coverage: release.map(|release| release.coverage.clone()),
            artifacts: release.map(|release| release.artifacts.len()),
        }
    }

    /// Those to show one by one, and how many others are passed over for which reason.
    pub fn shown<'r>(releases: impl IntoIterator<Item = &'r Self>) -> (Vec<&'r Self>, Vec<String>) {
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        let mut is_shown = |release: &Self| {
            let SelectionVerdict::Excluded(why) = &release.verdict else { return true };
            let count = alike.entry(why.to_string()).or_default();
            *count += 1;
            *count <= MOST_ALIKE
        };
        let shown = releases.into_iter().filter(|release| is_shown(release)).collect();
        let more = alike.into_iter().filter(|(_, count)| *count > MOST_ALIKE);
        (shown, more.map(|(why, count)| format!("and {} more: {why}", count - MOST_ALIKE)).collect())
    }

    /// Whether it is older than the file's, so that it is only counted.
    pub fn is_older(&self) -> bool {
        matches!(self.verdict, SelectionVerdict::Excluded(Exclusion::Older))
    }

    /// Whether a reviewer may wonder why it is not proposed.
    pub(super) fn is_news(&self) -> bool {
        !matches!(self.verdict, SelectionVerdict::Excluded(Exclusion::Prerelease))
    }

    /// What ends its hold.
    pub fn remedy(&self) -> Option<String> {
        match &self.verdict {
            SelectionVerdict::Held(hold) => Some(hold.remedy(&self.version)),
            _ => None,
        }
    }

    /// What became of it, and what ends a hold, in a sentence.
    pub fn told(&self) -> String {
        match &self.verdict {
            SelectionVerdict::Held(hold) => format!("held: {}", hold.told(&self.version)),
            verdict => verdict.to_string(),
        }
    }
}
