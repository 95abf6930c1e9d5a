//! `--max-time` and SIGTERM are kept, whatever is worked on and whoever is waited for, and the others get their turn.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Stranger;
use crate::fake::oci::Fault;
use crate::fleet::Fleet;
use crate::world::{AT_0_4_11, Desk, PATIENCE, PREFIX, Ran, VALUES, World, ended};

/// After a signal, or when the time is over.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// More keys than a debug build plans in any of these times.
fn many_keys() -> String {
    let keys: String = (0..30_000).map(|n| format!("  ubuntu-noble-plain-rke2-1-{n}-1: {{}}\n")).collect();
    AT_0_4_11.replace("other:", &format!("{keys}other:"))
}

/// Sends SIGTERM once `is_at_work`, and waits for the end.
async fn terminated(desk: &Desk, arguments: &[&str], is_at_work: impl Fn() -> bool) -> Ran {
    let child = desk.spawn(arguments);
    let pid = child.id().unwrap().to_string();
    let at_work = async {
        while !is_at_work() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, at_work).await.expect("it begins");
    let sent = std::process::Command::new("/bin/kill").args(["-TERM", &pid]).status().unwrap();
    assert!(sent.success());
    tokio::time::timeout(ENDS_WITHIN, ended(child)).await.expect("SIGTERM ends it")
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_command_that_is_at_work_on_a_file() {
    let world = World::new().await;
    world.desk.write(VALUES, many_keys());
    for command in [&["plan", VALUES][..], &["check", VALUES]] {
        let before = world.registry.count("/manifests/");
        let is_at_work = || world.registry.count("/manifests/") >= before + 2;
        let ran = terminated(&world.desk, command, is_at_work).await;
        assert!(matches!(ran.exit, Some(143 | 0 | 10)), "{ran:.1000?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_a_command_that_waits_for_an_answer() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    world.registry.fault(Fault::silence().on("/manifests/"));
    let is_at_work = || world.registry.count("/manifests/") > 0;
    let ran = terminated(&world.desk, &["plan", VALUES], is_at_work).await;
    assert_eq!(ran.exit, Some(143), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_over_for_the_one_that_needs_more_and_the_others_are_done() {
    let fleet = Fleet::new(3, |number| if number == 0 { many_keys() } else { AT_0_4_11.to_owned() }).await;
    fleet.by_name(3);
    let limit = Duration::from_secs(20);
    let running = fleet.desk.dibump(&["run", "--max-time", "20s"]);
    let ran = tokio::time::timeout(limit + ENDS_WITHIN, running).await.expect("--max-time ends it");
    let healthy = fleet.opened().into_iter().filter(|path| !path.ends_with("0000")).count();
    assert_eq!(healthy, 2, "{ran:.2000?}");
    // A machine that is fast enough is done with it.
    let is_over = ran.exit == Some(4) && ran.stdout.contains("unknown");
    assert!(is_over || ran.exit == Some(0), "{ran:.2000?}");
}

/// What one of three targets, or its registry, does to those who work on it.
#[derive(Debug, Clone, Copy)]
enum Ill {
    Schema,
    Template,
    LargeFile,
    ManyTags,
    SlowBody,
    HangingHelper,
}

const ALL: [Ill; 6] =
    [Ill::Schema, Ill::Template, Ill::LargeFile, Ill::ManyTags, Ill::SlowBody, Ill::HangingHelper];

impl Ill {
    /// Whether it would go on for ever.
    fn has_no_end(self) -> bool {
        matches!(self, Self::SlowBody | Self::HangingHelper)
    }

    /// What its project has beside the values file, or in its place.
    fn file(self) -> Option<(&'static str, Vec<u8>)> {
        match self {
            Self::Schema => Some(("values.schema.json", super::work::doubling(31).into_bytes())),
            Self::Template => {
                let template = "{{ contains \"y\" .Values.security.skip }}".repeat(1_200);
                Some((VALUES, super::work::values_with(&template).into_bytes()))
            }
            Self::LargeFile => {
                let line = format!("# {}\n", "x".repeat(1_000_000));
                Some((VALUES, format!("{AT_0_4_11}{}", line.repeat(100)).into_bytes()))
            }
            Self::ManyTags | Self::SlowBody | Self::HangingHelper => None,
        }
    }
}

/// A fleet of three, of which the first target is ill.
struct Ward {
    fleet: Fleet,
    /// The registry of the first, where that is what is ill.
    registry: Option<Stranger>,
    slow: Option<tokio::task::JoinHandle<()>>,
}

impl Ward {
    async fn new(ill: Ill) -> Self {
        let mut ward =
            Self { fleet: Fleet::new(3, |_| AT_0_4_11.to_owned()).await, registry: None, slow: None };
        if let Some((path, bytes)) = ill.file() {
            let mut state = ward.fleet.gitlab.state();
            state.project(1_000).repository.commit_on("main", "Evil", "mallory", &[(path, &bytes)]);
        }
        let host = match ill {
            Ill::SlowBody => {
                let (host, slow) = drips().await;
                ward.slow = Some(slow);
                Some(host)
            }
            Ill::ManyTags | Ill::HangingHelper => {
                let registry = many_tags().await;
                let host = registry.host.clone();
                ward.registry = Some(registry);
                Some(host)
            }
            _ => None,
        };
        if let (Ill::HangingHelper, Some(host)) = (ill, &host) {
            hanging_helper(&mut ward.fleet.desk, host);
        }
        ward.configure(host);
        ward
    }

    /// The first target is the other registry's, if there is one.
    fn configure(&self, other: Option<String>) {
        let producer = if other.is_some() { "ill" } else { "own" };
        let target = |number: usize, producer: &str| {
            format!("  - {{project: fleet/target-{number:04}, producer: {producer}, files: [{VALUES}]}}\n")
        };
        let targets = target(0, producer) + &target(1, "own") + &target(2, "own");
        self.fleet.configure(&format!("targets:\n{targets}"));
        let config = String::from_utf8(self.fleet.desk.read("dibump.yaml")).unwrap();
        let own = format!("  - {{registry: {}", self.fleet.registry.prefix(PREFIX));
        assert!(config.contains(&own));
        let ill = other.map(|host| {
            format!(
                "  - {{name: ill, registry: oci://{host}/{PREFIX}, plain_http: true, discovery: [catalog]}}\n"
            )
        });
        let named = own.replace("{registry:", "{name: own, registry:");
        self.fleet.desk.write("dibump.yaml", config.replace(&own, &(ill.unwrap_or_default() + &named)));
    }

    /// How many of the two that are well have their merge requests.
    fn healthy(&self) -> usize {
        self.fleet.opened().into_iter().filter(|path| !path.ends_with("0000")).count()
    }
}

/// A registry with a million tags.
async fn many_tags() -> Stranger {
    let tags: Vec<String> = (0..1_000_000).map(|n| format!("build-{n}")).collect();
    let tags = serde_json::json!({ "tags": tags }).to_string();
    Stranger::start(move |asked| {
        let catalog = || format!(r#"{{"repositories": ["{PREFIX}/ubuntu-noble-plain-rke2-1-30-11"]}}"#);
        let body = if asked.target.contains("/_catalog") { catalog() } else { tags.clone() };
        (200, Vec::new(), body)
    })
    .await
}

/// A registry whose answer comes byte by byte.
async fn drips() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let serving = tokio::spawn(async move {
        loop {
            let Ok((mut connection, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n";
                // No client takes an answer before it has asked.
                let _ = connection.read(&mut [0; 4096]).await;
                let mut sent = connection.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    sent = connection.write_all(b" ").await;
                }
            });
        }
    });
    (host, serving)
}

impl Drop for Ward {
    fn drop(&mut self) {
        self.slow.take().inspect(|slow| slow.abort());
    }
}

/// A docker configuration whose helper never answers, for this host.
fn hanging_helper(desk: &mut Desk, host: &str) {
    desk.write("docker-credential-hanging", "#!/bin/sh\nexec sleep 3600\n");
    let helper = desk.path("docker-credential-hanging");
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    desk.write("config.json", format!(r#"{{"credHelpers": {{"{host}": "hanging"}}}}"#));
    let folder = helper.parent().unwrap().display().to_string();
    desk.variables.push(("PATH".to_owned(), format!("{folder}:/usr/bin:/bin")));
    desk.variables.push(("DOCKER_CONFIG".to_owned(), folder));
}

async fn is_over_in_time(ill: Ill) {
    let ward = Ward::new(ill).await;
    let limit = Duration::from_secs(30);
    let running = ward.fleet.desk.dibump(&["run", "--max-time", "30s"]);
    let ran = tokio::time::timeout(limit + ENDS_WITHIN, running).await.expect("--max-time ends it");
    assert_eq!(ward.healthy(), 2, "{ill:?}: {ran:.2000?}");
    if ill.has_no_end() {
        assert_eq!(ran.exit, Some(4), "{ill:?}: {ran:.2000?}");
        assert!(ran.stdout.contains("→ unknown: "), "{ill:?}: {ran:.2000?}");
    } else {
        assert!(matches!(ran.exit, Some(0 | 3 | 4 | 5)), "{ill:?}: {ran:.2000?}");
    }
}

async fn is_ended_by_sigterm(ill: Ill) {
    let ward = Ward::new(ill).await;
    let ran = terminated(&ward.fleet.desk, &["run"], || ward.healthy() == 2).await;
    let exits: &[i32] = if ill.has_no_end() { &[143] } else { &[143, 0, 3, 4, 5] };
    assert!(ran.exit.is_some_and(|exit| exits.contains(&exit)), "{ill:?}: {ran:.2000?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn max_time_is_kept_whatever_one_target_does_and_the_others_are_done() {
    futures::future::join_all(ALL.map(is_over_in_time)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_is_kept_whatever_one_target_does_and_the_others_are_done() {
    futures::future::join_all(ALL.map(is_ended_by_sigterm)).await;
}
