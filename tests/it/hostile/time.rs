//! `--max-time` and SIGTERM are kept, whatever is worked on and whoever is waited for, and the others get their turn.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::fake::oci::Fault;
use crate::fleet::Fleet;
use crate::world::{AT_0_4_11, Desk, PATIENCE, Ran, VALUES, World, ended};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_helper_of_one_producer_holds_nobody_else() {
    let (mut fleet, other) = (Fleet::new(2, |_| AT_0_4_11.to_owned()).await, World::new().await);
    let own = fleet.registry.host().to_owned();
    hanging_helper(&mut fleet.desk, other.registry.host());
    fleet.configure(&format!("targets:\n{}", targets()));
    let config = String::from_utf8(fleet.desk.read("dibump.yaml")).unwrap();
    let one = format!("  - {{registry: oci://{own}");
    let two = format!(
        "  - {{name: hanging, registry: {}, plain_http: true, discovery: [catalog]}}\n  - {{name: own, registry: oci://{own}",
        other.registry.prefix(crate::world::PREFIX)
    );
    assert!(config.contains(&one));
    fleet.desk.write("dibump.yaml", config.replace(&one, &two));
    let limit = Duration::from_secs(20);
    let running = fleet.desk.dibump(&["run", "--max-time", "20s"]);
    let ran = tokio::time::timeout(limit + ENDS_WITHIN, running).await.expect("--max-time ends it");
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    let opened: Vec<String> = fleet.opened().into_iter().collect();
    assert_eq!(opened, ["fleet/target-0001"], "{ran:#?}");
    assert!(ran.stdout.contains("out of time"), "{ran:#?}");
}

fn targets() -> String {
    let target = |project: &str, producer: &str| {
        format!("  - {{project: {project}, producer: {producer}, files: [{VALUES}]}}\n")
    };
    target("fleet/target-0000", "hanging") + &target("fleet/target-0001", "own")
}
