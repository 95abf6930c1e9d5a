//! The integration tests: one binary, a file per user story.
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
//! The integration tests: a file per user story, over servers that behave.

#[path = "../fake/mod.rs"]
mod fake;

mod architecture;
mod oci;
mod oci_access;
mod transport;
mod values;
mod gitlab;
