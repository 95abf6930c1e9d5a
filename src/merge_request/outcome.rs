//! How a run ended for one branch: a closed list, printed and in the JSON report.

use std::fmt;

/// How a run ended for one target branch. The reasons are sentence fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file is what the plan wants.
    UpToDate,
    /// A merge request was opened.
    Created,
    /// The merge request was changed.
    Updated,
    /// The merge request is what the plan wants.
    Unchanged,
    /// The merge request was merged while the run looked after it.
    Merged,
    /// A gate holds every newer release back; the name of the hold.
    Held(String),
    /// It is not the time to open or change anything.
    NotScheduled,
    /// As many merge requests are open as the configuration allows.
    Limited,
    /// People's work is on the source branch; it was left alone.
    EditedByOthers,
    /// A person closed or reverted the merge request for this release.
    ClosedByOthers,
    /// The bot closed its merge request.
    Closed(String),
    /// A merge request that had been closed was opened again.
    Reopened,
    /// The branch, the file or the key is not there.
    NoTarget(String),
    /// A dry run: a merge request would be opened.
    WouldCreate,
    /// A dry run: the merge request would be changed.
    WouldUpdate,
    /// A dry run: the merge request would be closed.
    WouldClose,
    /// It is unsafe as asked.
    Refused(String),
    /// It could not be told; nothing was changed, closed or removed.
    Unknown(String),
    /// It failed, and a person must act.
    Failed(String),
    /// It failed by a mistake of ours.
    Bug(String),
}

impl Outcome {
    /// The outcome's name without its reason, for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UpToDate => "up-to-date",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Merged => "merged",
            Self::Held(_) => "held",
            Self::NotScheduled => "not-scheduled",
            Self::Limited => "limited",
            Self::EditedByOthers => "edited-by-others",
            Self::ClosedByOthers => "closed-by-others",
            Self::Closed(_) => "closed",
            Self::Reopened => "reopened",
            Self::NoTarget(_) => "no-target",
            Self::WouldCreate => "would-create",
            Self::WouldUpdate => "would-update",
            Self::WouldClose => "would-close",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
            Self::Failed(_) => "failed",
            Self::Bug(_) => "bug",
        }
    }

    /// The same for people.
    pub fn words(&self) -> String {
        self.name().replace('-', " ")
    }

    /// Why, where the outcome has a reason.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Held(why)
            | Self::Closed(why)
            | Self::NoTarget(why)
            | Self::Refused(why)
            | Self::Unknown(why)
            | Self::Failed(why)
            | Self::Bug(why) => Some(why),
            _ => None,
        }
    }

    /// Whether nothing is new: a file or a merge request that is as the plan wants it, or whose time has not come.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::UpToDate | Self::Unchanged | Self::NotScheduled)
    }

    /// Whether a person has something to look at: a merge request to review, a hold, work that the bot leaves alone. How an
    /// error ends is another question ([`ending`](crate::ending)).
    pub fn asks_for_a_person(&self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Updated
                | Self::Reopened
                | Self::Held(_)
                | Self::Limited
                | Self::EditedByOthers
                | Self::WouldCreate
                | Self::WouldUpdate
        )
    }

    /// Whether a dry run would have written something.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::WouldCreate | Self::WouldUpdate | Self::WouldClose)
    }

    /// The outcome of a dry run where a run would end in this one.
    pub fn foreseen(self) -> Self {
        match self {
            Self::Created => Self::WouldCreate,
            Self::Updated | Self::Reopened => Self::WouldUpdate,
            Self::Closed(_) => Self::WouldClose,
            other => other,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.words();
        match (self, self.reason()) {
            (Self::Held(hold), _) => f.pad(&format!("{words} ({hold})")),
            (_, Some(why)) => f.pad(&format!("{words}: {why}")),
            (_, None) => f.pad(&words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_print_as_the_contract_lists_them() {
        assert_eq!(Outcome::UpToDate.to_string(), "up to date");
        assert_eq!(Outcome::Held("too-young".into()).to_string(), "held (too-young)");
        assert_eq!(Outcome::NoTarget("no file".into()).to_string(), "no target: no file");
        assert_eq!(format!("{:>12}", Outcome::Created), "     created");
        assert_eq!(Outcome::Updated.foreseen(), Outcome::WouldUpdate);
    }
}
