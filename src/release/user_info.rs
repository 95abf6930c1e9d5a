//! User and password in a URL, which nothing that people read may repeat.

use std::borrow::Cow;

/// `text` with `***` in place of what stands between `://` and `@` in its URLs.
///
/// ```
/// let said = "`oci://bot:pa/ss@registry.example/x` is not a registry prefix";
/// assert_eq!(dibump::release::without_user_info(said), "`oci://***@registry.example/x` is not a registry prefix");
/// ```
pub fn without_user_info(text: &str) -> Cow<'_, str> {
    let mut pieces = text.split("://");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shown.push_str("://");
        match user_info(piece) {
            Some(end) => shown.push_str(&format!("***{}", &piece[end..])),
            None => shown.push_str(piece),
        }
    }
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// The same for a text that is an address, or should be one: what stands before its last `@` is no part of it.
pub fn address_without_user_info(text: &str) -> Cow<'_, str> {
    match (text.contains("://"), text.rsplit_once('@')) {
        (false, Some((_, rest))) => Cow::Owned(format!("***@{rest}")),
        _ => without_user_info(text),
    }
}

/// Where the `@` is that ends user and password. A password that nobody encoded may hold `@`, and also `/`: what stands
/// before that is then no host with its port.
fn user_info(after_scheme: &str) -> Option<usize> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '<' | '>');
    let word = after_scheme.split(is_end).next().unwrap_or_default();
    let authority = word.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(end) = authority.rfind('@') {
        return Some(end);
    }
    let has_password = authority.rsplit_once(':').is_some_and(|(host, port)| {
        !host.ends_with(']') && !host.starts_with('[') && port.parse::<u16>().is_err() && !port.is_empty()
    });
    word.rfind('@').filter(|_| has_password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_go_and_everything_else_stays() {
        for (text, shown) in [
            ("oci://u:p@h.example:5000/x", "oci://***@h.example:5000/x"),
            ("https://token@h.example", "https://***@h.example"),
            (
                "see https://u:p@w@h.example/a and http://v:q@i/b",
                "see https://***@h.example/a and http://***@i/b",
            ),
            ("`https://u:p/w#x?y@h.example/a`", "`https://***@h.example/a`"),
            ("oci://h.example:5000/x@sha256:0123", "oci://h.example:5000/x@sha256:0123"),
            ("https://h.example/@scope/x mail@h.example", "https://h.example/@scope/x mail@h.example"),
            ("http://[::1]:5000/x@y", "http://[::1]:5000/x@y"),
            ("no URL: a@b", "no URL: a@b"),
            ("://", "://"),
        ] {
            assert_eq!(without_user_info(text), shown);
        }
        assert_eq!(address_without_user_info("u:p@h.example/x"), "***@h.example/x");
        assert_eq!(address_without_user_info("oci://u:p@h.example/x"), "oci://***@h.example/x");
        assert_eq!(address_without_user_info("gitlab.example"), "gitlab.example");
    }
}
