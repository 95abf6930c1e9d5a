//! Generations of a registry: the chart makes an image of every listed name for each of them, and some of those do not exist.
//! The form is reconstructed from public statements.

use super::{Consumer, HARDENED, RKE2, described};
use crate::world::PREFIX;

/// The deployment with a generation at 0.3.9, which publishes one of the images.
async fn consumer() -> Consumer {
    let consumer = Consumer::new().await;
    let old = described(RKE2, ["ubuntu", "noble", "plain", "rke2", "1.31.8+rke2r1"]);
    let old = old.with("sylvaproject.org/diskimage/commit-tag", "0.3.9");
    consumer.registry.release(PREFIX, "0.3.9", &[old]);
    let values = String::from_utf8(consumer.desk.read("values.yaml")).unwrap();
    let url = consumer.registry.prefix(PREFIX);
    let version = "\nsylva_diskimagebuilder_version:";
    let generation = format!("\n  sylva-n-1: {{url: '{url}', tag: 0.3.9}}{version}");
    consumer.desk.write("values.yaml", values.replace(version, &generation));
    consumer
}

/// The keys of the printed images.
fn keys(yaml: &str) -> Vec<&str> {
    let lines = yaml.lines().filter_map(|line| line.strip_prefix("  "));
    lines.filter(|line| !line.starts_with(' ')).map(|line| line.trim_end_matches(':')).collect()
}

#[tokio::test]
async fn each_listed_image_is_one_of_its_registry_and_of_each_generation() {
    let consumer = consumer().await;
    let ran = consumer.run("os-images", &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let of = |registry: &str, name: &str| format!("{registry}--{name}");
    let all = keys(&ran.stdout);
    assert_eq!(all.len(), 4, "{all:#?}");
    for key in [of("sylva", RKE2), of("sylva", HARDENED), of("sylva-n-1", RKE2)] {
        assert!(all.contains(&key.as_str()), "{key} {all:#?}");
    }
    assert!(ran.stdout.contains("oci-image-registry-key: sylva-n-1"), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("{RKE2}:0.3.9")), "{}", ran.stdout);
    reads!(ran.stderr, @"note: sylva-n-1 (oci://HOST/sylva/diskimage-builder:0.3.9) does not publish opensuse-15-6-plain-kubeadm-1-31-8, ubuntu-noble-hardened-rke2-1-31-8: left out");

    let before = consumer.registry.count("");
    let ran = consumer.run("os-images", &["--offline"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(keys(&ran.stdout).iter().all(|key| key.starts_with("sylva--")), "{}", ran.stdout);
    assert_eq!(keys(&ran.stdout).len(), 3, "{}", ran.stdout);
    reads!(ran.stderr, @"note: images of sylva-n-1 are left out: with --offline it cannot be told which exist");
    assert_eq!(consumer.registry.count(""), before);

    // Another form is a person's word.
    let ran = consumer.run("os-images", &["--form", "sylva-core"]).await;
    assert_eq!(keys(&ran.stdout).len(), 3, "{ran:#?}");
    assert!(keys(&ran.stdout).contains(&RKE2), "{}", ran.stdout);
    let ran = consumer.run("os-images", &["--format", "json"]).await;
    assert!(ran.stdout.contains("\"form\": \"sylva-1.6\""), "{}", ran.stdout);
}

#[tokio::test]
async fn a_generation_that_cannot_be_asked_is_not_taken_for_one_that_has_nothing() {
    let consumer = consumer().await;
    consumer.registry.fault(crate::fake::oci::Fault::status(503).on("0.3.9"));
    for command in ["os-images", "os-images-info"] {
        let ran = consumer.run(command, &[]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(4), ""), "{command} {ran:#?}");
    }
}

#[tokio::test]
async fn a_selector_that_two_generations_match_is_refused_without_a_registry() {
    let consumer = consumer().await;
    let machine = async |more: &str| {
        let cluster = format!(
            "cluster:\n  capi_providers: {{infra_provider: capm3, bootstrap_provider: cabpr}}\n  \
             k8s_version: v1.31.8+rke2r1\n  capm3:\n    image_provisioning_host: 192.0.2.10\n    \
             os_image_selector: {{os: ubuntu, os-release: noble, hardened: \"false\"{more}}}\n"
        );
        consumer.desk.write("cluster.yaml", cluster);
        consumer.run("machine-image", &["-f", "cluster.yaml"]).await
    };
    let ran = machine("").await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"
    note: sylva-n-1 (oci://HOST/sylva/diskimage-builder:0.3.9) does not publish opensuse-15-6-plain-kubeadm-1-31-8, ubuntu-noble-hardened-rke2-1-31-8: left out
    error: cluster.yaml:6:5: the selector matches 2 enabled images: sylva--ubuntu-noble-plain-rke2-1-31-8, sylva-n-1--ubuntu-noble-plain-rke2-1-31-8
    hint: add `oci-image-registry-key` to the selector
    ");
    let ran = machine(", oci-image-registry-key: sylva-n-1").await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let ran = consumer.run("os-images-info", &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let key = format!("sylva-n-1--{RKE2}:");
    assert!(
        ran.stdout.contains(&key) && ran.stdout.contains("oci-image-registry-key: sylva-n-1"),
        "{ran:#?}"
    );
}
