//! Comments that ignore findings: `# dibump: ignore[dead-key] because it is pinned on purpose`, at the end of the line or
//! above it. One without a reason ignores nothing, and one that ignores nothing is found itself.

use std::collections::HashMap;

use memchr::memmem;

use super::notes::{Notes, PendingFinding};
use super::{Finding, FindingPlace, Id, Ignored, Read, Report, Severities};
use crate::values::Comment;

/// A comment that asks for something to be ignored.
struct Ignore {
    place: FindingPlace,
    /// The line that it speaks of.
    line: usize,
    /// What is to be ignored, and whether it was found.
    ids: Vec<(Id, bool)>,
    reason: String,
}

/// The report: what is switched off or ignored taken out, and the comments themselves judged.
pub(super) fn report(reads: &[Read<'_>], mut notes: Notes, severities: &Severities) -> Report {
    let mut ignores = Vec::new();
    for read in reads {
        ignores.extend(ignores_of(read, &mut notes));
    }
    let findings = std::mem::take(&mut notes.findings);
    let mut ignored = Vec::new();
    let mut by_line: HashMap<(String, usize), Vec<usize>> = HashMap::new();
    for (i, ignore) in ignores.iter().enumerate() {
        by_line.entry((ignore.place.path.clone(), ignore.line)).or_default().push(i);
    }
    for finding in findings.into_iter().filter_map(|finding| as_set(finding, severities)) {
        let here = (finding.place.path.clone(), finding.place.at.line);
        let mut here = by_line.get(&here).into_iter().flatten();
        match here.find_map(|i| ignores.get_mut(*i)?.takes(&finding)) {
            Some(reason) => ignored.push(Ignored { finding, reason }),
            None => notes.findings.push(finding),
        }
    }
    for ignore in &ignores {
        let unused = ignore
            .ids
            .iter()
            .filter(|(id, found)| !found && severities.of(*id).is_some() && !notes.may_lack(*id));
        let unused: Vec<PendingFinding> = unused.map(|(id, _)| ignore.unused(*id)).collect();
        unused.into_iter().for_each(|note| notes.find(note));
    }
    let mut findings: Vec<Finding> =
        notes.findings.into_iter().filter_map(|finding| as_set(finding, severities)).collect();
    let file = |place: &FindingPlace| reads.iter().position(|read| read.path == place.path);
    findings.sort_by_key(|finding| (file(&finding.place), finding.place.at));
    ignored.sort_by_key(|ignored| (file(&ignored.finding.place), ignored.finding.place.at));
    notes.skipped.retain(|skipped| severities.of(skipped.id).is_some());
    let Notes { unknown, skipped, undecided, chosen, .. } = notes;
    Report { findings, ignored, unknown, skipped, undecided, chosen }
}

fn as_set(finding: Finding, severities: &Severities) -> Option<Finding> {
    let severity = severities.of(finding.id)?;
    Some(Finding { severity, ..finding })
}

impl Ignore {
    /// The reason, if this comment of its line speaks of the finding.
    fn takes(&mut self, finding: &Finding) -> Option<String> {
        let (_, found) = self.ids.iter_mut().find(|(id, _)| *id == finding.id)?;
        *found = true;
        Some(self.reason.clone())
    }

    fn unused(&self, id: Id) -> PendingFinding {
        let message = format!("line {} has no `{id}` to ignore", self.line);
        note(Id::UnusedIgnore, self.place.clone(), id.to_string(), message, Some("remove the comment"))
    }
}

/// The ignores of a file that count; what is wrong with the others is noted.
fn ignores_of(read: &Read<'_>, notes: &mut Notes) -> Vec<Ignore> {
    // Most files ignore nothing, and to find every comment is a walk through the file.
    if memmem::find(read.document.text().as_bytes(), b"dibump:").is_none() {
        return Vec::new();
    }
    let comments = read.document.all_comments();
    let below = below(&comments);
    let mut ignores = Vec::new();
    for comment in &comments {
        let Some(asked) = comment.text.split_once("dibump:").map(|(_, asked)| asked.trim_start()) else {
            continue;
        };
        let Some(rest) = asked.strip_prefix("ignore") else { continue };
        let place = place(read.path, comment);
        let Some((names, reason)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
            let message = "the comment names no check to ignore".to_owned();
            let help = "write `# dibump: ignore[dead-key] because …`";
            notes.find(note(Id::UnusedIgnore, place, rest.trim().to_owned(), message, Some(help)));
            continue;
        };
        let reason = reason.trim_start_matches([' ', ':', '-', '–']).trim();
        let reason = reason.strip_prefix("because").unwrap_or(reason).trim();
        let mut ids = Vec::new();
        for name in names.split(',').map(str::trim) {
            match name.parse::<Id>() {
                Ok(id) => ids.push((id, false)),
                Err(unknown) => {
                    notes.find(note(
                        Id::UnusedIgnore,
                        place.clone(),
                        name.to_owned(),
                        unknown.to_string(),
                        None,
                    ));
                }
            }
        }
        if reason.is_empty() {
            let message = "the comment gives no reason, so it ignores nothing".to_owned();
            let help = "write why after the bracket: `because …`";
            notes.find(note(Id::IgnoreWithoutReason, place, names.to_owned(), message, Some(help)));
            continue;
        }
        let line = below.get(&comment.at.line).copied().unwrap_or(comment.at.line);
        ignores.push(Ignore { place, line, ids, reason: reason.to_owned() });
    }
    ignores
}

/// What comments that stand alone speak of, by their line: the first line below that is no comment. All others speak of
/// their own line.
fn below(comments: &[Comment<'_>]) -> HashMap<usize, usize> {
    let mut below = HashMap::new();
    for line in comments.iter().rev().filter(|comment| comment.alone).map(|comment| comment.at.line) {
        let next = line + 1;
        below.insert(line, below.get(&next).copied().unwrap_or(next));
    }
    below
}

fn place(path: &str, comment: &Comment<'_>) -> FindingPlace {
    let length = comment.text.chars().count().max(1);
    FindingPlace { at: comment.at, length, ..FindingPlace::of_file(path.to_owned()) }
}

fn note(id: Id, place: FindingPlace, subject: String, message: String, help: Option<&str>) -> PendingFinding {
    PendingFinding { id, place, subject, message, help: help.map(str::to_owned), fix: None }
}
