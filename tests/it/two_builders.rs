//! Two builders in one mapping, as sylva-core has them since 2025: each with a version, a registry entry and a key of its own.
//!
//! The files are those of `tests/data/two-builders`; sylva-core's whole file lies beside the checkout, where it does.

use std::path::{Path, PathBuf};

use crate::said::about;
use crate::world::{Desk, Ran, VALUES};

/// A desk with these files of `tests/data/two-builders`, the first of them as the values file.
fn desk(values: &str, others: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.write(VALUES, read(values));
    for name in others {
        desk.write(name, read(name));
    }
    desk
}

fn read(name: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/two-builders").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES], more].concat()).await
}

const FIRST: [&str; 8] = [
    "--observed",
    "kiwi-first.json",
    "--version-key",
    "sylva_kiwi_imagebuilder_version",
    "--images",
    "all",
    "--format",
    "diff",
];

#[tokio::test]
async fn the_first_image_of_a_registry_names_it_as_the_chart_demands() {
    let desk = desk("first-key.yaml", &["kiwi-first.json", "values.schema.json"]);
    let ran = plan(&desk, &FIRST).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let added =
        "\n+  leapmicro-6-0-plain-rke2-1-31-8:\n+    os_images_oci_registry: sylva-kiwi-imagebuilder\n";
    assert!(ran.stdout.contains(added), "{}", ran.stdout);
    assert!(ran.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.2\n"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_value_that_the_charts_schema_refuses_is_not_written() {
    let desk = desk("first-key.yaml", &["kiwi-first.json", "values.schema.json"]);
    let schema = String::from_utf8(read("values.schema.json")).unwrap();
    let values = read("first-key.yaml");
    desk.write("values.schema.json", schema.replace("\"required\": [", "\"required\": [\"size\", "));
    let ran = plan(&desk, &[&FIRST[..], &["--write"]].concat()).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(ran.stderr, @"error: values.yaml:19:3: values.schema.json does not allow `leapmicro-6-0-plain-rke2-1-31-8` (required: size); adapt the schema first, or `ignore:` this release");
    assert_eq!(desk.read(VALUES), values);
}

#[tokio::test]
async fn a_mapping_with_no_key_of_a_builder_does_not_get_all_of_its_images() {
    let values = String::from_utf8(read("first-key.yaml")).unwrap();
    let values = values
        .replace("ubuntu-noble-plain-rke2-1-31-8:", "leapmicro-6-0-plain-rke2-1-31-8:")
        .replace("sylva_kiwi_imagebuilder_version: 0.1.1", "sylva_kiwi_imagebuilder_version: 0.1.2");
    let desk = desk("first-key.yaml", &["kiwi.json"]);
    desk.write(VALUES, values);
    let version = "sylva_kiwi_imagebuilder_version";
    let ran = plan(&desk, &["--observed", "kiwi.json", "--version-key", version]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(about(&ran.stdout, "0.1.2"), @"
    • 0.1.2  named in the file  1
    values.yaml  0.1.2 → 0.1.3  images: follow, other registries list every artifact of 0.1.2
    -sylva_kiwi_imagebuilder_version: 0.1.2
    update 0.1.2 → 0.1.3
    ");
    assert!(!ran.stdout.contains("+  leapmicro"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_broken_tag_in_a_file_is_named_once_and_passed_over() {
    let desk = desk("values.yaml", &["kiwi-broken-tag.json", "diskimage-builder.json"]);
    let observed = ["--observed", "kiwi-broken-tag.json", "--observed", "diskimage-builder.json"];
    let ran = plan(&desk, &[&observed[..], &["--format", "diff"]].concat()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.3\n"), "{}", ran.stdout);
    reads!(about(&ran.stderr, "`0.4`"), @"WARN passed over `0.4`: not a release version (expected MAJOR.MINOR.PATCH) path=kiwi-broken-tag.json");
}

/// The small file at kiwi 0.1.3, with a leapmicro image beside an Ubuntu one of Kubernetes 1.31.9.
fn listing(leapmicro: &str) -> String {
    let values = String::from_utf8(read("first-key.yaml")).unwrap();
    let images = format!("  {leapmicro}:\n    os_images_oci_registry: sylva-kiwi-imagebuilder\n");
    let values = values.replace("0.1.1", "0.1.3").replace("1-31-8", "1-31-9");
    values.replace("\nsecurity:\n", &format!("{images}\nsecurity:\n"))
}

async fn check(desk: &Desk, observed: &[&str]) -> (Option<i32>, Vec<(u64, String)>) {
    let observed = observed.iter().flat_map(|file| ["--observed", file]);
    let start = ["check", VALUES, "--format", "json"];
    let ran = desk.dibump(&start.into_iter().chain(observed).collect::<Vec<_>>()).await;
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let findings = report["findings"].as_array().unwrap().iter();
    let disagreeing = findings.filter(|finding| finding["id"] == "disagreeing-images");
    let told = |finding: &serde_json::Value| {
        (finding["line"].as_u64().unwrap(), finding["message"].as_str().unwrap().to_owned())
    };
    (ran.exit, disagreeing.map(told).collect())
}

#[tokio::test]
async fn images_that_disagree_by_their_names_are_found_with_the_lines_of_both() {
    let desk = desk("first-key.yaml", &["kiwi-disagrees.json"]);
    desk.write(VALUES, listing("leapmicro-6-0-plain-rke2-1-31-10"));
    let (exit, found) = check(&desk, &["kiwi-disagrees.json"]).await;
    assert_eq!(exit, Some(10), "{found:#?}");
    let [(19, message)] = &found[..] else { panic!("{found:#?}") };
    reads!(message, @"`ubuntu-noble-plain-rke2-1-31-9` has Kubernetes 1.31.9, and `leapmicro-6-0-plain-rke2-1-31-10` (values.yaml:23:3) has 1.31.10+rke2r1");
}

#[tokio::test]
async fn images_that_disagree_in_annotations_are_found_where_both_builders_answer() {
    let desk = desk("first-key.yaml", &["kiwi-revision-disagrees.json", "kiwi.json"]);
    desk.write(VALUES, listing("leapmicro-6-0-plain-rke2-1-31-9"));
    let annotated = |name: &str, flavor: &str, version: &str| {
        let annotations = [
            ("os", "ubuntu"),
            ("os-release", "noble"),
            ("flavor", "plain"),
            ("k8s-flavor", flavor),
            ("k8s-version", version),
        ];
        let annotations: serde_json::Map<_, _> = annotations
            .iter()
            .map(|(key, value)| (format!("sylvaproject.org/diskimage/{key}"), serde_json::json!(value)))
            .collect();
        serde_json::json!({"name": name, "annotations": annotations})
    };
    let releases = serde_json::json!({
        "schema": "dibump.releases/1",
        "registry": "oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder",
        "releases": [{"version": "0.4.12", "artifacts": [
            annotated("ubuntu-noble-plain-rke2-1-31-9", "rke2", "1.31.9-rke2r1"),
            annotated("ubuntu-noble-plain-kubeadm-1-31-9", "kubeadm", "1.31.9"),
        ]}],
    });
    desk.write("dib.json", releases.to_string());
    let (exit, found) = check(&desk, &["dib.json", "kiwi-revision-disagrees.json"]).await;
    assert_eq!((exit, found.len()), (Some(10), 1), "{found:#?}");
    let (exit, found) = check(&desk, &["dib.json", "kiwi.json"]).await;
    assert!(exit == Some(0) && found.is_empty(), "{found:#?}");
}

/// The lines that a diff takes away and brings.
fn changed(diff: &str) -> Vec<&str> {
    let is_header = |line: &&str| line.starts_with("---") || line.starts_with("+++");
    diff.lines().filter(|line| line.starts_with(['+', '-']) && !is_header(line)).collect()
}

/// What the file at hand becomes, as `diff` would print its changed lines.
async fn updated(desk: &Desk, observed: [&str; 2]) -> (Vec<u8>, Ran) {
    let observed = observed.iter().flat_map(|file| ["--observed", file]).collect::<Vec<_>>();
    let ran = plan(desk, &[&observed[..], &["--write"]].concat()).await;
    (desk.read(VALUES), ran)
}

/// Holds the file against a diff that was put into sylva-core's whole file and rendered by Helm.
fn is_as_wanted(before: &str, after: &[u8], wanted: &str) {
    let after = String::from_utf8(after.to_vec()).unwrap();
    let diff = similar::TextDiff::from_lines(before, &after);
    let diff = diff.unified_diff().to_string();
    assert_eq!(changed(&diff), changed(wanted));
}

#[tokio::test]
async fn both_builders_move_their_versions_keys_and_the_map() {
    for ck8s_moves in [false, true] {
        let desk = desk("values.yaml", &["values.schema.json", "kiwi.json"]);
        let mut releases: serde_json::Value =
            serde_json::from_slice(&read("diskimage-builder.json")).unwrap();
        if ck8s_moves {
            move_ck8s(&mut releases);
        }
        desk.write("diskimage-builder.json", releases.to_string());
        let (after, ran) = updated(&desk, ["diskimage-builder.json", "kiwi.json"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        let wanted = if ck8s_moves { "ck8s-moves.diff" } else { "both.diff" };
        let (before, wanted) = (read("values.yaml"), read(wanted));
        is_as_wanted(std::str::from_utf8(&before).unwrap(), &after, std::str::from_utf8(&wanted).unwrap());
        let (exit, found) = check(&desk, &["diskimage-builder.json", "kiwi.json"]).await;
        assert!(exit == Some(0) && found.is_empty(), "{found:#?}");
        let (again, ran) = updated(&desk, ["diskimage-builder.json", "kiwi.json"]).await;
        assert!(ran.exit == Some(0) && again == after, "{ran:#?}");
    }
}

/// The plan of the file at hand as a program reads it.
async fn told(desk: &Desk, more: &[&str]) -> serde_json::Value {
    let ran = plan(desk, &[more, &["--format", "json"]].concat()).await;
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"))
}

/// What becomes of each builder.
fn steps(report: &serde_json::Value) -> Vec<[&str; 3]> {
    let text = |step: &'_ serde_json::Value, key| step[key].as_str().unwrap().to_owned().leak() as &str;
    let steps = report["producers"].as_array().unwrap().iter();
    steps.map(|step| ["producer", "outcome", "to"].map(|key| text(step, key))).collect()
}

#[tokio::test]
async fn a_builder_that_is_late_holds_both_and_is_named() {
    let desk = desk("values.yaml", &["diskimage-builder.json", "kiwi-late.json"]);
    let observed = ["--observed", "diskimage-builder.json", "--observed", "kiwi-late.json"];
    let report = told(&desk, &observed).await;
    assert_eq!(
        steps(&report),
        [["diskimage-builder", "held", "0.4.12"], ["kiwi-imagebuilder", "up-to-date", "0.1.2"]]
    );
    reads!(report["reason"].as_str().unwrap(), @"disagreeing: 0.4.13: listed images would disagree: `leapmicro-6-0-plain-rke2-1-31-8` of kiwi-imagebuilder 0.1.2 has Kubernetes 1.31.8+rke2r1, and `ubuntu-noble-plain-rke2-1-31-9` of diskimage-builder 0.4.13 has 1.31.9+rke2r1 (published 2025-06-12); it ends when `leapmicro-6-0-plain-rke2-1-31-8` of kiwi-imagebuilder 0.1.2 is replaced by an image of Kubernetes 1.31.9+rke2r1, or with `accept: [0.4.13]` in the target");
    // A person decides otherwise; the version map stays where not every image follows.
    let forced = ["--producer", "diskimage-builder", "--to", "0.4.13"];
    let ran = plan(&desk, &[&observed[..], &forced[..], &["--format", "diff"]].concat()).await;
    assert!(ran.stdout.contains("+sylva_diskimagebuilder_version: 0.4.13"), "{ran:#?}");
    assert!(!ran.stdout.contains("1.31.9+rke2r1") && !ran.stdout.contains("leapmicro-6-0-plain-rke2-1-31-9"));
    assert!(ran.stdout.contains("+      {{- $version := \"v1.31.9\" -}}"), "{}", ran.stdout);
}

#[tokio::test]
async fn builders_that_disagree_by_name_or_by_revision_are_both_held() {
    let mut said = String::new();
    for kiwi in ["kiwi-disagrees.json", "kiwi-revision-disagrees.json"] {
        let desk = desk("values.yaml", &["diskimage-builder.json", kiwi]);
        let report = told(&desk, &["--observed", "diskimage-builder.json", "--observed", kiwi]).await;
        assert_eq!(
            steps(&report),
            [["diskimage-builder", "held", "0.4.12"], ["kiwi-imagebuilder", "held", "0.1.2"]],
            "{kiwi}"
        );
        let reason = report["producers"][1]["reason"].as_str().unwrap();
        said += &format!("{reason}\n");
    }
    reads!(said, @"
    disagreeing: 0.1.3: listed images would disagree: `opensuse-15-6-hardened-rke2-1-31-9` of diskimage-builder 0.4.13 has Kubernetes 1.31.9+rke2r1, and `leapmicro-6-0-plain-rke2-1-31-10` of kiwi-imagebuilder 0.1.3 has 1.31.10+rke2r1 (published 2025-06-12); it ends when `opensuse-15-6-hardened-rke2-1-31-9` of diskimage-builder 0.4.13 is replaced by an image of Kubernetes 1.31.10+rke2r1, or with `accept: [0.1.3]` in the target
    disagreeing: 0.1.3: listed images would disagree: `opensuse-15-6-hardened-rke2-1-31-9` of diskimage-builder 0.4.13 has Kubernetes 1.31.9+rke2r1, and `leapmicro-6-0-plain-rke2-1-31-9` of kiwi-imagebuilder 0.1.3 has 1.31.9+rke2r2 (published 2025-06-12); it ends when `opensuse-15-6-hardened-rke2-1-31-9` of diskimage-builder 0.4.13 is replaced by an image of Kubernetes 1.31.9+rke2r2, or with `accept: [0.1.3]` in the target
    ");
}

#[tokio::test]
async fn names_of_minors_alone_are_held_by_what_annotations_say() {
    let desk = desk("autumn-2026/values.yaml", &[]);
    desk.write("diskimage-builder.json", read("autumn-2026/diskimage-builder.json"));
    let mut late: serde_json::Value = serde_json::from_slice(&read("autumn-2026/kiwi.json")).unwrap();
    late["releases"].as_array_mut().unwrap().retain(|release| release["version"] != "0.6.1");
    desk.write("kiwi.json", late.to_string());
    let report = told(&desk, &["--observed", "diskimage-builder.json", "--observed", "kiwi.json"]).await;
    assert_eq!(
        steps(&report),
        [["diskimage-builder", "held", "0.12.1"], ["kiwi-imagebuilder", "up-to-date", "0.6.0"]]
    );
}

#[tokio::test]
async fn an_older_release_goes_where_the_newest_disagrees() {
    let desk = desk("values.yaml", &["kiwi.json"]);
    let mut releases: serde_json::Value = serde_json::from_slice(&read("diskimage-builder.json")).unwrap();
    let all = releases["releases"].as_array_mut().unwrap();
    let newest = all.iter().find(|release| release["version"] == "0.4.13").unwrap().to_string();
    let newest = newest.replace("0.4.13", "0.4.14").replace("1-31-9", "1-31-10").replace("1.31.9", "1.31.10");
    all.insert(0, serde_json::from_str(&newest).unwrap());
    desk.write("diskimage-builder.json", releases.to_string());
    let report = told(&desk, &["--observed", "diskimage-builder.json", "--observed", "kiwi.json"]).await;
    assert_eq!(
        steps(&report),
        [["diskimage-builder", "update", "0.4.13"], ["kiwi-imagebuilder", "update", "0.1.3"]]
    );
    let passed = &report["producers"][0]["releases"][0];
    assert_eq!((&passed["version"], &passed["verdict"]), (&"0.4.14".into(), &"held".into()));
}

/// ck8s goes in 0.4.13 from 1.31.6 to 1.31.8, which is what the others had: a chain that must not be followed twice.
fn move_ck8s(releases: &mut serde_json::Value) {
    let moved = |text: &str| text.replace("1-31-6", "1-31-8").replace("1.31.6", "1.31.8");
    let all = releases["releases"].as_array_mut().unwrap();
    let newest = all.iter_mut().find(|release| release["version"] == "0.4.13").unwrap();
    let artifacts = newest["artifacts"].as_array_mut().unwrap().iter_mut();
    for artifact in artifacts.filter(|artifact| artifact["name"].as_str().unwrap().contains("ck8s")) {
        *artifact = serde_json::from_str(&moved(&artifact.to_string())).unwrap();
    }
}

#[tokio::test]
async fn names_of_minors_alone_move_versions_and_map_and_no_key() {
    let desk = desk("autumn-2026/values.yaml", &[]);
    for file in ["diskimage-builder.json", "kiwi.json"] {
        desk.write(file, read(&format!("autumn-2026/{file}")));
    }
    let (after, ran) = updated(&desk, ["diskimage-builder.json", "kiwi.json"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let (before, wanted) = (read("autumn-2026/values.yaml"), read("autumn-2026/both.diff"));
    is_as_wanted(std::str::from_utf8(&before).unwrap(), &after, std::str::from_utf8(&wanted).unwrap());
}

#[tokio::test]
async fn a_generation_moves_by_one_line_within_its_own_minor_release() {
    for (entry, from, to) in [("sylva-n-1", "0.11.13", "0.11.14"), ("sylva-n-2", "0.7.14", "0.7.15")] {
        let desk = desk("autumn-2026/values.yaml", &[]);
        desk.write("diskimage-builder.json", read("autumn-2026/diskimage-builder.json"));
        let key = format!("os_images_oci_registries.{entry}.tag");
        let args = ["--observed", "diskimage-builder.json", "--version-key", &key];
        let report = told(&desk, &args).await;
        assert_eq!((&report["outcome"], &report["to"]), (&"update".into(), &to.into()), "{report:#}");
        assert_eq!(report["findings"]["new"], serde_json::json!([]), "{report:#}");
        assert_eq!(report["files"][0]["notes"], serde_json::json!([]), "{report:#}");
        let ran = plan(&desk, &[&args[..], &["--write"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        let before = String::from_utf8(read("autumn-2026/values.yaml")).unwrap();
        let after = String::from_utf8(desk.read(VALUES)).unwrap();
        assert_eq!(after, before.replace(&format!("tag: {from}"), &format!("tag: {to}")));
        assert_ne!(after, before);
        // Nothing newer is left: the next minor release is not one of its own.
        let again = told(&desk, &args).await;
        assert_eq!(again["outcome"], "up-to-date", "{again:#}");
    }
}
