//! What an update does to the findings of `check`, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::findings::Findings;
use crate::report::check::json::{FindingRow, rows};

/// What `dibump check` says of the planned files, beside what it says of them as they are.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingsReport {
    /// What the update adds; places are those of the planned files.
    pub new: Vec<FindingRow>,
    /// What the update resolves; places are those of the files as they are.
    pub resolved: Vec<FindingRow>,
    /// What could not be judged, a sentence each.
    pub not_checked: Vec<String>,
}

pub(super) fn report(findings: &Findings) -> FindingsReport {
    FindingsReport {
        new: rows(&findings.difference.new),
        resolved: rows(&findings.difference.resolved),
        not_checked: findings.not_checked.clone(),
    }
}
