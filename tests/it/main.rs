//! The integration tests: one binary, a file per story.

mod values;
