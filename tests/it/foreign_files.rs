//! Files that people have and that are no plain values files: each is refused with its own reason.

use serde_json::json;

use crate::said::about;
use crate::world::{AT_0_4_11, Desk, Ran, SOURCE, VALUES, World, images};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:2d6c72fe\nsize 4743\n";

/// Values with the metadata of sops.
fn by_sops(values: &str, more: &str) -> String {
    let mac = "ENC[AES256_GCM,data:bWFj,iv:AAAA,tag:AAAA,type:str]";
    format!("{values}sops:\n    mac: {mac}\n    version: 3.8.1\n{more}")
}

fn desk(values: &str) -> Desk {
    let desk = Desk::new();
    let release = |patch: u32| {
        let names = images(patch).map(|image| json!({"name": image.name}));
        json!({"version": format!("0.4.{patch}"), "artifacts": names})
    };
    let releases = json!({"schema": "dibump.releases/1", "releases": [release(12), release(11)]});
    desk.write(VALUES, values).write("releases.json", releases.to_string());
    desk
}

async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES, "--observed", "releases.json", "--write"], more].concat()).await
}

#[tokio::test]
async fn what_sops_encrypted_is_refused_by_plan_and_by_fixes() {
    let encrypted = by_sops(AT_0_4_11, "");
    let desk = desk(&encrypted);
    let ran = plan(&desk, &[]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(ran.stderr, @"error: values.yaml:9:5: the file is encrypted by sops, whose `mac` covers all of its values: after the edit it could not be decrypted; edit it with sops, or let sops write it with `mac_only_encrypted: true`");

    // A dead key, which a fix would rename.
    let dead = encrypted.replace("rke2-1-30-11", "rke2-1-30-9");
    desk.write(VALUES, &dead);
    let ran = desk.dibump(&["check", VALUES, "--observed", "releases.json", "--fix"]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    assert_eq!(desk.read(VALUES), dead.into_bytes());

    desk.write(VALUES, by_sops(AT_0_4_11, "    mac_only_encrypted: true\n"));
    let ran = plan(&desk, &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
}

#[tokio::test]
async fn a_reference_that_sops_encrypted_is_refused_with_the_whole_update() {
    let desk = desk(AT_0_4_11);
    let names = "image_key: ubuntu-noble-plain-rke2-1-30-11\n";
    let references = ["--references", "env.yaml"];
    desk.write("env.yaml", by_sops(names, ""));
    let ran = plan(&desk, &references).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(ran.stderr, @"error: env.yaml:3:5: the file is encrypted by sops, whose `mac` covers all of its values: after the edit it could not be decrypted; edit it with sops, or let sops write it with `mac_only_encrypted: true`");
    assert_eq!(desk.read(VALUES), AT_0_4_11.as_bytes());

    desk.write("env.yaml", by_sops("image_key: other\n", ""));
    assert_eq!(plan(&desk, &references).await.exit, Some(0), "it names no key that moves");

    desk.write(VALUES, AT_0_4_11).write("env.yaml", by_sops(names, "    mac_only_encrypted: true\n"));
    assert_eq!(plan(&desk, &references).await.exit, Some(0));
    let env = String::from_utf8(desk.read("env.yaml")).unwrap();
    assert!(env.starts_with("image_key: ubuntu-noble-plain-rke2-1-30-12\n"), "{env}");
}

#[tokio::test]
async fn what_is_no_values_file_is_told_by_what_it_is() {
    let inside = AT_0_4_11.replace('\n', "\n        ");
    let application =
        format!("kind: Application\nspec:\n  source:\n    helm:\n      values: |\n        {inside}\n");
    let list = "images:\n  - name: dib\n    tag: 0.4.11\n    keys: {}\n".to_owned();
    let template = format!("{AT_0_4_11}extra:\n  {{{{- range .Values.list }}}}\n  - {{{{ . }}}}\n");
    let at = ["--version-key", "spec.source.helm.values.v", "--images-key", "spec.source.helm.values.i"];
    let index = ["--version-key", "images[0].tag", "--images-key", "images[0].keys"];
    let cases: [(&str, String, &[&str]); 5] = [
        ("lfs", POINTER.to_owned(), &[]),
        ("inline", application.clone(), &at),
        ("inline, no place named", application, &[]),
        ("list", list, &index),
        ("template", template, &[]),
    ];
    let mut told = String::new();
    for (name, values, more) in cases {
        let ran = plan(&desk(&values), more).await;
        assert_eq!(ran.exit, Some(3), "{name}: {ran:#?}");
        told += &format!("# {name}\n{}", ran.stderr);
    }
    reads!(told, @"
    # lfs
    error: values.yaml:1:1: a Git LFS pointer, not the file itself
    hint: run `git lfs pull`, or keep the file in Git itself: a bot reads it from there
    # inline
    error: values.yaml:6:9: `spec.source.helm.values` is a text, not a mapping
    hint: write the values as a mapping (in an Argo CD Application: `valuesObject` instead of `values`)
    # inline, no place named
    error: values.yaml:6:9: `spec.source.helm.values` is a text, not a mapping
    hint: write the values as a mapping (in an Argo CD Application: `valuesObject` instead of `values`)
    # list
    error: values.yaml:2:3: `images` is a list; a path through a list is not supported
    hint: keep version and mapping below keys, outside of lists
    # template
    error: values.yaml:9:3: a template action; the file is not YAML before it is rendered
    hint: name the file that the template generates, or put the action in quotes
    ");
}

stories! {
    a_run_leaves_what_sops_encrypted_alone,
    a_run_tells_a_pointer_with_the_remedy,
}

async fn a_run_leaves_what_sops_encrypted_alone(world: World) {
    let encrypted = by_sops(AT_0_4_11, "");
    world.hub.commit("main", "Encrypt", &[(VALUES, encrypted.as_bytes())]);
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(about(&ran.stdout, "sops"), @"→ refused: values.yaml:9:5: the file is encrypted by sops, whose `mac` covers all of its values: after the edit it could not be decrypted; edit it with sops, or let sops write it with `mac_only_encrypted: true`");
    assert!(writes.is_empty() && world.values(SOURCE).is_none(), "{writes:#?}");
}

async fn a_run_tells_a_pointer_with_the_remedy(world: World) {
    world.hub.commit("main", "Track", &[(VALUES, POINTER.as_bytes())]);
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stdout, "LFS"), @"→ failed: values.yaml:1:1: a Git LFS pointer, not the file itself; run `git lfs pull`, or keep the file in Git itself: a bot reads it from there");
}
