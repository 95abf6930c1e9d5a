//! An answer of which the body was not read yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use url::Url;

use super::failure::failure;
use super::{Response, TransportError, redacted};

/// An answer, and its body where that is left to be read.
#[derive(Debug)]
pub struct OpenAnswer {
    /// The answer; without a body where that is left to be read.
    pub response: Response,
    /// What is left to be read.
    pub body: Option<UnreadBody>,
}

/// A body that comes in parts. No part is waited for longer than the server may be silent.
#[derive(Debug)]
pub struct UnreadBody {
    pub(super) answer: reqwest::Response,
    pub(super) url: Url,
    pub(super) patience: Duration,
    pub(super) deadline: Option<Instant>,
    /// Counts the bytes of all such bodies.
    pub(super) streamed: Arc<AtomicU64>,
}

impl UnreadBody {
    /// The next part; none at the end.
    ///
    /// # Errors
    /// The body is cut, the server is silent, or the time for the run is over.
    pub async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        let begun = Instant::now();
        let silent = begun.checked_add(self.patience);
        let until = [silent, self.deadline].into_iter().flatten().min();
        let next = self.answer.chunk();
        let part = match until {
            Some(until) => tokio::time::timeout_at(until.into(), next).await,
            None => Ok(next.await),
        };
        match part {
            Ok(part) => {
                let part = part.map_err(|error| failure(error, &self.url, begun))?;
                self.streamed.fetch_add(part.as_ref().map_or(0, Bytes::len) as u64, Ordering::Relaxed);
                Ok(part)
            }
            Err(_) if until == self.deadline => {
                Err(TransportError::DeadlinePassed { url: redacted(&self.url) })
            }
            Err(_) => Err(TransportError::TimedOut { url: redacted(&self.url), waited: self.patience }),
        }
    }
}
