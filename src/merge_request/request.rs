//! A merge request as a forge shows it, and what can be asked of one.

use super::branch::{Branch, CommitId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Open, closed or merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeRequestState {
    /// Open.
    Open,
    /// Closed without being merged.
    Closed,
    /// Merged.
    Merged,
}

/// Whether a merge request could be merged without a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mergeability {
    /// The forge has looked and reports no conflict.
    Clean,
    /// The forge reports a conflict.
    Conflict,
    /// The forge has not looked since a branch moved.
    Unknown,
}

/// A merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Its number in the project.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Open, closed or merged.
    pub state: MergeRequestState,
    /// Its title, without a draft prefix.
    pub title: String,
    /// Its description, hidden marker included.
    pub description: String,
    /// Its source branch.
    pub source_branch: Branch,
    /// Its target branch.
    pub target_branch: Branch,
    /// Whether the source branch is in the project itself. Anybody can open one from a fork with our branch name.
    pub from_this_project: bool,
    /// The head of its source branch, as the merge request knows it.
    pub head: Option<CommitId>,
    /// Whether it could be merged.
    pub mergeability: Mergeability,
    /// What keeps the forge from merging it, in the forge's word, where it says so.
    pub blocked_by: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether the forge will merge it by itself.
    pub auto_merge: bool,
}

/// The checks of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineStatus {
    /// The head of the source branch that it belongs to, even where it ran on the merge with the target branch.
    pub head: CommitId,
    /// Whether it failed, was canceled or was skipped: it vouches for nothing.
    pub failed: bool,
    /// Whether it has succeeded: what is set to auto-merge now is merged at once, or not at all.
    pub succeeded: bool,
}

/// Closing, or opening again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateChange {
    /// Close it without merging.
    Close,
    /// Open it again.
    Reopen,
}

/// A merge request to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMergeRequest {
    /// Its source branch.
    pub source_branch: Branch,
    /// Its target branch.
    pub target_branch: Branch,
    /// Its title, without a draft prefix.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The description until its settings are set, for forges that take them by further requests: its marker says that
    /// they are still to come.
    pub unset_description: String,
    /// Settings that the user chose.
    pub settings: MergeRequestSettings,
}

impl MergeRequestSettings {
    /// Whether something is chosen that a forge may take by further requests only.
    pub fn has_people_or_labels(&self) -> bool {
        !self.labels.is_empty()
            || !self.assignees.is_empty()
            || !self.reviewers.is_empty()
            || self.milestone.is_some()
    }
}

/// How many characters of a title a forge takes, whatever the merge request is: what marks a draft is counted already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TitleLimit(pub usize);

impl TitleLimit {
    /// The title as the forge keeps it. Forges drop the white space at the end, so a cut leaves none there.
    pub fn cut(self, title: &str) -> &str {
        let end = title.char_indices().nth(self.0).map_or(title.len(), |(end, _)| end);
        title[..end].trim_end()
    }
}

/// Settings of a new merge request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeRequestSettings {
    /// Label names.
    pub labels: Vec<String>,
    /// User names.
    pub assignees: Vec<String>,
    /// User names.
    pub reviewers: Vec<String>,
    /// Open it as a draft.
    pub draft: bool,
    /// Squash on merge; `None` leaves it to the project.
    pub squash: Option<bool>,
    /// Remove the source branch on merge.
    pub remove_source_branch: bool,
    /// The title of a milestone of the project or of a group above it.
    pub milestone: Option<String>,
}

/// How an open merge request is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// When the branch is built anew although its change is right.
    pub rebase: Rebase,
    /// When the branch is left where it is although a newer change is wanted.
    pub freeze: Freeze,
    /// What becomes of a release whose merge request a person closed.
    pub on_closed: OnClosed,
    /// Let the forge merge by itself once the pipeline of the bot's own commit allows it.
    pub auto_merge: bool,
}

/// When the branch is built anew although its change is right. Every push costs a pipeline, and often the approvals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rebase {
    /// When the forge reports a conflict.
    #[default]
    Conflict,
    /// Whenever the target branch has moved on. Every push costs a pipeline, and often the approvals.
    Behind,
    /// Only when a person ticks the box in its text.
    Never,
}

/// When an open merge request is left where it is although a newer release is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Freeze {
    /// It always moves to the newest release.
    #[default]
    Never,
    /// Once it is approved; its text names the newer release.
    Approved,
}

/// What becomes of a release whose merge request a person closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnClosed {
    /// It is not proposed again; the next release is.
    #[default]
    Ignore,
    /// Its merge request is opened again.
    Reopen,
}

/// What changes in an existing merge request; `None` leaves a field alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeRequestEdit {
    /// A new title, without a draft prefix; a draft stays one.
    pub title: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// Closing, or opening again.
    pub state: Option<StateChange>,
    /// Labels, people and milestone that did not come with it when it was opened, together with the description that says
    /// so; only where its marker tells of them, and that is written for forges alone that need further requests.
    pub settings: Option<MergeRequestSettings>,
    /// Making it a draft; `false` leaves it what it is.
    pub draft: bool,
}
