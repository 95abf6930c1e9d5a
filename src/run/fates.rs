//! What became of the releases that open merge requests may offer, by what the plan was made from.

use std::collections::BTreeMap;

use crate::merge_request::fate::{OfferStatus, ProducerFates};
use crate::observe::releases::Snapshot;
use crate::plan::Plan;
use crate::release::Version;
use crate::release::data::ReleaseData;
use crate::release::hold::Hold;
use crate::release::policy::Exclusion;
use crate::release::selection::SelectionVerdict;

/// A candidate without a verdict stays: where a file is pinned, none was judged.
pub(super) fn fates(plan: &Plan, snapshot: &Snapshot) -> ProducerFates {
    let known = snapshot.known();
    let candidates = known.candidates.keys().map(|version| (version.clone(), OfferStatus::Stays));
    let mut fates: BTreeMap<Version, OfferStatus> = candidates.collect();
    let judged = plan.choice.verdicts.iter();
    fates.extend(judged.map(|(version, verdict)| (version.clone(), fate(version, verdict, known))));
    ProducerFates::new(fates, snapshot.is_exhaustive())
}

/// Half an answer withdraws nothing, and does not say that all keys of the file's own release are listed.
fn fate(version: &Version, verdict: &SelectionVerdict, known: &ReleaseData) -> OfferStatus {
    let read = known.releases.get(version).filter(|release| release.is_complete());
    match verdict {
        SelectionVerdict::Excluded(Exclusion::Older) => OfferStatus::OnTarget,
        SelectionVerdict::Excluded(Exclusion::Current) if read.is_some() => OfferStatus::OnTarget,
        SelectionVerdict::Excluded(Exclusion::Current | Exclusion::TooFarBack(_)) => OfferStatus::Stays,
        SelectionVerdict::Excluded(rule) => OfferStatus::Excluded(rule.to_string()),
        SelectionVerdict::Held(Hold::Empty) if read.is_some_and(|release| release.artifacts.is_empty()) => {
            OfferStatus::Withdrawn
        }
        _ => OfferStatus::Stays,
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
        let (current, empty) =
            (SelectionVerdict::Excluded(Exclusion::Current), SelectionVerdict::Held(Hold::Empty));
        for (release, verdict, expected) in [
            (Some(&complete), &current, OfferStatus::OnTarget),
            (Some(&partial), &current, OfferStatus::Stays),
            (None, &current, OfferStatus::Stays),
            (Some(&complete), &empty, OfferStatus::Withdrawn),
            (Some(&partial), &empty, OfferStatus::Stays),
            (None, &SelectionVerdict::Excluded(Exclusion::Older), OfferStatus::OnTarget),
            (Some(&complete), &SelectionVerdict::Unknown("silent".into()), OfferStatus::Stays),
        ] {
            let releases = release.into_iter().map(|release| (version.clone(), release.clone())).collect();
            let known = ReleaseData { releases, ..ReleaseData::default() };
            assert_eq!(fate(&version, verdict, &known), expected, "{verdict:?} of {release:?}");
        }
    }
}
