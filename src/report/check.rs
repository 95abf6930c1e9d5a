//! What a check found, for people: each finding with its line of the file. The other forms are below.

pub mod code_quality;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;

use std::collections::BTreeMap;

use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, printable};
use crate::check::{Finding, FindingPlace, Report, Severity};
use crate::release::{Digest, counted};

/// So many characters of a line are shown.
const WIDTH: usize = 110;
/// So many of them before the place that is meant, at most.
const BEFORE: usize = 60;
/// Longer lines, in bytes, are not shown: each finding would count its characters.
const LONGEST: usize = 16 * 1024;

/// What is reported.
#[derive(Debug, Clone, Copy)]
pub struct CheckedFiles<'a> {
    /// What was found, after fixes.
    pub report: &'a Report,
    /// What was fixed.
    pub fixed: &'a [Fixed],
    /// The texts of the files, by path.
    pub texts: &'a BTreeMap<String, String>,
}

/// A finding that was put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// Where it was, before the fix.
    pub place: FindingPlace,
    /// What was done.
    pub description: String,
}

/// Findings with their lines, what could not be told, and the count.
pub fn text(checked: &CheckedFiles<'_>) -> String {
    let CheckedFiles { report, fixed, .. } = checked;
    let fixed = fixed.iter().map(|fixed| {
        let place = paint(CYAN, printable(&spot(&fixed.place)));
        format!("{} {place}: {}\n", paint(GREEN, "fixed:"), printable(&fixed.description))
    });
    let skipped = report.skipped.iter().map(|skipped| {
        let place = paint(CYAN, printable(&spot(&skipped.place)));
        let why = printable(&skipped.why);
        format!("{} {place}: {} was not checked: {why}\n", paint(DIM, "skipped:"), skipped.id)
    });
    let unknown = report.unknown.iter();
    let unknown = unknown.map(|reason| format!("{} {}\n", paint(RED, "could not tell:"), printable(reason)));
    let mut text: String = fixed.collect();
    let lines: Lines<'_> = checked.texts.iter().map(|(path, text)| (path.as_str(), lines(text))).collect();
    text.extend(report.findings.iter().map(|finding| one(finding, &lines) + "\n"));
    text.extend(skipped);
    text.extend(unknown);
    text + &summary(report) + "\n"
}

/// The lines of the files, by path.
type Lines<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn one<'t>(finding: &Finding, files: &Lines<'t>) -> String {
    let colour = match finding.severity {
        Severity::Error => RED,
        Severity::Warn => YELLOW,
    };
    let place = &finding.place;
    let number = place.at.line.to_string();
    let margin = " ".repeat(number.len());
    let bar = paint(CYAN, "|");
    let mut lines = vec![
        format!(
            "{}{}",
            paint(colour, format!("{}[{}]", finding.severity, finding.id)),
            paint(BOLD, format!(": {}", printable(&finding.message)))
        ),
        format!("{margin} {} {}", paint(CYAN, "-->"), printable(&spot(place))),
    ];
    let line = |lines: &Vec<&'t str>| lines.get(place.at.line.checked_sub(1)?).copied();
    if let Some(line) = files.get(place.path.as_str()).and_then(line).filter(|line| line.len() <= LONGEST) {
        let (shown, blanks, carets) = window(line, place);
        lines.push(format!("{margin} {bar}"));
        lines.push(format!("{} {bar} {}", paint(CYAN, number), printable(&shown)));
        lines.push(format!("{margin} {bar} {}{}", " ".repeat(blanks), paint(colour, "^".repeat(carets))));
    }
    if let Some(help) = &finding.help {
        lines.push(format!("{margin} {} {}", paint(CYAN, "= help:"), printable(help)));
    }
    if let Some(fix) = &finding.fix {
        let description = printable(&fix.description);
        lines.push(format!("{margin} {} --fix would {description}", paint(CYAN, "= fix:")));
    }
    lines.join("\n") + "\n"
}

/// The part of a line that shows the place, with a tab as one blank; how many blanks stand before the carets, and how
/// many carets there are.
fn window(line: &str, place: &FindingPlace) -> (String, usize, usize) {
    let chars: Vec<char> = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let column = place.at.column.saturating_sub(1).min(chars.len());
    let start = if chars.len() <= WIDTH { 0 } else { column.saturating_sub(BEFORE) };
    let end = chars.len().min(start + WIDTH);
    let cut = |there: bool| if there { "…" } else { "" };
    let shown: String = chars.get(start..end).unwrap_or_default().iter().collect();
    let before = cut(start > 0);
    let carets = place.length.min(end.saturating_sub(column)).max(1);
    (format!("{before}{shown}{}", cut(end < chars.len())), column - start + before.chars().count(), carets)
}

/// The lines of a text, without a byte order mark.
fn lines(text: &str) -> Vec<&str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect()
}

fn summary(report: &Report) -> String {
    let fixable = report.findings.iter().filter(|finding| finding.fix.is_some()).count();
    let counts = [(report.count(Severity::Error), "error"), (report.count(Severity::Warn), "warning")];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(*n, what));
    let mut parts: Vec<String> = counts.collect();
    if parts.is_empty() {
        let found = if report.unknown.is_empty() { "nothing found" } else { "nothing else found" };
        parts.push(found.to_owned());
    }
    let rest = [(report.ignored.len(), "ignored"), (fixable, "to fix with --fix")];
    parts.extend(rest.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    parts.join(", ")
}

fn spot(place: &FindingPlace) -> String {
    format!("{}:{}", shown_path(&place.path), place.at)
}

/// A path as reports have it: from the folder that the command ran in, with `/`.
fn shown_path(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// What tells each finding from all others and stays the same when lines move: kind, file, what it speaks of, and the
/// how many-th of its like it is.
fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let mut prints = Vec::new();
    for finding in findings {
        let key = (finding.id.as_str(), shown_path(&finding.place.path), finding.subject.as_str());
        let number = seen.entry(key).or_insert(0);
        *number += 1;
        let text = [key.0, key.1, key.2, &number.to_string()].join("\0");
        prints.push(Digest::of(text.as_bytes()).hex().to_owned());
    }
    prints
}

#[cfg(test)]
mod tests;
