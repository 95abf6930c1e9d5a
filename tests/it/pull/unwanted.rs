//! What is not wanted any more: it stays while machines use it and for a while, and goes once all that is wanted is there.

use serde_json::{Value, json};

use super::{Built, KEY, OTHER, Puller, TAG, disk};
use crate::fake::kube::FakeKube;
use crate::fake::oci::{FakeRegistry, Fault};
use crate::fake::wire::{Answer, Failure, How};
use crate::said::about;
use crate::world::{PREFIX, Ran};

/// Both images are pulled, and then only one of them is wanted.
struct Stage {
    registry: FakeRegistry,
    puller: Puller,
    kept: Built,
    unwanted: Built,
}

impl Stage {
    async fn new() -> Self {
        let registry = FakeRegistry::start().await;
        let (kept, unwanted) = (Built::new(KEY, disk(1)), Built::new(OTHER, disk(2)));
        kept.push(&registry);
        unwanted.push(&registry);
        let puller = Puller::new(&registry.prefix(PREFIX), &[KEY, OTHER]);
        let ran = puller.pull(&[]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        puller.desk.write("values.yaml", values(&[KEY]));
        Self { registry, puller, kept, unwanted }
    }

    /// Pulls so many hours later.
    async fn later(&self, hours: u32, more: &[&str]) -> Ran {
        let now = format!("2026-05-{:02}T{:02}:00:00.25Z", 6 + hours / 24, hours % 24);
        let mut command = self.puller.desk.command(&Puller::arguments(more));
        command.env("DIBUMP_NOW", now);
        crate::world::ended(command.spawn().unwrap()).await
    }

    /// Pulls so many hours later. What is said of the other image, of the cluster, and in errors.
    async fn says(&self, hours: u32, more: &[&str], exit: i32) -> String {
        let ran = self.later(hours, more).await;
        assert_eq!(ran.exit, Some(exit), "{ran:#?}");
        let lines = [about(&ran.stdout, OTHER), about(&ran.stdout, "ConfigMap")].concat();
        format!("# {hours} hours later\n{lines}{}", ran.stderr)
    }

    fn has_unwanted(&self) -> bool {
        self.puller.visible().contains(&self.unwanted.sha256())
    }
}

/// No try of a download gets anywhere.
fn unreachable() -> Fault {
    Fault::status(503).on("/blobs/").times(5)
}

fn values(keys: &[&str]) -> String {
    let images: String = keys.iter().map(|key| format!("  {key}: {{enabled: true}}\n")).collect();
    format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images:\n{images}")
}

#[tokio::test]
async fn an_image_that_is_not_wanted_goes_after_its_time() {
    let stage = Stage::new().await;
    let mut said = String::new();
    said += &stage.says(0, &[], 0).await;
    said += &stage.says(23, &[], 0).await;
    said += &stage.says(99, &["--keep-unwanted"], 0).await;
    assert!(stage.has_unwanted());
    let ran = stage.later(24, &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let unwanted = json!([{
        "keys": [OTHER], "sha256": stage.unwanted.sha256(), "size": 723_000, "result": "removed",
        "unwanted_since": "2026-05-06T00:00:00Z",
    }]);
    assert_eq!(report["unwanted"], unwanted, "{report:#}");
    assert!(!stage.has_unwanted() && stage.puller.index(OTHER).is_none());
    assert!(stage.puller.has(&stage.kept));
    let ran = stage.later(25, &[]).await;
    assert_eq!(ran.stdout, format!("{KEY}: present, 706.1 KiB\n"), "it is forgotten");
    reads!(said, @"
    # 0 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (until 2026-05-07T00:00:00Z)
    # 23 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (until 2026-05-07T00:00:00Z)
    # 99 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    ");
}

#[tokio::test]
async fn what_is_wanted_again_stays_and_its_time_begins_anew() {
    let stage = Stage::new().await;
    let mut said = String::new();
    stage.later(0, &[]).await;
    stage.puller.desk.write("values.yaml", values(&[KEY, OTHER]));
    said += &stage.says(30, &[], 0).await;
    stage.puller.desk.write("values.yaml", values(&[KEY]));
    said += &stage.says(31, &[], 0).await;
    assert!(stage.has_unwanted());
    reads!(said, @"
    # 30 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: present, 706.1 KiB
    # 31 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (until 2026-05-08T07:00:00Z)
    ");
}

#[tokio::test]
async fn nothing_goes_while_a_wanted_image_is_not_there() {
    let stage = Stage::new().await;
    let mut said = String::new();
    stage.puller.desk.write("values.yaml", values(&[KEY, "ubuntu-noble-hardened-rke2-1-31-8"]));
    said += &stage.says(0, &["--grace", "0s"], 3).await;
    assert!(stage.has_unwanted());
    // One that cannot be told.
    stage.puller.desk.write("values.yaml", values(&[KEY]));
    Built::new(KEY, disk(3)).push(&stage.registry);
    stage.registry.fault(unreachable());
    said += &stage.says(1, &["--grace", "0s"], 4).await;
    assert!(stage.has_unwanted() && stage.puller.has(&stage.kept));
    said += &stage.says(2, &["--grace", "0s"], 0).await;
    assert_eq!(stage.puller.visible().len(), 1, "what was replaced went as well");
    reads!(said, @"
    # 0 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    note: nothing is removed, because not all wanted images are complete
    error: values.yaml:4:3: `ubuntu-noble-hardened-rke2-1-31-8` is not in the registry (oci://HOST/sylva/diskimage-builder/ubuntu-noble-hardened-rke2-1-31-8:0.4.12); the nearest is `ubuntu-noble-plain-rke2-1-31-8`
    # 1 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    note: nothing is removed, because not all wanted images are complete
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` could not be downloaded: couldn't reach http://HOST/v2/sylva/diskimage-builder/ubuntu-noble-plain-rke2-1-31-8/blobs/DIGEST: it answered 503 Service Unavailable
    # 2 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, removed, 706.1 KiB (since 2026-05-06T00:00:00Z)
    ");
}

#[tokio::test]
async fn what_machines_use_stays_by_a_file_or_by_the_cluster() {
    let stage = Stage::new().await;
    let mut said = String::new();
    let desk = &stage.puller.desk;
    let image = json!({"url": format!("https://h/{OTHER}.raw"), "checksum": "https://h/a.sha256sum"});
    let host = json!({"kind": "BareMetalHost", "spec": {}, "status": {"provisioning": {"image": image}}});
    let machine = json!({"kind": "Metal3Machine", "spec": {"image": {"url": "http://h/x", "checksum": "1"}}});
    desk.write("used.json", json!({"kind": "List", "items": [machine, host]}).to_string());
    let used = ["--grace", "0s", "--keep-used"];
    said += &stage.says(0, &[&used[..], &["used.json"]].concat(), 0).await;
    for text in ["", "kind: Secret\n", "a: 1\n"] {
        desk.write("wrong.yaml", text);
        said += &stage.says(1, &[&used[..], &["wrong.yaml"]].concat(), 3).await;
    }

    let kube = FakeKube::start().await;
    desk.write("kubeconfig", kube.kubeconfig());
    let cluster = [&used[..], &["cluster", "--kubeconfig", "kubeconfig"]].concat();
    said += &stage.says(2, &cluster, 3).await;
    for kind in ["metal3machines", "metal3machinetemplates"] {
        kube.state().machines.insert(kind, vec![machine.clone()]);
    }
    said += &stage.says(2, &cluster, 3).await;
    kube.state().machines.insert("baremetalhosts", vec![machine.clone(), machine.clone(), host]);
    kube.state().page = Some(2);
    said += &stage.says(3, &cluster, 0).await;
    let refused = |how| Failure::once("GET", "baremetalhosts", how);
    kube.state().failures.push(refused(How::Answer(Answer::message(503, "later"))));
    said += &stage.says(4, &cluster, 4).await;
    assert!(stage.has_unwanted(), "what could not be read is not taken for unused");
    kube.state().forbidden.insert("list");
    said += &stage.says(5, &cluster, 3).await;
    kube.state().forbidden.clear();
    assert!(stage.has_unwanted());
    kube.state().machines.insert("baremetalhosts", vec![machine]);
    said += &stage.says(6, &cluster, 0).await;
    assert!(!stage.has_unwanted() && kube.writes() == 0);
    reads!(said, @r#"
    # 0 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (a machine uses it)
    note: used.json: machines use 2 images
    # 1 hours later
    error: wrong.yaml: it holds no Kubernetes object and no list of objects
    hint: write it with `kubectl get metal3machinetemplates,metal3machines,baremetalhosts -A -o yaml`
    # 1 hours later
    error: wrong.yaml: it holds objects of other kinds (Secret), and none of BareMetalHost, Metal3Machine and Metal3MachineTemplate
    hint: write it with `kubectl get metal3machinetemplates,metal3machines,baremetalhosts -A -o yaml`
    # 1 hours later
    error: wrong.yaml: it holds no Kubernetes object and no list of objects
    hint: write it with `kubectl get metal3machinetemplates,metal3machines,baremetalhosts -A -o yaml`
    # 2 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    error: the cluster does not know metal3machines, metal3machinetemplates (infrastructure.cluster.x-k8s.io)
    hint: name the cluster that manages the machines with --kubeconfig or --context
    # 2 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    error: the cluster does not know baremetalhosts (metal3.io)
    hint: name the cluster that manages the machines with --kubeconfig or --context
    # 3 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (a machine uses it)
    # 4 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    error: couldn't list baremetalhosts (metal3.io): later
    hint: nothing was changed; a later run may succeed
    # 5 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    error: the cluster refuses to list metal3machines (infrastructure.cluster.x-k8s.io): metal3machines.infrastructure.cluster.x-k8s.io is forbidden: User "bot" cannot list resource "metal3machines" in API group "infrastructure.cluster.x-k8s.io" at the cluster scope
    hint: grant `list` of baremetalhosts, metal3machines and metal3machinetemplates in all namespaces
    # 6 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, removed, 706.1 KiB (since 2026-05-06T00:00:00Z)
    "#);
}

#[tokio::test]
async fn the_config_map_has_what_is_served() {
    let stage = Stage::new().await;
    let mut said = String::new();
    let kube = FakeKube::start().await;
    stage.puller.desk.write("kubeconfig", kube.kubeconfig());
    let apply = ["--apply", "--kubeconfig", "kubeconfig"];
    let name = "capm3-os-image-server-os-images";
    let served = |namespace: &str| {
        let map = kube.config_map(namespace, name)?;
        let values: Value = yaml_serde::from_str(&map.fields["data.values.yaml"]).unwrap();
        let images = values["capm3_os_image_server_images"].as_object().unwrap().clone();
        assert!(images.values().all(|image| image["available"] == true), "{images:?}");
        let key =
            |(sha256, image): (String, Value)| (sha256, image["image_key"].as_str().unwrap().to_owned());
        Some(images.into_iter().map(key).collect::<std::collections::BTreeMap<_, _>>())
    };
    let (kept, unwanted) = (stage.kept.sha256(), stage.unwanted.sha256());
    said += &stage.says(0, &apply, 0).await;
    let both = [(kept.clone(), KEY.to_owned()), (unwanted, OTHER.to_owned())];
    assert_eq!(served("os-images"), Some(both.into()), "what is still served is available");
    said += &stage.says(1, &apply, 0).await;
    let printed = stage.later(2, &["--format", "config-map"]).await;
    let map: Value = yaml_serde::from_str(&printed.stdout).unwrap();
    let stored = kube.config_map("os-images", name).unwrap();
    assert_eq!(map["data"]["values.yaml"], stored.fields["data.values.yaml"], "{printed:#?}");
    reads!(std::mem::take(&mut said), @"
    # 0 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (until 2026-05-07T00:00:00Z)
    ConfigMap capm3-os-image-server-os-images: created, 2 images
    # 1 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (until 2026-05-07T00:00:00Z)
    ConfigMap capm3-os-image-server-os-images: unchanged, 2 images
    ");
    // The cluster hears of it before the file goes.
    kube.state().failures.push(Failure::once(
        "PATCH",
        "configmaps",
        How::Answer(Answer::message(500, "later")),
    ));
    said += &stage.says(24, &apply, 4).await;
    assert!(stage.has_unwanted());
    said += &stage.says(25, &apply, 0).await;
    assert_eq!(served("os-images"), Some([(kept.clone(), KEY.to_owned())].into()));
    assert!(!stage.has_unwanted());
    let elsewhere = [&apply[..], &["--apply-to", "default/images"]].concat();
    said += &stage.says(26, &elsewhere, 0).await;
    // What is wanted and not complete is not in it.
    stage.puller.desk.write("values.yaml", values(&[KEY, OTHER]));
    stage.registry.fault(unreachable());
    said += &stage.says(27, &apply, 4).await;
    // A cluster is never emptied by mistake.
    stage.puller.desk.write(
        "values.yaml",
        format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images: {{}}\n"),
    );
    let empty = [&apply[..], &["--allow-empty", "--grace", "0s"]].concat();
    said += &stage.says(28, &empty, 0).await;
    assert_eq!(served("os-images").unwrap().len(), 0);
    reads!(said, @"
    # 24 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, kept, 706.1 KiB (nothing is removed)
    error: couldn't patch ConfigMap os-images/capm3-os-image-server-os-images: later
    hint: nothing was changed; a later run may succeed
    # 25 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: not wanted any more, removed, 706.1 KiB (since 2026-05-06T00:00:00Z)
    ConfigMap capm3-os-image-server-os-images: changed, 1 image
    # 26 hours later
    ConfigMap images: created, 1 image
    # 27 hours later
    opensuse-15-6-plain-kubeadm-1-31-8: failed
    ConfigMap capm3-os-image-server-os-images: unchanged, 1 image
    error: values.yaml:4:3: `opensuse-15-6-plain-kubeadm-1-31-8` could not be downloaded: couldn't reach http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-31-8/blobs/DIGEST: it answered 503 Service Unavailable
    # 28 hours later
    ConfigMap capm3-os-image-server-os-images: changed, 0 images
    ");
    let ran = stage.later(29, &[&apply[..], &["--apply-to", "a b"]].concat()).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    reads!(ran.stderr.lines().next().unwrap(), @"error: invalid value 'a b' for '--apply-to <[NAMESPACE/]NAME>': expected a name, or a namespace and a name, as in sylva-system/capm3-os-image-server-os-images");
}
