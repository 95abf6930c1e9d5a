//! Whose is what stands on the source branch? E-mails and authors decide nothing: tokens rotate.

use std::collections::BTreeMap;

use super::Offered;
use super::branch::{CommitId, Comparison};
use super::patch::{FileChange, PatchId};
use super::trailer::{self, Trailers};

/// More changed files than this are nobody's update, and not worth reading.
const MOST_PATHS: usize = 20;

/// Whose work is on top of the target branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchOwner {
    /// Exactly one commit, whose patch is the one that its trailer claims; whoever pushed, rebased or signed it.
    Ours {
        /// What it changes.
        patch: PatchId,
        /// The commit it stands on.
        parent: CommitId,
        /// The releases that its trailer names.
        release: Option<Offered>,
    },
    /// Nothing is there that could be lost, as after a merge that left the branch.
    Nothing,
    /// A person's: left alone.
    Others {
        /// How we know, as a sentence fragment.
        why: String,
    },
    /// The forge cut its answer: never overwritten.
    Unknown {
        /// What could not be read, as a sentence fragment.
        why: String,
    },
    /// The marker records this very commit for the wanted patch, so that it was not read again.
    Recorded,
}

/// What the commits alone say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The files need not be read.
    Settled(BranchOwner),
    /// One commit with a trailer: its files decide.
    Unproven(ClaimedCommit),
}

/// A commit that claims to be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCommit {
    /// The commit.
    pub commit: CommitId,
    /// Its only parent.
    pub parent: CommitId,
    /// The paths that it changes.
    pub paths: Vec<String>,
    /// What it claims.
    pub claim: Trailers,
}

/// What the commits on top of the target branch say, before any file is read.
pub fn claim(comparison: &Comparison) -> Claim {
    let others = |why: String| Claim::Settled(BranchOwner::Others { why });
    let commit = match comparison.commits.as_slice() {
        [] => return Claim::Settled(BranchOwner::Nothing),
        [commit] => commit,
        more => return others(format!("{} commits are on the source branch", more.len())),
    };
    let Some(claim) = trailer::read(&commit.message) else {
        return others(format!("commit {} is not the bot's", short(&commit.id)));
    };
    let [parent] = commit.parents.as_slice() else {
        return others(format!("commit {} is a merge", short(&commit.id)));
    };
    let Some(paths) = &comparison.paths else {
        let why = "the forge cut the comparison of source and target branch".to_owned();
        return Claim::Settled(BranchOwner::Unknown { why });
    };
    if paths.len() > MOST_PATHS {
        return others(format!("commit {} changes {} files", short(&commit.id), paths.len()));
    }
    let (commit, parent, paths) = (commit.id.clone(), parent.clone(), paths.clone());
    Claim::Unproven(ClaimedCommit { commit, parent, paths, claim })
}

impl ClaimedCommit {
    /// Compares the claim with what the commit does. A file that it removes (`None`) is not the bot's work.
    pub fn prove(self, files: BTreeMap<String, Option<FileChange>>) -> BranchOwner {
        let files: Option<BTreeMap<_, _>> =
            files.into_iter().map(|(path, file)| Some((path, file?))).collect();
        match files.map(|files| PatchId::of(&files)) {
            Some(patch) if patch == self.claim.patch => {
                BranchOwner::Ours { patch, parent: self.parent, release: self.claim.release }
            }
            _ => {
                let why = format!("commit {} does not change what its trailer says", short(&self.commit));
                BranchOwner::Others { why }
            }
        }
    }
}

fn short(id: &CommitId) -> &str {
    id.0.get(..8).unwrap_or(&id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge_request::Commit;

    fn files() -> BTreeMap<String, FileChange> {
        [("a".to_owned(), FileChange { before: Some((*b"1\n").into()), after: (*b"2\n").into() })].into()
    }

    fn ours() -> Commit {
        let trailers = Trailers { patch: PatchId::of(&files()), release: None };
        let message = trailer::write("Title", &[], &trailers);
        Commit { id: CommitId("c".into()), parents: vec![CommitId("p".into())], message }
    }

    fn judge(commits: Vec<Commit>, paths: Option<usize>) -> Claim {
        let paths = paths.map(|n| (0..n).map(|i| i.to_string()).collect());
        claim(&Comparison { commits, paths })
    }

    fn why(claim: Claim) -> String {
        match claim {
            Claim::Settled(BranchOwner::Others { why } | BranchOwner::Unknown { why }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_commit_that_does_what_it_claims_is_ours() {
        let Claim::Unproven(candidate) = judge(vec![ours()], Some(1)) else { panic!() };
        let files: BTreeMap<_, _> = files().into_iter().map(|(path, file)| (path, Some(file))).collect();
        assert!(matches!(candidate.clone().prove(files.clone()), BranchOwner::Ours { .. }));

        let mut more = files.clone();
        more.insert("b".into(), Some(FileChange { before: None, after: (*b"x").into() }));
        assert!(matches!(candidate.clone().prove(more), BranchOwner::Others { .. }), "amended");
        let mut added = files.clone();
        added.insert("b".into(), Some(FileChange { before: None, after: [].into() }));
        assert!(
            matches!(candidate.clone().prove(added), BranchOwner::Others { .. }),
            "a new file, and empty"
        );
        let mut removed = files;
        removed.insert("b".into(), None);
        assert!(matches!(candidate.prove(removed), BranchOwner::Others { .. }), "a file less");
    }

    #[test]
    fn anything_else_is_a_persons_or_unknown() {
        let foreign = Commit { message: "Fix it".into(), ..ours() };
        let merge = Commit { parents: vec![CommitId("p".into()), CommitId("q".into())], ..ours() };
        assert_eq!(judge(vec![], Some(0)), Claim::Settled(BranchOwner::Nothing));
        assert_eq!(why(judge(vec![ours(), foreign.clone()], Some(1))), "2 commits are on the source branch");
        assert_eq!(why(judge(vec![foreign], None)), "commit c is not the bot's");
        assert_eq!(why(judge(vec![merge], Some(1))), "commit c is a merge");
        assert_eq!(why(judge(vec![ours()], Some(21))), "commit c changes 21 files");
        assert_eq!(
            why(judge(vec![ours()], None)),
            "the forge cut the comparison of source and target branch"
        );
    }
}
