//! Makes branch and merge request equal to what is wanted: observe, decide, one write, observe again.
//!
//! The only caller of the forge's methods that write. A dry run does not come here: see [`foresee`].

mod config_map;

use std::time::Duration;

use crate::forge::{Branch, CommitId, Forge, ForgeError};
use crate::merge_request::{Action, Decision, Observed, Outcome, Ownership, Wanted, next};
use crate::observe::merge_request::observe;

pub use config_map::config_map;

/// How many writes a run tries before it gives up.
const MOST_PASSES: usize = 8;

/// How long a forge may take to show what was written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The first wait; each next one is twice as long.
    pub first: Duration,
    /// All waits together.
    pub total: Duration,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The outcome.
    pub outcome: Outcome,
    /// What a person should know about it.
    pub note: Option<String>,
    /// The open merge request of the project, where there is one: its number and its page.
    pub merge_request: Option<(u64, String)>,
    /// How many writes were tried.
    pub writes: usize,
}

impl Default for Patience {
    /// GitLab has been seen to take 37 s until it let a merge request be opened for a branch that was just pushed.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), total: Duration::from_secs(60) }
    }
}

/// What a run would end in, by reading alone.
pub async fn foresee(forge: &dyn Forge, wanted: &Wanted) -> Result<Applied, ForgeError> {
    let observed = observe(forge, wanted).await?;
    let (outcome, note) = match next(&observed, wanted) {
        Decision::Do { leads_to, .. } => (leads_to.foreseen(), None),
        Decision::Wait { until } => (Outcome::Unchanged, Some(waiting_for(&until))),
        Decision::Done { outcome, note } => (outcome, note),
    };
    Ok(Applied { outcome, note, merge_request: open(&observed, &wanted.place.target), writes: 0 })
}

/// Makes branch and merge request equal to what is wanted, by as many passes as it takes, at most 8.
///
/// Errors are the forge's: a read that could not tell, or a write that it keeps refusing.
pub async fn apply(forge: &dyn Forge, wanted: &Wanted, patience: Patience) -> Result<Applied, ForgeError> {
    let waiting = Waiting::new(patience);
    let mut run = Run {
        forge,
        target: &wanted.place.target,
        waiting,
        achieved: Vec::new(),
        before: None,
        pushed: None,
        failed: None,
        writes: 0,
    };
    loop {
        let observed = observe(forge, wanted).await?;
        run.learn(&observed);
        if run.lags(&observed) && run.waiting.wait(None).await {
            continue;
        }
        if let Some(commit) = run.pushed.take_if(|commit| is_hidden(commit, &observed)) {
            let why = format!("the forge does not show what commit {commit:.8}, which was pushed, changes");
            return Ok(run.end(Outcome::Unknown(why), None, &observed));
        }
        let (action, leads_to) = match next(&observed, wanted) {
            Decision::Do { action, leads_to } => (action, leads_to),
            // What this run did not write may never come: the next run looks again.
            Decision::Wait { .. } if run.writes > 0 && run.waiting.wait(None).await => continue,
            Decision::Wait { until } => {
                return Ok(run.end(Outcome::Unchanged, Some(waiting_for(&until)), &observed));
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

struct Run<'a> {
    forge: &'a dyn Forge,
    target: &'a Branch,
    waiting: Waiting,
    /// What the writes that the forge took have done.
    achieved: Vec<Outcome>,
    /// What was there before the last of them.
    before: Option<Observed>,
    /// The last commit that was pushed.
    pushed: Option<CommitId>,
    /// The last write's failure, what it would have done, and what was there before it.
    failed: Option<(ForgeError, Outcome, Observed)>,
    writes: usize,
}

impl Run<'_> {
    /// Whether the forge does not show yet what was written last.
    fn lags(&self, observed: &Observed) -> bool {
        let hides = self.pushed.as_ref().is_some_and(|commit| is_hidden(commit, observed));
        self.failed.is_none() && (hides || self.before.as_ref() == Some(observed))
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
            Action::Push(commit) => self.forge.push(commit).await.map(|commit| self.pushed = Some(commit)),
            Action::Create(new) => self.forge.create_merge_request(new).await.map(drop),
            Action::Edit { number, edit } => self.forge.edit_merge_request(*number, edit).await,
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
            ForgeError::Refused { .. } | ForgeError::Unusable { .. } | ForgeError::Invalid { .. } => {
                return Err(error);
            }
        };
        if !self.waiting.wait(pause).await {
            return Err(error);
        }
        self.failed = Some((error, achieved, before));
        Ok(())
    }

    fn end(self, outcome: Outcome, note: Option<String>, observed: &Observed) -> Applied {
        let mut achieved = self.achieved;
        // The greatest thing done names the run; what is left as it should be names it only if nothing was done.
        achieved.sort_by_key(greatness);
        let settled = matches!(outcome, Outcome::Unchanged | Outcome::UpToDate | Outcome::Held(_));
        let best = achieved.pop().filter(|_| settled).unwrap_or(outcome);
        let closed = achieved.iter().rev().find_map(|outcome| match outcome {
            Outcome::Closed(why) if *outcome != best => Some(format!("closed another one: {why}")),
            _ => None,
        });
        let note = [note, closed].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let note = Some(note).filter(|note| !note.is_empty());
        Applied { outcome: best, note, merge_request: open(observed, self.target), writes: self.writes }
    }

    fn give_up(self, observed: &Observed) -> Result<Applied, ForgeError> {
        if let Some((error, ..)) = self.failed {
            return Err(error);
        }
        let outcome = Outcome::Unknown(format!("the merge request did not settle in {MOST_PASSES} passes"));
        Ok(Applied { outcome, note: None, merge_request: open(observed, self.target), writes: self.writes })
    }
}

/// Waits that get longer, within one budget.
struct Waiting {
    patience: Patience,
    next: Duration,
    left: Duration,
}

impl Waiting {
    fn new(patience: Patience) -> Self {
        Self { patience, next: patience.first, left: patience.total }
    }

    /// Waits are short again; the budget stays.
    fn restart(&mut self) {
        self.next = self.patience.first;
    }

    /// Waits, at least as long as the forge asks for; `false` when that is longer than what is left.
    async fn wait(&mut self, asked: Option<Duration>) -> bool {
        let asked = asked.unwrap_or_default();
        if self.left.is_zero() || asked > self.left {
            return false;
        }
        let pause = self.next.max(asked).min(self.left);
        self.left -= pause;
        self.next = pause.saturating_mul(2);
        tokio::time::sleep(pause).await;
        true
    }
}

/// Whether the forge has a commit and does not know yet what it changes: one of ours is never empty.
fn is_hidden(commit: &CommitId, observed: &Observed) -> bool {
    let source = observed.current.source.as_ref();
    source.is_some_and(|source| source.head == *commit && source.ownership == Ownership::Nothing)
}

fn greatness(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Created => 3,
        Outcome::Reopened => 2,
        Outcome::Closed(_) => 1,
        _ => 0,
    }
}

fn waiting_for(what: &str) -> String {
    format!("waits for {what}; the next run looks again")
}

fn open(observed: &Observed, target: &Branch) -> Option<(u64, String)> {
    observed.current.open(target).map(|mr| (mr.number, mr.url.clone()))
}

#[cfg(test)]
mod tests;
