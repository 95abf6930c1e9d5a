//! What can go wrong between us and a server. URLs are redacted before they get here.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::ending::{Ending, Ends};

/// What to look at where something else answers than the server that was meant.
pub const IN_THE_WAY: &str = "is the address right? or does a sign-in page or a proxy answer in its place?";

/// Why there is no answer, or why an answer is none that an adapter can use.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransportError {
    /// The client could not be built: a CA file that is none, or no trusted CA on this machine.
    #[error("couldn't set up TLS: {reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// The request could not be sent or its answer not be read: DNS, connection, TLS, a cut body.
    #[error("no answer from {url}")]
    Connection {
        /// The URL, redacted.
        url: String,
        /// What happened.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The server speaks no TLS.
    #[error("{host} answers plain HTTP, not TLS")]
    NoTls {
        /// The host, with its port.
        host: String,
    },
    /// The certificate of the server is not trusted, or cannot be that of a server.
    #[error("the certificate of {host} is not trusted: {reason}")]
    Untrusted {
        /// The host, with its port.
        host: String,
        /// Why.
        reason: String,
        /// What makes it trusted.
        remedy: &'static str,
    },
    /// The proxy of the environment does not let us through.
    #[error("no answer from {url} through the proxy {proxy}")]
    Proxy {
        /// The URL, redacted.
        url: String,
        /// The proxy, without its password.
        proxy: String,
        /// What happened.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// No answer within the time-out of a request.
    #[error("{url} did not answer within {waited:?}")]
    TimedOut {
        /// The URL, redacted.
        url: String,
        /// How long was waited for it.
        waited: Duration,
    },
    /// Not a byte for so long, repetitions included, that the host is asked nothing any more.
    #[error("waited {waited:?} for {url}, repetitions included, without receiving a byte")]
    Silent {
        /// The URL that was asked, redacted.
        url: String,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The time for the whole run is over (`--max-time`).
    #[error("the time for this run was over before {url} answered")]
    DeadlinePassed {
        /// The URL, redacted.
        url: String,
    },
    /// The body is larger than the request allowed.
    #[error("the answer of {url} is larger than {cap} bytes")]
    TooLarge {
        /// The URL, redacted.
        url: String,
        /// The cap in bytes.
        cap: usize,
    },
    /// A web page, such as the sign-in page of a network, in place of what was asked for.
    #[error("{url}: a web page ({status}) where {expected} was expected")]
    WebPage {
        /// The URL that answered, redacted.
        url: String,
        /// Its status.
        status: StatusCode,
        /// What was expected, as in "a registry".
        expected: &'static str,
    },
    /// A redirect that is not followed.
    #[error("{url} redirects {reason}")]
    Redirect {
        /// The URL that redirected, redacted.
        url: String,
        /// Why it is not followed, as in "from https to http".
        reason: String,
    },
    /// A credential was given for another origin than the URL's. This is our mistake or an attack, never a retry.
    #[error("credentials for {origin} do not go to {url}")]
    ForeignCredential {
        /// Where the credential belongs.
        origin: String,
        /// The URL, redacted.
        url: String,
    },
    /// An answer whose status an adapter cannot use, made by [`super::Response::status_error`]; or a request that
    /// was not sent because the host had asked for a longer silence (429) than is allowed.
    #[error("{url} answered {status}{}", waiting(*.retry_after))]
    Status {
        /// The URL, redacted.
        url: String,
        /// The status.
        status: StatusCode,
        /// How long the server asked us to wait.
        retry_after: Option<Duration>,
    },
}

impl Ends for TransportError {
    fn ending(&self) -> Ending {
        match self {
            Self::Connection { .. }
            | Self::Proxy { .. }
            | Self::TimedOut { .. }
            | Self::Silent { .. }
            | Self::DeadlinePassed { .. } => Ending::Unknown,
            Self::Status { status, .. } if super::retry::is_retryable(*status) => Ending::Unknown,
            Self::Setup { .. }
            | Self::NoTls { .. }
            | Self::Untrusted { .. }
            | Self::TooLarge { .. }
            | Self::WebPage { .. }
            | Self::Redirect { .. }
            | Self::Status { .. } => Ending::Person,
            Self::ForeignCredential { .. } => Ending::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoTls { .. } => {
                Some("for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL".to_owned())
            }
            Self::Untrusted { remedy, .. } => Some((*remedy).to_owned()),
            Self::WebPage { .. } => Some(IN_THE_WAY.to_owned()),
            _ => None,
        }
    }
}

impl TransportError {
    /// The same without secrets in its URL, which a server that redirects may have put there.
    pub(super) fn masked(mut self, mask: &super::Mask) -> Self {
        match &mut self {
            Self::Connection { url, .. }
            | Self::Proxy { url, .. }
            | Self::TimedOut { url, .. }
            | Self::Silent { url, .. }
            | Self::DeadlinePassed { url }
            | Self::TooLarge { url, .. }
            | Self::Redirect { url, .. }
            | Self::WebPage { url, .. }
            | Self::Status { url, .. } => *url = mask.hide(url).into_owned(),
            Self::Setup { .. }
            | Self::NoTls { .. }
            | Self::Untrusted { .. }
            | Self::ForeignCredential { .. } => {}
        }
        self
    }

    /// Whether the same request may succeed later.
    pub fn retry_helps(&self) -> bool {
        self.ending() == Ending::Unknown
    }

    /// Whether the host as a whole is out of reach, whatever is asked of it.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connection { source, .. } => source.is_connect(),
            Self::DeadlinePassed { .. }
            | Self::Silent { .. }
            | Self::Setup { .. }
            | Self::NoTls { .. }
            | Self::Untrusted { .. }
            | Self::Proxy { .. } => true,
            _ => false,
        }
    }

    /// How long the server asked us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn waiting(retry_after: Option<Duration>) -> String {
    retry_after.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}
