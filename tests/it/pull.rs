//! Pulling images: what is in the folder afterwards is what was built, whatever happens on the way.

mod boots;
mod faults;
mod formats;
mod hostile;
mod ironic;
mod own;
mod packed;
mod real_machines;
mod serving;
mod spool;
mod sylva_core;
mod trust;
mod unwanted;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::bare_metal::described;
use crate::fake::docker_registry::{DockerRegistry, Push};
use crate::fake::oci::{FakeRegistry, Image, OCI_MANIFEST, digest};
use crate::fake::spoiling_proxy::{Spoil, SpoilingProxy};
use crate::said::about;
use crate::world::{Desk, NETWORK, PREFIX, Ran, ended};

const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";
const OTHER: &str = "opensuse-15-6-plain-kubeadm-1-31-8";
const TAG: &str = "0.4.12";
const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// An image as it was built, and the layer that it is in.
#[derive(Clone)]
struct Built {
    key: &'static str,
    image: Vec<u8>,
    layer: Vec<u8>,
    media_type: &'static str,
    annotations: BTreeMap<String, String>,
}

impl Built {
    /// As diskimage-builder publishes an image: compressed, in an archive.
    fn new(key: &'static str, image: Vec<u8>) -> Self {
        let name = format!("{key}.raw.gz");
        let layer = gzip(&archive(&[entry(&name, &gzip(&image))]));
        Self::of(key, image, layer, FLUX)
    }

    fn of(key: &'static str, image: Vec<u8>, layer: Vec<u8>, media_type: &'static str) -> Self {
        let attributes = match key {
            OTHER => ["opensuse", "15.6", "plain", "kubeadm", "1.31.8"],
            _ => ["ubuntu", "noble", "plain", "rke2", "1.31.8+rke2r1"],
        };
        let Image { annotations, .. } = described(key, attributes)
            .with("sylvaproject.org/diskimage/commit-tag", TAG)
            .with("sylvaproject.org/diskimage/sha256", &hex(&image))
            .with("sylvaproject.org/diskimage/size", &image.len().to_string())
            .with("org.opencontainers.image.created", "2026-05-04T03:02:01Z");
        Self { key, image, layer, media_type, annotations }
    }

    fn with(mut self, annotation: &str, value: Option<&str>) -> Self {
        let name = format!("sylvaproject.org/diskimage/{annotation}");
        match value {
            Some(value) => drop(self.annotations.insert(name, value.to_owned())),
            None => drop(self.annotations.remove(&name)),
        }
        self
    }

    fn sha256(&self) -> String {
        hex(&self.image)
    }

    /// Pushes it, and gives the digest of its manifest.
    fn push(&self, registry: &FakeRegistry) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": digest(b"{}"), "size": 2},
            "layers": [{"mediaType": self.media_type, "digest": digest(&self.layer), "size": self.layer.len()}],
            "annotations": self.annotations,
        });
        registry.blob(self.layer.clone());
        registry.push(&format!("{PREFIX}/{}", self.key), TAG, manifest.to_string(), OCI_MANIFEST)
    }

    async fn push_to_docker(&self, registry: &DockerRegistry) {
        let repository = format!("{PREFIX}/{}", self.key);
        let push = Push { repository, tag: TAG.to_owned(), annotations: self.annotations.clone() };
        registry.push_layer(&push, self.layer.clone(), self.media_type).await;
    }
}

/// A deployment that enables images of a registry, and a folder for them.
struct Puller {
    desk: Desk,
}

impl Puller {
    fn new(prefix: &str, keys: &[&str]) -> Self {
        let desk = Desk::new();
        let images: String = keys.iter().map(|key| format!("  {key}: {{enabled: true}}\n")).collect();
        desk.write(
            "values.yaml",
            format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images:\n{images}"),
        );
        let producer = format!("- {{registry: '{prefix}', plain_http: true, discovery: [catalog]}}");
        desk.write("dibump.yaml", format!("version: 1\nproducers:\n{producer}\ntargets: []\n{NETWORK}"));
        Self { desk }
    }

    /// The arguments of the command.
    fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["pull", "--into", "images", "-f", "values.yaml"], more].concat()
    }

    async fn pull(&self, more: &[&str]) -> Ran {
        self.desk.dibump(&Self::arguments(more)).await
    }

    fn file(&self, built: &Built) -> PathBuf {
        self.desk.path(&format!("images/blobs/sha256/{}", built.sha256()))
    }

    fn index(&self, key: &str) -> Option<Value> {
        let bytes = std::fs::read(self.desk.path(&format!("images/images/{key}.json"))).ok()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// What is visible in the folder of images. Each has the name of its content, or the test fails.
    fn visible(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.desk.path("images/blobs/sha256")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap()).map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            // One that is stored as it is compressed is known by what it is decompressed to.
            let (sha256, image) = match name.strip_suffix(".gz") {
                Some(sha256) => (sha256.to_owned(), gunzip(&bytes)),
                None => (name, bytes),
            };
            assert_eq!(hex(&image), sha256, "a wrong file is visible");
            sha256
        });
        names.collect()
    }

    fn has(&self, built: &Built) -> bool {
        self.visible().contains(&built.sha256()) && self.index(built.key).is_some()
    }
}

fn hex(bytes: &[u8]) -> String {
    digest(bytes).replace("sha256:", "")
}

/// Bytes that do not compress: the same in every run, and others for each seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A disk: a boot sector, a hole, something in the middle, and a hole at the end.
fn disk(seed: u64) -> Vec<u8> {
    let zeros = |length: usize| vec![0; length];
    [noise(3_000, seed), zeros(400_000), noise(20_000, seed + 1), zeros(300_000)].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut image = Vec::new();
    flate2::bufread::MultiGzDecoder::new(bytes).read_to_end(&mut image).unwrap();
    image
}

/// An entry of an archive: its header, changed by a test, and its content.
struct Entry {
    header: tar::Header,
    content: Vec<u8>,
}

fn entry(name: &str, content: &[u8]) -> Entry {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    Entry { header, content: content.to_vec() }
}

impl Entry {
    fn but(mut self, change: impl FnOnce(&mut tar::Header)) -> Self {
        change(&mut self.header);
        self
    }
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    for Entry { header, content } in entries {
        let mut header = header.clone();
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize((archive.len() + 1024).next_multiple_of(10_240), 0);
    archive
}

#[tokio::test]
async fn an_image_is_what_was_built_with_holes_for_its_zeros() {
    let registry = DockerRegistry::start().await;
    let proxy = SpoilingProxy::start(&registry.host).await;
    let built = Built::new(KEY, disk(1));
    built.push_to_docker(&registry).await;
    let puller = Puller::new(&proxy.prefix(PREFIX), &[KEY]);
    let ran = puller.pull(&[]).await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (Some(0), "ubuntu-noble-plain-rke2-1-31-8: stored, 706.1 KiB\n"),
        "{ran:#?}"
    );
    assert!(std::fs::read(puller.file(&built)).unwrap() == built.image);
    let metadata = std::fs::metadata(puller.file(&built)).unwrap();
    assert!(metadata.blocks() * 512 < 100_000, "{} bytes are stored", metadata.blocks() * 512);
    let index = puller.index(KEY).unwrap();
    for (field, value) in [
        ("schema", "dibump.image/1"),
        ("key", KEY),
        ("uri", &format!("oci://{}/{PREFIX}/{KEY}:{TAG}", proxy.host)),
        ("layer", &digest(&built.layer)),
        ("sha256", &built.sha256()),
        ("format", "raw"),
        ("filename", &format!("{KEY}.raw")),
        ("created", "2026-05-04T03:02:01Z"),
    ] {
        assert_eq!(index[field], value, "{field} of {index:#}");
    }
    assert_eq!(index["size"], built.image.len());
    assert!(index["visible_since"].as_str().unwrap() >= "2026-05-05T03:02:01Z", "{index:#}");
    let wanted: Value = serde_json::from_slice(&puller.desk.read("images/wanted.json")).unwrap();
    let routes = json!([format!("{KEY}/image.raw"), format!("{KEY}.raw")]);
    assert_eq!(wanted["images"][KEY]["routes"], routes);
    proxy.requests();
    proxy.blobs();
    let again = puller.pull(&["--format", "json"]).await;
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(report["images"][0]["result"], "present", "{again:#?}");
    assert_eq!((proxy.requests(), proxy.blobs().len()), (1, 0), "one request for the manifest");
    assert_eq!(puller.index(KEY).unwrap(), index, "nothing is written again");
}

#[tokio::test]
async fn a_replacement_is_visible_later_than_what_it_replaces() {
    let registry = FakeRegistry::start().await;
    let (old, new) = (Built::new(KEY, disk(1)), Built::new(KEY, disk(2)));
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let mut times = Vec::new();
    for built in [&old, &new, &old] {
        built.push(&registry);
        let ran = puller.pull(&[]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert_eq!(puller.index(KEY).unwrap()["sha256"], built.sha256());
        times.push(puller.index(KEY).unwrap()["visible_since"].as_str().unwrap().to_owned());
    }
    assert!(times[0].as_str() >= "2026-05-05T03:02:01Z" && times.is_sorted(), "{times:?}");
    assert!(times[0] != times[1] && times[1] != times[2], "{times:?}");
}

#[tokio::test]
async fn one_content_is_fetched_once_and_a_failed_image_hides_no_other() {
    let registry = FakeRegistry::start().await;
    let image = disk(1);
    let same = "ubuntu-noble-plain-rke2-1-30-9";
    let twin = Built::new(same, image.clone()).with("k8s-version", Some("1.30.9+rke2r1"));
    let built = Built::new(KEY, image).with("filename", Some(&format!("{same}.raw")));
    built.push(&registry);
    twin.push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY, same, OTHER]);
    let ran = puller.pull(&[]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stderr, OTHER), @"error: values.yaml:5:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry (oci://HOST/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-31-8:0.4.12)");
    assert!(puller.has(&built) && puller.has(&twin), "{ran:#?}");
    assert_eq!(puller.visible().len(), 1);
    let blobs = registry.requests().into_iter().filter(|request| request.path.contains("/blobs/")).count();
    assert_eq!(blobs, 1, "{:?}", registry.requests());
    let wanted: Value = serde_json::from_slice(&puller.desk.read("images/wanted.json")).unwrap();
    assert_eq!(
        wanted["images"].as_object().unwrap().len(),
        3,
        "what could not be read is wanted all the same"
    );
}

#[tokio::test]
async fn two_contents_for_one_route_are_refused_and_both_are_named() {
    let registry = FakeRegistry::start().await;
    let other = Built::new(OTHER, disk(2)).with("filename", Some(&format!("{KEY}.raw")));
    Built::new(KEY, disk(1)).push(&registry);
    other.with("image-format", Some("raw")).push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY, OTHER]);
    let ran = puller.pull(&[]).await;
    assert_eq!((ran.exit, puller.visible().len()), (Some(5), 0), "{ran:#?}");
    reads!(ran.stderr, @"
    error: values.yaml:4:3: `opensuse-15-6-plain-kubeadm-1-31-8` cannot be stored: `ubuntu-noble-plain-rke2-1-31-8` is another image for the same URL /ubuntu-noble-plain-rke2-1-31-8.raw
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: `opensuse-15-6-plain-kubeadm-1-31-8` is another image for the same URL /ubuntu-noble-plain-rke2-1-31-8.raw
    ");
}

#[tokio::test]
async fn nothing_wanted_is_refused_unless_it_is_accepted() {
    let puller = Puller::new("oci://127.0.0.1:1/sylva/diskimage-builder", &[]);
    puller.desk.write(
        "values.yaml",
        format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images: {{}}\n"),
    );
    let ran = puller.pull(&[]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    assert!(!puller.desk.path("images").exists(), "nothing was changed");
    assert_eq!(puller.pull(&["--allow-empty"]).await.exit, Some(0));
}

#[tokio::test]
async fn too_little_room_is_told_before_the_first_byte() {
    let registry = FakeRegistry::start().await;
    Built::new(KEY, disk(1)).with("size", Some(&(50_u64 << 40).to_string())).push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let ran = puller.pull(&["--max-image-size", "100TiB"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    // How much room there is differs from machine to machine.
    let told = about(&ran.stderr, "TiB");
    reads!(told.split(" has room for ").next().unwrap(), @"error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` was not downloaded: the missing images need 50.0 TiB, and the folder");
    assert!(!registry.requests().iter().any(|request| request.path.contains("/blobs/")));
}

#[tokio::test]
async fn a_second_pull_waits_for_the_first_and_no_longer_than_it_may() {
    let registry = DockerRegistry::start().await;
    let proxy = SpoilingProxy::start(&registry.host).await;
    let built = Built::new(KEY, disk(1));
    built.push_to_docker(&registry).await;
    let puller = Puller::new(&proxy.prefix(PREFIX), &[KEY]);
    proxy.spoil([Spoil::Stop(1_000)]);
    let mut first = puller.desk.spawn(&Puller::arguments(&[]));
    proxy.stopped().await;
    let impatient = puller.pull(&["--max-time", "1s"]).await;
    assert_eq!((impatient.exit, proxy.blobs().len()), (Some(4), 1), "{impatient:#?}");
    reads!(about(&impatient.stderr, "note"), @"note: waiting for another pull into images to end");
    let second = puller.desk.spawn(&Puller::arguments(&[]));
    first.kill().await.unwrap();
    let second = ended(second).await;
    assert_eq!(second.exit, Some(0), "{second:#?}");
    assert!(puller.has(&built));
}
