//! The plan of one producer while those of the others are at hand: what follows and judges needs all of them.

use super::kubernetes_versions::Listing;
use super::{Plan, PlanInput};
use crate::reconcile::{Ownership, Reconciliation};
use crate::release::data::ReleaseData;

/// The plan of one producer, and what it was made of.
pub(super) struct Written<'a> {
    pub(super) input: PlanInput<'a>,
    pub(super) known: &'a ReleaseData,
    pub(super) plan: Plan,
}

impl Written<'_> {
    /// The images that the files list of the producer.
    pub(super) fn listing(&self) -> Listing<'_, impl Iterator<Item = &Reconciliation> + Clone> {
        let Self { input, known, plan } = self;
        Listing::new(input, known, &plan.from, plan.files.iter().map(|file| &file.reconciliation))
    }

    /// Whose the entries are.
    pub(super) fn settled_ownership(&self) -> Ownership {
        let survey = self.input.survey;
        survey.ownership.settled_by(&survey.primary.mapping)
    }
}
