use std::collections::BTreeMap;

use super::*;
use crate::budget::Budget;
use crate::check::Severities;
use crate::plan::survey::{FileSpec, Target};
use crate::plan::{Planned, decide, survey};
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::reconcile::{DefaultEnabled, Images};
use crate::release::data::Candidate;
use crate::release::policy::Gates;
use crate::release::policy::Policy;
use crate::release::selection::{Choice, SelectionVerdict as ChoiceVerdict};
use crate::release::{Naming, Release};
use crate::signature::{Keys, PublicKey, Rejection, Unverified};

fn name(minor: usize, patch: usize) -> String {
    format!("ubuntu-noble-plain-rke2-1-{minor}-{patch}")
}

fn artifact(minor: usize, patch: usize) -> Artifact {
    let name = name(minor, patch);
    let digest = Some(Digest::of(name.as_bytes()));
    Artifact::described(name.parse().unwrap(), digest, BTreeMap::new(), &Naming::default())
}

/// A file that lists the images of so many minors at 0.4.1, and what is known of 0.4.1 and 0.4.2. The newer release still
/// has the first `stay` minors, and one that is new.
fn known(stay: usize, listed: usize) -> (String, ReleaseData) {
    let keys: String = (0..listed).map(|minor| format!("  {}: {{}}\n", name(minor, 1))).collect();
    let text = format!("sylva_diskimagebuilder_version: 0.4.1\ndiskimage_builder_os_images:\n{keys}");
    let version = |text: &str| text.parse::<Version>().unwrap();
    let current = Release::complete(version("0.4.1"), (0..listed).map(|minor| artifact(minor, 1)));
    let minors = (0..stay).chain([99]);
    let wanted = Release::complete(version("0.4.2"), minors.map(|minor| artifact(minor, 2)));
    let releases = [current, wanted].map(|release| (release.version.clone(), release));
    let candidate =
        |version: &Version| Candidate { version: version.clone(), released_at: None, first_seen: None };
    let candidates = releases.iter().map(|(version, _)| (version.clone(), candidate(version))).collect();
    (text, ReleaseData { candidates, releases: releases.into(), outlines: BTreeMap::new() })
}

/// What `ask` says of the plan of keys from 0.4.1 to 0.4.2, and that plan.
fn asked(
    (text, known): &(String, ReleaseData),
    policy: &Policy,
    required: &Requirement,
    signatures: &Signatures,
    found: &FoundHolds,
) -> (Option<Ask>, KeyPlan) {
    let file = FileSpec { path: "values.yaml".into(), overlay: false, version_key: None, images_key: None };
    let target = Target { files: vec![file], ..Target::default() };
    let contents = BTreeMap::from([("values.yaml".to_owned(), text.as_bytes().to_vec())]);
    let survey = survey(&target, contents, None, false).unwrap();
    let to: Version = "0.4.2".parse().unwrap();
    let choice = Choice { verdicts: vec![(to.clone(), ChoiceVerdict::Proposed)], proposed: Some(to) };
    let input = PlanInput {
        survey: &survey,
        policy,
        images: Images::Listed,
        default_enabled: DefaultEnabled::Stay,
        kubernetes_versions: &KubernetesVersions::Off,
        values_from: &[],
        naming: &Naming::default(),
        to: None,
        signatures: required,
        severities: &Severities::default(),
        budget: &Budget::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let mut plan = decide(&input, known, choice).unwrap();
    (ask(&mut plan, &input, known, signatures, found), plan)
}

fn policy(big_jump: GateMode) -> Policy {
    Policy { gates: Gates { big_jump, ..Gates::default() }, ..Policy::default() }
}

fn keys() -> Keys {
    Keys::new([PublicKey::from_pem(include_str!("../../../tests/data/cosign.pub")).unwrap()]).unwrap()
}

fn unasked() -> Requirement {
    Requirement::NotRequired(Unverified::NoKey)
}

#[test]
fn a_plan_that_keeps_fewer_than_half_of_the_listed_keys_is_a_jump() {
    for (stay, listed, jumps) in [
        (1, 1, false),
        (1, 2, false),
        (1, 3, true),
        (2, 3, false),
        (2, 4, false),
        (2, 5, true),
        (3, 5, false),
        (5, 10, false),
        (4, 10, true),
    ] {
        let known = known(stay, listed);
        let (asked, _) =
            asked(&known, &policy(GateMode::Hold), &unasked(), &Signatures::new(), &FoundHolds::new());
        let hold = Ask::Choice("0.4.2".parse().unwrap(), Hold::BigJump { stay, listed });
        assert_eq!(asked, jumps.then_some(hold), "{stay} of {listed}");
    }
}

#[test]
fn a_jump_is_told_once_and_only_where_the_gate_is_on() {
    let known = known(1, 3);
    let jump = Hold::BigJump { stay: 1, listed: 3 };
    let to: Version = "0.4.2".parse().unwrap();
    let told = FoundHolds::from([(to.clone(), vec![jump.clone()])]);
    for (stance, found, expected) in [
        (GateMode::Hold, FoundHolds::new(), true),
        (GateMode::Warn, FoundHolds::new(), true),
        (GateMode::Off, FoundHolds::new(), false),
        (GateMode::Hold, told, false),
    ] {
        let (asked, _) = asked(&known, &policy(stance), &unasked(), &Signatures::new(), &found);
        assert_eq!(asked, expected.then(|| Ask::Choice(to.clone(), jump.clone())), "{stance:?} {found:?}");
    }
}

#[test]
fn the_signatures_of_what_will_be_listed_are_asked_for_and_of_nothing_else() {
    let known = known(2, 2);
    let [first, second] = [0, 1].map(|minor| artifact(minor, 2));
    let image = |artifact: &Artifact| (artifact.key.clone(), artifact.digest.clone().unwrap());
    let ask_with = |signatures: &Signatures| {
        let warned = Requirement::Warned(keys());
        asked(&known, &policy(GateMode::Hold), &warned, signatures, &FoundHolds::new()).0
    };
    let mut signatures = Signatures::new();
    assert_eq!(ask_with(&signatures), Some(Ask::Signatures(vec![image(&first), image(&second)])));
    signatures.insert(image(&first).1, Verdict::Unsigned);
    assert_eq!(ask_with(&signatures), Some(Ask::Signatures(vec![image(&second)])));
    signatures.insert(image(&second).1, Verdict::Unsigned);
    assert_eq!(ask_with(&signatures), None);
}

/// What becomes of a plan that lists two images.
fn signed(requirement: &Requirement, verdicts: [Verdict; 2]) -> String {
    let known = known(2, 2);
    let digests = [0, 1].map(|minor| artifact(minor, 2).digest.unwrap());
    let signatures = digests.into_iter().zip(verdicts).collect();
    let (asked, plan) = asked(&known, &policy(GateMode::Hold), requirement, &signatures, &FoundHolds::new());
    match (asked, &plan.verdict, &plan.signatures) {
        (Some(Ask::Choice(_, Hold::Unsigned { images, listed })), ..) => {
            format!("{} of {listed} hold", images.len())
        }
        (None, Planned::Unknown { .. }, _) if plan.reconciliations().next().is_none() => "unknown".to_owned(),
        (None, Planned::Update { .. }, Signed::Checked(checked)) => {
            format!("{} told", checked.faults().len())
        }
        (None, Planned::Update { .. }, Signed::NotAsked(_)) => "not asked".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_signatures_do_to_a_plan() {
    let unsigned = || Verdict::Unsigned;
    let bad = || Verdict::Bad(vec![Rejection::BlobMissing(Digest::of(b"x"))]);
    let unknown = || Verdict::Unknown { reason: "503".to_owned() };
    for (verdicts, required, warned) in [
        ([unsigned(), unsigned()], "2 of 2 hold", "2 told"),
        ([bad(), bad()], "2 of 2 hold", "2 told"),
        ([unsigned(), unknown()], "1 of 2 hold", "2 told"),
        ([unknown(), bad()], "1 of 2 hold", "2 told"),
        ([unknown(), unknown()], "unknown", "2 told"),
    ] {
        assert_eq!(signed(&Requirement::Required(keys()), verdicts.clone()), required, "{verdicts:?}");
        assert_eq!(signed(&Requirement::Warned(keys()), verdicts.clone()), warned, "{verdicts:?}");
        assert_eq!(signed(&unasked(), verdicts), "not asked");
    }
}
