//! A thread of its own for each target: reading a stranger's files is pure work that waits for nothing, and whatever shares
//! a thread with it (timers, signals, the other targets) would wait for it.
//!
//! The whole target moves, not each piece of work: it keeps its borrowed values, and there is one place at which a thread
//! begins. At the end nobody waits for a thread that has not noticed that its time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::job::{Due, Job, JobReport};
use super::{Common, ReadyShelf, target};
use crate::budget::{Budget, Cancellation, Exceeded};
use crate::merge_request::Outcome;

/// Requests end by themselves when the time is over, and say which one it was: whatever still works after this does not
/// wait for one.
const AFTER_DEADLINE: Duration = Duration::from_millis(500);

/// Brings one target branch in step, unless its time has not come or is over.
pub(super) async fn bring(
    job: &Arc<Job>,
    producer: Option<&ReadyShelf<'_>>,
    common: &Common,
    withheld: Option<Outcome>,
) -> JobReport {
    let withheld = match job.due {
        Due::Now => withheld,
        Due::Upkeep => Some(Outcome::NotScheduled),
        Due::Later => return job.report(Outcome::NotScheduled),
    };
    let Some(producer) = producer.cloned() else {
        return job
            .report(Outcome::Failed(format!("the configuration names no producer `{}`", job.producer)));
    };
    // Dropped when nobody waits any more, for whatever reason.
    let cancellation = CancelledOnDrop::default();
    let work = async {
        let shelf = producer.await.map_err(|outcome| job.report(outcome))?;
        let (own, budget) = (Arc::clone(job), Budget::new(cancellation.0.clone()));
        let common = common.clone();
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            runtime.block_on(target::bring(&own, &shelf, &common, withheld, &budget))
        });
        thread.await.map_err(|error| job.report(Outcome::Bug(error.to_string())))
    };
    let ended = match common.options.deadline {
        Some(deadline) => timeout_at(Instant::from_std(deadline) + AFTER_DEADLINE, work).await,
        None => Ok(work.await),
    };
    match ended {
        Ok(Ok(report) | Err(report)) => report,
        Err(_) => job.report(Outcome::of(&Exceeded::OutOfTime)),
    }
}

/// Ends the work of a target with the wait for it.
#[derive(Default)]
struct CancelledOnDrop(Cancellation);

impl Drop for CancelledOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
