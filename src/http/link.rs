//! `Link` headers (RFC 8288): where a list goes on. A list whose links cannot be read has no known end.

use http::HeaderMap;

/// More of a header than this explains nothing.
const SHOWN: usize = 200;

/// A `Link` that is none by RFC 8288, or has no relation: it may lead to the next page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header `Link: {link}` cannot be read, so the list may go on")]
pub struct UnreadableLink {
    /// The header, or its beginning.
    pub link: String,
}

impl UnreadableLink {
    fn of(text: &str) -> Self {
        let shown = |c: char| if c.is_ascii_graphic() { c } else { ' ' };
        Self { link: text.chars().take(SHOWN).map(shown).collect() }
    }
}

/// The query of the next page; `None` where no link leads to one. Of a link only the query is taken: proxies hide the
/// scheme, host and port that a server knows itself by, and some registries forget a part of the path.
///
/// # Errors
/// Any of the links cannot be read, or the next page has no query.
pub fn next_query(headers: &HeaderMap) -> Result<Option<String>, UnreadableLink> {
    let mut next = None;
    for value in headers.get_all(http::header::LINK) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let unreadable = || UnreadableLink::of(&text);
        for link in links(&text).ok_or_else(unreadable)? {
            if link.is_next {
                let query = query(link.target).ok_or_else(unreadable)?;
                next.get_or_insert_with(|| query.to_owned());
            }
        }
    }
    Ok(next)
}

struct Link<'a> {
    target: &'a str,
    is_next: bool,
}

/// The links of one header; `None` if it is not made of links with relations.
fn links(text: &str) -> Option<Vec<Link<'_>>> {
    let mut links = Vec::new();
    let mut rest = text.trim_start_matches(is_between);
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        if target.contains(['<', '"']) {
            return None;
        }
        let mut relations = None;
        rest = after.trim_start();
        while let Some(after) = rest.strip_prefix(';') {
            let (name, value, after) = parameter(after.trim_start())?;
            // Of several, the first one counts (section 3.3).
            if name.eq_ignore_ascii_case("rel") {
                relations = relations.or(Some(value));
            }
            rest = after.trim_start();
        }
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        links.push(Link { target, is_next: is_next(&relations?)? });
        rest = rest.trim_start_matches(is_between);
    }
    Some(links)
}

fn is_between(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// The name and the value of a parameter, and what follows. An empty one is tolerated (appendix B.3).
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let end = text.find(|c: char| "=;,".contains(c) || c.is_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_start().strip_prefix('=') else { return Some((name, String::new(), rest)) };
    let value = value.trim_start();
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, rest) = unquoted(quoted)?;
        return Some((name, value, rest));
    }
    let end = value.find(|c: char| ";,".contains(c) || c.is_whitespace()).unwrap_or(value.len());
    let (value, rest) = value.split_at(end);
    (!value.contains(['<', '>', '"'])).then(|| (name, value.to_owned(), rest))
}

/// The text up to the closing quote, and what follows.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

/// Whether one of the relations is `next`; `None` if there is none, or one that can be none, such as `'next'`.
fn is_next(relations: &str) -> Option<bool> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
    };
    let mut words = relations.split_whitespace().peekable();
    words.peek()?;
    // A relation of one's own is a URL.
    words.try_fold(false, |found, word| {
        (is_name(word) || word.contains(':')).then_some(found || word.eq_ignore_ascii_case("next"))
    })
}

fn query(target: &str) -> Option<&str> {
    let target = target.split('#').next().unwrap_or(target);
    target.split_once('?').map(|(_, query)| query).filter(|query| !query.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(headers: &[&str]) -> Result<Option<String>, UnreadableLink> {
        let headers = headers.iter().map(|value| (http::header::LINK, value.parse().unwrap()));
        next_query(&headers.collect())
    }

    #[test]
    fn the_link_to_the_next_page_is_found_among_others() {
        for (header, expected) in [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("n=2&last=b")),
            ("<https://h:8443/x?page=2#top>; REL=next", Some("page=2")),
            ("<?page=2>;rel=next;", Some("page=2")),
            (
                r#"<a?x=1,2>; rel="prev", <b?y=1,2>; title="a, b; c"; rel="last next"; crossorigin"#,
                Some("y=1,2"),
            ),
            (r#"<a?x=1>; title="<b?y=2>; rel=\"next\""; rel = prev"#, None),
            ("<a?x=1>; rel=next; rel=prev", Some("x=1")),
            (r#"<https://cdn.example/f.css>; rel=preload; as=style, <https://h>; rel="https://h/own""#, None),
            ("", None),
            (" , ", None),
        ] {
            assert_eq!(next(&[header]).unwrap().as_deref(), expected, "{header}");
        }
        let several = [r#"<?page=1>; rel="first""#, r#"<?page=3>; rel="next""#];
        assert_eq!(next(&several).unwrap().as_deref(), Some("page=3"));
    }

    #[test]
    fn what_cannot_be_read_is_never_the_end() {
        for header in [
            "/v2/a/tags/list?n=2&last=b; rel=\"next\"",
            "<?n=2&last=b&gt;; rel=\"next\"",
            "<?n=2&last=b&gt;; rel=\"next\", <?n=2>; rel=\"first\"",
            "<?n=2>; rel='next'",
            "<?n=2>",
            "<?n=2>; rel",
            "<?n=2>; rel=\"\"",
            "<?n=2>; title=next",
            "<?n=2>; rel=\"next",
            "<?n=2>; rel=\"next\" <?n=3>",
            "<?n=2>; rel=next, nonsense",
            "<https://h/x>; rel=next",
        ] {
            assert!(next(&[header]).is_err(), "{header}: {:?}", next(&[header]));
            assert!(next(&["<?page=2>; rel=next", header]).is_err(), "{header}");
        }
    }
}
