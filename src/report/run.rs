//! A run as a person reads it: for each target branch what changes and how it ended; the last lines count the outcomes.

use std::collections::BTreeMap;

use anstyle::Style;

use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, plan, printable};
use crate::merge_request::Outcome;
use crate::run::Report;

/// The whole report, for a terminal of this width.
pub fn text(reports: &[Report], width: Option<usize>) -> String {
    let mut text: String = reports.iter().map(|report| one(report, width)).collect();
    text.push_str(&counts(reports.iter().map(|report| &report.outcome)));
    text
}

/// One target branch. A project that nobody named and that has nothing for us is one line.
pub fn one(report: &Report, width: Option<usize>) -> String {
    let heading = format!("{} {} ({})", report.project, report.branch, report.producer);
    let mut text = format!("{}\n", paint(BOLD, printable(&heading)));
    if report.found && matches!(report.outcome, Outcome::NoTarget(_)) {
        return format!("{} {}\n\n", paint(DIM, printable(&heading)), printable(&report.outcome.to_string()));
    }
    if let Some(plan) = &report.plan {
        text.push_str(&plan::text(plan, width));
    }
    let outcome = paint(style(&report.outcome), printable(&report.outcome.to_string()));
    text.push_str(&format!("→ {outcome}"));
    if let Some((number, url)) = &report.merge_request {
        text.push_str(&format!("  {}", paint(CYAN, printable(&format!("!{number} {url}")))));
    }
    text.push('\n');
    if let Some(note) = &report.note {
        text.push_str(&format!("  {} {}\n", paint(YELLOW, "note:"), printable(note)));
    }
    text.push('\n');
    text
}

/// How many target branches ended in each outcome.
pub fn counts<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let (mut counts, mut all): (BTreeMap<String, usize>, usize) = Default::default();
    for outcome in outcomes {
        *counts.entry(outcome.words()).or_default() += 1;
        all += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let plural = if all == 1 { "branch" } else { "branches" };
    format!("{}\n", paint(DIM, format!("{all} target {plural}: {}", counts.join(", "))))
}

fn style(outcome: &Outcome) -> Style {
    match outcome {
        outcome if outcome.ending().is_some() => RED,
        Outcome::Held(_) | Outcome::EditedByOthers | Outcome::ClosedByOthers | Outcome::Limited => YELLOW,
        _ => GREEN,
    }
}
