//! Reading what is there, over the ports.
pub mod merge_request;
