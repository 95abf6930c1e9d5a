//! A plan as a person at a terminal reads it: the decision table, the keys, the diff.

use anstyle::Style;

use super::table::{Column, Table};
use super::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, diff, findings, paint, printable, references};
use crate::plan::signed::Checked;
use crate::plan::{Plan, Planned, PlannedFile};
use crate::release::data::Known;
use crate::release::policy::Exclusion;
use crate::release::selection::{Choice, Verdict};
use crate::release::{Coverage, Release, Version};

/// The whole report of a plan, for a terminal of this width.
pub fn text(plan: &Plan, known: &Known, width: Option<usize>) -> String {
    let mut text = releases(&plan.choice, known, Some(&plan.from), width);
    for file in &plan.files {
        text.push('\n');
        text.push_str(&keys(plan, file));
    }
    text.push_str(&references::text(&plan.references));
    let changed = plan.files.iter().filter(|file| file.before != file.after);
    let changed = changed.map(|file| (file.path.as_str(), (&file.before, &file.after)));
    for (path, (before, after)) in changed.chain(plan.references.changes()) {
        text.push('\n');
        text.push_str(&diff::shown(path, before, after));
    }
    text.push('\n');
    text.push_str(&findings::text(&plan.findings));
    text.push_str(&signatures(plan));
    text.push_str(&verdict(plan));
    text
}

fn signatures(plan: &Plan) -> String {
    let sentence = plan.signatures.sentence().filter(|_| plan.is_change());
    let mut text: String =
        sentence.map(|text| format!("signatures: {}\n", printable(&text))).unwrap_or_default();
    for (key, verdict) in plan.signatures.checked().into_iter().flat_map(Checked::faults) {
        text.push_str(&format!("  {} {key} is {}\n", paint(YELLOW, '!'), printable(&verdict.to_string())));
    }
    text
}

/// The decision table: what became of each release, and what ends each hold. Those older than the file's are only counted.
fn releases(choice: &Choice, known: &Known, from: Option<&Version>, width: Option<usize>) -> String {
    let older = |verdict: &Verdict| matches!(verdict, Verdict::Excluded(Exclusion::Older));
    let mut table = Table::of([Column::whole("Release"), Column::cut("Verdict"), Column::whole("Artifacts")]);
    for (version, verdict) in choice.verdicts.iter().filter(|(_, verdict)| !older(verdict)) {
        let (mark, style) = emphasis(verdict, from == Some(version));
        let artifacts = known.releases.get(version).map(artifacts).unwrap_or_default();
        table.row([
            (format!("{mark} {version}"), style),
            (printable(&verdict.to_string()), style),
            (artifacts, Style::new()),
        ]);
    }
    let mut text = if table.is_empty() { String::new() } else { table.fitted(width) };
    for (version, verdict) in &choice.verdicts {
        if let Verdict::Held(hold) = verdict {
            text.push_str(&format!("    {version}: {}\n", paint(DIM, hold.remedy(version))));
        }
    }
    let hidden = choice.verdicts.iter().filter(|(_, verdict)| older(verdict)).count();
    if hidden > 0 {
        let plural = if hidden == 1 { "release" } else { "releases" };
        text.push_str(&format!("    {}\n", paint(DIM, format!("and {hidden} older {plural}"))));
    }
    text
}

/// The mark and the style of a verdict.
pub(super) fn emphasis(verdict: &Verdict, current: bool) -> (char, Style) {
    match verdict {
        Verdict::Proposed | Verdict::Despite(_) => ('→', GREEN),
        Verdict::Held(_) => ('‖', YELLOW),
        Verdict::Unknown(_) => ('?', RED),
        _ if current => ('•', BOLD),
        Verdict::Superseded | Verdict::Excluded(_) => (' ', DIM),
    }
}

fn artifacts(release: &Release) -> String {
    match &release.coverage {
        Coverage::Complete => release.artifacts.len().to_string(),
        Coverage::Partial { reason } => {
            format!("{} or more ({})", release.artifacts.len(), printable(reason))
        }
        Coverage::Unknown { .. } => "?".to_owned(),
    }
}

/// What becomes of the keys of one file.
fn keys(plan: &Plan, file: &PlannedFile) -> String {
    let reconciliation = &file.reconciliation;
    let versions = if plan.to() == &plan.from {
        plan.from.to_string()
    } else {
        format!("{} → {}", plan.from, plan.to())
    };
    let policy = format!("images: {}, {}", reconciliation.policy, reconciliation.because);
    let mut lines = vec![format!(
        "{}  {versions}  {}",
        paint(BOLD, printable(&file.path)),
        paint(DIM, printable(&policy))
    )];
    for renamed in &reconciliation.renamed {
        lines.push(format!(
            "  {} {} → {}",
            paint(CYAN, '~'),
            printable(&renamed.from),
            paint(CYAN, &renamed.to)
        ));
    }
    for added in &reconciliation.added {
        lines.push(format!("  {} {}", paint(GREEN, '+'), paint(GREEN, &added.key)));
    }
    for removed in &reconciliation.removed {
        let enabled = if removed.enabled { paint(YELLOW, " (it was enabled)") } else { String::new() };
        let key = paint(RED, printable(&removed.key));
        lines.push(format!("  {} {key}: {}{enabled}", paint(RED, '-'), removed.why));
    }
    for dead in &reconciliation.dead {
        lines.push(format!(
            "  {} {}: stays, though no artifact was found",
            paint(YELLOW, '!'),
            printable(&dead.key)
        ));
    }
    lines.extend(file.references.followed.iter().map(references::followed));
    let os_changes = reconciliation.os_changes.iter();
    lines.extend(
        os_changes.map(|change| format!("  {} {}", paint(YELLOW, '!'), printable(&change.to_string()))),
    );
    lines.extend(file.kubernetes_versions.iter().map(references::kubernetes_version));
    lines.push(format!("  {}", paint(DIM, summary(file))));
    lines.extend(suggested(file));
    lines.extend(file.notes.iter().map(|note| format!("  {} {}", paint(YELLOW, "note:"), printable(note))));
    lines.join("\n") + "\n"
}

fn summary(file: &PlannedFile) -> String {
    let reconciliation = &file.reconciliation;
    let counts = [
        (reconciliation.kept.len(), "kept"),
        (reconciliation.renamed.len(), "renamed"),
        (reconciliation.added.len(), "added"),
        (reconciliation.removed.len(), "removed"),
        (reconciliation.foreign.len(), "of other registries"),
        (reconciliation.templates.len(), "templates"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    if counts.is_empty() { "no image keys".to_owned() } else { format!("image keys: {counts}") }
}

fn suggested(file: &PlannedFile) -> Option<String> {
    let keys: Vec<String> =
        file.reconciliation.suggested.iter().map(|suggested| suggested.key.to_string()).collect();
    if keys.is_empty() {
        return None;
    }
    Some(format!("  {}", paint(DIM, format!("published and not listed: {}", keys.join(", ")))))
}

fn verdict(plan: &Plan) -> String {
    let text = match &plan.verdict {
        Planned::UpToDate => paint(GREEN, format!("up to date with {}", plan.from)),
        Planned::Update { to } => format!("{} {} → {to}", paint(BOLD, "update"), plan.from),
        Planned::Align { at } => format!("{} with {at}", paint(BOLD, "align image keys")),
        Planned::Held { gate, reason } => {
            format!("{}: {}", paint(YELLOW, format!("held ({gate})")), printable(reason))
        }
        Planned::Unknown { reason } => {
            format!("{}: {}", paint(RED, "unknown, nothing changes"), printable(reason))
        }
    };
    text + "\n"
}
