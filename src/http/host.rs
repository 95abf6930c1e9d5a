//! What is known of one origin: how much may be under way, until when it asked for silence, whether it was given up.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::sync::Semaphore;

use super::{Response, TransportError};

/// One origin.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) permits: Semaphore,
    silent_until: Mutex<Option<Instant>>,
    given_up: Mutex<Option<TransportError>>,
}

impl Host {
    pub(super) fn new(at_once: usize) -> Self {
        let (silent_until, given_up) = (Mutex::default(), Mutex::default());
        Self { permits: Semaphore::new(at_once), silent_until, given_up }
    }

    /// Keeps every request to the host back: one 429 speaks for all that are waiting.
    /// Whoever asks for less is spared by all requests, whichever of them it was that met the limit.
    pub(super) fn heed(&self, response: &Response) {
        match response.retry_after {
            Some(wait) if response.status == StatusCode::TOO_MANY_REQUESTS => self.be_silent(wait),
            _ => {}
        }
    }

    fn be_silent(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut silent_until = self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        *silent_until = Some(silent_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// How long the host still wants to hear nothing.
    pub(super) fn silence(&self) -> Duration {
        let until = *self.silent_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// Why nothing is asked of it any more. What one request waited for in vain, the next one would.
    pub(super) fn given_up(&self) -> Option<TransportError> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long one request waits for its host, its repetitions included.
pub(super) struct HostPatience<'a> {
    host: &'a Host,
    limit: Duration,
    /// When the host was last heard by this request, or else when it was sent first.
    since: Mutex<Option<Instant>>,
}

impl<'a> HostPatience<'a> {
    pub(super) fn new(host: &'a Host, limit: Duration) -> Self {
        Self { host, limit, since: Mutex::default() }
    }

    /// The request is sent, for the first time or again.
    pub(super) fn begin(&self) {
        self.since().get_or_insert_with(Instant::now);
    }

    /// The host was heard, or asked to be left alone for a while.
    pub(super) fn renew(&self) {
        *self.since() = Some(Instant::now());
        *self.host.given_up.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What comes of an exchange, unless the host is silent for too long: then it is given up.
    pub(super) async fn with<T>(
        &self,
        url: impl FnOnce() -> String,
        exchange: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let mut exchange = std::pin::pin!(exchange);
        loop {
            let end = self.since().unwrap_or_else(Instant::now) + self.limit;
            match tokio::time::timeout_at(end.into(), &mut exchange).await {
                Ok(outcome) => return outcome,
                Err(_) if self.since().is_some_and(|since| since + self.limit > end) => {}
                Err(_) => break,
            }
        }
        let silent = TransportError::Silent { url: url(), waited: self.limit };
        *self.host.given_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(silent.clone());
        Err(silent)
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
