//! A plan as a person at a terminal reads it: the decision table, the keys, the diff.

use anstyle::Style;

use super::table::{Column, Table};
use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, diff, findings, paint, printable, references};
use crate::plan::view::{FileView, KeyAction, KeyView, NamedImage, ReleaseView, StepView};
use crate::plan::{PlanView, Planned};
use crate::release::selection::SelectionVerdict;
use crate::release::{Coverage, counted};

/// The whole report of a plan, for a terminal of this width.
pub fn text(plan: &PlanView, width: Option<usize>) -> String {
    let mut text: String =
        plan.steps.iter().map(|step| heading(plan, step) + &releases(step, width)).collect();
    for file in &plan.files {
        text.push('\n');
        text.push_str(&keys(plan, file));
    }
    text.push_str(&references::text(&plan.references));
    for (path, (before, after)) in plan.changes() {
        text.push('\n');
        text.push_str(&diff::shown(path, before, after));
    }
    text.push('\n');
    text.push_str(&findings::text(&plan.findings));
    text.extend(plan.steps.iter().map(|step| signatures(plan, step)));
    text.extend(plan.steps.iter().map(|step| named(plan, step, verdict(step))));
    text
}

/// The same of a plan that changes nothing because the files are up to date: a line for each file, newer releases that
/// are not proposed, and what a reader should know.
pub fn short(plan: &PlanView) -> String {
    let path = plan.files.first().map(|file| paint(BOLD, printable(&file.path))).unwrap_or_default();
    let step = |step: &StepView| format!("{path}: {}", named(plan, step, verdict(step)));
    let release = |release: &ReleaseView| format!("  {}: {}\n", release.version, printable(&release.told()));
    let others = |step: &StepView| {
        let (shown, counts) = ReleaseView::shown(step.other_releases());
        let counts = counts.into_iter().map(|count| format!("  {count}\n"));
        shown.into_iter().map(release).chain(counts).collect::<Vec<_>>()
    };
    let note = |note: String| format!("  {} {}\n", paint(YELLOW, "note:"), printable(&note));
    let steps = plan.steps.iter().flat_map(|told| std::iter::once(step(told)).chain(others(told)));
    steps.chain(plan.warnings().into_iter().map(note)).collect()
}

/// What the releases of a producer are headed by, where the files have several.
fn heading(plan: &PlanView, step: &StepView) -> String {
    match plan.steps.len() {
        1 => String::new(),
        _ => format!("{}\n", paint(BOLD, printable(&step.producer))),
    }
}

/// A line that begins with the producer's name, where the files have several.
fn named(plan: &PlanView, step: &StepView, line: String) -> String {
    if plan.steps.len() > 1 { format!("{}: {line}", printable(&step.producer)) } else { line }
}

fn signatures(plan: &PlanView, step: &StepView) -> String {
    let sentence = step.signatures.sentence().filter(|_| step.is_change());
    let sentence = sentence.map(|text| named(plan, step, format!("signatures: {}\n", printable(&text))));
    let fault = |fault: String| format!("  {} {}\n", paint(YELLOW, '!'), printable(&fault));
    sentence.into_iter().chain(step.signature_faults().map(fault)).collect()
}

/// The decision table: what became of each release, and what ends each hold. Those older than the file's are only counted.
fn releases(step: &StepView, width: Option<usize>) -> String {
    let mut table = Table::of([Column::whole("Release"), Column::cut("Verdict"), Column::whole("Artifacts")]);
    let (shown, counts) = ReleaseView::shown(step.releases.iter().filter(|release| !release.is_older()));
    for release in shown {
        let (mark, style) = emphasis(&release.verdict, release.version == step.from);
        table.row([
            (format!("{mark} {}", release.version), style),
            (printable(&release.verdict.to_string()), style),
            (artifacts(release), Style::new()),
        ]);
    }
    let mut text = if table.is_empty() { String::new() } else { table.fitted(width) };
    for release in &step.releases {
        let remedy =
            release.remedy().map(|remedy| format!("    {}: {}\n", release.version, paint(DIM, remedy)));
        text.extend(remedy);
    }
    let hidden = step.releases.iter().filter(|release| release.is_older()).count();
    let older = (hidden > 0).then(|| format!("and {}", counted(hidden, "older release")));
    text.extend(counts.into_iter().chain(older).map(|count| format!("    {}\n", paint(DIM, count))));
    text
}

/// The mark and the style of a verdict.
pub(super) fn emphasis(verdict: &SelectionVerdict, current: bool) -> (char, Style) {
    match verdict {
        SelectionVerdict::Proposed | SelectionVerdict::Despite(_) => ('→', GREEN),
        SelectionVerdict::Held(_) => ('‖', YELLOW),
        SelectionVerdict::Unknown(_) => ('?', RED),
        _ if current => ('•', BOLD),
        SelectionVerdict::Superseded | SelectionVerdict::Excluded(_) => (' ', DIM),
    }
}

fn artifacts(release: &ReleaseView) -> String {
    let count = release.artifacts.unwrap_or_default();
    match &release.coverage {
        None => String::new(),
        Some(Coverage::Complete) => count.to_string(),
        Some(Coverage::Partial { reason }) => format!("{count} or more ({})", printable(reason)),
        Some(Coverage::Unknown { .. }) => "?".to_owned(),
    }
}

/// What becomes of the keys of one file.
fn keys(plan: &PlanView, file: &FileView) -> String {
    let versions = |step: &StepView| match step.to == step.from {
        true => named_version(plan, step, step.from.to_string()),
        false => named_version(plan, step, format!("{} → {}", step.from, step.to)),
    };
    let versions = plan.steps.iter().map(versions).collect::<Vec<_>>().join(", ");
    let policy = format!("images: {}, {}", file.policy, file.because);
    let mut lines = vec![format!(
        "{}  {versions}  {}",
        paint(BOLD, printable(&file.path)),
        paint(DIM, printable(&policy))
    )];
    lines.extend(file.keys.iter().filter_map(key));
    for dead in &file.dead {
        lines.push(format!(
            "  {} {}: stays, though no artifact was found",
            paint(YELLOW, '!'),
            printable(dead)
        ));
    }
    lines.extend(file.references.followed.iter().map(references::followed));
    let os_changes = file.os_changes.iter();
    lines.extend(
        os_changes.map(|change| format!("  {} {}", paint(YELLOW, '!'), printable(&change.to_string()))),
    );
    let moved = file.moved_defaults.iter();
    lines.extend(moved.map(|moved| format!("  {} {}", paint(CYAN, '~'), printable(&moved.to_string()))));
    lines.extend(file.kubernetes_versions.iter().map(references::kubernetes_version));
    lines.extend(file.kubernetes_lines.iter().map(references::kubernetes_line));
    lines.extend(file.values.iter().map(references::value));
    lines.push(format!("  {}", paint(DIM, summary(file))));
    lines.extend(suggested(file));
    lines.extend(file.notes.iter().map(|note| format!("  {} {}", paint(YELLOW, "note:"), printable(note))));
    lines.join("\n") + "\n"
}

fn named_version(plan: &PlanView, step: &StepView, version: String) -> String {
    if plan.steps.len() > 1 { format!("{} {version}", printable(&step.producer)) } else { version }
}

/// A key that does not stay.
fn key(key: &KeyView) -> Option<String> {
    let name =
        |image: &Option<NamedImage>| image.as_ref().map(|image| printable(&image.key)).unwrap_or_default();
    let (from, to) = (name(&key.from), name(&key.to));
    match key.action {
        KeyAction::Keep => None,
        KeyAction::Rename => Some(format!("  {} {from} → {}", paint(CYAN, '~'), paint(CYAN, to))),
        KeyAction::Add => Some(format!("  {} {}", paint(GREEN, '+'), paint(GREEN, to))),
        KeyAction::Remove => {
            let why = key.why.as_deref().unwrap_or_default();
            let enabled = if key.in_use { paint(YELLOW, " (it was enabled)") } else { String::new() };
            Some(format!("  {} {}: {why}{enabled}", paint(RED, '-'), paint(RED, from)))
        }
    }
}

fn summary(file: &FileView) -> String {
    let count = |action| file.with(action).count();
    let counts = [
        (count(KeyAction::Keep), "kept"),
        (count(KeyAction::Rename), "renamed"),
        (count(KeyAction::Add), "added"),
        (count(KeyAction::Remove), "removed"),
        (file.foreign.len(), "of other registries"),
        (file.templates.len(), "templates"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    if counts.is_empty() { "no image keys".to_owned() } else { format!("image keys: {counts}") }
}

fn suggested(file: &FileView) -> Option<String> {
    let keys = file.suggested.join(", ");
    (!keys.is_empty()).then(|| format!("  {}", paint(DIM, format!("published and not listed: {keys}"))))
}

fn verdict(step: &StepView) -> String {
    let text = match &step.verdict {
        Planned::UpToDate => paint(GREEN, format!("up to date with {}", step.from)),
        Planned::Update { to } => format!("{} {} → {to}", paint(BOLD, "update"), step.from),
        Planned::Align { at } => format!("{} with {at}", paint(BOLD, "align image keys")),
        Planned::Held { gate, reason } => {
            format!("{}: {}", paint(YELLOW, format!("held ({gate})")), printable(reason))
        }
        Planned::Unknown { reason } => {
            format!("{}: {}; nothing was changed", paint(RED, "unknown"), printable(reason))
        }
    };
    text + "\n"
}
