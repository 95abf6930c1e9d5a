//! One project's file that is more work than any honest one: it ends by itself, and nobody else waits for it.

use std::collections::BTreeSet;

use serde_json::json;

use super::bounded;
use crate::fake::oci::Image;
use crate::fleet::Fleet;
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, PREFIX, Ran, VALUES, World};

const SCHEMA: &str = "values.schema.json";

/// A run over three targets, of which the first has these files.
async fn run_beside(files: &[(&str, &[u8])], arguments: &[&str]) -> (Ran, usize) {
    let fleet = Fleet::new(3, |_| AT_0_4_11.to_owned()).await;
    fleet.gitlab.state().project(1_000).repository.commit_on("main", "Evil", "mallory", files);
    fleet.by_name(3);
    let ran = bounded(&fleet.desk, &[&["run"], arguments].concat()).await;
    let healthy = fleet.opened().into_iter().filter(|path| !path.ends_with("0000")).count();
    (ran, healthy)
}

/// How the target ends and the run, and the others have their merge requests.
async fn ended(files: &[(&str, &[u8])], exit: i32) -> String {
    let (ran, healthy) = run_beside(files, &[]).await;
    assert_eq!((ran.exit, healthy), (Some(exit), 2), "{ran:.2000?}");
    let outcomes = ["→ refused", "→ failed"].map(|outcome| about(&ran.stdout, outcome)).concat();
    format!("{outcomes}{}", ran.stdout.lines().last().unwrap())
}

/// `$defs/0` refers twice to `$defs/1`, and so on.
pub(super) fn doubling(levels: usize) -> String {
    let twice = |to: usize| json!({"allOf": vec![json!({"$ref": format!("#/$defs/{to}")}); 2]});
    let defs = (0..levels).map(|level| (level.to_string(), twice(level + 1)));
    let last = (levels.to_string(), json!({}));
    let defs: serde_json::Map<_, _> = defs.chain([last]).collect();
    json!({"$ref": "#/$defs/0", "$defs": defs}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_whose_rules_refer_to_each_other_is_judged_once() {
    for schema in [r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##.to_owned(), doubling(24), doubling(31)] {
        reads!(ended(&[(SCHEMA, schema.as_bytes())], 0).await, @"3 target branches: 3 created");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_too_many_patterns_is_refused() {
    for (count, pattern) in [(200_000, "x"), (1_200, r"(\w{90}x)")] {
        let patterns: serde_json::Map<_, _> =
            (0..count).map(|n| (format!("{pattern}{n}"), json!({}))).collect();
        let schema = json!({"properties": {"diskimage_builder_os_images": {"patternProperties": patterns}}});
        let schema = schema.to_string();
        reads!(ended(&[(SCHEMA, schema.as_bytes())], 5).await, @"
        → refused: values.schema.json: too large: regular expressions, limit 1000 in one target
        3 target branches: 2 created, 1 refused
        ");
    }
}

/// Values of some megabytes whose public key is this template.
pub(super) fn values_with(template: &str) -> String {
    let entries: String =
        (0..60_000).map(|n| format!("  key-{n}: {{a: [xxxxxxxxxxxxxxxxxxxx, {n}]}}\n")).collect();
    format!(
        "{AT_0_4_11}os_images_oci_registries:\n  sylva: {{cosign_publickey: '{template}'}}\nsecurity: {{skip: {}}}\nz:\n{entries}",
        "x".repeat(60_000)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_names_a_value_often_takes_no_memory_for_it() {
    let names = ".Values.z ".repeat(5_000);
    let values = values_with(&format!("{{{{ len (list {names}) }}}}"));
    // It gives a number, which is no key.
    reads!(ended(&[(VALUES, values.as_bytes())], 3).await, @"
    → failed: values.yaml:9:11: `os_images_oci_registries.sylva.cosign_publickey`: not a public key: not a PEM text (expected `-----BEGIN PUBLIC KEY-----`); name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`
    3 target branches: 2 created, 1 failed
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_too_much_work_is_refused() {
    let contains = "{{ contains \"y\" .Values.security.skip }}".repeat(1_200);
    let regexes: String = (0..1_200).map(|n| format!("{{{{ regexMatch \"{n}\" \"x\" }}}}")).collect();
    let mut told = String::new();
    for template in [contains, regexes] {
        let values = values_with(&template);
        told += &format!("{}\n", ended(&[(VALUES, values.as_bytes())], 5).await);
    }
    reads!(told, @"
    → refused: values.yaml:9:11: `os_images_oci_registries.sylva.cosign_publickey`: too large: the text of templates in the values, limit 67108864 bytes; name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`
    3 target branches: 2 created, 1 refused
    → refused: values.yaml:9:11: `os_images_oci_registries.sylva.cosign_publickey`: too large: regular expressions, limit 1000 in one target; name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`
    3 target branches: 2 created, 1 refused
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_costs_no_request_for_each_of_its_tags() {
    let world = World::new().await;
    for patch in 0..1_500 {
        world.registry.release(PREFIX, &format!("1.0.{patch}"), &[Image::new("ci-tools")]);
    }
    // A container image for several machines: an index of several manifests.
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry("a"), entry("b")]});
    world.registry.push(&format!("{PREFIX}/multi"), "2.0.0", index.to_string(), INDEX);
    world.desk.write(VALUES, AT_0_4_11);
    let before = world.registry.requests().len();
    let ran = bounded(&world.desk, &["plan", VALUES]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("0.4.11 → 0.4.12"), "{ran:#?}");
    assert!(world.registry.requests().len() - before <= 30, "{}", world.registry.requests().len() - before);
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn entry(of: &str) -> serde_json::Value {
    json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2, "digest": crate::fake::oci::digest(of.as_bytes())})
}

#[tokio::test(flavor = "multi_thread")]
async fn held_releases_are_read_in_batches_and_not_without_end() {
    let world = World::new().await;
    world.add("policy: {minimum_age: 3 days}");
    for patch in 0..2_000 {
        let image = Image::new("ubuntu-noble-plain-rke2-1-30-13");
        world.registry.release(PREFIX, &format!("0.5.{patch}"), &[image]);
    }
    world.desk.write(VALUES, AT_0_4_11);
    let before = world.registry.requests().len();
    let ran = bounded(&world.desk, &["plan", VALUES]).await;
    assert_eq!(ran.exit, Some(0), "{ran:.2000?}");
    reads!(about(&ran.stdout, "0.5.1999"), @"
    ‖ 0.5.1999  held: too young until 2026-05-07 03:02 UTC        1
    0.5.1999: `accept: [0.5.1999]` in the target ends it
    held (too-young): 0.5.1999: too young until 2026-05-07 03:02 UTC; `accept: [0.5.1999]` in the target ends it
    ");
    reads!(about(&ran.stdout, "0.5.1979"), @"0.5.1979  older than 0.5.1980: not looked at (`look_back`)");
    reads!(about(&ran.stdout, "and "), @"and 1978 more: older than 0.5.1980: not looked at (`look_back`)");
    assert!(world.registry.requests().len() - before <= 60, "{}", world.registry.requests().len() - before);
}

/// Each dead key once walked through the whole file.
#[tokio::test(flavor = "multi_thread")]
async fn many_dead_keys_that_clusters_name_are_judged_in_time() {
    let desk = Desk::new();
    let key = |n: usize, patch: usize| format!("ubuntu-noble-plain-rke2-1-{n}-{patch}");
    let keys = 0..12_000;
    let listed: String = keys.clone().map(|n| format!("  {}: {{}}\n", key(n, 7))).collect();
    let named: String =
        keys.clone().map(|n| format!("    md{n}: {{capm3: {{image_key: {}}}}}\n", key(n, 7))).collect();
    let artifacts: Vec<_> = keys.map(|n| json!({"name": key(n, 8)})).collect();
    let releases =
        json!({"schema": "dibump.releases/1", "releases": [{"version": "0.4.12", "artifacts": artifacts}]});
    desk.write("releases.json", releases.to_string());
    desk.write(
        VALUES,
        format!(
            "sylva_diskimagebuilder_version: 0.4.12\nsylva_diskimagebuilder_images:\n{listed}\
             cluster:\n  machine_deployments:\n{named}"
        ),
    );
    for (command, exit, said) in [("check", 10, "12000 errors"), ("plan", 0, "12000")] {
        let ran = bounded(&desk, &[command, VALUES, "--observed", "releases.json"]).await;
        assert_eq!(ran.exit, Some(exit), "{command}: {:.1000}", ran.stderr);
        assert!(ran.stdout.contains(said), "{command}: {:.1000}", ran.stdout);
    }
}

/// Each selector once was held against each image.
#[tokio::test(flavor = "multi_thread")]
async fn many_selectors_beside_many_images_are_judged_in_part_and_in_time() {
    let desk = Desk::new();
    let keys = 0..5_000;
    let name = |n: usize| format!("ubuntu-noble-plain-rke2-1-{n}-7");
    let listed: String = keys.clone().map(|n| format!("  {}: {{}}\n", name(n))).collect();
    let selecting: String = keys
        .clone()
        .map(|n| {
            format!(
                "    md{n}: {{capm3: {{os_image_selector: {{os: ubuntu, k8s-version: '1[.]{n}[.].*'}}}}}}\n"
            )
        })
        .collect();
    let annotation = |key: &str| format!("sylvaproject.org/diskimage/{key}");
    let artifact = |n: usize| {
        let annotations = json!({annotation("os"): "ubuntu", annotation("k8s-version"): format!("1.{n}.7")});
        json!({"name": name(n), "annotations": annotations})
    };
    let artifacts: Vec<_> = keys.map(artifact).collect();
    let releases =
        json!({"schema": "dibump.releases/1", "releases": [{"version": "0.4.12", "artifacts": artifacts}]});
    desk.write("releases.json", releases.to_string());
    let mapping = format!("sylva_diskimagebuilder_version: 0.4.12\nsylva_diskimagebuilder_images:\n{listed}");
    desk.write(VALUES, format!("{mapping}cluster:\n  machine_deployments:\n{selecting}"));
    let ran = bounded(&desk, &["check", VALUES, "--observed", "releases.json"]).await;
    assert!(matches!(ran.exit, Some(0 | 10)), "{:.1000}", ran.stderr);
    let skipped = ran.stdout.lines().filter(|line| line.starts_with("skipped: "));
    let reasons: BTreeSet<&str> = skipped.filter_map(|line| line.rsplit(": ").next()).collect();
    reads!(Vec::from_iter(reasons).join("\n"), @"
    not all attributes of the images are known here
    the files name more images, versions and selectors than are compared
    the releases come from a file
    ");
}

#[tokio::test]
async fn many_comments_that_ignore_are_looked_up_by_their_line() {
    let releases = json!({"schema": "dibump.releases/1", "releases": [
        {"version": "0.4.12", "artifacts": [{"name": "ubuntu-noble-plain-rke2-1-31-8"}]}
    ]});
    let head = "sylva_diskimagebuilder_version: 0.4.12\nsylva_diskimagebuilder_images:\n";
    let dead = |n: usize| format!("  ubuntu-noble-plain-rke2-1-{n}-7: {{}}");
    let block: String = (0..8_000).map(|n| format!("  # dibump: ignore[dead-key] because {n}\n")).collect();
    let each: String =
        (0..8_000).map(|n| format!("{} # dibump: ignore[dead-key] because {n}\n", dead(n))).collect();
    for (entries, ignored) in [(format!("{block}{}\n", dead(0)), "1 ignored"), (each, "8000 ignored")] {
        let desk = Desk::new();
        desk.write("releases.json", releases.to_string()).write(VALUES, format!("{head}{entries}"));
        let ran = bounded(&desk, &["check", VALUES, "--observed", "releases.json"]).await;
        assert_eq!(ran.exit, Some(0), "{:.1000}", ran.stderr);
        assert!(ran.stdout.contains(ignored), "{:.1000}", ran.stdout);
    }
}
