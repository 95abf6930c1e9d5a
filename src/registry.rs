//! Port: an OCI registry as far as we need one. Only a registry decides whether an artifact exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::release::{Digest, ImageLayer, Tag};
pub use crate::release::{InvalidPrefix, Prefix, Repository};
use crate::signature::{Evidence, Layout};

/// An image manifest, read once and known by its digest from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The digest of the bytes that were received.
    pub digest: Digest,
    /// The manifest's annotations, which whoever keeps a release of it shares.
    pub annotations: Arc<BTreeMap<String, String>>,
    /// The sum of the layers' sizes in bytes.
    pub size: u64,
    /// Its layer, where it has exactly one.
    pub only_layer: Option<ImageLayer>,
}

/// Why a registry could not say. Absence is no error: it is `None` or `false`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// The registry or its token server refuses our credentials, whatever is asked for.
    #[error("{subject}: the registry refuses access ({status})")]
    Refused {
        /// The host that was asked.
        subject: String,
        /// The status line, and the registry's own words where it gave any.
        status: String,
    },
    /// The registry refuses one repository. It may be private, or not exist: many registries do not tell the two apart.
    #[error("{subject}: the registry refuses access ({status})")]
    Denied {
        /// The repository that was asked.
        subject: String,
        /// The status line, and the registry's own words where it gave any.
        status: String,
    },
    /// The answer was cut or garbled: text that ends too early, bytes that are not those of their digest.
    #[error("{subject}: {reason}")]
    Invalid {
        /// The URL that was asked.
        subject: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The answer is whole and not what the protocol says, such as a list that is none: asking again gives the same, and
    /// what is there is not known.
    #[error("{subject}: {reason}")]
    NotUnderstood {
        /// The URL that was asked.
        subject: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The manifest is what its digest says, and no image, such as an index of several: asking again gives the same.
    #[error("{subject}: {reason}")]
    Broken {
        /// The URL that was asked.
        subject: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The host cannot be spoken to as it is configured, or is no registry: asking again gives the same.
    #[error("{reason}")]
    Unusable {
        /// The host, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: Option<String>,
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

/// An OCI registry. Answers come in the order of the questions, and one failed answer fails only itself. Where the
/// registry refuses our credentials, or one repository after the other, not all of them are asked for.
#[async_trait]
pub trait Registry: Send + Sync {
    /// The tags of each repository; `None` where the registry lets us in and has no such repository.
    async fn tags(&self, repositories: &[Repository]) -> Vec<Result<Option<Vec<String>>, RegistryError>>;

    /// Whether each repository has a manifest tagged `tag`. Costs one HEAD a repository.
    async fn exists(&self, repositories: &[Repository], tag: &Tag) -> Vec<Result<bool, RegistryError>>;

    /// The manifest of each repository at `tag`; `None` where the registry lets us in and has none.
    async fn manifests(
        &self,
        repositories: &[Repository],
        tag: &Tag,
    ) -> Vec<Result<Option<Manifest>, RegistryError>>;

    /// What stands beside each image in one layout of signatures; empty where the registry lets us in and there is
    /// nothing. Images are named by digest: a tag that moves meanwhile changes nothing.
    async fn signatures(
        &self,
        images: &[(Repository, Digest)],
        layout: Layout,
    ) -> Vec<Result<Vec<Evidence>, RegistryError>>;
}
