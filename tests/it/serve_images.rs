//! Serving images: only what was verified, to clients as they are.

mod clients;
mod conditions;
mod nginx;
mod refusals;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use crate::fake::oci::digest;
use crate::world::{Desk, PATIENCE};

const KEY: &str = "ubuntu-noble-plain-rke2-1.31.8";
const SERVICE: &str = "ubuntu-noble-plain-rke2-1-31-8";
const OTHER: &str = "opensuse-15-6-plain-kubeadm-1-31-8";

/// More than all buffers between two processes hold.
const LARGE: usize = 64 << 20;

/// A folder as `pull` leaves it.
struct Folder {
    desk: Desk,
}

/// A server of a folder.
struct Server {
    child: Child,
    address: String,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl Folder {
    fn new() -> Self {
        let folder = Self { desk: Desk::new() };
        for below in ["images/images", "images/blobs/sha256"] {
            std::fs::create_dir_all(folder.desk.path(below)).unwrap();
        }
        folder
    }

    /// Says what is wanted: keys, each with its sha256 and file name.
    fn want(&self, images: &[(&str, &str)]) -> &Self {
        let image = |(key, sha256): &(&str, &str)| {
            let routes = [format!("{}/image.raw", key.replace('.', "-")), format!("{key}.raw")];
            (
                (*key).to_owned(),
                json!({"uri": "oci://registry.example/a:1", "sha256": sha256, "routes": routes}),
            )
        };
        let images: serde_json::Map<_, _> = images.iter().map(image).collect();
        self.replace(
            "images/wanted.json",
            json!({"schema": "dibump.wanted/1", "images": images}).to_string().as_bytes(),
        );
        self
    }

    /// Stores an image under a key, and gives its sha256.
    fn store(&self, key: &str, bytes: &[u8], since: &str) -> String {
        let sha256 = sha256(bytes);
        self.replace(&format!("images/blobs/sha256/{sha256}"), bytes);
        let image = json!({
            "schema": "dibump.image/1", "key": key, "uri": "oci://registry.example/a:1", "manifest": "sha256:1",
            "layer": "sha256:2", "sha256": sha256, "size": bytes.len(), "format": "raw",
            "filename": format!("{key}.raw"), "visible_since": since,
        });
        self.replace(&format!("images/images/{key}.json"), image.to_string().as_bytes());
        sha256
    }

    fn blob(&self, sha256: &str) -> PathBuf {
        self.desk.path(&format!("images/blobs/sha256/{sha256}"))
    }

    fn replace(&self, name: &str, bytes: &[u8]) {
        self.desk.write("new", bytes);
        std::fs::rename(self.desk.path("new"), self.desk.path(name)).unwrap();
    }

    async fn serve(&self, more: &[&str]) -> Server {
        let arguments = [&["serve-images", "images", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = self.desk.spawn(&arguments);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("it says where it serves");
            if let Some((_, address)) = line.rsplit_once("://") {
                break address.to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server { child, address }
    }
}

impl Server {
    /// Sends bytes as they are and reads one answer; `HEAD` has no body.
    async fn raw(&self, request: &str) -> Answered {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream, request.starts_with("HEAD")).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> Answered {
        self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")).await
    }

    async fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, "").await
    }

    /// Asks until the status is this one: the folder is looked at from time to time.
    async fn until(&self, path: &str, status: u16) {
        let reached = async {
            while self.get(path).await.status != status {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{path} never became {status}"));
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it lives").to_string();
        assert!(
            std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success()
        );
    }
}

/// Reads one answer from a connection.
async fn answer(stream: &mut TcpStream, is_head: bool) -> Answered {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap();
    let mut answered = Answered { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
    let length: usize = answered.header("content-length").map_or(0, |length| length.parse().unwrap());
    if !is_head && answered.status != 304 {
        answered.body.resize(length, 0);
        stream.read_exact(&mut answered.body).await.unwrap();
    }
    answered
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_image_has_a_path_of_each_form_and_a_checksum() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    assert_eq!(format!("sha256:{hex}"), digest(&bytes));
    folder.want(&[(KEY, &hex)]);
    let server = folder.serve(&[]).await;
    for path in [format!("/{SERVICE}/image.raw"), format!("/{KEY}.raw"), format!("http://h/{KEY}.raw?x=1")] {
        let answered = server.get(&path).await;
        assert_eq!(answered.status, 200, "{path}: {}", answered.head);
        assert!(answered.body == bytes, "{path}");
        for (name, value) in [
            ("content-length", "100000"),
            ("content-type", "application/octet-stream"),
            ("accept-ranges", "bytes"),
            ("etag", &format!("\"sha256:{hex}\"")),
            ("last-modified", "Tue, 05 May 2026 03:02:01 GMT"),
            ("connection", "keep-alive"),
        ] {
            assert_eq!(answered.header(name), Some(value), "{path}: {}", answered.head);
        }
        assert!(answered.header("repr-digest").unwrap().starts_with("sha-256=:"));
        for absent in ["content-encoding", "cache-control", "transfer-encoding"] {
            assert_eq!(answered.header(absent), None, "{}", answered.head);
        }
        let mut of_head = server.ask("HEAD", &path, "").await;
        let undated =
            |head: &str| head.lines().filter(|line| !line.starts_with("date")).collect::<Vec<_>>().join("\n");
        of_head.head = undated(&of_head.head);
        assert_eq!(of_head.head, undated(&answered.head), "HEAD says what GET says");
    }
    let sum = |name: &str| format!("{hex}  {name}\n").into_bytes();
    assert_eq!(server.get(&format!("/{SERVICE}/image.raw.sha256sum")).await.body, sum("image.raw"));
    assert_eq!(server.get(&format!("/{KEY}.raw.sha256sum")).await.body, sum(&format!("{KEY}.raw")));
    for path in [
        "/",
        "/other.raw",
        "/images/",
        "/../wanted.json",
        "/%2e%2e/wanted.json",
        "/wanted.json",
        "/blobs/sha256/x",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let refused = server.ask("POST", &format!("/{KEY}.raw"), "Content-Length: 0\r\n").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    let metrics = String::from_utf8(server.get("/metrics").await.body).unwrap();
    for line in [
        "dibump_images_wanted 1",
        "dibump_images_complete 1",
        "dibump_images_requests_total{code=\"404\"} 7",
        &format!("dibump_images_sent_bytes_total{{key=\"{KEY}\"}} 300000"),
    ] {
        assert!(metrics.contains(line), "{line} is expected: {metrics}");
    }
}

#[tokio::test]
async fn what_is_wanted_and_not_complete_is_asked_for_again_later() {
    let folder = Folder::new();
    let (bytes, new) = (b"an image".as_slice(), b"another image".as_slice());
    folder.want(&[(KEY, &sha256(bytes)), (OTHER, &sha256(new))]);
    let server = folder.serve(&[]).await;
    for path in [
        format!("/{SERVICE}/image.raw"),
        format!("/{KEY}.raw"),
        format!("/{KEY}.raw.sha256sum"),
        format!("/{OTHER}.raw"),
    ] {
        let answered = server.get(&path).await;
        assert_eq!(
            (answered.status, answered.header("retry-after")),
            (503, Some("10")),
            "{path}: {}",
            answered.head
        );
    }
    folder.store(KEY, bytes, "2026-05-05T03:02:01Z");
    server.until(&format!("/{KEY}.raw"), 200).await;
    assert_eq!(server.get(&format!("/{OTHER}.raw")).await.status, 503);
    let wanted: serde_json::Value = serde_json::from_slice(&server.get("/wanted").await.body).unwrap();
    let complete = |key: &str| wanted["images"][key]["complete"].clone();
    assert_eq!((complete(KEY), complete(OTHER)), (json!(true), json!(false)), "{wanted}");

    // Another content is wanted, and a key is not wanted any more.
    folder.want(&[(KEY, &sha256(new))]);
    server.until(&format!("/{OTHER}.raw"), 404).await;
    server.until(&format!("/{KEY}.raw"), 503).await;
    folder.store(KEY, new, "2026-05-05T03:02:02Z");
    server.until(&format!("/{KEY}.raw"), 200).await;
    let answered = server.get(&format!("/{KEY}.raw")).await;
    assert_eq!(
        (answered.body.as_slice(), answered.header("last-modified")),
        (new, Some("Tue, 05 May 2026 03:02:02 GMT"))
    );
}

#[tokio::test]
async fn a_folder_without_a_list_of_what_is_wanted_is_a_wrong_command_line() {
    let ran = Folder::new().desk.dibump(&["serve-images", "images", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    reads!(ran.stderr, @"
    error: images/wanted.json does not exist
    hint: run `dibump pull --into images` first
    ");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_verified_is_not_served() {
    let folder = Folder::new();
    let bytes = vec![7; 100_000];
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let (server, path) = (folder.serve(&[]).await, format!("/{KEY}.raw"));
    assert_eq!(server.get(&path).await.status, 200);
    let file = std::fs::OpenOptions::new().write(true).open(folder.blob(&hex)).unwrap();
    file.set_len(50_000).unwrap();
    assert_eq!(server.get(&path).await.status, 503, "at once");
    std::fs::write(folder.blob(&hex), &bytes).unwrap();
    server.until(&path, 200).await;
    let mut changed = bytes.clone();
    changed[5] = 8;
    std::fs::write(folder.blob(&hex), &changed).unwrap();
    assert_eq!(server.get(&path).await.status, 503, "at once");
    drop(server);

    let hashing = folder.serve(&["--verify-on-start"]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(hashing.get(&path).await.status, 503, "what was changed before is found by hashing");
    std::fs::write(folder.blob(&hex), &bytes).unwrap();
    hashing.until(&path, 200).await;
}

#[tokio::test]
async fn a_replacement_does_not_touch_what_is_under_way_and_a_stop_lets_it_end() {
    let folder = Folder::new();
    let old = vec![1; LARGE];
    let hex = folder.store(KEY, &old, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let mut server = folder.serve(&[]).await;
    let mut slow = TcpStream::connect(&server.address).await.unwrap();
    slow.write_all(format!("GET /{KEY}.raw HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(slow.read_u8().await.unwrap(), b'H');

    let new = folder.store(KEY, b"new", "2026-05-05T03:02:02Z");
    std::fs::remove_file(folder.blob(&hex)).unwrap();
    folder.want(&[(KEY, &new)]);
    server.until(&format!("/{KEY}.raw"), 200).await;

    // A connection that has asked for nothing ends; the one that is under way does not.
    let mut idle = TcpStream::connect(&server.address).await.unwrap();
    server.signal("TERM");
    let mut nothing = Vec::new();
    assert_eq!(idle.read_to_end(&mut nothing).await.unwrap(), 0);
    let refused = async {
        while TcpStream::connect(&server.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("no new connection");
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(&old[..1000]) && rest.len() > LARGE, "{} bytes", rest.len());
    let body = &rest[rest.len() - LARGE..];
    assert_eq!(sha256(body), hex, "the old image, to its end");
    let ended = tokio::time::timeout(PATIENCE, server.child.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn too_many_connections_and_odd_requests_are_answered() {
    let folder = Folder::new();
    let hex = folder.store(KEY, b"image", "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let server = folder.serve(&["--max-connections", "2"]).await;
    let path = format!("/{KEY}.raw");
    // Two requests at once on one connection, and another one later.
    let mut one = TcpStream::connect(&server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    one.write_all(request.repeat(2).as_bytes()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(answer(&mut one, false).await.body, b"image");
    }
    one.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut one, false).await.status, 200);
    let _two = TcpStream::connect(&server.address).await.unwrap();
    server.until("/livez", 503).await;
    drop(one);
    server.until("/livez", 200).await;
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(20_000)), 431),
        (format!("GET {path} HTTP/1.0\r\n\r\n"), 200),
    ] {
        let settled = async {
            loop {
                let answered = server.raw(&request).await;
                // The connection before may not have ended yet.
                if answered.status != 503 {
                    return answered;
                }
            }
        };
        let answered = settled.await;
        assert_eq!(
            (answered.status, answered.header("connection")),
            (status, Some("close")),
            "{request:.40}"
        );
    }
}
