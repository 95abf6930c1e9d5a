//! A check for programs. The shape is `config/check.schema.json`; a change of it changes the number in `schema`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{CheckedFiles, fingerprints, shown_path};
use crate::check::{Finding, FindingPlace, Severity};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.check/1";

/// What a check found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump check")]
pub struct CheckReport {
    /// `dibump.check/1`.
    pub schema: &'static str,
    /// `clean`, `warnings`, `errors`, or `unknown` where no error was found and something could not be told.
    pub outcome: &'static str,
    /// What was found, by file, line and column.
    pub findings: Vec<FindingRow>,
    /// Findings that a comment ignores.
    pub ignored: Vec<IgnoredRow>,
    /// Why something could not be told. Nothing is claimed of it; a retry may help.
    pub unknown: Vec<String>,
    /// What was not looked at.
    pub skipped: Vec<SkippedRow>,
    /// What `--fix` put right; it is not among the findings any more.
    pub fixed: Vec<FixedRow>,
}

/// One finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingRow {
    /// Its kind, as in `dead-key`.
    pub id: &'static str,
    /// `error` or `warn`.
    pub severity: &'static str,
    /// Where it is.
    #[serde(flatten)]
    pub place: PlaceRow,
    /// What it speaks of, which stays the same when lines move: a key, a path, a version.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// What a person may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What `--fix` would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The same for the same finding when lines move.
    pub fingerprint: String,
}

/// A place in a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlaceRow {
    /// The file.
    pub path: String,
    /// The keys from the top of the file down to it, joined by dots; empty for a comment.
    pub key: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The column after the last character.
    pub end_column: usize,
}

/// A finding that a comment ignores.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IgnoredRow {
    /// The finding.
    #[serde(flatten)]
    pub finding: FindingRow,
    /// The comment's reason.
    pub reason: String,
}

/// Something that was not looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SkippedRow {
    /// What would have been looked for.
    pub id: &'static str,
    /// Where it is.
    #[serde(flatten)]
    pub place: PlaceRow,
    /// Why not.
    pub why: String,
}

/// Something that was put right.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FixedRow {
    /// Where it was.
    #[serde(flatten)]
    pub place: PlaceRow,
    /// What was done.
    pub description: String,
}

/// The JSON form of a check.
pub fn report(checked: &CheckedFiles<'_>) -> CheckReport {
    let report = checked.report;
    let ignored: Vec<Finding> = report.ignored.iter().map(|ignored| ignored.finding.clone()).collect();
    let reasons = report.ignored.iter().map(|ignored| ignored.reason.clone());
    let skipped = report.skipped.iter().map(|skipped| SkippedRow {
        id: skipped.id.as_str(),
        place: place(&skipped.place),
        why: skipped.why.clone(),
    });
    let fixed = checked
        .fixed
        .iter()
        .map(|fixed| FixedRow { place: place(&fixed.place), description: fixed.description.clone() });
    CheckReport {
        schema: SCHEMA,
        outcome: match report.findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Error) => "errors",
            _ if !report.unknown.is_empty() => "unknown",
            Some(Severity::Warn) => "warnings",
            None => "clean",
        },
        findings: rows(&report.findings),
        ignored: rows(&ignored)
            .into_iter()
            .zip(reasons)
            .map(|(finding, reason)| IgnoredRow { finding, reason })
            .collect(),
        unknown: report.unknown.clone(),
        skipped: skipped.collect(),
        fixed: fixed.collect(),
    }
}

/// The findings of one report.
pub(in crate::report) fn rows(findings: &[Finding]) -> Vec<FindingRow> {
    findings.iter().zip(fingerprints(findings)).map(|(finding, print)| row(finding, print)).collect()
}

fn row(finding: &Finding, fingerprint: String) -> FindingRow {
    FindingRow {
        id: finding.id.as_str(),
        severity: match finding.severity {
            Severity::Error => "error",
            Severity::Warn => "warn",
        },
        place: place(&finding.place),
        subject: finding.subject.clone(),
        message: finding.message.clone(),
        help: finding.help.clone(),
        fix: finding.fix.as_ref().map(|fix| fix.description.clone()),
        fingerprint,
    }
}

fn place(place: &FindingPlace) -> PlaceRow {
    PlaceRow {
        path: shown_path(&place.path).to_owned(),
        key: place.key.to_string(),
        line: place.at.line,
        column: place.at.column,
        end_column: place.at.column + place.length,
    }
}
