//! A check as GitLab's report of code quality (`artifacts:reports:codequality`), which its merge requests show.
//!
//! Source: GitLab, "Code Quality report format": an array, no byte order mark, paths from the top of the repository.

use serde::Serialize;

use super::{CheckedFiles, fingerprints, shown_path};
use crate::check::{Finding, Severity};
use crate::markdown;

/// One finding.
#[derive(Debug, Serialize)]
pub struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
}

/// The report. What could not be told is no finding: the job's exit code says it.
pub fn report(checked: &CheckedFiles<'_>) -> Vec<Issue> {
    let findings = &checked.report.findings;
    findings.iter().zip(fingerprints(findings)).map(|(finding, print)| issue(finding, print)).collect()
}

fn issue(finding: &Finding, fingerprint: String) -> Issue {
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    Issue {
        description: markdown::title(&format!("{}{help}", finding.message)),
        check_name: finding.id.as_str(),
        fingerprint,
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warn => "minor",
        },
        location: Location {
            path: shown_path(&finding.place.path).to_owned(),
            lines: Lines { begin: finding.place.at.line },
        },
    }
}
