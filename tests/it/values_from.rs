//! Values that follow the Kubernetes versions of images by lists that others keep, as RKE2 does for its charts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::fake::oci::Image;
use crate::world::{NETWORK, PATH, PREFIX, Ran, SOURCE, VALUES, World};

stories! {
    a_map_gets_what_the_list_has_for_the_kubernetes_versions_of_the_images,
    a_list_that_does_not_tell_holds_the_update,
}

/// What a server of lists answers at a path: a status and a body, or a redirect to another host.
#[derive(Clone)]
enum Said {
    Body(u16, Bytes),
    Elsewhere(String),
}

/// A web server of lists, which counts what it is asked.
#[derive(Clone)]
struct Lists {
    host: String,
    files: Arc<Mutex<BTreeMap<String, Said>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Lists {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let lists = Self { host, files: Arc::default(), asked: Arc::default() };
        let router = Router::new().fallback(answer).with_state(lists.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        lists
    }

    /// The list of a Kubernetes version, as RKE2 writes it.
    fn publish(&self, version: &str, calico: &str) -> &Self {
        let list = format!(
            "charts:
  - version: 1.17.301
    filename: /charts/rke2-cilium.yaml
    bootstrap: true
  - version: {calico}
    filename: /charts/rke2-calico.yaml
    bootstrap: true
"
        );
        self.say(version, Said::Body(200, list.into()))
    }

    fn say(&self, version: &str, said: Said) -> &Self {
        let path = format!("/rke2/v{}/charts.yaml", version.replace('+', "%2B"));
        self.files.lock().unwrap().insert(path, said);
        self
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn answer(State(lists): State<Lists>, uri: Uri) -> Response {
    lists.asked.lock().unwrap().push(uri.path().to_owned());
    match lists.files.lock().unwrap().get(uri.path()).cloned() {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Said::Body(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Said::Elsewhere(url)) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
    }
}

/// The file at 0.4.N with images of Kubernetes 1.30.N, and this version of the chart.
fn values(patch: u32, calico: &str) -> String {
    format!(
        "units:
  calico:
    helm_chart_versions:
      # one for all
      {calico}: >-
        {{{{ include \"k8s-version-match\" (tuple \">=1.29.0\" .Values._internal.k8s_version) }}}}
sylva_diskimagebuilder_version: 0.4.{patch}
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-30-{patch}: {{}}
  ubuntu-noble-plain-kubeadm-1-30-{patch}: {{}}
"
    )
}

fn release(world: &World, patch: u32) {
    let image = |flavor: &str, revision: &str| {
        let version = format!("1.30.{patch}{revision}");
        let facets = [
            ("os", "ubuntu"),
            ("os-release", "noble"),
            ("flavor", "plain"),
            ("k8s-flavor", flavor),
            ("k8s-version", &version),
        ];
        let image = Image::new(&format!("ubuntu-noble-plain-{flavor}-1-30-{patch}"));
        let with = |image: Image, (name, value): (&str, &str)| {
            image.with(&format!("sylvaproject.org/diskimage/{name}"), value)
        };
        facets.into_iter().fold(image, with)
    };
    let images = [image("rke2", "+rke2r1"), image("kubeadm", "")];
    world.registry.release(PREFIX, &format!("0.4.{patch}"), &images);
}

/// What `values_from` says.
fn rule(host: &str) -> String {
    format!(
        "    values_from:
      url: 'http://{host}/rke2/v{{k8s_version}}/charts.yaml'
      find: {{filename: /charts/rke2-calico.yaml}}
      take: version
      to: units.calico.helm_chart_versions
"
    )
}

/// A target at 0.4.21, a release 0.4.22, and lists.
async fn arrange(world: &World) -> Lists {
    let lists = Lists::start().await;
    lists.publish("1.30.21+rke2r1", "v3.29.200").publish("1.30.22+rke2r1", "v3.29.300");
    release(world, 21);
    release(world, 22);
    world.hub.commit("main", "Lists", &[(VALUES, values(21, "v3.29.200").as_bytes())]);
    world.desk.write(VALUES, values(21, "v3.29.200"));
    configure(world, &lists, &rule(&lists.host));
    lists
}

fn configure(world: &World, lists: &Lists, more: &str) {
    let (prefix, forge, host) = (world.registry.prefix(PREFIX), world.hub.config(), &lists.host);
    let config = format!(
        "version: 1
producers:
  - {{registry: '{prefix}', plain_http: true, discovery: [catalog]}}
values_from_hosts: ['{host}']
cache: {{dir: cache}}
forge: {forge}
targets:
  - project: {PATH}
    files: [{VALUES}]
{more}{NETWORK}"
    );
    world.desk.write("dibump.yaml", config);
}

const PATH_22: &str = "/rke2/v1.30.22%2Brke2r1/charts.yaml";

async fn a_map_gets_what_the_list_has_for_the_kubernetes_versions_of_the_images(world: World) {
    let lists = arrange(&world).await;
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(world.values(SOURCE).unwrap(), values(22, "v3.29.300"));
    assert_eq!(lists.asked(), [PATH_22]);
    let text = &world.merge_requests()[0].text;
    let digest = dibump::release::Digest::of(&match &lists.files.lock().unwrap()[PATH_22] {
        Said::Body(_, body) => body.clone(),
        Said::Elsewhere(_) => unreachable!(),
    });
    let said = format!("http://{}{PATH_22}", lists.host);
    assert!(text.contains(&said) && text.contains(digest.as_str()), "{text}");
    assert!(!text.contains("new warning"), "{text}");

    // What was read once is kept: neither the next run nor a plan at hand asks again.
    let ran = world.run().await;
    assert_eq!((ran.exit, lists.asked()), (Some(0), vec![]), "{ran:#?}");
    let plan = world.desk.dibump(&["plan", VALUES, "--format", "json", "--write"]).await;
    assert_eq!((plan.exit, lists.asked()), (Some(0), vec![]), "{plan:#?}");
    let told: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let value = &told["files"][0]["values"][0];
    assert_eq!((&value["from"], &value["to"]), (&"v3.29.200".into(), &"v3.29.300".into()), "{told}");
    assert_eq!(value["lists"][0]["digest"], digest.as_str(), "{told}");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), values(22, "v3.29.300"));
    // And nothing is left to do, or to find.
    let again = world.desk.dibump(&["plan", VALUES, "--detailed-exitcode"]).await;
    assert_eq!(again.exit, Some(0), "{again:#?}");
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!((check.exit, lists.asked()), (Some(0), vec![]), "{check:#?}");
    assert!(!check.stdout.contains("list-value"), "{check:#?}");
}

/// What a list may say that tells nothing, how a plan ends there, and a part of what is said.
fn faults(other: &str) -> Vec<(Said, &'static str, i32, &'static str)> {
    let body = |status, text: &str| Said::Body(status, text.to_owned().into());
    let calico = "- {filename: /charts/rke2-calico.yaml, version: v3.29.300}\n";
    vec![
        (body(404, ""), "held (no-value)", 0, "answered 404"),
        (body(500, ""), "unknown", 4, "500"),
        (Said::Elsewhere(format!("http://{other}{PATH_22}")), "held (no-value)", 0, "redirects"),
        (Said::Body(200, vec![b'#'; (1 << 20) + 1].into()), "held (no-value)", 0, "larger than 1 MiB"),
        (body(200, "<html>&nbsp;</html>"), "held (no-value)", 0, "no list of mappings"),
        (body(200, "a: [\n"), "held (no-value)", 0, "not YAML"),
        (body(200, "- {filename: other}\n"), "held (no-value)", 0, "no item whose `filename`"),
        (body(200, &format!("{calico}{}", calico.replace("300", "301"))), "held (no-value)", 0, "2 items"),
    ]
}

async fn a_list_that_does_not_tell_holds_the_update(world: World) {
    let lists = arrange(&world).await;
    let other = Lists::start().await;
    other.publish("1.30.22+rke2r1", "v6.6.6");
    for (said, outcome, exit, why) in faults(&other.host) {
        lists.say("1.30.22+rke2r1", said);
        let (ran, writes) = world.run_and_writes().await;
        assert_eq!((ran.exit, writes), (Some(exit), vec![]), "{why}: {ran:#?}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(&format!("→ {outcome}")) && all.contains(why), "{outcome}, {why}: {ran:#?}");
        let plan = world.desk.dibump(&["plan", VALUES]).await;
        assert_eq!(plan.exit, Some(exit), "{why}: {plan:#?}");
        assert!(plan.stdout.contains(outcome) && plan.stdout.contains(why), "{outcome}, {why}: {plan:#?}");
    }
    assert_eq!(other.asked(), Vec::<String>::new(), "no redirect leads to a host that is not allowed");
    // What was refused is not kept: when the list is there, the update goes on.
    lists.publish("1.30.22+rke2r1", "v3.29.300");
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(world.values(SOURCE).unwrap(), values(22, "v3.29.300"));
}

#[tokio::test]
async fn an_accepted_release_goes_on_without_its_list_and_check_finds_what_differs() {
    let world = World::new().await;
    let lists = arrange(&world).await;
    lists.say("1.30.22+rke2r1", Said::Body(404, Bytes::new()));
    let plan = world.desk.dibump(&["plan", VALUES, "--accept", "0.4.22", "--write"]).await;
    assert_eq!(plan.exit, Some(0), "{plan:#?}");
    assert!(plan.stdout.contains("`units.calico.helm_chart_versions` does not follow its list"), "{plan:#?}");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), values(22, "v3.29.200"));
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(check.exit, Some(4), "what the list says is not known: {check:#?}");
    lists.publish("1.30.22+rke2r1", "v3.29.300");
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(check.exit, Some(0), "a warning: {check:#?}");
    let found = "v3.29.200 is for Kubernetes 1.30.22+rke2r1, of which the list has v3.29.300";
    assert!(check.stdout.contains("values.yaml:5:7") && check.stdout.contains(found), "{check:#?}");
}

/// Runs `plan` under a configuration that must be refused.
async fn refused(world: &World, expected: &str) {
    let ran: Ran = world.desk.dibump(&["plan", VALUES]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(ran.stderr.contains(expected), "{expected}: {ran:#?}");
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains(expected), "{expected}: {ran:#?}");
}

#[tokio::test]
async fn a_map_that_is_not_there_or_no_such_map_is_told_with_its_line() {
    let world = World::new().await;
    let lists = arrange(&world).await;
    let told = |world: &World, text: &str| {
        world.hub.commit("main", "Another map", &[(VALUES, text.as_bytes())]);
        world.desk.write(VALUES, text);
    };
    let file = values(21, "v3.29.200");
    for (text, expected) in [
        (
            file.replace("    helm_chart_versions:", "    versions:"),
            "values.yaml:2:3: `units.calico.helm_chart_versions` was not found below `units.calico`; correct `values_from:`",
        ),
        (
            file.replace("units:", "others:"),
            "values.yaml: `units.calico.helm_chart_versions` was not found; correct `values_from:`",
        ),
        (
            file.replace("v3.29.200: >-\n        {{", "v3.29.200:\n        a: >-\n          {{"),
            "values.yaml:5:7: `units.calico.helm_chart_versions.\"v3.29.200\"` is not a text",
        ),
        (
            file.replace("v3.29.200: >-\n        {{ include \"k8s-version-match\" (tuple \">=1.29.0\" .Values._internal.k8s_version) }}", "v3.29.200: maybe"),
            "values.yaml:5:7: `units.calico.helm_chart_versions.\"v3.29.200\"` is neither for a Kubernetes version",
        ),
    ] {
        told(&world, &text);
        refused(&world, expected).await;
    }
    assert_eq!(lists.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_wrong_with_the_setting_is_told_before_anything_is_asked() {
    let world = World::new().await;
    let lists = arrange(&world).await;
    let host = lists.host.clone();
    let validate = async |more: &str| {
        configure(&world, &lists, more);
        world.desk.dibump(&["config", "validate"]).await
    };
    let right = rule(&host);
    assert_eq!(validate(&right).await.exit, Some(0));
    for (more, expected) in [
        (
            rule("lists.example").replace("http:", "https:"),
            "values_from.url: host lists.example is not allowed; add it to `values_from_hosts:`",
        ),
        (right.replace("http:", "ftp:"), "values_from.url: is read over ftp; use https"),
        (right.replace("{k8s_version}", "1.30"), "values_from.url: needs `{k8s_version}` once"),
        (right.replace("127.0.0.1", "a:b@127.0.0.1"), "values_from.url: holds credentials"),
        (right.replace("{filename: /charts/rke2-calico.yaml}", "{}"), "values_from.find"),
        (
            right.replace("to: units.calico", "to: units..calico"),
            "values_from.to: `units..calico.helm_chart_versions`",
        ),
        (right.replace("take:", "takes:"), "did you mean `take`?"),
    ] {
        let ran = validate(&more).await;
        assert_eq!(ran.exit, Some(3), "{expected}: {ran:#?}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(expected) && all.contains("dibump.yaml:"), "{expected}: {ran:#?}");
    }
    let twice = format!(
        "    values_from:\n{}",
        ["", ""]
            .map(|_| {
                right
                    .replacen("    values_from:\n      url", "      - url", 1)
                    .replace("\n      ", "\n        ")
            })
            .concat()
    );
    let ran = validate(&twice).await;
    assert!(format!("{ran:?}").contains("is the map of targets[0].values_from[0] too"), "{ran:#?}");
    assert_eq!(lists.asked(), Vec::<String>::new());
}
