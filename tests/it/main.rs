//! The integration tests: a file per user story, over servers that behave.

#[path = "../fake/mod.rs"]
mod fake;

mod gitlab;
