//! Adapter: files on this machine. The only room that touches the file system.

pub mod cache;
pub mod releases;
pub mod values_file;
