//! A run as a person reads it: for each target branch what changes and how it ended, or a line; the last
//! line counts the outcomes.

use std::collections::BTreeMap;

use anstyle::Style;
use jiff::Timestamp;

use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, plan, printable};
use crate::merge_request::Outcome;
use crate::release::counted;
use crate::run::JobReport;

/// How much is told of a target branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Everything,
    /// A line where nothing is new, everything else in full.
    News,
    /// What a person has to look at, and nothing of the rest.
    ForPeople,
    /// A line that begins with this time.
    Line(Timestamp),
}

/// One target branch, for a terminal of this width.
pub fn one(report: &JobReport, width: Option<usize>, detail: Detail) -> String {
    let outcome = &report.outcome;
    let passed_over = report.found && matches!(outcome, Outcome::NoTarget(_));
    match detail {
        Detail::Line(time) => format!("{time:.0} {}", line(report)),
        Detail::ForPeople if outcome.ending().is_none() && !outcome.asks_for_a_person() => String::new(),
        _ if passed_over => line(report) + "\n",
        Detail::News if outcome.is_quiet() => line(report) + "\n",
        _ => in_full(report, width),
    }
}

fn in_full(report: &JobReport, width: Option<usize>) -> String {
    let plan = report.plan.as_ref().map(|plan| plan::text(plan, width)).unwrap_or_default();
    // What the plan says is not said again.
    let note = report.note.as_deref().filter(|note| !plan.contains(&printable(note)));
    format!("{}\n{plan}{}\n", paint(BOLD, heading(report)), ending(report, note))
}

/// One target branch in a line, and its note in another.
fn line(report: &JobReport) -> String {
    format!("{} {}", paint(DIM, heading(report)), ending(report, report.note.as_deref()))
}

/// The project, its branch if that is known, and the producer. A query for projects has no branch.
fn heading(report: &JobReport) -> String {
    let JobReport { project, branch, producer, .. } = report;
    printable(&match branch.is_named() {
        true => format!("{project} {branch} ({producer})"),
        false => format!("{project} ({producer})"),
    })
}

/// How it ended.
fn ending(report: &JobReport, note: Option<&str>) -> String {
    let outcome = paint(style(&report.outcome), printable(&report.outcome.to_string()));
    let merge_request = report.merge_request.as_ref();
    let link = merge_request.map(|(number, url)| paint(CYAN, printable(&format!("!{number} {url}"))));
    let link = link.map(|link| format!("  {link}")).unwrap_or_default();
    let note = note.map(|note| format!("  {} {}\n", paint(YELLOW, "note:"), printable(note)));
    format!("→ {outcome}{link}\n{}", note.unwrap_or_default())
}

/// How many target branches ended in each outcome.
pub fn counts<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let (mut counts, mut all): (BTreeMap<String, usize>, usize) = Default::default();
    for outcome in outcomes {
        *counts.entry(outcome.words()).or_default() += 1;
        all += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{}\n", paint(DIM, format!("{}: {}", counted(all, "target branch"), counts.join(", "))))
}

fn style(outcome: &Outcome) -> Style {
    match outcome {
        outcome if outcome.ending().is_some() => RED,
        Outcome::Held(_) | Outcome::EditedByOthers | Outcome::ClosedByOthers | Outcome::Limited => YELLOW,
        _ => GREEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unchanged_is_a_line_and_people_are_told_what_needs_them() {
        let time: Timestamp = "2026-05-05T03:02:01.5Z".parse().unwrap();
        let told = |outcome: Outcome, detail| {
            let report = JobReport {
                merge_request: Some((7, "https://forge.example/7".into())),
                note: Some("a note".into()),
                ..JobReport::unread("group/project", "images", outcome)
            };
            anstream::adapter::strip_str(&one(&report, None, detail)).to_string()
        };
        let line = "group/project (images) → unchanged  !7 https://forge.example/7\n  note: a note\n";
        assert_eq!(told(Outcome::Unchanged, Detail::News), format!("{line}\n"));
        assert_eq!(told(Outcome::Unchanged, Detail::ForPeople), "");
        assert_eq!(told(Outcome::Unchanged, Detail::Line(time)), format!("2026-05-05T03:02:01Z {line}"));
        let full =
            "group/project (images)\n→ held (unsigned)  !7 https://forge.example/7\n  note: a note\n\n";
        for detail in [Detail::Everything, Detail::News, Detail::ForPeople] {
            assert_eq!(told(Outcome::Held("unsigned".into()), detail), full, "{detail:?}");
        }
        for outcome in [Outcome::Failed("why".into()), Outcome::Unknown("why".into()), Outcome::Created] {
            assert!(!told(outcome, Detail::ForPeople).is_empty());
        }
        let merged = told(Outcome::Merged, Detail::Line(time));
        assert_eq!(merged.lines().count(), 2, "{merged}");
    }
}
