//! dibump
pub mod catalogue;
pub mod forge;
pub mod gitlab;
pub mod http;
pub mod registry;
pub mod release;
pub mod store;
pub mod values;
