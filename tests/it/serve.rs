//! The daemon: triggers while it runs, a stop in the middle, a wrong configuration, and what Prometheus reads of it.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::clients;
use crate::fake::oci::{Fault, Gate};
use crate::fake::wire::{Failure, How};
use crate::said::about;
use crate::world::{PATH, PATIENCE, World, values_at};

const SECRET: &str = "a-token-for-triggers";

/// A daemon that has begun to serve.
struct Daemon {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Daemon {
    async fn start(world: &mut World, more: &[&str]) -> Self {
        world.desk.variables.push(("DIBUMP_SERVE_TOKEN".to_owned(), SECRET.to_owned()));
        Self::start_as_it_is(world, more).await
    }

    async fn start_as_it_is(world: &World, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = world.desk.spawn(&arguments);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("it says where it serves");
        let address = first.rsplit_once("://").unwrap_or_else(|| panic!("{first}")).1.to_owned();
        // Nobody reading would stop it from writing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        tokio::spawn(async move { while let Ok(Some(_)) = stdout.next_line().await {} });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, address, client }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, token: Option<&str>, body: String) -> (u16, String) {
        let mut request = self.client.post(format!("http://{}{path}", self.address)).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The value of a metric, by its name and labels as they are written.
    async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or(0.0)
    }

    /// Waits until a metric has a value.
    async fn until(&self, name: &str, value: f64) {
        let reached = async {
            while self.metric(name).await < value {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            panic!("{name} never became {value}:\n{}", self.get("/metrics").await.1);
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it lives").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ends once it is told to.
    async fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends").unwrap().code()
    }
}

const DONE: &str = "dibump_runs_total{result=\"done\"}";

#[tokio::test]
async fn a_daemon_runs_at_once_and_on_demand_and_says_how_it_is() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &[]).await;
    let (health, said) = daemon.get("/healthz").await;
    assert_eq!((health, &said[..4]), (200, "ok: "), "{said}");
    assert_eq!(daemon.get("/readyz").await, (200, "ready\n".to_owned()));
    daemon.until(DONE, 1.0).await;
    assert_eq!(world.merge_requests().len(), 1);
    let (_, said) = daemon.get("/healthz").await;
    reads!(said, @"ok: the last run ended at 2026-05-05T03:02:01Z");

    world.release(13);
    let answer = daemon.post(&format!("/run?project={PATH}"), Some(SECRET), String::new()).await;
    assert_eq!(answer, (202, format!("will run: {PATH}\n")));
    daemon.until(DONE, 2.0).await;
    assert_eq!(world.values(crate::world::SOURCE), Some(values_at(13)));
    assert_eq!(daemon.metric("dibump_outcomes_total{outcome=\"created\"}").await, 1.0);
    assert_eq!(daemon.metric("dibump_outcomes_total{outcome=\"updated\"}").await, 1.0);
    assert_eq!(daemon.metric("dibump_releases{producer=\"diskimage-builder\",state=\"seen\"}").await, 3.0);
    assert!(daemon.metric("dibump_requests_total{host=\"127.0.0.1\",status=\"200\"}").await > 10.0);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn nobody_gets_in_without_the_token_and_bodies_are_believed_in_nothing() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &[]).await;
    daemon.until(DONE, 1.0).await;
    for token in [None, Some(""), Some("another"), Some("a-token-for-triggerz")] {
        assert_eq!(daemon.post("/run", token, String::new()).await.0, 401, "{token:?}");
    }
    assert_eq!(daemon.get("/run").await.0, 405);
    assert_eq!(daemon.get("/absent").await.0, 404);
    assert_eq!(daemon.post("/run", None, "x".repeat(65 << 10)).await.0, 401, "the token is asked for first");
    assert_eq!(daemon.post("/run", Some(SECRET), "x".repeat(65 << 10)).await.0, 413);
    let unknown = daemon.post("/run?project=other/project", Some(SECRET), String::new()).await;
    assert_eq!(unknown, (404, "the configuration names no project `other/project`\n".to_owned()));
    assert_eq!(daemon.metric("dibump_triggers_total").await, 0.0);
    let webhook = |project: &str| format!("{{\"project\": {{\"path_with_namespace\": \"{project}\"}}}}");
    for (body, said) in [
        (webhook(PATH), format!("will run: {PATH}\n")),
        (webhook("other/project"), "will run: all targets\n".to_owned()),
        ("{not json".to_owned(), "will run: all targets\n".to_owned()),
    ] {
        assert_eq!(daemon.post("/run", Some(SECRET), body).await, (202, said));
    }
    let gitlab =
        daemon.client.post(format!("http://{}/run", daemon.address)).header("x-gitlab-token", SECRET);
    assert_eq!(gitlab.send().await.unwrap().status().as_u16(), 202, "as GitLab's webhooks send it");
    daemon.stop().await;
}

#[tokio::test]
async fn two_hundred_triggers_during_a_run_are_one_run_more() {
    let mut world = World::new().await;
    let gate = Gate::shut();
    world.registry.fault(Fault::held(&gate).on("_catalog").times(1));
    let daemon = Daemon::start(&mut world, &[]).await;
    daemon.until("dibump_running", 1.0).await;
    let posts = (0..200).map(|_| daemon.post("/run", Some(SECRET), String::new()));
    for answer in futures::future::join_all(posts).await {
        assert_eq!(answer.0, 202);
    }
    assert_eq!(daemon.metric(DONE).await, 0.0, "the first run is still under way");
    gate.open();
    daemon.until(DONE, 2.0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(daemon.metric(DONE).await, 2.0, "nothing is lost, and nothing doubled");
    assert_eq!(daemon.metric("dibump_triggers_total").await, 200.0);
    assert_eq!(world.merge_requests().len(), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_run_leaves_what_the_next_run_brings_to_its_end() {
    let second = Fault::delay(Duration::from_secs(1));
    // An answer that never comes is given up after the grace, long before the time-outs.
    let faults = [("_catalog", &second), ("/tags/list", &second), ("/manifests/", &second)];
    for (path, fault) in faults.into_iter().chain([("_catalog", &Fault::silence())]) {
        let mut world = World::new().await;
        world.registry.fault(fault.clone().on(path).times(1));
        let daemon = Daemon::start(&mut world, &[]).await;
        daemon.until("dibump_running", 1.0).await;
        assert_eq!(daemon.stop().await, Some(0), "{path}");
        assert!(world.merge_requests().len() <= 1);
        let ran = world.run().await;
        assert_eq!(ran.exit, Some(0), "{path}: {ran:#?}");
        assert_eq!(world.merge_requests().len(), 1, "{path}");
        assert_eq!(world.commits_ahead(), 1);
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_write_leaves_what_the_next_run_brings_to_its_end() {
    for how in [How::Delay(Duration::from_secs(1)), How::Silence, How::KeepAnswer] {
        for write in [0, 1] {
            let mut world = World::new().await;
            world.hub.fail(Failure::once("POST", world.hub.writing()[write], how.clone()));
            let daemon = Daemon::start(&mut world, &[]).await;
            while !world.hub.all_struck() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(daemon.stop().await, Some(0), "{write} {how:?}");
            let ran = world.run().await;
            assert_eq!(ran.exit, Some(0), "{write} {how:?}: {ran:#?}");
            assert_eq!(world.merge_requests().len(), 1, "{write} {how:?}");
            assert_eq!(world.commits_ahead(), 1);
        }
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_and_the_old_one_stays() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &[]).await;
    daemon.until(DONE, 1.0).await;
    let right = world.desk.read("dibump.yaml");
    world.desk.write("dibump.yaml", "version: 1\noops: true\n");
    daemon.signal("HUP");
    daemon.until("dibump_reloads_total{result=\"refused\"}", 1.0).await;
    assert_eq!(daemon.get("/readyz").await.0, 200);
    assert_eq!(daemon.post(&format!("/run?project={PATH}"), Some(SECRET), String::new()).await.0, 202);
    daemon.until(DONE, 2.0).await;
    let other = String::from_utf8(right).unwrap().replace(PATH, "other/project");
    world.desk.write("dibump.yaml", other);
    daemon.signal("HUP");
    daemon.until("dibump_reloads_total{result=\"taken\"}", 1.0).await;
    let (status, said) = daemon.post(&format!("/run?project={PATH}"), Some(SECRET), String::new()).await;
    assert_eq!(status, 404, "{said}");
    daemon.stop().await;
}

#[tokio::test]
async fn without_a_token_nobody_may_ask_and_a_taken_address_is_said() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &[]).await;
    let taken = world.desk.dibump(&["serve", "--listen", &daemon.address]).await;
    assert_eq!(taken.exit, Some(3), "{taken:#?}");
    reads!(about(&taken.stderr, "error"), @"error: couldn't listen on HOST: Address already in use (os error N)");
    daemon.stop().await;
    world.desk.variables.retain(|(name, _)| name != "DIBUMP_SERVE_TOKEN");
    let daemon = Daemon::start_as_it_is(&world, &["--dry-run"]).await;
    for token in [None, Some(""), Some(SECRET)] {
        let (status, said) = daemon.post("/run", token, String::new()).await;
        assert_eq!(status, 403, "{said}");
    }
    daemon.until(DONE, 1.0).await;
    assert!(world.merge_requests().len() <= 1, "a dry run opens nothing more");
    daemon.stop().await;
    let wrong = world.desk.dibump(&["serve", "--every", "0s"]).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
}

/// How a stranger may hold a connection.
const STRANGERS: [&str; 4] = [
    "",
    "GET /healthz HTT",
    "GET /metrics HTTP/1.1\r\nhost: a\r\nx-slow: ",
    "POST /run HTTP/1.1\r\nhost: a\r\nauthorization: Bearer a-token-for-triggers\r\ncontent-length: 9\r\n\r\n{",
];

#[tokio::test]
async fn strangers_who_say_nothing_are_sent_away_and_leave_room_for_runs() {
    let mut world = World::new().await;
    world.desk.limit = Some("-n 64");
    let daemon = Daemon::start(&mut world, &["--every", "1s"]).await;
    daemon.until(DONE, 1.0).await;
    let mut strangers = Vec::new();
    for i in 0..100 {
        let mut stranger = TcpStream::connect(&daemon.address).await.unwrap();
        stranger.write_all(STRANGERS[i % STRANGERS.len()].as_bytes()).await.unwrap();
        strangers.push(stranger);
    }
    assert_eq!(daemon.get("/healthz").await.0, 200, "who asks is answered at once");
    let runs = daemon.metric(DONE).await;
    daemon.until(DONE, runs + 2.0).await;
    assert_eq!(daemon.metric("dibump_runs_total{result=\"retry\"}").await, 0.0);
    for mut stranger in strangers {
        let ended = tokio::time::timeout(PATIENCE, stranger.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "the daemon closes it");
    }
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_daemon_has_a_certificate_of_its_own_and_takes_a_renewed_one() {
    let mut world = World::new().await;
    let data =
        |name: &str| std::fs::read(format!("{}/tests/data/tls/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let own = |authority: &str| {
        let authority = reqwest::Certificate::from_pem(&data(authority)).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap()
    };
    world.desk.write("cert.pem", "no certificate").write("key.pem", data("server.key"));
    let arguments = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let wrong = world.desk.dibump(&[&["serve", "--listen", "127.0.0.1:0"], &arguments[..]].concat()).await;
    assert_eq!(wrong.exit, Some(3), "{wrong:#?}");
    assert!(wrong.stderr.contains("cert.pem"), "{wrong:#?}");

    world.desk.write("cert.pem", data("server.pem"));
    let daemon = Daemon::start(&mut world, &arguments).await;
    let url = format!("https://{}/healthz", daemon.address);
    assert_eq!(own("server.pem").get(&url).send().await.unwrap().status(), 200);
    assert!(daemon.client.get(&url).send().await.is_err(), "its authority is not trusted by others");
    world.desk.write("cert.pem", data("authority.pem")).write("key.pem", data("authority.key"));
    daemon.signal("HUP");
    let renewed = async {
        // The authority's own certificate is no server's; that the handshake fails shows that it was taken.
        while own("server.pem").get(&url).send().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("it is read again");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_unix_socket_is_taken_over_only_from_the_dead_and_removed_in_the_end() {
    let world = World::new().await;
    let socket = world.desk.path("dibump.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let place = format!("unix:{}", socket.display());
    let mut daemon = world.desk.spawn(&["serve", "--listen", &place]);
    let mut lines = BufReader::new(daemon.stderr.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    reads!(first, @"note: serving on unix:FOLDER/dibump.sock");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let client = reqwest::Client::builder().unix_socket(socket.clone()).build().unwrap();
    let answer = client.get("http://dibump/readyz").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ready\n");
    let second = world.desk.dibump(&["serve", "--listen", &place]).await;
    assert_eq!(second.exit, Some(3), "{second:#?}");
    let pid = daemon.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(tokio::time::timeout(PATIENCE, daemon.wait()).await.unwrap().unwrap().code(), Some(0));
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_pause_without_end_is_a_daemon_that_runs_on_demand() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &["--every", "99999999h"]).await;
    daemon.until(DONE, 1.0).await;
    daemon.post("/run", Some(SECRET), String::new()).await;
    daemon.until(DONE, 2.0).await;
    assert_eq!(daemon.get("/healthz").await.0, 200);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test]
async fn a_run_that_does_not_end_makes_the_daemon_unwell() {
    let mut world = World::new().await;
    let gate = Gate::shut();
    world.registry.fault(Fault::held(&gate).on("_catalog").times(1));
    let daemon = Daemon::start(&mut world, &["--every", "1s"]).await;
    daemon.until("dibump_running", 1.0).await;
    let overdue = async {
        while daemon.get("/healthz").await.0 == 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, overdue).await.expect("it is overdue");
    let (_, said) = daemon.get("/healthz").await;
    assert!(said.starts_with("overdue: "), "{said}");
    // How long ago is not the same in every run.
    reads!(said.split("; ").last().unwrap(), @"no run has ended yet");
    gate.open();
    daemon.until(DONE, 1.0).await;
    daemon.stop().await;
}

/// What the official client's parser reads, or why it does not.
const SCRAPE: &str = "
import sys, urllib.request
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
answer = urllib.request.urlopen(sys.argv[1])
assert answer.headers['content-type'].startswith('application/openmetrics-text'), answer.headers
families = {family.name: family for family in parse(answer.read().decode())}
expected = {'dibump_runs', 'dibump_run_duration_seconds', 'dibump_running', 'dibump_last_run_timestamp_seconds',
            'dibump_outcomes', 'dibump_requests', 'dibump_releases', 'dibump_triggers', 'dibump_reloads'}
assert set(families) == expected, set(families) ^ expected
runs = [sample for sample in families['dibump_runs'].samples if sample.labels == {'result': 'done'}]
assert [sample.value for sample in runs] == [1.0], runs
";

#[tokio::test]
async fn prometheus_reads_the_metrics() {
    let mut world = World::new().await;
    let daemon = Daemon::start(&mut world, &[]).await;
    daemon.until(DONE, 1.0).await;
    clients::python(SCRAPE, &[&format!("http://{}/metrics", daemon.address)]).await;
    daemon.stop().await;
}
