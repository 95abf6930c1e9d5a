//! The fuzz targets: each takes any bytes, and asserts what must hold whatever they are.
//!
//! The fuzzer's binaries call them one by one; `tests/it/fuzz.rs` includes this file and calls them all over the seed
//! corpus and its mutations.

mod headers;
mod keys;
mod signatures;
mod strangers;
mod values;

pub use headers::{challenge_header, link_header};
pub use keys::key_parsing;
pub use signatures::{bundle, cosign_payload};
pub use strangers::{annotations, schema, template};
pub use values::values_edit;
