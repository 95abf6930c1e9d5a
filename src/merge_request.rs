//! The bot's merge request: whose it is, what it says, and what is to be written next.
//!
//! Pure values in, values out. [`decide::next`] is the one place that decides about a branch or a merge request;
//! `observe` reads what it needs, `apply` does what it says.

pub mod branch;
pub mod decide;
pub mod description;
pub mod fate;
pub mod inert;
pub mod marker;
pub mod notice;
pub mod outcome;
pub mod ownership;
pub mod patch;
pub mod request;
pub mod template;
pub mod text;
pub mod trailer;

pub use branch::{Branch, Commit, CommitId, Comparison, NewCommit};
pub use decide::{Action, Decision, Observed, Offer, SourceBranch, Update, Wanted, Work, next};
pub use outcome::Outcome;
pub use ownership::Ownership;
pub use patch::{FileChange, Patch, PatchId};
pub use request::{
    Freeze, MergeRequest, MergeRequestEdit, MergeRequestSettings, MergeRequestState, Mergeability,
    NewMergeRequest, OnClosed, Pipeline, Rebase, StateChange, Upkeep,
};

use crate::release::Version;

/// The source branch for a producer's releases: one for each target branch and major version.
pub fn source_branch(target: &Branch, producer: &str, version: &Version) -> Branch {
    let (major, _, _) = version.triple();
    Branch(format!("{}{major}.x", source_prefix(target, producer)))
}

/// How the names of all source branches for a target branch and producer begin.
pub fn source_prefix(target: &Branch, producer: &str) -> String {
    format!("dibump/{target}/{producer}-")
}

/// Whether a branch that begins with [`source_prefix`] is one of them: another producer's name may begin alike.
pub fn is_source_branch(branch: &Branch, prefix: &str) -> bool {
    let major = branch.0.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".x"));
    major.is_some_and(|major| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_branch_serves_one_target_branch_producer_and_major_version() {
        let branch = source_branch(
            &Branch("release-1.4".into()),
            "diskimage-builder",
            &"0.4.12".parse().expect("a version"),
        );
        assert_eq!(branch.0, "dibump/release-1.4/diskimage-builder-0.x");
    }
}
