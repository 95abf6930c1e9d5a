//! The fault matrix: every request of a story, one after the other, goes wrong in every way; then a run without the fault
//! ends in exactly the state of a run that never failed.
//!
//! The runs are those of the library over the real adapters, so that thousands of them take seconds.

mod registries;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dibump::apply::Patience;
use dibump::config::{Config, load};
use dibump::http::{Transport, TransportSettings};
use dibump::run::JobReport;
use dibump::wiring::{Environment, Session, TargetSelection};
use serde_json::json;

use crate::fake::oci::FakeRegistry;
use crate::fake::wire::{Answer, Failure, How, Turns};
use crate::hub::{self, Hub, PATH, SOURCE, TOKEN};
use crate::world::{AT_0_4_11, PATIENCE, PREFIX, VALUES, images, values_at};

/// How long a run waits for an answer that never comes, at first. A run whose answers all come waits as long as it takes.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// What goes wrong with one request.
const FAULTS: [&str; 10] = [
    "a page of a firewall",
    "500",
    "429 with Retry-After",
    "429 without Retry-After",
    "401",
    "a reset connection",
    "a truncated answer",
    "an answer to another request",
    "silence",
    "the end of the run",
];

fn fault(name: &str) -> How {
    How::Answer(match name {
        "500" => Answer::message(500, "500 Internal Server Error"),
        "429 with Retry-After" => Answer::throttled(1),
        "429 without Retry-After" => Answer::text(429, "text/plain", "Retry later\n"),
        "a page of a firewall" => Answer::text(403, "text/html", "<title>Just a moment...</title>"),
        "401" => Answer::message(401, "401 Unauthorized"),
        "a reset connection" => return How::Reset,
        "a truncated answer" => return How::LoseAnswer,
        "an answer to another request" => Answer::json(200, &json!({"id": 1, "kind": "something else"})),
        _ => return How::Silence,
    })
}

/// A story: what is there, and what a run that never failed makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    Create,
    Move,
    Close,
    Edited,
    AutoMerge,
    /// The pipeline has succeeded: the forge merges while the run looks.
    MergedAtOnce,
    /// The target branch moved, and the forge looks for conflicts when it is asked.
    Conflict,
}

fn configuration(registry: &FakeRegistry, hub: &dyn Hub, story: Story) -> String {
    format!(
        "version: 1\n\
         producers:\n  - registry: {}\n    plain_http: true\n    discovery: [catalog]\n\
         forge: {}\n\
         targets:\n  - project: {PATH}\n    files: [{VALUES}]\n\
         merge_request: {{auto_merge: {}}}\n",
        registry.prefix(PREFIX),
        hub.config(),
        matches!(story, Story::AutoMerge | Story::MergedAtOnce),
    )
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    GitLab,
    GitHub,
}

/// A story that is about to go on, and what a run that never failed makes of it.
struct Scene {
    stage: Stage,
    /// For runs without faults. To make one takes longer than to use it.
    transport: Transport,
    before: Box<dyn Any + Send + Sync>,
    after: String,
    requests: usize,
    writes: usize,
}

struct Stage {
    registry: FakeRegistry,
    hub: Box<dyn Hub>,
    config: Config,
}

impl Scene {
    async fn new(kind: Kind, story: Story) -> Self {
        let transport = transport("clean", PATIENCE);
        let stage = Stage::new(kind, story, &transport).await;
        let before = stage.hub.keep();
        stage.hub.clear_log();
        stage.run(&transport).await;
        let (requests, writes) = (stage.hub.log().len(), stage.hub.writes().len());
        assert_ne!(requests, 0);
        Self { before, after: stage.seen(), requests, writes, stage, transport }
    }

    /// As it was, but that one request will go wrong.
    fn fail(&self, number: usize, name: &str) {
        self.stage.hub.heal();
        self.stage.hub.come_back(self.before.as_ref());
        self.stage.hub.fail(Failure::once("", "", fault(name)).after(u32::try_from(number).unwrap()));
    }

    /// A run without faults brings it to its end.
    async fn ends_well(&self, what: &str) {
        let reports = self.stage.run(&self.transport).await;
        let said: String =
            reports.iter().map(|report| format!("{} {:?}", report.outcome, report.note)).collect();
        assert_eq!(self.stage.seen(), self.after, "{what}: {said}");
    }
}

impl Stage {
    async fn new(kind: Kind, story: Story, transport: &Transport) -> Self {
        let registry = FakeRegistry::start().await;
        let hub = match kind {
            Kind::GitLab => hub::gitlab(&FILES).await,
            Kind::GitHub => hub::github(&FILES).await,
        };
        let config = load("dibump.yaml", &configuration(&registry, hub.as_ref(), story)).unwrap();
        let stage = Self { registry, hub, config };
        stage.release(11);
        stage.release(12);
        stage.arrange(story, transport).await;
        stage
    }

    fn release(&self, patch: u32) {
        self.registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
    }

    async fn arrange(&self, story: Story, transport: &Transport) {
        if story == Story::Create {
            return;
        }
        self.run(transport).await;
        match story {
            Story::Create => {}
            Story::Move => self.release(13),
            Story::Close => self.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]),
            Story::Edited => {
                self.hub.commit(SOURCE, "Mine", &[("mine.txt", b"mine\n")]);
                self.hub.change(1, |mr| mr.text = format!("Hello.\n\n{}", mr.text));
                self.release(13);
            }
            Story::AutoMerge => self.hub.pipeline(SOURCE, false),
            Story::MergedAtOnce => self.hub.pipeline_succeeded(SOURCE),
            Story::Conflict => {
                let other = AT_0_4_11.replace("# versions of everything", "# by hand");
                self.hub.commit("main", "By hand", &[(VALUES, other.as_bytes())]);
            }
        }
    }

    async fn run(&self, transport: &Transport) -> Vec<JobReport> {
        run(self.hub.as_ref(), &self.config, transport).await
    }

    fn seen(&self) -> String {
        seen(self.hub.as_ref())
    }
}

/// A run of all targets.
async fn run(hub: &dyn Hub, config: &Config, transport: &Transport) -> Vec<JobReport> {
    let token = (hub.token_variable().to_owned(), TOKEN.to_owned());
    let environment = Environment::new([token], jiff::Timestamp::UNIX_EPOCH);
    let session = Session::over(&environment, config, transport.clone());
    let fleet = session.fleet(&TargetSelection::default()).await.unwrap();
    let wait = Duration::from_millis(20);
    let patience = Patience { first: Duration::from_millis(1), total: wait, checks: wait };
    let mut reports = Vec::new();
    session.run(&fleet, patience, |_, report| reports.push(report)).await;
    assert!(!format!("{reports:?}").contains(TOKEN), "the token is in a report");
    reports
}

/// Everything that people see: branches with their files, and merge requests. The commit that the bot remembers is left
/// out: its id depends on how many there ever were, and an outdated one only costs requests.
fn seen(hub: &dyn Hub) -> String {
    let mut seen = String::new();
    hub.git(&mut |git| {
        for name in git.branches.keys() {
            let commit = git.head(name).unwrap();
            let files: Vec<_> =
                commit.tree.iter().map(|(path, text)| (path, String::from_utf8_lossy(text))).collect();
            let ahead = git.between(&git.branches["main"], &commit.id).len();
            seen += &format!("{name} {ahead} {:?} {files:?}\n", commit.message);
        }
    });
    for mr in hub.opened() {
        let text = without_commit(&mr.text);
        seen += &format!("{} {} {} {} {}\n{text}\n", mr.number, mr.state, mr.title, mr.target, mr.auto_merge);
    }
    assert!(!seen.contains(TOKEN), "the token is in a merge request");
    seen
}

fn without_commit(text: &str) -> String {
    let Some((before, rest)) = text.split_once("\"commit\":\"") else { return text.to_owned() };
    format!("{before}{}", rest.split_once('"').map_or("", |(_, after)| after))
}

/// What the requests of a run go through: who asks, and how long it waits for an answer.
fn transport(agent: &str, timeout: Duration) -> Transport {
    let settings = TransportSettings {
        retries: 0,
        request_timeout: timeout,
        give_up_after: crate::world::PATIENCE,
        read_timeout: timeout,
        max_retry_after: Duration::ZERO,
        user_agent: agent.to_owned(),
        proxy_from_environment: false,
        ..TransportSettings::default()
    };
    Transport::new(settings).unwrap()
}

/// One story on one forge: how many cases were tried.
async fn matrix(kind: Kind, story: Story) -> usize {
    let mut scene = Scene::new(kind, story).await;
    let (requests, mut impatience) = (scene.requests, IMPATIENCE);
    let mut faulted = transport("faulted", PATIENCE);
    for number in 0..requests {
        for name in FAULTS {
            scene.fail(number, name);
            match name {
                "silence" => {
                    while !only_one_is_unanswered(&scene, impatience).await {
                        // What the busy machine answers too late may still happen: not where the next try is.
                        scene = Scene::new(kind, story).await;
                        scene.fail(number, name);
                        impatience *= 2;
                    }
                }
                "the end of the run" => tokio::select! {
                    _ = scene.stage.run(&faulted) => {}
                    () = struck(scene.stage.hub.as_ref()) => {}
                },
                _ => drop(scene.stage.run(&faulted).await),
            }
            if name == "429 with Retry-After" {
                // It spares the host for a while.
                faulted = transport("faulted", PATIENCE);
            }
            assert!(scene.stage.hub.all_struck(), "{story:?}: request {number} never met {name}");
            scene.stage.hub.heal();
            scene.ends_well(&format!("{story:?}: {name} at request {number}")).await;
        }
    }
    requests * FAULTS.len()
}

/// A run that gives one request up; false where it gave others up, too, because the machine is busy.
async fn only_one_is_unanswered(scene: &Scene, impatience: Duration) -> bool {
    let impatient = transport("impatient", impatience);
    scene.stage.run(&impatient).await;
    let unanswered = impatient.requests().into_iter().filter(|((_, status), _)| status.is_none());
    scene.stage.hub.all_struck() && unanswered.map(|(_, count)| count).sum::<u64>() == 1
}

async fn struck(hub: &dyn Hub) {
    while !hub.all_struck() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Two runs at once, for each order of their writes.
async fn race(kind: Kind, story: Story) -> usize {
    let scene = Scene::new(kind, story).await;
    let (stage, orders) = (&scene.stage, orders(scene.writes, scene.writes));
    let [one, other] = ["one", "other"].map(|agent| transport(agent, PATIENCE));
    for order in &orders {
        stage.hub.come_back(scene.before.as_ref());
        let turns = Arc::new(Turns::new(order.iter().map(|agent| (*agent).to_owned())));
        stage.hub.take_turns(Some(Arc::clone(&turns)));
        let agent = async |(name, transport)| {
            stage.run(transport).await;
            turns.leave(name);
        };
        tokio::join!(agent(("one", &one)), agent(("other", &other)));
        stage.hub.take_turns(None);
        scene.ends_well(&format!("{story:?}: {order:?}")).await;
    }
    orders.len()
}

/// All orders in which two agents can do so many things each.
fn orders(one: usize, other: usize) -> Vec<Vec<&'static str>> {
    let begin = |agent, rest: Vec<Vec<&'static str>>| {
        rest.into_iter().map(move |rest| [vec![agent], rest].concat()).collect::<Vec<_>>()
    };
    match (one, other) {
        (0, 0) => vec![vec![]],
        (0, other) => begin("other", orders(0, other - 1)),
        (one, 0) => begin("one", orders(one - 1, 0)),
        (one, other) => {
            [begin("one", orders(one - 1, other)), begin("other", orders(one, other - 1))].concat()
        }
    }
}

const FILES: [(&str, &[u8]); 1] = [(VALUES, AT_0_4_11.as_bytes())];
const STORIES: [Story; 7] = [
    Story::Create,
    Story::Move,
    Story::Close,
    Story::Edited,
    Story::AutoMerge,
    Story::MergedAtOnce,
    Story::Conflict,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_after_any_fault_ends_as_if_nothing_had_failed() {
    let cases = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for story in STORIES {
        for kind in [Kind::GitLab, Kind::GitHub] {
            let cases = Arc::clone(&cases);
            tasks.spawn(async move { cases.fetch_add(matrix(kind, story).await, Ordering::Relaxed) });
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let cases = cases.load(Ordering::Relaxed);
    println!("{cases} cases of the fault matrix");
    assert!(cases >= 400, "{cases}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_at_once_end_as_one_in_every_order_of_their_writes() {
    let mut cases = 0;
    for story in STORIES {
        for kind in [Kind::GitLab, Kind::GitHub] {
            cases += race(kind, story).await;
        }
    }
    println!("{cases} orders of writes");
    assert!(cases >= 40, "{cases}");
}
