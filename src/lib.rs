//! dibump
pub mod catalogue;
pub mod forge;
pub mod reconcile;
pub mod registry;
pub mod release;
pub mod store;
pub mod values;
