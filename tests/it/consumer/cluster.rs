//! `os-images-info --apply`, and `machine-image` from a cluster.

use std::time::Duration;

use super::{Consumer, HARDENED, KUBEADM, RKE2};
use crate::fake::kube::FakeKube;
use crate::fake::wire::{Answer, Failure, How};
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

fn says(ran: &Ran, exit: i32, said: &str) {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    assert!(ran.stdout.contains(said) || ran.stderr.contains(said), "{said}: {ran:#?}");
}

#[tokio::test]
async fn a_config_map_is_created_changed_and_left_alone() {
    let stage = Stage::new().await;
    says(&stage.apply(&["--dry-run"]).await, 0, "ConfigMap os-images-info: created (dry run), 3 images");
    assert!(stage.kube.config_map("os-images", "os-images-info").is_none());
    says(&stage.apply(&[]).await, 0, "ConfigMap os-images-info: created, 3 images");
    let printed = stage.consumer.run("os-images-info", &[]).await.stdout;
    let indented: String = stage.values().lines().map(|line| format!("    {line}\n")).collect();
    assert!(printed.ends_with(&indented), "what is applied is what is printed");
    says(&stage.apply(&[]).await, 0, "unchanged");
    stage.consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    says(&stage.apply(&[]).await, 3, "changed, 2 images");
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
    says(&ran, 3, "what was known of it before stays");
    assert_eq!(stage.values(), before);
}

#[tokio::test]
async fn a_cluster_is_never_emptied_unless_that_is_said() {
    let stage = Stage::new().await;
    stage.apply(&[]).await;
    let before = stage.values();
    stage.consumer.desk.write("values.yaml", "");
    says(&stage.apply(&[]).await, 3, "neither `sylva_diskimagebuilder_images` nor `os_images` is set");
    stage.consumer.desk.write("values.yaml", "sylva_diskimagebuilder_images: {}\n");
    for flags in
        [&[][..], &["--on-error", "fail"], &["--on-error", "keep"], &["--force-conflicts"], &["--dry-run"]]
    {
        says(&stage.apply(flags).await, 5, "ConfigMap os-images-info has 3 images, and none would be left");
        assert_eq!(stage.values(), before);
    }
    says(&stage.apply(&["--allow-empty"]).await, 0, "changed, 0 images");
}

#[tokio::test]
async fn what_others_set_is_theirs_unless_it_is_taken_over() {
    let stage = Stage::new().await;
    stage.kube.set("os-images", "os-images-info", "helm", "data.notes", "ours");
    stage.kube.set("os-images", "os-images-info", "helm", "data.values.yaml", "os_images: {}\n");
    let ran = stage.apply(&[]).await;
    says(&ran, 5, "conflict with \"helm\" using v1: .data.values.yaml");
    says(&ran, 5, "`--take-over-from helm` takes over all that it wrote");
    assert_eq!(stage.values(), "os_images: {}\n");
    says(&stage.apply(&["--force-conflicts"]).await, 0, "changed, 3 images");
    assert_eq!(stage.kube.config_map("os-images", "os-images-info").unwrap().fields["data.notes"], "ours");
}

#[tokio::test]
async fn a_cluster_that_does_not_do_it_is_told_apart() {
    let stage = Stage::new().await;
    says(&stage.apply(&["-n", "nowhere"]).await, 3, "namespaces \"nowhere\" not found");
    stage.kube.state().forbidden.insert("patch");
    let ran = stage.apply(&[]).await;
    says(&ran, 3, "cannot patch resource \"configmaps\"");
    says(&ran, 3, "hint: grant `get`, `patch` and, to make it, `create` of configmaps");
    stage.kube.state().forbidden.clear();
    says(&stage.apply(&["--context", "elsewhere"]).await, 3, "elsewhere");
    let ran = stage.consumer.run("os-images-info", &["--apply", "--kubeconfig", "absent"]).await;
    says(&ran, 3, "no cluster can be reached");
    let ran = stage.consumer.run("os-images-info", &["--apply"]).await;
    says(&ran, 3, "no kubeconfig was found");
    stage.consumer.desk.write("kubeconfig", stage.kube.kubeconfig().replace("kube-token", "other"));
    says(&stage.apply(&[]).await, 3, "does not accept the credentials: Unauthorized");
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
        says(&stage.apply(&[]).await, 4, "hint: nothing was changed");
        assert!(stage.kube.config_map("os-images", "os-images-info").is_none(), "{failure:?}");
        assert!(stage.kube.writes() <= 1, "a write is not repeated");
        says(&stage.apply(&[]).await, 0, "created");
    }
    let stage = Stage::new().await;
    stage.kube.state().failures.push(lost("PATCH"));
    says(&stage.apply(&[]).await, 0, "created, 3 images");
    assert_eq!(stage.kube.writes(), 1);
    let delay = How::Delay(Duration::from_millis(200));
    stage.kube.state().failures.push(Failure::once("PATCH", "configmaps", delay));
    says(&stage.apply(&[]).await, 0, "unchanged");
}

#[tokio::test]
async fn a_machine_gets_its_image_from_the_cluster() {
    let stage = Stage::new().await;
    let arguments = ["machine-image", HARDENED, "--from-cluster", "--kubeconfig", "kubeconfig"];
    let ran = stage.consumer.desk.dibump(&arguments).await;
    says(&ran, 3, "the cluster has no ConfigMap os-images-info there");
    stage.apply(&[]).await;
    let asked = stage.consumer.registry.requests().len();
    let ran = stage
        .consumer
        .desk
        .dibump(&[&arguments[..], &["--url-template", "https://h/{{ key }}"]].concat())
        .await;
    says(&ran, 0, &format!("url: https://h/{HARDENED}"));
    let chosen = [
        "machine-image",
        "--selector",
        "os=ubuntu,hardened=false",
        "--from-cluster",
        "--kubeconfig",
        "kubeconfig",
    ];
    says(&stage.consumer.desk.dibump(&chosen).await, 0, &format!("/{RKE2}/image.raw"));
    assert_eq!(stage.consumer.registry.requests().len(), asked, "no registry is asked");
}

#[tokio::test]
async fn more_than_a_config_map_takes_is_refused_before_it_is_sent() {
    let stage = Stage::new().await;
    stage
        .consumer
        .values(&format!("os_images: {{large: {{uri: 'https://h', notes: {}}}}}\n", "x".repeat(1 << 20)));
    says(&stage.apply(&[]).await, 3, "a ConfigMap takes 1048576");
    assert_eq!(stage.kube.writes(), 0);
}
