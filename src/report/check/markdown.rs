//! A check as Markdown, for a comment or a job's summary. Whatever comes from a file is inert.

use super::{Checked, spot, summary};
use crate::check::{Finding, Severity};
use crate::markdown;

/// The report.
pub fn report(checked: &Checked<'_>) -> String {
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
        format!("- {place}: `{}` was not judged: {why}\n", skipped.id)
    });
    let fixed = checked.fixed.iter().map(|fixed| {
        format!("- fixed {}: {}\n", markdown::code(&spot(&fixed.place)), spans(&fixed.description))
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
    let help = finding.help.as_ref().map(|help| format!("; {}", spans(help))).unwrap_or_default();
    let place = markdown::code(&spot(&finding.place));
    format!("| {mark} `{}` | {place} | {}{help} |\n", finding.id, spans(&finding.message))
}

/// Text of ours with names between backticks: those become code spans, the rest is escaped.
fn spans(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let part = |(i, part): (usize, &str)| match (i % 2, part) {
        (_, "") => String::new(),
        (1, part) => markdown::code(part),
        (_, part) => padded(part),
    };
    parts.map(part).collect()
}

/// Inert text keeps no blanks at its ends, and those part it from the code beside it.
fn padded(part: &str) -> String {
    let blank = |there: bool| if there { " " } else { "" };
    let text = markdown::inline(part);
    let both = text.is_empty() && part.contains(' ');
    format!("{}{text}{}", blank(part.starts_with(' ')), blank(part.ends_with(' ') && !both))
}
