//! The daemon: the same run on a schedule and on demand, one after the other.
//!
//! It knows no forge and no clock: a [`DaemonHost`] has them. Killing it anywhere is the same as a boundary between two passes.

mod agenda;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc;

pub use agenda::{Agenda, DueRun, Moment, Rhythm, RunScope};

/// What happens to a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants a run.
    Want(RunScope),
    /// The configuration may have changed.
    Reload,
    /// It is to end.
    Stop,
}

/// What a daemon lives in.
#[async_trait]
pub trait DaemonHost: Send + Sync {
    /// What time it is.
    fn now(&self) -> Moment;

    /// Waits until the next run begins, or until the clocks are worth a look: one may have been set.
    async fn wait(&self, next: Option<Timestamp>);

    /// Does one run. It may be dropped at any point.
    async fn run(&self, due: DueRun);

    /// Reads the configuration again, and gives its rhythm; `None` where it is wrong and the old one stays.
    async fn reload(&self) -> Option<Rhythm>;
}

/// Serves until it is told to stop. A run that is under way then gets `grace` to end.
pub async fn serve(
    mut agenda: Agenda,
    host: &dyn DaemonHost,
    mut events: mpsc::Receiver<Event>,
    grace: Duration,
) {
    loop {
        let next = agenda.next(host.now());
        tokio::select! {
            biased;
            event = events.recv() => match event {
                None | Some(Event::Stop) => return,
                Some(event) => take(event, &mut agenda, host).await,
            },
            () = host.wait(next) => {
                if let Some(due) = agenda.begin(host.now())
                    && run(due, &mut agenda, host, &mut events, grace).await == Ended::Stopped
                {
                    return;
                }
            }
        }
    }
}

/// How a run ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Done,
    /// The daemon was told to stop meanwhile.
    Stopped,
}

/// A run, during which events are taken and nothing else is begun.
async fn run(
    due: DueRun,
    agenda: &mut Agenda,
    host: &dyn DaemonHost,
    events: &mut mpsc::Receiver<Event>,
    grace: Duration,
) -> Ended {
    let mut running = host.run(due);
    loop {
        tokio::select! {
            () = &mut running => return Ended::Done,
            event = events.recv() => match event {
                None | Some(Event::Stop) => {
                    // Too late is no harm: the next run observes what became of the last write.
                    let _ = tokio::time::timeout(grace, running).await;
                    return Ended::Stopped;
                }
                Some(event) => take(event, agenda, host).await,
            },
        }
    }
}

async fn take(event: Event, agenda: &mut Agenda, host: &dyn DaemonHost) {
    match event {
        Event::Want(scope) => agenda.want(scope),
        Event::Reload => {
            if let Some(rhythm) = host.reload().await {
                agenda.follow(rhythm);
            }
        }
        Event::Stop => {}
    }
}
