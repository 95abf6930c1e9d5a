//! What became of the releases that open merge requests may offer, by what the plan was made from.

use crate::merge_request::fate::{Fate, Fates};
use crate::observe::releases::Snapshot;
use crate::plan::Plan;
use crate::release::choice::{Hold, Known, Verdict};
use crate::release::policy::Exclusion;
use crate::release::{Coverage, Version};

pub(super) fn fates(plan: &Plan, snapshot: &Snapshot<'_>) -> Fates {
    let known = snapshot.known();
    let fate = |(version, verdict): &(Version, Verdict)| (version.clone(), fate(version, verdict, known));
    Fates::new(plan.choice.verdicts.iter().map(fate).collect(), snapshot.is_exhaustive())
}

fn fate(version: &Version, verdict: &Verdict, known: &Known) -> Fate {
    match verdict {
        Verdict::Excluded(Exclusion::Current | Exclusion::Older) => Fate::OnTarget,
        Verdict::Excluded(rule) => Fate::Excluded(rule.to_string()),
        Verdict::Held(Hold::Empty) if is_empty(version, known) => Fate::Withdrawn,
        _ => Fate::Stays,
    }
}

/// Complete, and nothing there. Half an answer withdraws nothing.
fn is_empty(version: &Version, known: &Known) -> bool {
    let read = known.releases.get(version);
    read.is_some_and(|release| release.coverage == Coverage::Complete && release.artifacts.is_empty())
}
