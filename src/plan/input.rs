//! What a plan is made of, beside what is looked up.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Current, Survey};
use crate::budget::Budget;
use crate::check::Severities;
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::reconcile::values_from::ValuesFrom;
use crate::reconcile::{DefaultEnabled, Images};
use crate::release::data::{FoundHolds, SelectionQuery};
use crate::release::policy::Policy;
use crate::release::{ImageKey, Naming, Version};
use crate::signature::Requirement;

/// What a plan is made of, beside what is looked up.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// What the files say.
    pub survey: &'a Survey,
    /// The update policy.
    pub policy: &'a Policy,
    /// Which keys the mapping lists.
    pub images: Images,
    /// What becomes of `default_enabled` where something newer comes in.
    pub default_enabled: DefaultEnabled,
    /// Which Kubernetes versions elsewhere in the files follow the images.
    pub kubernetes_versions: &'a KubernetesVersions,
    /// Which values follow the Kubernetes versions of the images by lists of others.
    pub values_from: &'a [ValuesFrom],
    /// How names are read.
    pub naming: &'a Naming,
    /// A person's own choice of the release, which ends a pin.
    pub to: Option<&'a Version>,
    /// What is required of signatures.
    pub signatures: &'a Requirement,
    /// How severe each kind of finding is that `check` has.
    pub severities: &'a Severities,
    /// How much work may be done on what the files say.
    pub budget: &'a Budget,
    /// When the plan is made.
    pub now: Timestamp,
}

impl<'a> PlanInput<'a> {
    /// Whether the files are pinned to what is no release, and nobody ends that.
    pub fn is_pinned(&self) -> bool {
        matches!(self.survey.current, Current::Pinned(_)) && self.to.is_none()
    }

    /// What is asked of the releases. `found` is what planning found against them.
    pub fn query(&self, listed: &'a BTreeSet<ImageKey>, found: &'a FoundHolds) -> SelectionQuery<'a> {
        let current = match &self.survey.current {
            Current::Release(version) => Some(version),
            Current::Pinned(_) => None,
        };
        let Self { policy, to, naming, now, .. } = *self;
        let requires_signatures = matches!(self.signatures, Requirement::Required(_));
        SelectionQuery { policy, current, to, listed, naming, found, requires_signatures, now }
    }
}
