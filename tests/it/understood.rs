//! Values of flags and settings that are not understood are refused, and nothing is done with the rest.

use serde_json::Value;

use crate::fake::oci::Image;
use crate::said::about;
use crate::world::{AT_0_4_11, NETWORK, PATH, PREFIX, Ran, VALUES, World, values_at};

/// It is refused, and nothing is printed. The first line of what is said.
fn refused(ran: &Ran, exit: i32) -> String {
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(exit), ""), "{ran:#?}");
    format!("{}\n", ran.stderr.lines().next().unwrap())
}

/// The values file is there, and up to date.
async fn world() -> World {
    let world = World::new().await;
    world.desk.write(VALUES, values_at(12));
    world
}

#[tokio::test]
async fn a_report_of_an_unknown_format_is_not_written() {
    let world = world().await;
    let mut told = String::new();
    for command in ["check", "run"] {
        for output in ["sarfi=check.sarif", "=check.sarif", "json="] {
            told += &refused(&world.desk.dibump(&[command, "--output", output]).await, 2);
        }
    }
    reads!(told, @"
    error: invalid value 'sarfi=check.sarif' for '--output <[FORMAT=]FILE>': unknown format `sarfi` (expected text, json, code-quality, sarif, junit, markdown; for a file of this name write ./sarfi=check.sarif)
    error: invalid value '=check.sarif' for '--output <[FORMAT=]FILE>': unknown format `` (expected text, json, code-quality, sarif, junit, markdown; for a file of this name write ./=check.sarif)
    error: invalid value 'json=' for '--output <[FORMAT=]FILE>': names no file (expected FILE or FORMAT=FILE)
    error: invalid value 'sarfi=check.sarif' for '--output <[FORMAT=]FILE>': unknown format `sarfi` (expected text, json, markdown, annotations, dotenv; for a file of this name write ./sarfi=check.sarif)
    error: invalid value '=check.sarif' for '--output <[FORMAT=]FILE>': unknown format `` (expected text, json, markdown, annotations, dotenv; for a file of this name write ./=check.sarif)
    error: invalid value 'json=' for '--output <[FORMAT=]FILE>': names no file (expected FILE or FORMAT=FILE)
    ");
    assert!(!world.desk.path("sarfi=check.sarif").exists() && !world.desk.path("=check.sarif").exists());
    let ran = world.desk.dibump(&["check", VALUES, "--output", "./sarfi=check.sarif"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(world.desk.read("sarfi=check.sarif")).unwrap(), ran.stdout);
}

#[tokio::test]
async fn a_producer_that_the_configuration_does_not_have_is_refused() {
    let world = world().await;
    for command in [&["plan"][..], &["plan", VALUES], &["check"], &["check", VALUES], &["releases"]] {
        let ran = world.desk.dibump(&[command, &["--producer", "nobody"]].concat()).await;
        reads!(refused(&ran, 2), @"error: the configuration has no producer `nobody` (it has diskimage-builder)");
        let ran = world.desk.dibump(&[command, &["--producer", "diskimage-builder"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{command:?}: {ran:#?}");
    }
    std::fs::remove_file(world.desk.path("dibump.yaml")).unwrap();
    reads!(refused(&world.desk.dibump(&["plan", VALUES, "--producer", "nobody"]).await, 2), @"error: no configuration file has a producer `nobody`, and the file names none");
}

#[tokio::test]
async fn a_registry_that_the_file_does_not_have_is_refused() {
    let world = World::new().await;
    let registries =
        "os_images_oci_registries:\n  sylva: {tag: '{{ .Values.sylva_diskimagebuilder_version }}'}\n";
    world.desk.write(VALUES, format!("{AT_0_4_11}{registries}"));
    for command in ["plan", "check"] {
        let ran = world.desk.dibump(&[command, VALUES, "--registry-key", "nope"]).await;
        reads!(refused(&ran, 3), @"error: values.yaml: `os_images_oci_registries.nope` was not found, and no image names it (there are sylva); correct `registry_key` (--registry-key)");
    }
    let ran = world.desk.dibump(&["plan", VALUES, "--registry-key", "sylwa"]).await;
    reads!(refused(&ran, 3), @"error: values.yaml: `os_images_oci_registries.sylwa` was not found, and no image names it (there are sylva; did you mean `sylva`?); correct `registry_key` (--registry-key)");
    let ran = world.desk.dibump(&["plan", VALUES, "--registry-key", "sylva"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let named = AT_0_4_11.replace("1-30-11: {}", "1-30-11: {os_images_oci_registry: ours}");
    world.desk.write(VALUES, named);
    let ran = world.desk.dibump(&["plan", VALUES, "--registry-key", "ours"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
}

#[tokio::test]
async fn a_registry_of_which_no_file_says_anything_is_the_charts() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    for command in ["plan", "check"] {
        let ran = world.desk.dibump(&[command, VALUES, "--registry-key", "sylva"]).await;
        assert_eq!(ran.exit, Some(0), "{command}: {ran:#?}");
    }
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let files = format!("files: [{VALUES}]\n");
    world.desk.write(
        "dibump.yaml",
        config.replace(&files, &files.replace(VALUES, "{path: values.yaml, registry_key: sylva}")),
    );
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(world.merge_requests().len(), 1);
}

#[tokio::test]
async fn numbers_and_names_say_what_is_expected() {
    let world = world().await;
    let mut told = String::new();
    for arguments in [
        &["plan", "--max-time", "5"][..],
        &["serve", "--every", "soon"],
        &["plan", "--concurrency", "65"],
        &["plan", "--concurrency", "0"],
        &["os-images-info", "--name", "Bad Name"],
        &["os-images-info", "--namespace", "a.b"],
        &["machine-image", "--name=-a"],
    ] {
        told += &refused(&world.desk.dibump(arguments).await, 2);
    }
    world.desk.write(
        "dibump.yaml",
        "version: 1\nproducers: [{registry: 'oci://r.example/a/b'}]\nnetwork: {concurrency: 65}\n",
    );
    told += &refused(&world.desk.dibump(&["config", "validate"]).await, 3);
    reads!(told, @"
    error: invalid value '5' for '--max-time <DURATION>': `5` has no unit (write `5 days`, `5h`, `5m` or `5s`)
    error: invalid value 'soon' for '--every <DURATION>': `soon` is not a duration (expected something like 3 days, 12h or 90s)
    error: invalid value '65' for '--concurrency <N>': 65 is not in 1..=64
    error: invalid value '0' for '--concurrency <N>': 0 is not in 1..=64
    error: invalid value 'Bad Name' for '--name <NAME>': expected lower-case letters, digits, `-` and `.`, as in os-images-info
    error: invalid value 'a.b' for '--namespace <NAMESPACE>': expected lower-case letters, digits and `-`, as in sylva-system
    error: invalid value '-a' for '--name <NAME>': expected lower-case letters, digits, `-` and `.`, as in os-images-info
    error: dibump.yaml:3:24: network.concurrency: 65 is not within 1 to 64
    ");
}

#[tokio::test]
async fn validate_names_all_that_is_wrong_in_every_file_at_once() {
    let world = World::new().await;
    let producers = "producers:\n  - registry: oci://r.example/a/b\n    cosign_public_keys: [{file: absent.pub}, {file: wrong.pub}]\n    discovery: [catalog, {file: absent.json}]\n";
    let rest = "network: {ca_files: [absent.pem, wrong.pub], retries: many}\ntargets:\n  - {project: deployment, files: [values.yaml]}\ninclude:\n  - file: absent.yaml\n  - file: more.yaml\n";
    world.desk.write("wrong.pub", "not a key").write("dibump.yaml", format!("version: 1\n{producers}{rest}"));
    world.desk.write(
        "more.yaml",
        "targets:\n  - {project: a/b, files: [x], enabled: 1}\n  - {project: c, files: [y]}\n",
    );
    let ran = world.desk.dibump(&["config", "validate"]).await;
    refused(&ran, 3);
    reads!(ran.stderr, @"
    error: dibump.yaml:4:33: producers[0].cosign_public_keys[0].file: couldn't read absent.pub: No such file or directory (os error N)
    dibump.yaml:4:53: producers[0].cosign_public_keys[1].file: wrong.pub: not a PEM text (expected `-----BEGIN PUBLIC KEY-----`)
    dibump.yaml:5:33: producers[0].discovery[1].file: couldn't read absent.json: No such file or directory (os error N)
    dibump.yaml:6:22: network.ca_files[0]: couldn't read absent.pem: No such file or directory (os error N)
    dibump.yaml:6:34: network.ca_files[1]: wrong.pub holds no certificate in PEM form
    dibump.yaml:6:55: network.retries: expected a whole number, found a text
    dibump.yaml:8:15: targets[0].project: invalid project path `deployment`: expected group/project
    dibump.yaml:10:11: include[0].file: couldn't read absent.yaml: No such file or directory (os error N)
    more.yaml:2:41: targets[0].enabled: expected true or false, found the number 1
    more.yaml:3:15: targets[1].project: invalid project path `c`: expected group/project
    ");
}

#[tokio::test]
async fn validate_online_reads_every_file_of_every_branch_and_asks_every_group() {
    let world = World::new().await;
    let right = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(right.exit, Some(0), "{right:#?}");
    reads!(about(&right.stdout, "0.4.11"), @"ok: branch main: values.yaml, at 0.4.11");
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let files = format!("files: [{VALUES}]\n");
    let mut told = String::new();
    for target in [
        "files: [absent.yaml]\n",
        "files: [values.yaml, {path: absent.yaml, overlay: true}]\n",
        "files: [README.md]\n",
        "files: [values.yaml]\n    branches: [main, absent]\n",
    ] {
        world.desk.write("dibump.yaml", config.replace(&files, target));
        let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
        assert_eq!(ran.exit, Some(3), "{target}: {ran:#?}");
        told += &about(&ran.stdout, "wrong: ");
    }
    reads!(told, @"
    wrong: branch main: file absent.yaml was not found
    wrong: branch main: file absent.yaml was not found
    wrong: branch main: README.md: neither `diskimage_builder_os_images` nor `sylva_diskimagebuilder_images` was found; name the mapping's place with `images_key` (--images-key)
    wrong: branch absent: branch absent was not found
    ");
    let include = "include:\n  - {group: sylva, topic: nobodys, target: {files: [values.yaml]}}\n";
    world.desk.write("dibump.yaml", format!("{config}{include}"));
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let told: Vec<&str> = ran.stdout.split_once("projects ").unwrap().1.lines().take(2).collect();
    reads!(told.join("\n"), @"
    sylva/* with topic nobodys
      warning: the query found no project that is not a target already
    ");
    world
        .desk
        .write("dibump.yaml", format!("{config}{}", include.replace("sylva, topic: nobodys", "absent")));
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
}

#[tokio::test]
async fn the_advice_of_an_unlisted_artifact_works() {
    let world = World::new().await;
    world.registry.release(PREFIX, "0.4.11", &[Image::new("ubuntu-noble-plain-rke2-1-31-8")]);
    world.desk.write(VALUES, AT_0_4_11);
    let found = async |images: &str| {
        let ran = world.desk.dibump(&["check", VALUES, "--images", images, "--format", "json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        findings.into_iter().filter(|finding| finding["id"] == "unlisted-artifact").collect::<Vec<_>>()
    };
    let [finding] = &found("all").await[..] else { panic!("one is missing") };
    reads!(finding["help"].as_str().unwrap(), @"images: all; `dibump plan --to 0.4.11 --write` adds it");
    let arguments = ["plan", VALUES, "--images", "all", "--to", "0.4.11", "--write"];
    assert_eq!(world.desk.dibump(&arguments).await.exit, Some(0));
    assert!(found("all").await.is_empty());
    assert!(String::from_utf8(world.desk.read(VALUES)).unwrap().contains("ubuntu-noble-plain-rke2-1-31-8"));
}

/// Two producers, each with a version and a mapping of its own in the same file.
async fn shared() -> World {
    let world = World::new().await;
    for patch in [11, 12] {
        let others = ["debian-12-plain-rke2", "debian-13-plain-kubeadm"];
        let others = others.map(|series| Image::new(&format!("{series}-1-30-{patch}")));
        world.registry.release("other/builder", &format!("0.4.{patch}"), &others);
    }
    let producer = |prefix: &str, name: &str| {
        let registry = world.registry.prefix(prefix);
        format!("  - {{registry: {registry}, name: {name}, plain_http: true, discovery: [catalog]}}\n")
    };
    let config = format!(
        "version: 1\nproducers:\n{}{}forge: {}\ntargets:\n  - {{project: {PATH}, producer: one, files: [{VALUES}]}}\n  \
         - {{project: {PATH}, producer: two, files: [{{path: {VALUES}, version_key: other_version, images_key: other_images}}]}}\n{NETWORK}",
        producer(PREFIX, "one"),
        producer("other/builder", "two"),
        world.hub.config(),
    );
    world.desk.write("dibump.yaml", config).write(VALUES, both(AT_0_4_11));
    world
}

/// A file as it is for one producer, and for the other.
fn both(text: &str) -> String {
    let other = text
        .replace("sylva_diskimagebuilder_version", "other_version")
        .replace("diskimage_builder_os_images", "other_images")
        .replace("ubuntu-noble", "debian-12")
        .replace("opensuse-15-6", "debian-13")
        .replace("other: [1, 2]", "last: 1");
    format!("{text}{other}")
}

#[tokio::test]
async fn two_targets_of_one_file_are_both_written() {
    let world = shared().await;
    let diff = world.desk.dibump(&["plan", "--format", "diff"]).await;
    assert_eq!(diff.exit, Some(0), "{diff:#?}");
    world.desk.write("change.diff", &diff.stdout);
    let ran = world.desk.dibump(&["plan", "--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), both(&values_at(12)));
    // The second diff is that of the file as it is after the first.
    world.desk.write(VALUES, both(AT_0_4_11));
    let mut git = std::process::Command::new("git");
    git.args(["apply", "change.diff"]).current_dir(world.desk.path(".")).env("GIT_CEILING_DIRECTORIES", "/");
    assert!(git.status().unwrap().success(), "{}", diff.stdout);
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), both(&values_at(12)));
}

#[tokio::test]
async fn one_of_two_producers_is_planned_where_it_is_named() {
    let world = shared().await;
    let ran = world.desk.dibump(&["plan", VALUES, "--producer", "two", "--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let text = String::from_utf8(world.desk.read(VALUES)).unwrap();
    let (ours, other) =
        text.split_at(text.find("other_version").unwrap() - "# versions of everything\n".len());
    assert_eq!((ours, other.contains("0.4.12")), (AT_0_4_11, true));
}

#[tokio::test]
async fn two_targets_of_one_file_say_each_finding_once() {
    let world = World::new().await;
    let dead = AT_0_4_11.replace("0.4.11", "0.4.12");
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let target = format!("  - project: {PATH}\n    files: [{VALUES}]\n");
    let second = format!("  - project: other/project\n    files: [{VALUES}]\n");
    world
        .desk
        .write("dibump.yaml", config.replace(&target, &format!("{target}{second}")))
        .write(VALUES, &dead);
    let ran = world.desk.dibump(&["check", "--format", "json"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut prints: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), 2, "{report:#}");
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 2, "{report:#}");
    let ran = world.desk.dibump(&["check", "--fix"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(world.desk.read(VALUES)).unwrap(), values_at(12));
}
