//! dibump
pub mod catalogue;
pub mod forge;
pub mod http;
pub mod oci;
pub mod registry;
pub mod release;
pub mod store;
pub mod values;
