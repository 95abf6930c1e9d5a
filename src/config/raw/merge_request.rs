//! `merge_request:` as written: what a new one is like, what it says, and how an open one is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of merge requests. A key that is missing here is taken from the level above.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawMergeRequest {
    /// Text that the names of source branches begin with. Default: dibump/.
    #[schemars(example = "dibump/")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) branch_prefix: Option<String>,
    /// Label names. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) labels: Option<Vec<String>>,
    /// User names. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) assignees: Option<Vec<String>>,
    /// User names. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) reviewers: Option<Vec<String>>,
    /// Open it as a draft. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) draft: Option<bool>,
    /// Squash on merge. Default: as the project has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) squash: Option<bool>,
    /// Remove the source branch on merge. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) remove_source_branch: Option<bool>,
    /// The title of a milestone of the project or of a group above it. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) milestone: Option<String>,
    /// When an open one is built anew although its change is right. Default: conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) rebase: Option<RawRebase>,
    /// When an open one is left where it is although a newer release is published. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) freeze: Option<RawFreeze>,
    /// What becomes of a release whose merge request a person closed. Default: ignore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) on_closed: Option<RawOnClosed>,
    /// Let the forge merge by itself once a pipeline looks after the bot's own commit. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) auto_merge: Option<bool>,
    /// A template of the title: `{{ producer }} {{ from }} → {{ to }}`. Variables: producer, project, target_branch, from,
    /// to, update_type (major, minor, patch, align), renamed, added, removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) title: Option<String>,
    /// A template of the commit's title and body. Default: the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) commit_message: Option<String>,
    /// A template of the description; `{{ text }}` is the bot's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) body: Option<String>,
    /// Lines `Key: value` at the end of the commit message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) commit_trailers: Option<Vec<String>>,
    /// Name and mail for a line `Signed-off-by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) sign_off: Option<String>,
    /// `true` begins titles with `chore(deps)`, a text begins them with that. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) semantic_commits: Option<RawSemanticCommits>,
}

/// How titles begin.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum RawSemanticCommits {
    /// With `chore(deps)`, or with nothing.
    Usual(bool),
    /// With this type and scope.
    Type(String),
}

/// When an open merge request is built anew although its change is right.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawRebase {
    /// When the forge reports a conflict.
    Conflict,
    /// Whenever the target branch has moved on. Every push costs a pipeline, and often the approvals.
    Behind,
    /// Only when a person ticks the box in its text.
    Never,
}

/// When an open merge request is left where it is although a newer release is published.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawFreeze {
    /// It always moves to the newest release.
    Never,
    /// Once it is approved; its text names the newer release.
    Approved,
}

/// What becomes of a release whose merge request a person closed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawOnClosed {
    /// It is not proposed again; the next release is.
    Ignore,
    /// Its merge request is opened again.
    Reopen,
}

impl RawMergeRequest {
    /// These settings, and what they leave open as `above` has it.
    pub(in crate::config) fn or(&self, above: &Self) -> Self {
        Self {
            labels: self.labels.clone().or_else(|| above.labels.clone()),
            assignees: self.assignees.clone().or_else(|| above.assignees.clone()),
            reviewers: self.reviewers.clone().or_else(|| above.reviewers.clone()),
            draft: self.draft.or(above.draft),
            squash: self.squash.or(above.squash),
            remove_source_branch: self.remove_source_branch.or(above.remove_source_branch),
            milestone: self.milestone.clone().or_else(|| above.milestone.clone()),
            rebase: self.rebase.or(above.rebase),
            freeze: self.freeze.or(above.freeze),
            on_closed: self.on_closed.or(above.on_closed),
            auto_merge: self.auto_merge.or(above.auto_merge),
            title: self.title.clone().or_else(|| above.title.clone()),
            commit_message: self.commit_message.clone().or_else(|| above.commit_message.clone()),
            body: self.body.clone().or_else(|| above.body.clone()),
            commit_trailers: self.commit_trailers.clone().or_else(|| above.commit_trailers.clone()),
            sign_off: self.sign_off.clone().or_else(|| above.sign_off.clone()),
            branch_prefix: self.branch_prefix.clone().or_else(|| above.branch_prefix.clone()),
            semantic_commits: self.semantic_commits.clone().or_else(|| above.semantic_commits.clone()),
        }
    }
}
