//! What a failed handshake says of the server, which a retry does not change.

use std::error::Error;

use rustls::{CertificateError, Error as TlsError, InvalidMessage};
use url::Url;

use super::TransportError;

/// How a certificate that nobody signed becomes trusted.
const TRUST: &str = "trust its certificate authority with --ca-file FILE, or `network.ca_files`";

/// What to make in place of a certificate authority that is its own server.
const MAKE: &str = "make a certificate for the server, for example `openssl req -x509 … -addext basicConstraints=critical,CA:FALSE \
     -addext subjectAltName=DNS:HOST`, and give it with --ca-file FILE or `network.ca_files`";

/// The error of a handshake with the server of `url`, where trying again is of no use.
pub(super) fn failure(error: &reqwest::Error, url: &Url) -> Option<TransportError> {
    let host = || match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    match cause(error)? {
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some(TransportError::NoTls { host: host() })
        }
        TlsError::InvalidCertificate(error) => {
            let (reason, remedy) = certificate(error);
            Some(TransportError::Untrusted { host: host(), reason, remedy })
        }
        _ => None,
    }
}

/// Why a server cannot be spoken to over TLS, where trying again is of no use; `None` for any other error.
pub fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    match cause(error)? {
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Some("it answers plain HTTP, not TLS".to_owned())
        }
        TlsError::InvalidCertificate(error) => Some(certificate(error).0),
        _ => None,
    }
}

/// What is wrong with a certificate, and what to do.
fn certificate(error: &CertificateError) -> (String, &'static str) {
    match error {
        CertificateError::UnknownIssuer => ("no trusted certificate authority signed it".to_owned(), TRUST),
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("the authority of this name that is trusted here did not sign it".to_owned(), TRUST)
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            "it belongs to a certificate authority (CA:TRUE), and cannot be used by a server".to_owned(),
            MAKE,
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            error.to_string(),
            "use a name that the certificate has (subjectAltName), or have it made for this one",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("it has expired".to_owned(), "have it renewed, and check the clock of this machine")
        }
        other => (other.to_string(), TRUST),
    }
}

/// The error of TLS among the causes. An I/O error hides the one that it was made of.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}
