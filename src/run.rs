//! One run: every target branch is observed, planned and brought in step, each by itself.
//!
//! Over ports only. What is written is decided in `merge_request` and done in `apply`.

pub mod background;
mod configure;
mod fates;
mod found;
mod generations;
mod job;
mod limits;
pub mod look_up;
mod opened;
mod producers;
mod read;
mod registries;
mod shard;
mod target;
mod thread;
mod turns;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use jiff::Timestamp;

use crate::apply::{Patience, SharedWait};
use crate::merge_request::Outcome;
use crate::observe::lists::ListReader;
pub use configure::{NotOffered, Unconfigured};
pub use found::select;
pub use generations::generations;
pub use job::{Due, FollowedProducer, Follows, Job, JobReport, QueriedProject, Reads};
pub use limits::Limits;
pub use look_up::{LookUpError, look_up};
pub use producers::{Producers, ReadyShelf};
pub use registries::Registries;
pub use shard::{InvalidShard, Shard};
pub use target::try_read;

use turns::Turns;

/// How many targets are under way at once. How many requests are is the transport's limit per host.
const WIDTH: usize = 8;

/// How a run goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When the run began.
    pub now: Timestamp,
    /// How long a forge that lags is waited for.
    pub patience: Patience,
    /// How many merge requests may be open, and how many may be new.
    pub limits: Limits,
    /// When it must be over (`--max-time`).
    pub deadline: Option<Instant>,
}

/// Runs all jobs, several at once, and tells of each when it has ended, by its place in `jobs`. One that fails never stops
/// the others, and neither does a producer. What is told is not kept: a plan holds whole files.
///
/// Where merge requests are limited, all jobs first do everything but open one; then those that wait get the places that
/// are left, in the order of `jobs`.
pub async fn run(
    jobs: &[Arc<Job>],
    producers: &Producers<'_>,
    options: Options,
    mut tell: impl FnMut(usize, JobReport),
) {
    let checks = SharedWait::new(options.patience.checks);
    let lists = Arc::clone(&producers.lists);
    let common = Common { options, checks, turns: Turns::default(), lists };
    let fleet = Fleet { jobs, producers, common };
    let limits = options.limits;
    // What writes nothing takes nobody's place, unless all of it is a rehearsal.
    let rehearsal = jobs.iter().all(|job| job.dry_run);
    let opens = |job: &Arc<Job>| rehearsal || !job.dry_run;
    let withheld = |index: &usize| {
        let job = &jobs[*index];
        (opens(job) && limits.concern(job.found.is_some())).then_some(Outcome::Limited)
    };
    let everybody = (0..jobs.len()).map(|index| (index, withheld(&index))).collect();
    let (mut open, mut waiting) = (0, BTreeMap::new());
    fleet
        .bring(everybody, |index, report| {
            open += usize::from(report.merge_request.is_some());
            match report.outcome {
                Outcome::Limited => drop(waiting.insert(index, JobReport { plan: None, ..report })),
                _ => tell(index, report),
            }
        })
        .await;
    let asked: Vec<bool> = waiting.keys().map(|index: &usize| jobs[*index].found.is_some()).collect();
    let places = limits.places(open, &asked);
    let (let_go, left): (Vec<_>, Vec<_>) = waiting.into_iter().zip(places).partition(|(_, place)| *place);
    left.into_iter().for_each(|((index, report), _)| tell(index, report));
    fleet.bring(let_go.into_iter().map(|((index, _), _)| (index, None)).collect(), tell).await;
}

struct Fleet<'a, 'p> {
    jobs: &'a [Arc<Job>],
    producers: &'a Producers<'p>,
    common: Common,
}

/// What all targets of a run have in common.
#[derive(Clone)]
struct Common {
    options: Options,
    /// How long they wait for checks for conflicts, all together.
    checks: SharedWait,
    turns: Turns,
    lists: Arc<ListReader>,
}

impl Fleet<'_, '_> {
    /// Several at once, by their places; each with how it ends if it would open a merge request and may not.
    async fn bring(&self, jobs: Vec<(usize, Option<Outcome>)>, mut tell: impl FnMut(usize, JobReport)) {
        let ends = jobs.into_iter().map(|(index, withheld)| async move {
            let job = &self.jobs[index];
            (index, thread::bring(job, self.producers, &self.common, withheld).await)
        });
        let mut ends = std::pin::pin!(futures::stream::iter(ends).buffer_unordered(WIDTH));
        while let Some((index, report)) = ends.next().await {
            tell(index, report);
        }
    }
}
