//! The whole way of an update, over real HTTP on the loopback interface: `cargo run --example demo`.
//!
//! A registry and a GitLab are started in here; everything else is the program itself. With `--keep` they stay, and
//! the commands to play with are printed; with `--servers` nothing is run before.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "an example prints, and its servers are those of the tests"
)]

#[path = "demo/world.rs"]
mod world;
#[path = "../tests/fake/mod.rs"]
mod fake;

use std::process::ExitCode;
use std::time::Duration;

use anstream::{eprintln, print, println};
use dibump::apply::Patience;
use dibump::config::{Config, load};
use dibump::merge_request::Outcome;
use dibump::report::{BOLD, CYAN, DIM, GREEN, RED, paint, run};
use dibump::run::JobReport;
use dibump::wiring::{Environment, Overrides, Session, TargetSelection};
use jiff::Timestamp;

use fake::gitlab::FakeGitLab;
use fake::oci::FakeRegistry;
use world::{PROJECT_ID, TOKEN, VALUES, VALUES_PATH};

/// What the demo may fail with.
type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let show = match std::env::args().nth(1).as_deref() {
        None => Show { runs: true, keep: false },
        Some("--keep") => Show { runs: true, keep: true },
        Some("--servers") => Show { runs: false, keep: true },
        Some(_) => {
            eprintln!("usage: cargo run --example demo [-- --keep|--servers]");
            return ExitCode::from(2);
        }
    };
    match demo(show).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {error}", paint(RED, "the demo failed:"));
            ExitCode::FAILURE
        }
    }
}

/// What is shown: the three runs, and whether the servers stay.
struct Show {
    runs: bool,
    keep: bool,
}

async fn demo(show: Show) -> Result<(), Failure> {
    let demo = Demo::start().await?;
    if show.runs {
        let first = demo.first().await?;
        demo.second(&first).await?;
        demo.newer(&first).await?;
        println!("{}", paint(GREEN, "All three runs did what they should."));
    }
    if show.keep { demo.keep().await } else { Ok(()) }
}

struct Demo {
    registry: FakeRegistry,
    gitlab: FakeGitLab,
    written: String,
    config: Config,
}

/// The merge request as the GitLab holds it, and the head of its branch.
struct Seen {
    number: u64,
    head: String,
}

impl Demo {
    async fn start() -> Result<Self, Failure> {
        let (registry, gitlab) = (world::registry().await, world::gitlab().await);
        let written = world::configuration(&registry, &gitlab);
        let config = load("dibump.yaml", &written)?;
        println!("{}", paint(DIM, format!("registry {}, GitLab {}\n", registry.host(), gitlab.address())));
        Ok(Self { registry, gitlab, written, config })
    }

    async fn first(&self) -> Result<Seen, Failure> {
        heading("1. The file is at 0.4.11, the registry has 0.4.12: a merge request");
        let (report, _) = self.run().await?;
        check(report.outcome == Outcome::Created, "the first run creates a merge request", &report)?;
        self.print_merge_request();
        self.seen()
    }

    async fn second(&self, first: &Seen) -> Result<(), Failure> {
        heading("2. The same run again: nothing changes");
        let (report, writes) = self.run().await?;
        let now = self.seen()?;
        let still = report.outcome == Outcome::Unchanged && writes == 0;
        check(still && now.head == first.head, "the second run writes nothing", &report)
    }

    async fn newer(&self, first: &Seen) -> Result<(), Failure> {
        heading("3. 0.4.13 is published: the same merge request moves");
        world::publish_newer(&self.registry);
        let (report, _) = self.run().await?;
        let now = self.seen()?;
        let moved = now.number == first.number && now.head != first.head;
        check(report.outcome == Outcome::Updated && moved, "the third run moves it", &report)?;
        let (number, title) = (now.number, self.title());
        let heads = format!("{:.8} → {:.8}", first.head, now.head);
        println!("{} {}", paint(CYAN, format!("!{number}")), paint(BOLD, title));
        println!("{}\n", paint(DIM, format!("still !{number}; its commit: {heads}")));
        Ok(())
    }

    /// One run; its report, and how many writing requests it took.
    async fn run(&self) -> Result<(JobReport, usize), Failure> {
        self.gitlab.clear_log();
        let asked = self.registry.requests().len();
        let mut reports = self.run_all().await?;
        let told = reports.iter().map(|report| run::one(report, None, run::Detail::News));
        let told = told.chain([run::counts(reports.iter().map(|report| &report.outcome))]);
        print!("{}", told.collect::<String>());
        let of_registry = self.registry.requests().len() - asked;
        let (of_gitlab, writes) = (self.gitlab.log().len(), self.gitlab.writes().len());
        let counts = format!("{of_registry} to the registry, {of_gitlab} to GitLab, of which {writes} write");
        println!("{}\n", paint(DIM, format!("requests: {counts}")));
        Ok((reports.pop().ok_or("the run reported nothing")?, writes))
    }

    /// What `dibump run` does, in this process.
    async fn run_all(&self) -> Result<Vec<JobReport>, Failure> {
        let token = ("GITLAB_TOKEN".to_owned(), TOKEN.to_owned());
        let environment = Environment::new([token], Timestamp::now());
        let session = Session::open(&environment, &self.config, &Overrides::default())?;
        let fleet = session.fleet(&TargetSelection::default()).await?;
        let wait = Duration::from_secs(5);
        let patience = Patience { first: Duration::from_millis(50), total: wait, checks: wait };
        let mut reports = Vec::new();
        session.run(&fleet, patience, |_, report| reports.push(report)).await;
        Ok(reports)
    }

    fn seen(&self) -> Result<Seen, Failure> {
        let mut state = self.gitlab.state();
        match state.project(PROJECT_ID).merge_requests.as_slice() {
            [only] => Ok(Seen { number: only.iid, head: only.sha.clone() }),
            others => Err(format!("there are {} merge requests, not one", others.len()).into()),
        }
    }

    fn title(&self) -> String {
        self.gitlab.state().project(PROJECT_ID).merge_requests[0].title.clone()
    }

    fn print_merge_request(&self) {
        let merge_request = self.gitlab.state().project(PROJECT_ID).merge_requests[0].clone();
        let (number, title) = (merge_request.iid, &merge_request.title);
        println!("{} {}", paint(CYAN, format!("!{number}")), paint(BOLD, title));
        let branches = format!("{} → {}", merge_request.source_branch, merge_request.target_branch);
        println!("{}", paint(DIM, format!("{branches}, labels: {}", merge_request.labels.join(", "))));
        for line in merge_request.description.unwrap_or_default().lines() {
            println!("{} {line}", paint(DIM, "│"));
        }
        println!();
    }

    /// Leaves the servers up until Ctrl-C.
    async fn keep(&self) -> Result<(), Failure> {
        let folder = tempfile::Builder::new().prefix("dibump-demo-").tempdir()?;
        let (config, values) = (folder.path().join("dibump.yaml"), folder.path().join(VALUES_PATH));
        std::fs::write(&config, &self.written)?;
        std::fs::write(&values, VALUES)?;
        let (config, values) = (config.display(), values.display());
        let prefix = self.registry.prefix(world::PREFIX);
        let api = self.gitlab.api();
        println!();
        heading("The servers stay until Ctrl-C. In another terminal:");
        println!("cargo run -- plan {values} --config {config}");
        println!("cargo run -- check {values} --config {config}");
        println!("cargo run -- releases --registry {prefix} --plain-http --discovery catalog --from 0.4.11");
        println!("cargo run -- os-images-info -f {values} --registry {prefix} --plain-http");
        println!("GITLAB_TOKEN={TOKEN} cargo run -- run --config {config} --dry-run");
        println!("GITLAB_TOKEN={TOKEN} cargo run -- config validate --online --config {config}");
        println!("curl -s '{api}/projects/{PROJECT_ID}/merge_requests?state=opened'");
        tokio::signal::ctrl_c().await?;
        // What a curious person asked that this GitLab does not know is not a failure.
        let unknown = self.gitlab.take_unexpected();
        unknown.iter().for_each(|request| println!("not known here: {request}"));
        Ok(())
    }
}

fn heading(text: &str) {
    println!("{}\n", paint(BOLD, text));
}

fn check(holds: bool, what: &str, report: &JobReport) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(format!("{what}; it ended as: {}", report.outcome).into()) }
}
