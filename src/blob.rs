//! Port: the blobs of a registry and files of servers, which come in parts and may be too large to be kept.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::registry::{RegistryError, Repository};
use crate::release::Digest;

/// Where a download goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// So many bytes are there.
    pub from: u64,
    /// What the server called the content that they are of (`ETag`).
    pub validator: Option<String>,
}

impl ResumePoint {
    /// The part that is asked for: from which byte on, and of what content.
    pub fn part(&self) -> (u64, Option<&str>) {
        (self.from, self.validator.as_deref())
    }
}

/// A blob from some byte on.
pub struct OpenBlob {
    /// What the server calls this content.
    pub validator: Option<String>,
    /// The bytes.
    pub body: Box<dyn BlobBody>,
}

/// Bytes of a blob, one part after the other.
#[async_trait]
pub trait BlobBody: Send {
    /// The next part; none at the end.
    ///
    /// # Errors
    /// It could not be received. What came before is right, as far as anybody knows.
    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError>;
}

/// One blob or file, wherever it is.
#[async_trait]
pub trait BlobSource: Send + Sync {
    /// Opens it, from its beginning or where a download goes on; as [`Blobs::open`].
    ///
    /// # Errors
    /// It is not handed out.
    async fn open(&self, resume: Option<&ResumePoint>) -> Result<Option<OpenBlob>, RegistryError>;
}

/// A blob of a registry.
pub struct RegistryBlob {
    /// The registry that has it.
    pub registry: Arc<dyn Blobs>,
    /// Its repository.
    pub repository: Repository,
    /// Its digest.
    pub digest: Digest,
}

#[async_trait]
impl BlobSource for RegistryBlob {
    async fn open(&self, resume: Option<&ResumePoint>) -> Result<Option<OpenBlob>, RegistryError> {
        self.registry.open(&self.repository, &self.digest, resume).await
    }
}

/// A registry that hands out blobs.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Opens a blob, from its beginning or where a download goes on. `None` where it cannot go on: there is other content
    /// now, or the server does not hand out a part.
    ///
    /// # Errors
    /// The registry does not hand it out.
    async fn open(
        &self,
        repository: &Repository,
        digest: &Digest,
        resume: Option<&ResumePoint>,
    ) -> Result<Option<OpenBlob>, RegistryError>;
}
