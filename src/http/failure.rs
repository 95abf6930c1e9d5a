//! What it means that the client of reqwest fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::{TransportError, redacted, tls};

/// The error of an exchange that was begun at this time.
pub(super) fn failure(error: reqwest::Error, url: &Url, begun: Instant) -> TransportError {
    if let Some(error) = tls::failure(&error, url) {
        return error;
    }
    let url = redacted(url);
    // A connection that cannot be made in time says more about the host than about the request.
    if error.is_timeout() && !error.is_connect() {
        let waited = Duration::from_secs(begun.elapsed().as_secs());
        return TransportError::TimedOut { url, waited };
    }
    TransportError::Connection { url, source: Arc::new(error.without_url()) }
}
