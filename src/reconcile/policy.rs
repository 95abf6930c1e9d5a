//! Which policy `images:` holds for a mapping that leaves the choice open: what the file lists now says it.

use super::listing::Listing;
use super::{Because, Images, Inputs};
use crate::release::{Coverage, Release};

/// The policy that holds, never [`Images::Auto`], and why.
pub(super) fn decide(inputs: &Inputs<'_>, listing: &Listing<'_>) -> (Images, Because) {
    match (inputs.images, inputs.current) {
        (Images::Auto, Some(current)) => by_the_file(current, listing),
        (Images::Auto, None) => (Images::Follow, Because::NoRelease),
        (images, _) => (images, Because::Configured),
    }
}

fn by_the_file(current: &Release, listing: &Listing<'_>) -> (Images, Because) {
    let version = current.version.clone();
    if let Some(reason) = not_read(current) {
        return (Images::Follow, Because::NotRead { version, reason });
    }
    // A key that another registry has cannot be listed a second time, so it is not missing.
    let artifacts = || current.artifacts.keys().map(|key| key.as_str()).filter(|key| !listing.is_taken(key));
    let listed = listing.keys();
    let both = artifacts().filter(|key| listed.contains(key)).count();
    let artifacts = artifacts().count();
    let (missing, others) = (artifacts - both, listed.len() - both);
    match (missing, others) {
        (0, 0) if artifacts == 0 => (Images::Follow, Because::ListsOthersOnly { version }),
        (0, 0) => (Images::All, Because::ListsAll { artifacts, version }),
        (0, _) => (Images::Follow, Because::ListsOthers { others, version }),
        _ => (Images::Follow, Because::LeavesOut { missing, artifacts, version }),
    }
}

/// Why a release says nothing about what was left out of a mapping on purpose. An empty one says nothing either.
pub(super) fn not_read(release: &Release) -> Option<String> {
    match &release.coverage {
        Coverage::Complete if release.is_empty() => Some("it has no artifacts".to_owned()),
        Coverage::Complete => None,
        Coverage::Partial { reason } | Coverage::Unknown { reason } => Some(reason.clone()),
    }
}
