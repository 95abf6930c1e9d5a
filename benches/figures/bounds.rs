//! How long the largest input takes that is not refused, and how much memory: keys, versions, tags.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::DIBUMP;
use crate::fake::oci::{FakeRegistry, Image};
use crate::measure::{peak, row};

const PREFIX: &str = "group/diskimage-builder";
const KEYS: usize = 30_000;
const VERSIONS: usize = 10_000;
const TAGS: usize = 1_000_000;
const NIGHTLY: usize = 1_500;

/// All rows.
pub(crate) fn all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    keys(&folder);
    let bench = Bench { runtime, folder };
    bench.registry("10,000 newer versions, all held", VERSIONS, |registry, count| {
        (0..count)
            .for_each(|patch| release(registry, &format!("0.5.{patch}"), "ubuntu-noble-plain-rke2-1-99-1"));
    });
    bench.registry("1,000,000 tags in 10 repositories", TAGS, |registry, count| {
        for repository in 0..10 {
            let name = format!("ubuntu-noble-plain-rke2-1-{repository}-7");
            release(registry, "0.4.11", &name);
            let tags = (0..count / 10).map(|tag| format!("build-{tag}"));
            registry.more_tags(&format!("{PREFIX}/{name}"), "0.4.11", tags);
        }
    });
    bench.registry("1,500 nightly tags beside the images", NIGHTLY, |registry, count| {
        (0..count).for_each(|patch| release(registry, &format!("1.0.{patch}"), "ci-tools"));
    });
}

fn release(registry: &FakeRegistry, tag: &str, name: &str) {
    registry.release(PREFIX, tag, &[Image::new(name)]);
}

/// `plan` and `check` of a mapping of 30,000 keys, in the ways of writing that are most work.
fn keys(folder: &TempDir) {
    let key = |n: usize, patch: usize| format!("ubuntu-noble-plain-rke2-1-{n}-{patch}");
    let release = |version: &str, patch: usize| {
        let artifacts: Vec<_> = (0..KEYS).map(|n| json!({"name": key(n, patch)})).collect();
        json!({"version": version, "artifacts": artifacts})
    };
    let releases =
        json!({"schema": "dibump.releases/1", "releases": [release("0.4.11", 7), release("0.4.12", 8)]});
    let (file, observed) = (folder.path().join("keys.yaml"), folder.path().join("releases.json"));
    std::fs::write(&observed, releases.to_string()).expect("a file");
    let listed: String = (0..KEYS).map(|n| format!("  {}: {{}}\n", key(n, 7))).collect();
    let named: String =
        (0..KEYS).map(|n| format!("    md{n}: {{capm3: {{image_key: {}}}}}\n", key(n, 7))).collect();
    let flow: String = (0..KEYS).map(|n| format!("{}: {{}}, ", key(n, 7))).collect();
    let images = |version: &str, images: &str, more: &str| {
        format!("sylva_diskimagebuilder_version: {version}\nsylva_diskimagebuilder_images:{images}\n{more}")
    };
    let enabled: String = (0..KEYS).map(|n| format!("  {}: {{enabled: true}}\n", key(n, 7))).collect();
    let minors: String = (0..KEYS).map(|n| format!("  '1.{n}': v1.{n}.7+rke2r1\n")).collect();
    let unknown: String =
        (0..KEYS).map(|n| format!("  {}: {{os_images_oci_registry: r{n}}}\n", key(n, 7))).collect();
    let registries: String = (0..KEYS / 10).map(|n| format!("  r{n}: {{tag: 1.{n}.0}}\n")).collect();
    let own: String = (0..KEYS)
        .map(|n| format!("  own{n}: {{uri: 'https://images.example/{n}', sha256: '{n:064x}'}}\n"))
        .collect();
    let selectors: String =
        (0..KEYS).map(|n| format!("  s{n}: {{os: ubuntu, k8s-version: v1.{n}.7}}\n")).collect();
    let block = format!("\n{listed}");
    let clusters = format!("cluster:\n  machine_deployments:\n{named}");
    for (what, text) in [
        ("that all move", images("0.4.11", &block, "")),
        ("that all move, in one line", images("0.4.11", &format!(" {{ {flow} }}"), "")),
        ("that all move and are enabled", images("0.4.11", &format!("\n{enabled}"), "")),
        (
            "that all move, and a map has each minor",
            images("0.4.11", &block, &format!("k8s_version_map:\n{minors}")),
        ),
        (
            "of as many registries, a tenth of them known",
            images("0.4.11", &format!("\n{unknown}"), &format!("os_images_oci_registries:\n{registries}")),
        ),
        (
            "that all move, beside as many images of the user's own",
            images("0.4.11", &block, &format!("os_images:\n{own}")),
        ),
        (
            "that all move, beside as many selectors of the server",
            images("0.4.11", &block, &format!("os_image_server_additional_selectors:\n{selectors}")),
        ),
        ("that all move, and clusters name them", images("0.4.11", &block, &clusters)),
        ("that are all dead, and clusters name them", images("0.4.12", &block, &clusters)),
    ] {
        std::fs::write(&file, text).expect("a file");
        for command in ["plan", "check"] {
            let mut ours = Command::new(DIBUMP);
            ours.arg(command).arg(&file).arg("--observed").arg(&observed).env_clear();
            told(&format!("{command} 30,000 keys {what}"), &mut ours);
        }
    }
}

struct Bench {
    runtime: Runtime,
    folder: TempDir,
}

impl Bench {
    fn registry(&self, what: &str, count: usize, fill: impl Fn(&FakeRegistry, usize)) {
        let registry = self.runtime.block_on(FakeRegistry::start());
        let images = |patch: usize| format!("ubuntu-noble-plain-rke2-1-31-{patch}");
        for patch in [11, 12] {
            release(&registry, &format!("0.4.{patch}"), &images(patch));
        }
        fill(&registry, count);
        let before = registry.count("");
        let mut ours = plan(registry.host(), &self.values(&images(11)));
        told(what, &mut ours);
        // Timed and measured are two runs.
        row(&format!("{what}: requests"), &((registry.count("") - before) / 2).to_string(), "");
    }

    fn values(&self, key: &str) -> PathBuf {
        let path = self.folder.path().join("values.yaml");
        let text = format!(
            "sylva_diskimagebuilder_version: 0.4.11\nsylva_diskimagebuilder_images:\n  {key}: {{}}\n"
        );
        std::fs::write(&path, text).expect("a file");
        path
    }
}

fn plan(host: &str, values: &Path) -> Command {
    let mut command = Command::new(DIBUMP);
    let registry = format!("oci://{host}/{PREFIX}");
    command.arg("plan").arg(values).args(["--registry", &registry, "--plain-http", "--discovery", "catalog"]);
    command.env_clear();
    command
}

/// However it ends: what is too much ends, too.
fn told(what: &str, command: &mut Command) {
    let began = Instant::now();
    let output = command.output().expect("the command starts");
    let took = began.elapsed();
    let code = output.status.code().map_or("a signal".to_owned(), |code| format!("code {code}"));
    let memory = if output.status.success() { format!(", {:.1} MiB", peak(command)) } else { String::new() };
    row(what, &format!("{:.2} s, {code}{memory}", took.as_secs_f64()), "");
}
