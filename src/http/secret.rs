//! Secrets, and the one place that decides whether one may go along with a request.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// A password or token without a place that it belongs to: it can be compared, and it cannot be sent. `Debug` prints
/// `***`; it is wiped from memory when dropped.
///
/// ```compile_fail
/// let secret = dibump::http::Secret::new("t");
/// let credential = dibump::http::Credential::bearer(&secret);
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

/// A secret and the one origin that it belongs to. Only from this a [`Credential`] can be made.
#[derive(Debug, Clone)]
pub struct BoundSecret {
    origin: Origin,
    secret: Secret,
}

/// Scheme, host and port of a URL: what a secret belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A bound secret in its place in a request, which goes to its own origin and nowhere else.
#[derive(Clone)]
pub struct Credential {
    bound: BoundSecret,
    place: Place,
}

/// Where in a request a secret stands.
#[derive(Clone)]
enum Place {
    Header(HeaderName, HeaderValue),
    /// A field of a form.
    Field(&'static str),
}

/// Why a secret cannot become a header. The secret itself is not part of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret holds characters that no header can carry (a line break at its end, perhaps)")]
pub struct InvalidSecret;

/// Headers that only a [`Credential`] sets.
const SECRET_HEADERS: [&str; 5] = ["authorization", "cookie", "private-token", "job-token", "deploy-token"];

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret as one that may be sent to `origin`, and nowhere else.
    pub fn bound_to(self, origin: Origin) -> BoundSecret {
        BoundSecret { origin, secret: self }
    }

    /// Whether `given` is the secret. How long it takes does not tell how much of it is right.
    pub fn matches(&self, given: &str) -> bool {
        verify_slices_are_equal(given.as_bytes(), self.text().as_bytes()).is_ok()
    }

    /// The secret in the clear, which does not leave the transport.
    pub(super) fn text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl BoundSecret {
    /// Where it belongs.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same for the server to which its own one sends its clients, as a registry names its token realm; `None`
    /// where it would leave encryption by that.
    pub fn passed_on(&self, to: Origin) -> Option<Self> {
        (to.is_tls() || !self.origin.is_tls()).then(|| Self { origin: to, secret: self.secret.clone() })
    }

    /// Whether `given` is the secret.
    pub fn matches(&self, given: &str) -> bool {
        self.secret.matches(given)
    }

    /// Whether it begins like this: the prefix of a token tells its kind.
    pub fn begins_with(&self, start: &str) -> bool {
        self.secret.text().starts_with(start)
    }
}

impl Origin {
    /// The origin of `url`; `None` unless it is `http` or `https` and has a host.
    pub fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.to_owned();
        Some(Self { scheme: url.scheme().to_owned(), host, port: url.port_or_known_default()? })
    }

    /// Whether what is sent there is encrypted.
    pub fn is_tls(&self) -> bool {
        self.scheme == "https"
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl Credential {
    /// A header with a secret value, as in `PRIVATE-TOKEN: …`.
    pub fn header(name: HeaderName, secret: &BoundSecret) -> Result<Self, InvalidSecret> {
        Self::with_value(name, secret, secret.secret.text())
    }

    /// `Authorization: Bearer …`.
    pub fn bearer(token: &BoundSecret) -> Result<Self, InvalidSecret> {
        Self::with_value(AUTHORIZATION, token, &format!("Bearer {}", token.secret.text()))
    }

    /// `Authorization: Basic …` (RFC 7617).
    pub fn basic(user: &str, password: &BoundSecret) -> Result<Self, InvalidSecret> {
        let pair = STANDARD.encode(format!("{user}:{}", password.secret.text()));
        Self::with_value(AUTHORIZATION, password, &format!("Basic {pair}"))
    }

    /// One more field of a form, as in `refresh_token=…`.
    pub fn field(name: &'static str, secret: &BoundSecret) -> Self {
        Self { bound: secret.clone(), place: Place::Field(name) }
    }

    /// Where the secret may go.
    pub fn origin(&self) -> &Origin {
        &self.bound.origin
    }

    /// Whether the secret may go to `url`.
    pub fn fits(&self, url: &Url) -> bool {
        Origin::of(url).as_ref() == Some(self.origin())
    }

    /// Puts the secret into its place if `url` is at its origin.
    pub(super) fn attach(&self, url: &Url, headers: &mut HeaderMap, body: &mut Option<Bytes>) {
        match &self.place {
            _ if !self.fits(url) => {}
            Place::Header(name, value) => drop(headers.insert(name.clone(), value.clone())),
            Place::Field(name) => {
                let form = String::from_utf8_lossy(body.as_deref().unwrap_or_default()).into_owned();
                let mut form = url::form_urlencoded::Serializer::new(form);
                *body = Some(form.append_pair(name, self.bound.secret.text()).finish().into());
            }
        }
    }

    /// What a server that repeats it may say: the secret, and user and password as `Basic` joins them.
    pub(super) fn spoken(&self) -> impl Iterator<Item = String> {
        let joined = match &self.place {
            Place::Header(_, value) => value.to_str().ok().and_then(|value| value.strip_prefix("Basic ")),
            Place::Field(_) => None,
        };
        let pair = joined.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
        [Some(self.bound.secret.text().to_owned()), pair].into_iter().flatten()
    }

    fn with_value(name: HeaderName, secret: &BoundSecret, value: &str) -> Result<Self, InvalidSecret> {
        let mut value = HeaderValue::from_str(value).map_err(|_| InvalidSecret)?;
        value.set_sensitive(true);
        Ok(Self { bound: secret.clone(), place: Place::Header(name, value) })
    }
}

/// Removes every header that may carry a secret and was set without saying where that belongs.
pub(super) fn strip_unbound(headers: &mut HeaderMap) {
    for name in SECRET_HEADERS {
        headers.remove(name);
    }
}

/// User and password in a URL are no credential that anybody bound to its host: they are not sent.
pub(super) fn without_user(mut url: Url) -> Url {
    // Both fail only for URLs that cannot have a user, and such a URL has none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            Place::Header(name, _) => name.as_str(),
            Place::Field(name) => name,
        };
        write!(f, "{place}: *** for {}", self.origin())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn bound(to: &str, text: &str) -> BoundSecret {
        Secret::new(text).bound_to(Origin::of(&url(to)).unwrap())
    }

    #[test]
    fn a_credential_goes_to_its_own_scheme_host_and_port_only() {
        let secret = bound("https://registry.example/v2/", "pa:ss");
        let (header, field) = (Credential::basic("bot", &secret).unwrap(), Credential::field("x", &secret));
        for (text, expected) in [
            ("https://registry.example:443/other", true),
            ("http://registry.example/v2/", false),
            ("https://registry.example:8443/v2/", false),
            ("https://cdn.registry.example/v2/", false),
        ] {
            let (mut headers, mut body) = (HeaderMap::new(), None);
            header.attach(&url(text), &mut headers, &mut body);
            field.attach(&url(text), &mut headers, &mut body);
            assert_eq!(headers.contains_key("authorization"), expected, "{text}");
            assert_eq!(body, expected.then(|| Bytes::from("x=pa%3Ass")), "{text}");
        }
    }

    #[test]
    fn a_secret_is_passed_on_but_never_out_of_encryption() {
        let origin = |text: &str| Origin::of(&url(text)).unwrap();
        let secret = bound("https://registry.example", "t");
        let realm = origin("https://auth.example");
        assert_eq!(secret.passed_on(realm.clone()).map(|secret| secret.origin().clone()), Some(realm));
        assert!(secret.passed_on(origin("http://auth.example")).is_none());
        assert!(bound("http://registry.example", "t").passed_on(origin("http://auth.example")).is_some());
    }

    #[test]
    fn secrets_are_never_printed() {
        let secret = bound("https://registry.example", "hunter2");
        let credential = Credential::bearer(&secret).unwrap();
        assert!(!format!("{secret:?} {credential:?}").contains("hunter2"));
        let broken = Credential::bearer(&bound("https://registry.example", "hunter2\n")).unwrap_err();
        assert!(!broken.to_string().contains("hunter2"));
    }
}
