//! What became of the releases that open merge requests may offer, by what the plan was made from.

use std::collections::BTreeMap;

use crate::merge_request::fate::{Fate, Fates};
use crate::observe::releases::Snapshot;
use crate::plan::Plan;
use crate::release::Version;
use crate::release::data::Known;
use crate::release::hold::Hold;
use crate::release::policy::Exclusion;
use crate::release::selection::Verdict;

/// A candidate without a verdict stays: where a file is pinned, none was judged.
pub(super) fn fates(plan: &Plan, snapshot: &Snapshot) -> Fates {
    let known = snapshot.known();
    let candidates = known.candidates.keys().map(|version| (version.clone(), Fate::Stays));
    let mut fates: BTreeMap<Version, Fate> = candidates.collect();
    let judged = plan.choice.verdicts.iter();
    fates.extend(judged.map(|(version, verdict)| (version.clone(), fate(version, verdict, known))));
    Fates::new(fates, snapshot.is_exhaustive())
}

/// Half an answer withdraws nothing, and does not say that all keys of the file's own release are listed.
fn fate(version: &Version, verdict: &Verdict, known: &Known) -> Fate {
    let read = known.releases.get(version).filter(|release| release.is_complete());
    match verdict {
        Verdict::Excluded(Exclusion::Older) => Fate::OnTarget,
        Verdict::Excluded(Exclusion::Current) if read.is_some() => Fate::OnTarget,
        Verdict::Excluded(Exclusion::Current | Exclusion::TooFarBack(_)) => Fate::Stays,
        Verdict::Excluded(rule) => Fate::Excluded(rule.to_string()),
        Verdict::Held(Hold::Empty) if read.is_some_and(|release| release.artifacts.is_empty()) => {
            Fate::Withdrawn
        }
        _ => Fate::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Coverage, Release};

    #[test]
    fn only_a_complete_answer_ends_an_offer() {
        let version: Version = "0.4.12".parse().unwrap();
        let complete = Release::complete(version.clone(), []);
        let partial = Release { coverage: Coverage::Partial { reason: "short".into() }, ..complete.clone() };
        let (current, empty) = (Verdict::Excluded(Exclusion::Current), Verdict::Held(Hold::Empty));
        for (release, verdict, expected) in [
            (Some(&complete), &current, Fate::OnTarget),
            (Some(&partial), &current, Fate::Stays),
            (None, &current, Fate::Stays),
            (Some(&complete), &empty, Fate::Withdrawn),
            (Some(&partial), &empty, Fate::Stays),
            (None, &Verdict::Excluded(Exclusion::Older), Fate::OnTarget),
            (Some(&complete), &Verdict::Unknown("silent".into()), Fate::Stays),
        ] {
            let releases = release.into_iter().map(|release| (version.clone(), release.clone())).collect();
            let known = Known { releases, ..Known::default() };
            assert_eq!(fate(&version, verdict, &known), expected, "{verdict:?} of {release:?}");
        }
    }
}
