//! Branches and commits, as far as recognising and making our own needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::release::Version;

/// The end of the source branch of a first configuration.
const CONFIGURE: &str = "configure";

/// A branch name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Branch(pub String);

/// What the names of all source branches begin with, put in front as it is: projects have rules on branch names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchPrefix(pub String);

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
    /// The source branch without what the user put in front.
    unprefixed: String,
    /// How it begins, without that: target branch and producer or group.
    stem: String,
    /// How the branches begin that the producers of a group had each by itself; none of one producer.
    joined: Vec<String>,
    /// Source branches of ours with another text in front, from which a merge request is open.
    pub strays: BTreeSet<Branch>,
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
    /// Those of them that the parent does not have.
    pub added: BTreeSet<String>,
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
    pub fn new(
        BranchPrefix(front): &BranchPrefix,
        target: &Branch,
        head: &CommitId,
        producer: &str,
        version: &Version,
    ) -> Self {
        let stem = format!("{target}/{producer}");
        let (major, _, _) = version.triple();
        let unprefixed = format!("{stem}-{major}.x");
        Self {
            source: Branch(format!("{front}{unprefixed}")),
            prefix: format!("{front}{stem}"),
            unprefixed,
            stem,
            joined: Vec::new(),
            strays: BTreeSet::new(),
            target: target.clone(),
            head: head.clone(),
        }
    }

    /// Where the releases of a group of producers go: one source branch for each target branch.
    pub fn of_group<'a>(
        BranchPrefix(front): &BranchPrefix,
        target: &Branch,
        head: &CommitId,
        group: &str,
        producers: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let stem = format!("{target}/{group}");
        let own = |producer: &str| format!("{front}{target}/{producer}");
        Self {
            source: Branch(format!("{front}{stem}")),
            prefix: format!("{front}{target}/"),
            unprefixed: stem.clone(),
            stem,
            joined: producers.into_iter().map(own).collect(),
            strays: BTreeSet::new(),
            target: target.clone(),
            head: head.clone(),
        }
    }

    /// Where the first configuration of a project goes.
    pub fn of_configuration(BranchPrefix(front): &BranchPrefix, target: &Branch, head: &CommitId) -> Self {
        let source = format!("{front}{CONFIGURE}");
        Self {
            source: Branch(source.clone()),
            prefix: source,
            unprefixed: CONFIGURE.to_owned(),
            stem: CONFIGURE.to_owned(),
            joined: Vec::new(),
            strays: BTreeSet::new(),
            target: target.clone(),
            head: head.clone(),
        }
    }

    /// Whether a branch that begins with [`Place::prefix`] is one of ours: another producer's name may begin alike.
    pub fn is_source(&self, branch: &Branch) -> bool {
        let of_major = branch.0.strip_prefix(&self.prefix).is_some_and(is_major);
        let is_own = of_major || self.has_left(branch);
        *branch == self.source || self.has_joined(branch) || self.joined.is_empty() && is_own
    }

    /// Whether a branch is that of the group which had the name of the producer, as long as there was a group.
    pub fn has_left(&self, branch: &Branch) -> bool {
        self.joined.is_empty() && branch.0 == self.prefix && *branch != self.source
    }

    /// Whether a branch is the own one of a producer that is in a group by now.
    pub fn has_joined(&self, branch: &Branch) -> bool {
        self.joined.iter().any(|begin| branch.0.strip_prefix(begin).is_some_and(is_major))
    }

    /// Whether a merge request was opened for this place from a branch that has another text in front: its marker names
    /// target branch and producer, and the rest of the name is right.
    pub fn is_stray(&self, branch: &Branch, target: &Branch, producer: &str) -> bool {
        let is_rest = if self.joined.is_empty() { is_major } else { str::is_empty };
        let found = branch.0.rsplit_once(&self.stem);
        self.stem == format!("{target}/{producer}")
            && !branch.0.starts_with(&self.prefix)
            && found.is_some_and(|(_, rest)| is_rest(rest))
    }

    /// The place with the branches that an earlier setting made: what is open there is kept there.
    #[must_use]
    pub fn with_strays(mut self, strays: BTreeSet<Branch>) -> Self {
        if let Some(stray) = strays.iter().find(|stray| stray.0.ends_with(&self.unprefixed)) {
            self.source = stray.clone();
        }
        self.strays = strays;
        self
    }
}

/// Whether the end of a name is that of a major version: `-0.x`.
fn is_major(rest: &str) -> bool {
    let major = rest.strip_prefix('-').and_then(|rest| rest.strip_suffix(".x"));
    major.is_some_and(|major| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()))
}

impl BranchPrefix {
    /// The source branch for a producer's releases of one major version.
    pub fn source(&self, target: &Branch, producer: &str, major: u64) -> Branch {
        Branch(format!("{}{target}/{producer}-{major}.x", self.0))
    }

    /// Whether a branch that begins with it has a name that Git takes (git-check-ref-format), and one that stands beside its
    /// target branch: `main/x` does not.
    pub fn is_usable(&self) -> bool {
        !self.0.is_empty() && Branch(format!("{}main/x-0.x", self.0)).is_usable()
    }
}

impl Branch {
    /// A default branch, as long as nothing said its name.
    pub fn unnamed_default() -> Self {
        Self("HEAD".to_owned())
    }

    /// Whether its name is known.
    pub fn is_named(&self) -> bool {
        *self != Self::unnamed_default()
    }

    /// Whether Git takes the name, as far as a slip of the finger goes (git-check-ref-format).
    pub fn is_usable(&self) -> bool {
        let text = self.0.as_str();
        let is_part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock") && !part.ends_with('.')
        };
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
        text.split('/').all(is_part)
            && !text.starts_with('-')
            && !text.contains("..")
            && !text.contains("@{")
            && !text.contains(forbidden)
    }
}

impl Default for BranchPrefix {
    fn default() -> Self {
        Self("dibump/".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_branch_serves_one_target_branch_producer_and_major_version() {
        let (target, head) = (Branch("release-1.4".into()), CommitId("1".into()));
        let place = Place::new(
            &BranchPrefix::default(),
            &target,
            &head,
            "diskimage-builder",
            &"0.4.12".parse().unwrap(),
        );
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

    #[test]
    fn a_prefix_is_any_text_that_makes_a_name_of_a_branch() {
        for (text, fits) in [
            ("dibump/", true),
            ("bot-", true),
            ("users/bot/", true),
            ("", false),
            ("/", false),
            ("a//", false),
            ("-a/", false),
            (".a/", false),
            ("a.lock/", false),
            ("a b/", false),
            ("a..", false),
            ("feature/*", false),
        ] {
            assert_eq!(BranchPrefix(text.to_owned()).is_usable(), fits, "{text:?}");
        }
    }

    #[test]
    fn a_branch_under_another_prefix_is_kept_where_its_major_version_is_the_same() {
        let (target, head) = (Branch("main".into()), CommitId("1".into()));
        let new = || {
            let prefix = BranchPrefix("users/bot/".to_owned());
            Place::new(&prefix, &target, &head, "images", &"1.2.3".parse().unwrap())
        };
        let with = |branch: &str| new().with_strays(BTreeSet::from([Branch(branch.into())])).source.0;
        assert_eq!(with("dibump/main/images-1.x"), "dibump/main/images-1.x");
        assert_eq!(with("dibump/main/images-0.x"), "users/bot/main/images-1.x");
    }
}
