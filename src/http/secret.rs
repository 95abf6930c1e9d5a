//! Secrets, and the one place that decides whether one may go along with a request.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// A password or token. `Debug` prints `***`; it is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Scheme, host and port of a URL: what a secret belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A header with a secret in it, which goes to its own origin and nowhere else.
#[derive(Clone)]
pub struct Credential {
    origin: Origin,
    name: HeaderName,
    value: HeaderValue,
}

/// Why a secret cannot become a header. The secret itself is not part of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret holds characters that no header can carry (a line break at its end, perhaps)")]
pub struct InvalidSecret;

/// Headers that never follow a redirect to another origin, whoever set them.
const SECRET_HEADERS: [&str; 5] = ["authorization", "cookie", "private-token", "job-token", "deploy-token"];

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret in the clear: for headers, forms and the standard input of helpers.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
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
    /// A header with a secret value for one origin, as in `PRIVATE-TOKEN: …`.
    pub fn header(origin: Origin, name: HeaderName, secret: &Secret) -> Result<Self, InvalidSecret> {
        Self::with_value(origin, name, secret.expose())
    }

    /// `Authorization: Bearer …` for one origin.
    pub fn bearer(origin: Origin, token: &Secret) -> Result<Self, InvalidSecret> {
        Self::with_value(origin, http::header::AUTHORIZATION, &format!("Bearer {}", token.expose()))
    }

    /// `Authorization: Basic …` for one origin (RFC 7617).
    pub fn basic(origin: Origin, user: &str, password: &Secret) -> Result<Self, InvalidSecret> {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{}", password.expose()));
        Self::with_value(origin, http::header::AUTHORIZATION, &format!("Basic {pair}"))
    }

    /// Where the secret may go.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether the secret may go to `url`.
    pub fn fits(&self, url: &Url) -> bool {
        Origin::of(url).as_ref() == Some(&self.origin)
    }

    /// Adds the header if `url` is at the secret's origin.
    pub(super) fn attach(&self, url: &Url, headers: &mut HeaderMap) {
        if self.fits(url) {
            headers.insert(self.name.clone(), self.value.clone());
        }
    }

    fn with_value(origin: Origin, name: HeaderName, value: &str) -> Result<Self, InvalidSecret> {
        let mut value = HeaderValue::from_str(value).map_err(|_| InvalidSecret)?;
        value.set_sensitive(true);
        Ok(Self { origin, name, value })
    }
}

/// Removes every header that may carry a secret, before a redirect leaves the origin.
pub(super) fn strip_secrets(headers: &mut HeaderMap) {
    for name in SECRET_HEADERS {
        headers.remove(name);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: *** for {}", self.name, self.origin)
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

    #[test]
    fn a_credential_goes_to_its_own_scheme_host_and_port_only() {
        let origin = Origin::of(&url("https://registry.example/v2/")).unwrap();
        let credential = Credential::basic(origin, "bot", &Secret::new("pa:ss")).unwrap();
        for (text, expected) in [
            ("https://registry.example:443/other", true),
            ("http://registry.example/v2/", false),
            ("https://registry.example:8443/v2/", false),
            ("https://cdn.registry.example/v2/", false),
        ] {
            let mut headers = HeaderMap::new();
            credential.attach(&url(text), &mut headers);
            assert_eq!(headers.contains_key("authorization"), expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_never_printed() {
        let origin = Origin::of(&url("https://registry.example")).unwrap();
        let secret = Secret::new("hunter2");
        let credential = Credential::bearer(origin.clone(), &secret).unwrap();
        assert!(!format!("{secret:?} {credential:?}").contains("hunter2"));
        let broken = Credential::bearer(origin, &Secret::new("hunter2\n")).unwrap_err();
        assert!(!broken.to_string().contains("hunter2"));
    }
}
