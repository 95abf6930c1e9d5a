//! Output that cannot be written is an error of every command; a reader that goes away is none.

use std::process::Stdio;

use crate::consumer::Consumer;
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, VALUES, World, ended};

/// A disk that is always full.
fn full() -> Stdio {
    Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
}

/// Ends with 3 on a full disk, and quietly with `code` where nobody reads.
async fn is_told(desk: &Desk, arguments: &[&str], code: i32) {
    let ran = ended(desk.command(arguments).stdout(full()).spawn().unwrap()).await;
    assert_eq!(ran.exit, Some(3), "{arguments:?}: {ran:#?}");
    reads!(about(&ran.stderr, "the output"), @"error: couldn't write the output: No space left on device (os error N)");
    let mut child = desk.spawn(arguments);
    drop(child.stdout.take());
    let ran = ended(child).await;
    assert_eq!(ran.exit, Some(code), "{arguments:?}: {ran:#?}");
    reads!(about(&ran.stderr, "output"), @"");
}

#[tokio::test]
async fn every_command_tells_that_its_output_was_not_written() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["plan", "--format", "diff"],
        &["run", "--dry-run"],
        &["run", "--dry-run", "--format", "json"],
        &["check"],
        &["releases"],
        &["releases", "--format", "json"],
        &["releases", "--diff", "0.4.11..0.4.12"],
        &["artifacts", "0.4.12"],
        &["config", "validate"],
        &["config", "schema"],
        &["config", "show"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        is_told(&world.desk, arguments, 0).await;
    }
    let consumer = Consumer::new().await;
    for command in ["os-images", "os-images-info"] {
        is_told(&consumer.desk, &[command, "-f", "values.yaml"], 0).await;
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_written_is_told_and_a_link_stays_a_link() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11).write("report.md", "before\n");
    std::os::unix::fs::symlink(world.desk.path("report.md"), world.desk.path("link.md")).unwrap();
    for command in [&["check"][..], &["run", "--dry-run"]] {
        for (path, code) in [("/dev/full", 3), ("absent/report.md", 3), ("link.md", 0), ("/dev/null", 0)] {
            let output = format!("markdown={path}");
            let ran = world.desk.dibump(&[command, &["--output", &output]].concat()).await;
            assert_eq!(ran.exit, Some(code), "{path}: {ran:#?}");
        }
    }
    assert!(world.desk.path("link.md").is_symlink());
    assert_ne!(world.desk.read("report.md"), b"before\n");
    let consumer = Consumer::new().await;
    let ran = consumer.run("os-images-info", &["--output", "/dev/full"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
}
