//! Port: a forge, as far as a bot needs one: files, branches and merge requests of one project.
//!
//! The methods under "writes" are called by `apply` alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use crate::merge_request::{
    Branch, BranchPrefix, Commit, CommitId, Comparison, MergeRequest, MergeRequestEdit, MergeRequestSettings,
    MergeRequestState, Mergeability, NewCommit, NewMergeRequest, PipelineStatus, StateChange, TitleLimit,
};

/// Who the token belongs to and what it may do; what a forge does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The user name.
    pub user: Option<String>,
    /// The token's scopes.
    pub scopes: Option<Vec<String>>,
    /// A scope that is needed and that is not among them.
    pub lacks_scope: Option<&'static str>,
    /// The day on which the token expires, `YYYY-MM-DD`.
    pub expires_at: Option<jiff::civil::Date>,
    /// The role in the project, in the forge's words.
    pub role: Option<String>,
    /// Whether a source branch may be pushed.
    pub may_push: Option<bool>,
    /// The project's rule on names of branches that the source branch breaks.
    pub name_rule: Option<String>,
    /// Whether such a branch may be made anew where it is protected.
    pub may_force_push: Option<bool>,
    /// Whether merge requests into the default branch may be merged, which auto-merge asks for.
    pub may_merge: Option<bool>,
    /// The project's default branch.
    pub default_branch: Option<Branch>,
}

/// Why a forge did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ForgeError {
    /// The token is missing, wrong, expired, or may not do this. A person must act.
    #[error("{action}: {reason}")]
    Refused {
        /// What was tried, as a sentence fragment ("couldn't create the merge request").
        action: String,
        /// The forge's own words.
        reason: String,
        /// What is needed instead, where we know.
        hint: Option<String>,
    },
    /// The server cannot be spoken to as it is configured, or is not what it was taken for: asking again gives the same.
    #[error("{action}: {reason}")]
    Unusable {
        /// What was tried.
        action: String,
        /// The server, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The forge understood and will not do it as asked: a conflict, a branch that moved, a rule of the project.
    #[error("{action}: {reason}")]
    Rejected {
        /// What was tried.
        action: String,
        /// The forge's own words.
        reason: String,
    },
    /// What was asked for needs another moment: the branch that was just pushed is not seen yet.
    #[error("{action}: {reason}")]
    NotYet {
        /// What was tried.
        action: String,
        /// The forge's own words.
        reason: String,
    },
    /// No answer, or one that a retry may change. Whether a write happened is not known: observe again.
    #[error("{action}: couldn't reach {host}")]
    Unavailable {
        /// What was tried.
        action: String,
        /// The forge's host.
        host: String,
        /// How long the forge asks us to wait, where it says so.
        retry_after: Option<Duration>,
        /// What happened.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The forge answers, and will not do this for the time being: maintenance, a rate limit, a page of a firewall.
    #[error("{action}: {reason}")]
    Postponed {
        /// What was tried.
        action: String,
        /// The forge's own words.
        reason: String,
        /// How long the forge asks us to wait, where it says so.
        retry_after: Option<Duration>,
        /// What to look at if it lasts.
        hint: Option<String>,
    },
    /// The answer breaks the protocol.
    #[error("{action}: {reason}")]
    Invalid {
        /// What was tried.
        action: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// A project that nobody named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProject {
    /// Its path.
    pub path: String,
    /// Its default branch; `None` where the repository is empty.
    pub default_branch: Option<Branch>,
    /// Its topics.
    pub topics: Vec<String>,
}

/// The projects of a forge.
#[async_trait]
pub trait Projects: Send + Sync {
    /// The projects of a group with its subgroups, or of an organisation or user. Archived ones are left out. A list that
    /// was cut is an error.
    async fn projects(&self, group: &str) -> Result<Vec<FoundProject>, ForgeError>;
}

/// One project on a forge.
#[async_trait]
pub trait Forge: Send + Sync {
    /// What people call it: GitLab, GitHub.
    fn name(&self) -> &'static str;

    /// How many characters a title may have, draft or not.
    fn title_limit(&self) -> TitleLimit;

    /// How many characters a description may have.
    fn description_limit(&self) -> usize;

    /// The head of a branch; `None` if there is no such branch.
    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError>;

    /// All branches whose names begin with `prefix`, and their heads.
    async fn branches(&self, prefix: &str) -> Result<BTreeMap<Branch, CommitId>, ForgeError>;

    /// The bytes of a file at a commit; `None` if there is no such file.
    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError>;

    /// The paths of all files at a commit, symbolic links and submodules left out. A list that was cut is an error.
    async fn paths(&self, at: &CommitId) -> Result<Vec<String>, ForgeError>;

    /// What `source` has on top of its merge base with `target`.
    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError>;

    /// All merge requests, open or not, of a source branch with that name, newest first: whatever their target branch
    /// is, and those from forks included. Where conflicts of an open one are not known, it asks the forge to look for
    /// them; a later answer says what was found.
    async fn merge_requests(&self, source: &Branch) -> Result<Vec<MergeRequest>, ForgeError>;

    /// One merge request, as it is now. Where its conflicts are not known, it asks the forge to look for them.
    async fn merge_request(&self, number: u64) -> Result<MergeRequest, ForgeError>;

    /// The open merge requests into a target branch, whatever their source branch is; whether they conflict is not asked.
    async fn open_merge_requests(&self, target: &Branch) -> Result<Vec<MergeRequest>, ForgeError>;

    /// Whether a merge request has the approvals that the project asks for, and at least one.
    async fn is_approved(&self, number: u64) -> Result<bool, ForgeError>;

    /// The newest pipeline (checks) of a merge request's head, or of its merge with the target branch; `None` if there
    /// is none (yet).
    async fn pipeline(&self, number: u64) -> Result<Option<PipelineStatus>, ForgeError>;

    /// The project's default branch.
    async fn default_branch(&self) -> Result<Branch, ForgeError>;

    /// Who we are and what we may do with such a source branch. Used by `config validate --online`.
    async fn access(&self, source: &Branch) -> Result<Access, ForgeError>;

    /// Whether what the user wants of a new merge request is there: people and milestone. It is asked before anything is
    /// written, so that no branch is left behind without one.
    async fn check_settings(&self, settings: &MergeRequestSettings) -> Result<(), ForgeError>;

    // Writes.

    /// Makes a branch equal to one commit. Drops the write if the branch moved from `expected_head`.
    async fn push(&self, commit: &NewCommit) -> Result<CommitId, ForgeError>;

    /// Removes a branch. Drops the write if the branch moved from `expected_head`.
    async fn remove_branch(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), ForgeError>;

    /// Opens a merge request.
    async fn create_merge_request(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError>;

    /// Changes a merge request; everything by one request, so that a state and the text that explains it go together.
    /// `false` where it should become a draft, and the forge has no drafts here.
    async fn edit_merge_request(&self, number: u64, edit: &MergeRequestEdit) -> Result<bool, ForgeError>;

    /// Lets the forge merge by itself once its conditions are met, if the head still is `head`.
    async fn enable_auto_merge(&self, number: u64, head: &CommitId) -> Result<(), ForgeError>;

    /// Takes that back.
    async fn cancel_auto_merge(&self, number: u64) -> Result<(), ForgeError>;
}
