//! Port: what may be remembered between runs. Losing it costs requests or waiting, never correctness.

use async_trait::async_trait;

/// A store of small values by key, such as the cached answer to a request.
#[async_trait]
pub trait Store: Send + Sync {
    /// What was kept under `key`; `None` if nothing was, or if it could not be read.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps `value` under `key`. A store that cannot write says so in the log and goes on.
    async fn put(&self, key: &str, value: &[u8]);
}
