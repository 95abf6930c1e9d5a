//! A thread of its own for each target: reading a stranger's files is pure work that waits for nothing, and whatever shares
//! a thread with it (timers, signals, the other targets) would wait for it.
//!
//! The whole target moves, not each piece of work: it keeps its borrowed values, and there is one place at which a thread
//! begins. At the end nobody waits for a thread that has not noticed that its time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::job::{Due, Follows, Job, JobReport};
use super::opened::Shelves;
use super::{Common, Producers, target};
use crate::budget::{Budget, Cancellation, Exceeded};
use crate::merge_request::Outcome;

/// Requests end by themselves when the time is over, and say which one it was: whatever still works after this does not
/// wait for one.
const AFTER_DEADLINE: Duration = Duration::from_millis(500);

/// Brings one target branch in step, unless its time has not come or is over.
pub(super) async fn bring(
    job: &Arc<Job>,
    producers: &Producers<'_>,
    common: &Common,
    withheld: Option<Outcome>,
) -> JobReport {
    let withheld = match job.due {
        Due::Now => withheld,
        Due::Upkeep => Some(Outcome::NotScheduled),
        Due::Later => return job.report(Outcome::NotScheduled),
    };
    // Dropped when nobody waits any more, for whatever reason.
    let cancellation = CancelledOnDrop::default();
    let work = async {
        let shelves = ready(job, producers).await;
        let (own, budget) = (Arc::clone(job), Budget::new(cancellation.0.clone()));
        let common = common.clone();
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            runtime.block_on(target::bring(&own, &shelves, &common, withheld, &budget))
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

/// The shelves of the producers that a job may follow, as far as they can be made ready.
async fn ready(job: &Job, producers: &Producers<'_>) -> Shelves {
    let names: Vec<&str> = match &job.follows {
        Follows::Named(members) => members.iter().map(|member| member.producer.as_str()).collect(),
        Follows::OfItsFiles(_, configured) => configured.iter().map(|(name, _)| name.as_str()).collect(),
    };
    let ready = names.into_iter().filter_map(|name| Some((name, producers.get(name)?.clone())));
    let ready = ready.map(|(name, shelf)| async move { (name.to_owned(), shelf.await) });
    futures::future::join_all(ready).await.into_iter().collect()
}

/// Ends the work of a target with the wait for it.
#[derive(Default)]
struct CancelledOnDrop(Cancellation);

impl Drop for CancelledOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
