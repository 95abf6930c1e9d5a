//! Reading the world: releases from a producer, branches and merge requests from a forge. Nothing here writes.

pub mod merge_request;
pub mod os_images;
pub mod releases;
mod signatures;

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
