//! `os-images-info --apply`, and `machine-image` from a cluster.

use std::time::Duration;

use super::{Consumer, HARDENED, KUBEADM};
use crate::fake::kube::FakeKube;
use crate::fake::wire::{Answer, Failure, How};
use crate::said::about;
use crate::world::{PREFIX, Ran};

/// A deployment, and the cluster that a kubeconfig leads to.
struct Stage {
    consumer: Consumer,
    kube: FakeKube,
}

impl Stage {
    async fn new() -> Self {
        let (consumer, kube) = (Consumer::new().await, FakeKube::start().await);
        consumer.desk.write("kubeconfig", kube.kubeconfig());
        Self { consumer, kube }
    }

    async fn apply(&self, more: &[&str]) -> Ran {
        let apply = ["--apply", "--kubeconfig", "kubeconfig"];
        self.consumer.run("os-images-info", &[&apply[..], more].concat()).await
    }

    /// The values in the cluster's ConfigMap.
    fn values(&self) -> String {
        let map = self.kube.config_map("os-images", "os-images-info").expect("it is there");
        map.fields["data.values.yaml"].clone()
    }
}

/// What a command that ended so says.
#[track_caller]
fn told(ran: &Ran, exit: i32) -> String {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    format!("{}{}", ran.stdout, ran.stderr)
}

#[tokio::test]
async fn a_config_map_is_created_changed_and_left_alone() {
    let stage = Stage::new().await;
    reads!(told(&stage.apply(&["--dry-run"]).await, 0), @"ConfigMap os-images-info: created (dry run), 3 images");
    assert!(stage.kube.config_map("os-images", "os-images-info").is_none());
    reads!(told(&stage.apply(&[]).await, 0), @"ConfigMap os-images-info: created, 3 images");
    let printed = stage.consumer.run("os-images-info", &[]).await.stdout;
    let indented: String = stage.values().lines().map(|line| format!("    {line}\n")).collect();
    assert!(printed.ends_with(&indented), "what is applied is what is printed");
    reads!(told(&stage.apply(&[]).await, 0), @"ConfigMap os-images-info: unchanged, 3 images");
    stage.consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    reads!(told(&stage.apply(&[]).await, 3), @"
    ConfigMap os-images-info: changed, 2 images
    error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry
    ");
    assert!(!stage.values().contains(KUBEADM));
    assert!(stage.kube.state().unexpected.is_empty());
    let label = &stage.kube.config_map("os-images", "os-images-info").unwrap().fields["metadata.labels.sylva.os-images-info"];
    assert_eq!(label, "");
}

#[tokio::test]
async fn what_a_cluster_had_stays_where_an_image_is_bad_now() {
    let stage = Stage::new().await;
    stage.apply(&[]).await;
    let before = stage.values();
    stage.consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    let ran = stage.apply(&["--on-error", "keep"]).await;
    reads!(told(&ran, 3), @"
    ConfigMap os-images-info: unchanged, 3 images
    error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry; what was known of it before stays
    ");
    assert_eq!(stage.values(), before);
}

#[tokio::test]
async fn a_cluster_is_never_emptied_unless_that_is_said() {
    let stage = Stage::new().await;
    stage.apply(&[]).await;
    let before = stage.values();
    stage.consumer.desk.write("values.yaml", "");
    reads!(told(&stage.apply(&[]).await, 3), @"
    error: values.yaml: neither `sylva_diskimagebuilder_images` nor `os_images` is set
    hint: pass the values of the chart as well (-f), and check the spelling of the key and --form
    ");
    stage.consumer.desk.write("values.yaml", "sylva_diskimagebuilder_images: {}\n");
    for flags in
        [&[][..], &["--on-error", "fail"], &["--on-error", "keep"], &["--force-conflicts"], &["--dry-run"]]
    {
        reads!(told(&stage.apply(flags).await, 5), @"
        error: ConfigMap os-images-info has 3 images, and none would be left; nothing was written
        hint: --allow-empty writes it all the same
        ");
        assert_eq!(stage.values(), before);
    }
    reads!(told(&stage.apply(&["--allow-empty"]).await, 0), @"ConfigMap os-images-info: changed, 0 images");
}

#[tokio::test]
async fn what_others_set_is_theirs_unless_it_is_taken_over() {
    let stage = Stage::new().await;
    stage.kube.set("os-images", "os-images-info", "helm", "data.notes", "ours");
    stage.kube.set("os-images", "os-images-info", "helm", "data.values.yaml", "os_images: {}\n");
    let ran = stage.apply(&[]).await;
    reads!(told(&ran, 5), @r#"
    error: ConfigMap os-images/os-images-info has other managers: Apply failed with 1 conflict: conflict with "helm" using v1: .data.values.yaml
    hint: `--take-over-from helm` takes over all that it wrote; --force-conflicts takes over only what is in the way
    "#);
    assert_eq!(stage.values(), "os_images: {}\n");
    reads!(told(&stage.apply(&["--force-conflicts"]).await, 0), @"ConfigMap os-images-info: changed, 3 images");
    assert_eq!(stage.kube.config_map("os-images", "os-images-info").unwrap().fields["data.notes"], "ours");
}

#[tokio::test]
async fn a_cluster_that_does_not_do_it_is_told_apart() {
    let stage = Stage::new().await;
    reads!(told(&stage.apply(&["-n", "nowhere"]).await, 3), @r#"error: the cluster does not accept ConfigMap nowhere/os-images-info: namespaces "nowhere" not found"#);
    stage.kube.state().forbidden.insert("patch");
    let ran = stage.apply(&[]).await;
    reads!(told(&ran, 3), @r#"
    error: the cluster refuses to patch ConfigMap os-images/os-images-info: configmaps "os-images-info" is forbidden: User "bot" cannot patch resource "configmaps" in API group "" in the namespace "os-images"
    hint: grant `get`, `patch` and, to make it, `create` of configmaps in that namespace
    "#);
    stage.kube.state().forbidden.clear();
    reads!(told(&stage.apply(&["--context", "elsewhere"]).await, 3), @"
    error: no cluster can be reached: failed to load current context: elsewhere
    hint: name a kubeconfig with --kubeconfig or KUBECONFIG, and a --context in it
    ");
    let ran = stage.consumer.run("os-images-info", &["--apply", "--kubeconfig", "absent"]).await;
    reads!(told(&ran, 3), @r#"
    error: no cluster can be reached: failed to read kubeconfig from '"absent"': No such file or directory (os error N)
    hint: name a kubeconfig with --kubeconfig or KUBECONFIG, and a --context in it
    "#);
    let ran = stage.consumer.run("os-images-info", &["--apply"]).await;
    reads!(told(&ran, 3), @"
    error: no cluster can be reached: no kubeconfig was found, and this is not a pod with a service account (failed to read an incluster environment variable: environment variable not found)
    hint: name a kubeconfig with --kubeconfig or KUBECONFIG, and a --context in it
    ");
    stage.consumer.desk.write("kubeconfig", stage.kube.kubeconfig().replace("kube-token", "other"));
    reads!(told(&stage.apply(&[]).await, 3), @"
    error: couldn't get ConfigMap os-images/os-images-info: the cluster does not accept the credentials: Unauthorized
    hint: the token or certificate of the kubeconfig's user is missing, wrong or expired: renew it
    ");
    assert_eq!(stage.kube.state().config_maps.len(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_looked_after_and_a_failed_write_is_no_success() {
    let lost = |method| Failure::once(method, "configmaps", How::LoseAnswer);
    let answer = |status| How::Answer(Answer::message(status, "later"));
    for failure in [
        Failure::once("PATCH", "configmaps", answer(500)),
        Failure::once("PATCH", "configmaps", answer(429)),
        Failure::once("GET", "configmaps", answer(503)),
        Failure::once("PATCH", "configmaps", How::Reset),
        lost("GET"),
    ] {
        let stage = Stage::new().await;
        stage.kube.state().failures.push(failure.clone());
        reads!(about(&told(&stage.apply(&[]).await, 4), "hint: "), @"hint: nothing was changed; a later run may succeed");
        assert!(stage.kube.config_map("os-images", "os-images-info").is_none(), "{failure:?}");
        assert!(stage.kube.writes() <= 1, "a write is not repeated");
        reads!(told(&stage.apply(&[]).await, 0), @"ConfigMap os-images-info: created, 3 images");
    }
    let stage = Stage::new().await;
    stage.kube.state().failures.push(lost("PATCH"));
    reads!(told(&stage.apply(&[]).await, 0), @"ConfigMap os-images-info: created, 3 images");
    assert_eq!(stage.kube.writes(), 1);
    let delay = How::Delay(Duration::from_millis(200));
    stage.kube.state().failures.push(Failure::once("PATCH", "configmaps", delay));
    reads!(told(&stage.apply(&[]).await, 0), @"ConfigMap os-images-info: unchanged, 3 images");
}

#[tokio::test]
async fn a_machine_gets_its_image_from_the_cluster() {
    let stage = Stage::new().await;
    let arguments = ["machine-image", HARDENED, "--from-cluster", "--kubeconfig", "kubeconfig"];
    let ran = stage.consumer.desk.dibump(&arguments).await;
    reads!(told(&ran, 3), @"error: the cluster has no ConfigMap os-images-info there");
    stage.apply(&[]).await;
    let asked = stage.consumer.registry.requests().len();
    let ran = stage
        .consumer
        .desk
        .dibump(&[&arguments[..], &["--url-template", "https://h/{{ key }}"]].concat())
        .await;
    reads!(about(&told(&ran, 0), "url: "), @"url: https://h/ubuntu-noble-hardened-rke2-1-31-8");
    let chosen = [
        "machine-image",
        "--selector",
        "os=ubuntu,hardened=false",
        "--from-cluster",
        "--kubeconfig",
        "kubeconfig",
    ];
    reads!(about(&told(&stage.consumer.desk.dibump(&chosen).await, 0), "url: "), @"url: http://ubuntu-noble-plain-rke2-1-31-8.os-images.svc.cluster.local:8080/ubuntu-noble-plain-rke2-1-31-8/image.raw");
    assert_eq!(stage.consumer.registry.requests().len(), asked, "no registry is asked");
}

#[tokio::test]
async fn more_than_a_config_map_takes_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    stage
        .consumer
        .values(&format!("os_images: {{large: {{uri: 'https://h', notes: {}}}}}\n", "x".repeat(1 << 20)));
    reads!(told(&stage.apply(&[]).await, 3), @"error: the cluster does not accept ConfigMap os-images/os-images-info: it has 1050155 bytes, and a ConfigMap takes 1048576");
    assert_eq!(stage.kube.writes(), 0);
}
