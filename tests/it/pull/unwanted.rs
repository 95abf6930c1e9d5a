//! What is not wanted any more: it stays while machines use it and for a while, and goes once all that is wanted is there.

use serde_json::{Value, json};

use super::{Built, KEY, OTHER, Puller, TAG, disk};
use crate::fake::kube::FakeKube;
use crate::fake::oci::{FakeRegistry, Fault};
use crate::fake::wire::{Answer, Failure, How};
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

fn says(ran: &Ran, exit: i32, said: &str) {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    assert!(ran.stdout.contains(said) || ran.stderr.contains(said), "{said}: {ran:#?}");
}

#[tokio::test]
async fn an_image_that_is_not_wanted_goes_after_its_time() {
    let stage = Stage::new().await;
    says(&stage.later(0, &[]).await, 0, "not wanted any more, kept, 706.1 KiB (until 2026-05-07T00:00:00Z)");
    says(&stage.later(23, &[]).await, 0, "kept, 706.1 KiB (until 2026-05-07T00:00:00Z)");
    says(&stage.later(99, &["--keep-unwanted"]).await, 0, "kept, 706.1 KiB (nothing is removed)");
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
}

#[tokio::test]
async fn what_is_wanted_again_stays_and_its_time_begins_anew() {
    let stage = Stage::new().await;
    stage.later(0, &[]).await;
    stage.puller.desk.write("values.yaml", values(&[KEY, OTHER]));
    says(&stage.later(30, &[]).await, 0, &format!("{OTHER}: present"));
    stage.puller.desk.write("values.yaml", values(&[KEY]));
    says(&stage.later(31, &[]).await, 0, "kept, 706.1 KiB (until 2026-05-08T07:00:00Z)");
    assert!(stage.has_unwanted());
}

#[tokio::test]
async fn nothing_goes_while_a_wanted_image_is_not_there() {
    let stage = Stage::new().await;
    stage.puller.desk.write("values.yaml", values(&[KEY, "ubuntu-noble-hardened-rke2-1-31-8"]));
    let ran = stage.later(0, &["--grace", "0s"]).await;
    says(&ran, 3, "note: nothing is removed, because not all wanted images are complete");
    assert!(stage.has_unwanted());
    // One that cannot be told.
    stage.puller.desk.write("values.yaml", values(&[KEY]));
    Built::new(KEY, disk(3)).push(&stage.registry);
    stage.registry.fault(unreachable());
    let ran = stage.later(1, &["--grace", "0s"]).await;
    says(&ran, 4, "kept, 706.1 KiB (nothing is removed)");
    assert!(stage.has_unwanted() && stage.puller.has(&stage.kept));
    says(&stage.later(2, &["--grace", "0s"]).await, 0, "removed");
    assert_eq!(stage.puller.visible().len(), 1, "what was replaced went as well");
}

#[tokio::test]
async fn what_machines_use_stays_by_a_file_or_by_the_cluster() {
    let stage = Stage::new().await;
    let desk = &stage.puller.desk;
    let image = json!({"url": format!("https://h/{OTHER}.raw"), "checksum": "https://h/a.sha256sum"});
    let host = json!({"kind": "BareMetalHost", "spec": {}, "status": {"provisioning": {"image": image}}});
    let machine = json!({"kind": "Metal3Machine", "spec": {"image": {"url": "http://h/x", "checksum": "1"}}});
    desk.write("used.json", json!({"kind": "List", "items": [machine, host]}).to_string());
    let used = ["--grace", "0s", "--keep-used"];
    says(
        &stage.later(0, &[&used[..], &["used.json"]].concat()).await,
        0,
        "kept, 706.1 KiB (a machine uses it)",
    );
    for (text, said) in [
        ("", "cannot be"),
        ("kind: Secret\n", "holds objects of other kinds (Secret)"),
        ("a: 1\n", "it holds no Kubernetes object"),
    ] {
        desk.write("wrong.yaml", text);
        let ran = stage.later(1, &[&used[..], &["wrong.yaml"]].concat()).await;
        assert_eq!(ran.exit, Some(3), "{said}: {ran:#?}");
        assert!(ran.stderr.contains("wrong.yaml"), "{ran:#?}");
    }

    let kube = FakeKube::start().await;
    desk.write("kubeconfig", kube.kubeconfig());
    let cluster = [&used[..], &["cluster", "--kubeconfig", "kubeconfig"]].concat();
    says(
        &stage.later(2, &cluster).await,
        3,
        "the cluster does not know metal3machines, metal3machinetemplates",
    );
    for kind in ["metal3machines", "metal3machinetemplates"] {
        kube.state().machines.insert(kind, vec![machine.clone()]);
    }
    says(&stage.later(2, &cluster).await, 3, "the cluster does not know baremetalhosts (metal3.io)");
    kube.state().machines.insert("baremetalhosts", vec![machine.clone(), machine.clone(), host]);
    kube.state().page = Some(2);
    says(&stage.later(3, &cluster).await, 0, "kept, 706.1 KiB (a machine uses it)");
    let refused = |how| Failure::once("GET", "baremetalhosts", how);
    let ran = {
        kube.state().failures.push(refused(How::Answer(Answer::message(503, "later"))));
        stage.later(4, &cluster).await
    };
    says(&ran, 4, "couldn't list baremetalhosts (metal3.io)");
    assert!(stage.has_unwanted(), "what could not be read is not taken for unused");
    kube.state().forbidden.insert("list");
    says(&stage.later(5, &cluster).await, 3, "hint: grant `list` of baremetalhosts");
    kube.state().forbidden.clear();
    assert!(stage.has_unwanted());
    kube.state().machines.insert("baremetalhosts", vec![machine]);
    says(&stage.later(6, &cluster).await, 0, "removed, 706.1 KiB (since 2026-05-06T00:00:00Z)");
    assert!(!stage.has_unwanted() && kube.writes() == 0);
}

#[tokio::test]
async fn the_config_map_has_what_is_served() {
    let stage = Stage::new().await;
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
    says(&stage.later(0, &apply).await, 0, &format!("ConfigMap {name}: created, 2 images"));
    let both = [(kept.clone(), KEY.to_owned()), (unwanted, OTHER.to_owned())];
    assert_eq!(served("os-images"), Some(both.into()), "what is still served is available");
    says(&stage.later(1, &apply).await, 0, "unchanged, 2 images");
    let printed = stage.later(2, &["--format", "config-map"]).await;
    let map: Value = yaml_serde::from_str(&printed.stdout).unwrap();
    let stored = kube.config_map("os-images", name).unwrap();
    assert_eq!(map["data"]["values.yaml"], stored.fields["data.values.yaml"], "{printed:#?}");
    // The cluster hears of it before the file goes.
    kube.state().failures.push(Failure::once(
        "PATCH",
        "configmaps",
        How::Answer(Answer::message(500, "later")),
    ));
    says(&stage.later(24, &apply).await, 4, "kept, 706.1 KiB (nothing is removed)");
    assert!(stage.has_unwanted());
    says(&stage.later(25, &apply).await, 0, "changed, 1 images");
    assert_eq!(served("os-images"), Some([(kept.clone(), KEY.to_owned())].into()));
    assert!(!stage.has_unwanted());
    let elsewhere = [&apply[..], &["--apply-to", "default/images"]].concat();
    says(&stage.later(26, &elsewhere).await, 0, "ConfigMap images: created, 1 images");
    // What is wanted and not complete is not in it.
    stage.puller.desk.write("values.yaml", values(&[KEY, OTHER]));
    stage.registry.fault(unreachable());
    says(&stage.later(27, &apply).await, 4, "unchanged, 1 images");
    // A cluster is never emptied by mistake.
    stage.puller.desk.write(
        "values.yaml",
        format!("sylva_diskimagebuilder_version: {TAG}\ndiskimage_builder_os_images: {{}}\n"),
    );
    let empty = [&apply[..], &["--allow-empty", "--grace", "0s"]].concat();
    says(&stage.later(28, &empty).await, 0, "changed, 0 images");
    assert_eq!(served("os-images").unwrap().len(), 0);
    let ran = stage.later(29, &[&apply[..], &["--apply-to", "a b"]].concat()).await;
    says(&ran, 2, "expected a name, or a namespace and a name");
}
