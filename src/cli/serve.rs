//! `dibump serve`: the same run as a daemon, on the schedules of the configuration and on demand.

mod http;
mod metrics;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::args::{Reach, Run, RunFormat, Serve as Args};
use super::exit::Exit;
use super::failure::Failure;
use super::run::{Told, tell};
use super::session::{out_of_time, runtime};
use super::{Context, deadline};
use crate::config::Config;
use crate::http::Secret;
use crate::schedule::Schedule;
use crate::serve::{Agenda, Due, Event, Host, Rhythm, Scope, serve};
use http::{Door, router};
use metrics::Metrics;

/// Who may ask for a run by HTTP.
const TOKEN: &str = "DIBUMP_SERVE_TOKEN";
/// How long a run gets to end when the daemon is told to: less than the ten seconds after which it is killed.
const GRACE: Duration = Duration::from_secs(7);
/// A clock may be set meanwhile: it is looked at this often.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(30);
/// So many events may wait. They are taken at once, also during a run.
const EVENTS: usize = 64;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.required_config()?;
    let runtime = runtime()?;
    let ended = runtime.block_on(until_stopped(context, args, config));
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

async fn until_stopped(context: &Context, args: &Args, config: Config) -> Result<(), Failure> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| cannot_listen(args, error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(args, error))?;
    let (events, received) = mpsc::channel(EVENTS);
    let daemon = Daemon::new(context, args, config);
    let door = Door {
        events: events.clone(),
        token: context.environment.get(TOKEN).map(Secret::new),
        metrics: Arc::clone(&daemon.metrics),
        is_ready: Arc::clone(&daemon.is_ready),
        projects: daemon.projects.subscribe(),
    };
    let signals = signals(events, Arc::clone(&daemon.is_ready))?;
    let server = tokio::spawn(axum::serve(listener, router(door)).into_future());
    context.note(&format!("serving on http://{address}"));
    let agenda = Agenda::new(daemon.rhythm(&daemon.config()), daemon.now());
    serve(agenda, &daemon, received, GRACE).await;
    signals.abort();
    server.abort();
    Ok(())
}

fn cannot_listen(args: &Args, error: std::io::Error) -> Failure {
    Failure::person(anyhow::Error::from(error).context(format!("couldn't listen on {}", args.listen)))
        .hint("name another address with --listen")
}

/// SIGHUP reads the configuration again; SIGINT and SIGTERM end the daemon.
#[cfg(unix)]
fn signals(
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
fn signals(
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

struct Daemon<'a> {
    context: &'a Context,
    args: &'a Args,
    config: Mutex<Arc<Config>>,
    metrics: Arc<Metrics>,
    is_ready: Arc<AtomicBool>,
    projects: watch::Sender<BTreeSet<String>>,
    /// This daemon's own place within the jitter.
    delay: SignedDuration,
}

impl<'a> Daemon<'a> {
    fn new(context: &'a Context, args: &'a Args, config: Config) -> Self {
        Self {
            context,
            args,
            projects: watch::Sender::new(projects(&config)),
            config: Mutex::new(Arc::new(config)),
            metrics: Arc::new(Metrics::new()),
            is_ready: Arc::new(AtomicBool::new(true)),
            delay: within(args.jitter),
        }
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn rhythm(&self, config: &Config) -> Rhythm {
        let named = config.targets.iter().chain(config.queries.iter().map(|query| &query.target));
        let branches = named.flat_map(|target| &target.branches);
        // Where merge requests are kept right at all times, all times are good for a run.
        let closed = |schedule: &Schedule| !schedule.update_outside();
        Rhythm {
            every: SignedDuration::try_from(self.args.every).unwrap_or(SignedDuration::MAX),
            schedules: branches.map(|branch| branch.schedule.clone().filter(closed)).collect(),
            delay: self.delay,
        }
    }

    /// The run of the command line that this one is.
    fn arguments(&self, scope: Scope) -> Run {
        let project = match scope {
            Scope::All => Vec::new(),
            Scope::Projects(projects) => projects.into_iter().collect(),
        };
        let (dry_run, shard) = (self.args.dry_run, self.args.shard);
        Run { dry_run, project, shard, format: RunFormat::Text, output: Vec::new(), detailed_exitcode: false }
    }

    async fn ended(&self, due: Due) -> Exit {
        let (config, arguments) = (self.config(), self.arguments(due.scope));
        let limit = self.context.global.max_time;
        let context = Context {
            environment: self.context.environment.at(due.time),
            deadline: deadline(limit),
            ..self.context.clone()
        };
        let reach = Reach::default();
        let running = context
            .in_session(Some(&config), &reach, async |session| tell(&context, &arguments, session).await);
        let running = AssertUnwindSafe(running).catch_unwind();
        let told = tokio::select! {
            told = running => told,
            () = out_of_time(limit) => return Exit::Retry,
        };
        match told {
            Ok(Ok(told)) => {
                self.count(&told);
                match context.output.print(&told.text()) {
                    Ok(()) => told.exit(&arguments),
                    Err(failure) => {
                        context.output.complain(&failure.render());
                        failure.exit
                    }
                }
            }
            Ok(Err(failure)) => {
                context.output.complain(&failure.render());
                failure.exit
            }
            Err(_) => Exit::Bug,
        }
    }

    fn count(&self, told: &Told) {
        for outcome in told.outcomes() {
            self.metrics.outcomes.get_or_create(&metrics::Outcome { outcome: outcome.name() }).inc();
        }
        for ((origin, status), count) in &told.requests {
            let status = status.map_or("none".to_owned(), |status| status.to_string());
            let host = origin.host().to_owned();
            self.metrics.requests.get_or_create(&metrics::Request { host, status }).inc_by(*count);
        }
        for (producer, [seen, held]) in &told.releases {
            for (state, count) in [("seen", seen), ("held", held)] {
                let labels = metrics::Release { producer: producer.clone(), state };
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                self.metrics.releases.get_or_create(&labels).set(count);
            }
        }
    }
}

#[async_trait]
impl Host for Daemon<'_> {
    fn now(&self) -> Timestamp {
        self.context.environment.clock()
    }

    async fn wait_until(&self, time: Timestamp) {
        while let Ok(left) = Duration::try_from(time.duration_since(self.now())) {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_AT_CLOCK)).await;
        }
    }

    async fn run(&self, due: Due) {
        let began = self.now();
        self.metrics.running.set(1);
        let exit = self.ended(due).await;
        self.metrics.running.set(0);
        let now = self.now();
        self.metrics.seconds.observe(now.duration_since(began).as_secs_f64());
        self.metrics.last.set(now.as_second());
        self.metrics.runs.get_or_create(&metrics::Result { result: word(exit) }).inc();
    }

    async fn reload(&self) -> Option<Rhythm> {
        let read = self.context.required_config();
        let result = if read.is_ok() { "taken" } else { "refused" };
        self.metrics.reloads.get_or_create(&metrics::Result { result }).inc();
        match read {
            Ok(config) => {
                let rhythm = self.rhythm(&config);
                self.projects.send_replace(projects(&config));
                *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                self.context.note("the configuration was read again");
                Some(rhythm)
            }
            Err(failure) => {
                self.context.output.complain(&failure.render());
                self.context.note("the old configuration stays");
                None
            }
        }
    }
}

fn projects(config: &Config) -> BTreeSet<String> {
    config.targets.iter().map(|target| target.project.clone()).collect()
}

/// A part of a duration that is another one in each process.
fn within(jitter: Duration) -> SignedDuration {
    let chance = std::hash::RandomState::new().hash_one(std::process::id());
    let millis = u64::try_from(jitter.as_millis()).unwrap_or(u64::MAX);
    let delay = if millis == 0 { 0 } else { chance % millis };
    SignedDuration::from_millis(i64::try_from(delay).unwrap_or_default())
}

/// How a run ended, in one word.
fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done | Exit::Pending => "done",
        Exit::Retry => "retry",
        Exit::Refused => "refused",
        Exit::Bug => "bug",
        _ => "person",
    }
}
