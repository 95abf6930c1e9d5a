//! What waits for the network: a session of adapters, progress, interruption and the time that is left.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Context;
use super::args::Reach;
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Progress;
use crate::config::Config;
use crate::ending::{Ending, Ends as _};
use crate::wiring::{Overrides, Session, unclaimed};

/// The stack of a thread, as large as that of a process: files may nest deeply.
const STACK: usize = 8 << 20;

/// How long what is known gets to be told when the time is over.
const TO_TELL: Duration = Duration::from_secs(1);

impl Context {
    /// Runs `work` in a session of its own, until it is done, interrupted, or out of time.
    pub(super) fn online<T>(
        &self,
        config: Option<&Config>,
        reach: &Reach,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.block_on(self.in_session(config, reach, work))
    }

    /// Opens a session by the configuration with the flags laid over it, and shows its progress while `work` lasts.
    pub(super) async fn in_session<T>(
        &self,
        config: Option<&Config>,
        reach: &Reach,
        work: impl AsyncFnOnce(&Session<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(unclaimed) = config.and_then(|config| unclaimed(&self.environment, config))
            && reach.registry.is_none()
            && !self.told_of_unclaimed.swap(true, Ordering::Relaxed)
        {
            let hint = unclaimed.hint().unwrap_or_default();
            self.warn(&format!("{unclaimed}; {hint}"));
        }
        let none = Config::default();
        let overrides = Overrides {
            concurrency: reach.concurrency.map(usize::from),
            ca_files: reach.ca_file.clone(),
            cache_dir: reach.cache_dir.clone(),
            deadline: self.deadline,
        };
        let session = Session::open(&self.environment, config.unwrap_or(&none), &overrides)?;
        let _progress = Progress::start(self, session.transport());
        work(&session).await
    }

    /// Runs what waits for the network, until it is done, interrupted, or out of time.
    pub(super) fn block_on<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let runtime = runtime()?;
        let result = runtime.block_on(async {
            tokio::select! {
                result = work => result,
                exit = interrupted() => Err(interruption(exit)),
                () = out_of_time(self.global.max_time) => Err(out_of_time_failure()),
            }
        });
        runtime.shutdown_background();
        result
    }
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_stack_size(STACK).build().map_err(Failure::person)
}

/// Waits until the time is over, and a little longer: requests end by themselves then, and what is known by that time is
/// still told.
pub(super) async fn out_of_time(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit.saturating_add(TO_TELL)).await,
        None => std::future::pending().await,
    }
}

/// The time is over.
pub(super) fn out_of_time_failure() -> Failure {
    Failure::ending(Ending::Unknown, anyhow::anyhow!("out of time"))
        .hint("--max-time is over; a later run goes on")
}

/// Somebody wants it to end.
pub(super) fn interruption(exit: Exit) -> Failure {
    Failure { exit, hint: None, ..Failure::person(anyhow::anyhow!("interrupted")) }
}

#[cfg(unix)]
pub(super) async fn interrupted() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

#[cfg(not(unix))]
pub(super) async fn interrupted() -> Exit {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::Interrupted,
        Err(_) => std::future::pending().await,
    }
}
