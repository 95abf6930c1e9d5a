//! Ends a command that does not end by itself: work on files waits for nothing, and so for no signal and no clock.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::Context;
use super::failure::Failure;
use super::session::{interrupted, interruption, out_of_time_failure};

/// How long a command gets to end by itself, and whether `--max-time` is its own: that of a daemon is the time of each of
/// its runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeToEnd {
    grace: Duration,
    has_deadline: bool,
}

impl TimeToEnd {
    pub(super) const OF_COMMAND: Self = Self { grace: Duration::from_secs(3), has_deadline: true };

    /// The daemon gives its run most of it.
    pub(super) const OF_DAEMON: Self = Self { grace: Duration::from_secs(9), has_deadline: false };

    /// A server that waits for the downloads that are under way.
    pub(super) fn until_downloads_end(grace: Duration) -> Self {
        Self { grace: grace.saturating_add(Duration::from_secs(3)), has_deadline: false }
    }
}

/// Watches a command on a thread of its own.
pub(super) fn watch(context: &Context, patience: TimeToEnd) -> Result<(), Failure> {
    let output = context.output.clone();
    let (deadline, grace) = (context.deadline.filter(|_| patience.has_deadline), patience.grace);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::person)?;
    let watching = move || {
        let failure = runtime.block_on(async {
            let failure = tokio::select! {
                exit = interrupted() => interruption(exit),
                () = passed(deadline) => out_of_time_failure(),
            };
            tokio::time::sleep(grace).await;
            failure
        });
        output.complain(&failure.render());
        end(&failure)
    };
    let started = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watching);
    started.map(drop).map_err(Failure::person)
}

async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread that would return the exit code is busy")]
fn end(failure: &Failure) {
    std::process::exit(failure.exit.code().into())
}
