//! `WWW-Authenticate`: how a registry says what it wants (RFC 7235, section 4.1, and the token specification of
//! distribution). Several challenges may stand in one header or in several.

use http::HeaderMap;

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The scheme in lower case: `basic`, `bearer`, ….
    pub(super) scheme: String,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter; names are case-insensitive.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The scheme and all parameters.
    pub(super) fn into_parts(self) -> (String, Vec<(String, String)>) {
        (self.scheme, self.params)
    }
}

/// The challenges of an answer, in their order. What does not parse is skipped: another challenge may.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all(http::header::WWW_AUTHENTICATE);
    values.iter().filter_map(|value| value.to_str().ok()).flat_map(parse).collect()
}

fn parse(text: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for part in split_at_commas(text) {
        let end = part.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        let rest = rest.trim_start();
        // `name = "value"` continues the challenge at hand; `Scheme name="value"` opens the next one.
        if let Some(value) = rest.strip_prefix('=') {
            if let Some(current) = found.last_mut() {
                current.params.push((word.to_ascii_lowercase(), unquoted(value)));
            }
            continue;
        }
        let mut challenge = Challenge { scheme: word.to_ascii_lowercase(), params: Vec::new() };
        if let Some((name, value)) = rest.split_once('=') {
            challenge.params.push((name.trim().to_ascii_lowercase(), unquoted(value)));
        }
        found.push(challenge);
    }
    found
}

/// The parts between commas that stand outside of quotes. Scopes hold commas: `scope="repository:a:pull,push"`.
fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => text.extend(chars.next()),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitlabs_challenge_is_read() {
        let found = parse(
            r#"Bearer realm="https://gitlab.example/jwt/auth",service="container_registry",scope="repository:g/p/x:pull",error="insufficient_scope""#,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].scheme, "bearer");
        assert_eq!(found[0].param("realm"), Some("https://gitlab.example/jwt/auth"));
        assert_eq!(found[0].param("scope"), Some("repository:g/p/x:pull"));
    }

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let found = parse(
            r#"Negotiate abc==, Basic realm="a, \"quoted\" realm" , BEARER Realm = https://t.example/token, scope="repository:a:pull,push""#,
        );
        let schemes: Vec<&str> = found.iter().map(|c| c.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "basic", "bearer"]);
        assert_eq!(found[1].param("realm"), Some(r#"a, "quoted" realm"#));
        assert_eq!(found[2].param("realm"), Some("https://t.example/token"));
        assert_eq!(found[2].param("scope"), Some("repository:a:pull,push"));
    }

    #[test]
    fn several_headers_are_read_in_order() {
        let mut headers = HeaderMap::new();
        headers.append("www-authenticate", r#"Basic realm="Codeberg""#.parse().unwrap());
        headers.append("www-authenticate", "Bearer realm=https://x.example/t,service=s".parse().unwrap());
        let found = challenges(&headers);
        assert_eq!(found[0].scheme, "basic");
        assert_eq!(found[1].param("service"), Some("s"));
    }

    #[test]
    fn nonsense_is_no_challenge_and_no_panic() {
        assert!(parse("").is_empty());
        assert!(parse(r#"="x",,"#).is_empty());
        assert_eq!(parse(r#"Bearer realm="never closed\"#)[0].param("realm"), Some("never closed"));
    }
}
