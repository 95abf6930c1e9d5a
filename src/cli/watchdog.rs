//! Ends a command that does not end by itself: work on files waits for nothing, and so for no signal and no clock.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use super::Context;
use super::failure::Failure;
use super::session::{interrupted, interruption, out_of_time_failure};

/// How long a command gets to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How long the daemon gets, which gives its run most of it.
const GRACE_OF_DAEMON: Duration = Duration::from_secs(9);

/// Watches a command on a thread of its own. `--max-time` is that of each run of a daemon, not its own.
pub(super) fn watch(context: &Context, is_daemon: bool) -> Result<(), Failure> {
    let (output, deadline) = (context.output.clone(), context.deadline.filter(|_| !is_daemon));
    let grace = if is_daemon { GRACE_OF_DAEMON } else { GRACE };
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
