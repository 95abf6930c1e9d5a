//! A server that pulls by itself: a new folder, replacements while machines download, files that are damaged.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;

use super::{Built, KEY, OTHER, Puller, TAG, disk, hex};
use crate::fake::oci::{FakeRegistry, Fault, Gate};
use crate::world::{PATIENCE, PREFIX};

/// More than all buffers between two processes hold.
const LARGE: usize = 24 << 20;

pub(super) struct Server {
    _child: Child,
    pub(super) address: String,
    client: reqwest::Client,
}

impl Server {
    pub(super) async fn start(puller: &Puller, more: &[&str]) -> Self {
        let serve = ["serve-images", "images", "--listen", "127.0.0.1:0"];
        let mut child = puller.desk.spawn(&[&serve[..], more].concat());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("it says where it serves");
            if let Some((_, address)) = line.rsplit_once("serving on http://") {
                break address.to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { _child: child, address, client }
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.client.get(format!("http://{}/{path}", self.address)).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.bytes().await.unwrap().to_vec())
    }

    pub(super) async fn until(&self, path: &str, what: impl Fn(u16, &[u8]) -> bool) {
        let reached = async {
            loop {
                let (status, body) = self.get(path).await;
                if what(status, &body) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{path} never became right"));
    }

    /// Until an image is what was built.
    pub(super) async fn serves(&self, built: &Built) {
        let sha256 = built.sha256();
        self.until(&format!("{}.raw", built.key), |status, body| status == 200 && hex(body) == sha256).await;
    }

    /// The values of metrics whose lines begin like this.
    async fn metric(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.get("metrics").await.1).unwrap();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }
}

fn values(keys: &[&str]) -> String {
    let images: String = keys.iter().map(|key| format!("  {key}: {{enabled: true}}\n")).collect();
    format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images:\n{images}")
}

#[tokio::test]
async fn a_new_folder_is_filled_and_machines_wait_meanwhile() {
    let (registry, manifests, blobs) = (FakeRegistry::start().await, Gate::shut(), Gate::shut());
    let built = Built::new(KEY, disk(1));
    built.push(&registry);
    registry.fault(Fault::held(&manifests).on("/manifests/")).fault(Fault::held(&blobs).on("/blobs/"));
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let without = puller.desk.dibump(&["serve-images", "images", "--pull-every", "1h"]).await;
    assert_eq!(without.exit, Some(2), "{without:#?}");
    let wrong = ["serve-images", "images", "--pull-every", "1h", "--", "--unknown"];
    let wrong = puller.desk.dibump(&wrong).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
    assert!(wrong.stderr.contains("--unknown"), "{wrong:#?}");

    let server = Server::start(&puller, &["--pull-every", "1h", "--", "-f", "values.yaml"]).await;
    let path = format!("{KEY}.raw");
    assert_eq!(server.get(&path).await.0, 503, "it may be wanted");
    assert_eq!(server.get("readyz").await.0, 200);
    manifests.open();
    server.until("wanted", |_, body| String::from_utf8_lossy(body).contains("\"complete\": false")).await;
    assert_eq!((server.get(&path).await.0, server.get("other.raw").await.0), (503, 404));
    blobs.open();
    server.serves(&built).await;
    server
        .until("metrics", |_, body| {
            String::from_utf8_lossy(body).contains("dibump_images_pulls_total{result=\"done\"} 1")
        })
        .await;
    assert!(server.metric("dibump_images_pulled_bytes_total").await >= built.layer.len() as f64);
    assert!(server.metric("dibump_images_pull_seconds_total").await > 0.0);
    assert!(server.metric("dibump_images_last_pull_success_timestamp_seconds").await >= 1_777_950_121.0);
}

#[tokio::test]
async fn a_file_that_is_damaged_is_pulled_again_at_once() {
    let registry = FakeRegistry::start().await;
    let built = Built::new(KEY, disk(1));
    built.push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    assert_eq!(puller.pull(&[]).await.exit, Some(0));
    // As the folder says it was pulled.
    let server = Server::start(&puller, &["--pull-every", "1h"]).await;
    server.serves(&built).await;
    let path = format!("{KEY}.raw");
    for damage in ["cut", "changed"] {
        let file = std::fs::OpenOptions::new().write(true).open(puller.file(&built)).unwrap();
        match damage {
            "cut" => file.set_len(1_000).unwrap(),
            _ => std::os::unix::fs::FileExt::write_all_at(&file, b"x", 5).unwrap(),
        }
        assert_eq!(server.get(&path).await.0, 503, "{damage}");
        server.serves(&built).await;
        assert!(puller.has(&built), "{damage}");
    }
    let blobs = registry.requests().into_iter().filter(|request| request.path.contains("/blobs/")).count();
    assert_eq!(blobs, 3, "once, and once for each damage");
}

#[tokio::test]
async fn a_replacement_under_load_harms_no_download() {
    let registry = FakeRegistry::start().await;
    let (old, new) = (Built::new(KEY, vec![1; LARGE]), Built::new(KEY, disk(2)));
    let new = new.with("filename", Some("renamed.raw"));
    old.push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let pull = ["--pull-every", "1s", "--", "-f", "values.yaml", "--grace", "0s"];
    let server = Server::start(&puller, &pull).await;
    server.serves(&old).await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let request = format!("GET /{KEY}.raw HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
        slow.push(stream);
    }
    let other = Built::new(OTHER, disk(3));
    other.push(&registry);
    new.push(&registry);
    puller.desk.write("values.yaml", values(&[KEY, OTHER]));
    server.serves(&other).await;
    server.until("renamed.raw", |status, body| status == 200 && hex(body) == new.sha256()).await;
    // Once it is not wanted and its time is over, the old one is gone for new requests.
    server.until(&format!("{KEY}.raw"), |status, _| status == 404).await;
    assert!(!puller.file(&old).exists());
    for mut stream in slow {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(hex(&rest[rest.len() - LARGE..]), old.sha256(), "the old image, to its end");
    }
}

#[tokio::test]
async fn what_is_replaced_is_served_under_its_old_name_until_it_goes() {
    let registry = FakeRegistry::start().await;
    let (old, new) = (Built::new(KEY, disk(1)), Built::new(KEY, disk(2)));
    old.push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    assert_eq!(puller.pull(&[]).await.exit, Some(0));
    let server = Server::start(&puller, &[]).await;
    new.clone().with("filename", Some("renamed.raw")).push(&registry);
    assert_eq!(puller.pull(&[]).await.exit, Some(0));
    server.until("renamed.raw", |status, body| status == 200 && hex(body) == new.sha256()).await;
    server.serves(&old).await;
    let (_, by_service) = server.get(&format!("{KEY}/image.raw")).await;
    assert_eq!(hex(&by_service), new.sha256(), "under a name of both it is the new one");
}
