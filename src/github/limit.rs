//! GitHub's rate limits: primary ones are counted in headers, secondary ones are told in words.

use std::time::Duration;

use crate::http::Response;

/// How long a limit lasts that does not say so
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub(super) const LIMITED: Duration = Duration::from_secs(60);

/// Waits that we believe: none is shorter, and GitHub's longest window is an hour.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3600)];

/// A wait that makes sense.
pub(super) fn believable(wait: Duration) -> Duration {
    let [shortest, longest] = WAITS;
    wait.clamp(shortest, longest)
}

/// Whether a limit was met, and how long it lasts: as `Retry-After` says; when nothing remains, until the reset as seen
/// from the answer's own date; else a minute. Secondary limits come as 403 or 429 and say so in words only.
pub(super) fn limit(response: &Response, words: &str) -> Option<Duration> {
    let nothing_remains = response.header("x-ratelimit-remaining") == Some("0");
    let words = words.to_lowercase();
    let said = ["rate limit", "abuse detection"].iter().any(|sign| words.contains(sign));
    let limited = match response.status.as_u16() {
        429 => true,
        403 => nothing_remains || said || response.retry_after.is_some(),
        _ => false,
    };
    let until_reset = || {
        let reset: u64 = response.header("x-ratelimit-reset").filter(|_| nothing_remains)?.parse().ok()?;
        let date = httpdate::parse_http_date(response.header("date")?).ok()?;
        (std::time::UNIX_EPOCH + Duration::from_secs(reset)).duration_since(date).ok()
    };
    limited.then(|| response.retry_after.or_else(until_reset).unwrap_or(LIMITED))
}
