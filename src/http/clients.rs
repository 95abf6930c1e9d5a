//! The clients of reqwest: one for URLs with TLS, one for those without.
//!
//! To read the certificates that a machine trusts costs more than some hundred requests, so it is done for the first URL
//! that needs them.

use std::sync::OnceLock;

use reqwest::{Certificate, Client, ClientBuilder};

use super::{TransportError, TransportSettings};
use crate::ending::sentence;

/// Both clients. Each has a pool of connections of its own.
#[derive(Debug)]
pub(super) struct Clients {
    plain: Client,
    tls: OnceLock<Result<Client, String>>,
    extra: Vec<Certificate>,
}

impl Clients {
    /// Reads the extra certificates; those of the machine are read later.
    pub(super) fn new(settings: &TransportSettings) -> Result<Self, TransportError> {
        let setup = |reason: String| TransportError::Setup { reason };
        let mut extra = Vec::new();
        for pem in &settings.extra_ca {
            let certificates = Certificate::from_pem_bundle(pem).map_err(|error| setup(sentence(&error)))?;
            if certificates.is_empty() {
                return Err(setup("a CA file holds no certificate in PEM form".to_owned()));
            }
            extra.extend(certificates);
        }
        // Certificates that cannot be used are told before the first request.
        let plain = builder(settings).tls_certs_only(extra.iter().cloned()).build();
        let plain = plain.map_err(|error| setup(sentence(&error)))?;
        Ok(Self { plain, tls: OnceLock::new(), extra })
    }

    /// The client for a request: `needs_tls` on the way to the server, or to a proxy before it.
    pub(super) fn get(
        &self,
        settings: &TransportSettings,
        needs_tls: bool,
    ) -> Result<&Client, TransportError> {
        if !needs_tls {
            return Ok(&self.plain);
        }
        let build = || {
            let builder = builder(settings).tls_certs_merge(self.extra.iter().cloned());
            builder.build().map_err(|error| sentence(&error))
        };
        let built = self.tls.get_or_init(build).as_ref();
        built.map_err(|reason| TransportError::Setup { reason: reason.clone() })
    }
}

fn builder(settings: &TransportSettings) -> ClientBuilder {
    let builder = Client::builder()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(settings.per_host)
        .user_agent(&settings.user_agent);
    if settings.proxy_from_environment { builder } else { builder.no_proxy() }
}
