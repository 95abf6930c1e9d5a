//! `check` by the real program: every kind of defect, every form, fixes, ignores, wrong input, a registry that fails.

mod deployments;
mod forms;
mod signed;

use std::path::Path;

use serde_json::{Value, json};

use crate::fake::oci::{Fault, Image};
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, PREFIX, Ran, VALUES, World, values_at};

pub(crate) fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The images of 0.4.12 in these stories.
const IMAGES: [(&str, &str); 5] = [
    ("ubuntu-noble-plain-rke2-1-31-8", "1.31.8+rke2r1"),
    ("ubuntu-noble-hardened-rke2-1-31-8", "1.31.8+rke2r1"),
    ("opensuse-15-6-plain-rke2-1-31-8", "1.31.8+rke2r1"),
    ("ubuntu-noble-plain-kubeadm-1-31-8", "1.31.8"),
    ("opensuse-15-6-plain-kubeadm-1-31-8", "1.31.8"),
];

fn annotations(name: &str, version: &str) -> Vec<(String, String)> {
    let facets = dibump::release::Facets::from_name(name).unwrap();
    let values = [
        ("os", facets.os.as_str()),
        ("os-release", &facets.os_release),
        ("flavor", &facets.flavor),
        ("k8s-flavor", &facets.k8s_flavor),
        ("k8s-version", version),
        ("hardened", if facets.flavor == "hardened" { "true" } else { "false" }),
    ];
    let named = |(key, value): (&str, &str)| (format!("sylvaproject.org/diskimage/{key}"), value.to_owned());
    values.map(named).into()
}

/// The annotations of an image by its name.
pub(crate) fn annotated(name: &str) -> std::collections::BTreeMap<String, String> {
    let facets = dibump::release::Facets::from_name(name).unwrap();
    annotations(name, &facets.k8s_version.to_string()).into_iter().collect()
}

pub(crate) fn observed() -> String {
    let artifacts: Vec<Value> = IMAGES
        .iter()
        .map(|(name, version)| {
            let annotations: serde_json::Map<String, Value> =
                annotations(name, version).into_iter().map(|(key, value)| (key, json!(value))).collect();
            json!({"name": name, "annotations": annotations})
        })
        .collect();
    let releases =
        json!([{"version": "0.4.12", "artifacts": artifacts}, {"version": "0.4.13", "artifacts": []}]);
    json!({"schema": "dibump.releases/1", "releases": releases}).to_string()
}

fn desk(values: impl AsRef<[u8]>) -> Desk {
    let desk = Desk::new();
    desk.write(VALUES, values).write("releases.json", observed());
    desk
}

/// `check values.yaml --observed releases.json` and more.
async fn check(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["check", VALUES, "--observed", "releases.json"], more].concat()).await
}

/// Kinds and places of what was found.
async fn found(desk: &Desk, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let ran = check(desk, &[&["--format", "json"], more].concat()).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"));
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let row = |row: &Value| ["line", "column", "id", "severity"].map(|field| text(&row[field])).join(" ");
    (ran.exit, report["findings"].as_array().unwrap().iter().map(row).collect())
}

/// A file at 0.4.12 with these entries and what else.
fn at_0_4_12(entries: &str, rest: &str) -> String {
    format!("sylva_diskimagebuilder_version: 0.4.12\nsylva_diskimagebuilder_images:\n{entries}{rest}")
}

const LIVING: &str = "  ubuntu-noble-plain-rke2-1-31-8: {}\n";

#[tokio::test]
async fn every_kind_of_defect_is_found_in_a_file_that_has_them_all() {
    let desk = desk(data("check/values.yaml"));
    let (exit, found) = found(&desk, &["--images", "all"]).await;
    assert_eq!(exit, Some(10));
    insta::assert_snapshot!(found.join("\n"), @r"
    9 73 kubernetes-version error
    11 1 unlisted-artifact warn
    12 3 dead-key error
    14 3 duplicate-key error
    19 3 dead-key error
    19 43 ignore-without-reason warn
    20 3 unused-ignore warn
    24 16 kubernetes-version error
    27 5 selector error
    31 9 selector error
    37 20 unknown-image-key error
    ");
}

#[tokio::test]
async fn several_files_are_judged_each_by_itself() {
    let desk = desk(at_0_4_12(LIVING, ""));
    let dead = LIVING.replace("1-31-8", "1-31-7");
    desk.write("other.yaml", at_0_4_12(&dead, "")).write("third.yaml", at_0_4_12(LIVING, ""));
    let clean = check(&desk, &["third.yaml"]).await;
    assert_eq!(clean.exit, Some(0), "{clean:#?}");
    let ran = check(&desk, &["other.yaml", "third.yaml", "--format", "json"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let places: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["path"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["other.yaml"]);
    let fixed = check(&desk, &["other.yaml", "third.yaml", "--fix"]).await;
    assert_eq!(fixed.exit, Some(0), "{fixed:#?}");
    assert_eq!(desk.read("other.yaml"), desk.read("third.yaml"));
    let both = check(&desk, &["third.yaml", "-f", "other.yaml"]).await;
    assert_eq!(both.exit, Some(2), "{both:#?}");
}

#[tokio::test]
async fn a_finding_shows_its_line_and_the_program_says_what_it_did_not_judge() {
    let ran = check(&desk(data("check/values.yaml")), &[]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    insta::assert_snapshot!(ran.stdout, @r##"
    error[kubernetes-version]: Kubernetes `v1.31.9` fits no listed image
      --> values.yaml:9:73
      |
    9 | k8s_version_map: {"1.31": '{{ eq .x "cabpr" | ternary "v1.31.8+rke2r1" "v1.31.9" }}'}
      |                                                                         ^^^^^^^
      = help: of 1.31 listed images have 1.31.8, 1.31.8+rke2r1

    error[dead-key]: `ubuntu-noble-plain-rke2-1-31-7` is not published with 0.4.12
       --> values.yaml:12:3
       |
    12 |   ubuntu-noble-plain-rke2-1-31-7: {}
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: the artifact of its series is `ubuntu-noble-plain-rke2-1-31-8`
       = fix: --fix would rename `ubuntu-noble-plain-rke2-1-31-7` to `ubuntu-noble-plain-rke2-1-31-8`

    error[duplicate-key]: `ubuntu-noble-plain-kubeadm-1-31-8` is written twice, first at 13:3
       --> values.yaml:14:3
       |
    14 |   ubuntu-noble-plain-kubeadm-1-31-8: {}
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = fix: --fix would remove the second `ubuntu-noble-plain-kubeadm-1-31-8`

    error[dead-key]: `opensuse-15-6-hardened-rke2-1-31-8` is not published with 0.4.12
       --> values.yaml:19:3
       |
    19 |   opensuse-15-6-hardened-rke2-1-31-8: {}  # dibump: ignore[dead-key]
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: the nearest that is published is `opensuse-15-6-plain-rke2-1-31-8`

    warning[ignore-without-reason]: the comment gives no reason, so it ignores nothing
       --> values.yaml:19:43
       |
    19 |   opensuse-15-6-hardened-rke2-1-31-8: {}  # dibump: ignore[dead-key]
       |                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: write why after the bracket: `because …`

    warning[unused-ignore]: line 21 has no `selector` to ignore
       --> values.yaml:20:3
       |
    20 |   # dibump: ignore[selector] because there was one
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: remove the comment

    error[kubernetes-version]: Kubernetes `v1.30.1+rke2r1` fits no listed image
       --> values.yaml:24:16
       |
    24 |   k8s_version: v1.30.1+rke2r1
       |                ^^^^^^^^^^^^^^
       = help: listed images have 1.31.8, 1.31.8+rke2r1, 1.35

    error[selector]: the selector matches no listed image
       --> values.yaml:27:5
       |
    27 |     os_image_selector: {os: fedora}
       |     ^^^^^^^^^^^^^^^^^

    error[selector]: the selector matches 2 listed images
       --> values.yaml:31:9
       |
    31 |         os_image_selector: {os: ubuntu|opensuse, k8s-version: '.*'}
       |         ^^^^^^^^^^^^^^^^^
       = help: they are `opensuse-15-6-plain-rke2-1-31-8`, `ubuntu-noble-hardened-rke2-1-31-8`

    error[unknown-image-key]: `ubuntu-noble-plain-rke2-1-31-6` is not a listed image
       --> values.yaml:37:20
       |
    37 |         image_key: ubuntu-noble-plain-rke2-1-31-6
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       = help: the nearest that is listed is `ubuntu-noble-plain-kubeadm-1-31-8`

    skipped: values.yaml:11:1: unchecked-signature was not checked: the releases come from a file
    skipped: values.yaml:34:20: unknown-image-key was not checked: it is a template
    8 errors, 2 warnings, 1 ignored, 2 to fix with --fix
    "##);
    assert_eq!(ran.stderr, "");
}

#[tokio::test]
async fn a_file_in_step_with_its_release_is_clean() {
    let world = World::new().await;
    world.desk.write(VALUES, values_at(12));
    let ran = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (
            Some(0),
            "skipped: values.yaml:3:1: unchecked-signature was not checked: no public key is known\nnothing found\n"
        ),
        "{ran:#?}"
    );
}

#[tokio::test]
async fn without_a_file_the_targets_of_the_configuration_are_checked() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11.replace("0.4.11", "0.4.12"));
    let ran = world.desk.dibump(&["check"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert_eq!(ran.stdout.matches("error[dead-key]").count(), 2, "{ran:#?}");

    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    world.desk.write("dibump.yaml", format!("{config}check: {{dead-key: off}}\n"));
    assert_eq!(world.desk.dibump(&["check"]).await.exit, Some(0));
    assert_eq!(world.desk.dibump(&["check", "--severity", "dead-key=error"]).await.exit, Some(10));
    world.desk.write("dibump.yaml", format!("{config}check: {{dead-kye: off}}\n"));
    let ran = world.desk.dibump(&["check"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: dibump.yaml:11:9: check.dead-kye: unknown key `dead-kye`; did you mean `dead-key`?");
}

#[tokio::test]
async fn what_is_safe_is_fixed_and_the_second_run_changes_nothing() {
    let desk = desk(data("check/values.yaml"));
    let ran = check(&desk, &["--fix"]).await;
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), data("check/fixed.yaml"));
    reads!(about(&ran.stdout, "fixed: "), @"
    fixed: values.yaml:12:3: rename `ubuntu-noble-plain-rke2-1-31-7` to `ubuntu-noble-plain-rke2-1-31-8`
    fixed: values.yaml:14:3: remove the second `ubuntu-noble-plain-kubeadm-1-31-8`
    ");
    let again = check(&desk, &["--fix"]).await;
    assert!(!again.stdout.contains("fix"), "{again:#?}");
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), data("check/fixed.yaml"));

    let clean = at_0_4_12("  ubuntu-noble-plain-rke2-1-31-7: {a: 1} # why\n", "");
    desk.write(VALUES, &clean);
    assert_eq!(check(&desk, &["--fix"]).await.exit, Some(0), "all was fixed");
    assert_eq!(desk.read(VALUES), clean.replace("1-31-7", "1-31-8").as_bytes());
}

#[tokio::test]
async fn nothing_is_fixed_that_has_more_than_one_answer() {
    let dead = "  ubuntu-noble-plain-rke2-1-31-7: {}\n";
    let two = format!("{dead}  ubuntu-noble-plain-rke2-1-31-6: {{}}\n");
    let listed = format!("{dead}{LIVING}");
    let different = "  ubuntu-noble-plain-rke2-1-31-8: {a: 1}\n  ubuntu-noble-plain-rke2-1-31-8: {a: 2}\n";
    let referred = "cluster: {capm3: {image_key: ubuntu-noble-plain-rke2-1-31-7}}\n";
    for (what, values) in [
        ("two dead keys of a line", at_0_4_12(&two, "")),
        ("its artifact is listed", at_0_4_12(&listed, "")),
        ("two values", at_0_4_12(different, "")),
        ("something refers to the key", at_0_4_12(dead, referred)),
        ("its line is gone", at_0_4_12("  ubuntu-noble-plain-rke2-1-27-1: {}\n", "")),
        (
            "ignored",
            at_0_4_12(&format!("{} # dibump: ignore[dead-key] because\u{20}so\n", dead.trim_end()), LIVING),
        ),
    ] {
        let desk = desk(&values);
        let ran = check(&desk, &["--fix"]).await;
        assert!(desk.read(VALUES) == values.as_bytes(), "{what}: {ran:#?}");
        assert!(!ran.stdout.contains("fixed"), "{what}: {ran:#?}");
    }
    let desk = desk(at_0_4_12(dead, ""));
    desk.write(
        "values.schema.json",
        r#"{"properties": {"sylva_diskimagebuilder_images": {"propertyNames": {"pattern": "7$"}}}}"#,
    );
    let ran = check(&desk, &["--fix"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    reads!(ran.stderr, @r#"warning: values.yaml:3:3: not fixed (rename `ubuntu-noble-plain-rke2-1-31-7` to `ubuntu-noble-plain-rke2-1-31-8`): values.schema.json does not allow the key (propertyNames: {pattern: "7$"})"#);
    assert_eq!(desk.read(VALUES), at_0_4_12(dead, "").as_bytes());
}

#[tokio::test]
async fn a_registry_that_cannot_be_asked_claims_nothing_and_the_rest_is_checked() {
    let values = AT_0_4_11.replace("other: [1, 2]", "cluster: {capm3: {image_key: nothing}}");
    let mut told = String::new();
    for fault in [Fault::status(503), Fault::cut()] {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        world.registry.fault(fault);
        let ran = world.desk.dibump(&["check", VALUES]).await;
        assert_eq!(ran.exit, Some(4), "{ran:#?}");
        assert!(!ran.stdout.contains("dead-key"), "{ran:#?}");
        // What the connection's end is called is the client's own word.
        told += ran.stdout.split(": error sending request").next().unwrap();
    }
    reads!(told, @"
    could not tell: 0.4.11: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): couldn't reach http://HOST/v2/_catalog?n=1000: it answered 503 Service Unavailable
    nothing else found
    could not tell: 0.4.11: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): couldn't reach http://HOST/v2/_catalog?n=1000: no answer from http://HOST/v2/_catalog?n=1000
    ");
    let world = World::new().await;
    world.desk.write(VALUES, values);
    world.registry.fault(Fault::status(503));
    let ran = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(ran.exit, Some(10), "an error is worse: {ran:#?}");
    assert!(ran.stdout.contains("error[unknown-image-key]: `nothing`"), "{ran:#?}");
    let ran = world.desk.dibump(&["check", VALUES, "--exit-zero"]).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
}

#[tokio::test]
async fn a_version_that_is_not_published_is_one_finding_and_a_snapshot_too() {
    let desk = desk(at_0_4_12(LIVING, "").replace("0.4.12", "0.4.13"));
    let (exit, all) = found(&desk, &[]).await;
    assert_eq!((exit, all), (Some(10), vec!["1 33 unpublished-version error".to_owned()]));
    desk.write(VALUES, at_0_4_12(LIVING, "").replace("0.4.12", "0.0.0-git-098dca5b"));
    let (exit, all) = found(&desk, &[]).await;
    assert_eq!((exit, all), (Some(0), vec!["1 33 pinned-version warn".to_owned()]));
    desk.write(VALUES, at_0_4_12(LIVING, "").replace("0.4.12", "0.4.99"));
    let (exit, all) = found(&desk, &[]).await;
    assert_eq!((exit, all), (Some(4), Vec::new()), "it is not among the observed releases");
}

#[tokio::test]
async fn a_key_on_the_way_that_contradicts_itself_is_a_finding() {
    let desk = desk(format!("{}sylva_diskimagebuilder_version: 0.4.11\n", at_0_4_12(LIVING, "")));
    let (exit, all) = found(&desk, &[]).await;
    assert_eq!((exit, all), (Some(10), vec!["4 1 duplicate-key error".to_owned()]));
}

#[tokio::test]
async fn other_files_are_checked_against_the_same_images() {
    let desk = desk(at_0_4_12(LIVING, ""));
    std::fs::create_dir_all(desk.path("env/deep")).unwrap();
    desk.write("env/a.yaml", "capm3: {image_key: ubuntu-noble-plain-rke2-1-31-8}\n");
    desk.write("env/deep/b.yaml", "os_images: {mine: {os: x}}\ncluster:\n  capm3: {image_key: mine}\n  control_plane: {capm3: {image_key: ubuntu-noble-plain-rke2-1-31-7}}\n");
    let ran = check(&desk, &["--references", "env/**/*.yaml"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert_eq!(ran.stdout.matches("error[").count(), 1, "{ran:#?}");
    assert!(ran.stdout.contains("--> env/deep/b.yaml:4:38"), "{ran:#?}");
    reads!(about(&ran.stdout, "ubuntu-noble-plain-rke2-1-31-8"), @"= help: the nearest that is listed is `ubuntu-noble-plain-rke2-1-31-8`");
}

#[tokio::test]
async fn wrong_input_is_refused_with_a_next_step() {
    let cases: [(&[&str], i32); 6] = [
        (&["--severity", "dead-kye=off"], 2),
        (&["--severity", "dead-key=no"], 2),
        (&["--references", "nowhere/*.yaml"], 2),
        (&["--references", "[", "--format", "json"], 2),
        (&["--output", "sarif="], 2),
        (&["--output", "no/such/folder.json"], 3),
    ];
    let mut told = String::new();
    for (arguments, exit) in cases {
        let ran = check(&desk(at_0_4_12(LIVING, "")), arguments).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(exit), ""), "{arguments:?}: {ran:#?}");
        told += &ran.stderr;
    }
    for values in ["a: {b: 1\nc: ]\n", "a: 1\n"] {
        let ran = check(&desk(values), &["--fix"]).await;
        assert_eq!(ran.exit, Some(3), "{values}: {ran:#?}");
        told += &ran.stderr;
    }
    reads!(told, @"
    error: invalid value 'dead-kye=off' for '--severity <ID=SEVERITY>': unknown check `dead-kye`; did you mean `dead-key`?

    For more information, try '--help'.
    error: invalid value 'dead-key=no' for '--severity <ID=SEVERITY>': `no` is not a severity (expected error, warn or off)

    For more information, try '--help'.
    error: --references nowhere/*.yaml: no such file below this folder
    error: --references: `[` is not a glob (unclosed character class; missing ']')
    error: invalid value 'sarif=' for '--output <[FORMAT=]FILE>': names no file (expected FILE or FORMAT=FILE)

    For more information, try '--help'.
    error: couldn't write no/such/folder.json: No such file or directory (os error N)
    error: values.yaml:2:2: not YAML: while parsing a flow mapping, did not find expected ',' or '}'
    hint: fix the YAML syntax here
    error: values.yaml: neither `diskimage_builder_os_images` nor `sylva_diskimagebuilder_images` was found; name the mapping's place with `images_key` (--images-key)
    ");
}

#[tokio::test]
async fn under_follow_only_new_lines_of_listed_families_are_missing() {
    let world = World::new().await;
    let more = [
        Image::new("ubuntu-noble-plain-rke2-1-30-13"),
        Image::new("ubuntu-noble-plain-rke2-1-31-8"),
        Image::new("ubuntu-noble-hardened-rke2-1-31-8"),
        Image::new("opensuse-15-6-plain-kubeadm-1-30-13"),
    ];
    world.registry.release(PREFIX, "0.4.13", &more);
    let values = "sylva_diskimagebuilder_version: 0.4.13\ndiskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-13: {}\n";
    world.desk.write(VALUES, values);
    let unlisted = |ran: &Ran| ran.stdout.matches("warning[unlisted-artifact]").count();
    let ran = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(unlisted(&ran), 1, "{ran:#?}");
    reads!(about(&ran.stdout, "ubuntu-noble-plain-rke2-1-31-8"), @"warning[unlisted-artifact]: `ubuntu-noble-plain-rke2-1-31-8` is published with 0.4.13 and not listed");
    assert_eq!(unlisted(&world.desk.dibump(&["check", VALUES, "--images", "all"]).await), 3);
    assert_eq!(unlisted(&world.desk.dibump(&["check", VALUES, "--images", "listed"]).await), 0);
}
