//! The head of a request, as far as images need it (RFC 9112).

use percent_encoding::percent_decode_str;

use crate::image_store::conditional::Conditions;

/// The largest head that is read.
pub(super) const LARGEST: usize = 16 << 10;

/// The most headers of a request.
const MOST_HEADERS: usize = 64;

/// A request, without its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    /// The path without its first slash, decoded, and without a query.
    pub(super) path: String,
    /// Names in lower case; several lines of one name are joined by commas.
    headers: Vec<(String, String)>,
    /// Whether the connection may serve another request.
    pub(super) keeps_alive: bool,
}

/// Why there is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoHead {
    /// More bytes must come.
    Partial,
    /// It cannot be read.
    Bad,
    /// It is larger than a head may be.
    TooLarge,
}

impl Head {
    /// Reads a head from the beginning of what was received, and gives how many bytes it has.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), NoHead> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < LARGEST => return Err(NoHead::Partial),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(NoHead::TooLarge);
            }
            Err(_) => return Err(NoHead::Bad),
        };
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(NoHead::Bad);
        };
        let mut head = Self {
            method: method.to_owned(),
            path: path(target).ok_or(NoHead::Bad)?,
            headers: joined(request.headers)?,
            keeps_alive: false,
        };
        // A request of HTTP/1.1 names the host (RFC 9112, section 3.2), and names it once.
        let hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host")).count();
        if hosts > 1 || (version == 1 && hosts == 0) {
            return Err(NoHead::Bad);
        }
        head.keeps_alive = head.may_go_on(version == 1);
        Ok((head, length))
    }

    pub(super) fn conditions(&self) -> Conditions<'_> {
        Conditions {
            if_match: self.header("if-match"),
            if_unmodified_since: self.header("if-unmodified-since"),
            if_none_match: self.header("if-none-match"),
            if_modified_since: self.header("if-modified-since"),
            if_range: self.header("if-range"),
            range: self.header("range"),
        }
    }

    /// Whether the client takes what is compressed by gzip (RFC 9110, section 12.5.3).
    pub(super) fn accepts_gzip(&self) -> bool {
        let codings = self.header("accept-encoding").unwrap_or_default();
        let weight = |name: &str| {
            codings.split(',').find_map(|coding| {
                let (known, parameters) = coding.split_once(';').unwrap_or((coding, ""));
                let weight =
                    parameters.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse().ok());
                known.trim().eq_ignore_ascii_case(name).then(|| weight.unwrap_or(0.0_f32))
            })
        };
        weight("gzip").or_else(|| weight("x-gzip")).is_some_and(|weight| weight > 0.0)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A body is not read: what follows it could not be told from it.
    fn may_go_on(&self, is_http_1_1: bool) -> bool {
        let has_body = self.header("transfer-encoding").is_some()
            || self.header("content-length").is_some_and(|length| length.trim() != "0");
        let options = self.header("connection").unwrap_or_default();
        let says = |wanted: &str| options.split(',').any(|option| option.trim().eq_ignore_ascii_case(wanted));
        !has_body && !says("close") && (is_http_1_1 || says("keep-alive"))
    }
}

/// The path of a target, which may be a whole URL (RFC 9112, section 3.2.2).
fn path(target: &str) -> Option<String> {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.split_once('/').map_or("", |(_, path)| path),
        _ => target.strip_prefix('/')?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    percent_decode_str(path).decode_utf8().ok().map(|path| path.into_owned())
}

fn joined(headers: &[httparse::Header<'_>]) -> Result<Vec<(String, String)>, NoHead> {
    let mut joined: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for header in headers {
        let (name, value) = (header.name.to_ascii_lowercase(), std::str::from_utf8(header.value));
        let value = value.map_err(|_| NoHead::Bad)?;
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = format!("{known}, {value}"),
            None => joined.push((name, value.to_owned())),
        }
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_or_refused() {
        let read = |text: &str| Head::read(text.as_bytes());
        let text =
            "GET /a%2Bb.raw?x#y HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"a\"\r\nif-none-match: \"b\"\r\n\r\n";
        let (head, length) = read(&format!("{text}GET")).unwrap();
        assert_eq!((head.method.as_str(), head.path.as_str(), head.keeps_alive), ("GET", "a+b.raw", true));
        assert_eq!(head.conditions().if_none_match, Some("\"a\", \"b\""));
        assert_eq!(length, text.len(), "what follows is another request");
        let (head, _) = read("HEAD http://h:8080/a/image.raw HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!((head.path.as_str(), head.keeps_alive), ("a/image.raw", false));
        for (accepted, is_gzip) in [
            ("gzip, deflate", true),
            ("deflate;q=1, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("*", false),
            ("", false),
        ] {
            let (head, _) =
                read(&format!("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accepted}\r\n\r\n")).unwrap();
            assert_eq!(head.accepts_gzip(), is_gzip, "{accepted}");
        }
        for (lines, keeps_alive) in [
            ("Connection: close", false),
            ("Connection: foo, Close", false),
            ("Content-Length: 0", true),
            ("Content-Length: 5", false),
            ("Transfer-Encoding: chunked", false),
        ] {
            let (head, _) = read(&format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n")).unwrap();
            assert_eq!(head.keeps_alive, keeps_alive, "{lines}");
        }
        for (text, error) in [
            ("GET / HTTP/1.1\r\nHo", NoHead::Partial),
            ("", NoHead::Partial),
            ("GET / HTTP/1.1\r\n\r\n", NoHead::Bad),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", NoHead::Bad),
            ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", NoHead::Bad),
            ("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", NoHead::Bad),
            ("nonsense\r\n\r\n", NoHead::Bad),
            ("\u{16}\u{3}\u{1}", NoHead::Bad),
            (&format!("GET /{} HTTP/1.1\r\n", "a".repeat(LARGEST)), NoHead::TooLarge),
            (&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65)), NoHead::TooLarge),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }
}
