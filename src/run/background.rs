//! What the merge request's text says beside the plan: where the releases come from, and how to look them up again.

use crate::merge_request::text::{Background, Merging, ReleaseSource};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::view::StepView;
use crate::plan::{DefaultEnabled, PlanView, Target};
use crate::release::Version;
use crate::release::selection::{SelectionVerdict, Waiver};

/// The background of a plan whose releases were looked up: of each step, the producer and what was seen of it.
pub fn background(
    target: &Target,
    looked_up: &[(&Producer, &Snapshot)],
    plan: &PlanView,
    merging: Merging,
) -> Background {
    let source = |(step, (_, snapshot)): (&StepView, &(_, &Snapshot))| ReleaseSource {
        pages: snapshot.pages(&step.from, &step.to),
        release_notes: release_notes(snapshot, step),
    };
    let registry = match looked_up {
        [(producer, _)] => {
            let plain_http = if producer.plain_http { " --plain-http" } else { "" };
            Some(format!("--registry {}{plain_http}", producer.prefix))
        }
        _ => None,
    };
    Background {
        sources: plan.steps.iter().zip(looked_up).map(source).collect(),
        reproduce: reproduce(registry.as_deref(), target, plan),
        merging,
    }
}

/// The notes of every release on the way, newest first: an update that skips releases brings the changes of all of them.
fn release_notes(snapshot: &Snapshot, step: &StepView) -> Vec<(Version, String)> {
    let on_the_way = |version: &&Version| **version > step.from && **version <= step.to;
    let versions = snapshot.known().candidates.keys().rev().filter(on_the_way);
    let note = |version: &Version| Some((version.clone(), snapshot.note(version)?.description.clone()));
    versions.filter_map(note).filter(|(_, text)| !text.trim().is_empty()).collect()
}

/// The command that shows the same plan, its releases being from `source`; without one, from the producers that the file
/// names.
pub fn reproduce(source: Option<&str>, target: &Target, plan: &PlanView) -> String {
    let path = plan.files.first().map(|file| quoted(&file.path)).unwrap_or_default();
    let source = source.map(|source| format!(" {source}")).unwrap_or_default();
    let versions = match plan.steps.as_slice() {
        [only] => format!(" --from {} --to {}", only.from, only.to),
        several => several.iter().filter_map(accepted).collect(),
    };
    format!("dibump plan {path}{source} --images {}{versions}{}", target.images, flags(target))
}

/// The flag without which `plan` would hold the release that a producer goes to.
fn accepted(step: &StepView) -> Option<String> {
    let told = step.releases.iter().find(|told| told.version == step.to)?;
    let SelectionVerdict::Despite(objections) = &told.verdict else { return None };
    let is_accepted = objections.iter().any(|objection| objection.waiver == Waiver::Accepted);
    is_accepted.then(|| format!(" --accept {}", quoted(&format!("{}@{}", step.producer, step.to))))
}

/// The flags by which `plan` follows as the target does.
fn flags(target: &Target) -> String {
    let globs = target.references.written().iter().map(|glob| format!(" --references {}", quoted(glob)));
    let rules = target.kubernetes_versions.texts().into_iter();
    let rules = rules.map(|rule| format!(" --kubernetes-versions {}", quoted(&rule)));
    let generation = target.primary().filter(|_| target.is_generation());
    let generation =
        generation.map(|file| format!(" --version-key {}", quoted(&file.version_place().to_string())));
    let follows = matches!(target.default_enabled, DefaultEnabled::Follow);
    let default = follows.then(|| " --default-enabled follow".to_owned());
    generation.into_iter().chain(globs).chain(rules).chain(default).collect()
}

/// An argument as a shell reads it.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
