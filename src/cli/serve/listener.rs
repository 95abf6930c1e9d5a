//! Who may connect, for how long, and how many at once. A caller is a stranger until its token was seen.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::cli::tls::Tls;

/// How long a caller has for its request and for taking the answer. One connection serves one request, so that none idles.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many callers are served at once at most. One more takes the place of the one who is there longest.
const MOST_CALLERS: u64 = 64;
/// A request takes milliseconds: who is there for longer than this while others wait is idle, or slow on purpose.
const TURN: Duration = Duration::from_secs(1);
/// Callers get this part of the descriptors that the process may have: the rest is for the run.
const SHARE_OF_DESCRIPTORS: u64 = 4;
/// How long a listener rests that cannot accept, as where no descriptor is left.
const REST: Duration = Duration::from_millis(500);

/// Where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum ListenAddress {
    /// An address of the network.
    Network(SocketAddr),
    /// A Unix socket.
    #[cfg(unix)]
    Socket(PathBuf),
}

/// Something that accepts callers.
pub(super) enum Listener {
    Network(TcpListener),
    #[cfg(unix)]
    Socket(Socket),
}

/// A Unix socket, which is removed in the end.
#[cfg(unix)]
pub(super) struct Socket {
    listener: tokio::net::UnixListener,
    path: PathBuf,
}

/// Text that names no place to listen at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an address with a port, as 127.0.0.1:8080, or unix:PATH")]
pub(in crate::cli) struct InvalidPlace;

impl FromStr for ListenAddress {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        match text.strip_prefix("unix:") {
            #[cfg(unix)]
            Some(path) if !path.is_empty() => Ok(Self::Socket(PathBuf::from(path))),
            _ => text.parse().map(Self::Network).map_err(|_| InvalidPlace),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(address) => address.fmt(f),
            #[cfg(unix)]
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listener {
    /// Listens at a place.
    pub(super) async fn bind(place: &ListenAddress) -> std::io::Result<Self> {
        match place {
            ListenAddress::Network(address) => TcpListener::bind(address).await.map(Self::Network),
            #[cfg(unix)]
            ListenAddress::Socket(path) => Socket::bind(path).await.map(Self::Socket),
        }
    }

    /// The place as callers reach it: a port that was left to the system is known by now.
    pub(super) fn place(&self) -> std::io::Result<ListenAddress> {
        match self {
            Self::Network(listener) => listener.local_addr().map(ListenAddress::Network),
            #[cfg(unix)]
            Self::Socket(socket) => Ok(ListenAddress::Socket(socket.path.clone())),
        }
    }

    /// Serves callers until it is dropped.
    pub(super) async fn serve(self, router: Router, tls: Option<Arc<Tls>>) {
        let seats = seats();
        let mut callers: VecDeque<(Instant, JoinHandle<_>)> = VecDeque::new();
        loop {
            let stream = match self.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::debug!(%error, "couldn't accept a connection");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            };
            callers.retain(|(_, caller)| !caller.is_finished());
            if callers.len() == seats
                && let Some((since, mut longest)) = callers.pop_front()
            {
                let _ = tokio::time::timeout_at(since + TURN, &mut longest).await;
                longest.abort();
            }
            let answer = tokio::time::timeout(PATIENCE, answer(stream, router.clone(), tls.clone()));
            callers.push_back((Instant::now(), tokio::spawn(answer)));
        }
    }

    async fn accept(&self) -> std::io::Result<Box<dyn Stream>> {
        match self {
            Self::Network(listener) => Ok(Box::new(listener.accept().await?.0)),
            #[cfg(unix)]
            Self::Socket(socket) => Ok(Box::new(socket.listener.accept().await?.0)),
        }
    }
}

/// A connection, whatever it runs over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Answers one request.
async fn answer(stream: Box<dyn Stream>, router: Router, tls: Option<Arc<Tls>>) {
    let stream: Box<dyn Stream> = match tls {
        None => stream,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(error) => return tracing::debug!(%error, "a TLS handshake failed"),
        },
    };
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
    let served = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a request was not answered");
    }
}

/// So many callers that the run has descriptors left, whatever the limit of the process is.
fn seats() -> usize {
    let most =
        descriptors().map_or(MOST_CALLERS, |limit| (limit / SHARE_OF_DESCRIPTORS).clamp(1, MOST_CALLERS));
    usize::try_from(most).unwrap_or(1)
}

#[cfg(unix)]
fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

#[cfg(unix)]
impl Socket {
    /// Listens. A socket that a killed daemon left is taken over; one that somebody listens at is not.
    async fn bind(path: &Path) -> std::io::Result<Self> {
        let in_use = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
        let listener = match tokio::net::UnixListener::bind(path) {
            Err(error) if in_use(&error) && is_left_over(path).await => {
                crate::disk::remove(path)?;
                tokio::net::UnixListener::bind(path)?
            }
            bound => bound?,
        };
        Ok(Self { listener, path: path.to_owned() })
    }
}

/// Whether a socket is there and the system knows that nothing listens at it.
#[cfg(unix)]
async fn is_left_over(path: &Path) -> bool {
    let connected = tokio::net::UnixStream::connect(path).await;
    connected.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = crate::disk::remove(&self.path) {
            tracing::debug!(%error, "couldn't remove the socket");
        }
    }
}
