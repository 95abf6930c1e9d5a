//! Edits of values files: byte for byte on written cases, and properties on generated ones.

mod cases;
mod properties;
mod readers;
mod refusals;
