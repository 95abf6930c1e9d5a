//! `check` of deployments: the excerpts of sylva-core's chart and environments, as they are and with one defect each.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::Desk;

/// A chart and an environment of sylva-core.
const CHART: &str = "values.yaml";
const ENVIRONMENT: &str = "environments/rke2-capm3/values.yaml";

fn excerpt(commit: &str, file: &str) -> String {
    let folder: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/data/sylva-core", commit, file].iter().collect();
    std::fs::read_to_string(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

/// The release that has every image of the chart, each with its annotations.
fn releases(chart: &str, version: &str) -> String {
    let keys = chart.lines().filter_map(|line| Some(line.strip_prefix("  ")?.split_once(':')?.0));
    let names = keys.filter(|key| dibump::release::Facets::from_name(key).is_some());
    let artifact = |name: &str| {
        let facets = dibump::release::Facets::from_name(name).unwrap();
        let revision = match (facets.k8s_flavor.as_str(), facets.k8s_version.to_string().as_str()) {
            ("rke2", "1.27.16") => "+rke2r2",
            ("rke2", _) => "+rke2r1",
            _ => "",
        };
        let k8s = format!("{}{revision}", facets.k8s_version);
        let annotations = super::annotations(name, &k8s).into_iter();
        let annotations: serde_json::Map<String, Value> =
            annotations.map(|(key, value)| (key, json!(value))).collect();
        json!({"name": name, "annotations": annotations})
    };
    let artifacts: Vec<Value> = names.map(artifact).collect();
    json!({"schema": "dibump.releases/1", "releases": [{"version": version, "artifacts": artifacts}]})
        .to_string()
}

/// Kinds and files of the errors, where the files are one deployment, and where the second is a reference.
async fn errors(chart: &str, environment: &str, version: &str) -> [Vec<String>; 2] {
    let desk = Desk::new();
    desk.write("values.yaml", chart).write("env.yaml", environment);
    let mut both = [Vec::new(), Vec::new()];
    for (found, files) in both.iter_mut().zip([
        ["-f", "values.yaml", "-f", "env.yaml"].as_slice(),
        &["values.yaml", "--references", "env.yaml"],
    ]) {
        desk.write("releases.json", releases(&excerpt(commit(version), CHART), version));
        let arguments = [&["check", "--observed", "releases.json", "--format", "json"], files].concat();
        let ran = desk.dibump(&arguments).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        let findings = report["findings"].as_array().unwrap().iter();
        let errors = findings.filter(|finding| finding["severity"] == "error");
        *found = errors
            .map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["path"].as_str().unwrap()))
            .collect();
    }
    both
}

fn commit(version: &str) -> &'static str {
    if version == "0.4.12" { "fd968edcf" } else { "890fdd4a9" }
}

#[tokio::test]
async fn a_real_deployment_has_no_error() {
    for version in ["0.4.12", "0.3.3"] {
        let (chart, environment) = (excerpt(commit(version), CHART), excerpt(commit(version), ENVIRONMENT));
        let found = errors(&chart, &environment, version).await;
        assert_eq!(found, [Vec::<String>::new(), Vec::new()], "{version}");
    }
}

/// What is changed: in the chart, in the environment, and what is found of it.
type Defect = (&'static str, &'static str, &'static str, &'static str);

/// Each of the review of real environments (2026-11).
const DEFECTS: [Defect; 15] = [
    ("\"v1.31.8+rke2r1\"", "\"v1.31.7+rke2r1\"", "", "kubernetes-version values.yaml"),
    ("$version := \"v1.31.8\"", "$version := \"v1.31.7\"", "", "kubernetes-version values.yaml"),
    ("ternary \"v1.30.12+rke2r1\"", "ternary \"v1.30.11+rke2r1\"", "", "kubernetes-version values.yaml"),
    ("\"v1.31.6\"", "\"v1.31.5\"", "", "kubernetes-version values.yaml"),
    ("os: ubuntu", "os: ubunt", "", "selector env.yaml"),
    ("os: ubuntu", "os: ubuntu\n      colour: red", "", "selector env.yaml"),
    (
        "os_image_selector:\n      os: ubuntu\n      hardened: true",
        "image_key: ubuntu-noble-hardened-rke2-1-30-12",
        "",
        "kubernetes-mismatch env.yaml",
    ),
    (
        "os_image_selector:\n      os: ubuntu\n      hardened: true",
        "image_key: ubuntu-noble-hardened-rke2-1-31-9",
        "",
        "unknown-image-key env.yaml",
    ),
    (
        "  ubuntu-noble-hardened-rke2-1-31-8:\n    os_images_oci_registry: sylva",
        "  ubuntu-noble-hardened-rke2-1-31-8:\n    os_images_oci_registry: nope",
        "",
        "unknown-registry values.yaml",
    ),
    (
        "",
        "",
        "sylva_diskimagebuilder_images:\n  ubuntu-noble-hardened-rke2-1-30-12: {os_images_oci_registry: nope}\n",
        "unknown-registry env.yaml",
    ),
    ("", "", "k8s_version_short: '1.99'\n", "undefined-kubernetes-version env.yaml"),
    (
        "k8s_version_short: \"1.31\"",
        "k8s_version_short: \"1.99\"",
        "",
        "undefined-kubernetes-version values.yaml",
    ),
    (
        "",
        "",
        "os_image_server_additional_selectors: {x: {os: opensuse, k8s-flavor: ck8s}}\n",
        "served-selector env.yaml",
    ),
    (
        "os_image_server_additional_selectors: {}",
        "os_image_server_additional_selectors: {x: {os: debian}}",
        "",
        "served-selector values.yaml",
    ),
    (
        "  machine_deployments:\n    md0:\n",
        "  machine_deployments:\n    md0:\n      capm3: {image_key: ubuntu-noble-plain-rke2-1-31-8}\n      more:\n",
        "",
        "selector env.yaml",
    ),
];

#[tokio::test]
async fn each_defect_of_a_deployment_is_found_where_it_stands() {
    let (chart, environment) = (excerpt("fd968edcf", CHART), excerpt("fd968edcf", ENVIRONMENT));
    for (from, to, more, expected) in DEFECTS {
        assert!(chart.contains(from) || environment.contains(from), "{from}");
        let (chart, environment) = (chart.replacen(from, to, 1), environment.replacen(from, to, 1) + more);
        for found in errors(&chart, &environment, "0.4.12").await {
            assert!(found.iter().any(|it| it == expected), "{to}{more}: {found:?}");
            assert!(found.len() <= 2, "{to}{more}: {found:?}");
        }
    }
}

#[tokio::test]
async fn an_image_that_nothing_enables_is_found() {
    let (chart, environment) = (excerpt("890fdd4a9", CHART), excerpt("890fdd4a9", ENVIRONMENT));
    let environment =
        environment.replace("ubuntu-jammy-hardened-rke2-1-29-9", "ubuntu-jammy-plain-rke2-1-29-9");
    let expected = ["image-not-enabled env.yaml".to_owned()];
    assert_eq!(errors(&chart, &environment, "0.3.3").await, [expected.to_vec(), expected.to_vec()]);
    let enabled = "sylva_diskimagebuilder_images: {ubuntu-jammy-plain-rke2-1-29-9: {enabled: true}}\n";
    assert_eq!(errors(&chart, &(environment + enabled), "0.3.3").await, [Vec::<String>::new(), Vec::new()]);
}

#[tokio::test]
async fn a_machine_of_another_infrastructure_is_not_judged() {
    let (chart, environment) = (excerpt("fd968edcf", CHART), excerpt("fd968edcf", ENVIRONMENT));
    let environment = environment.replace("os: ubuntu", "os: ubunt");
    for other in ["capd", "another"] {
        let other = environment.replace("infra_provider: capm3", &format!("infra_provider: {other}"));
        assert_eq!(errors(&chart, &other, "0.4.12").await[0], Vec::<String>::new());
    }
}

#[test]
fn each_finding_has_a_page_that_says_what_why_and_how_to_fix_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings");
    let table = std::fs::read_to_string(folder.join("../checks.md")).unwrap();
    for id in dibump::check::Id::ALL {
        let page =
            std::fs::read_to_string(folder.join(format!("{id}.md"))).unwrap_or_else(|_| panic!("{id}"));
        let severity = match id.default_severity() {
            dibump::check::Severity::Error => "error",
            dibump::check::Severity::Warn => "warn",
        };
        let head = format!("# {id}\n\nDefault severity: {severity}.\n\n## What\n\n");
        assert!(page.starts_with(&head), "{page}");
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## What", "## Why", "## How to fix it"], "{id}");
        assert!(table.contains(&format!("[`{id}`](findings/{id}.md)")), "{id}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), dibump::check::Id::ALL.len());
}
