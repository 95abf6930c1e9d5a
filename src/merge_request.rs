//! The bot's merge request: whose it is, what it says, and what is to be written next.
//!
//! Pure values in, values out. [`decide::next`] is the one place that decides about a branch or a merge request;
//! `observe` reads what it needs, `apply` does what it says.

pub mod branch;
pub mod decide;
pub mod description;
pub mod fate;
pub mod marker;
pub mod notice;
pub mod offered;
pub mod onboarding;
pub mod outcome;
pub mod ownership;
pub mod patch;
pub mod request;
pub mod template;
pub mod text;
pub mod trailer;

pub use branch::{Branch, BranchPrefix, Commit, CommitId, Comparison, NewCommit, Place};
pub use decide::{
    Action, Awaited, Decision, DesiredState, Observed, Offer, SourceBranch, Update, Work, next,
};
pub use offered::Offered;
pub use outcome::Outcome;
pub use ownership::BranchOwner;
pub use patch::{FileChange, Patch, PatchId};
pub use request::{
    Freeze, MergeRequest, MergeRequestEdit, MergeRequestSettings, MergeRequestState, Mergeability,
    NewMergeRequest, OnClosed, PipelineStatus, Rebase, StateChange, TitleLimit, Upkeep,
};
