//! What becomes of the keys of one producer, with what it was decided by.

use super::kubernetes_versions::Listing;
use super::schema;
use super::{KeyPlan, PlanInput};
use crate::reconcile::Reconciliation;
use crate::release::data::ReleaseData;

/// What becomes of the keys of one producer, and by what that was decided.
#[derive(Debug)]
pub struct Decided<'a> {
    /// What it was decided by.
    pub input: PlanInput<'a>,
    /// What is known of the producer's releases.
    pub known: &'a ReleaseData,
    /// What becomes of its keys.
    pub keys: KeyPlan,
}

impl Decided<'_> {
    /// The schema files that have a say: beside each file that gets new keys.
    pub fn schemas(&self) -> Vec<String> {
        let files = self.input.survey.files().zip(&self.keys.files);
        let gets_keys = files.filter(|(_, keys)| self.keys.is_change() && keys.adds_keys());
        gets_keys.map(|(file, _)| schema::path_of(&file.path)).collect()
    }

    /// The images that the files list of the producer.
    pub(super) fn listing(&self) -> Listing<'_, impl Iterator<Item = &Reconciliation> + Clone> {
        let Self { input, known, keys } = self;
        Listing::new(input, known, &keys.from, keys.reconciliations())
    }
}
