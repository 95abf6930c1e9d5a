//! The certificate of a server of ours. It is read again from time to time, because what renews certificates only
//! replaces their files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Context;
use super::failure::Failure;

/// TLS with the certificate that the files hold.
pub(super) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Current>,
}

struct Current {
    /// The bytes of both files, by which a change is known.
    read: [Vec<u8>; 2],
    acceptor: TlsAcceptor,
}

/// How often the certificate is looked at.
const LOOK: Duration = Duration::from_secs(30);

/// TLS, where files are named.
pub(super) fn open(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<Arc<Tls>>, Failure> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Tls::read(certificate, key).map(|tls| Some(Arc::new(tls))).map_err(Failure::person)
        }
        _ => Ok(None),
    }
}

/// Reads the certificate again from time to time, and with the configuration. What is wrong with it is said once.
pub(super) async fn renew(context: Context, tls: Arc<Tls>, reloading: Arc<Notify>) {
    let mut said = None;
    loop {
        let _ = tokio::time::timeout(LOOK, reloading.notified()).await;
        match tls.reread() {
            Ok(changed) => {
                if changed {
                    context.note("the certificate was read again");
                }
                said = None;
            }
            Err(error) => {
                let error = format!("{error:#}; the old certificate stays");
                if said.as_ref() != Some(&error) {
                    context.warn(&error);
                }
                said = Some(error);
            }
        }
    }
}

impl Tls {
    /// Reads a certificate, with those that lead to its authority, and its key.
    pub(super) fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let current = RwLock::new(Current::of(bytes(certificate, key)?, certificate, key)?);
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), current })
    }

    /// Reads the files again; whether they changed. Where they cannot be used, what was read before stays.
    pub(super) fn reread(&self) -> anyhow::Result<bool> {
        let read = bytes(&self.certificate, &self.key)?;
        if self.current.read().unwrap_or_else(PoisonError::into_inner).read == read {
            return Ok(false);
        }
        let current = Current::of(read, &self.certificate, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(true)
    }

    /// The handshake with a caller.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> std::io::Result<TlsStream<S>> {
        let acceptor = self.current.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone();
        acceptor.accept(stream).await
    }
}

impl Current {
    fn of(read: [Vec<u8>; 2], certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let unusable = |path: &Path| format!("couldn't use {}", path.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read[0]).collect();
        let chain = chain.with_context(|| unusable(certificate))?;
        anyhow::ensure!(!chain.is_empty(), "{}: it holds no certificate in PEM", unusable(certificate));
        let private = match PrivateKeyDer::from_pem_slice(&read[1]) {
            Err(pem::Error::NoItemsFound) => {
                anyhow::bail!("{}: it holds no private key in PEM without a passphrase", unusable(key))
            }
            private => private.with_context(|| unusable(key))?,
        };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private);
        let both = || format!("couldn't use {} with {}", certificate.display(), key.display());
        let config = match config {
            Err(rustls::Error::InconsistentKeys(_)) => {
                anyhow::bail!("{}: the key is not that of the certificate", both())
            }
            config => config.with_context(both)?,
        };
        Ok(Self { read, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

fn bytes(certificate: &Path, key: &Path) -> anyhow::Result<[Vec<u8>; 2]> {
    Ok([crate::disk::read_small(certificate)?, crate::disk::read_small(key)?])
}
