//! The stories, one file each.

#[path = "../fake/mod.rs"]
mod fake;

mod oci;
mod oci_access;
mod transport;
//! The integration tests: one binary, a file per story.

mod values;
