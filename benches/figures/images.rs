//! The images themselves: pulling one of 1 GiB beside the tools that people would join by pipes.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::DIBUMP;
use crate::fake::docker_registry::{DockerRegistry, Push};
use crate::fake::oci::Image;
use crate::measure::{ms, pairs, peak, processor, row, time};
use crate::serving;

const RUNS: usize = 3;
const PREFIX: &str = "group/diskimage-builder";
pub(crate) const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";
const TAG: &str = "0.4.12";
const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// So many images are there when nothing is new.
const IMAGES: usize = 19;
/// A part of the image: something, and zeros after it.
const PART: usize = 40 << 20;
const FILLED: usize = 9_600_000;
const PARTS: usize = 25;

/// All rows.
pub(crate) fn all() {
    if Command::new("docker-registry").arg("--version").output().is_err() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let registry = runtime.block_on(DockerRegistry::start());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench { registry, folder };
    let image = image();
    let layer = runtime.block_on(bench.push(KEY, &image));
    bench.pull(&layer, image.len());
    bench.nothing_new(&runtime);
    serving::all(bench.folder.path(), image.len());
}

struct Bench {
    registry: DockerRegistry,
    folder: TempDir,
}

/// A disk with about a fifth of it in use.
fn image() -> Vec<u8> {
    let mut image = vec![0; PARTS * PART];
    let mut state = 1_u64;
    for part in image.chunks_mut(PART) {
        for bytes in part[..FILLED].chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.copy_from_slice(&state.to_le_bytes()[..bytes.len()]);
        }
    }
    image
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).expect("a short name");
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut archive = [header.as_bytes(), content].concat();
    archive.resize((archive.len() + 1024).next_multiple_of(10_240), 0);
    archive
}

impl Bench {
    /// Pushes an image as diskimage-builder does, and gives the digest of its layer.
    async fn push(&self, key: &str, image: &[u8]) -> String {
        let layer = gzip(&archive(&format!("{key}.raw.gz"), &gzip(image)));
        let digest = dibump::release::Digest::of(&layer).to_string();
        let fields = [
            ("filename", format!("{key}.raw")),
            ("sha256", dibump::release::Digest::of(image).hex().to_owned()),
            ("size", image.len().to_string()),
            ("image-format", "raw".to_owned()),
        ];
        let annotate = |image: Image, (name, value): &(&str, String)| {
            image.with(&format!("sylvaproject.org/diskimage/{name}"), value)
        };
        let annotations = fields.iter().fold(Image::new(key), annotate).annotations;
        let push = Push { repository: format!("{PREFIX}/{key}"), tag: TAG.to_owned(), annotations };
        self.registry.push_layer(&push, layer, FLUX).await;
        digest
    }

    fn command(&self, keys: &[String], into: &str) -> Command {
        let values = self.path("values.yaml");
        let images: String = keys.iter().map(|key| format!("  {key}: {{enabled: true}}\n")).collect();
        let text = format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images:\n{images}");
        std::fs::write(&values, text).expect("a file");
        let mut command = Command::new(DIBUMP);
        command.args(["pull", "--plain-http", "--registry", &self.registry.prefix(PREFIX)]);
        command.arg("-f").arg(values).arg("--into").arg(self.path(into)).env_clear();
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pull(&self, layer: &str, size: usize) {
        let ours = || {
            // What was pulled would not be pulled again.
            let _ = std::fs::remove_dir_all(self.path("images"));
            self.command(&[KEY.to_owned()], "images")
        };
        let url = format!("http://{}/v2/{PREFIX}/{KEY}/blobs/{layer}", self.registry.host);
        let theirs = || {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("curl -sf {url} | tar xzO | zcat | sha256sum")]);
            command
        };
        let (wall, their_wall) = pairs(RUNS, || time(&mut ours()), || time(&mut theirs()));
        let (spent, their_spent) = pairs(1, || processor(&mut ours()), || processor(&mut theirs()));
        let peak = peak(&ours());
        let stored = stored(&self.path("images/blobs/sha256"));
        let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        row(
            &format!("pull an image of {} MiB", size >> 20),
            &format!(
                "{}, {:.2} × the pipe; {} of processors, {:.2} ×; {peak:.1} MiB; {} MiB on disk",
                ms(wall),
                ratio(wall, their_wall),
                ms(spent),
                ratio(spent, their_spent),
                stored >> 20
            ),
            &format!(
                "`curl \\| tar xzO \\| zcat \\| sha256sum` {}, {} of processors",
                ms(their_wall),
                ms(their_spent)
            ),
        );
    }

    fn nothing_new(&self, runtime: &tokio::runtime::Runtime) {
        let keys: Vec<String> = (0..IMAGES).map(|i| format!("ubuntu-noble-plain-rke2-1-31-{i}")).collect();
        for key in &keys {
            runtime.block_on(self.push(key, key.as_bytes()));
        }
        time(&mut self.command(&keys, "many"));
        let took = crate::measure::median((0..11).map(|_| time(&mut self.command(&keys, "many"))).collect());
        row(&format!("pull {IMAGES} images, nothing new"), &ms(took), "");
    }
}

/// What files take on disk.
fn stored(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    files.map(|file| file.metadata().map_or(0, |metadata| metadata.blocks() * 512)).sum()
}
