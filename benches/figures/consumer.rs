//! What is known of the 19 images of a deployment, at a distance: without and with signatures, and with three of them bad.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::DIBUMP;
use crate::fake::cosign::Signer;
use crate::fake::oci::{FakeRegistry, Image};
use crate::latency::delayed;
use crate::measure::{median, ms, row};

const RUNS: usize = 11;
const PREFIX: &str = "group/diskimage-builder";
const VERSION: &str = "0.4.12";
const IMAGES: usize = 19;
const ROUND_TRIP: Duration = Duration::from_millis(40);

/// All rows.
pub(crate) fn all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let signer = Signer::new();
    let key = folder.path().join("cosign.pub");
    std::fs::write(&key, signer.pem()).expect("a file");
    let key = key.to_str().expect("a path that is text");
    for (what, bad) in [("19 images", false), ("19 images, one missing, one unsigned, one broken", true)] {
        let registry = runtime.block_on(FakeRegistry::start());
        publish(&registry, &signer, bad);
        let distant = runtime.block_on(delayed(registry.host(), ROUND_TRIP / 2));
        let values = values(folder.path(), &distant);
        for (signatures, more) in
            [("", vec!["--signatures", "off"]), (", signatures too", vec!["--cosign-key", key])]
        {
            let before = registry.count("");
            time_any(&mut info(&values, &more));
            let requests = registry.count("") - before;
            let took = median((0..RUNS).map(|_| time_any(&mut info(&values, &more))).collect());
            let what = format!("os-images-info of {what} with 40 ms round trips{signatures}");
            row(&what, &format!("{}, {requests} requests", ms(took)), "");
        }
    }
}

/// How long it takes, whatever it ends with: three bad images are told by the exit code.
fn time_any(command: &mut Command) -> Duration {
    let start = std::time::Instant::now();
    let output = command.output().expect("it starts");
    let took = start.elapsed();
    assert!(!output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    took
}

fn names() -> Vec<String> {
    (0..IMAGES).map(|i| format!("ubuntu-noble-plain-rke2-1-{}-{}", 20 + i, i)).collect()
}

fn publish(registry: &FakeRegistry, signer: &Signer, bad: bool) {
    for (i, name) in names().iter().enumerate() {
        let path = format!("{PREFIX}/{name}");
        let digest = crate::fake::oci::digest(name.as_bytes());
        let sha256 = if bad && i == 2 { "none" } else { &digest["sha256:".len()..] };
        let annotations = [
            ("sha256", sha256),
            ("image-format", "raw"),
            ("filename", name),
            ("k8s-version", "1.31.8+rke2r1"),
            ("os", "ubuntu"),
            ("size", "22000000000"),
        ];
        let image = annotations.iter().fold(Image::new(name), |image, (key, value)| {
            image.with(&format!("sylvaproject.org/diskimage/{key}"), value)
        });
        if bad && i == 0 {
            continue;
        }
        registry.release(PREFIX, VERSION, &[image]);
        if !(bad && i == 1) {
            signer.sign(registry, &path, &registry.digest(&path, VERSION));
        }
    }
}

fn values(folder: &Path, host: &str) -> std::path::PathBuf {
    let path = folder.join("values.yaml");
    let keys: String =
        names().iter().map(|name| format!("  {name}: {{os_images_oci_registry: sylva}}\n")).collect();
    let registry =
        format!("os_images_oci_registries:\n  sylva: {{url: 'oci://{host}/{PREFIX}', tag: '{VERSION}'}}\n");
    std::fs::write(&path, format!("{registry}sylva_diskimagebuilder_images:\n{keys}")).expect("a file");
    path
}

fn info(values: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(DIBUMP);
    command.args(["os-images-info", "--plain-http", "-f"]).arg(values).args(more).env_clear();
    command
}
