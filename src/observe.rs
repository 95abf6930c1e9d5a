//! Reading the world: releases from a producer, branches and merge requests from a forge. Nothing here writes.

pub mod releases;
//! Reading what is there, over the ports.
pub mod merge_request;
