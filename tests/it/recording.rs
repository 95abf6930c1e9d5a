//! docs/demo.svg is what a terminal shows of the demo's updates, drawn from what the program printed.
//!
//! After a change on purpose: `UPDATE_DOCS=1 cargo test --test it recording`.

use std::path::Path;

use anstyle_svg::{Term, WIN10_CONSOLE};

use crate::announced::demo;
use crate::world::{Desk, VALUES};

/// What is typed, as a shell shows it.
fn typed(line: &str) -> String {
    format!("\u{1b}[1;32m$\u{1b}[0m \u{1b}[1m{line}\u{1b}[0m\n")
}

/// What the program prints.
async fn printed(desk: &Desk, arguments: &str) -> String {
    let ran = desk.dibump(&arguments.split(' ').collect::<Vec<_>>()).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    ran.stdout
}

/// The end of a run, which a pipe shows without colours.
async fn end_of_run(desk: &Desk) -> String {
    let all = printed(desk, "run").await;
    let lines: Vec<&str> = all.lines().collect();
    typed("dibump run | tail -n 4") + &lines[lines.len() - 4..].join("\n")
}

#[tokio::test]
async fn the_recording_shows_what_the_program_prints() {
    let (registry, gitlab) = (demo::registry().await, demo::gitlab().await);
    let mut desk = Desk::new();
    desk.write(VALUES, demo::VALUES).write("dibump.yaml", demo::configuration(&registry, &gitlab));
    desk.variables.push(("GITLAB_TOKEN".to_owned(), demo::TOKEN.to_owned()));
    let plan = printed(&desk, "plan --format diff --color always").await;
    let mut parts = vec![typed("dibump plan --format diff") + &plan, end_of_run(&desk).await];
    parts.push(typed("dibump run") + &printed(&desk, "run --color always").await);
    demo::publish_newer(&registry);
    desk.now = "2026-06-02T03:02:01Z".to_owned();
    let later = "\u{1b}[2m# A month later, the producer has published 0.4.13.\u{1b}[0m\n";
    parts.push(later.to_owned() + &end_of_run(&desk).await);
    let screen = parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n");
    let screen = screen.replace(gitlab.address(), "https://gitlab.example");
    assert!(!screen.contains("127.0.0.1"), "{screen}");
    let drawn = Term::new().palette(WIN10_CONSOLE).render_svg(&screen);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.svg");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == drawn, "docs/demo.svg has drifted");
}
