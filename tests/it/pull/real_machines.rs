//! How a real kube-apiserver lists machines, recorded by `tests/cluster/machines`: the server of the stories answers the same,
//! and so `pull --keep-used` keeps the same images.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::consumer::real_cluster::missing_tool;
use crate::fake::kube::{FakeKube, TOKEN};
use crate::said::about;
use crate::world::Desk;

const RECORDED: &str = include_str!("../../cluster/real-machines.json");

#[derive(Deserialize)]
struct Recorded {
    objects: Vec<Value>,
    /// The files of the folder of images, by their paths.
    folder: BTreeMap<String, String>,
    steps: Vec<Step>,
    kubectl: String,
    pull: Vec<String>,
    by_file: Value,
    by_cluster: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Step {
    r#as: String,
    path: String,
    query: String,
    answer: Value,
}

impl Recorded {
    fn read() -> Self {
        serde_json::from_str(RECORDED).unwrap()
    }

    /// The images that are stored, and what becomes of them.
    async fn pull(&self, used: &[&str], more: &[(&str, &str)]) -> Value {
        let mut desk = Desk::new();
        desk.now = "2026-05-06T00:00:00Z".to_owned();
        for below in ["images/images", "images/blobs/sha256"] {
            std::fs::create_dir_all(desk.path(below)).unwrap();
        }
        let folder = self.folder.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        for (path, text) in folder.chain([("values.yaml", "os_images: {}\n")]).chain(more.iter().copied()) {
            desk.write(path, text);
        }
        let arguments: Vec<&str> = self.pull.iter().map(String::as_str).chain(used.iter().copied()).collect();
        let ran = desk.dibump(&arguments).await;
        json!({"exit": ran.exit, "stdout": ran.stdout, "stderr": ran.stderr})
    }

    /// The cluster, with the objects in the order of the real one: by namespace and name.
    async fn kube(&self) -> FakeKube {
        let kube = FakeKube::start().await;
        for (plural, kind) in [
            ("metal3machines", "Metal3Machine"),
            ("metal3machinetemplates", "Metal3MachineTemplate"),
            ("baremetalhosts", "BareMetalHost"),
        ] {
            let mut of_kind: Vec<Value> =
                self.objects.iter().filter(|object| object["kind"] == kind).cloned().collect();
            of_kind.sort_by_key(name);
            kube.state().machines.insert(plural, of_kind);
        }
        kube
    }
}

fn name(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
    format!("{}/{}", text("namespace"), text("name"))
}

/// Whoever may list may list all kinds.
fn is_asked_by(kube: &FakeKube, user: &str) {
    let mut state = kube.state();
    state.user = Some(user.to_owned());
    state.forbidden = if user == "bot" { ["list"].into() } else { [].into() };
}

/// What an answer says, without what is another in each cluster.
async fn seen(kube: &FakeKube, step: &Step) -> Value {
    let address = kube.url("", "").split("/api").next().unwrap().to_owned();
    let asked =
        reqwest::Client::new().get(format!("{address}{}?{}", step.path, step.query)).bearer_auth(TOKEN);
    let answer = asked.send().await.unwrap();
    let code = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    if body["kind"] == "Status" {
        return json!({"code": code, "reason": body["reason"], "message": body["message"]});
    }
    if let Some(preferred) = body["preferredVersion"]["groupVersion"].as_str() {
        return json!({"code": code, "preferred": preferred});
    }
    let Some(items) = body["items"].as_array() else { return json!({"code": code}) };
    let mut versions: Vec<&Value> = items.iter().map(|item| &item["apiVersion"]).collect();
    versions.dedup();
    let goes_on = body["metadata"]["continue"].as_str().is_some_and(|next| !next.is_empty());
    json!({"code": code, "names": items.iter().map(name).collect::<Vec<_>>(), "versions": versions, "goes_on": goes_on})
}

#[tokio::test]
async fn a_real_api_server_lists_machines_as_ours_does() {
    let recorded = Recorded::read();
    let kube = recorded.kube().await;
    assert!(recorded.steps.len() >= 10);
    for step in &recorded.steps {
        is_asked_by(&kube, &step.r#as);
        assert_eq!(seen(&kube, step).await, step.answer, "{} {}?{}", step.r#as, step.path, step.query);
    }
}

#[tokio::test]
async fn of_what_a_real_cluster_says_the_images_are_kept_that_machines_use() {
    let recorded = Recorded::read();
    let by_file = recorded.pull(&["used.yaml"], &[("used.yaml", &recorded.kubectl)]).await;
    assert_eq!(by_file, recorded.by_file);
    let stdout = by_file["stdout"].as_str().unwrap();
    reads!(about(stdout, "not wanted"), @"
    template: not wanted any more, kept, 5 B (a machine uses it)
    machine: not wanted any more, kept, 5 B (a machine uses it)
    host: not wanted any more, kept, 5 B (a machine uses it)
    status: not wanted any more, kept, 5 B (a machine uses it)
    unused: not wanted any more, removed, 5 B (since 2026-05-06T00:00:00Z)
    ");
    for (user, ran) in &recorded.by_cluster {
        let kube = recorded.kube().await;
        if user == "without machines" {
            kube.state().machines.clear();
        }
        is_asked_by(&kube, user);
        let kubeconfig = kube.kubeconfig();
        let ours =
            recorded.pull(&["cluster", "--kubeconfig", "kubeconfig"], &[("kubeconfig", &kubeconfig)]).await;
        assert_eq!(&ours, ran, "{user}");
    }
}

/// Where the tools are there (`tests/cluster/install`), it is recorded again.
#[tokio::test]
async fn a_real_api_server_still_says_what_was_recorded() {
    if let Some(tool) = missing_tool() {
        writeln!(std::io::stderr(), "kube-apiserver: machines are not recorded again: no {tool}").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recorded.json");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/machines");
    let made =
        tokio::process::Command::new(script).arg(&file).arg(env!("CARGO_BIN_EXE_dibump")).output().await;
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |bytes: &[u8]| {
        let mut recorded: Value = serde_json::from_slice(bytes).unwrap();
        recorded.as_object_mut().unwrap().remove("tools");
        recorded
    };
    assert_eq!(read(&std::fs::read(&file).unwrap()), read(RECORDED.as_bytes()));
}
