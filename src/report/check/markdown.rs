//! A check as Markdown, for a comment or a job's summary. Whatever comes from a file is inert.

use super::{CheckedFiles, spot, summary};
use crate::check::{Finding, Severity};
use crate::markdown;

/// The report.
pub fn report(checked: &CheckedFiles<'_>) -> String {
    let report = checked.report;
    let mut text = format!("**dibump check**: {}\n", summary(report));
    if !report.findings.is_empty() {
        text.push_str("\n| | where | what |\n|---|---|---|\n");
        text.extend(report.findings.iter().map(row));
    }
    let unknown =
        report.unknown.iter().map(|reason| format!("- could not tell: {}\n", markdown::inline(reason)));
    let skipped = report.skipped.iter().map(|skipped| {
        let (place, why) = (markdown::code(&spot(&skipped.place)), markdown::inline(&skipped.why));
        format!("- {place}: `{}` was not checked: {why}\n", skipped.id)
    });
    let fixed = checked.fixed.iter().map(|fixed| {
        format!("- fixed {}: {}\n", markdown::code(&spot(&fixed.place)), markdown::prose(&fixed.description))
    });
    let list: String = fixed.chain(unknown).chain(skipped).collect();
    if !list.is_empty() {
        text.push('\n');
    }
    text + &list
}

fn row(finding: &Finding) -> String {
    let mark = match finding.severity {
        Severity::Error => "❌",
        Severity::Warn => "⚠️",
    };
    let help = finding.help.as_ref().map(|help| format!("; {}", markdown::prose(help))).unwrap_or_default();
    let place = markdown::code(&spot(&finding.place));
    format!("| {mark} `{}` | {place} | {}{help} |\n", finding.id, markdown::prose(&finding.message))
}
