//! When to repeat a request, and how long to wait before.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// How long the server asks us to wait: as `Retry-After` says, else until the limit that was met is reset.
pub(super) fn wait_asked(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let limited = status == StatusCode::TOO_MANY_REQUESTS;
    let asked = text("retry-after").and_then(|text| retry_after(text, now));
    let asked = asked.or_else(|| reset(text("ratelimit-reset").filter(|_| limited)?, now));
    Some(asked?.min(LONGEST_WAIT))
}

/// Seconds or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()),
    }
}

/// The value of `RateLimit-Reset`: seconds (draft-ietf-httpapi-ratelimit-headers-06), or a time in seconds since 1970
/// (GitLab, "Rate limits on Git and API requests").
fn reset(text: &str, now: SystemTime) -> Option<Duration> {
    let seconds = Duration::from_secs(text.parse().ok()?);
    match seconds > LONGEST_WAIT {
        true => Some((UNIX_EPOCH.checked_add(seconds)?).duration_since(now).unwrap_or_default()),
        false => Some(seconds),
    }
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
        wait(503, &[("retry-after", value)], now)
    }

    fn wait(status: u16, headers: &[(&'static str, &str)], now: SystemTime) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        wait_asked(StatusCode::from_u16(status).unwrap(), &headers.collect(), now)
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
    fn where_only_the_reset_of_a_limit_is_told_it_is_waited_for() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let table = [
            (429, vec![("ratelimit-reset", "30")], Some(30)),
            (429, vec![("ratelimit-reset", "1795000600")], Some(600)),
            (429, vec![("ratelimit-reset", "1794999999")], Some(0)),
            (429, vec![("ratelimit-reset", "1795000600"), ("retry-after", "5")], Some(5)),
            (429, vec![("ratelimit-reset", "soon")], None),
            (429, vec![("ratelimit-reset", "18446744073709551615")], None),
            (200, vec![("ratelimit-reset", "30")], None),
            (503, vec![("ratelimit-reset", "30")], None),
        ];
        for (status, headers, seconds) in table {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(wait(status, &headers, now), expected, "{status} {headers:?}");
        }
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
