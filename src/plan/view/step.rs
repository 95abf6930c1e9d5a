//! What becomes of the release of one producer of the files.

use super::{Completeness, Planned, ReleaseView, ToView};
use crate::plan::signed::{Checked, Signed};
use crate::release::Version;
use crate::release::policy::UpdateType;
use crate::release::selection::SelectionVerdict;

/// What becomes of the release of one producer.
#[derive(Debug, Clone)]
pub struct StepView {
    /// How people call it; empty where nothing says.
    pub producer: String,
    /// The version that the files name.
    pub from: Version,
    /// The version that they will name.
    pub to: Version,
    /// What is planned.
    pub verdict: Planned,
    /// What became of each release, newest first.
    pub releases: Vec<ReleaseView>,
    /// What is known of the images of the release that the files will name; `None` where it was not read.
    pub completeness: Option<Completeness>,
    /// The signatures of the images that the files will list.
    pub signatures: Signed,
}

impl StepView {
    pub(super) fn new(ToView { producer, plan, known, .. }: &ToView<'_>) -> Self {
        let to = plan.to();
        Self {
            producer: (*producer).to_owned(),
            from: plan.from.clone(),
            to: to.clone(),
            verdict: plan.verdict.clone(),
            releases: plan.choice.verdicts.iter().map(|told| ReleaseView::new(told, known)).collect(),
            completeness: known.releases.get(to).map(|release| Completeness::of(release, known)),
            signatures: plan.signatures.clone(),
        }
    }

    /// Whether it changes any file.
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

    /// Newer releases that are held, and those on the way that are passed over; older ones are no news.
    pub fn other_releases(&self) -> impl Iterator<Item = &ReleaseView> {
        let is_other = |told: &&ReleaseView| told.version > self.from && told.version != self.to;
        self.releases.iter().filter(is_other).filter(|told| told.is_news())
    }

    /// Images whose signature is not verified, worst first, a sentence each.
    pub fn signature_faults(&self) -> impl Iterator<Item = String> {
        let faults = self.signatures.checked().into_iter().flat_map(Checked::faults);
        faults.map(|(key, verdict)| format!("{key} is {verdict}"))
    }

    /// Why it stays where it is although there is something newer.
    pub(super) fn behind(&self) -> Option<String> {
        match &self.verdict {
            Planned::Held { gate, reason } => {
                Some(format!("{} stays at {}: held ({gate}): {reason}", self.producer, self.from))
            }
            _ => None,
        }
    }

    /// What a reviewer should know of the release: what is not known, rules that did not decide, signatures that are not
    /// verified.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        let unknown = self.completeness.iter().filter_map(Completeness::doubt);
        let overridden =
            self.releases.iter().filter(|told| matches!(told.verdict, SelectionVerdict::Despite(_)));
        let overridden = overridden.map(|told| format!("{} is {}", told.version, told.verdict));
        unknown.chain(overridden).chain(self.signature_faults())
    }
}
