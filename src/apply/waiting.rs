//! How long it is waited, for what a forge does in its own time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a forge may take to show what was written to it, and to check for conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The first wait; each next one is twice as long.
    pub first: Duration,
    /// All waits of one target together.
    pub total: Duration,
    /// All waits for checks for conflicts, of all targets of a run together.
    pub checks: Duration,
}

impl Default for Patience {
    /// GitLab has been seen to take 37 s until it let a merge request be opened for a branch that was just pushed.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            total: Duration::from_secs(60),
            checks: Duration::from_secs(30),
        }
    }
}

/// A time that several targets use up together. Clones are the same time.
#[derive(Debug, Clone)]
pub struct SharedWait(Arc<Mutex<Duration>>);

impl SharedWait {
    /// So much time.
    pub fn new(left: Duration) -> Self {
        Self(Arc::new(Mutex::new(left)))
    }

    /// Waits, as long as there is time left for it; `false` where there is none at all.
    pub(super) async fn wait(&self, pause: Duration) -> bool {
        let taken = self.take(pause);
        tokio::time::sleep(taken).await;
        !taken.is_zero()
    }

    fn take(&self, pause: Duration) -> Duration {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = pause.min(*left);
        *left -= taken;
        taken
    }
}

/// Waits that get longer, within one budget.
pub(super) struct Waiting {
    patience: Patience,
    next: Duration,
    left: Duration,
}

impl Waiting {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, next: patience.first, left: patience.total }
    }

    /// Waits are short again; the budget stays.
    pub(super) fn restart(&mut self) {
        self.next = self.patience.first;
    }

    /// Waits, at least as long as the forge asks for; `false` when that is longer than what is left.
    pub(super) async fn wait(&mut self, asked: Option<Duration>) -> bool {
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

    /// Waits out of a budget that other targets use, too; `false` when nothing of it is left.
    pub(super) async fn wait_out_of(&mut self, shared: &SharedWait) -> bool {
        let pause = self.next;
        self.next = pause.saturating_mul(2);
        shared.wait(pause).await
    }
}
