//! A proxy in front of a registry that spoils the answers for blobs: it cuts, flips, lies, redirects and stops. Everything
//! else goes through as it is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What happens to the answer of one request for a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoil {
    /// Nothing.
    Nothing,
    /// The connection is lost after so many bytes of the body.
    Cut(usize),
    /// The byte at this place of the body has other bits.
    Flip(usize),
    /// So many bytes come, and the length says that these are all.
    Short(usize),
    /// Bytes are added, and the length counts them.
    Longer(usize),
    /// After so many bytes nothing comes any more; [`SpoilingProxy::stopped`] tells.
    Stop(usize),
    /// This status, without a body.
    Status(u16),
    /// To a signed address on another port, which is good for one request.
    Redirect,
    /// Whatever was asked for, the whole blob.
    Whole,
    /// Under another `ETag`.
    OtherTag,
}

/// A request for a blob as it arrived.
#[derive(Debug, Clone, Default)]
pub struct BlobRequest {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub authorization: Option<String>,
    /// Whether it came to the signed address.
    pub is_signed: bool,
}

#[derive(Debug, Default)]
struct State {
    spoils: VecDeque<Spoil>,
    blobs: Vec<BlobRequest>,
    /// All requests, blobs included.
    requests: usize,
    /// Signed addresses that are still good, with the blob's path.
    signed: Vec<(String, String)>,
}

/// The proxy; it ends when it is dropped.
pub struct SpoilingProxy {
    /// Host and port.
    pub host: String,
    state: Arc<Mutex<State>>,
    stopped: Arc<Notify>,
    servers: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Clone)]
struct Way {
    upstream: String,
    /// Where signed addresses lead.
    storage: String,
    state: Arc<Mutex<State>>,
    stopped: Arc<Notify>,
}

impl SpoilingProxy {
    /// Starts in front of a registry.
    pub async fn start(upstream: &str) -> Self {
        let (door, storage) = (bound().await, bound().await);
        let address = |listener: &TcpListener| listener.local_addr().expect("it is bound").to_string();
        let (host, storage_host) = (address(&door), address(&storage));
        let (state, stopped): (Arc<Mutex<State>>, Arc<Notify>) = Default::default();
        let way = Way {
            upstream: upstream.to_owned(),
            storage: storage_host,
            state: Arc::clone(&state),
            stopped: Arc::clone(&stopped),
        };
        let servers =
            vec![tokio::spawn(serve(door, way.clone(), false)), tokio::spawn(serve(storage, way, true))];
        Self { host, state, stopped, servers }
    }

    /// The prefix of a producer behind it.
    pub fn prefix(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.host)
    }

    /// What happens to the next answers for blobs, one each; after them nothing happens.
    pub fn spoil(&self, spoils: impl IntoIterator<Item = Spoil>) {
        self.lock().spoils = spoils.into_iter().collect();
    }

    /// The requests for blobs so far, which are forgotten.
    pub fn blobs(&self) -> Vec<BlobRequest> {
        std::mem::take(&mut self.lock().blobs)
    }

    /// How many requests came since this was asked last.
    pub fn requests(&self) -> usize {
        std::mem::take(&mut self.lock().requests)
    }

    /// Waits until an answer was stopped.
    pub async fn stopped(&self) {
        self.stopped.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics here")
    }
}

impl Drop for SpoilingProxy {
    fn drop(&mut self) {
        self.servers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback")
}

async fn serve(listener: TcpListener, way: Way, is_storage: bool) {
    while let Ok((client, _)) = listener.accept().await {
        let way = way.clone();
        tokio::spawn(async move {
            // A client that goes away is its own matter.
            let _ = way.answer(client, is_storage).await;
        });
    }
}

impl Way {
    async fn answer(&self, mut client: TcpStream, is_storage: bool) -> std::io::Result<()> {
        let Some(head) = head(&mut client).await? else { return Ok(()) };
        let asked = asked(&head, is_storage);
        self.lock().requests += 1;
        if !asked.path.contains("/blobs/") && !is_storage {
            let (head, body) = self.upstream(&head).await?;
            client.write_all(head.as_bytes()).await?;
            return client.write_all(&body).await;
        }
        let Some(path) = self.path_of(&asked, is_storage) else {
            let answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return client.write_all(answer).await;
        };
        let spoil = {
            let mut state = self.lock();
            state.blobs.push(asked.clone());
            // The answer of the storage is spoiled, and not what leads there.
            state.spoils.pop_front().unwrap_or(Spoil::Nothing)
        };
        let request = head.replacen(&asked.path, &path, 1);
        match spoil {
            Spoil::Redirect => {
                let signed = {
                    let mut state = self.lock();
                    let signed = format!("/signed/{}", state.blobs.len());
                    state.signed.push((signed.clone(), path));
                    signed
                };
                let answer = format!(
                    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{}{signed}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                    self.storage
                );
                client.write_all(answer.as_bytes()).await
            }
            Spoil::Status(status) => {
                let answer =
                    format!("HTTP/1.1 {status} Spoiled\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                client.write_all(answer.as_bytes()).await
            }
            Spoil::Whole => {
                let whole: String = request
                    .split_inclusive("\r\n")
                    .filter(|line| !line.to_lowercase().starts_with("range:"))
                    .collect();
                self.spoiled(&mut client, &whole, Spoil::Nothing).await
            }
            spoil => self.spoiled(&mut client, &request, spoil).await,
        }
    }

    /// The path of the blob; none for a signed address that was used.
    fn path_of(&self, asked: &BlobRequest, is_storage: bool) -> Option<String> {
        if !is_storage {
            return Some(asked.path.clone());
        }
        let signed = &mut self.lock().signed;
        let known = signed.iter().position(|(signed, _)| *signed == asked.path)?;
        Some(signed.remove(known).1)
    }

    async fn spoiled(&self, client: &mut TcpStream, request: &str, spoil: Spoil) -> std::io::Result<()> {
        let (mut head, mut body) = self.upstream(request).await?;
        let announced = body.len();
        let (mut sent, mut length) = (body.len(), announced);
        match spoil {
            Spoil::Cut(at) | Spoil::Stop(at) => sent = at.min(body.len()),
            Spoil::Short(at) => {
                sent = at.min(body.len());
                length = sent;
            }
            Spoil::Longer(more) => {
                body.resize(announced + more, 7);
                (sent, length) = (body.len(), body.len());
            }
            Spoil::Flip(at) => {
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= 0x10;
                }
            }
            Spoil::OtherTag => head = head.replace("\"sha256:", "\"sha257:"),
            _ => {}
        }
        let old = format!("{announced}\r\n");
        head = head
            .split_inclusive("\r\n")
            .map(|line| match line.to_lowercase().starts_with("content-length:") {
                true => line.replace(&old, &format!("{length}\r\n")),
                false => line.to_owned(),
            })
            .collect();
        client.write_all(head.as_bytes()).await?;
        client.write_all(&body[..sent]).await?;
        client.flush().await?;
        if let Spoil::Stop(_) = spoil {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    /// The registry's answer: its head with the empty line, and its body.
    async fn upstream(&self, head: &str) -> std::io::Result<(String, Vec<u8>)> {
        let mut server = TcpStream::connect(&self.upstream).await?;
        let without: String = head
            .split_inclusive("\r\n")
            .filter(|line| !line.to_lowercase().starts_with("connection:") && *line != "\r\n")
            .collect();
        server.write_all(format!("{without}connection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        let body = answer.split_off(end);
        Ok((String::from_utf8(answer).expect("a head is text"), body))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics here")
    }
}

/// The head of a request, with the empty line; none where the client went away.
async fn head(client: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(String::from_utf8(head).expect("a head is text")))
}

fn asked(head: &str, is_signed: bool) -> BlobRequest {
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    BlobRequest {
        path: head.split(' ').nth(1).expect("a request line").to_owned(),
        range: header("range"),
        if_range: header("if-range"),
        authorization: header("authorization"),
        is_signed,
    }
}
