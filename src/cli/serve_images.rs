//! `dibump serve-images`: the images of a folder, for machines that boot from them.
//!
//! The loop is our own, because no kept server hands out the socket that the system could send a file to.

mod answer;
mod body;
mod caller;
mod head;
mod metrics;
mod puller;
mod shelf;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, watch};

use super::args::images::ServeImagesArgs as Args;
use super::exit::Exit;
use super::failure::Failure;
use super::session::{interrupted, runtime};
use super::{Context, tls};
use crate::disk::images::DiskImages;
use crate::image_store::index::WANTED;
use crate::image_store::offer::ImageOffer;
use caller::ImageServer;
use metrics::Metrics;
use puller::Puller;
use shelf::Shelf;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long a server rests that cannot accept, as where no descriptor is left.
const REST: Duration = Duration::from_millis(500);

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(until_stopped(context, args));
    runtime.shutdown_background();
    ended.map(|()| Exit::Done)
}

async fn until_stopped(context: &Context, args: &Args) -> Result<(), Failure> {
    let shelf = Arc::new(opened(context, args)?);
    let metrics = Arc::new(Metrics::new());
    let puller = Puller::new(context, args, &shelf, &metrics)?;
    let tls = tls::open(args.tls_cert.as_deref(), args.tls_key.as_deref())?;
    let reloading = reloading()?;
    let cannot_listen = |error: std::io::Error| {
        Failure::person(anyhow::Error::from(error).context(format!("couldn't listen on {}", args.listen)))
            .hint("name another address with --listen")
    };
    let listener = listening(args.listen).await.map_err(cannot_listen)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    context.note(&format!("serving on {scheme}://{}", listener.local_addr().map_err(cannot_listen)?));
    if let Some(tls) = &tls {
        tokio::spawn(tls::renew(context.clone(), Arc::clone(tls), reloading));
    }
    tokio::spawn(watched(context.clone(), Arc::clone(&shelf), puller.clone()));
    if let Some(puller) = puller {
        tokio::spawn(puller.repeat());
    }
    let (stop, stopping) = watch::channel(false);
    let server = Arc::new(ImageServer { shelf, metrics, tls, stopping });
    let most = args.max_connections;
    let seats = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS)));
    tokio::select! {
        () = accepting(&listener, &server, &seats) => {}
        _ = interrupted() => {}
    }
    drop(listener);
    context.note("stopping; downloads that are under way go on");
    let _ = stop.send(true);
    tokio::select! {
        // All seats are free once every connection has ended.
        _ = seats.acquire_many(most) => {}
        () = tokio::time::sleep(args.grace) => {}
        _ = interrupted() => {}
    }
    Ok(())
}

/// Told by SIGHUP, which has the certificate read again at once. It ends nothing.
#[cfg(unix)]
fn reloading() -> Result<Arc<Notify>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut hang_up, told) =
        (signal(SignalKind::hangup()).map_err(Failure::person)?, Arc::new(Notify::new()));
    let reloading = Arc::clone(&told);
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            told.notify_one();
        }
    });
    Ok(reloading)
}

/// Without such a signal the certificate is read again from time to time.
#[cfg(not(unix))]
fn reloading() -> Result<Arc<Notify>, Failure> {
    Ok(Arc::new(Notify::new()))
}

/// The socket. Where there is no IPv6, any address is any address of IPv4.
async fn listening(address: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && is_without_ipv6(&error) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    }
}

#[cfg(unix)]
fn is_without_ipv6(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(not(unix))]
fn is_without_ipv6(_: &std::io::Error) -> bool {
    false
}

/// The folder, read once.
fn opened(context: &Context, args: &Args) -> Result<Shelf, Failure> {
    let unreadable = |error: std::io::Error| Failure::of_folder("read", &args.folder, error);
    // The first pull fills a new folder.
    let has_pull = !args.pull_arguments.is_empty();
    let folder = match has_pull {
        true => DiskImages::open(&args.folder).map_err(unreadable)?,
        false => DiskImages::at(&args.folder),
    };
    let shelf = Shelf::new(Arc::new(folder), args.verify_on_start);
    if !has_pull && shelf.wanted().map_err(unreadable)?.is_none() {
        let path = args.folder.join(WANTED);
        return Err(Failure::usage(format!("{} does not exist", path.display()))
            .hint(format!("run `dibump pull --into {}` first", args.folder.display())));
    }
    if let Some(offer) = shelf.reread().map_err(unreadable)? {
        tell(context, &offer);
    }
    Ok(shelf)
}

async fn accepting(listener: &TcpListener, server: &Arc<ImageServer>, seats: &Arc<Semaphore>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "couldn't accept a connection");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let server = Arc::clone(server);
        let seat = Arc::clone(seats).try_acquire_owned();
        tokio::spawn(async move {
            let served = match seat {
                Ok(_seat) => {
                    server.metrics.connections.inc();
                    let served = server.serve(stream).await;
                    server.metrics.connections.dec();
                    served
                }
                Err(_) => ImageServer::refuse(stream, &server.metrics).await,
            };
            if let Err(error) = served {
                tracing::debug!(%error, "a connection was lost");
            }
        });
    }
}

/// Looks at the folder for ever.
async fn watched(context: Context, shelf: Arc<Shelf>, puller: Option<Arc<Puller>>) {
    loop {
        let looking = Arc::clone(&shelf);
        let looked = tokio::task::spawn_blocking(move || {
            let wrong = looking.hash_unknown()?;
            looking.reread().map(|offer| (wrong, offer))
        });
        match looked.await {
            Ok(Ok((wrong, offer))) => {
                if let Some(puller) = puller.as_ref().filter(|_| !wrong.is_empty()) {
                    puller.wake();
                }
                let then = if puller.is_some() { ", and is pulled again" } else { "" };
                for sha256 in wrong {
                    context.warn(&format!(
                        "blobs/sha256/{sha256} is not the image of this name; it is not served{then}"
                    ));
                }
                if let Some(offer) = offer {
                    tell(&context, &offer);
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "the folder of images cannot be read"),
            Err(error) => tracing::warn!(%error, "the folder of images was not read"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Says what is complete, and what is not.
fn tell(context: &Context, offer: &ImageOffer) {
    let missing: Vec<&str> =
        offer.wanted.iter().filter(|(_, complete)| !**complete).map(|(key, _)| key.as_str()).collect();
    let complete = offer.wanted.len() - missing.len();
    let rest = match missing.as_slice() {
        [] => String::new(),
        missing => format!("; missing: {}", missing.join(", ")),
    };
    context.note(&format!("{complete} of {} wanted images are complete{rest}", offer.wanted.len()));
}
