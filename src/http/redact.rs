//! URLs as they may be shown: without user, password and the query values that grant access.

use url::Url;

/// Parts of query names (lower case) whose values are secrets: tokens, and the signatures of object storage.
const SECRET_PARTS: [&str; 9] =
    ["token", "password", "secret", "signature", "credential", "apikey", "api_key", "x-amz-", "x-goog-"];

/// Query names (lower case) that are too short to be looked for as parts.
const SECRET_NAMES: [&str; 4] = ["sig", "key", "code", "policy"];

/// `url` as it may stand in an error or a log.
pub fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        // Both fail only for URLs that cannot have a user, and such a URL has none.
        let _ = shown.set_username("***");
        let _ = shown.set_password(None);
    }
    shown.set_fragment(None);
    let Some(query) = url.query() else { return shown.into() };
    let parts: Vec<String> = query.split('&').map(redacted_pair).collect();
    shown.set_query(Some(&parts.join("&")));
    shown.into()
}

fn redacted_pair(pair: &str) -> String {
    let name = pair.split('=').next().unwrap_or(pair);
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    let secret =
        SECRET_NAMES.contains(&decoded.as_str()) || SECRET_PARTS.iter().any(|part| decoded.contains(part));
    if secret && pair.len() > name.len() { format!("{name}=***") } else { pair.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_secrets_and_userinfo_are_not_shown() {
        for (written, shown) in [
            ("https://u:p@h.example/a?n=1", "https://***@h.example/a?n=1"),
            ("https://h.example/a?private_token=x&page=2", "https://h.example/a?private_token=***&page=2"),
            ("https://s3.example/b?X-Amz-Signature=abc&x=1", "https://s3.example/b?X-Amz-Signature=***&x=1"),
            ("https://blob.example/b?se=1&sig=abc%3D", "https://blob.example/b?se=1&sig=***"),
            (
                "https://h.example/a?pass%77ord=x&scope=repository:a:pull",
                "https://h.example/a?pass%77ord=***&scope=repository:a:pull",
            ),
            ("https://h.example/a#token=x", "https://h.example/a"),
        ] {
            assert_eq!(redacted(&written.parse().unwrap()), shown);
        }
    }
}
