//! Values that follow the Kubernetes versions of images by lists that others keep, as RKE2 does for its charts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::fake::oci::Image;
use crate::said::{about, once, says, told};
use crate::world::{PREFIX, Ran, SOURCE, VALUES, World};

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
    world.configure("[catalog]", "").target(more);
    world.add(&format!("values_from_hosts: ['{}']", lists.host)).add("cache: {dir: cache}");
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
    reads!(about(text, "| Findings |"), @"| ✅ | Findings | nothing new |");

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

/// What a list may say that tells nothing, and how a plan ends there.
fn faults(other: &str) -> Vec<(Said, &'static str, i32)> {
    let body = |status, text: &str| Said::Body(status, text.to_owned().into());
    let calico = "- {filename: /charts/rke2-calico.yaml, version: v3.29.300}\n";
    vec![
        (body(404, ""), "held (no-value)", 0),
        (body(500, ""), "unknown", 4),
        (Said::Elsewhere(format!("http://{other}{PATH_22}")), "held (no-value)", 0),
        (Said::Body(200, vec![b'#'; (1 << 20) + 1].into()), "held (no-value)", 0),
        (body(200, "<html>&nbsp;</html>"), "held (no-value)", 0),
        (body(200, "a: [\n"), "held (no-value)", 0),
        (body(200, "- {filename: other}\n"), "held (no-value)", 0),
        (body(200, &format!("{calico}{}", calico.replace("300", "301"))), "held (no-value)", 0),
    ]
}

async fn a_list_that_does_not_tell_holds_the_update(world: World) {
    let lists = arrange(&world).await;
    let other = Lists::start().await;
    other.publish("1.30.22+rke2r1", "v6.6.6");
    let mut all = String::new();
    for (list, outcome, exit) in faults(&other.host) {
        lists.say("1.30.22+rke2r1", list);
        let (ran, writes) = world.run_and_writes().await;
        assert_eq!((ran.exit, writes), (Some(exit), vec![]), "{ran:#?}");
        says(&ran, outcome);
        let plan = world.desk.dibump(&["plan", VALUES]).await;
        assert_eq!(plan.exit, Some(exit), "{plan:#?}");
        all += &[told(&ran, outcome), told(&plan, outcome)].concat();
    }
    reads!(once(&all), @"
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: answered 404 Not Found; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    → held (no-value)
    unknown: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml answered 500 Internal Server Error; nothing was changed
    → unknown: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml answered 500 Internal Server Error
    1 target branch: 1 unknown
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml redirects to 127.0.0.1, which is not an allowed host; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: it is larger than 1 MiB, which no such list is; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: it holds no list of mappings (or several of them); it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: 1:4: not YAML: unclosed bracket '['; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: it has no item whose `filename` is `/charts/rke2-calico.yaml`; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    held (no-value): 0.4.22: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: 2 items have the `filename` `/charts/rke2-calico.yaml` and different values of `version`; it ends when the list has one such value, or with `accept: [0.4.22]` in the target; `units.calico.helm_chart_versions` stays then
    ");
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
    reads!(about(&plan.stdout, "its list"), @"note: `units.calico.helm_chart_versions` does not follow its list: no value for `units.calico.helm_chart_versions`: http://HOST/rke2/v1.30.22%2Brke2r1/charts.yaml, the list of Kubernetes 1.30.22+rke2r1: answered 404 Not Found");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), values(22, "v3.29.200"));
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(check.exit, Some(4), "what the list says is not known: {check:#?}");
    lists.publish("1.30.22+rke2r1", "v3.29.300");
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(check.exit, Some(0), "a warning: {check:#?}");
    assert!(check.stdout.contains("values.yaml:5:7"), "{check:#?}");
    reads!(about(&check.stdout, "list-value"), @"warning[list-value]: `units.calico.helm_chart_versions`: v3.29.200 is for Kubernetes 1.30.22+rke2r1, of which the list has v3.29.300");
}

/// Runs `plan` and `run` over a file that must be refused. What they say.
async fn refused(world: &World) -> String {
    let plan: Ran = world.desk.dibump(&["plan", VALUES]).await;
    assert_eq!(plan.exit, Some(3), "{plan:#?}");
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    format!("{}{}{}", plan.stderr, about(&ran.stdout, "→ failed"), ran.stderr)
}

#[tokio::test]
async fn a_map_that_is_not_there_or_no_such_map_is_told_with_its_line() {
    let world = World::new().await;
    let lists = arrange(&world).await;
    let write = |world: &World, text: &str| {
        world.hub.commit("main", "Another map", &[(VALUES, text.as_bytes())]);
        world.desk.write(VALUES, text);
    };
    let file = values(21, "v3.29.200");
    let template =
        ">-\n        {{ include \"k8s-version-match\" (tuple \">=1.29.0\" .Values._internal.k8s_version) }}";
    let mut said = String::new();
    for text in [
        file.replace("    helm_chart_versions:", "    versions:"),
        file.replace("units:", "others:"),
        file.replace("v3.29.200: >-\n        {{", "v3.29.200:\n        a: >-\n          {{"),
        file.replace(&format!("v3.29.200: {template}"), "v3.29.200: maybe"),
    ] {
        write(&world, &text);
        said += &refused(&world).await;
    }
    reads!(said, @r#"
    error: values.yaml:2:3: `units.calico.helm_chart_versions` was not found below `units.calico`; correct `values_from:`, which names `units.calico.helm_chart_versions`
    → failed: values.yaml:2:3: `units.calico.helm_chart_versions` was not found below `units.calico`; correct `values_from:`, which names `units.calico.helm_chart_versions`
    error: values.yaml: `units.calico.helm_chart_versions` was not found; correct `values_from:`, which names `units.calico.helm_chart_versions`
    → failed: values.yaml: `units.calico.helm_chart_versions` was not found; correct `values_from:`, which names `units.calico.helm_chart_versions`
    error: values.yaml:5:7: `units.calico.helm_chart_versions."v3.29.200"` is not a text (expected a version, or for which Kubernetes versions it counts); correct it, or `values_from:`, which names `units.calico.helm_chart_versions`
    → failed: values.yaml:5:7: `units.calico.helm_chart_versions."v3.29.200"` is not a text (expected a version, or for which Kubernetes versions it counts); correct it, or `values_from:`, which names `units.calico.helm_chart_versions`
    error: values.yaml:5:7: `units.calico.helm_chart_versions."v3.29.200"` is neither for a Kubernetes version (`1.31`) nor says for which ones it counts (`true`, or a comparison by k8s-version-match); correct it, or `values_from:`, which names `units.calico.helm_chart_versions`
    → failed: values.yaml:5:7: `units.calico.helm_chart_versions."v3.29.200"` is neither for a Kubernetes version (`1.31`) nor says for which ones it counts (`true`, or a comparison by k8s-version-match); correct it, or `values_from:`, which names `units.calico.helm_chart_versions`
    "#);
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
    let mut said = String::new();
    for more in [
        rule("lists.example").replace("http:", "https:"),
        right.replace("http:", "ftp:"),
        right.replace("{k8s_version}", "1.30"),
        right.replace("127.0.0.1", "a:b@127.0.0.1"),
        right.replace("{filename: /charts/rke2-calico.yaml}", "{}"),
        right.replace("to: units.calico", "to: units..calico"),
        right.replace("take:", "takes:"),
    ] {
        let ran = validate(&more).await;
        assert_eq!(ran.exit, Some(3), "{more}: {ran:#?}");
        said += &ran.stderr;
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
    said += &ran.stderr;
    reads!(said, @"
    error: dibump.yaml:11:12: targets[0].values_from.url: host lists.example is not allowed; add it to `values_from_hosts:`
    error: dibump.yaml:11:12: targets[0].values_from.url: is read over ftp; use https
    error: dibump.yaml:11:12: targets[0].values_from.url: needs `{k8s_version}` once, and no other braces, as in https://HOST/v{k8s_version}/charts.yaml
    error: dibump.yaml:11:12: targets[0].values_from.url: holds credentials; lists are read without
    error: dibump.yaml:12:13: targets[0].values_from.find: needs one field and its text, as in {filename: /charts/rke2-calico.yaml}
    error: dibump.yaml:14:11: targets[0].values_from.to: `units..calico.helm_chart_versions` is not a path of keys (expected keys separated by dots, as in spec.values.images)
    error: dibump.yaml:11:7: targets[0].values_from: `take` is missing
    dibump.yaml:13:7: targets[0].values_from.takes: unknown key `takes`; did you mean `take`?
    error: dibump.yaml:18:13: targets[0].values_from[1].to: is the map of targets[0].values_from[0] too; name each map once
    ");
    assert_eq!(lists.asked(), Vec::<String>::new());
}
