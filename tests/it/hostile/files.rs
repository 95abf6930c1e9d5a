//! Files that are no files, or have no end: an error that says so, and no wait.

use std::collections::BTreeSet;

use super::bounded;
use crate::world::{AT_0_4_11, Desk, NETWORK, VALUES, World};

fn pipe(desk: &Desk, name: &str) {
    let made = std::process::Command::new("mkfifo").arg(desk.path(name)).status().unwrap();
    assert!(made.success());
}

fn sparse(desk: &Desk, name: &str, bytes: u64) {
    std::fs::File::create(desk.path(name)).unwrap().set_len(bytes).unwrap();
}

#[tokio::test]
async fn what_is_no_regular_file_is_an_error_and_not_waited_for() {
    let mut told = BTreeSet::new();
    for make in [
        pipe as fn(&Desk, &str),
        |desk, name| sparse(desk, name, 10 << 30),
        |desk, name| std::os::unix::fs::symlink("/dev/zero", desk.path(name)).unwrap(),
    ] {
        for (name, arguments) in [
            (VALUES, &["plan", VALUES][..]),
            (VALUES, &["check", VALUES]),
            ("dibump.yaml", &["run"]),
            ("values.schema.json", &["plan", VALUES]),
            ("key.pem", &["plan", VALUES, "--cosign-key", "key.pem"]),
            ("other.yaml", &["os-images", "-f", "other.yaml"]),
        ] {
            let world = World::new().await;
            world.desk.write(VALUES, AT_0_4_11);
            let _ = std::fs::remove_file(world.desk.path(name));
            make(&world.desk, name);
            let ran = bounded(&world.desk, arguments).await;
            assert_eq!(ran.exit, Some(3), "{name}: {ran:#?}");
            told.insert(ran.stderr);
        }
    }
    reads!(Vec::from_iter(told).concat(), @"
    error: couldn't read dibump.yaml: not a regular file
    error: couldn't read key.pem: not a regular file
    error: couldn't read other.yaml: not a regular file
    error: couldn't read values.schema.json: not a regular file
    error: couldn't read values.yaml: not a regular file
    error: dibump.yaml has 10737418240 bytes; a file of more than 33554432 bytes is refused
    error: key.pem has 10737418240 bytes; a file of more than 33554432 bytes is refused
    error: other.yaml has 10737418240 bytes; a file of more than 33554432 bytes is refused
    error: values.schema.json has 10737418240 bytes; a file of more than 33554432 bytes is refused
    error: values.yaml has 10737418240 bytes; a file of more than 33554432 bytes is refused
    ");
}

#[tokio::test]
async fn a_cache_that_is_no_file_costs_requests_and_nothing_else() {
    for make in [pipe as fn(&Desk, &str), |desk, name| sparse(desk, name, 10 << 30)] {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        let arguments = ["plan", VALUES, "--cache-dir", "cache"];
        assert_eq!(bounded(&world.desk, &arguments).await.exit, Some(0));
        let mut broken = 0;
        for name in files(&world.desk, "cache") {
            std::fs::remove_file(world.desk.path(&name)).unwrap();
            make(&world.desk, &name);
            broken += 1;
        }
        assert!(broken > 0);
        let ran = bounded(&world.desk, &arguments).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert!(ran.stdout.contains("0.4.12"), "{ran:#?}");
    }
}

/// The files below a folder of the desk.
fn files(desk: &Desk, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(desk.path(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(desk, &name)),
            false => found.push(name),
        }
    }
    found
}

#[tokio::test]
async fn references_are_read_with_a_cap() {
    let desk = Desk::new();
    desk.write(VALUES, AT_0_4_11);
    let releases = serde_json::json!({"schema": "dibump.releases/1", "releases": [
        {"version": "0.4.11", "artifacts": [{"name": "ubuntu-noble-plain-rke2-1-30-11"}]},
        {"version": "0.4.12", "artifacts": [{"name": "ubuntu-noble-plain-rke2-1-30-12"}]},
    ]});
    desk.write("releases.json", releases.to_string()).write("empty.yaml", NETWORK);
    sparse(&desk, "env.yaml", 10 << 30);
    let arguments = ["check", VALUES, "--observed", "releases.json", "--references", "env.yaml"];
    let ran = bounded(&desk, &arguments).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: env.yaml has 10737418240 bytes; a file of more than 33554432 bytes is refused");
}
