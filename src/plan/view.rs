//! A plan as it is told: what the reports and the merge request's text say of it, decided once. They add words and
//! layout, and keep no plan: a view holds what is shown, and shares the texts of the files.

mod completeness;
mod keys;
mod releases;
mod step;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use completeness::{Completeness, SeriesCount};
pub use keys::{FileView, KeyAction, KeyView, NamedImage, ReplacedImage};
pub use releases::ReleaseView;
pub use step::StepView;

use super::findings::Findings;
use super::{Plan, Planned, ReferenceFiles};
use crate::reconcile::OsChange;
use crate::reconcile::kubernetes_versions::SetVersion;
use crate::release::data::ReleaseData;
use crate::release::policy::Policy;
use crate::release::{Artifact, Naming};

/// A plan as it is told.
#[derive(Debug, Clone)]
pub struct PlanView {
    /// What becomes of the release of each producer of the files, in their order; there is one at least.
    pub steps: Vec<StepView>,
    /// The files, primary first, changed or not; empty when nothing was planned.
    pub files: Vec<FileView>,
    /// Other files that name image keys.
    pub references: ReferenceFiles,
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

/// The plan of one producer, to be told with those of the others.
#[derive(Debug, Clone, Copy)]
pub struct ToView<'a> {
    /// How people call the producer; empty where nothing says.
    pub producer: &'a str,
    /// Its plan.
    pub plan: &'a Plan,
    /// What that was made from.
    pub known: &'a ReleaseData,
    /// How its names are read.
    pub naming: &'a Naming,
    /// Its update policy.
    pub policy: &'a Policy,
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
    /// The view of the plans of all producers of the files.
    pub fn new(plans: &[ToView<'_>]) -> Self {
        let mut view = Self {
            steps: plans.iter().map(StepView::new).collect(),
            files: Vec::new(),
            references: ReferenceFiles::default(),
            findings: Findings::default(),
            os_changes: Vec::new(),
            replaced: Vec::new(),
            listed: Vec::new(),
            to_judge: ToJudge::default(),
        };
        plans.iter().for_each(|plan| view.add(*plan));
        view
    }

    /// Adds what the plan of one producer does to the files.
    fn add(&mut self, ToView { plan, known, naming, policy, .. }: ToView<'_>) {
        let keys = keys::PlannedKeys { plan, known, naming };
        for (place, file) in plan.files.iter().map(|file| keys.file(file)).enumerate() {
            match self.files.get_mut(place) {
                Some(known) => known.extend(file),
                None => self.files.push(file),
            }
        }
        self.references.extend(plan.references.clone());
        self.findings.extend(plan.findings.clone());
        self.os_changes.extend(plan.os_changes().into_iter().cloned());
        self.replaced.extend(keys.replaced());
        self.listed.extend(keys.listed());
        if plan.is_change() {
            self.to_judge.errors |= plan.has_errors_to_judge(policy.on_new_findings);
            self.to_judge.incomplete |= plan.choice.overdue().is_some();
            self.to_judge.os_release |= plan.has_unexpected_os_change(policy);
        }
    }

    /// Whether any file changes.
    pub fn is_change(&self) -> bool {
        self.steps.iter().any(StepView::is_change)
    }

    /// The step that speaks for all: the first that changes something, else the first that is held or unknown.
    pub fn lead(&self) -> &StepView {
        let weight = |step: &&StepView| match step.verdict {
            Planned::Update { .. } => 0,
            Planned::Align { .. } => 1,
            Planned::Unknown { .. } => 2,
            Planned::Held { .. } => 3,
            Planned::UpToDate => 4,
        };
        self.steps.iter().min_by_key(weight).unwrap_or(&self.steps[0])
    }

    /// The steps that change something.
    pub fn changing(&self) -> impl Iterator<Item = &StepView> {
        self.steps.iter().filter(|step| step.is_change())
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

    /// What a reviewer should know, a sentence each: producers that stay behind, keys in use that go, what is not known,
    /// rules that did not decide, signatures that are not verified, notes about files.
    pub fn warnings(&self) -> Vec<String> {
        let removed = self.files.iter().flat_map(|file| file.with(KeyAction::Remove));
        let removed = removed.filter(|key| key.in_use).filter_map(|key| {
            Some(format!("{} is enabled in this file and will be removed", key.from.as_ref()?.key))
        });
        let behind = self.steps.iter().filter(|_| self.is_change()).filter_map(StepView::behind);
        let steps = self.steps.iter().flat_map(StepView::warnings);
        let notes = self.files.iter().flat_map(|file| file.notes.iter().cloned());
        behind.chain(removed).chain(steps).chain(notes).chain(self.references.notes()).collect()
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
