//! When to repeat a request, and how long to wait before.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, StatusCode};

/// As good as never, and short enough to be added to any moment.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// Whether a request may be repeated at all: reading has no effect, writing may have had one.
pub(super) fn is_repeatable(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a later attempt may give another status.
pub(super) fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long the server asks us to wait: seconds or an HTTP date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The wait before repetition number `attempt` (from 0): doubling, with the upper half of it random,
/// so that requests that failed together do not come back together.
pub(super) fn backoff(first: Duration, attempt: u32) -> Duration {
    let full = first.saturating_mul(1 << attempt.min(10));
    let half = full / 2;
    half + half.mul_f64(random_fraction())
}

/// A number in 0..1. Every `RandomState` has keys of its own, which is random enough to spread requests.
fn random_fraction() -> f64 {
    let random = RandomState::new().build_hasher().finish() >> 32;
    random as f64 / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str, now: SystemTime) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", value.parse().unwrap());
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(asked("7", now), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:27 GMT", now), Some(Duration::ZERO));
        assert_eq!(asked("18446744073709551615", now), Some(LONGEST_WAIT));
        assert_eq!(asked("soon", now), None);
    }

    #[test]
    fn waits_double_and_stay_within_their_half() {
        for attempt in 0..4 {
            let full = Duration::from_millis(100 << attempt);
            let wait = backoff(Duration::from_millis(100), attempt);
            assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
        }
    }
}
