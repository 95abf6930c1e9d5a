//! The figures of the README, measured. `cargo bench --bench figures` runs all, `-- edit` one group.
//!
//! Each row is a median over whole processes; where a peer is named, both alternate, so that the machine's mood hits both.
//! A run prints a Markdown table. Nothing here fails because of a slow machine.

#![allow(
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a benchmark sets up its own files, servers and processes"
)]

#[path = "figures/bounds.rs"]
mod bounds;
#[path = "figures/consumer.rs"]
mod consumer;
#[path = "figures/deployment.rs"]
mod deployment;
#[path = "figures/edit.rs"]
mod edit;
#[path = "../tests/fake/mod.rs"]
mod fake;
#[path = "figures/fleet.rs"]
mod fleet;
#[path = "figures/images.rs"]
mod images;
#[path = "figures/latency.rs"]
mod latency;
#[path = "figures/lookup.rs"]
mod lookup;
#[path = "figures/measure.rs"]
mod measure;
#[path = "figures/serving.rs"]
mod serving;
#[path = "figures/signatures.rs"]
mod signatures;

/// The program, built as it is released.
const DIBUMP: &str = env!("CARGO_BIN_EXE_dibump");

fn main() {
    if measure::is_between() || edit::is_parser() {
        return;
    }
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |group: &str| wanted.is_empty() || wanted.iter().any(|name| name == group);
    println!("| what | ours | beside it |\n|---|---|---|");
    if is_wanted("start") {
        edit::cold_start();
    }
    if is_wanted("edit") {
        edit::large_file();
    }
    if is_wanted("lookup") {
        lookup::all();
    }
    if is_wanted("signatures") {
        signatures::all();
    }
    if is_wanted("consumer") {
        consumer::all();
    }
    if is_wanted("deployment") {
        deployment::all();
    }
    if is_wanted("fleet") {
        fleet::all();
    }
    if is_wanted("images") {
        images::all();
    }
    if is_wanted("bounds") {
        bounds::all();
    }
}
