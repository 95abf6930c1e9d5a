//! A thread of its own for each target: reading a stranger's files is pure work that waits for nothing, and whatever shares
//! a thread with it (timers, signals, the other targets) would wait for it.
//!
//! The whole target moves, not each piece of work: it keeps its borrowed values, and there is one place at which a thread
//! begins. It begins twice, because whom to ask is known when the files are read. At the end nobody waits for a thread that
//! has not noticed that its time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::job::{Due, Job, JobReport};
use super::opened::Shelves;
use super::producers::Producers;
use super::read::Read;
use super::{Common, target};
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
    let budget = Arc::new(Budget::new(cancellation.0.clone()));
    let work = async {
        let (own, turns, spent) = (Arc::clone(job), common.turns.clone(), Arc::clone(&budget));
        let read = on_a_thread(async move || target::read(&own, &turns, &spent).await).await;
        let read = read.map_err(|outcome| job.report(outcome))??;
        // Which producers it follows may only be known from its files.
        let shelves = ready(&read, producers).await;
        let (own, common) = (Arc::clone(job), common.clone());
        let brought = async move || target::bring(&own, &read, &shelves, &common, withheld, &budget).await;
        on_a_thread(brought).await.map_err(|outcome| job.report(outcome))
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

async fn on_a_thread<T: Send + 'static>(
    work: impl AsyncFnOnce() -> T + Send + 'static,
) -> Result<T, Outcome> {
    let runtime = Handle::current();
    let thread = tokio::task::spawn_blocking(move || runtime.block_on(work()));
    thread.await.map_err(|error| Outcome::Bug(error.to_string()))
}

/// The shelves of the producers that a target follows, as far as they can be made ready.
async fn ready(read: &Read, producers: &Producers<'_>) -> Shelves {
    let followed = read.members.iter().map(|(followed, _)| followed);
    let ready = followed.filter_map(|followed| Some((followed.producer.clone(), producers.shelf(followed)?)));
    let ready = ready.map(|(name, shelf)| async move { (name, shelf.await) });
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
