//! Durations as people write them, in the configuration and in flags.

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// A number alone.
    #[error("`{0}` has no unit (write `{0} days`, `{0}h`, `{0}m` or `{0}s`)")]
    NoUnit(String),
    /// Something else.
    #[error("`{0}` is not a duration (expected something like 3 days, 12h or 90s)")]
    Form(String),
    /// It is less than nothing.
    #[error("`{0}` is negative")]
    Negative(String),
}

/// Reads `3 days`, `12h` or `1h 30m`. A day is 24 hours.
pub fn duration(text: &str) -> Result<SignedDuration, InvalidDuration> {
    let text = text.trim();
    if text.parse::<f64>().is_ok() {
        return Err(InvalidDuration::NoUnit(text.to_owned()));
    }
    let span = text.parse::<Span>();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match duration {
        Ok(duration) if duration < SignedDuration::ZERO => Err(InvalidDuration::Negative(text.to_owned())),
        Ok(duration) => Ok(duration),
        Err(_) => Err(InvalidDuration::Form(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        let said =
            |text: &str| duration(text).map_or_else(|error| error.to_string(), |time| time.to_string());
        for (text, expected) in [
            ("3 days", "PT72H"),
            ("1h 30m", "PT1H30M"),
            ("90s", "PT1M30S"),
            ("0s", "PT0S"),
            ("3", "`3` has no unit (write `3 days`, `3h`, `3m` or `3s`)"),
            ("1.5", "`1.5` has no unit (write `1.5 days`, `1.5h`, `1.5m` or `1.5s`)"),
            ("soon", "`soon` is not a duration (expected something like 3 days, 12h or 90s)"),
            ("", "`` is not a duration (expected something like 3 days, 12h or 90s)"),
            ("-3h", "`-3h` is negative"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
