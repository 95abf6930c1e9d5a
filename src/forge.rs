//! Port: a forge, as far as a bot needs one: files, branches and merge requests of one project.
//!
//! The methods under "writes" are called by `apply` alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

/// A branch name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch(pub String);

/// A full commit id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub String);

/// A commit, as far as recognising our own needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// Its whole message, trailers included.
    pub message: String,
}

/// What a source branch has on top of its merge base with the target branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The commits, oldest first.
    pub commits: Vec<Commit>,
    /// The paths that differ from the merge base; `None` when the forge cut its answer, which is unknown.
    pub paths: Option<Vec<String>>,
}

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
    /// No conflict was found.
    Clean,
    /// The forge reports a conflict.
    Conflict,
    /// The forge has not looked yet, or says something new.
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
    /// Its title.
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
    /// Its labels.
    pub labels: Vec<String>,
    /// Whether it is a draft.
    pub draft: bool,
}

/// A branch to be made equal to one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    /// The branch, made or overwritten.
    pub branch: Branch,
    /// The commit that becomes the only parent: the one at which the files were read.
    pub parent: CommitId,
    /// What the branch must still point at directly before the write; `None` when it must not exist.
    pub expected_head: Option<CommitId>,
    /// The message, trailers included.
    pub message: String,
    /// The new content of each changed file, by path.
    pub files: BTreeMap<String, Vec<u8>>,
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
    /// Settings that the user chose.
    pub settings: MergeRequestSettings,
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
}

/// What changes in an existing merge request; `None` leaves a field alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergeRequestEdit {
    /// A new title.
    pub title: Option<String>,
    /// A new description.
    pub description: Option<String>,
}

/// Who the token belongs to and what it may do; what a forge does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The user name.
    pub user: Option<String>,
    /// The token's scopes.
    pub scopes: Option<Vec<String>>,
    /// The day on which the token expires, `YYYY-MM-DD`.
    pub expires_at: Option<jiff::civil::Date>,
    /// The role in the project, in the forge's words.
    pub role: Option<String>,
    /// Whether a branch below `dibump/` may be pushed.
    pub may_push: Option<bool>,
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
    /// The answer breaks the protocol.
    #[error("{action}: {reason}")]
    Invalid {
        /// What was tried.
        action: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// One project on a forge.
#[async_trait]
pub trait Forge: Send + Sync {
    /// The head of a branch; `None` if there is no such branch.
    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError>;

    /// The bytes of a file at a commit; `None` if there is no such file.
    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError>;

    /// What `source` has on top of its merge base with `target`.
    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError>;

    /// All merge requests, open or not, between the two branches, newest first; those from forks included.
    async fn merge_requests(&self, source: &Branch, target: &Branch)
    -> Result<Vec<MergeRequest>, ForgeError>;

    /// Who we are and what we may do. Used by `config validate --online`.
    async fn access(&self) -> Result<Access, ForgeError>;

    // Writes.

    /// Makes a branch equal to one commit. Drops the write if the branch moved from `expected_head`.
    async fn push(&self, commit: &NewCommit) -> Result<CommitId, ForgeError>;

    /// Opens a merge request.
    async fn create_merge_request(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError>;

    /// Changes a merge request.
    async fn edit_merge_request(&self, number: u64, edit: &MergeRequestEdit) -> Result<(), ForgeError>;
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
