//! Branches and commits, as far as recognising and making our own needs them.

use std::collections::BTreeMap;
use std::fmt;

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
