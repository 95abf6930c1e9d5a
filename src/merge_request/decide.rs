//! The decision: what is there and what is wanted give one write, or none.
//!
//! [`next`] is called after every write with what is there then, so that being interrupted anywhere is the same as
//! being between two calls.

mod close;
mod update;

use super::Offered;
use super::branch::{Branch, CommitId, NewCommit, Place};
use super::description::Description;
use super::fate::Fates;
use super::outcome::Outcome;
use super::ownership::BranchOwner;
use super::request::{
    MergeRequest, MergeRequestEdit, MergeRequestState, Mergeability, NewMergeRequest, PipelineStatus, Rebase,
    StateChange,
};
pub use update::Update;
use update::Updating;

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The source branch that is wanted, and its merge requests.
    pub current: Offer,
    /// The bot's other source branches for the same target branch and producer: other major versions.
    pub others: Vec<Offer>,
    /// Whether the open merge request is approved. Only asked where it decides.
    pub approved: bool,
    /// The newest pipeline of the open merge request. Only asked where it decides.
    pub pipeline: Option<PipelineStatus>,
    /// Whether the forge was asked for a draft and has none here.
    pub no_drafts: bool,
}

/// A source branch and what was ever opened from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The source branch's name.
    pub branch: Branch,
    /// The branch itself; `None` if there is none.
    pub source: Option<SourceBranch>,
    /// All its merge requests, newest first; those from forks and to other target branches included.
    pub merge_requests: Vec<MergeRequest>,
}

/// The source branch as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBranch {
    /// Its head.
    pub head: CommitId,
    /// Whose work it is.
    pub ownership: BranchOwner,
    /// Where it is a person's: the planned lines that it lacks.
    pub lacking: Vec<String>,
}

/// What should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredState {
    /// Where it goes.
    pub place: Place,
    /// What is to be offered.
    pub work: Work,
    /// What became of the releases that open merge requests may offer.
    pub fates: Fates,
    /// How many characters the forge allows in a description.
    pub description_limit: usize,
    /// How it ends where a merge request would be opened that may not be now; what is open is kept all the same.
    pub withheld: Option<Outcome>,
}

/// What is to be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// This change.
    Update(Box<Update>),
    /// No change.
    Nothing {
        /// How it stands.
        outcome: Outcome,
        /// Why, where there is more to say.
        note: Option<String>,
    },
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make the source branch.
    Push(NewCommit),
    /// Open the merge request.
    Create(NewMergeRequest),
    /// Change, close or reopen the merge request.
    Edit {
        /// Its number.
        number: u64,
        /// What changes.
        edit: MergeRequestEdit,
    },
    /// Remove a source branch that served its purpose.
    RemoveBranch {
        /// The branch.
        branch: Branch,
        /// Its head.
        head: CommitId,
    },
    /// Let the forge merge it by itself.
    EnableAutoMerge {
        /// Its number.
        number: u64,
        /// The commit that may be merged.
        head: CommitId,
    },
    /// Take that back.
    CancelAutoMerge {
        /// Its number.
        number: u64,
    },
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// One write, then observe again.
    Do {
        /// The write.
        action: Box<Action>,
        /// What a run that goes on like this will have done.
        leads_to: Outcome,
    },
    /// The forge is at work: observe again in a while, or leave it to the next run.
    Wait {
        /// What it is waited for.
        until: Awaited,
        /// What a person should know about the merge request whatever comes of it.
        note: Option<String>,
    },
    /// Nothing is to be written.
    Done {
        /// How it stands.
        outcome: Outcome,
        /// What a person should know about it.
        note: Option<String>,
    },
}

/// What a forge does by itself, and in its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// A pipeline of the merge request with this number, after a push.
    Pipeline(u64),
    /// Whether the merge request has conflicts, after its target branch moved.
    ConflictCheck,
}

/// The next write, or none.
pub fn next(observed: &Observed, wanted: &DesiredState) -> Decision {
    if let Some(decision) = close::gone(observed, wanted) {
        return decision;
    }
    let decision = match &wanted.work {
        Work::Update(update) => {
            let updating =
                Updating { update, place: &wanted.place, description_limit: wanted.description_limit };
            opening(updating.next(observed), update, wanted)
        }
        Work::Nothing { outcome, note } => nothing(observed, wanted, outcome, note.as_ref()),
    };
    match decision {
        // Only what is in step is tidied up after: before, an older offer is better than none.
        Decision::Done { outcome: Outcome::Unchanged, .. } | Decision::Wait { .. } => {
            close::superseded(observed, wanted)
                .or_else(|| close::leftover(observed, wanted))
                .unwrap_or_else(|| unless_unchecked(decision, observed, wanted))
        }
        Decision::Done { .. } if matches!(wanted.work, Work::Nothing { .. }) => {
            close::leftover(observed, wanted).unwrap_or(decision)
        }
        decision => decision,
    }
}

/// Whether all is well is not known as long as the forge may still report a conflict, which it looks for only when it is
/// asked. Not where the branch stands on the head of its target branch: there nothing can conflict.
fn unless_unchecked(decision: Decision, observed: &Observed, wanted: &DesiredState) -> Decision {
    let (Work::Update(update), Some(open)) = (&wanted.work, observed.current.open(&wanted.place.target))
    else {
        return decision;
    };
    let minds = update.upkeep.rebase == Rebase::Conflict && !observed.approved;
    let may_conflict = match observed.current.source.as_ref().map(|source| &source.ownership) {
        Some(BranchOwner::Recorded) => true,
        Some(BranchOwner::Ours { parent, .. }) => *parent != wanted.place.head,
        _ => false,
    };
    match decision {
        Decision::Done { note, .. } | Decision::Wait { note, .. }
            if minds && may_conflict && open.mergeability == Mergeability::Unknown =>
        {
            Decision::Wait { until: Awaited::ConflictCheck, note }
        }
        decision => decision,
    }
}

/// Opening begins with the branch already, so that nothing is left behind that is not offered.
fn opening(decision: Decision, update: &Update, wanted: &DesiredState) -> Decision {
    match (&decision, &wanted.withheld) {
        (Decision::Do { leads_to: Outcome::Created | Outcome::Reopened, .. }, Some(withheld)) => {
            noted(withheld.clone(), format!("{} waits to be proposed", update.version))
        }
        _ => decision,
    }
}

fn nothing(observed: &Observed, wanted: &DesiredState, outcome: &Outcome, note: Option<&String>) -> Decision {
    let open = observed.offers().find_map(|offer| offer.open(&wanted.place.target));
    let left = open.map(|mr| format!("merge request {} is open and was left as it is", mr.number));
    let note = [note.cloned(), left].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Decision::Done { outcome: outcome.clone(), note: Some(note).filter(|note| !note.is_empty()) }
}

impl Observed {
    fn offers(&self) -> impl Iterator<Item = &Offer> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

impl Offer {
    /// Anybody can open a merge request from a fork with our branch name and a forged marker: only the project's own
    /// count.
    pub fn own(&self) -> impl Iterator<Item = &MergeRequest> {
        self.merge_requests.iter().filter(|mr| mr.from_this_project)
    }

    /// The open one.
    pub fn open(&self, target: &Branch) -> Option<&MergeRequest> {
        self.own().find(|mr| mr.state == MergeRequestState::Open && mr.target_branch == *target)
    }

    /// Whether the branch holds nothing but the bot's work, so that nobody loses anything with it.
    fn is_untouched(&self) -> bool {
        match &self.source {
            None => true,
            Some(source) => matches!(source.ownership, BranchOwner::Ours { .. } | BranchOwner::Nothing),
        }
    }

    /// What an open merge request offers, by its marker or by its branch; of two the newer one.
    fn offered(&self, open: &MergeRequest) -> Option<Offered> {
        let marked = Description::read(&open.description).map(|description| description.marker.version);
        let on_branch = match self.source.as_ref().map(|source| &source.ownership) {
            Some(BranchOwner::Ours { release, .. }) => release.clone(),
            _ => None,
        };
        match (marked, on_branch) {
            (Some(marked), Some(on_branch)) if on_branch > marked => Some(on_branch),
            (marked, on_branch) => marked.or(on_branch),
        }
    }
}

impl MergeRequestEdit {
    fn state(state: StateChange) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    fn description(description: String) -> Self {
        Self { description: Some(description), ..Self::default() }
    }
}

fn write(action: Action, leads_to: Outcome) -> Decision {
    Decision::Do { action: Box::new(action), leads_to }
}

fn done(outcome: Outcome) -> Decision {
    Decision::Done { outcome, note: None }
}

fn noted(outcome: Outcome, note: String) -> Decision {
    Decision::Done { outcome, note: Some(note) }
}

#[cfg(test)]
mod tests;
