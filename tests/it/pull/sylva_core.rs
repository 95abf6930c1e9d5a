//! A real environment of sylva-core: 24 images that its server has to serve, from a real registry to the machines, and the
//! ConfigMap that its charts read; one is taken away, one is replaced, and what is not wanted goes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::serving::Server;
use super::{Puller, archive, disk, entry, gzip, hex};
use crate::fake::docker_registry::{DockerRegistry, Push};
use crate::fake::kube::FakeKube;
use crate::said::about;
use crate::world::{NETWORK, Ran};

const TAG: &str = "0.4.12";
const MAP: &str = "capm3-os-image-server-os-images";
const SYLVA: &str = "sylva/diskimage-builder";
const OURS: &str = "ours/images";

/// What sylva-core lays over each other for a bare-metal management cluster.
const FILES: [&str; 3] = ["values.yaml", "management.values.yaml", "environments/rke2-capm3/values.yaml"];

fn chart(name: &str) -> String {
    format!("{}/tests/data/sylva-core/fd968edcf/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// An image with the real attributes of a release, and small content.
struct Small {
    key: String,
    repository: String,
    attributes: BTreeMap<String, String>,
    image: Vec<u8>,
}

impl Small {
    async fn push(&self, registry: &DockerRegistry) {
        let layer = gzip(&archive(&[entry("a.raw.gz", &gzip(&self.image))]));
        let mut annotations: BTreeMap<String, String> = self
            .attributes
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "uri" | "cosign_publickey"))
            .map(|(name, value)| (format!("sylvaproject.org/diskimage/{name}"), value.clone()))
            .collect();
        let own = [("sha256", hex(&self.image)), ("size", self.image.len().to_string())];
        annotations.extend(own.map(|(name, value)| (format!("sylvaproject.org/diskimage/{name}"), value)));
        let push = Push { repository: self.repository.clone(), tag: TAG.to_owned(), annotations };
        let media_type = "application/vnd.cncf.flux.content.v1.tar+gzip";
        registry.push_layer(&push, layer, media_type).await;
    }

    fn filename(&self) -> &str {
        &self.attributes["filename"]
    }
}

/// The 19 images of the chart and, for another Kubernetes, 5 of somebody else.
fn images() -> Vec<Small> {
    let text = std::fs::read_to_string(chart("os-images-info/01.yaml")).unwrap();
    let map: Value = yaml_serde::from_str(&text).unwrap();
    let values: Value = yaml_serde::from_str(map["data"]["values.yaml"].as_str().unwrap()).unwrap();
    let known: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_value(values["os_images"].clone()).unwrap();
    let small = |key: String, path: &str, attributes, seed: usize| {
        let repository = format!("{path}/{key}");
        let image = [disk(seed as u64), key.clone().into_bytes()].concat();
        Small { key, repository, attributes, image }
    };
    let old = known.iter().filter(|(key, _)| key.contains("1-29-15")).take(5).map(|(key, attributes)| {
        let older = |text: &String| text.replace("1-29-15", "1-28-15").replace("1.29.15", "1.28.15");
        let attributes: BTreeMap<String, String> =
            attributes.iter().map(|(name, value)| (name.clone(), older(value))).collect();
        (older(key), OURS, attributes)
    });
    let all = known.iter().map(|(key, attributes)| (key.clone(), SYLVA, attributes.clone())).chain(old);
    all.enumerate().map(|(seed, (key, path, attributes))| small(key, path, attributes, seed)).collect()
}

/// Where our images are, that all of them are served, and where machines find them.
fn overlay(registry: &DockerRegistry, ours: &[&Small], host: &str) -> String {
    let images: String =
        ours.iter().map(|image| format!("  {}: {{os_images_oci_registry: ours}}\n", image.key)).collect();
    format!(
        "os_images_oci_registries:\n  sylva: {{url: '{}'}}\n  ours: {{url: '{}', tag: '{TAG}'}}\n\
         sylva_diskimagebuilder_images:\n{images}\
         os_image_server_additional_selectors:\n  all: {{_os_images_key_: '.*'}}\n\
         cluster: {{capm3: {{image_provisioning_host: '{host}', image_provisioning_scheme: http}}}}\n",
        registry.prefix(SYLVA),
        registry.prefix(OURS),
    )
}

struct Environment {
    registry: DockerRegistry,
    kube: FakeKube,
    puller: Puller,
    files: Vec<String>,
}

impl Environment {
    async fn new() -> Self {
        let (registry, kube) = (DockerRegistry::start().await, FakeKube::start().await);
        let puller = Puller::new("oci://127.0.0.1:1/unused", &[]);
        let producer = |path: &str| {
            format!("- {{registry: '{}', plain_http: true, discovery: [catalog]}}\n", registry.prefix(path))
        };
        let producers = producer(SYLVA) + &producer(OURS);
        puller
            .desk
            .write("dibump.yaml", format!("version: 1\nproducers:\n{producers}targets: []\n{NETWORK}"));
        puller.desk.write("kubeconfig", kube.kubeconfig());
        let files = FILES.iter().map(|name| chart(name)).chain(["overlay.yaml".to_owned()]);
        let files = files.flat_map(|file| ["-f".to_owned(), file]).collect();
        Self { registry, kube, puller, files }
    }

    async fn run(&self, command: &[&str], now: &str) -> Ran {
        let files = self.files.iter().map(String::as_str);
        let arguments: Vec<&str> = command.iter().copied().chain(files).collect();
        let mut command = self.puller.desk.command(&arguments);
        command.env("DIBUMP_NOW", now);
        crate::world::ended(command.spawn().unwrap()).await
    }

    async fn pull(&self, now: &str) -> Ran {
        let pull =
            ["pull", "--into", "images", "--signatures", "off", "--apply", "--kubeconfig", "kubeconfig"];
        self.run(&pull, now).await
    }

    /// What the ConfigMap of the cluster says: keys by their sha256. Its shape is that of the chart's values.
    fn listed(&self) -> BTreeMap<String, String> {
        let map = self.kube.config_map("os-images", MAP).expect("it was applied");
        let values: Value = yaml_serde::from_str(&map.fields["data.values.yaml"]).unwrap();
        readable_by_the_chart(&values);
        let images = values["capm3_os_image_server_images"].as_object().unwrap().clone();
        let key = |image: &Value| image["image_key"].as_str().unwrap().to_owned();
        images.into_iter().map(|(sha256, image)| (sha256, key(&image))).collect()
    }
}

/// The schema of sylva-capi-cluster takes the values of the ConfigMap.
fn readable_by_the_chart(values: &Value) {
    let text = std::fs::read_to_string(chart("os-image-server-images.schema.json")).unwrap();
    // ECMAScript takes a brace that begins no repetition for itself; the engine of the validator does not.
    let text = text.replace("{{", r"\\{\\{").replace("}}", r"\\}\\}");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(values).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?} in {values:#}");
    let mut wrong = values.clone();
    wrong["capm3_os_image_server_images"]["a"] = serde_json::json!({"available": 1});
    assert!(!validator.is_valid(&wrong), "the schema sees what is wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_four_images_of_sylva_core_are_pulled_served_listed_and_replaced() {
    let environment = Environment::new().await;
    let mut images = images();
    assert_eq!(images.len(), 24);
    for image in &images {
        image.push(&environment.registry).await;
    }
    let ours = |images: &[Small]| -> Vec<String> {
        images
            .iter()
            .filter(|image| image.repository.starts_with(OURS))
            .map(|image| image.key.clone())
            .collect()
    };
    assert_eq!(ours(&images).len(), 5);
    let desk = &environment.puller.desk;
    let write = |images: &[Small], host: &str| {
        let ours: Vec<&Small> = images.iter().filter(|image| image.repository.starts_with(OURS)).collect();
        desk.write("overlay.yaml", overlay(&environment.registry, &ours, host));
    };
    write(&images, "h");
    let ran = environment.pull("2026-05-05T00:00:00Z").await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.ends_with(&format!("ConfigMap {MAP}: created, 24 images\n")), "{ran:#?}");
    let expected = |images: &[Small]| -> BTreeMap<String, String> {
        images.iter().map(|image| (hex(&image.image), image.key.clone())).collect()
    };
    assert_eq!(environment.listed(), expected(&images));

    let server = Server::start(&environment.puller, &[]).await;
    for image in &images {
        let (status, body) = server.get(image.filename()).await;
        assert_eq!((status, hex(&body)), (200, hex(&image.image)), "{}", image.key);
    }
    // What machines are told leads to this server, and to the image of that checksum.
    write(&images, &server.address);
    let machine = ["machine-image", "--signatures", "off", "--format", "json"];
    let ran = environment.run(&machine, "2026-05-05T00:00:00Z").await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let chosen = images.iter().find(|image| image.key == "ubuntu-noble-hardened-rke2-1-31-8").unwrap();
    let url = format!("http://{}/{}", server.address, chosen.filename());
    assert!(ran.stdout.contains(&url) && ran.stdout.contains(&hex(&chosen.image)), "{url}: {ran:#?}");

    // One is taken away, one is replaced.
    let away = images.pop().unwrap();
    let old = std::mem::replace(&mut images[3].image, disk(99));
    images[3].push(&environment.registry).await;
    write(&images, "h");
    let ran = environment.pull("2026-05-06T00:00:00Z").await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    // The one that was replaced has the same file name as before, so that only the new one is served.
    assert!(ran.stdout.ends_with(&format!("ConfigMap {MAP}: changed, 24 images\n")), "{ran:#?}");
    let listed = environment.listed();
    for (sha256, key) in expected(&images) {
        assert_eq!(listed.get(&sha256), Some(&key));
    }
    server
        .until(images[3].filename(), |status, body| status == 200 && hex(body) == hex(&images[3].image))
        .await;
    assert_eq!(server.get(away.filename()).await.0, 200, "it stays for its time");

    let ran = environment.pull("2026-05-07T00:00:00Z").await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(about(&ran.stdout, "removed"), @"
    ubuntu-noble-plain-kubeadm-1-28-15: not wanted any more, removed, 706.1 KiB (since 2026-05-06T00:00:00Z)
    opensuse-15-6-plain-kubeadm-1-29-15: not wanted any more, removed, 706.1 KiB (since 2026-05-06T00:00:00Z)
    ");
    assert_eq!(environment.listed(), expected(&images));
    let visible = environment.puller.visible();
    assert_eq!(visible.len(), 23);
    assert!(!visible.contains(&hex(&old)) && !visible.contains(&hex(&away.image)));
    server.until(away.filename(), |status, _| status == 404).await;
    let ran = environment.pull("2026-05-08T00:00:00Z").await;
    assert!(ran.stdout.ends_with("unchanged, 23 images\n") && !ran.stdout.contains("stored"), "{ran:#?}");
}
