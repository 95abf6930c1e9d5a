//! The version: is it a release, is it published, and is enough of it known to judge the rest.

use std::borrow::Cow;

use super::notes::{Notes, PendingFinding, place};
use super::{CheckInputs, FindingPlace, Id, NamedRelease};
use crate::release::{Coverage, Release};

/// What only a known release decides.
const OF_THE_RELEASE: [Id; 5] =
    [Id::DeadKey, Id::StrayKey, Id::UnlistedArtifact, Id::KubernetesVersion, Id::Selector];

/// Judges the version, and gives the release that the mapping is held against: one of which nothing is known where the
/// version itself is what is wrong, for then every key would be wrong for the same reason.
pub(super) fn judge<'a>(inputs: &CheckInputs<'a>, notes: &mut Notes) -> Cow<'a, Release> {
    let release = match inputs.named {
        NamedRelease::Pinned(version) => {
            let message = format!(
                "{version} is a snapshot, not a release: it may be removed, and dibump does not update it"
            );
            notes.find(finding(inputs, Id::PinnedVersion, version.to_string(), message));
            Cow::Owned(Release::unknown(version.clone(), "the file is pinned to a snapshot"))
        }
        NamedRelease::Release(release) if release.is_empty() => {
            let version = release.version.clone();
            let message = format!("{version} is not published: no artifact carries it");
            notes.find(finding(inputs, Id::UnpublishedVersion, version.to_string(), message));
            Cow::Owned(Release::unknown(version, "it is not published"))
        }
        NamedRelease::Release(release) => {
            if let Coverage::Unknown { reason } = &release.coverage {
                notes.unknown.push(format!("{}: {reason}", release.version));
                notes.undecided.insert(Id::UnpublishedVersion);
            }
            Cow::Borrowed(release)
        }
    };
    match release.coverage {
        Coverage::Complete => {}
        Coverage::Partial { .. } => notes.undecided.extend([Id::UnlistedArtifact]),
        Coverage::Unknown { .. } => notes.undecided.extend(OF_THE_RELEASE),
    }
    release
}

fn finding(inputs: &CheckInputs<'_>, id: Id, subject: String, message: String) -> PendingFinding {
    PendingFinding { id, place: version_place(inputs), subject, message, help: None, fix: None }
}

/// The version's value, or the mapping where a person named the version.
fn version_place(inputs: &CheckInputs<'_>) -> FindingPlace {
    let file = &inputs.primary;
    match file.version {
        Some((key, scalar)) => place(file.path, file.document, key.clone(), scalar.span.clone()),
        None => {
            let key = file.mapping.path.clone();
            FindingPlace { path: file.path.to_owned(), key, at: file.mapping.at, length: 1 }
        }
    }
}
