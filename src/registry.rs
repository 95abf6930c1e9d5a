//! Port: an OCI registry as far as we need one. Only a registry decides whether an artifact exists.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::release::{Digest, ImageKey, Version};

/// Where a producer publishes: host and path, without the image key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    host: String,
    path: String,
}

/// One repository: a prefix and an image key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// Host, with the port if there is one.
    pub host: String,
    /// Path below the host, image key included.
    pub path: String,
}

/// Text that names no registry prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no registry prefix (expected oci://HOST[:PORT]/PATH, as in oci://registry.example/group/diskimage-builder)"
)]
pub struct InvalidPrefix(pub String);

impl Prefix {
    /// Host, with the port if there is one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path below the host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The repository of an image key.
    pub fn repository(&self, key: &ImageKey) -> Repository {
        Repository { host: self.host.clone(), path: format!("{}/{key}", self.path) }
    }

    /// The last path segment, which is the producer's name unless the configuration says otherwise.
    pub fn producer(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    /// The one place where `oci://` is stripped.
    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let invalid = || InvalidPrefix(text.to_owned());
        let rest = text.strip_prefix("oci://").unwrap_or(text).trim_end_matches('/');
        let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
        let host_fits = !host.is_empty() && (host.contains(['.', ':']) || host == "localhost");
        let path_fits = path.split('/').all(|segment| segment.parse::<ImageKey>().is_ok());
        if !host_fits || !path_fits || host.contains(['@', '?', '#']) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

/// An image manifest, read once and known by its digest from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The digest of the bytes that were received.
    pub digest: Digest,
    /// The manifest's annotations.
    pub annotations: BTreeMap<String, String>,
    /// The sum of the layers' sizes in bytes.
    pub size: u64,
}

/// Why a registry could not say. Absence is no error: it is `None` or `false`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// The registry or its token server refuses our credentials (or refuses us without any).
    #[error("{subject}: the registry refuses access ({status})")]
    Refused {
        /// The host or repository that was asked.
        subject: String,
        /// The status line, and the registry's own words where it gave any.
        status: String,
    },
    /// The answer breaks the protocol: a digest that is not that of the bytes, a list that is no list.
    #[error("{subject}: {reason}")]
    Invalid {
        /// The URL that was asked.
        subject: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// No answer, or one that a retry may change: time-out, 5xx, rate limit, cut body.
    #[error("couldn't reach {subject}")]
    Unavailable {
        /// The URL or host that was asked.
        subject: String,
        /// What happened.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// An OCI registry. Answers come in the order of the questions; one failed answer fails only itself,
/// but a refusal of the first stops the fan-out and is the answer to all.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The tags of each repository; `None` where the registry lets us in and has no such repository.
    async fn tags(&self, repositories: &[Repository]) -> Vec<Result<Option<Vec<String>>, RegistryError>>;

    /// Whether each repository has a manifest tagged `version`. Costs one HEAD a repository.
    async fn exists(
        &self,
        repositories: &[Repository],
        version: &Version,
    ) -> Vec<Result<bool, RegistryError>>;

    /// The manifest of each repository at `version`; `None` where the registry lets us in and has none.
    async fn manifests(
        &self,
        repositories: &[Repository],
        version: &Version,
    ) -> Vec<Result<Option<Manifest>, RegistryError>>;
}
