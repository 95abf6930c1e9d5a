//! GitHub's rate limits: primary ones are counted in headers, secondary ones are told in words.

use std::time::Duration;

use crate::forge_api::believable;
use crate::http::Response;

/// How long a limit lasts that does not say so
/// (<https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub(super) const LIMITED: Duration = Duration::from_secs(60);

/// A rate limit that was met.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    /// How long it lasts.
    pub(super) wait: Duration,
    /// When it ends, where GitHub says what time it is.
    until: Option<jiff::Timestamp>,
}

impl Limit {
    /// What GitHub said, and when it is worth asking again.
    pub(super) fn told(&self, words: &str) -> String {
        let words = words.trim_end_matches('.');
        match self.until {
            Some(until) => {
                format!("GitHub limits this token: \"{words}\"; again after {}", until.strftime("%H:%M UTC"))
            }
            None => format!("GitHub limits this token: \"{words}\"; again in {} s", self.wait.as_secs()),
        }
    }
}

/// Whether a limit was met, and how long it lasts: as `Retry-After` says; when nothing remains, until the reset as seen
/// from the answer's own date; else a minute. Secondary limits come as 403 or 429 and say so in words only.
pub(super) fn limit(response: &Response, words: &str) -> Option<Limit> {
    let nothing_remains = response.header("x-ratelimit-remaining") == Some("0");
    let words = words.to_lowercase();
    let said = ["rate limit", "abuse detection"].iter().any(|sign| words.contains(sign));
    let limited = match response.status.as_u16() {
        429 => true,
        403 => nothing_remains || said || response.retry_after.is_some(),
        _ => false,
    };
    let date = response.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let until_reset = || {
        let reset: u64 = response.header("x-ratelimit-reset").filter(|_| nothing_remains)?.parse().ok()?;
        (std::time::UNIX_EPOCH + Duration::from_secs(reset)).duration_since(date?).ok()
    };
    limited.then(|| {
        let wait = believable(response.retry_after.or_else(until_reset).unwrap_or(LIMITED));
        Limit { wait, until: date.and_then(|date| jiff::Timestamp::try_from(date + wait).ok()) }
    })
}
