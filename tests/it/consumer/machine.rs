//! `machine-image`: which image, whether it fits, and what Metal3 gets of it.

use serde_json::Value;

use super::{Consumer, HARDENED, KUBEADM, RKE2};
use crate::bare_metal::sha256;
use crate::world::{PREFIX, Ran};

async fn machine(consumer: &Consumer, more: &[&str]) -> Ran {
    consumer.run("machine-image", &[&["--format", "json"], more].concat()).await
}

fn images(ran: &Ran) -> Vec<Value> {
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    report["images"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_image_that_is_named_outright_needs_no_values() {
    let consumer = Consumer::new().await;
    let registry = consumer.registry.prefix(PREFIX);
    let arguments = ["machine-image", RKE2, "--registry", &registry, "--tag", "0.4.12"];
    let ran = consumer
        .desk
        .dibump(&[&arguments[..], &["--url-template", "https://h/{{ filename }}"]].concat())
        .await;
    assert_eq!(
        (ran.exit, ran.stdout),
        (
            Some(0),
            format!(
                "image:\n  url: https://h/{RKE2}.raw\n  checksum: {}\n  checksumType: sha256\n  format: raw\n",
                sha256(RKE2)
            )
        ),
        "{}",
        ran.stderr
    );
    assert_eq!(consumer.registry.count("/manifests/"), 1);
    let ran = consumer.desk.dibump(&arguments[..4]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    reads!(ran.stderr, @"
    error: an image without values needs --registry and --tag
    hint: dibump machine-image KEY --registry oci://registry.example/path/diskimage-builder --tag 0.4.12
    ");
    let ran = consumer.desk.dibump(&["machine-image"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    let https = [&arguments[..], &["--https-only"]].concat();
    let ran = consumer.desk.dibump(&https).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(5), ""), "{ran:#?}");
    reads!(ran.stderr, @"error: `ubuntu-noble-plain-rke2-1-31-8` is refused: the URL uses http, and https is required");
    let arguments = ["machine-image", "absent-1", "--registry", &registry, "--tag", "0.4.12"];
    let ran = consumer.desk.dibump(&arguments).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: `absent-1` is not in the registry");
}

#[tokio::test]
async fn values_choose_by_key_by_selector_or_outright() {
    let consumer = Consumer::new().await;
    consumer.values(&format!(
        "cluster:\n  k8s_version: v1.31.8+rke2r1\n  image_provisioning_host: 192.0.2.10\n  capi_providers: {{bootstrap_provider: cabpr}}\n  \
         capm3: {{os_image_selector: {{os: ubuntu, hardened: false}}}}\n  \
         control_plane: {{capm3: {{image_key: {HARDENED}, os_image_selector: {{hardened: true}}}}}}\n  \
         machine_deployments:\n    md0: {{capm3: {{os_image_selector: {{hardened: true}}}}}}\n    \
         md1: {{capm3: {{machine_image_url: 'https://h/a.iso', machine_image_format: live-iso}}}}\n"
    ));
    let ran = machine(&consumer, &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let all = images(&ran);
    let said: Vec<(&str, Option<&str>, &str)> = all
        .iter()
        .map(|image| {
            let text = |name: &str| image[name].as_str();
            (text("machines").unwrap(), text("key"), image["image"]["url"].as_str().unwrap())
        })
        .collect();
    let served = |key: &str| format!("https://192.0.2.10/{key}.raw");
    assert_eq!(
        said,
        [
            ("control_plane", Some(HARDENED), served(HARDENED).as_str()),
            ("machine_deployments.md0", Some(HARDENED), &served(HARDENED)),
            ("machine_deployments.md1", None, "https://h/a.iso"),
        ]
    );
    let one = machine(&consumer, &["--for", "control_plane"]).await;
    assert_eq!(images(&one).len(), 1);
    let none = machine(&consumer, &["--for", "md7"]).await;
    assert_eq!(none.exit, Some(3), "{none:#?}");
    reads!(none.stderr, @"error: the values have no machines `md7` (they have control_plane, machine_deployments.md0, machine_deployments.md1)");
    let kubeadm = ["--selector", "os=opensuse,k8s-flavor=kubeadm"];
    let none = machine(&consumer, &kubeadm).await;
    // The cluster has RKE2.
    reads!(none.stderr, @"error: the selector matches no enabled image");
    let chosen = machine(&consumer, &[&kubeadm[..], &["--k8s-version", "1.31.8"]].concat()).await;
    assert_eq!(images(&chosen)[0]["key"], KUBEADM);
}

#[tokio::test]
async fn a_choice_that_is_none_is_named_with_its_place() {
    let mut told = String::new();
    for (capm3, exit) in [
        ("{image_key: ubuntu-noble-plain-rke2-1-31-7}", 3),
        ("{os_image_selector: {os: ubuntu}}", 3),
        ("{os_image_selector: {os: suse}}", 3),
        ("{os_image_selector: {os: '('}}", 3),
        ("{os_image_selector: {colour: red}}", 3),
        ("{os_image_selector: {os: 1}}", 3),
        ("{image_key: ubuntu-noble-plain-rke2-1-31-8, os_image_selector: {hardened: true}}", 3),
        ("{image_key: a, os_image_key: b}", 3),
        ("{image_key: a, machine_image_url: 'https://h/a'}", 3),
        ("{image_key: '{{ .Values.nothing }}'}", 3),
        ("{machine_image_format: raw}", 5),
        ("{machine_image_url: 'https://h/a', machine_image_format: raw, machine_image_checksum: abc}", 5),
        ("{image_key: opensuse-15-6-plain-kubeadm-1-31-8}", 5),
    ] {
        let consumer = Consumer::new().await;
        consumer.values(&format!("cluster:\n  k8s_version: v1.31.8+rke2r1\n  capm3: {capm3}\n"));
        let ran = machine(&consumer, &[]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(exit), ""), "{capm3}: {ran:#?}");
        told += &ran.stderr;
    }
    reads!(told, @"
    error: values.yaml:10:11: no enabled image has the key `ubuntu-noble-plain-rke2-1-31-7`
    hint: the nearest that is enabled is `ubuntu-noble-plain-rke2-1-31-8`
    error: values.yaml:10:11: the selector matches 2 enabled images: ubuntu-noble-hardened-rke2-1-31-8, ubuntu-noble-plain-rke2-1-31-8
    error: values.yaml:10:11: the selector matches no enabled image
    error: values.yaml:10:11: `os=(` is not a regular expression
    error: values.yaml:10:31: `cluster.capm3.os_image_selector.colour`: is not an attribute of an image (expected os, os-release, flavor, hardened, k8s-flavor, k8s-version, commit-tag, …)
    error: values.yaml:10:31: `cluster.capm3.os_image_selector.os`: is a floating number (expected text; write it in quotes)
    error: values.yaml:10:54: the image key is `ubuntu-noble-plain-rke2-1-31-8`, and the selector beside it chooses `ubuntu-noble-hardened-rke2-1-31-8`
    error: values.yaml:10:11: `cluster.capm3.image_key`: is another key (expected the same as os_image_key, or only one of them)
    error: values.yaml:10:3: `cluster.capm3`: is both (expected either machine_image_url and what belongs to it, or an image key or selector)
    error: values.yaml:10:11: `cluster.capm3.image_key`: `.Values.nothing` has no value; set it in the values file
    error: values.yaml:10:3: the image of raw mode is refused: machine_image_format is set, and machine_image_url is not
    error: values.yaml:10:11: the image of raw mode is refused: the checksum is `abc` (expected hexadecimal digits, or the URL of a file that has them)
    error: values.yaml:10:11: `opensuse-15-6-plain-kubeadm-1-31-8` is for Kubernetes 1.31.8 of kubeadm, wanted is 1.31.8+rke2r1
    hint: name an image of this version, or say that it does not matter with --k8s-mismatch warn
    ");
}

#[tokio::test]
async fn another_kubernetes_is_refused_told_or_let_pass_as_asked() {
    let consumer = Consumer::new().await;
    let of = async |more: &[&str]| machine(&consumer, &[&[RKE2], more].concat()).await;
    let mut told = String::new();
    for (wanted, exit) in [
        ("v1.31.8+rke2r1", 0),
        ("1.31.8-rke2r1", 0),
        ("v1.31.8", 0),
        ("1.31", 0),
        ("v1.31.8+rke2r2", 5),
        ("v1.31.9", 5),
    ] {
        let ran = of(&["--k8s-version", wanted]).await;
        assert_eq!(ran.exit, Some(exit), "{wanted}: {ran:#?}");
        told += &format!("# {wanted}\n{}", ran.stderr);
    }
    reads!(told, @"
    # v1.31.8+rke2r1
    # 1.31.8-rke2r1
    # v1.31.8
    note: `ubuntu-noble-plain-rke2-1-31-8` has Kubernetes 1.31.8+rke2r1; 1.31.8 leaves the revision open
    # 1.31
    note: `ubuntu-noble-plain-rke2-1-31-8` has Kubernetes 1.31.8+rke2r1; 1.31 leaves the revision open
    # v1.31.8+rke2r2
    error: `ubuntu-noble-plain-rke2-1-31-8` is for Kubernetes 1.31.8+rke2r1, wanted is 1.31.8+rke2r2
    hint: name an image of this version, or say that it does not matter with --k8s-mismatch warn
    # v1.31.9
    error: `ubuntu-noble-plain-rke2-1-31-8` is for Kubernetes 1.31.8+rke2r1, wanted is 1.31.9
    hint: name an image of this version, or say that it does not matter with --k8s-mismatch warn
    ");
    let warned = of(&["--k8s-version", "1.30", "--k8s-mismatch", "warn"]).await;
    assert_eq!(warned.exit, Some(0), "{warned:#?}");
    reads!(warned.stderr, @"warning: `ubuntu-noble-plain-rke2-1-31-8` is for Kubernetes 1.31.8+rke2r1, wanted is 1.30");
    let off = of(&["--k8s-version", "1.30", "--k8s-mismatch", "off"]).await;
    assert_eq!((off.exit, off.stderr.as_str()), (Some(0), ""), "{off:#?}");
    consumer.values("cluster: {k8s_version: v1.30.1+rke2r1}\n");
    let of_values = of(&[]).await;
    assert_eq!(of_values.exit, Some(5), "the values' own cluster counts: {of_values:#?}");
    assert_eq!(of(&["--k8s-version", "1.31"]).await.exit, Some(0), "unless another version is named");
    let wrong = of(&["--k8s-version", "latest"]).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
}

#[tokio::test]
async fn an_image_without_annotations_is_judged_by_its_name() {
    let consumer = Consumer::new().await;
    let fields = "{url: 'https://h/a', checksum: 'CHECKSUM', checksumType: sha256, format: raw}"
        .replace("CHECKSUM", &sha256(RKE2));
    consumer.desk.write(
        "info.yaml",
        format!(
            "os_images_info:\n  {RKE2}: {fields}\n  a: {fields}\n  ubuntu-noble-plain-rke2-1-31: {fields}\n"
        ),
    );
    let of = async |key: &str, version: &str| {
        let arguments = ["machine-image", key, "--os-images-info", "info.yaml", "--k8s-version", version];
        consumer.desk.dibump(&arguments).await
    };
    assert_eq!(of(RKE2, "v1.31.8+rke2r1").await.exit, Some(0));
    assert_eq!(of(RKE2, "1.31.9").await.exit, Some(5));
    assert_eq!(
        of("ubuntu-noble-plain-rke2-1-31", "1.31.9").await.exit,
        Some(0),
        "only the minor can be compared"
    );
    let unknown = of("a", "1.31.8").await;
    assert_eq!(unknown.exit, Some(5), "{unknown:#?}");
    reads!(unknown.stderr, @"
    error: nothing says which Kubernetes `a` is for, wanted is 1.31.8
    hint: name an image of this version, or say that it does not matter with --k8s-mismatch warn
    ");
    let selected = consumer
        .desk
        .dibump(&["machine-image", "--selector", "os=ubuntu", "--os-images-info", "info.yaml"])
        .await;
    reads!(selected.stderr, @"
    error: the ConfigMap does not say what its images are, so no selector can choose
    hint: name an image, or leave out the ConfigMap to ask the registry
    ");
    consumer
        .desk
        .write("info.yaml", format!("os_images_info: {{a: {}}}\n", fields.replace("sha256,", "md5,")));
    let md5 = of("a", "1.31").await;
    assert_eq!(md5.exit, Some(5), "{md5:#?}");
    let mut told = String::new();
    for text in [
        "kind: ConfigMap\ndata: {}\n",
        "kind: ConfigMap\ndata:\n  values.yaml: |\n    a: [\n",
        "a: 1\n",
        "os_images: []\n",
    ] {
        consumer.desk.write("info.yaml", text);
        let ran = of("a", "1.31").await;
        assert_eq!(ran.exit, Some(3), "{text}: {ran:#?}");
        told += &ran.stderr;
    }
    reads!(told, @r#"
    error: info.yaml: it has no data."values.yaml"
    error: info.yaml: data."values.yaml": 1:4: not YAML: unclosed bracket '['
    error: info.yaml: it has neither os_images_info nor os_images
    error: info.yaml: `os_images` is a list (expected a mapping)
    "#);
}
