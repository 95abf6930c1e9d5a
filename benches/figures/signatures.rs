//! The signatures of a release of 20 images, at a distance: with the plan that they are part of, and from the cache.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::DIBUMP;
use crate::fake::cosign::Signer;
use crate::fake::oci::{FakeRegistry, Image, Referrers};
use crate::latency::delayed;
use crate::measure::{median, ms, row, time};

const RUNS: usize = 11;
const PREFIX: &str = "group/diskimage-builder";
const ROUND_TRIP: Duration = Duration::from_millis(40);
const OLD: &str = "0.4.11";
const NEW: &str = "0.4.12";

/// All rows.
pub(crate) fn all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let signer = Signer::new();
    let key = folder.path().join("cosign.pub");
    std::fs::write(&key, signer.pem()).expect("a file");
    for (what, bundles) in [("classic", false), ("bundles, by the fallback tag", true)] {
        let registry = runtime.block_on(FakeRegistry::start());
        registry.referrers(Referrers::ByTag);
        publish(&registry, &signer, bundles);
        let distant = runtime.block_on(delayed(registry.host(), ROUND_TRIP / 2));
        let values = values(folder.path());
        let plan = |more: &[&str]| plan(&distant, &values, more);
        let key = key.to_str().expect("a path that is text");
        let unsigned = median((0..RUNS).map(|_| time(&mut plan(&["--signatures", "off"]))).collect());
        let before = registry.count("");
        time(&mut plan(&["--cosign-key", key]));
        let requests = registry.count("") - before;
        let signed = median((0..RUNS).map(|_| time(&mut plan(&["--cosign-key", key]))).collect());
        let ours =
            format!("{} of {}, {requests} requests in all", ms(signed.saturating_sub(unsigned)), ms(signed));
        row(&format!("verify 20 images with 40 ms round trips, {what}"), &ours, "");

        let cache = folder.path().join(what);
        let cached = ["--cosign-key", key, "--cache-dir", cache.to_str().expect("a path that is text")];
        time(&mut plan(&cached));
        let before = registry.count("/blobs/") + registry.count("/manifests/sha256-");
        let took = median((0..RUNS).map(|_| time(&mut plan(&cached))).collect());
        let asked = registry.count("/blobs/") + registry.count("/manifests/sha256-") - before;
        row(
            &format!("the same from the cache, {what}"),
            &format!("{}, {asked} requests for signatures", ms(took)),
            "",
        );
    }
}

fn publish(registry: &FakeRegistry, signer: &Signer, bundles: bool) {
    for version in [OLD, NEW] {
        for name in names(version) {
            let path = format!("{PREFIX}/{name}");
            registry.release(PREFIX, version, &[Image::new(&name).with("name", &name)]);
            let digest = registry.digest(&path, version);
            match bundles {
                true => signer.bundle(registry, &path, &digest),
                false => signer.sign(registry, &path, &digest),
            }
        }
    }
}

fn names(version: &str) -> Vec<String> {
    let patch = version.rsplit('.').next().unwrap_or_default();
    let families = [
        "ubuntu-noble-plain-rke2",
        "ubuntu-noble-hardened-rke2",
        "ubuntu-noble-plain-kubeadm",
        "opensuse-15-6-plain-rke2",
    ];
    let name = |family: &str| (28..33).map(|minor| format!("{family}-1-{minor}-{patch}")).collect::<Vec<_>>();
    families.iter().flat_map(|family| name(family)).collect()
}

fn values(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("values.yaml");
    let keys: String = names(OLD).iter().map(|name| format!("  {name}: {{}}\n")).collect();
    let text = format!("sylva_diskimagebuilder_version: {OLD}\nsylva_diskimagebuilder_images:\n{keys}");
    std::fs::write(&path, text).expect("a file");
    path
}

fn plan(host: &str, values: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(DIBUMP);
    let registry = format!("oci://{host}/{PREFIX}");
    command.arg("plan").arg(values).args(["--registry", &registry, "--plain-http", "--discovery", "catalog"]);
    command.args(more).env_clear();
    command
}
