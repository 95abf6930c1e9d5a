//! Makes branch and merge request equal to what is wanted: observe, decide, one write, observe again.
//!
//! The only caller of the forge's methods that write. A dry run does not come here: see [`foresee`].

mod config_map;
mod waiting;

use std::borrow::Cow;

use crate::forge::{Branch, CommitId, Forge, ForgeError, MergeRequest, MergeRequestState};
use crate::merge_request::{
    Action, Awaited, BranchOwner, Decision, DesiredState, NewCommit, Observed, Outcome, Work, next,
};
use crate::observe::merge_request::{look_again, observe, strays};

pub use config_map::config_map;
use waiting::Waiting;
pub use waiting::{Patience, SharedWait};

/// How many writes a run tries before it gives up.
const MOST_PASSES: usize = 8;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The outcome.
    pub outcome: Outcome,
    /// What a person should know about it.
    pub note: Option<String>,
    /// The open merge request of the project, where there is one: its number and its page.
    pub merge_request: Option<(u64, String)>,
    /// How many writes were tried.
    pub writes: usize,
}

/// What a run would end in, by reading alone.
pub async fn foresee(forge: &dyn Forge, wanted: &DesiredState) -> Result<Ended, ForgeError> {
    let (wanted, observed) = first(forge, wanted).await?;
    let (outcome, note) = match next(&observed, &wanted) {
        Decision::Do { leads_to, .. } => (leads_to.foreseen(), None),
        Decision::Wait { until, note } => (Outcome::Unchanged, Some(waiting_for(until, note, forge))),
        Decision::Done { outcome, note } => (outcome, note),
    };
    Ok(Ended { outcome, note, merge_request: open(&observed, &wanted.place.target), writes: 0 })
}

/// Makes branch and merge request equal to what is wanted, by as many passes as it takes, at most 8.
///
/// Errors are the forge's: a read that could not tell, or a write that it keeps refusing. `checks` is what is left of the
/// time that all targets of a run wait for checks for conflicts.
pub async fn apply(
    forge: &dyn Forge,
    wanted: &DesiredState,
    patience: Patience,
    checks: &SharedWait,
) -> Result<Ended, ForgeError> {
    let waiting = Waiting::new(patience);
    let (wanted, observed) = first(forge, wanted).await?;
    let wanted = &*wanted;
    let mut run = Run {
        forge,
        wanted,
        target: &wanted.place.target,
        waiting,
        achieved: Vec::new(),
        before: None,
        pushed: None,
        failed: None,
        writes: 0,
        open: None,
        without_draft: false,
    };
    let mut looked_again = Some(observed);
    loop {
        let mut observed = match looked_again.take() {
            Some(observed) => observed,
            None => observe(forge, wanted).await?,
        };
        observed.no_drafts = run.without_draft;
        run.learn(&observed);
        if run.was_merged(&observed) {
            return Ok(run.end(Outcome::Merged, None, &observed));
        }
        if run.lags(&observed) && run.waiting.wait(None).await {
            continue;
        }
        if let Some(commit) = run.pushed.take_if(|commit| is_hidden(commit, &observed)) {
            let why = format!("the forge does not show what commit {commit:.8}, which was pushed, changes");
            return Ok(run.end(Outcome::Unknown(why), None, &observed));
        }
        let (action, leads_to) = match next(&observed, wanted) {
            Decision::Do { action, leads_to } => (action, leads_to),
            Decision::Wait { until: Awaited::ConflictCheck, note } if run.pushed.is_some() => {
                return Ok(run.end(Outcome::Unchanged, note, &observed));
            }
            Decision::Wait { until: Awaited::ConflictCheck, .. } if run.waiting.wait_out_of(checks).await => {
                looked_again = look_again(forge, wanted, observed).await?;
                continue;
            }
            // What this run did not write may never come: the next run looks again.
            Decision::Wait { until: Awaited::Pipeline(_), .. }
                if run.writes > 0 && run.waiting.wait(None).await =>
            {
                continue;
            }
            Decision::Wait { until, note } => {
                return Ok(run.end(Outcome::Unchanged, Some(waiting_for(until, note, forge)), &observed));
            }
            Decision::Done { outcome, note } => return Ok(run.end(outcome, note, &observed)),
        };
        if run.writes == MOST_PASSES {
            return run.give_up(&observed);
        }
        if let Some(refusal) = run.write(&action, leads_to, &observed).await? {
            return Ok(run.end(Outcome::Unchanged, Some(refusal), &observed));
        }
    }
}

/// The first observation, and what is wanted where it belongs: a merge request that is open under another prefix is kept
/// there.
async fn first<'w>(
    forge: &dyn Forge,
    wanted: &'w DesiredState,
) -> Result<(Cow<'w, DesiredState>, Observed), ForgeError> {
    let observed = observe(forge, wanted).await?;
    let strays = strays(forge, wanted, &observed).await?;
    if strays.is_empty() {
        return Ok((Cow::Borrowed(wanted), observed));
    }
    let wanted = DesiredState { place: wanted.place.clone().with_strays(strays), ..wanted.clone() };
    let observed = observe(forge, &wanted).await?;
    Ok((Cow::Owned(wanted), observed))
}

struct Run<'a> {
    forge: &'a dyn Forge,
    wanted: &'a DesiredState,
    target: &'a Branch,
    waiting: Waiting,
    /// What the writes that the forge took have done.
    achieved: Vec<Outcome>,
    /// What was there before the last of them.
    before: Option<Observed>,
    /// The last commit that was pushed: on the target branch's head, where nothing can conflict.
    pushed: Option<CommitId>,
    /// The last write's failure, what it would have done, and what was there before it.
    failed: Option<(ForgeError, Outcome, Observed)>,
    writes: usize,
    /// The merge request that an earlier pass has seen open.
    open: Option<u64>,
    /// Whether a draft was wanted, and the forge has none here.
    without_draft: bool,
}

impl Run<'_> {
    /// Whether the merge request was merged since an earlier pass. What is wanted was planned before, and is not asked any
    /// more: by it, the merge would look like one that was reverted.
    fn was_merged(&mut self, observed: &Observed) -> bool {
        let open = observed.current.open(self.target).map(|mr| mr.number);
        let before = std::mem::replace(&mut self.open, open);
        let merged = |mr: &MergeRequest| Some(mr.number) == before && mr.state == MergeRequestState::Merged;
        observed.current.own().any(merged)
    }

    /// Whether the forge does not show yet what was written last.
    fn lags(&self, observed: &Observed) -> bool {
        let hides = self.pushed.as_ref().is_some_and(|commit| is_hidden(commit, observed));
        hides || self.failed.is_none() && self.before.as_ref() == Some(observed)
    }

    /// A write without an answer was done after all if things are no longer as they were.
    fn learn(&mut self, observed: &Observed) {
        if let Some((ForgeError::Unavailable { .. }, achieved, before)) = &self.failed
            && before != observed
        {
            self.succeeded(achieved.clone(), before.clone());
        }
    }

    /// Tries one write. Whatever the answer, the next pass observes what came of it; unless the forge will not merge by
    /// itself, which is no reason to fail: its words are handed back.
    async fn write(
        &mut self,
        action: &Action,
        leads_to: Outcome,
        before: &Observed,
    ) -> Result<Option<String>, ForgeError> {
        self.writes += 1;
        let answer = match action {
            Action::Push(commit) => {
                self.push(commit, &leads_to).await.map(|commit| self.pushed = Some(commit))
            }
            Action::Create(new) => {
                let made = self.forge.create_merge_request(new).await;
                made.map(|made| self.without_draft = new.settings.draft && !made.draft)
            }
            Action::Edit { number, edit } => {
                let edited = self.forge.edit_merge_request(*number, edit).await;
                edited.map(|is_done| self.without_draft |= !is_done)
            }
            Action::RemoveBranch { branch, head } => self.forge.remove_branch(branch, head).await,
            Action::EnableAutoMerge { number, head } => self.forge.enable_auto_merge(*number, head).await,
            Action::CancelAutoMerge { number } => self.forge.cancel_auto_merge(*number).await,
        };
        let merges = matches!(action, Action::EnableAutoMerge { .. });
        match answer {
            Ok(()) => self.succeeded(leads_to, before.clone()),
            Err(error @ (ForgeError::NotYet { .. } | ForgeError::Rejected { .. })) if merges => {
                return Ok(Some(error.to_string()));
            }
            Err(error) => self.failed(error, leads_to, before.clone()).await?,
        }
        Ok(None)
    }

    async fn push(&self, commit: &NewCommit, leads_to: &Outcome) -> Result<CommitId, ForgeError> {
        if let (Outcome::Created, Work::Update(update)) = (leads_to, &self.wanted.work) {
            self.forge.check_settings(&update.settings).await?;
        }
        self.forge.push(commit).await
    }

    fn succeeded(&mut self, achieved: Outcome, before: Observed) {
        self.achieved.push(achieved);
        self.before = Some(before);
        self.failed = None;
        self.waiting.restart();
    }

    /// Decides whether observing again can help.
    async fn failed(
        &mut self,
        error: ForgeError,
        achieved: Outcome,
        before: Observed,
    ) -> Result<(), ForgeError> {
        let pause = match &error {
            // It was not done, and the forge says why it may be soon: no pass was used up.
            ForgeError::NotYet { .. } => {
                self.writes -= 1;
                None
            }
            // Something moved. If nothing did, it will not be done.
            ForgeError::Rejected { .. } => {
                let again = matches!(&self.failed,
                    Some((ForgeError::Rejected { .. }, _, seen)) if *seen == before);
                if again {
                    return Err(error);
                }
                None
            }
            ForgeError::Unavailable { retry_after, .. } => *retry_after,
            ForgeError::Postponed { retry_after: Some(wait), .. } => Some(*wait),
            ForgeError::Refused { .. }
            | ForgeError::Unusable { .. }
            | ForgeError::Postponed { .. }
            | ForgeError::Invalid { .. } => {
                return Err(error);
            }
        };
        if !self.waiting.wait(pause).await {
            return Err(error);
        }
        self.failed = Some((error, achieved, before));
        Ok(())
    }

    fn end(self, outcome: Outcome, note: Option<String>, observed: &Observed) -> Ended {
        let mut achieved = self.achieved;
        // The greatest thing done names the run; what is left as it should be names it only if nothing was done.
        achieved.sort_by_key(greatness);
        let settled = matches!(outcome, Outcome::Unchanged | Outcome::UpToDate | Outcome::Held(_));
        let best = achieved.pop().filter(|_| settled).unwrap_or(outcome);
        let closed = achieved.iter().rev().find_map(|outcome| match outcome {
            Outcome::Closed(why) if *outcome != best => Some(format!("closed another one: {why}")),
            _ => None,
        });
        let no_draft = self
            .without_draft
            .then(|| format!("{} has no drafts here: it is ready for review", self.forge.name()));
        let note = [note, closed, no_draft].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let note = Some(note).filter(|note| !note.is_empty());
        Ended { outcome: best, note, merge_request: open(observed, self.target), writes: self.writes }
    }

    fn give_up(self, observed: &Observed) -> Result<Ended, ForgeError> {
        if let Some((error, ..)) = self.failed {
            return Err(error);
        }
        let outcome = Outcome::Unknown(format!("the merge request did not settle in {MOST_PASSES} passes"));
        Ok(Ended { outcome, note: None, merge_request: open(observed, self.target), writes: self.writes })
    }
}

/// Whether the forge has a commit and does not know yet what it changes: one of ours is never empty.
fn is_hidden(commit: &CommitId, observed: &Observed) -> bool {
    let source = observed.current.source.as_ref();
    source.is_some_and(|source| source.head == *commit && source.ownership == BranchOwner::Nothing)
}

fn greatness(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Created => 3,
        Outcome::Reopened => 2,
        Outcome::Closed(_) => 1,
        _ => 0,
    }
}

fn waiting_for(until: Awaited, note: Option<String>, forge: &dyn Forge) -> String {
    let waits = match until {
        Awaited::Pipeline(number) => {
            format!("waits for a pipeline of merge request {number}; the next run looks again")
        }
        Awaited::ConflictCheck => {
            format!("{} has not checked for conflicts yet; the next run looks again", forge.name())
        }
    };
    note.map_or_else(|| waits.clone(), |note| format!("{note}; {waits}"))
}

fn open(observed: &Observed, target: &Branch) -> Option<(u64, String)> {
    observed.current.open(target).map(|mr| (mr.number, mr.url.clone()))
}

#[cfg(test)]
mod tests;
