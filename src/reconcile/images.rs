//! The policy `images:`: which artifacts of a release a mapping should list.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::release::{Version, counted};

/// Which artifacts of a release a mapping should list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Images {
    /// `all` where the file lists exactly the artifacts of the release that it names, else `follow`.
    #[default]
    Auto,
    /// Exactly the artifacts of the release.
    All,
    /// A curated subset: its series are kept, and new series of listed families are added.
    Follow,
    /// What is listed is renamed and dropped; nothing is added.
    Listed,
}

/// Text that names no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an images policy (auto, all, follow or listed)")]
pub struct InvalidImages(pub String);

/// Why a policy holds, as a sentence fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The target says so.
    Configured,
    /// The mapping lists every artifact of the release that the file names, and nothing else.
    ListsAll {
        /// How many.
        artifacts: usize,
        /// Of which release.
        version: Version,
    },
    /// The mapping leaves artifacts of that release out.
    LeavesOut {
        /// How many.
        missing: usize,
        /// Of how many.
        artifacts: usize,
        /// Of which release.
        version: Version,
    },
    /// The mapping lists keys that the release does not have.
    ListsOthers {
        /// How many.
        others: usize,
        /// Of which release.
        version: Version,
    },
    /// Other registries have the keys of every artifact of that release, so that no entry can be ours.
    ListsOthersOnly {
        /// Which release.
        version: Version,
    },
    /// The release that the file names is not completely known.
    NotRead {
        /// Which release.
        version: Version,
        /// Why not.
        reason: String,
    },
    /// The file names no release.
    NoRelease,
    /// The file is an overlay of another mapping.
    Overlay,
}

impl FromStr for Images {
    type Err = InvalidImages;

    fn from_str(text: &str) -> Result<Self, InvalidImages> {
        match text {
            "auto" => Ok(Self::Auto),
            "all" => Ok(Self::All),
            "follow" => Ok(Self::Follow),
            "listed" => Ok(Self::Listed),
            _ => Err(InvalidImages(text.to_owned())),
        }
    }
}

impl fmt::Display for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::All => "all",
            Self::Follow => "follow",
            Self::Listed => "listed",
        })
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured => write!(f, "as configured"),
            Self::ListsAll { artifacts, version } => {
                write!(f, "the mapping lists exactly the {} of {version}", counted(*artifacts, "artifact"))
            }
            Self::LeavesOut { missing, artifacts, version } => {
                let artifacts = counted(*artifacts, "artifact");
                write!(f, "the mapping leaves out {missing} of the {artifacts} of {version}")
            }
            Self::ListsOthers { others, version } => {
                write!(f, "the mapping lists {others} that {version} does not have")
            }
            Self::ListsOthersOnly { version } => {
                write!(f, "other registries list every artifact of {version}")
            }
            Self::NotRead { version, reason } => write!(f, "{version} is not completely known: {reason}"),
            Self::NoRelease => write!(f, "the file names no release"),
            Self::Overlay => write!(f, "an overlay follows its mapping"),
        }
    }
}
