//! A TCP proxy with a distant server's latency: what arrives is passed on later, as much of it at once as there is.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Listens on a free port and passes everything on to `server`, each way `delay` late. Gives its host and port.
pub(crate) async fn delayed(server: &str, delay: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = listener.local_addr().expect("a bound address").to_string();
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&server).await else { continue };
            near.set_nodelay(true).and_then(|()| far.set_nodelay(true)).expect("a socket takes options");
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            pass(near_in, far_out, delay);
            pass(far_in, near_out, delay);
        }
    });
    host
}

/// One direction. Reading goes on while what was read before still waits.
fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let due = Instant::now() + delay;
            if sender.send((due, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((due, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
}
