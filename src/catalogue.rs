//! Port: which versions and names a producer *might* have published. Existence is the registry's answer, not ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::release::prefix::SNAPSHOTS;
use crate::release::{ImageKey, Prefix, Version};

/// What a source of `discovery:` can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// Repository names below the prefix; each one's tag list then says which versions it carries.
    Names(RepositoryNames),
    /// Releases with, where the notes list them, the names that each one published.
    Releases(Vec<ReleaseNote>),
}

/// The names of a producer's repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryNames {
    /// Of those directly below the prefix, where releases are.
    pub published: BTreeSet<ImageKey>,
    /// Of those below `snapshots/`, from where images are promoted. They are never releases themselves.
    pub snapshots: BTreeSet<ImageKey>,
    /// How many repositories were listed, wherever they stand.
    pub listed: usize,
}

impl RepositoryNames {
    /// The names among the paths of a registry's repositories; whatever stands elsewhere is no image.
    pub fn below<'a>(prefix: &Prefix, paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names = Self::default();
        for path in paths {
            names.listed += 1;
            let Some(name) = path.strip_prefix(prefix.path()).and_then(|rest| rest.strip_prefix('/')) else {
                continue;
            };
            match name.strip_prefix(SNAPSHOTS) {
                Some(snapshot) => names.snapshots.extend(snapshot.parse::<ImageKey>()),
                None => names.published.extend(name.parse::<ImageKey>()),
            }
        }
        names
    }
}

/// A release as its producer announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNote {
    /// The release's tag.
    pub version: Version,
    /// The names of the list "Produced images"; `None` where the notes have no such list.
    pub names: Option<BTreeSet<ImageKey>>,
    /// When the producer published it, or tagged it if that was later.
    pub released_at: Option<Timestamp>,
    /// The notes as they were written (Markdown, untrusted).
    pub description: String,
}

/// Why a source could not tell. A list that was cut is an error, not a short list.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogueError {
    /// The source does not apply here: no such API, no such project, not allowed. The next source is asked.
    #[error("{subject}: {reason}")]
    NotOffered {
        /// What was asked.
        subject: String,
        /// Why it cannot answer.
        reason: String,
    },
    /// Credentials were sent and refused.
    #[error("{subject} refuses our credentials ({status})")]
    Refused {
        /// The host that was asked.
        subject: String,
        /// The status, and the server's own words where it gave any.
        status: String,
        /// Where its credentials come from.
        hint: &'static str,
    },
    /// The server cannot be spoken to as it is configured, or is not what it was taken for: asking again gives the same.
    #[error("{reason}")]
    Unusable {
        /// The server, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// No answer, or one that a retry may change.
    #[error("couldn't reach {subject}")]
    Unavailable {
        /// The URL that was asked.
        subject: String,
        /// What happened.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The answer was cut, or breaks the protocol.
    #[error("{subject}: {reason}")]
    Invalid {
        /// The URL that was read.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The source was read as a whole and cannot be used: reading it again gives the same.
    #[error("{reason}")]
    Broken {
        /// What is wrong, and where.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
}

/// One source of candidates.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// The source's name in `discovery:`: `release-notes`, `gitlab`, `catalog`, ….
    fn name(&self) -> &'static str;

    /// What it asks, as a message names it.
    fn asked(&self) -> String {
        self.name().to_owned()
    }

    /// Everything that the source knows of the producer. An answer is complete or an error; one that lists nothing is
    /// complete, too.
    async fn candidates(&self) -> Result<Candidates, CatalogueError>;

    /// The page on which the producer announces a release; `None` where there is none that is known.
    fn release_page(&self, _version: &Version) -> Option<String> {
        None
    }

    /// The page that compares two releases.
    fn comparison_page(&self, _from: &Version, _to: &Version) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_directly_below_the_prefix_and_its_snapshots_are_candidates() {
        let prefix: Prefix = "oci://r.example/group/diskimage-builder".parse().unwrap();
        let listed = [
            "group/diskimage-builder/ubuntu",
            "group/diskimage-builder/snapshots/ubuntu",
            "group/diskimage-builder/snapshots/deeper/ubuntu",
            "group/diskimage-builder",
            "group/diskimage-builder-old/suse",
            "other/ubuntu",
        ];
        let names = RepositoryNames::below(&prefix, listed);
        let ubuntu = BTreeSet::from(["ubuntu".parse().unwrap()]);
        assert_eq!(names, RepositoryNames { published: ubuntu.clone(), snapshots: ubuntu, listed: 6 });
    }
}
