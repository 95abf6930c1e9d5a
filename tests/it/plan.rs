//! `plan` by the real program: bad input, registries that fail, what it prints and what it writes.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::fake::oci::{Access, Fault, TokenRules};
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, PREFIX, Ran, VALUES, World, ended, values_at};

/// Releases 0.4.11 and 0.4.12 as `releases --format json` prints them.
fn observed() -> String {
    let release = |patch: u32| {
        let names = crate::world::images(patch).map(|image| json!({"name": image.name}));
        json!({"version": format!("0.4.{patch}"), "artifacts": names})
    };
    json!({"schema": "dibump.releases/1", "releases": [release(12), release(11)]}).to_string()
}

fn desk(values: impl AsRef<[u8]>) -> Desk {
    let desk = Desk::new();
    desk.write(VALUES, values).write("releases.json", observed());
    desk
}

/// `plan values.yaml --observed releases.json` and more.
async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES, "--observed", "releases.json"], more].concat()).await
}

/// `plan values.yaml` against the registry of a world without a configuration, and more.
async fn plan_at(world: &World, more: &[&str]) -> Ran {
    let _ = std::fs::remove_file(world.desk.path("dibump.yaml"));
    world.desk.write(VALUES, AT_0_4_11);
    let prefix = world.registry.prefix(PREFIX);
    let start = ["plan", VALUES, "--registry", &prefix, "--plain-http", "--discovery"];
    world.desk.dibump(&[&start, more].concat()).await
}

const IMAGES: &str = "diskimage_builder_os_images: {}\n";

#[tokio::test]
async fn bad_input_is_refused_with_its_place_and_a_next_step() {
    let version = "sylva_diskimagebuilder_version: 0.4.11\n";
    let with = |text: &str| [version, text].concat().into_bytes();
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("not YAML", with("a: {b: 1\nc: ]\n"), "values.yaml:3:", ""),
        ("not UTF-8", b"a: 1\nb: \xff\n".to_vec(), "values.yaml:2:4", ""),
        ("tabs", with("diskimage_builder_os_images:\n\ta: {}\n"), "values.yaml:3:", ""),
        (
            "a version twice",
            with(&format!("sylva_diskimagebuilder_version: 0.4.12\n{IMAGES}")),
            "values.yaml:2:1",
            "",
        ),
        (
            "a key twice",
            with("diskimage_builder_os_images:\n  a-b: {x: 1}\n  a-b: {x: 2}\n"),
            "values.yaml:4:3: ",
            "remove one of them",
        ),
        ("an alias as mapping", with("x: &m {}\ndiskimage_builder_os_images: *m\n"), "values.yaml:3:30", ""),
        (
            "a template as mapping",
            with("diskimage_builder_os_images: '{{ .Values.images }}'\n"),
            "values.yaml:2:30",
            "",
        ),
        (
            "an alias as version",
            format!("v: &v 0.4.11\nsylva_diskimagebuilder_version: *v\n{IMAGES}").into_bytes(),
            "values.yaml:2:33",
            "",
        ),
        (
            "a template as version",
            format!("sylva_diskimagebuilder_version: '{{{{ .v }}}}'\n{IMAGES}").into_bytes(),
            "values.yaml:1:33",
            "",
        ),
        ("no version", IMAGES.as_bytes().to_vec(), "values.yaml", "--from"),
        (
            "a branch as version",
            format!("sylva_diskimagebuilder_version: mohan/add-NFS-packages\n{IMAGES}").into_bytes(),
            "values.yaml:1:33",
            "--from",
        ),
        ("a mapping that is a list", with("diskimage_builder_os_images:\n  - a\n"), "values.yaml:3:3", ""),
        ("no mapping", version.as_bytes().to_vec(), "values.yaml", "--images-key"),
        (
            "both mappings",
            with(&format!("{IMAGES}sylva_diskimagebuilder_images: {{}}\n")),
            "values.yaml:",
            "--images-key",
        ),
        ("33 MB", "# nothing\n".repeat(3_460_301).into_bytes(), "values.yaml", "refused"),
    ];
    let mut wrong = Vec::new();
    for (name, bytes, place, next_step) in cases {
        let desk = desk(&bytes);
        let ran = plan(&desk, &["--write"]).await;
        let right = ran.exit == Some(3) && ran.stderr.contains(place) && ran.stderr.contains(next_step);
        let hinted = !next_step.is_empty() || ran.stderr.contains("hint: ");
        if !right || !hinted || !ran.stdout.is_empty() {
            wrong.push(format!("{name}: {place} {ran:#?}"));
        }
        assert!(desk.read(VALUES) == bytes, "{name}: the file changed");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_registry_that_refuses_credentials_is_asked_three_times_at_most() {
    let basic = Access::Basic { user: "bot".to_owned(), password: "secret".to_owned() };
    for access in [
        basic,
        Access::Token(TokenRules {
            user: Some(("bot".to_owned(), "secret".to_owned())),
            ..TokenRules::default()
        }),
    ] {
        let mut world = World::new().await;
        world.registry.access(access);
        let password = [("DIBUMP_REGISTRY_USERNAME", "bot"), ("DIBUMP_REGISTRY_PASSWORD", "wrong")];
        world.desk.variables = password.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let ran = plan_at(&world, &["catalog", "--write"]).await;
        assert_eq!(ran.exit, Some(3), "{ran:#?}");
        assert!(ran.stderr.contains("hint: "), "{ran:#?}");
        let requests = world.registry.requests();
        assert!(requests.len() <= 3, "{requests:#?}");
        assert_eq!(world.desk.read(VALUES), AT_0_4_11.as_bytes());
    }
}

#[tokio::test]
async fn a_registry_that_lies_or_is_slow_or_down_changes_nothing() {
    let lie = format!("sha256:{}", "0".repeat(64));
    let faults = [
        ("a digest", Fault::right_but("docker-content-digest", &lie).on("/manifests/")),
        ("half a page list", Fault::cut().on("/tags/list")),
        ("half a catalogue", Fault::cut().on("/_catalog")),
        ("silence", Fault::silence()),
        ("down", Fault::status(503)),
    ];
    for (name, fault) in faults {
        let world = World::new().await;
        world.registry.fault(fault);
        // Only what never ends is waited for in vain.
        let max_time: &[&str] = if name == "silence" { &["--max-time", "2s"] } else { &[] };
        let ran = plan_at(&world, &[&["catalog", "--write"], max_time].concat()).await;
        assert_eq!(ran.exit, Some(4), "{name}: {ran:#?}");
        assert_eq!(world.desk.read(VALUES), AT_0_4_11.as_bytes(), "{name}");
    }
}

#[tokio::test]
async fn a_registry_that_nobody_runs_changes_nothing() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let (desk, prefix) = (desk(AT_0_4_11), format!("oci://{free}/{PREFIX}"));
    let arguments = ["plan", VALUES, "--registry", &prefix, "--plain-http", "--write"];
    let ran = desk.dibump(&arguments).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    assert!(ran.stderr.contains(&free.to_string()), "{ran:#?}");
    assert_eq!(desk.read(VALUES), AT_0_4_11.as_bytes());
}

#[tokio::test]
async fn the_second_write_changes_nothing() {
    let desk = desk(AT_0_4_11);
    let ran = plan(&desk, &["--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), values_at(12));
    let ran = plan(&desk, &["--write", "--detailed-exitcode"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), values_at(12));
}

#[tokio::test]
async fn an_overlay_without_a_version_goes_from_and_to_what_is_said() {
    let overlay = "diskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-11: {enabled: true}\n";
    let desk = desk(overlay);
    let ran = plan(&desk, &["--from", "0.4.11", "--to", "0.4.12", "--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let after = String::from_utf8(desk.read(VALUES)).unwrap();
    assert_eq!(after, overlay.replace("1-30-11", "1-30-12"));
}

#[tokio::test]
async fn a_version_that_ran_ahead_of_its_keys_goes_back() {
    let desk = desk(AT_0_4_11.replace("version: 0.4.11", "version: 0.4.12"));
    let ran = plan(&desk, &["--from", "0.4.11", "--to", "0.4.11", "--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), AT_0_4_11);
}

#[tokio::test]
async fn a_pinned_snapshot_is_held() {
    let pinned = AT_0_4_11.replace("0.4.11", "0.0.0-git-098dca5b");
    let desk = desk(&pinned);
    let ran = plan(&desk, &["--write", "--detailed-exitcode"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("held (pinned)"), "{ran:#?}");
    assert_eq!(desk.read(VALUES), pinned.as_bytes());
}

#[tokio::test]
async fn a_pending_update_has_an_exit_code_of_its_own() {
    let desk = desk(AT_0_4_11);
    assert_eq!(plan(&desk, &["--detailed-exitcode"]).await.exit, Some(10));
    assert_eq!(plan(&desk, &[]).await.exit, Some(0));
}

/// What the helpers of the clouds answer: `docker-credential-ecr-login`, `-gcloud` and `-acr-env`. That of Azure gives a
/// refresh token, which is exchanged for one that the registry takes.
#[tokio::test]
async fn the_credential_helpers_of_docker_and_of_the_clouds_are_asked() {
    let basic = |user: &str| Access::Basic { user: user.to_owned(), password: "from-the-helper".to_owned() };
    let exchanged =
        TokenRules { identity_token: Some("from-the-helper".to_owned()), ..TokenRules::default() };
    for (name, user, access) in [
        ("story", "bot", basic("bot")),
        ("ecr-login", "AWS", basic("AWS")),
        ("gcloud", "_dcgcloud_token", basic("_dcgcloud_token")),
        ("acr-env", "<token>", Access::Token(exchanged)),
    ] {
        let mut world = World::new().await;
        world.registry.access(access);
        let host = world.registry.prefix("").trim_start_matches("oci://").trim_end_matches('/').to_owned();
        let config = json!({"credHelpers": {host: name}});
        world.desk.write("config.json", config.to_string());
        // It reads what it is asked, as real ones do: one that ends before that breaks the pipe.
        let answer = json!({"ServerURL": "x", "Username": user, "Secret": "from-the-helper"});
        world.desk.write("helper", format!("#!/bin/sh\ncat >/dev/null\necho '{answer}'\n"));
        let (folder, text) = (world.desk.path("."), world.desk.path("helper"));
        let program = world.desk.path(&format!("docker-credential-{name}"));
        // Written by another process: where a test beside this one forks while the file is open, it cannot be run.
        let installed = std::process::Command::new("install").arg("-m755").args([&text, &program]).status();
        assert!(installed.unwrap().success());
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let variables = [("DOCKER_CONFIG", folder.display().to_string()), ("PATH", path)];
        world.desk.variables = variables.map(|(name, value)| (name.to_owned(), value)).into();

        let ran = plan_at(&world, &["catalog", "--write"]).await;

        assert_eq!(ran.exit, Some(0), "{name}: {ran:#?}");
        assert_eq!(world.desk.read(VALUES), values_at(12).as_bytes());
        assert!(!format!("{ran:?}").contains("from-the-helper"), "{ran:#?}");
    }
}

/// A forward proxy that answers for every host as one registry, and counts.
async fn proxy(registry: String) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (registry, counted) = (registry.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                counted.fetch_add(1, Ordering::Relaxed);
                let mut server = tokio::net::TcpStream::connect(registry).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used_unless_the_configuration_says_no() {
    let mut world = World::new().await;
    let host = world.registry.prefix("").trim_start_matches("oci://").trim_end_matches('/').to_owned();
    let (address, count) = proxy(host.clone()).await;
    world.desk.variables = vec![("HTTP_PROXY".to_owned(), format!("http://{address}"))];
    let far = format!("oci://registry.example/{PREFIX}");
    let plan = ["plan", VALUES, "--registry", &far, "--plain-http", "--discovery", "catalog", "--write"];
    world.desk.write(VALUES, AT_0_4_11);
    std::fs::remove_file(world.desk.path("dibump.yaml")).unwrap();

    let ran = world.desk.dibump(&plan).await;

    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(world.desk.read(VALUES), values_at(12).as_bytes());
    assert!(count.load(Ordering::Relaxed) > 0, "the proxy was not asked");

    // The configuration of the other stories says `proxy_from_environment: false`.
    count.store(0, Ordering::Relaxed);
    world.configure("[catalog]", "");
    assert_eq!(world.desk.dibump(&["releases"]).await.exit, Some(0));
    assert_eq!(count.load(Ordering::Relaxed), 0, "the proxy was asked");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_output_quietly() {
    let desk = desk(AT_0_4_11);
    let arguments = ["plan", VALUES, "--observed", "releases.json", "--format", "json"];
    let mut child = desk.spawn(&arguments);
    drop(child.stdout.take());
    let ran = ended(child).await;
    assert_ne!(ran.exit, Some(1), "{ran:#?}");
    assert!(ran.exit.is_some(), "ended by a signal");
    assert!(ran.stderr.is_empty(), "{ran:#?}");
}

#[tokio::test]
async fn git_applies_the_diff() {
    for text in [AT_0_4_11.to_owned(), AT_0_4_11.replace('\n', "\r\n"), AT_0_4_11.trim_end().to_owned()] {
        let desk = desk(&text);
        let ran = plan(&desk, &["--format", "diff"]).await;
        desk.write("change.diff", &ran.stdout);
        plan(&desk, &["--write"]).await;
        let wanted = desk.read(VALUES);
        desk.write(VALUES, &text);
        let mut git = tokio::process::Command::new("git");
        git.args(["apply", "--whitespace=nowarn", "change.diff"]).current_dir(desk.path("."));
        let output = git.env("GIT_CEILING_DIRECTORIES", "/").stdin(Stdio::null()).output().await.unwrap();
        assert!(output.status.success(), "{output:?}\n{}", ran.stdout);
        assert_eq!(String::from_utf8_lossy(&desk.read(VALUES)), String::from_utf8_lossy(&wanted));
        assert_ne!(desk.read(VALUES), text.as_bytes());
    }
}

#[tokio::test]
async fn the_json_is_of_its_schema() {
    let schema = schemars::schema_for!(dibump::report::plan_json::PlanReport);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for values in [AT_0_4_11.to_owned(), values_at(12), AT_0_4_11.replace("0.4.11", "0.0.0-git-098dca5b")] {
        let ran = plan(&desk(values), &["--format", "json"]).await;
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[tokio::test]
async fn a_release_that_is_known_in_part_renames_to_what_is_proven() {
    let world = World::new().await;
    let ran = plan_at(&world, &["known", "--to", "0.4.12", "--write"]).await;
    let after = String::from_utf8(world.desk.read(VALUES)).unwrap();
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(after, values_at(12));
    assert!(world.registry.requests().iter().all(|asked| !asked.path.contains("_catalog")));

    // Only one of two has a proven successor: nothing is removed, and nothing moves.
    let path = format!("{PREFIX}/opensuse-15-6-plain-kubeadm-1-30-12");
    world.registry.remove(&path, "0.4.12");
    let ran = plan_at(&world, &["known", "--to", "0.4.12", "--write"]).await;
    let after = String::from_utf8(world.desk.read(VALUES)).unwrap();
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    assert_eq!(after, AT_0_4_11);
}

#[tokio::test]
async fn what_releases_prints_is_what_plan_reads() {
    let world = World::new().await;
    let releases = world.desk.dibump(&["releases", "--format", "json"]).await;
    assert_eq!(releases.exit, Some(0), "{releases:#?}");
    let desk = Desk::new();
    desk.write(VALUES, AT_0_4_11).write("releases.json", &releases.stdout);
    let ran = plan(&desk, &["--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), values_at(12));
}

#[tokio::test]
async fn a_killed_write_leaves_the_old_file_or_the_new_one() {
    let padding = "# a line that makes the file longer\n".repeat(20_000);
    let before = format!("{AT_0_4_11}{padding}");
    let after = format!("{}{padding}", values_at(12));
    let desk = desk(&before);
    let started = std::time::Instant::now();
    plan(&desk, &["--write"]).await;
    let whole = started.elapsed();
    assert!(desk.read(VALUES) == after.as_bytes());
    let arguments = ["plan", VALUES, "--observed", "releases.json", "--write"];
    for step in 1..=20 {
        desk.write(VALUES, &before);
        let mut child = desk.spawn(&arguments);
        tokio::time::sleep(whole * step / 20).await;
        let _ = child.kill().await;
        let bytes = desk.read(VALUES);
        let whole = bytes == before.as_bytes() || bytes == after.as_bytes();
        assert!(whole, "killed at {step}/20: {} bytes are neither", bytes.len());
    }
}

#[tokio::test]
async fn a_key_that_the_charts_schema_does_not_allow_is_refused() {
    let desk = desk(AT_0_4_11);
    let schema = |images: Value| json!({"properties": {"diskimage_builder_os_images": images}}).to_string();
    desk.write("values.schema.json", schema(json!({"propertyNames": {"pattern": "-1-30-11$"}})));
    let ran = plan(&desk, &["--write"]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(ran.stderr, @r#"error: values.yaml:4:3: values.schema.json does not allow `ubuntu-noble-plain-rke2-1-30-12` (propertyNames: {pattern: "-1-30-11$"}); adapt the schema first, or `ignore:` this release"#);
    assert_eq!(desk.read(VALUES), AT_0_4_11.as_bytes());

    desk.write("values.schema.json", schema(json!({"oneOf": [{}]})));
    let ran = plan(&desk, &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(about(&ran.stdout, "values.schema.json"), @"note: whether values.schema.json allows the new entries was not checked: oneOf");

    desk.write("values.schema.json", "{\n  oops");
    let ran = plan(&desk, &["--write"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stderr, "values.schema.json"), @"error: values.schema.json:2:3: not JSON: key must be a string; correct it, because Helm cannot read it either");

    desk.write("values.schema.json", schema(json!({"propertyNames": {"pattern": "^(ubuntu|opensuse)-"}})));
    assert_eq!(plan(&desk, &["--write"]).await.exit, Some(0));
    assert_eq!(desk.read(VALUES), values_at(12).as_bytes());
}
