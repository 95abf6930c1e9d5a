//! What only a plan can tell of a release: whether it keeps enough keys, and whether what it lists is signed.

use std::collections::BTreeSet;

use super::signed::{Checked, Signatures, Signed};
use super::{KeyPlan, PlanInput};
use crate::reconcile::{Departure, Reconciliation};
use crate::release::data::{FoundHolds, ReleaseData};
use crate::release::gates::wrong_image;
use crate::release::hold::Hold;
use crate::release::identity::Asked;
use crate::release::policy::GateMode;
use crate::release::{Artifact, Digest, ImageKey, Version};
use crate::signature::{Requirement, Verdict};

/// What a plan needs before it may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The verdict on the signatures of these images.
    Signatures(Vec<(ImageKey, Digest)>),
    /// Another choice: this holds the release.
    Choice(Version, Hold),
}

/// What `plan` still needs; `None` if it may stand as it is. A plan that changes nothing needs nothing.
///
/// A plan may also come out of this as [`Planned::Unknown`](super::Planned::Unknown): signatures that could not be checked change nothing.
pub fn ask(
    plan: &mut KeyPlan,
    input: &PlanInput<'_>,
    known: &ReleaseData,
    signatures: &Signatures,
    found: &FoundHolds,
) -> Option<Ask> {
    if !plan.is_change() {
        return None;
    }
    let told = found
        .get(plan.to())
        .is_some_and(|holds| holds.iter().any(|hold| matches!(hold, Hold::BigJump { .. })));
    if let Some(hold) = big_jump(plan).filter(|_| input.policy.gates.big_jump != GateMode::Off && !told) {
        return Some(Ask::Choice(plan.to().clone(), hold));
    }
    if let Requirement::NotRequired(why) = input.signatures {
        plan.signatures = Signed::NotAsked(why.reason().map(str::to_owned));
        return None;
    }
    let listed = listed(plan, known);
    let unread: Vec<(ImageKey, Digest)> = listed
        .iter()
        .filter_map(|artifact| Some((artifact.key.clone(), artifact.digest.clone()?)))
        .filter(|(_, digest)| !signatures.contains_key(digest))
        .collect();
    if !unread.is_empty() {
        return Some(Ask::Signatures(unread));
    }
    let verdict =
        |artifact: &&Artifact| (artifact.key.clone(), verdict(artifact, plan.to(), input, signatures));
    plan.signatures = Signed::Checked(Checked { verdicts: listed.iter().map(verdict).collect() });
    match input.signatures {
        Requirement::Required(_) => demanded(plan).or_else(|| inconsistent(plan, input, known, found)),
        _ => None,
    }
}

/// Bad or missing signatures hold the release; what could not be checked is unknown, and the worse of the two decides.
fn demanded(plan: &mut KeyPlan) -> Option<Ask> {
    let checked = plan.signatures.checked()?;
    let (unknown, faulty): (Vec<_>, Vec<_>) =
        checked.faults().into_iter().partition(|(_, verdict)| matches!(verdict, Verdict::Unknown { .. }));
    if !faulty.is_empty() {
        let images = faulty.into_iter().map(|(key, verdict)| (key.clone(), verdict.to_string())).collect();
        let listed = checked.verdicts.len();
        return Some(Ask::Choice(plan.to().clone(), Hold::Unsigned { images, listed }));
    }
    if let Some((key, verdict)) = unknown.first() {
        let reason = format!("{}: {key} is {verdict}", plan.to());
        plan.become_unknown(reason);
    }
    None
}

/// The gate *inconsistent* of images that the files will not list, in place of the one that the selection asks where no
/// signature is required. The release that the files name is not judged.
fn inconsistent(
    plan: &KeyPlan,
    input: &PlanInput<'_>,
    known: &ReleaseData,
    found: &FoundHolds,
) -> Option<Ask> {
    let is_told = |holds: &Vec<Hold>| holds.iter().any(|hold| matches!(hold, Hold::Inconsistent(_)));
    let to = plan.to();
    let is_asked = plan.is_change() && *to != plan.from && input.policy.gates.inconsistent != GateMode::Off;
    let release = known.releases.get(to).filter(|_| is_asked && !found.get(to).is_some_and(is_told))?;
    wrong_image(release, input.naming).map(|defect| Ask::Choice(to.clone(), Hold::Inconsistent(defect)))
}

/// The verdict on the image as that of the release that the files will name.
fn verdict(
    artifact: &Artifact,
    version: &Version,
    input: &PlanInput<'_>,
    signatures: &Signatures,
) -> Verdict {
    let unread = || Verdict::Unknown { reason: "its manifest was not read".to_owned() };
    let known = artifact.digest.as_ref().and_then(|digest| signatures.get(digest));
    let asked = Asked { name: &artifact.key, tag: version.as_str(), naming: input.naming };
    known.cloned().unwrap_or_else(unread).judged_as(&asked, &artifact.annotations, input.policy.identity)
}

/// The artifacts of every image that the files will list.
fn listed<'a>(plan: &KeyPlan, known: &'a ReleaseData) -> Vec<&'a Artifact> {
    let Some(release) = known.releases.get(plan.to()) else { return Vec::new() };
    let keys: BTreeSet<&str> = plan.reconciliations().flat_map(Reconciliation::listed_after).collect();
    release.artifacts.values().filter(|artifact| keys.contains(artifact.key.as_str())).collect()
}

/// Fewer than half of the listed keys stay or are renamed: more likely a mistake than a release. An overlay lists a few
/// keys of a mapping, and says nothing of the release.
fn big_jump(plan: &KeyPlan) -> Option<Hold> {
    let reconciliation = plan.reconciliations().next()?;
    let stay = reconciliation.kept.len() + reconciliation.renamed.len();
    let is_repeated = |why: &Departure| matches!(why, Departure::Repeated { .. });
    let gone = reconciliation.removed.iter().filter(|removed| !is_repeated(&removed.why)).count();
    let listed = stay + gone + reconciliation.dead.len();
    (stay * 2 < listed).then_some(Hold::BigJump { stay, listed })
}

#[cfg(test)]
mod tests;
