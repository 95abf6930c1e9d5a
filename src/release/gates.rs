//! Gates: what holds an allowed release back until it is complete, old enough, consistent and signed.
//!
//! Judged by what the release contains. Which versions are allowed at all is the [`super::policy`]'s matter, and what a
//! hold means for the choice that of [`super::selection`].

mod incomplete;
mod inconsistent;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::data::{Candidate, ReleaseData, SelectionQuery};
use super::hold::Hold;
use super::policy::{Step, UnknownAge};
use super::{Family, Release, Version};

pub(crate) use incomplete::missing;
pub(crate) use inconsistent::wrong_image;

/// The holds of a release, by what was read of it and by what planning it found, whatever the settings say of them.
pub(super) fn holds(
    query: &SelectionQuery<'_>,
    known: &ReleaseData,
    candidate: &Candidate,
    release: &Release,
) -> Vec<Hold> {
    let previous = known.lines_before(&release.version);
    let current = query.current.and_then(|current| known.releases.get(current));
    let found = query.found.get(&release.version).into_iter().flatten().cloned();
    missing_line(query, release)
        .into_iter()
        .chain(inconsistent::defect(release, current, query).map(Hold::Inconsistent))
        .chain(incomplete::missing(release, previous.as_ref()).map(Hold::Incomplete))
        .chain(age(query, candidate, release))
        .chain(found)
        .collect()
}

/// When a release was published, by the newest date that anything gives: the manifests, the announcement, the first sight.
pub(super) fn date(candidate: &Candidate, release: &Release) -> Option<Timestamp> {
    let dates = release.artifacts.values().filter_map(|artifact| artifact.created);
    dates.chain(candidate.released_at).max().or(candidate.first_seen)
}

/// When a release that was read was published, as far as anything tells.
pub fn published(known: &ReleaseData, version: &Version) -> Option<Timestamp> {
    date(&known.candidate(version), known.releases.get(version)?)
}

fn age(query: &SelectionQuery<'_>, candidate: &Candidate, release: &Release) -> Option<Hold> {
    let minimum = query.policy.minimum_age?;
    match date(candidate, release) {
        Some(date) => {
            let until = date.checked_add(minimum).unwrap_or(Timestamp::MAX);
            (until > query.now).then_some(Hold::TooYoung { until })
        }
        None => (query.policy.unknown_age == UnknownAge::Hold).then_some(Hold::AgeUnknown),
    }
}

/// With `step: series`, a release must still publish a listed series of every listed family.
fn missing_line(query: &SelectionQuery<'_>, release: &Release) -> Option<Hold> {
    if query.policy.step == Step::Newest {
        return None;
    }
    let (lines, listed) = (release.lines(), query.listed_lines());
    let kept: BTreeSet<&Family> = listed.intersection(&lines).map(|line| &line.family).collect();
    let mut families = listed.iter().map(|line| &line.family);
    families
        .find(|family| !kept.contains(family))
        .map(|family| Hold::SeriesMissing { family: family.clone() })
}

#[cfg(test)]
mod tests;
