//! Reading the world: releases from a producer, branches and merge requests from a forge. Nothing here writes.

pub mod lists;
pub mod merge_request;
pub mod os_images;
pub mod releases;
mod signatures;
