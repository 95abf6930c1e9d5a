//! The consumer's side: which images a deployment enables, what is known of them, and the image of a Metal3 machine.
//!
//! The rules are those of the charts that read the same values (sylva-core, sylva-capi-cluster and their library);
//! `check` judges by the same functions.

mod attributes;
pub mod cluster;
mod nearest;
pub mod selector;

pub use attributes::attributes;
pub use nearest::nearest;
