//! A producer that cannot be seen, and a release that is not there: never "up to date", in no command.

use crate::fake::oci::{Access, Fault, TokenRules};
use crate::said::{once, told};
use crate::world::{AT_0_4_11, PREFIX, Ran, VALUES, World};

/// Every command that looks releases up, by the configuration.
const COMMANDS: [&[&str]; 8] = [
    &["plan"],
    &["run"],
    &["run", "--dry-run"],
    &["check"],
    &["releases"],
    &["releases", "--diff", "0.4.11..0.4.12"],
    &["artifacts", "0.4.12"],
    &["config", "validate", "--online"],
];

/// Runs every command: none of them finds releases. What they say, each line once.
async fn told_by_all(world: &World, code: i32) -> String {
    world.desk.write(VALUES, AT_0_4_11);
    let mut said = String::new();
    for command in COMMANDS {
        let ran = world.desk.dibump(command).await;
        assert!(ran.exit == Some(code) && is_honest(&ran), "{command:?}: {ran:#?}");
        said += &told(&ran, "oci://");
    }
    assert!(world.writes().is_empty());
    assert_eq!(world.desk.read(VALUES), AT_0_4_11.as_bytes());
    once(&said)
}

fn is_honest(ran: &Ran) -> bool {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    ["up-to-date", "up to date", "no release was found", "artifacts proven", "dead-key", "a later run may"]
        .iter()
        .all(|lie| !all.contains(lie))
}

/// More of the producer: its GitLab and a project there.
fn project(world: &World, path: &str) -> String {
    format!("    gitlab: {}\n", world.hub.config().replace('}', &format!(", project: {path}}}")))
}

#[tokio::test]
async fn a_project_that_answers_404_or_403_is_a_matter_for_a_person() {
    let mut said = String::new();
    for discovery in ["[release-notes]", "[gitlab]", "[release-notes, gitlab]"] {
        let world = World::new().await;
        world.configure(discovery, &project(&world, "sylva/typo-in-path"));
        said += &format!("# {discovery}\n{}", told_by_all(&world, 3).await);
    }
    reads!(said, @"
    # [release-notes]
    error: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    # [gitlab]
    error: no image repository found below oci://HOST/sylva/diskimage-builder (asked: registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/diskimage-builder (asked: registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/diskimage-builder (asked: registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    # [release-notes, gitlab]
    error: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found; registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found; registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/diskimage-builder (asked: releases of sylva/typo-in-path at HOST: 404 Project Not Found; registry of sylva/typo-in-path at HOST: 404 Project Not Found); nothing was changed; is the path right? What a token may not see is not listed either
    ");
}

#[tokio::test]
async fn a_prefix_below_which_nothing_was_listed_is_a_matter_for_a_person() {
    let mut said = String::new();
    for discovery in ["[catalog]", "auto", "[catalog, known]"] {
        let world = World::new().await;
        for name in ["a", "b"] {
            world.registry.release("other", "1.0.0", &[crate::fake::oci::Image::new(name)]);
        }
        world.configure(discovery, "");
        let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
        world.desk.write("dibump.yaml", config.replace(PREFIX, "sylva/disk-image-builder"));
        said += &format!("# {discovery}\n{}", told_by_all(&world, 3).await);
    }
    reads!(said, @"
    # [catalog]
    error: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories); nothing was changed; is the path right? What a token may not see is not listed either
    # auto
    error: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed; is the path right? What a token may not see is not listed either
    # [catalog, known]
    error: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed
    hint: is the path right? What a token may not see is not listed either
    → failed: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed; is the path right? What a token may not see is not listed either
    wrong: no image repository found below oci://HOST/sylva/disk-image-builder (asked: _catalog, 6 repositories; names that may exist); nothing was changed; is the path right? What a token may not see is not listed either
    ");
}

#[tokio::test]
async fn a_registry_without_any_list_names_no_newer_release() {
    let world = World::new().await;
    world.registry.without_catalog();
    world.configure("[catalog, known]", "");
    let mut said = String::new();
    for command in [&["plan"][..], &["run"]] {
        world.desk.write(VALUES, AT_0_4_11);
        let ran = world.desk.dibump(command).await;
        assert_eq!(ran.exit, Some(3), "{ran:#?}");
        assert!(is_honest(&ran), "{ran:#?}");
        said += &told(&ran, "oci://");
    }
    reads!(said, @"
    error: no source names the releases of oci://HOST/sylva/diskimage-builder (asked: HOST/v2/_catalog: the registry has no catalogue; names that may exist); nothing was changed
    hint: name another source in `discovery:` (--discovery), give it a token, or name the release with --to
    → failed: no source names the releases of oci://HOST/sylva/diskimage-builder (asked: HOST/v2/_catalog: the registry has no catalogue; names that may exist); nothing was changed; name another source in `discovery:` (--discovery), give it a token, or name the release with --to
    ");
    // What it lists exists all the same.
    assert_eq!(world.desk.dibump(&["check"]).await.exit, Some(0));
}

#[tokio::test]
async fn a_look_up_that_was_cut_could_not_be_told() {
    for fault in [Fault::cut().on("_catalog"), Fault::status(503).on("/tags/list")] {
        let world = World::new().await;
        world.registry.fault(fault);
        world.desk.write(VALUES, AT_0_4_11);
        for command in COMMANDS {
            let ran = world.desk.dibump(command).await;
            assert_eq!(ran.exit, Some(4), "{command:?}: {ran:#?}");
        }
    }
}

#[tokio::test]
async fn a_release_that_does_not_exist_is_answered_with_the_newest_one() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    let mut said = String::new();
    for flags in [&[][..], &["--write"], &["--detailed-exitcode"], &["--discovery", "known"]] {
        let ran = world.desk.dibump(&[&["plan", "--to", "0.9.9"], flags].concat()).await;
        assert_eq!(ran.exit, Some(3), "{flags:?}: {ran:#?}");
        said += &format!("# {}\n{}", [&["plan"], flags].concat().join(" "), ran.stderr);
    }
    let releases = world.desk.dibump(&["releases", "--format", "json"]).await;
    world.desk.write("releases.json", &releases.stdout);
    let ran = world.desk.dibump(&["plan", VALUES, "--observed", "releases.json", "--to", "0.9.9"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    said += &format!("# --observed\n{}", ran.stderr);
    reads!(said, @"
    # plan
    error: 0.9.9 does not exist in the registry; the newest release is 0.4.12
    # plan --write
    error: 0.9.9 does not exist in the registry; the newest release is 0.4.12
    # plan --detailed-exitcode
    error: 0.9.9 does not exist in the registry; the newest release is 0.4.12
    # plan --discovery known
    error: 0.9.9 does not exist in the registry
    # --observed
    error: 0.9.9 does not exist in the observed releases; the newest release is 0.4.12
    ");
    assert_eq!(world.desk.read(VALUES), AT_0_4_11.as_bytes());
}

/// How registries that tell strangers nothing let them in.
fn strangers() -> [Access; 2] {
    [Access::Open, Access::Token(TokenRules::default())]
}

#[tokio::test]
async fn a_registry_that_denies_what_is_not_there_is_believed_of_what_is() {
    for (status, access) in
        [401, 403].into_iter().flat_map(|status| strangers().map(|access| (status, access)))
    {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        world.registry.without_catalog().denies_what_is_missing(status).access(access.clone());
        world.configure("[catalog, known]", "");
        let ran = world.desk.dibump(&["check"]).await;
        assert_eq!(ran.exit, Some(0), "{status} {access:?}: {ran:#?}");
        assert!(is_honest(&ran), "{ran:#?}");
        let ran = world.desk.dibump(&["plan", "--to", "0.4.12", "--format", "json"]).await;
        assert_eq!(ran.exit, Some(0), "{status} {access:?}: {ran:#?}");
        let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let text = plan.to_string();
        assert!(text.contains("partial") && !text.contains("\"complete\""), "{text}");
        assert!(text.contains("ubuntu-noble-plain-rke2-1-30-12"), "{text}");
    }
}

#[tokio::test]
async fn of_a_key_that_is_denied_nothing_is_known_and_the_others_are_judged() {
    let keys = "diskimage_builder_os_images:\n  debian-12-plain-rke2-1-29-9: {}";
    let mut said = String::new();
    for (status, access) in
        [401, 403].into_iter().flat_map(|status| strangers().map(|access| (status, access)))
    {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11.replace("diskimage_builder_os_images:", keys));
        world.registry.without_catalog().denies_what_is_missing(status).access(access.clone());
        world.configure("[catalog, known]", "");
        let ran = world.desk.dibump(&["check", "--format", "json"]).await;
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["findings"], serde_json::json!([]), "{status} {access:?}: {ran:#?}");
        said += &format!("{}\n", report["unknown"]);
        // The next release has another name for each key; the denied one is left as it is.
        let ran = world.desk.dibump(&["plan", "--to", "0.4.12", "--write"]).await;
        assert!(String::from_utf8(world.desk.read(VALUES)).unwrap().contains("debian-12-plain"), "{ran:#?}");
    }
    reads!(once(&said), @r#"
    ["0.4.11, known in part (HOST/sylva/diskimage-builder/debian-12-plain-rke2-1-29-9: the registry refuses access (401 Unauthorized: DENIED: requested access to the resource is denied)): whether it has debian-12-plain-rke2-1-29-9"]
    ["0.4.11, known in part (HOST/sylva/diskimage-builder/debian-12-plain-rke2-1-29-9: the registry refuses access (403 Forbidden: DENIED: access forbidden)): whether it has debian-12-plain-rke2-1-29-9"]
    ["0.4.11, known in part (HOST/sylva/diskimage-builder/debian-12-plain-rke2-1-29-9: the registry refuses access (403 Forbidden: DENIED: requested access to the resource is denied)): whether it has debian-12-plain-rke2-1-29-9"]
    "#);
}

#[tokio::test]
async fn a_producer_of_which_everything_is_denied_is_a_matter_for_a_person() {
    let mut said = String::new();
    for (status, access) in
        [401, 403].into_iter().flat_map(|status| strangers().map(|access| (status, access)))
    {
        let world = World::new().await;
        world.registry.without_catalog().denies_what_is_missing(status).access(access);
        world.configure("[catalog, known]", "");
        let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
        world.desk.write("dibump.yaml", config.replace(PREFIX, "sylva/disk-image-builder"));
        world.desk.write(VALUES, AT_0_4_11);
        for command in [&["check"][..], &["plan", "--to", "0.4.12"]] {
            let ran = world.desk.dibump(command).await;
            assert_eq!(ran.exit, Some(3), "{command:?}: {ran:#?}");
            assert!(is_honest(&ran), "{ran:#?}");
            said += &ran.stderr;
        }
    }
    reads!(once(&said), @"
    error: couldn't look up the releases of oci://HOST/sylva/disk-image-builder: HOST/sylva/disk-image-builder/opensuse-15-6-plain-kubeadm-1-30-11: the registry refuses access (401 Unauthorized: DENIED: requested access to the resource is denied)
    hint: it does not exist or is not public; credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json
    error: couldn't look up the releases of oci://HOST/sylva/disk-image-builder: HOST/sylva/disk-image-builder/opensuse-15-6-plain-kubeadm-1-30-11: the registry refuses access (403 Forbidden: DENIED: access forbidden)
    error: couldn't look up the releases of oci://HOST/sylva/disk-image-builder: HOST/sylva/disk-image-builder/opensuse-15-6-plain-kubeadm-1-30-11: the registry refuses access (403 Forbidden: DENIED: requested access to the resource is denied)
    ");
}

#[tokio::test]
async fn a_release_is_not_complete_where_one_of_the_listed_repositories_is_denied() {
    for status in [401, 403] {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        world.registry.fault(Fault::status(status).on("opensuse-15-6-plain-kubeadm-1-30-12/"));
        let ran = world.desk.dibump(&["artifacts", "0.4.12", "--format", "json"]).await;
        assert!(!ran.stdout.contains("\"complete\""), "{ran:#?}");
        assert!(ran.stdout.contains("ubuntu-noble-plain-rke2-1-30-12"), "{ran:#?}");
        let ran = world.desk.dibump(&["plan", "--format", "json"]).await;
        let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_ne!(plan["outcome"], "up-to-date", "{ran:#?}");
        let ran = world.desk.dibump(&["check"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
    }
}

#[tokio::test]
async fn who_refuses_a_token_is_the_one_whose_variable_is_named() {
    for discovery in ["[release-notes]", "[gitlab]"] {
        let mut world = World::new().await;
        world.configure(discovery, &project(&world, "sylva/sylva-core"));
        world.desk.write(VALUES, AT_0_4_11);
        world.desk.variables.retain(|(name, _)| name != "GITLAB_TOKEN");
        world.desk.variables.push(("GITLAB_TOKEN".to_owned(), "wrong".to_owned()));
        let ran = world.desk.dibump(&["plan"]).await;
        assert_eq!(ran.exit, Some(3), "{ran:#?}");
        assert!(ran.stderr.contains("GITLAB_TOKEN"), "{ran:#?}");
        assert!(!ran.stderr.contains("DIBUMP_REGISTRY"), "{ran:#?}");
    }
}
