//! The bytes of an image on their way to a machine: by the system itself (sendfile), or through TLS.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read as _, Result};
use std::sync::Arc;
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

/// How long a client may take none of what is sent.
const STALLED: Duration = Duration::from_secs(60);

/// The system sends at most so much at once, so that one cold file does not hold up the others.
const SENT_AT_ONCE: usize = 1 << 20;

/// So much is read at once where TLS needs the bytes.
const READ_AT_ONCE: usize = 256 << 10;

/// A connection, with TLS or without.
pub(super) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Receives what there is; 0 at the end.
    pub(super) async fn receive(&mut self, room: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(room).await,
            Self::Tls(stream) => stream.read(room).await,
        }
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        within(async {
            match self {
                Self::Plain(stream) => stream.write_all(bytes).await,
                Self::Tls(stream) => {
                    stream.write_all(bytes).await?;
                    stream.flush().await
                }
            }
        })
        .await
    }

    /// Sends a part of a file, and tells of all that was sent.
    pub(super) async fn send_file(
        &mut self,
        file: File,
        from: u64,
        length: u64,
        sent: impl Fn(u64),
    ) -> Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Plain(stream) => by_system(stream, &file, from, length, sent).await,
            #[cfg(not(target_os = "linux"))]
            Self::Plain(_) => self.copied(file, from, length, sent).await,
            Self::Tls(_) => self.copied(file, from, length, sent).await,
        }
    }

    async fn copied(&mut self, file: File, from: u64, length: u64, sent: impl Fn(u64)) -> Result<()> {
        let (file, mut at, end) = (Arc::new(file), from, from + length);
        let mut chunk = Vec::new();
        while at < end {
            let (source, most) = (Arc::clone(&file), usize::try_from(end - at).unwrap_or(usize::MAX));
            let reading = move || {
                chunk.resize(most.min(READ_AT_ONCE), 0);
                let read = read_at(&source, &mut chunk, at)?;
                chunk.truncate(read);
                Ok::<_, Error>(chunk)
            };
            chunk = tokio::task::spawn_blocking(reading).await.map_err(Error::other)??;
            if chunk.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.send(&chunk).await?;
            at += chunk.len() as u64;
            sent(chunk.len() as u64);
        }
        Ok(())
    }

    /// Sends what a file is decompressed to, which has so many bytes.
    pub(super) async fn send_inflated(&mut self, file: File, length: u64, sent: impl Fn(u64)) -> Result<()> {
        let mut image = MultiGzDecoder::new(BufReader::with_capacity(READ_AT_ONCE, file)).take(length);
        let mut left = length;
        while left > 0 {
            let reading = move || {
                let mut chunk = Vec::with_capacity(READ_AT_ONCE);
                (&mut image).take(READ_AT_ONCE as u64).read_to_end(&mut chunk)?;
                Ok::<_, Error>((image, chunk))
            };
            let (decoder, chunk) = tokio::task::spawn_blocking(reading).await.map_err(Error::other)??;
            image = decoder;
            if chunk.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.send(&chunk).await?;
            left -= chunk.len() as u64;
            sent(chunk.len() as u64);
        }
        Ok(())
    }

    /// Ends the connection in order.
    pub(super) async fn close(&mut self) -> Result<()> {
        within(async {
            match self {
                Self::Plain(stream) => stream.shutdown().await,
                Self::Tls(stream) => stream.shutdown().await,
            }
        })
        .await
    }
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(STALLED, work).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// Lets the system send the file: its bytes never come here.
#[cfg(target_os = "linux")]
async fn by_system(
    stream: &TcpStream,
    file: &File,
    from: u64,
    length: u64,
    sent: impl Fn(u64),
) -> Result<()> {
    use tokio::io::Interest;

    let (mut at, end) = (from, from + length);
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(SENT_AT_ONCE);
        let sending = stream
            .async_io(Interest::WRITABLE, || Ok(rustix::fs::sendfile(stream, file, Some(&mut at), most)?));
        match within(sending).await? {
            // The file has become shorter.
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            bytes => sent(bytes as u64),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn read_at(file: &File, room: &mut [u8], at: u64) -> Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, room, at)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, room: &mut [u8], at: u64) -> Result<usize> {
    use std::io::{Read as _, Seek as _};
    file.seek(std::io::SeekFrom::Start(at))?;
    file.read(room)
}
