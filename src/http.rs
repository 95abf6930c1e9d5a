//! The one transport: every request of every adapter passes here.
//!
//! It knows time-outs, repetition, `Retry-After`, redirects, redaction, body caps, secrets and concurrency per
//! host. It knows no protocol above HTTP: what a status means is the adapter's business.
#![expect(
    clippy::disallowed_methods,
    reason = "time-outs, deadlines and dates of `Retry-After` need the clock"
)]

mod clients;
mod entries;
mod error;
mod failure;
mod flight;
mod host;
mod link;
mod mask;
mod opened;
mod redact;
mod retry;
mod secret;
mod send;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

pub use entries::Entries;
pub use error::{IN_THE_WAY, TransportError};
pub use link::{UnreadableLink, next_query};
pub use mask::Mask;
pub use opened::{OpenAnswer, UnreadBody};
pub use redact::redacted;
pub use secret::{BoundSecret, Credential, InvalidSecret, Origin, Secret};
pub use tls::distrust;

/// The target in the log of what is waited for.
pub const WAITS: &str = "dibump::waits";

/// How the transport behaves.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// How long a connection may take to be made, TLS included.
    pub connect_timeout: Duration,
    /// How long the server may be silent in the middle of an answer.
    pub read_timeout: Duration,
    /// How long one attempt may take from the first byte sent to the last one received.
    pub request_timeout: Duration,
    /// How long a host may send nothing, repetitions included, before nothing is asked of it any more.
    pub give_up_after: Duration,
    /// How often a GET or HEAD is repeated; 0 for never.
    pub retries: u32,
    /// The wait before the first repetition; it doubles each time.
    pub backoff: Duration,
    /// A server that asks for a longer wait than this is not waited for.
    pub max_retry_after: Duration,
    /// How many requests may be under way to one host (scheme, host and port) at once.
    pub per_host: usize,
    /// The `User-Agent`.
    pub user_agent: String,
    /// More certificate authorities to trust, each the bytes of a PEM file.
    pub extra_ca: Vec<Vec<u8>>,
    /// Whether `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are honoured.
    pub proxy_from_environment: bool,
    /// When the whole run must be over (`--max-time`); no wait goes beyond it.
    pub deadline: Option<Instant>,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            give_up_after: Duration::from_secs(60),
            retries: 3,
            backoff: Duration::from_millis(500),
            max_retry_after: Duration::from_secs(60),
            per_host: 16,
            user_agent: concat!("dibump/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_ca: Vec::new(),
            proxy_from_environment: true,
            deadline: None,
        }
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method. Only GET and HEAD are ever repeated or redirected.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Its headers. Those that carry secrets are not sent: a secret is a [`Credential`].
    pub headers: HeaderMap,
    /// A secret that goes along to its own origin. One for another origin than the URL's is an error;
    /// from a redirect to another origin on the request goes without it.
    pub credential: Option<Credential>,
    /// What is sent.
    pub body: Option<Bytes>,
    /// How many bytes the answer may have, after decompression.
    pub body_cap: usize,
    /// Whether the body of a success is left to be read, however large it is: see [`Transport::open`].
    pub is_streamed: bool,
    /// The hosts that redirects may lead to, where not any host is right: see [`is_allowed`].
    pub redirects_to: Option<Arc<[String]>>,
}

/// How many bytes an answer may have unless the request says otherwise.
pub const DEFAULT_BODY_CAP: usize = 16 << 20;

impl Request {
    /// A request without headers, secrets or body.
    pub fn new(method: Method, url: Url) -> Self {
        let (headers, body_cap) = (HeaderMap::new(), DEFAULT_BODY_CAP);
        Self {
            method,
            url,
            headers,
            credential: None,
            body: None,
            body_cap,
            is_streamed: false,
            redirects_to: None,
        }
    }

    /// A GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A HEAD.
    pub fn head(url: Url) -> Self {
        Self::new(Method::HEAD, url)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// With a secret.
    #[must_use]
    pub fn credential(mut self, credential: Option<Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With the body of a success left to be read, as it was sent.
    #[must_use]
    pub fn streamed(mut self) -> Self {
        self.is_streamed = true;
        self.header(http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// With redirects to these hosts only.
    #[must_use]
    pub fn redirects_to(mut self, hosts: Arc<[String]>) -> Self {
        self.redirects_to = Some(hosts);
        self
    }

    /// What follows a byte of the content that a server called so (RFC 9110, sections 13.1.5 and 14.2).
    ///
    /// # Errors
    /// That cannot be sent in a header.
    pub fn part(
        mut self,
        from: u64,
        validator: Option<&str>,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        self = self.header(http::header::RANGE, HeaderValue::from_str(&format!("bytes={from}-"))?);
        match validator {
            Some(validator) => Ok(self.header(http::header::IF_RANGE, HeaderValue::from_str(validator)?)),
            None => Ok(self),
        }
    }

    /// With another cap on the answer, in bytes.
    #[must_use]
    pub fn body_cap(mut self, cap: usize) -> Self {
        self.body_cap = cap;
        self
    }
}

/// An answer, whatever its status. When every repetition of a GET or HEAD failed alike, it is the last one.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed; that of an error without the secrets that were sent.
    pub body: Bytes,
    /// The URL that answered, after redirects. It may hold secrets: print it with [`redacted`].
    pub url: Url,
    /// How long the server asks us to wait (`Retry-After`), uncapped.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// The answer as an error, for an adapter that cannot use its status.
    pub fn status_error(&self) -> TransportError {
        TransportError::Status {
            url: redacted(&self.url),
            status: self.status,
            retry_after: self.retry_after,
        }
    }

    /// The answer as an error where it is a web page: no API that we speak to ever answers with one, while whatever
    /// stands in front of it does, with any status. A page that says that the server is busy is another matter.
    pub fn page_in_place_of(&self, expected: &'static str) -> Option<TransportError> {
        let is_page = match self.header(http::header::CONTENT_TYPE) {
            Some(content_type) => {
                let media_type = content_type.split(';').next().unwrap_or_default().trim();
                ["text/html", "application/xhtml+xml"]
                    .iter()
                    .any(|page| media_type.eq_ignore_ascii_case(page))
            }
            None => self.body.trim_ascii_start().starts_with(b"<"),
        };
        let (url, status) = (redacted(&self.url), self.status);
        (is_page && !status.is_server_error() && !self.retry_helps()).then_some(TransportError::WebPage {
            url,
            status,
            expected,
        })
    }

    /// The body as JSON. Some servers put a byte order mark before it, which a reader may ignore (RFC 8259, section 8.1).
    ///
    /// # Errors
    /// The body is no such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body))
    }

    /// A header as text; `None` if it is missing or no text.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the server calls this content, where that says that it is the same byte for byte.
    pub fn strong_tag(&self) -> Option<&str> {
        self.header(http::header::ETAG).filter(|tag| !tag.starts_with("W/"))
    }

    /// The first byte of a part: `bytes 5-9/10` begins with 5.
    fn first_byte(&self) -> Option<u64> {
        let range = self.header(http::header::CONTENT_RANGE)?.strip_prefix("bytes ")?;
        range.split_once('-')?.0.trim().parse().ok()
    }

    /// Whether it is what was asked for: all of a content, or the rest of it from a byte on, of the content that is called
    /// so (RFC 9110, 13.1.5 and 14.4). `None` where its status says neither.
    pub fn is_part(&self, asked: Option<(u64, Option<&str>)>) -> Option<bool> {
        match (self.status, asked) {
            (StatusCode::OK, None) => Some(true),
            (StatusCode::PARTIAL_CONTENT, Some((from, tag))) => {
                Some(self.first_byte() == Some(from) && self.strong_tag() == tag)
            }
            (StatusCode::OK | StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Some(false),
            _ => None,
        }
    }

    /// Whether the same request may get another status later.
    pub fn retry_helps(&self) -> bool {
        retry::is_retryable(self.status)
    }
}

/// Whether a URL is on one of these hosts, each with or without a port.
pub fn is_allowed(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    hosts.iter().any(|allowed| {
        allowed.eq_ignore_ascii_case(host)
            || with_port.as_deref().is_some_and(|with_port| allowed.eq_ignore_ascii_case(with_port))
    })
}

/// The transport. Clones share connections, limits and counters.
#[derive(Debug, Clone)]
pub struct Transport(Arc<send::Inner>);

impl Transport {
    /// A transport with a connection pool of its own.
    ///
    /// # Errors
    /// [`TransportError::Setup`] if a CA file holds no certificate.
    pub fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        Ok(Self(Arc::new(send::Inner::new(settings)?)))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// GET and HEAD are repeated on 408, 429, 500, 502, 503, 504, connection errors, time-outs and cut bodies; when
    /// the repetitions are used up, or the server asks for a longer wait than allowed, the last answer is
    /// returned. Anything else is sent once. GET and HEAD follow at most 10 redirects, never from https to
    /// http; a redirect of any other method is returned as it is.
    ///
    /// # Errors
    /// When there is no answer, or it is larger than the cap, or a redirect is refused; [`TransportError::Setup`] for a
    /// first URL with TLS on a machine that trusts no CA at all.
    pub async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.open(request).await.map(|opened| opened.response)
    }

    /// Sends a request, and leaves the body of a success to be read where the request is streamed. Until then it behaves as
    /// [`Self::send`]; a body that is cut is not asked for again.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn open(&self, request: Request) -> Result<OpenAnswer, TransportError> {
        self.0.send(request).await
    }

    /// How many requests went to each origin, by status; `None` counts those without an answer.
    pub fn requests(&self) -> BTreeMap<(Origin, Option<u16>), u64> {
        self.0.requests()
    }

    /// How many bytes of bodies came that were left to be read (see [`Self::open`]).
    pub fn streamed(&self) -> u64 {
        self.0.streamed()
    }

    /// What a server said, without the secrets that were sent: for whatever of an answer is shown. The bodies of errors
    /// come without them.
    pub fn masked(&self, text: &str) -> String {
        self.0.mask.hide(text).into_owned()
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &TransportSettings {
        self.0.settings()
    }
}
