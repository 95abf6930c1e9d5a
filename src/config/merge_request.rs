//! Settings of merge requests, as written and as meant. The two can be told from each other in both directions.

use super::raw::{RawFreeze, RawMergeRequest, RawOnClosed, RawRebase};
use crate::merge_request::{Freeze, MergeRequestSettings, OnClosed, Rebase, Upkeep};

impl RawMergeRequest {
    /// Settings of a new merge request.
    pub(super) fn settings(&self) -> MergeRequestSettings {
        MergeRequestSettings {
            labels: self.labels.clone().unwrap_or_default(),
            assignees: self.assignees.clone().unwrap_or_default(),
            reviewers: self.reviewers.clone().unwrap_or_default(),
            draft: self.draft.unwrap_or(false),
            squash: self.squash,
            remove_source_branch: self.remove_source_branch.unwrap_or(true),
            milestone: self.milestone.clone(),
        }
    }

    /// How an open merge request is kept.
    pub(super) fn upkeep(&self) -> Upkeep {
        Upkeep {
            rebase: match self.rebase {
                None | Some(RawRebase::Conflict) => Rebase::Conflict,
                Some(RawRebase::Behind) => Rebase::Behind,
                Some(RawRebase::Never) => Rebase::Never,
            },
            freeze: match self.freeze {
                None | Some(RawFreeze::Never) => Freeze::Never,
                Some(RawFreeze::Approved) => Freeze::Approved,
            },
            on_closed: match self.on_closed {
                None | Some(RawOnClosed::Ignore) => OnClosed::Ignore,
                Some(RawOnClosed::Reopen) => OnClosed::Reopen,
            },
            auto_merge: self.auto_merge.unwrap_or(false),
        }
    }

    /// The same as written, with every default.
    pub(super) fn of(settings: &MergeRequestSettings, upkeep: Upkeep) -> Self {
        Self {
            labels: Some(settings.labels.clone()),
            assignees: Some(settings.assignees.clone()),
            reviewers: Some(settings.reviewers.clone()),
            draft: Some(settings.draft),
            squash: settings.squash,
            remove_source_branch: Some(settings.remove_source_branch),
            milestone: settings.milestone.clone(),
            rebase: Some(match upkeep.rebase {
                Rebase::Conflict => RawRebase::Conflict,
                Rebase::Behind => RawRebase::Behind,
                Rebase::Never => RawRebase::Never,
            }),
            freeze: Some(match upkeep.freeze {
                Freeze::Never => RawFreeze::Never,
                Freeze::Approved => RawFreeze::Approved,
            }),
            on_closed: Some(match upkeep.on_closed {
                OnClosed::Ignore => RawOnClosed::Ignore,
                OnClosed::Reopen => RawOnClosed::Reopen,
            }),
            auto_merge: Some(upkeep.auto_merge),
        }
    }
}
