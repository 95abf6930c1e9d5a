//! dibump
pub mod catalogue;
pub mod forge;
pub mod registry;
pub mod reconcile;
pub mod release;
pub mod store;
pub mod values;
