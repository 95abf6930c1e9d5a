//! OS releases that change with a plan, and whether the policy leaves room for such a change.

use std::collections::HashSet;

use super::Plan;
use crate::reconcile::OsChange;
use crate::release::policy::{Policy, UpdateType};

impl Plan {
    /// The families whose OS release changes, each once.
    pub fn os_changes(&self) -> Vec<&OsChange> {
        let mut told = HashSet::new();
        let all = self.files.iter().flat_map(|file| &file.reconciliation.os_changes);
        all.filter(|change| told.insert((&change.family, &change.from, &change.to))).collect()
    }

    /// Whether an OS release changes though the range leaves room for patches only: a person decides.
    pub fn has_unexpected_os_change(&self, policy: &Policy) -> bool {
        let is_patch = UpdateType::between(&self.from, self.to()) == UpdateType::Patch;
        is_patch && policy.range_ends_with_minor(self.to()) && !self.os_changes().is_empty()
    }
}
