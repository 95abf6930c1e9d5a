//! Views to render, and what a view says of a release.

use std::sync::Arc;

use super::*;
use crate::check::{Finding, FindingPlace, FindingsDifference, Id, Severity};
use crate::plan::references::{NotFollowed, ReferenceFile};
use crate::plan::signed::{Checked, Signed};
use crate::reconcile::kubernetes_versions::SetVersion;
use crate::reconcile::references::{Followed, References};
use crate::reconcile::{Because, Images};
use crate::release::data::Candidate;
use crate::release::hold::Hold;
use crate::release::selection::SelectionVerdict;
use crate::release::{Coverage, Digest, Facets, ImageKey, K8sMinor, Release, Version};
use crate::signature::Verdict as SignatureVerdict;
use crate::values::{KeyPath, Position};

pub(crate) const AT: Position = Position { line: 3, column: 1 };

/// A key and what its name says.
pub(crate) fn image(key: &str) -> Option<NamedImage> {
    Some(NamedImage { key: key.to_owned(), facets: Facets::from_name(key) })
}

/// A key that stays or gets another name.
pub(crate) fn moved(from: &str, to: &str) -> KeyView {
    let action = if from == to { KeyAction::Keep } else { KeyAction::Rename };
    KeyView { action, from: image(from), to: image(to), why: None, in_use: false, at: Some(AT) }
}

/// An update from 0.4.11 to 0.4.12 of one file with these keys.
pub(crate) fn update(keys: Vec<KeyView>) -> PlanView {
    let to: Version = "0.4.12".parse().unwrap();
    PlanView {
        steps: vec![StepView {
            producer: "diskimage-builder".into(),
            from: "0.4.11".parse().unwrap(),
            to: to.clone(),
            verdict: Planned::Update { to: to.clone() },
            releases: vec![],
            completeness: Some(Completeness {
                version: to.clone(),
                coverage: Coverage::Complete,
                images: 19,
                series: Some(SeriesCount { previous: "0.4.11".parse().unwrap(), present: 18, expected: 18 }),
                missing: vec![],
            }),
            signatures: Signed::NotAsked(Some("no public key is known".into())),
        }],
        files: vec![FileView {
            path: "charts/units/values.yaml".into(),
            before: Arc::from("before\n"),
            after: Arc::from("after\n"),
            policy: Images::Follow,
            because: Because::LeavesOut { missing: 3, artifacts: 22, version: to },
            keys,
            dead: vec![],
            suggested: vec![],
            foreign: vec![],
            templates: vec![],
            references: References::default(),
            os_changes: vec![],
            moved_defaults: vec![],
            kubernetes_versions: vec![],
            kubernetes_lines: vec![],
            values: vec![],
            notes: vec![],
        }],
        references: ReferenceFiles::default(),
        findings: Findings::default(),
        os_changes: vec![],
        replaced: vec![],
        listed: vec![],
        to_judge: ToJudge::default(),
    }
}

/// An update in which everything that comes from outside is `text`, which also is in use, unsigned and held.
pub(crate) fn hostile(text: &str) -> PlanView {
    let some = || {
        Some(NamedImage { key: text.to_owned(), facets: Facets::from_name("ubuntu-noble-plain-rke2-1-31-7") })
    };
    let key = |action, from, to| KeyView { action, from, to, why: Some(text.into()), in_use: true, at: None };
    let finding = |severity| Finding {
        id: Id::UnknownImageKey,
        severity,
        place: FindingPlace { path: text.into(), key: KeyPath::default(), at: AT, length: 1 },
        message: text.into(),
        help: Some(text.into()),
        subject: text.into(),
        fix: None,
    };
    let set = SetVersion {
        minor: K8sMinor(1, 31),
        k8s_flavor: text.into(),
        from: text.into(),
        to: text.into(),
        at: AT,
    };
    let followed = Followed { from: text.into(), to: text.into(), at: AT };
    let references = References { followed: vec![followed], ..References::default() };
    let mut view = update(vec![
        key(KeyAction::Keep, some(), some()),
        key(KeyAction::Rename, some(), some()),
        key(KeyAction::Add, None, some()),
        key(KeyAction::Remove, Some(NamedImage { key: text.into(), facets: None }), None),
    ]);
    let file = &mut view.files[0];
    (file.path, file.suggested, file.notes) = (text.into(), vec![text.into()], vec![text.into()]);
    file.because = Because::NotRead { version: view.steps[0].to.clone(), reason: text.into() };
    (file.references, file.kubernetes_versions) = (references.clone(), vec![set]);
    view.references.files = vec![ReferenceFile {
        path: text.into(),
        before: Arc::from(""),
        after: Arc::from(""),
        references,
        kubernetes_versions: vec![],
        notes: vec![text.into()],
    }];
    view.references.not_followed = vec![(text.into(), NotFollowed::OwnVersion(AT))];
    let step = &mut view.steps[0];
    step.producer = text.into();
    step.releases = vec![ReleaseView {
        version: "0.5.0".parse().unwrap(),
        verdict: SelectionVerdict::Held(Hold::NewFindings { errors: vec![text.into()] }),
        coverage: None,
        artifacts: None,
    }];
    let completeness = step.completeness.as_mut().unwrap();
    (completeness.missing, completeness.coverage) =
        (vec![text.into()], Coverage::Partial { reason: text.into() });
    let name: ImageKey = "ubuntu-noble-plain-rke2-1-31-8".parse().unwrap();
    let mut artifact = Artifact::named(name.clone(), &Naming::default());
    (artifact.digest, artifact.size) = (Some(Digest::of(text.as_bytes())), Some(1));
    let unknown = SignatureVerdict::Unknown { reason: text.into() };
    step.signatures = Signed::Checked(Checked { verdicts: [(name, unknown)].into() });
    view.listed = vec![artifact];
    view.findings = Findings {
        difference: FindingsDifference {
            new: vec![finding(Severity::Error), finding(Severity::Warn)],
            resolved: vec![finding(Severity::Error)],
        },
        not_checked: vec![text.into()],
    };
    view.replaced = vec![ReplacedImage { from: text.into(), to: format!("{text}2") }];
    view
}

fn release(version: &str, names: &[&str]) -> Release {
    let artifact = |name: &&str| Artifact::named(name.parse().unwrap(), &Naming::default());
    Release::complete(version.parse().unwrap(), names.iter().map(artifact))
}

#[test]
fn a_release_is_compared_with_the_series_of_the_one_before() {
    let before = release(
        "0.4.11",
        &[
            "ubuntu-noble-plain-rke2-1-30-1",
            "ubuntu-noble-plain-rke2-1-29-1",
            "opensuse-15-6-plain-rke2-1-30-1",
        ],
    );
    for (names, present, expected, missing) in [
        // A minor that left with every family is no loss.
        (&["ubuntu-noble-plain-rke2-1-30-2", "opensuse-15-6-plain-rke2-1-30-2"][..], 2, 2, &[][..]),
        (&["ubuntu-noble-plain-rke2-1-30-2"], 1, 2, &["opensuse plain rke2"]),
        (
            &["ubuntu-noble-plain-rke2-1-29-2", "opensuse-15-6-plain-rke2-1-30-2"],
            2,
            3,
            &["ubuntu plain rke2 1.30"],
        ),
    ] {
        let now = release("0.4.12", names);
        let releases = [&before, &now].map(|release| (release.version.clone(), release.clone()));
        let candidate =
            |version: &Version| Candidate { version: version.clone(), released_at: None, first_seen: None };
        let candidates =
            [&before, &now].map(|release| (release.version.clone(), candidate(&release.version)));
        let known = ReleaseData {
            candidates: candidates.into(),
            releases: releases.into(),
            ..ReleaseData::default()
        };
        let told = Completeness::of(&now, &known);
        let series = told.series.clone().unwrap();
        assert_eq!((series.present, series.expected), (present, expected), "{names:?}");
        assert_eq!(told.missing, missing, "{names:?}");
        assert_eq!(told.is_complete(), missing.is_empty());
    }
}
