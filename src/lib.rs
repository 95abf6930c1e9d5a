//! dibump
pub mod apply;
pub mod catalogue;
pub mod forge;
pub mod merge_request;
pub mod observe;
pub mod registry;
pub mod release;
pub mod store;
pub mod values;
