//! dibump
pub mod apply;
pub mod catalogue;
pub mod disk;
pub mod forge;
pub mod observe;
pub mod http;
pub mod oci;
pub mod merge_request;
pub mod observe;
pub mod registry;
pub mod release;
pub mod report;
pub mod store;
pub mod values;
