//! Port: what may be remembered between runs. Losing it costs requests, never correctness.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::release::{Prefix, Release, Version};

/// A memory of releases that were completely read.
#[async_trait]
pub trait Store: Send + Sync {
    /// The release and when it was read; `None` if it was never kept, or cannot be read back.
    async fn release(&self, prefix: &Prefix, version: &Version) -> Option<(Release, Timestamp)>;

    /// Keeps a release. A store that cannot write says so in the log and goes on.
    async fn keep(&self, prefix: &Prefix, release: &Release, read_at: Timestamp);
}

/// A store that remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn release(&self, _: &Prefix, _: &Version) -> Option<(Release, Timestamp)> {
        None
    }

    async fn keep(&self, _: &Prefix, _: &Release, _: Timestamp) {}
}
