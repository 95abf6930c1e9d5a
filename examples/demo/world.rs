//! What the demo starts from: a producer's releases in a registry, a deployment's project in a GitLab.

use crate::fake::gitlab::FakeGitLab;
use crate::fake::oci::{FakeRegistry, Image, digest};

/// Where the producer publishes, below the registry's host.
pub const PREFIX: &str = "sylva/diskimage-builder";
/// The project that deploys the images.
pub const PROJECT: &str = "platform/deployment";
/// The project's number.
pub const PROJECT_ID: u64 = 42;
/// Its values file.
pub const VALUES_PATH: &str = "values.yaml";
/// The bot's access token. It opens nothing but this demo.
pub const TOKEN: &str = "demo-token";
/// The values file as the project has it.
pub const VALUES: &str = include_str!("values.yaml");

const UBUNTU: [&str; 4] = ["ubuntu", "noble", "plain", "rke2"];
const HARDENED: [&str; 4] = ["ubuntu", "noble", "hardened", "rke2"];
const OPENSUSE: [&str; 4] = ["opensuse", "15.6", "plain", "kubeadm"];

/// A release: its version, its date, and the Kubernetes versions of each family.
type Release<'a> = (&'a str, &'a str, [([&'a str; 4], &'a [&'a str]); 3]);

const PUBLISHED: [Release<'static>; 3] = [
    (
        "0.4.10",
        "2026-03-02T09:00:00Z",
        [(UBUNTU, &["1.29.14", "1.30.10"]), (HARDENED, &["1.30.10"]), (OPENSUSE, &["1.29.14", "1.30.10"])],
    ),
    (
        "0.4.11",
        "2026-04-07T09:00:00Z",
        [
            (UBUNTU, &["1.29.15", "1.30.12", "1.31.8"]),
            (HARDENED, &["1.30.12", "1.31.8"]),
            (OPENSUSE, &["1.29.15", "1.30.12", "1.31.8"]),
        ],
    ),
    (
        "0.4.12",
        "2026-05-04T09:00:00Z",
        [
            (UBUNTU, &["1.30.13", "1.31.9", "1.32.5"]),
            (HARDENED, &["1.30.13", "1.31.9", "1.32.5"]),
            (OPENSUSE, &["1.30.13", "1.31.9", "1.32.5"]),
        ],
    ),
];

const NEWER: Release<'static> = (
    "0.4.13",
    "2026-06-01T09:00:00Z",
    [
        (UBUNTU, &["1.30.14", "1.31.10", "1.32.6"]),
        (HARDENED, &["1.30.14", "1.31.10", "1.32.6"]),
        (OPENSUSE, &["1.30.14", "1.31.10", "1.32.6"]),
    ],
);

/// A registry with the releases up to 0.4.12.
pub async fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start().await;
    PUBLISHED.iter().for_each(|release| publish(&registry, release));
    registry
}

/// Publishes 0.4.13.
pub fn publish_newer(registry: &FakeRegistry) {
    publish(registry, &NEWER);
}

/// A GitLab with the project, whose values file is at 0.4.11, and a bot that may push and open merge requests.
pub async fn gitlab() -> FakeGitLab {
    let gitlab = FakeGitLab::start().await;
    let readme: &[u8] = b"# Deployment\n";
    gitlab.state().add_project(
        PROJECT_ID,
        PROJECT,
        &[(VALUES_PATH, VALUES.as_bytes()), ("README.md", readme)],
    );
    gitlab.state().add_bot(PROJECT_ID, "dibump", TOKEN);
    gitlab
}

/// The configuration that follows this registry for this project.
pub fn configuration(registry: &FakeRegistry, gitlab: &FakeGitLab) -> String {
    let (prefix, address) = (registry.prefix(PREFIX), gitlab.address());
    format!(
        "version: 1\n\
         producers:\n  - registry: {prefix}\n    plain_http: true\n    discovery: [catalog]\n\
         forge:\n  kind: gitlab\n  url: {address}\n\
         targets:\n  - project: {PROJECT}\n    files: [{VALUES_PATH}]\n    \
         kubernetes_versions: [{{path: cluster.k8s_version, k8s_flavor: rke2}}]\n\
         merge_request:\n  labels: [os-images]\n\
         network:\n  proxy_from_environment: false\n"
    )
}

fn publish(registry: &FakeRegistry, (version, created, families): &Release<'_>) {
    let named = |(family, k8s): &([&str; 4], &[&str])| {
        k8s.iter().map(|k8s| image(version, created, *family, k8s)).collect::<Vec<_>>()
    };
    let images: Vec<Image> = families.iter().flat_map(named).collect();
    registry.release(PREFIX, version, &images);
}

/// An image as diskimage-builder names and annotates it.
fn image(version: &str, created: &str, [os, os_release, flavor, k8s_flavor]: [&str; 4], k8s: &str) -> Image {
    let name = format!("{os}-{os_release}-{flavor}-{k8s_flavor}-{k8s}").replace('.', "-");
    let k8s_version = if k8s_flavor == "rke2" { format!("{k8s}+rke2r1") } else { k8s.to_owned() };
    let annotations = [
        ("os", os),
        ("os-release", os_release),
        ("flavor", flavor),
        ("hardened", if flavor == "hardened" { "true" } else { "false" }),
        ("k8s-flavor", k8s_flavor),
        ("k8s-version", &k8s_version),
        ("image-format", "raw"),
        ("compression", "gz"),
        ("commit-tag", version),
        ("filename", &format!("{name}-{version}.raw")),
        ("sha256", &digest(name.as_bytes())["sha256:".len()..]),
    ];
    let image = Image::new(&name)
        .with("org.opencontainers.image.created", created)
        .with("org.opencontainers.image.revision", &format!("{version}@sha1:{:040x}", version.len()));
    annotations
        .iter()
        .fold(image, |image, (key, value)| image.with(&format!("sylvaproject.org/diskimage/{key}"), value))
}
