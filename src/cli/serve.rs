//! `dibump serve`: the same run as a daemon, on the schedules of the configuration and on demand.

mod http;
mod listener;
mod metrics;
mod pulse;
mod signals;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::args::{Reach, Run, RunFormat, Serve as Args};
use super::exit::Exit;
use super::failure::Failure;
use super::run::{Told, tell};
use super::session::{out_of_time, runtime};
use super::{Context, deadline, tls};
use crate::config::Config;
use crate::http::Secret;
use crate::report::run::Detail;
use crate::schedule::Schedule;
use crate::serve::{Agenda, DaemonHost, DueRun, Moment, Rhythm, RunScope, serve};
use crate::wiring::Environment;
use http::{Door, router};
pub(super) use listener::ListenAddress;
use listener::Listener;
use metrics::Metrics;
use pulse::Pulse;
use signals::signals;

/// Who may ask for a run by HTTP.
const TOKEN: &str = "DIBUMP_SERVE_TOKEN";
/// How long a run gets to end when the daemon is told to: less than the ten seconds after which it is killed.
const GRACE: Duration = Duration::from_secs(7);
/// A clock may be set meanwhile: it is looked at this often.
const LOOK: Duration = Duration::from_secs(30);
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
    let tls = tls::open(args.tls_cert.as_deref(), args.tls_key.as_deref())?;
    let listener = Listener::bind(&args.listen).await.map_err(|error| cannot_listen(args, error))?;
    let place = listener.place().map_err(|error| cannot_listen(args, error))?;
    let (events, received) = mpsc::channel(EVENTS);
    let daemon = Daemon::new(context, args, config);
    let door = Door {
        events: events.clone(),
        token: context.environment.get(TOKEN).map(Secret::new),
        metrics: Arc::clone(&daemon.metrics),
        health: daemon.health(),
        is_ready: Arc::clone(&daemon.is_ready),
        projects: daemon.projects.subscribe(),
    };
    let signals = signals(events, Arc::clone(&daemon.is_ready))?;
    let server = tokio::spawn(listener.serve(router(door), tls.clone()));
    if let Some(tls) = &tls {
        tokio::spawn(tls::renew(context.clone(), Arc::clone(tls), Arc::clone(&daemon.reloading)));
    }
    context.note(&match (&place, &tls) {
        (ListenAddress::Network(address), None) => format!("serving on http://{address}"),
        (ListenAddress::Network(address), Some(_)) => format!("serving on https://{address}"),
        #[cfg(unix)]
        (socket, _) => format!("serving on {socket}"),
    });
    let agenda = Agenda::new(daemon.rhythm(&daemon.config()), daemon.now());
    serve(agenda, &daemon, received, GRACE).await;
    signals.abort();
    server.abort();
    // A socket is removed when its server is dropped.
    let _ = server.await;
    Ok(())
}

fn cannot_listen(args: &Args, error: std::io::Error) -> Failure {
    Failure::person(anyhow::Error::from(error).context(format!("couldn't listen on {}", args.listen)))
        .hint("name another address with --listen")
}

struct Daemon<'a> {
    context: &'a Context,
    args: &'a Args,
    config: Mutex<Arc<Config>>,
    metrics: Arc<Metrics>,
    is_ready: Arc<AtomicBool>,
    projects: watch::Sender<BTreeSet<String>>,
    /// Told when the configuration is read again.
    reloading: Arc<Notify>,
    clocks: Clocks,
    pulse: Arc<Pulse>,
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
            reloading: Arc::default(),
            clocks: Clocks { environment: context.environment.clone(), began: Instant::now() },
            pulse: Arc::new(Pulse::new(every(args))),
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
            every: every(self.args),
            schedules: branches.map(|branch| branch.schedule.clone().filter(closed)).collect(),
            delay: self.delay,
        }
    }

    fn health(&self) -> http::Health {
        let (pulse, clocks) = (Arc::clone(&self.pulse), self.clocks.clone());
        Box::new(move || pulse.told(clocks.now()))
    }

    /// The run of the command line that this one is.
    fn arguments(&self, scope: RunScope) -> Run {
        let project = match scope {
            RunScope::All => Vec::new(),
            RunScope::Projects(projects) => projects.into_iter().collect(),
        };
        let (dry_run, shard) = (self.args.dry_run, self.args.shard);
        Run { dry_run, project, shard, format: RunFormat::Text, output: Vec::new(), detailed_exitcode: false }
    }

    async fn ended(&self, due: DueRun) -> Exit {
        let (config, arguments) = (self.config(), self.arguments(due.scope));
        let limit = self.context.global.max_time;
        let context = Context {
            environment: self.context.environment.at(due.time),
            deadline: deadline(limit),
            ..self.context.clone()
        };
        let reach = Reach::default();
        let detail = Detail::Line(context.environment.now);
        let running = context.in_session(Some(&config), &reach, async |session| {
            tell(&context, &arguments, detail, session).await
        });
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
            self.metrics.outcomes.get_or_create(&metrics::OutcomeLabel { outcome: outcome.name() }).inc();
        }
        for ((origin, status), count) in &told.requests {
            self.metrics.count_requests(origin.host(), *status, *count);
        }
        for (producer, [seen, held]) in &told.releases {
            for (state, count) in [("seen", seen), ("held", held)] {
                let labels = metrics::ReleaseLabel { producer: producer.clone(), state };
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                self.metrics.releases.get_or_create(&labels).set(count);
            }
        }
    }
}

#[async_trait]
impl DaemonHost for Daemon<'_> {
    fn now(&self) -> Moment {
        self.clocks.now()
    }

    async fn wait(&self, next: Option<Timestamp>) {
        let now = self.now();
        self.pulse.expect(next, now);
        let left = next.map(|next| Duration::try_from(next.duration_since(now.wall)).unwrap_or_default());
        tokio::time::sleep(left.unwrap_or(LOOK).min(LOOK)).await;
    }

    async fn run(&self, due: DueRun) {
        let began = self.now();
        self.metrics.running.set(1);
        let exit = self.ended(due).await;
        self.metrics.running.set(0);
        let now = self.now();
        self.pulse.ended(now);
        self.metrics.seconds.observe((now.steady - began.steady).as_secs_f64());
        self.metrics.last.set(now.wall.as_second());
        self.metrics.runs.get_or_create(&metrics::Result { result: word(exit) }).inc();
    }

    async fn reload(&self) -> Option<Rhythm> {
        self.reloading.notify_one();
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

/// The clocks of a daemon.
#[derive(Clone)]
struct Clocks {
    environment: Environment,
    began: Instant,
}

impl Clocks {
    fn now(&self) -> Moment {
        let steady = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        Moment { wall: self.environment.clock(), steady }
    }
}

fn every(args: &Args) -> SignedDuration {
    SignedDuration::try_from(args.every).unwrap_or(SignedDuration::MAX)
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
