//! The bot's merge request: whose it is, what it says, and what is to be written next.
//!
//! Pure values in, values out. [`decide::next`] is the one place that decides about a branch or a merge request;
//! `observe` reads what it needs, `apply` does what it says.

pub mod branch;
pub mod decide;
pub mod inert;
pub mod marker;
pub mod outcome;
pub mod ownership;
pub mod patch;
pub mod request;
pub mod text;
pub mod trailer;

pub use branch::{Branch, Commit, CommitId, Comparison, NewCommit};
pub use decide::{Action, Decision, Observed, SourceBranch, Update, Wanted, next};
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
    Branch(format!("dibump/{target}/{producer}-{major}.x"))
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
