//! `merge_request:` as written: what a new one is like, what it says, and how an open one is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layered::layered;
use crate::merge_request::{Freeze, OnClosed, Rebase};

layered! {
    /// Settings of merge requests. A key that is missing here is taken from the level above.
    struct RawMergeRequest {
        /// Text that the names of source branches begin with. Default: dibump/.
        #[schemars(example = "dibump/")]
        branch_prefix: String,
        /// Label names. Default: none.
        labels: Vec<String>,
        /// User names. Default: none.
        assignees: Vec<String>,
        /// User names. Default: none.
        reviewers: Vec<String>,
        /// Open it as a draft. Default: false.
        draft: bool,
        /// Squash on merge. Default: as the project has it.
        squash: bool,
        /// Remove the source branch on merge. Default: true.
        remove_source_branch: bool,
        /// The title of a milestone of the project or of a group above it. Default: none.
        milestone: String,
        /// When to rebuild an open one whose change is still right. Default: conflict.
        rebase: Rebase,
        /// When an open one is left where it is although a newer release is published. Default: never.
        freeze: Freeze,
        /// What becomes of a release whose merge request a person closed. Default: ignore.
        on_closed: OnClosed,
        /// Let the forge merge, once a pipeline of the bot's own commit exists and has not failed. Default: false.
        auto_merge: bool,
        /// A template of the title: `{{ producer }} {{ from }} → {{ to }}`. Variables: producer, project, target_branch, from,
        /// to, update_type (major, minor, patch, align), renamed, added, removed.
        title: String,
        /// A template of the commit's title and body. Default: the title.
        commit_message: String,
        /// A template of the description; `{{ text }}` is the bot's own.
        body: String,
        /// Lines `Key: value` at the end of the commit message.
        commit_trailers: Vec<String>,
        /// Name and mail for a line `Signed-off-by`.
        sign_off: String,
        /// `true` begins titles with `chore(deps)`, a text begins them with that. Default: false.
        semantic_commits: RawSemanticCommits,
    }
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
