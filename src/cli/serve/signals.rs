//! What the system tells the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::cli::failure::Failure;
use crate::serve::Event;

/// SIGHUP reads the configuration again; SIGINT and SIGTERM end the daemon.
#[cfg(unix)]
pub(super) fn signals(
    events: mpsc::Sender<Event>,
    is_ready: Arc<AtomicBool>,
) -> Result<tokio::task::JoinHandle<()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let signal = |kind| signal(kind).map_err(Failure::person);
    let (mut hang_up, mut interrupt, mut terminate) =
        (signal(SignalKind::hangup())?, signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                _ = hang_up.recv() => Event::Reload,
                _ = interrupt.recv() => Event::Stop,
                _ = terminate.recv() => Event::Stop,
            };
            if event == Event::Stop {
                is_ready.store(false, Ordering::Relaxed);
            }
            if events.send(event).await.is_err() {
                return;
            }
        }
    }))
}

/// Ctrl-C ends the daemon.
#[cfg(not(unix))]
pub(super) fn signals(
    events: mpsc::Sender<Event>,
    is_ready: Arc<AtomicBool>,
) -> Result<tokio::task::JoinHandle<()>, Failure> {
    Ok(tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            is_ready.store(false, Ordering::Relaxed);
            let _ = events.send(Event::Stop).await;
        }
    }))
}
