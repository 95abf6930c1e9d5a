//! What a real kube-apiserver said to requests, to kubectl and to `os-images-info --apply`, recorded by
//! `tests/cluster/make`: the server of the stories says the same, and so does dibump to it. Where the tools are there
//! (`tests/cluster/install`), it is recorded again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::fake::kube::{FakeKube, Operation, Stored, TOKEN};
use crate::lasting::behind_tls;
use crate::world::Desk;

const TOOLS: [&str; 4] = ["kube-apiserver", "kubectl", "etcd", "python3"];
const FOLDER: &str = "DIBUMP_CLUSTER_TOOLS";
const NAMESPACE: &str = "os-images";
const NAME: &str = "os-images-info";

#[derive(Debug, Deserialize)]
struct Recorded {
    tools: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Case {
    name: String,
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Step {
    #[serde(flatten)]
    what: What,
    /// The ConfigMap behind it.
    after: Option<Seen>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum What {
    Kubectl { kubectl: Vec<String> },
    Request { request: Request, answer: Value },
    Dibump { dibump: Call, ran: Value },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Request {
    r#as: String,
    method: String,
    #[serde(default)]
    query: String,
    r#type: Option<String>,
    namespace: Option<String>,
    body: Option<Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Call {
    r#as: String,
    flags: Vec<String>,
    images: Value,
    #[serde(default = "yes")]
    trusted: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    managers: Vec<Manager>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Manager {
    manager: String,
    operation: Operation,
    fields: BTreeSet<String>,
}

impl Seen {
    fn stored(&self) -> Stored {
        let all = [
            ("metadata.labels", &self.labels),
            ("metadata.annotations", &self.annotations),
            ("data", &self.data),
        ];
        let fields = all.into_iter().flat_map(|(above, map)| {
            map.iter().map(move |(key, value)| (format!("{above}.{key}"), value.clone()))
        });
        let manager = |entry: &Manager| ((entry.manager.clone(), entry.operation), entry.fields.clone());
        let managers = self.managers.iter().map(manager).collect();
        Stored { fields: fields.collect(), managers, version: 0 }
    }
}

/// Plays a case again. Whoever is not the bot lacks the rights that the recorded user lacks.
async fn replay(case: &Case) {
    let (kube, desk) = (FakeKube::start().await, Desk::new());
    for (number, step) in case.steps.iter().enumerate() {
        let place = format!("{}, step {}", case.name, number + 1);
        match &step.what {
            What::Kubectl { .. } => {
                kube.put(NAMESPACE, NAME, step.after.as_ref().expect("what kubectl wrote").stored());
            }
            What::Request { request, answer } => {
                assert_eq!(&answered(&kube, request).await, answer, "{place}: {request:?}");
            }
            What::Dibump { dibump, ran } => {
                let now = run(&kube, &desk, dibump).await;
                assert_eq!(of_any_certificate(&now), of_any_certificate(ran), "{place}: {dibump:?}");
            }
        }
        let after = kube.config_map(NAMESPACE, NAME).map(|stored| Stored { version: 0, ..stored });
        assert_eq!(after, step.after.as_ref().map(Seen::stored), "{place}");
    }
    assert!(kube.state().unexpected.is_empty(), "{}: {:?}", case.name, kube.state().unexpected);
}

/// Lets a user ask. The token is for whoever is known.
fn is_asked_by(kube: &FakeKube, user: &str) -> &'static str {
    let mut state = kube.state();
    state.user = Some(user.to_owned());
    let lacks: &[&str] = match user {
        "admin" | "bot" | "stranger" => &[],
        "patcher" => &["create"],
        "reader" => &["patch", "create"],
        "nobody" => &["get", "patch", "create"],
        other => panic!("the user {other}"),
    };
    state.forbidden = lacks.iter().copied().collect();
    if user == "stranger" { "stranger-token" } else { TOKEN }
}

async fn answered(kube: &FakeKube, request: &Request) -> Value {
    let token = is_asked_by(kube, &request.r#as);
    let url = kube.url(request.namespace.as_deref().unwrap_or(NAMESPACE), NAME);
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut sent =
        reqwest::Client::new().request(method, format!("{url}?{}", request.query)).bearer_auth(token);
    if let (Some(media_type), Some(body)) = (&request.r#type, &request.body) {
        sent = sent.header("content-type", media_type).body(body.to_string());
    }
    let answer = sent.send().await.unwrap();
    let code = answer.status().as_u16();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    match answer["kind"] == "Status" {
        false => json!({"code": code}),
        true => {
            json!({"code": code, "reason": answer["reason"], "message": answer["message"], "causes": answer["details"]["causes"]})
        }
    }
}

async fn run(kube: &FakeKube, desk: &Desk, call: &Call) -> Value {
    let token = is_asked_by(kube, &call.r#as);
    let mut kubeconfig = kube.kubeconfig().replace(TOKEN, token);
    // It goes with the server.
    let mut untrusted = None;
    if !call.trusted {
        let (server, host) = behind_tls("server").await;
        let address = kube.url("", "").split("/api").next().unwrap().to_owned();
        kubeconfig = kubeconfig.replace(&address, &format!("https://{host}"));
        untrusted = Some(server);
    }
    desk.write("values.yaml", json!({"os_images": call.images}).to_string()).write("kubeconfig", kubeconfig);
    let start = ["os-images-info", "-f", "values.yaml", "--apply", "--kubeconfig", "kubeconfig"];
    let flags = call.flags.iter().map(String::as_str);
    let ran = desk.dibump(&start.into_iter().chain(flags).collect::<Vec<_>>()).await;
    drop(untrusted);
    json!({"exit": ran.exit, "stdout": ran.stdout, "stderr": ran.stderr})
}

/// What is wrong with a certificate is a matter of the certificate.
fn of_any_certificate(ran: &Value) -> Value {
    let mut ran = ran.clone();
    let said = ran["stderr"].as_str().unwrap();
    if let Some((before, reason)) = said.split_once("cannot be trusted: ") {
        let (_, hint) = reason.split_once('\n').unwrap();
        ran["stderr"] = format!("{before}cannot be trusted\n{hint}").into();
    }
    ran
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster")
}

fn read(path: &Path) -> Recorded {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_real_api_server_says_what_ours_says() {
    let committed = read(&folder().join("real-apiserver.json"));
    assert_eq!(committed.tools.len(), 3);
    assert!(committed.cases.len() >= 15);
    for case in &committed.cases {
        replay(case).await;
    }
    let count = committed.cases.len();
    let report = match missing_tool() {
        Some(tool) => format!("{count} recorded cases played again; not recorded again: no {tool}"),
        None => {
            let again = recorded_again().await;
            assert_eq!(again.cases, committed.cases);
            format!("{count} recorded cases played again, and recorded again with {:?}", again.tools)
        }
    };
    // Written past the capture of the test's output: it says what this run was worth.
    writeln!(std::io::stderr(), "kube-apiserver: {report}").unwrap();
}

async fn recorded_again() -> Recorded {
    let folder_of_run = tempfile::tempdir().unwrap();
    let file = folder_of_run.path().join("recorded.json");
    let mut command = tokio::process::Command::new(folder().join("make"));
    let made = command.arg(&file).arg(env!("CARGO_BIN_EXE_dibump")).output().await.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    read(&file)
}

/// It takes half a minute, so the folder must be named.
pub(crate) fn missing_tool() -> Option<&'static str> {
    let Some(named) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Some(FOLDER) };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::iter::once(named).chain(std::env::split_paths(&path)).collect();
    TOOLS.into_iter().find(|tool| !folders.iter().any(|folder| folder.join(tool).is_file()))
}
