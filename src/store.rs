//! Port: what may be remembered between runs. Losing it costs requests, never correctness.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::release::{Digest, Prefix, Release, Version};
use crate::signature::Evidence;

/// A memory of releases that were completely read.
#[async_trait]
pub trait Store: Send + Sync {
    /// The release and when it was read; `None` if it was never kept, or cannot be read back.
    async fn release(&self, prefix: &Prefix, version: &Version) -> Option<(Release, Timestamp)>;

    /// Keeps a release. A store that cannot write says so in the log and goes on.
    async fn keep(&self, prefix: &Prefix, release: &Release, read_at: Timestamp);

    /// When a version was first asked about, which may be `now`. `None` as long as the memory itself is no older than
    /// this run: then a version that is seen for the first time may be old.
    async fn first_seen(&self, prefix: &Prefix, version: &Version, now: Timestamp) -> Option<Timestamp>;

    /// What was found beside an image as its signatures. It is verified again each time, so a memory that lies proves
    /// nothing.
    async fn signatures(&self, prefix: &Prefix, image: &Digest) -> Vec<Evidence>;

    /// Keeps what was found beside an image.
    async fn keep_signatures(&self, prefix: &Prefix, image: &Digest, evidence: &[Evidence]);

    /// The list that was read at a URL, which is that of one version and does not change.
    async fn list(&self, url: &str) -> Option<Vec<u8>>;

    /// Keeps a list.
    async fn keep_list(&self, url: &str, bytes: &[u8]);
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

    async fn first_seen(&self, _: &Prefix, _: &Version, _: Timestamp) -> Option<Timestamp> {
        None
    }

    async fn signatures(&self, _: &Prefix, _: &Digest) -> Vec<Evidence> {
        Vec::new()
    }

    async fn keep_signatures(&self, _: &Prefix, _: &Digest, _: &[Evidence]) {}

    async fn list(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    async fn keep_list(&self, _: &str, _: &[u8]) {}
}
