//! Branches and commits, as far as recognising and making our own needs them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::release::Version;

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

/// Where a change goes: from which branch into which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The source branch.
    pub source: Branch,
    /// How the names of all source branches of this target begin.
    pub prefix: String,
    /// The target branch.
    pub target: Branch,
    /// The target branch's head, at which the files were read and on which the commit will stand.
    pub head: CommitId,
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
    pub files: BTreeMap<String, Arc<[u8]>>,
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

impl Place {
    /// Where a producer's release goes: one source branch for each target branch and major version.
    pub fn new(target: &Branch, head: &CommitId, producer: &str, version: &Version) -> Self {
        let prefix = format!("dibump/{target}/{producer}-");
        let (major, _, _) = version.triple();
        Self {
            source: Branch(format!("{prefix}{major}.x")),
            prefix,
            target: target.clone(),
            head: head.clone(),
        }
    }

    /// Whether a branch that begins with [`Place::prefix`] is one of the producer's: another one's name may begin alike.
    pub fn is_source(&self, branch: &Branch) -> bool {
        let major = branch.0.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix(".x"));
        major.is_some_and(|major| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_branch_serves_one_target_branch_producer_and_major_version() {
        let (target, head) = (Branch("release-1.4".into()), CommitId("1".into()));
        let place = Place::new(&target, &head, "diskimage-builder", &"0.4.12".parse().unwrap());
        assert_eq!(place.source.0, "dibump/release-1.4/diskimage-builder-0.x");
        for (branch, is_source) in [
            ("dibump/release-1.4/diskimage-builder-12.x", true),
            ("dibump/release-1.4/diskimage-builder-x-0.x", false),
            ("dibump/release-1.4/diskimage-builder-.x", false),
            ("dibump/main/diskimage-builder-0.x", false),
        ] {
            assert_eq!(place.is_source(&Branch(branch.into())), is_source, "{branch}");
        }
    }
}
