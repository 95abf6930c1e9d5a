//! A plan as it is told: what the reports and the merge request's text say of it, decided once. They add words and
//! layout, and keep no plan: a view holds what is shown, and shares the texts of the files.

mod completeness;
mod keys;
mod releases;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use completeness::{Completeness, SeriesCount};
pub use keys::{FileView, KeyAction, KeyView, NamedImage, ReplacedImage};
pub use releases::ReleaseView;

use super::findings::Findings;
use super::signed::{Checked, Signed};
use super::{Plan, Planned, ReferenceFiles};
use crate::reconcile::OsChange;
use crate::reconcile::kubernetes_versions::SetVersion;
use crate::release::data::ReleaseData;
use crate::release::policy::{Policy, UpdateType};
use crate::release::selection::SelectionVerdict;
use crate::release::{Artifact, Naming, Version};

/// A plan as it is told.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// The version that the files name.
    pub from: Version,
    /// The version that they will name.
    pub to: Version,
    /// What is planned.
    pub verdict: Planned,
    /// What became of each release, newest first.
    pub releases: Vec<ReleaseView>,
    /// The files, primary first, changed or not; empty when nothing was planned.
    pub files: Vec<FileView>,
    /// Other files that name image keys.
    pub references: ReferenceFiles,
    /// What is known of the images of the release that the files will name; `None` where it was not read.
    pub completeness: Option<Completeness>,
    /// The signatures of the images that the files will list.
    pub signatures: Signed,
    /// What the update does to the findings of `check`.
    pub findings: Findings,
    /// The families whose OS release changes, each once.
    pub os_changes: Vec<OsChange>,
    /// Images in use that get another content, or may.
    pub replaced: Vec<ReplacedImage>,
    /// The artifacts that the files will list.
    pub listed: Vec<Artifact>,
    /// What a person must decide before it may be merged; none of it for a plan that changes nothing.
    pub to_judge: ToJudge,
}

/// What a person must decide before an update may be merged: then it is a draft.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ToJudge {
    /// It adds errors to the findings of `check`.
    pub errors: bool,
    /// The release is incomplete, and the waiting period for the rest is over.
    pub incomplete: bool,
    /// An OS release changes though the range leaves room for patches only.
    pub os_release: bool,
}

impl ToJudge {
    /// Whether there is something.
    pub fn any(self) -> bool {
        self.errors || self.incomplete || self.os_release
    }
}

impl PlanView {
    /// The view of a plan that was made from what is known.
    pub fn new(plan: &Plan, known: &ReleaseData, naming: &Naming, policy: &Policy) -> Self {
        let keys = keys::PlannedKeys { plan, known, naming };
        let to_judge = ToJudge {
            errors: plan.has_errors_to_judge(policy.on_new_findings),
            incomplete: plan.choice.overdue().is_some(),
            os_release: plan.has_unexpected_os_change(policy),
        };
        Self {
            from: plan.from.clone(),
            to: plan.to().clone(),
            verdict: plan.verdict.clone(),
            releases: plan.choice.verdicts.iter().map(|told| ReleaseView::new(told, known)).collect(),
            files: plan.files.iter().map(|file| keys.file(file)).collect(),
            references: plan.references.clone(),
            completeness: known.releases.get(plan.to()).map(|release| Completeness::of(release, known)),
            signatures: plan.signatures.clone(),
            findings: plan.findings.clone(),
            os_changes: plan.os_changes().into_iter().cloned().collect(),
            replaced: keys.replaced(),
            listed: keys.listed(),
            to_judge: if plan.is_change() { to_judge } else { ToJudge::default() },
        }
    }

    /// Whether any file changes.
    pub fn is_change(&self) -> bool {
        self.verdict.is_change()
    }

    /// `major`, `minor`, `patch`, or `align` where the release stays.
    pub fn update_type(&self) -> String {
        match self.verdict {
            Planned::Align { .. } => "align".to_owned(),
            _ => UpdateType::between(&self.from, &self.to).to_string(),
        }
    }

    /// How many keys of all files get this action.
    pub fn count(&self, action: KeyAction) -> usize {
        self.files.iter().map(|file| file.with(action).count()).sum()
    }

    /// The files that change, each with its text before and after.
    pub fn changes(&self) -> impl Iterator<Item = (&str, (&Arc<str>, &Arc<str>))> {
        let own = self.files.iter().filter(|file| file.before != file.after);
        let own = own.map(|file| (file.path.as_str(), (&file.before, &file.after)));
        own.chain(self.references.changes())
    }

    /// Images whose signature is not verified, worst first, a sentence each.
    pub fn signature_faults(&self) -> impl Iterator<Item = String> {
        let faults = self.signatures.checked().into_iter().flat_map(Checked::faults);
        faults.map(|(key, verdict)| format!("{key} is {verdict}"))
    }

    /// What a reviewer should know, a sentence each: keys in use that go, what is not known, rules that did not decide,
    /// signatures that are not verified, notes about files.
    pub fn warnings(&self) -> Vec<String> {
        let removed = self.files.iter().flat_map(|file| file.with(KeyAction::Remove));
        let removed = removed.filter(|key| key.in_use).filter_map(|key| {
            Some(format!("{} is enabled in this file and will be removed", key.from.as_ref()?.key))
        });
        let unknown = self.completeness.iter().filter_map(Completeness::doubt);
        let overridden =
            self.releases.iter().filter(|told| matches!(told.verdict, SelectionVerdict::Despite(_)));
        let overridden = overridden.map(|told| format!("{} is {}", told.version, told.verdict));
        let notes = self.files.iter().flat_map(|file| file.notes.iter().cloned());
        let told = removed.chain(unknown).chain(overridden).chain(self.signature_faults()).chain(notes);
        told.chain(self.references.notes()).collect()
    }

    /// Newer releases that are held, and those on the way that are passed over; older ones are no news.
    pub fn other_releases(&self) -> impl Iterator<Item = &ReleaseView> {
        self.releases
            .iter()
            .filter(|told| told.version > self.from && told.version != self.to && told.is_news())
    }

    /// Kubernetes versions in any file that become those of the images.
    pub fn kubernetes_versions(&self) -> impl Iterator<Item = &SetVersion> {
        let own = self.files.iter().flat_map(|file| &file.kubernetes_versions);
        own.chain(self.references.files.iter().flat_map(|file| &file.kubernetes_versions))
    }

    /// How many names of image keys outside of the mappings get a new one, by file.
    pub fn followed(&self) -> BTreeMap<&str, usize> {
        let own = self.files.iter().map(|file| (file.path.as_str(), &file.references));
        let others = self.references.files.iter().map(|file| (file.path.as_str(), &file.references));
        let counts = own.chain(others).map(|(path, references)| (path, references.followed.len()));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;
