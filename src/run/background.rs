//! What the merge request's text says beside the plan: where the releases come from, and how to look them up again.

use crate::merge_request::text::{Background, Merging};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::{PlanView, Target};
use crate::release::Version;

/// The background of a plan whose releases were looked up.
pub fn background(
    name: &str,
    target: &Target,
    producer: &Producer,
    snapshot: &Snapshot,
    plan: &PlanView,
    merging: Merging,
) -> Background {
    let plain_http = if producer.plain_http { " --plain-http" } else { "" };
    let source = format!("--registry {}{plain_http}", producer.prefix);
    Background {
        producer: name.to_owned(),
        pages: snapshot.pages(&plan.from, &plan.to),
        release_notes: release_notes(snapshot, plan),
        reproduce: reproduce(&source, target, plan),
        merging,
    }
}

/// The notes of every release on the way, newest first: an update that skips releases brings the changes of all of them.
fn release_notes(snapshot: &Snapshot, plan: &PlanView) -> Vec<(Version, String)> {
    let on_the_way = |version: &&Version| **version > plan.from && **version <= plan.to;
    let versions = snapshot.known().candidates.keys().rev().filter(on_the_way);
    let note = |version: &Version| Some((version.clone(), snapshot.note(version)?.description.clone()));
    versions.filter_map(note).filter(|(_, text)| !text.trim().is_empty()).collect()
}

/// The command that shows the same plan, its releases being from `source`.
pub fn reproduce(source: &str, target: &Target, plan: &PlanView) -> String {
    let path = plan.files.first().map(|file| quoted(&file.path)).unwrap_or_default();
    let flags = flags(target);
    format!(
        "dibump plan {path} {source} --images {} --from {} --to {}{flags}",
        target.images, plan.from, plan.to
    )
}

/// The flags by which `plan` follows as the target does.
fn flags(target: &Target) -> String {
    let globs = target.references.written().iter().map(|glob| format!(" --references {}", quoted(glob)));
    let rules = target.kubernetes_versions.texts().into_iter();
    let rules = rules.map(|rule| format!(" --kubernetes-versions {}", quoted(&rule)));
    globs.chain(rules).collect()
}

/// An argument as a shell reads it.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
