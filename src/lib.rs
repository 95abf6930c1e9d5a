//! dibump
pub mod catalogue;
pub mod config;
pub mod disk;
pub mod forge;
pub mod observe;
pub mod registry;
pub mod release;
pub mod report;
pub mod store;
pub mod values;
