//! What a request with conditions and ranges is answered, in the order of RFC 9110, section 13.2.2. Values in, a value out.

use httpdate::parse_http_date;
use jiff::Timestamp;

/// The headers of a request that decide; several lines of one name are joined by commas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conditions<'a> {
    /// `If-Match`.
    pub if_match: Option<&'a str>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<&'a str>,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<&'a str>,
    /// `If-Range`.
    pub if_range: Option<&'a str>,
    /// `Range`.
    pub range: Option<&'a str>,
}

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Representation<'a> {
    /// Its strong validator, quotes included.
    pub etag: &'a str,
    /// Since when it is served, in whole seconds.
    pub last_modified: Timestamp,
    /// Its bytes.
    pub size: u64,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionalAnswer {
    /// 200: all of it.
    Whole,
    /// 206: these bytes.
    Part {
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    NotSatisfiable,
}

/// What a GET, or a HEAD (`is_head`), is answered.
pub fn select(conditions: &Conditions<'_>, of: &Representation<'_>, is_head: bool) -> ConditionalAnswer {
    let modified_after = |text: &str| date(text).map(|date| of.last_modified > date);
    let is_refused = match (conditions.if_match, conditions.if_unmodified_since) {
        (Some(tags), _) => !has_tag(tags, of.etag, Comparison::Strong),
        (None, Some(date)) => modified_after(date) == Some(true),
        (None, None) => false,
    };
    if is_refused {
        return ConditionalAnswer::PreconditionFailed;
    }
    let is_known = match (conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) => has_tag(tags, of.etag, Comparison::Weak),
        (None, Some(date)) => modified_after(date) == Some(false),
        (None, None) => false,
    };
    if is_known {
        return ConditionalAnswer::NotModified;
    }
    // Ranges are defined for GET only (section 14.2).
    match conditions.range.filter(|_| !is_head && range_applies(conditions, of)) {
        Some(range) => part(range, of.size),
        None => ConditionalAnswer::Whole,
    }
}

/// Whether the client's part is of what is served (section 13.1.5): by a strong tag, or by the very same date.
fn range_applies(conditions: &Conditions<'_>, of: &Representation<'_>) -> bool {
    match conditions.if_range.map(str::trim) {
        None => true,
        Some(tag) if tag.starts_with(['"', 'W']) => tag == of.etag,
        Some(text) => date(text) == Some(of.last_modified),
    }
}

/// A date as HTTP writes it; one that cannot be read is ignored.
fn date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(parse_http_date(text).ok()?).ok()
}

/// One range of bytes. Several, another unit and what cannot be read are ignored, as section 14.2 allows.
fn part(range: &str, size: u64) -> ConditionalAnswer {
    let Some((unit, spec)) = range.split_once('=') else { return ConditionalAnswer::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return ConditionalAnswer::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-') else { return ConditionalAnswer::Whole };
    match (position(first), position(last)) {
        (Some(Position::At(first)), Some(Position::At(last))) if last < first => ConditionalAnswer::Whole,
        (Some(Position::At(first)), Some(last)) => {
            let last = match last {
                Position::At(last) => last,
                Position::Open => u64::MAX,
            };
            match first < size {
                true => ConditionalAnswer::Part { first, last: last.min(size - 1) },
                false => ConditionalAnswer::NotSatisfiable,
            }
        }
        (Some(Position::Open), Some(Position::At(suffix))) => match suffix == 0 || size == 0 {
            true => ConditionalAnswer::NotSatisfiable,
            false => ConditionalAnswer::Part { first: size.saturating_sub(suffix), last: size - 1 },
        },
        _ => ConditionalAnswer::Whole,
    }
}

#[derive(Clone, Copy)]
enum Position {
    At(u64),
    Open,
}

/// A number of any length, or nothing.
fn position(text: &str) -> Option<Position> {
    match text.trim() {
        "" => Some(Position::Open),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Position::At(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    }
}

/// How tags are compared (section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether a list of tags has this one, or is `*`.
fn has_tag(list: &str, etag: &str, comparison: Comparison) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let Some(end) = quoted.strip_prefix('"').and_then(|inner| inner.find('"')) else { return false };
        let (tag, after) = quoted.split_at(end + 2);
        if tag == etag && !(is_weak && comparison == Comparison::Strong) {
            return true;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "\"sha256:ab\"";
    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const NOT_MODIFIED: ConditionalAnswer = ConditionalAnswer::NotModified;
    const FAILED: ConditionalAnswer = ConditionalAnswer::PreconditionFailed;
    const UNSATISFIABLE: ConditionalAnswer = ConditionalAnswer::NotSatisfiable;

    fn part(first: u64, last: u64) -> ConditionalAnswer {
        ConditionalAnswer::Part { first, last }
    }

    /// The conditions of a line such as `if-none-match: "a" | range: bytes=0-1`.
    fn conditions(line: &str) -> Conditions<'_> {
        let header = |name: &str| {
            let mut headers = line.split(" | ").filter_map(|header| header.split_once(": "));
            headers.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        Conditions {
            if_match: header("if-match"),
            if_unmodified_since: header("if-unmodified-since"),
            if_none_match: header("if-none-match"),
            if_modified_since: header("if-modified-since"),
            if_range: header("if-range"),
            range: header("range"),
        }
    }

    /// Every row was asked of nginx 1.22, too; where it answers otherwise, that stands behind the row. It also answers HEAD
    /// with 206, against section 14.2.
    #[test]
    fn conditions_are_judged_in_the_order_of_rfc_9110() {
        let of = Representation { etag: OURS, last_modified: date(NOW).unwrap(), size: 10 };
        let table = [
            ("", ConditionalAnswer::Whole),
            // 13.1.1
            ("if-match: *", ConditionalAnswer::Whole),
            ("if-match: \"x\", \"sha256:ab\"", ConditionalAnswer::Whole),
            ("if-match: W/\"sha256:ab\"", FAILED),
            ("if-match: \"x\"", FAILED),
            ("if-match: nonsense", FAILED),
            // 13.1.4, which If-Match outdoes
            ("if-unmodified-since: {now}", ConditionalAnswer::Whole),
            ("if-unmodified-since: {before}", FAILED),
            ("if-unmodified-since: nonsense", ConditionalAnswer::Whole), // nginx: 412, against 13.1.4
            ("if-match: \"sha256:ab\" | if-unmodified-since: {before}", ConditionalAnswer::Whole), // nginx: 412, against 13.1.4
            // 13.1.2
            ("if-none-match: *", NOT_MODIFIED),
            ("if-none-match: \"sha256:ab\"", NOT_MODIFIED),
            ("if-none-match: W/\"sha256:ab\"", NOT_MODIFIED),
            ("if-none-match: \"a,b\" , \"sha256:ab\"", NOT_MODIFIED),
            ("if-none-match: \"x\"", ConditionalAnswer::Whole),
            ("if-none-match: sha256:ab", ConditionalAnswer::Whole),
            // 13.1.3, which If-None-Match outdoes
            ("if-modified-since: {now}", NOT_MODIFIED),
            ("if-modified-since: {after}", NOT_MODIFIED), // nginx: 200, against 13.1.3
            ("if-modified-since: {before}", ConditionalAnswer::Whole),
            ("if-modified-since: nonsense", ConditionalAnswer::Whole),
            ("if-none-match: \"x\" | if-modified-since: {after}", ConditionalAnswer::Whole),
            ("if-match: \"x\" | if-none-match: \"sha256:ab\"", FAILED),
            ("if-match: * | if-none-match: \"sha256:ab\"", NOT_MODIFIED),
            // 14.1
            ("range: bytes=0-0", part(0, 0)),
            ("range: bytes=2-5", part(2, 5)),
            ("range: bytes=0-", part(0, 9)),
            ("range: bytes=5-99999999999999999999999", part(5, 9)), // nginx: 416, which 14.2 allows too
            ("range: bytes=-3", part(7, 9)),
            ("range: bytes=-30", part(0, 9)),
            ("range: BYTES=1-2", part(1, 2)),
            ("range: bytes=10-", UNSATISFIABLE),
            ("range: bytes=99999999999999999999999-", UNSATISFIABLE),
            ("range: bytes=-0", UNSATISFIABLE),
            ("range: bytes=5-2", ConditionalAnswer::Whole), // nginx: 416, which 14.2 allows too
            ("range: bytes=0-1,3-4", ConditionalAnswer::Whole), // nginx: 206 for the first, merged or multipart, which 14.2 allows too
            ("range: lines=0-1", ConditionalAnswer::Whole),
            ("range: bytes=a-b", ConditionalAnswer::Whole), // nginx: 416, which 14.2 allows too
            ("range: bytes=-", ConditionalAnswer::Whole),   // nginx: 416, which 14.2 allows too
            ("range: bytes", ConditionalAnswer::Whole),
            ("range: bytes=0-1 | if-none-match: \"sha256:ab\"", NOT_MODIFIED),
            ("range: bytes=0-1 | if-match: \"x\"", FAILED),
            // 13.1.5
            ("range: bytes=0-1 | if-range: \"sha256:ab\"", part(0, 1)),
            ("range: bytes=0-1 | if-range: \"x\"", ConditionalAnswer::Whole),
            ("range: bytes=0-1 | if-range: W/\"sha256:ab\"", ConditionalAnswer::Whole),
            ("range: bytes=0-1 | if-range: {now}", part(0, 1)),
            ("range: bytes=0-1 | if-range: {after}", ConditionalAnswer::Whole),
            ("range: bytes=0-1 | if-range: {before}", ConditionalAnswer::Whole),
            ("range: bytes=99- | if-range: \"x\"", ConditionalAnswer::Whole),
            ("if-range: \"x\"", ConditionalAnswer::Whole),
        ];
        for (line, expected) in table {
            let line = line.replace("{now}", NOW).replace("{before}", BEFORE).replace("{after}", AFTER);
            assert_eq!(select(&conditions(&line), &of, false), expected, "{line}");
            let of_head = match expected {
                ConditionalAnswer::Part { .. } | ConditionalAnswer::NotSatisfiable => {
                    ConditionalAnswer::Whole
                }
                other => other,
            };
            assert_eq!(select(&conditions(&line), &of, true), of_head, "HEAD, {line}");
        }
    }

    #[test]
    fn nothing_has_no_range() {
        let of = Representation { etag: OURS, last_modified: Timestamp::UNIX_EPOCH, size: 0 };
        for range in ["range: bytes=0-", "range: bytes=-5"] {
            assert_eq!(select(&conditions(range), &of, false), UNSATISFIABLE, "{range}");
        }
    }
}
