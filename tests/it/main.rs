//! The integration tests: one binary, a file per user story, over servers that behave.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and sets up its own files, servers and processes"
)]

#[path = "../fake/mod.rs"]
mod fake;

#[macro_use]
mod said;
#[macro_use]
mod stories;

mod announced;
mod architecture;
mod bare_metal;
mod check;
mod clients;
mod consumer;
mod defaults;
mod endings;
mod environments;
#[path = "../replay/errors.rs"]
mod errors;
mod faults;
mod file_producers;
mod first_minutes;
mod fleet;
mod foreign_files;
mod fuzz;
mod gates;
mod generations;
mod github;
mod groups;
mod gitlab;
mod helm;

mod hostile;
mod hub;
mod identity;
mod job_files;
mod lasting;
mod life;
mod oci;
mod oci_access;
mod os_releases;
mod map_lines;
mod new_findings;
mod onboarding;
mod others;
mod outputs;
mod page;
mod pages;
mod patches;
mod plan;
mod pull;
mod reading;
mod recording;
mod references;
mod registries;
mod requirement;
mod run;
mod run_reports;
mod schemas;
mod serve;
mod serve_images;
mod servers;
mod signatures;
mod suite;
mod transport;
mod trust;
mod two_builders;
mod understood;
mod unseen;
mod values;
mod values_from;
mod wording;
mod world;
