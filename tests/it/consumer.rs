//! The consumer's side beyond the page that shows it: what is enabled, what is known of it, and what a machine gets.

mod cluster;
mod faults;
mod generations;
mod info;
mod machine;
mod os_images;
pub(crate) mod real_cluster;

use std::time::Duration;

use crate::bare_metal::described;
use crate::fake::cosign::Signer;
use crate::fake::oci::{FakeRegistry, Image};
use crate::world::{Desk, NETWORK, PREFIX, Ran};

pub(crate) const RKE2: &str = "ubuntu-noble-plain-rke2-1-31-8";
pub(crate) const HARDENED: &str = "ubuntu-noble-hardened-rke2-1-31-8";
pub(crate) const KUBEADM: &str = "opensuse-15-6-plain-kubeadm-1-31-8";

/// Three images of 0.4.12, each with what diskimage-builder says of it.
pub(crate) fn images() -> [Image; 3] {
    [
        described(RKE2, ["ubuntu", "noble", "plain", "rke2", "1.31.8+rke2r1"]),
        described(HARDENED, ["ubuntu", "noble", "hardened", "rke2", "1.31.8+rke2r1"]),
        described(KUBEADM, ["opensuse", "15.6", "plain", "kubeadm", "1.31.8"]),
    ]
    .map(|image| image.with("sylvaproject.org/diskimage/commit-tag", "0.4.12"))
}

/// A deployment in sylva-core's form, and the registry that it names.
pub(crate) struct Consumer {
    pub(crate) desk: Desk,
    pub(crate) registry: FakeRegistry,
    pub(crate) signer: Signer,
}

impl Consumer {
    pub(crate) async fn new() -> Self {
        let registry = FakeRegistry::start().await;
        registry.release(PREFIX, "0.4.12", &images());
        let consumer = Self { desk: Desk::new(), registry, signer: Signer::new() };
        consumer.values("");
        let producer = format!(
            "- {{registry: '{}', plain_http: true, discovery: [catalog]}}",
            consumer.registry.prefix(PREFIX)
        );
        consumer
            .desk
            .write("dibump.yaml", format!("version: 1\nproducers:\n{producer}\ntargets: []\n{NETWORK}"));
        consumer
    }

    /// Waits no longer than this for an answer.
    pub(crate) fn gives_up_after(&self, time: Duration) -> &Self {
        let config = String::from_utf8(self.desk.read("dibump.yaml")).unwrap();
        let short = format!("request_timeout: {}ms", time.as_millis());
        self.desk.write("dibump.yaml", config.replace("request_timeout: 1h", &short));
        self
    }

    /// Writes the values, with more of them at the end.
    pub(crate) fn values(&self, more: &str) -> &Self {
        let images: String = [RKE2, HARDENED, KUBEADM]
            .iter()
            .map(|name| format!("  {name}: {{os_images_oci_registry: sylva}}\n"))
            .collect();
        let url = self.registry.prefix(PREFIX);
        self.desk.write(
            "values.yaml",
            format!(
                "os_images_oci_registries:\n  sylva: {{url: '{url}', tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'}}\n\
                 sylva_diskimagebuilder_version: 0.4.12\n\
                 sylva_diskimagebuilder_images:\n{images}{more}image_provisioning_host: 192.0.2.10\n"
            ),
        );
        self
    }

    /// Signs these images, and gives the values the key.
    pub(crate) fn signed(&self, names: &[&str], more: &str) -> &Self {
        for name in names {
            let path = format!("{PREFIX}/{name}");
            self.signer.sign(&self.registry, &path, &self.registry.digest(&path, "0.4.12"));
        }
        let key = self.signer.pem().trim().replace('\n', "\n      ");
        self.values(&format!("security:\n  os_images:\n    cosign_public_key: |\n      {key}\n{more}"))
    }

    pub(crate) async fn run(&self, command: &str, more: &[&str]) -> Ran {
        self.desk.dibump(&[&[command, "-f", "values.yaml"], more].concat()).await
    }
}
