//! A plan for programs. The shape is `config/plan.schema.json`; a change of it changes the number in `schema`.

mod findings;
mod references;

use schemars::JsonSchema;
use serde::Serialize;

use super::diff;
use crate::plan::signed::Checked;
use crate::plan::view::{FileView, KeyAction, KeyView, NamedImage, ReleaseView, StepView};
use crate::plan::{PlanView, Planned};
use crate::release::selection::SelectionVerdict;
use crate::release::{Coverage, ImageKey};
use crate::signature;
pub use findings::FindingsReport;
pub use references::{
    DanglingReference, FollowedReference, FollowedValue, KubernetesLine, MovedDefaultEnabled, ReadList,
    ReferenceReport, SetKubernetesVersion,
};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.plan/1";

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump plan")]
pub struct PlanReport {
    /// `dibump.plan/1`.
    pub schema: &'static str,
    /// `up-to-date`, `update`, `align`, `held` or `unknown`.
    pub outcome: &'static str,
    /// Why it is held or unknown; the gate's name stands before a colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The version that the file names.
    pub from: String,
    /// The version that the file will name.
    pub to: String,
    /// What became of each release, newest first.
    pub releases: Vec<ReleaseRow>,
    /// The files, changed or not; empty when nothing was planned.
    pub files: Vec<FileReport>,
    /// Other files that name image keys, or that could not be looked at.
    pub references: Vec<ReferenceReport>,
    /// What was found of the signatures of the images that the files will list; absent if they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<SignatureRow>>,
    /// What `dibump check` will find that it does not find now, and the reverse.
    pub findings: FindingsReport,
    /// What becomes of each producer, where the files have several; `outcome`, `from`, `to`, `releases` and `signatures`
    /// above are those of the first that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producers: Option<Vec<StepReport>>,
}

/// What becomes of one producer of several.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepReport {
    /// Its name.
    pub producer: String,
    /// `up-to-date`, `update`, `align`, `held` or `unknown`.
    pub outcome: &'static str,
    /// Why it is held or unknown; the gate's name stands before a colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The version that the file names.
    pub from: String,
    /// The version that the file will name.
    pub to: String,
    /// What became of each release, newest first.
    pub releases: Vec<ReleaseRow>,
    /// What was found of the signatures of the images that the files will list; absent if they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<SignatureRow>>,
}

/// One release.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReleaseRow {
    /// The version.
    pub version: String,
    /// `proposed`, `superseded`, `excluded`, `held` or `unknown`.
    pub verdict: &'static str,
    /// The verdict in words.
    pub explanation: String,
    /// `complete`, `partial` or `unknown`; absent if its artifacts were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// How many artifacts are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<usize>,
}

/// The signature of one image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignatureRow {
    /// The image's key.
    pub image: String,
    /// `verified`, `unsigned`, `bad` or `unknown`.
    pub verdict: &'static str,
    /// The verdict in words.
    pub explanation: String,
    /// The SHA-256 of the public key that signed (its DER form).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// One file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileReport {
    /// Its path.
    pub path: String,
    /// Whether it changes.
    pub changed: bool,
    /// The policy that held: `all`, `follow` or `listed`.
    pub images: String,
    /// Why that policy.
    pub because: String,
    /// Keys that stay.
    pub kept: Vec<String>,
    /// Keys that get another name.
    pub renamed: Vec<RenamedKey>,
    /// New keys.
    pub added: Vec<String>,
    /// Keys that go.
    pub removed: Vec<RemovedKey>,
    /// Keys that stay though no artifact was found.
    pub dead: Vec<String>,
    /// Artifacts that are published and not listed.
    pub suggested: Vec<String>,
    /// Keys of other registries, left alone.
    pub foreign: Vec<String>,
    /// Keys that are templates, left alone.
    pub templates: Vec<String>,
    /// Names of image keys outside of the mapping that get a new one.
    pub followed: Vec<FollowedReference>,
    /// Names of image keys outside of the mapping that stay and will name no image of the release.
    pub dangling: Vec<DanglingReference>,
    /// OS releases that change below keys that stay or get another name.
    pub os_changes: Vec<ChangedOs>,
    /// `default_enabled` that moves to the newest Kubernetes of its family.
    pub moved_defaults: Vec<MovedDefaultEnabled>,
    /// Kubernetes versions elsewhere in the file that become those of the images.
    pub kubernetes_versions: Vec<SetKubernetesVersion>,
    /// Lines of Kubernetes minors that come and go elsewhere in the file.
    pub kubernetes_lines: Vec<KubernetesLine>,
    /// Values elsewhere in the file that become those of lists of others (`values_from`).
    pub values: Vec<FollowedValue>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// The unified diff; empty if nothing changes.
    pub diff: String,
}

/// A family whose OS release changes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedOs {
    /// The family: OS, flavor and Kubernetes flavor.
    pub family: String,
    /// The OS release so far.
    pub from: String,
    /// The OS release that it will be.
    pub to: String,
    /// The keys that will stand for it.
    pub keys: Vec<String>,
}

/// A renamed key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenamedKey {
    /// The key so far.
    pub from: String,
    /// The new key.
    pub to: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

/// A removed key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemovedKey {
    /// The key.
    pub key: String,
    /// Why it goes.
    pub why: String,
    /// Whether its value enabled it.
    pub enabled: bool,
    /// Its line in the file, from 1.
    pub line: usize,
}

/// The JSON form of a plan.
pub fn report(plan: &PlanView) -> PlanReport {
    let lead = step(plan.lead());
    PlanReport {
        schema: SCHEMA,
        outcome: lead.outcome,
        reason: lead.reason,
        from: lead.from,
        to: lead.to,
        releases: lead.releases,
        files: plan.files.iter().map(file).collect(),
        references: references::report(&plan.references),
        signatures: lead.signatures,
        findings: findings::report(&plan.findings),
        producers: (plan.steps.len() > 1).then(|| plan.steps.iter().map(step).collect()),
    }
}

fn step(step: &StepView) -> StepReport {
    let (outcome, reason) = match &step.verdict {
        Planned::UpToDate => ("up-to-date", None),
        Planned::Update { .. } => ("update", None),
        Planned::Align { .. } => ("align", None),
        Planned::Held { gate, reason } => ("held", Some(format!("{gate}: {reason}"))),
        Planned::Unknown { reason } => ("unknown", Some(reason.clone())),
    };
    StepReport {
        producer: step.producer.clone(),
        outcome,
        reason,
        from: step.from.to_string(),
        to: step.to.to_string(),
        releases: step.releases.iter().map(row).collect(),
        signatures: step.signatures.checked().map(signatures),
    }
}

fn signatures(checked: &Checked) -> Vec<SignatureRow> {
    let row = |(image, verdict): (&ImageKey, &signature::Verdict)| SignatureRow {
        image: image.to_string(),
        verdict: verdict.word(),
        explanation: verdict.to_string(),
        key: match verdict {
            signature::Verdict::Verified(verified) => Some(verified.key().to_string()),
            _ => None,
        },
    };
    checked.verdicts.iter().map(row).collect()
}

fn row(release: &ReleaseView) -> ReleaseRow {
    let state = |coverage: &Coverage| match coverage {
        Coverage::Complete => "complete",
        Coverage::Partial { .. } => "partial",
        Coverage::Unknown { .. } => "unknown",
    };
    ReleaseRow {
        version: release.version.to_string(),
        verdict: word(&release.verdict),
        explanation: release.verdict.to_string(),
        state: release.coverage.as_ref().map(state),
        artifacts: release.artifacts,
    }
}

/// The verdict in one word.
pub(super) fn word(verdict: &SelectionVerdict) -> &'static str {
    match verdict {
        SelectionVerdict::Proposed | SelectionVerdict::Despite(_) => "proposed",
        SelectionVerdict::Superseded => "superseded",
        SelectionVerdict::Excluded(_) => "excluded",
        SelectionVerdict::Held(_) => "held",
        SelectionVerdict::Unknown(_) => "unknown",
    }
}

fn file(file: &FileView) -> FileReport {
    let line = |key: &KeyView| key.at.map_or(0, |at| at.line);
    let before = |action| file.with(action).map(|key| name(&key.from));
    let renamed = file.with(KeyAction::Rename).map(|key| RenamedKey {
        from: name(&key.from),
        to: name(&key.to),
        line: line(key),
    });
    let removed = file.with(KeyAction::Remove).map(|key| RemovedKey {
        key: name(&key.from),
        why: key.why.clone().unwrap_or_default(),
        enabled: key.in_use,
        line: line(key),
    });
    let os_changes = file.os_changes.iter().map(|change| ChangedOs {
        family: change.family.to_string(),
        from: change.from.clone(),
        to: change.to.clone(),
        keys: change.keys.iter().map(ToString::to_string).collect(),
    });
    FileReport {
        path: file.path.clone(),
        changed: file.before != file.after,
        images: file.policy.to_string(),
        because: file.because.to_string(),
        kept: before(KeyAction::Keep).collect(),
        renamed: renamed.collect(),
        added: file.with(KeyAction::Add).map(|key| name(&key.to)).collect(),
        removed: removed.collect(),
        dead: file.dead.clone(),
        suggested: file.suggested.clone(),
        foreign: file.foreign.clone(),
        templates: file.templates.clone(),
        followed: references::followed(&file.references),
        dangling: references::dangling(&file.references),
        os_changes: os_changes.collect(),
        moved_defaults: file.moved_defaults.iter().map(MovedDefaultEnabled::of).collect(),
        kubernetes_versions: file.kubernetes_versions.iter().map(SetKubernetesVersion::of).collect(),
        kubernetes_lines: file.kubernetes_lines.iter().map(KubernetesLine::of).collect(),
        values: file.values.iter().map(FollowedValue::of).collect(),
        notes: file.notes.clone(),
        diff: diff::unified(&file.path, &file.before, &file.after),
    }
}

fn name(image: &Option<NamedImage>) -> String {
    image.as_ref().map(|image| image.key.clone()).unwrap_or_default()
}
