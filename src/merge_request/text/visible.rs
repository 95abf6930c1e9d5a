//! What is visible at once: what moves, how the release looks, what merging does, what to do.

use super::{Background, LONGEST, Merging, ReleaseSource, shortened, status};
use crate::markdown;
use crate::plan::PlanView;
use crate::plan::findings::told;
use crate::plan::view::{ReplacedImage, StepView};
use crate::release::{Version, counted};

/// Entries of a list; the rest of it is folded.
const SHOWN: usize = 4;
/// Images that are named where they are replaced.
const IMAGES: usize = 2;

/// The visible part: its lists are as long as the limit allows, in characters. And what of the notes it does not show in
/// full, if anything: all of them.
pub(super) fn part(plan: &PlanView, background: &Background, limit: usize) -> (String, Vec<String>) {
    let notes = notes(plan);
    let with = |shown| with_lists(plan, background, &notes, shown);
    let fits = |shown: &usize| with(*shown).chars().count() <= limit;
    let shown = (0..=SHOWN).rev().find(fits).unwrap_or(0);
    let is_whole = notes.len() <= shown && notes.iter().all(|note| note.chars().count() <= LONGEST);
    (with(shown), if is_whole { Vec::new() } else { notes })
}

/// What a reviewer must look at, worst first: new errors, what the range does not lead to expect, new warnings, notes.
fn notes(plan: &PlanView) -> Vec<String> {
    let errors = plan.findings.new_errors().map(|finding| format!("new error: {}", told(finding)));
    let unexpected = match plan.to_judge.os_release {
        true => ", though `range` allows patches only",
        false => "",
    };
    let os_changes = plan.os_changes.iter().map(|change| format!("{change}{unexpected}"));
    let warnings = plan.findings.new_warnings().map(|finding| format!("new warning: {}", told(finding)));
    errors.chain(os_changes).chain(warnings).chain(plan.warnings()).collect()
}

fn with_lists(plan: &PlanView, background: &Background, notes: &[String], shown: usize) -> String {
    let rows = status::rows(plan, shown);
    let parts = [
        Some(headline(plan, background)),
        Some(markdown::table(&["", "Check", "Result"], rows)),
        attention(notes, shown),
        Some(merging(&plan.replaced, shown.min(IMAGES))),
        Some(format!("**What to do:** {}", to_do(plan, background.merging, !notes.is_empty()))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// What moves, from where to where.
fn headline(plan: &PlanView, background: &Background) -> String {
    let files = files(plan);
    let (moved, aligned): (Vec<_>, Vec<_>) =
        background.changing(plan).partition(|(step, _)| step.from != step.to);
    let moves: Vec<String> = moved.into_iter().map(|(step, source)| moves(step, source)).collect();
    let aligns: Vec<String> =
        aligned.into_iter().map(|(step, source)| release(step, &step.to, source)).collect();
    match (moves.join(" and "), aligns.join(" and ")) {
        (moves, aligns) if aligns.is_empty() => format!("Moves {files} {moves}."),
        (moves, aligns) if moves.is_empty() => format!("Aligns the image keys of {files} with {aligns}."),
        (moves, aligns) => format!("Moves {files} {moves}, and aligns image keys with {aligns}."),
    }
}

fn moves(step: &StepView, source: &ReleaseSource) -> String {
    let to = linked(markdown::code(step.to.as_str()), &source.pages.release);
    let comparison = source.pages.comparison.as_ref();
    let comparison = comparison.map(|url| format!(" ({})", markdown::link("compare", url)));
    let from = release(step, &step.from, &ReleaseSource::default());
    format!("from {from} to {to}{}", comparison.unwrap_or_default())
}

/// A release of the producer, with its page.
fn release(step: &StepView, version: &Version, source: &ReleaseSource) -> String {
    let release = format!("{} release", markdown::inline(&shortened(&step.producer)));
    let version = linked(markdown::code(version.as_str()), &source.pages.release);
    format!("{} {version}", release.trim_start())
}

fn linked(text: String, url: &Option<String>) -> String {
    match url {
        Some(url) => markdown::link(&text, url),
        None => text,
    }
}

fn files(plan: &PlanView) -> String {
    let Some((first, others)) = plan.files.split_first() else { return "no file".to_owned() };
    let first = markdown::code(&shortened(&first.path));
    match others.len() {
        0 => first,
        1 => format!("{first} and 1 overlay"),
        count => format!("{first} and {count} overlays"),
    }
}

fn attention(notes: &[String], shown: usize) -> Option<String> {
    if notes.is_empty() {
        return None;
    }
    let more = notes.len().saturating_sub(shown);
    let rest = (more > 0).then(|| format!("{more} {} below", if shown == 0 { "notes" } else { "more" }));
    let shown = notes.iter().take(shown).map(|note| markdown::prose(&shortened(note)));
    Some(format!("**Look at:**\n\n{}", markdown::bullets(shown.chain(rest))))
}

/// Which nodes are replaced, as far as the values say which images are in use.
fn merging(replaced: &[ReplacedImage], shown: usize) -> String {
    if replaced.is_empty() {
        return "**Merging** changes no image that these files enable. Nodes that use a renamed key elsewhere are \
                replaced when that file is updated."
            .to_owned();
    }
    let image = |image: &ReplacedImage| match image.from == image.to {
        true => format!("{} (same key, new content)", markdown::code(&shortened(&image.from))),
        false => [&image.from, &image.to].map(|key| markdown::code(&shortened(key))).join(" → "),
    };
    let named: Vec<String> = replaced.iter().take(shown).map(image).collect();
    let more = replaced.len() - named.len();
    let more = match (named.is_empty(), more) {
        (_, 0) => String::new(),
        (true, _) => "see the keys below".to_owned(),
        (false, more) => format!(" and {more} more"),
    };
    let (images, named) = (counted(replaced.len(), "image"), named.join(", "));
    format!("**Merging** replaces the nodes that use {images}: {named}{more}.")
}

/// The reviewer's next step, by what there is.
fn to_do(plan: &PlanView, merging: Merging, has_notes: bool) -> String {
    let judge = plan.to_judge;
    let step = match merging {
        _ if judge.errors => {
            "Fix the new errors, or accept them: mark this merge request ready and merge it when the pipeline passes"
        }
        _ if judge.incomplete => {
            "Wait until the release is complete, or check that you need nothing of what is missing; then mark this \
             merge request ready and merge it"
        }
        _ if judge.os_release => {
            "Check that your nodes can move to the new OS release; then mark this merge request ready and merge it"
        }
        Merging::Draft if has_notes => {
            "Review the notes above, then mark this merge request ready and merge it"
        }
        Merging::Draft => "Mark this merge request ready and merge it when the pipeline passes",
        Merging::Automatic if has_notes => {
            "Review the notes above now: the merge request merges automatically when the pipeline passes"
        }
        Merging::Automatic => {
            "Approve the merge request if your project requires that; it merges automatically when the pipeline passes"
        }
        Merging::ByHand if has_notes => "Review the notes above, then merge when the pipeline passes",
        Merging::ByHand => "Merge when the pipeline passes",
    };
    format!("{step}; to skip only this release, close the merge request.")
}
