//! Lines of `k8s_version_map` that come and go with the images, where the configuration says so.

use serde_json::{Value, json};

use crate::said::about;
use crate::world::{Desk, Ran, VALUES};

const MAP: &str = "
_internal:
  k8s_version_map:
    1.29: '{{ .Values.provider | eq \"cabpr\" | ternary \"v1.29.15+rke2r1\" \"v1.29.15\" }}'
    # the one before
    \"1.30\": '{{ .Values.provider | eq \"cabpr\" | ternary \"v1.30.12+rke2r1\" \"v1.30.12\" }}'
    1.31: '{{ .Values.provider | eq \"cabpr\" | ternary \"v1.31.8+rke2r1\" \"v1.31.8\" }}'  # newest
other: 1
";

/// The file with these images, and this map.
fn values(version: &str, kubernetes: &[&str], map: &str) -> String {
    let key = |kubernetes: &&str| {
        let name = kubernetes.replace('.', "-");
        format!("  ubuntu-noble-plain-rke2-{name}: {{}}\n  ubuntu-noble-plain-kubeadm-{name}: {{}}\n")
    };
    let keys: String = kubernetes.iter().map(key).collect();
    format!("sylva_diskimagebuilder_version: {version}\nsylva_diskimagebuilder_images:\n{keys}{map}")
}

fn artifacts(kubernetes: &[&str]) -> Vec<Value> {
    let image = |flavor: &str, version: &str| {
        let revision = if flavor == "rke2" { "+rke2r1" } else { "" };
        let annotations = [
            ("os", "ubuntu".to_owned()),
            ("os-release", "noble".to_owned()),
            ("flavor", "plain".to_owned()),
            ("k8s-flavor", flavor.to_owned()),
            ("k8s-version", format!("{version}{revision}")),
        ];
        let annotations: serde_json::Map<_, _> = annotations
            .into_iter()
            .map(|(key, value)| (format!("sylvaproject.org/diskimage/{key}"), json!(value)))
            .collect();
        let name = format!("ubuntu-noble-plain-{flavor}-{}", version.replace('.', "-"));
        json!({"name": name, "annotations": annotations})
    };
    kubernetes.iter().flat_map(|version| ["rke2", "kubeadm"].map(|flavor| image(flavor, version))).collect()
}

/// A desk at 0.4.12 with Kubernetes 1.29 to 1.31, and with 0.4.13, which has these.
fn desk(newest: &[&str]) -> Desk {
    let before = ["1.31.8", "1.30.12", "1.29.15"];
    let releases = json!({"schema": "dibump.releases/1", "releases": [
        {"version": "0.4.13", "artifacts": artifacts(newest)},
        {"version": "0.4.12", "artifacts": artifacts(&before)},
    ]});
    let desk = Desk::new();
    desk.write(VALUES, values("0.4.12", &before, MAP)).write("releases.json", releases.to_string());
    desk
}

async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES, "--observed", "releases.json"], more].concat()).await
}

fn read(desk: &Desk) -> String {
    String::from_utf8(desk.read(VALUES)).unwrap()
}

const NEWEST: [&str; 3] = ["1.32.5", "1.31.9", "1.30.13"];
const FLAGS: [&str; 4] = ["--kubernetes-versions", "add", "--kubernetes-versions", "remove"];

#[tokio::test]
async fn a_new_minor_gets_a_line_like_its_neighbours_and_a_dropped_one_loses_it() {
    let desk = desk(&NEWEST);
    let ran = plan(&desk, &[&FLAGS[..], &["--write"]].concat()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let line = |minor: &str, patch: &str| {
        let version = format!("v{}.{patch}", minor.trim_matches('"'));
        format!(
            "    {minor}: '{{{{ .Values.provider | eq \"cabpr\" | ternary \"{version}+rke2r1\" \"{version}\" }}}}'"
        )
    };
    let map = format!(
        "\n_internal:\n  k8s_version_map:\n    # the one before\n{}\n{}  # newest\n{}\nother: 1\n",
        line("\"1.30\"", "13"),
        line("1.31", "9"),
        line("1.32", "5")
    );
    let after = read(&desk);
    let (_, found) = after.split_once("\n_internal").unwrap();
    assert_eq!(format!("\n_internal{found}"), map);
    reads!(about(&ran.stdout, "_internal.k8s_version_map"), @r#"
    + values.yaml: _internal.k8s_version_map gets a line for 1.32: {{ .Values.provider | eq "cabpr" | ternary "v1.32.5+rke2r1" "v1.32.5" }}
    - values.yaml: _internal.k8s_version_map loses its line for 1.29, of which no image is left: {{ .Values.provider | eq "cabpr" | ternary "v1.29.15+rke2r1" "v1.29.15" }}
    "#);
    let again = plan(&desk, &[&FLAGS[..], &["--detailed-exitcode"]].concat()).await;
    assert_eq!(again.exit, Some(0), "{again:#?}");
    let check = desk.dibump(&["check", VALUES, "--observed", "releases.json"]).await;
    assert_eq!(check.exit, Some(0), "{check:#?}");
}

#[tokio::test]
async fn without_the_setting_lines_stay_and_what_lacks_is_told() {
    let mut told = String::new();
    for (flags, adds, removes) in
        [(&[][..], false, false), (&FLAGS[..2], true, false), (&FLAGS[2..], false, true)]
    {
        let desk = desk(&NEWEST);
        let shown = plan(&desk, flags).await;
        let ran = plan(&desk, &[flags, &["--write", "--format", "json"]].concat()).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        let lines = report["files"][0]["kubernetes_lines"].as_array().unwrap();
        let has = |minor: &str, is_new: bool| {
            lines.iter().any(|line| line["minor"] == minor && line["is_new"] == is_new)
        };
        assert_eq!((has("1.32", true), has("1.29", false)), (adds, removes), "{report:#}");
        let after = read(&desk);
        assert_eq!((after.contains("    1.32: "), after.contains("    1.29: ")), (adds, !removes), "{after}");
        told += &format!("# {}\n", [&["plan"], flags].concat().join(" "));
        told += &about(&shown.stdout, "_internal.k8s_version_map");
    }
    reads!(told, @r#"
    # plan
    note: values.yaml:12:56: Kubernetes v1.29.15+rke2r1 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    note: values.yaml:12:74: Kubernetes v1.29.15 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    note: values.yaml: _internal.k8s_version_map has no 1.32, which listed images have; add it by hand
    # plan --kubernetes-versions add
    + values.yaml: _internal.k8s_version_map gets a line for 1.32: {{ .Values.provider | eq "cabpr" | ternary "v1.32.5+rke2r1" "v1.32.5" }}
    note: values.yaml:12:56: Kubernetes v1.29.15+rke2r1 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    note: values.yaml:12:74: Kubernetes v1.29.15 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    # plan --kubernetes-versions remove
    - values.yaml: _internal.k8s_version_map loses its line for 1.29, of which no image is left: {{ .Values.provider | eq "cabpr" | ternary "v1.29.15+rke2r1" "v1.29.15" }}
    note: values.yaml: _internal.k8s_version_map has no 1.32, which listed images have; add it by hand
    "#);
}

#[tokio::test]
async fn a_line_is_not_made_where_a_version_in_it_is_not_known() {
    // The neighbours speak of three flavors, and the new minor has two of them.
    let desk = desk(&NEWEST);
    let map =
        MAP.replace("\"v1.31.8\"", "\"v1.31.8\" \"v1.31.6\"").replace("v1.30.12\"", "v1.30.12\" \"v1.30.9\"");
    let map = map.replace("v1.29.15\"", "v1.29.15\" \"v1.29.9\"");
    desk.write(VALUES, values("0.4.12", &["1.31.8", "1.30.12", "1.29.15"], &map));
    let ran = plan(&desk, &FLAGS[..2]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(about(&ran.stdout, "_internal.k8s_version_map"), @r#"
    note: values.yaml:12:56: Kubernetes v1.29.15+rke2r1 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    note: values.yaml:12:74: Kubernetes v1.29.15 fits no listed image any more (listed images have 1.30.13, 1.30.13+rke2r1, 1.31.9, 1.31.9+rke2r1, 1.32.5, 1.32.5+rke2r1); decide whether _internal.k8s_version_map."1.29" moves, or name it in `kubernetes_versions:`
    note: values.yaml: _internal.k8s_version_map has no 1.32, which listed images have; add it by hand
    "#);
}

#[tokio::test]
async fn lines_come_and_go_in_a_map_that_goes_down() {
    let desk = desk(&NEWEST);
    let line = |minor: &str, version: &str| format!("    '{minor}': v{version}\n");
    let map = |lines: &[(&str, &str)]| {
        let lines: String = lines.iter().map(|(minor, version)| line(minor, version)).collect();
        format!("_internal:\n  k8s_version_map:\n{lines}")
    };
    let before = map(&[("1.31", "1.31.8"), ("1.30", "1.30.12"), ("1.29", "1.29.15")]);
    desk.write(VALUES, values("0.4.12", &["1.31.8", "1.30.12", "1.29.15"], &before));
    let ran = plan(&desk, &[&FLAGS[..], &["--write"]].concat()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let after = read(&desk);
    let wanted = map(&[("1.32", "1.32.5"), ("1.31", "1.31.9"), ("1.30", "1.30.13")]);
    assert!(after.ends_with(&wanted), "{after}");
}

#[tokio::test]
async fn the_setting_is_that_of_the_configuration_too() {
    let desk = desk(&NEWEST);
    let config = "version: 1
producers: [{registry: 'oci://registry.example/group/diskimage-builder'}]
targets:
  - project: group/deployment
    files: [values.yaml]
    kubernetes_versions: {add: true, remove: true}
";
    desk.write("dibump.yaml", config);
    let ran = plan(&desk, &["--format", "diff"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("+    1.32: ") && ran.stdout.contains("-    1.29: "), "{}", ran.stdout);
    let shown = desk.dibump(&["config", "show"]).await;
    assert!(shown.stdout.contains("add: true\n"), "{}", shown.stdout);
}
