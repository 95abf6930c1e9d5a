//! Values that must be those of a list of others, for the Kubernetes versions of images.

use super::notes::{Notes, PendingFinding, place};
use super::{CheckInputs, Id};
use crate::reconcile::values_from::{ValuesFrom, VersionMap};
use crate::release::K8sVersion;

/// What a list says of a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownValue {
    /// Where it says so, and where that belongs.
    pub rule: ValuesFrom,
    /// The version.
    pub version: K8sVersion,
    /// What it says.
    pub value: String,
}

/// Judges the maps of the target's own files. A file without the map says nothing of it.
pub(super) fn judge(inputs: &CheckInputs<'_>, notes: &mut Notes) {
    let files = || std::iter::once(&inputs.primary).chain(inputs.overlays);
    for KnownValue { rule, version, value } in inputs.values {
        for file in files() {
            // What cannot be read as such a map is an error of the plan.
            let Ok(Some(map)) = VersionMap::read(file.path, file.document, &rule.to) else { continue };
            let Some((span, message)) = map.misfit(version, value) else { continue };
            notes.find_once(PendingFinding {
                id: Id::ListValue,
                place: place(file.path, file.document, rule.to.clone(), span),
                subject: rule.to.to_string(),
                message: format!("`{}`: {message}", rule.to),
                help: Some(format!("name {value} for Kubernetes {version}")),
                fix: None,
            });
        }
    }
}
