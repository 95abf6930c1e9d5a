//! The four rows of the table: images, signatures, findings, Kubernetes; each with a sign.

use super::kubernetes::FamilyMoves;
use super::shortened;
use crate::markdown;
use crate::plan::PlanView;
use crate::plan::signed::Signed;
use crate::plan::view::{Completeness, KeyAction, SeriesCount, StepView};
use crate::release::{Coverage, counted};
use crate::signature::Verdict;

/// Nothing to look at.
const GOOD: &str = "✅";
/// Something to look at.
const LOOK: &str = "⚠️";
/// Something is wrong.
const BAD: &str = "❌";
/// Not asked.
const NOT_ASKED: &str = "➖";

/// The rows; `shown` entries of a list.
pub(super) fn rows(plan: &PlanView, shown: usize) -> Vec<Vec<String>> {
    let rows = [
        ("Images", of_each(plan, |step| images(step.completeness.as_ref(), shown))),
        ("Signatures", of_each(plan, |step| signatures(&step.signatures))),
        ("Findings", findings(plan)),
        ("Kubernetes", kubernetes(plan, shown)),
    ];
    rows.map(|(name, (sign, text))| vec![sign.to_owned(), name.to_owned(), text]).into()
}

/// What is to be said of each producer whose release moves, by its name where there are several; the worst sign stands for
/// all.
fn of_each(plan: &PlanView, cell: impl Fn(&StepView) -> (&'static str, String)) -> (&'static str, String) {
    let cells: Vec<(&StepView, (&str, String))> = plan.changing().map(|step| (step, cell(step))).collect();
    let weight = |sign: &&'static str| [BAD, LOOK, GOOD, NOT_ASKED].iter().position(|known| known == sign);
    let sign = cells.iter().map(|(_, (sign, _))| *sign).min_by_key(weight).unwrap_or(LOOK);
    let is_one = cells.len() == 1;
    let told = |(step, (_, text)): (&StepView, (&str, String))| match is_one {
        true => text,
        false => format!("{}: {text}", markdown::inline(&shortened(&step.producer))),
    };
    (sign, cells.into_iter().map(told).collect::<Vec<_>>().join("<br>"))
}

/// Whether the release has all its images.
fn images(release: Option<&Completeness>, shown: usize) -> (&'static str, String) {
    let Some(release) = release else { return (LOOK, "unknown".to_owned()) };
    let count = counted(release.images, "image");
    let series = match &release.series {
        Some(SeriesCount { previous, present, expected }) => {
            format!("{present} of {expected} series of {}", markdown::inline(previous.as_str()))
        }
        None => "no earlier release to compare with".to_owned(),
    };
    match &release.coverage {
        Coverage::Complete if release.missing.is_empty() => (GOOD, format!("complete: {count}, {series}")),
        Coverage::Complete => {
            let named = release.missing.iter().take(shown).map(|item| markdown::inline(&shortened(item)));
            let more = release.missing.len().saturating_sub(shown);
            let more = (more > 0).then(|| format!("{more} more"));
            let missing: Vec<String> = named.chain(more).collect();
            (LOOK, format!("incomplete: {count}, {series}; missing: {}", missing.join(", ")))
        }
        Coverage::Partial { .. } => (LOOK, format!("{count} found; the release may have others")),
        Coverage::Unknown { .. } => (LOOK, "unknown".to_owned()),
    }
}

fn signatures(signed: &Signed) -> (&'static str, String) {
    let text = signed.sentence().map(|text| markdown::inline(&shortened(&text)));
    let text = text.unwrap_or_else(|| "not checked: `signatures: off`".to_owned());
    let Some(checked) = signed.checked() else { return (NOT_ASKED, text) };
    let sign = match checked.faults().first() {
        None => GOOD,
        Some((_, Verdict::Unknown { .. })) => LOOK,
        Some(_) => BAD,
    };
    (sign, text)
}

/// What `dibump check` finds after the update.
fn findings(plan: &PlanView) -> (&'static str, String) {
    let found = &plan.findings;
    let (errors, warnings) = (found.new_errors().count(), found.new_warnings().count());
    let sign = match (errors, warnings) {
        (0, 0) => GOOD,
        (0, _) => LOOK,
        (_, _) => BAD,
    };
    let new = [(errors, "new error"), (warnings, "new warning")];
    let new: Vec<String> =
        new.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)).collect();
    let mut text = if new.is_empty() { "nothing new".to_owned() } else { new.join(", ") };
    let (resolved, not_checked) = (found.difference.resolved.len(), found.not_checked.len());
    if resolved > 0 {
        text += &format!("; {resolved} resolved");
    }
    if not_checked > 0 {
        text += &format!("; {} not checked", counted(not_checked, "place"));
    }
    (sign, text)
}

fn kubernetes(plan: &PlanView, shown: usize) -> (&'static str, String) {
    let keys = || plan.files.iter().flat_map(|file| &file.keys);
    let moves = FamilyMoves::of(keys());
    let loses_one_in_use = keys().any(|key| key.action == KeyAction::Remove && key.in_use);
    let sign = if moves.go_down() || loses_one_in_use { LOOK } else { GOOD };
    match moves.lines(shown) {
        lines if lines.is_empty() => (NOT_ASKED, "the names of the keys do not say".to_owned()),
        lines => (sign, lines.join("<br>")),
    }
}
