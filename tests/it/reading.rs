//! `releases`, `releases --diff` and `artifacts` by the real program: what they show, how wide, and what they refuse.

use serde_json::{Value, json};

use crate::fake::oci::Fault;
use crate::said::about;
use crate::world::{Desk, PREFIX, Ran, World};

/// Releases in a file: 0.4.11 and 0.4.13 completely, 0.4.12 in part, 0.4.14 not at all.
fn observed() -> String {
    let artifacts = |patch: u32| {
        let sized = |image: crate::fake::oci::Image| {
            let digest = format!("sha256:{patch:064}");
            json!({"name": image.name, "size": 1_992_294_400 + u64::from(patch) * 12_582_912, "digest": digest})
        };
        crate::world::images(patch).map(sized)
    };
    let known = |patch: u32| json!({"version": format!("0.4.{patch}"), "artifacts": artifacts(patch)});
    let mut partial = known(12);
    partial["state"] = json!("partial");
    partial["reason"] = json!("the list of @all was cut");
    let unknown = json!({"version": "0.4.14", "state": "unknown", "reason": "503"});
    let snapshot = json!({"version": "0.5.0-rc.1", "artifacts": artifacts(15)});
    let releases = [snapshot, unknown, known(13), partial, known(11)];
    json!({"schema": "dibump.releases/1", "releases": releases}).to_string()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("releases.json", observed());
    desk
}

/// A command with `--observed releases.json`.
async fn read(desk: &Desk, arguments: &[&str]) -> Ran {
    desk.dibump(&[arguments, &["--observed", "releases.json"]].concat()).await
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))
}

#[tokio::test]
async fn releases_are_listed_newest_first_in_every_form() {
    let desk = desk();
    let text = read(&desk, &["releases", "--from", "0.4.11"]).await;
    assert_eq!(text.exit, Some(0), "{text:#?}");
    insta::assert_snapshot!(text.stdout, @r"
    RELEASE       ARTIFACTS  COVERAGE                    VERDICT
      0.5.0-rc.1  2          complete                    pre-release
    ? 0.4.14      ?          ? 503                       unknown
      0.4.13      2          complete                    superseded by a newer one
      0.4.12      2 or more  ? the list of @all was cut  superseded by a newer one
    • 0.4.11      2          complete                    named in the file
    ");

    let markdown = read(&desk, &["releases", "--format", "markdown", "--limit", "4"]).await;
    insta::assert_snapshot!(markdown.stdout, @"
    | Release | Artifacts | Coverage | Verdict |
    | --- | --- | --- | --- |
    | `0.5.0-rc.1` | 2 | complete | pre-release |
    | `0.4.14` | ? | ? 503 | unknown |
    | `0.4.13` | 2 | complete | superseded by a newer one |
    | `0.4.12` | 2 or more | ? the list of @\u{200b}all was cut | superseded by a newer one |

    and 1 older release
    ");

    let json = json_of(&read(&desk, &["releases", "--format", "json", "--limit", "3"]).await);
    let releases = json["releases"].as_array().unwrap();
    let words: Vec<_> = releases.iter().map(|r| [&r["version"], &r["verdict"], &r["explanation"]]).collect();
    assert_eq!(
        json!(words),
        json!([
            ["0.5.0-rc.1", "excluded", "pre-release"],
            ["0.4.14", "unknown", "unknown: 503"],
            ["0.4.13", "superseded", "superseded by a newer one"]
        ])
    );
}

#[tokio::test]
async fn a_table_is_as_wide_as_columns_says_and_whole_without_it() {
    let mut desk = desk();
    let whole = read(&desk, &["artifacts", "0.4.13"]).await;
    insta::assert_snapshot!(whole.stdout, @r"
      ARTIFACT                             OS     KUBERNETES  SIZE     DIGEST
      opensuse-15-6-plain-kubeadm-1-30-13  15-6   1.30.13     2.0 GiB  sha256:000000000000
      ubuntu-noble-plain-rke2-1-30-13      noble  1.30.13     2.0 GiB  sha256:000000000000
    0.4.13: 2 artifacts, 4.0 GiB, complete
    ");
    for columns in [40, 56, 64, 80] {
        desk.variables = vec![("COLUMNS".to_owned(), columns.to_string())];
        for arguments in
            [vec!["artifacts", "0.4.13"], vec!["releases"], vec!["releases", "--diff", "0.4.11..0.4.13"]]
        {
            let ran = read(&desk, &arguments).await;
            let rows = ran.stdout.lines().filter(|line| line.contains("0.4.1") || line.contains("plain"));
            // Names are never cut: below their width nothing fits.
            let limit = columns.max(56);
            for row in rows.filter(|row| row.starts_with("  ")) {
                assert!(row.chars().count() <= limit, "{columns} {arguments:?}: {row}");
            }
        }
    }
}

#[tokio::test]
async fn what_artifacts_prints_of_a_registry_reads_back_the_same() {
    let world = World::new().await;
    let asked = world.desk.dibump(&["artifacts", "0.4.12"]).await;
    assert_eq!(asked.exit, Some(0), "{asked:#?}");
    assert!(asked.stdout.contains("1.0 MiB"), "{asked:#?}");
    reads!(about(&asked.stdout, "0.4.12"), @"0.4.12: 2 artifacts, 2.0 MiB, complete");

    let json = world.desk.dibump(&["artifacts", "0.4.12", "--format", "json"]).await;
    assert_eq!(json_of(&json)["releases"][0]["artifacts"][0]["size"], 1_048_576);
    world.desk.write("releases.json", &json.stdout);
    assert_eq!(read(&world.desk, &["artifacts", "0.4.12"]).await.stdout, asked.stdout);

    let markdown = read(&world.desk, &["artifacts", "0.4.12", "--format", "markdown"]).await;
    assert!(
        markdown.stdout.starts_with("| Artifact | OS | Kubernetes | Size | Created | Digest |\n"),
        "{markdown:#?}"
    );
}

#[tokio::test]
async fn a_registry_and_a_file_give_the_same_difference() {
    let world = World::new().await;
    let ran = world.desk.dibump(&["releases", "--diff", "0.4.11.."]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    insta::assert_snapshot!(ran.stdout, @r"
    0.4.11 → 0.4.12

      IMAGE                                         KUBERNETES         OS     SIZE
    opensuse plain kubeadm  1 image, 1.0 MiB
      ~ opensuse-15-6-plain-kubeadm-1-30-{11 → 12}  1.30.11 → 1.30.12  15-6   1.0 MiB
    ubuntu plain rke2  1 image, 1.0 MiB
      ~ ubuntu-noble-plain-rke2-1-30-{11 → 12}      1.30.11 → 1.30.12  noble  1.0 MiB

    ~ 2 renamed; in all 2 images, 2.0 MiB
    ");

    let whole = json!({"schema": "dibump.releases/1", "releases": [
        json_of(&world.desk.dibump(&["artifacts", "0.4.11", "--format", "json"]).await)["releases"][0],
        json_of(&world.desk.dibump(&["artifacts", "0.4.12", "--format", "json"]).await)["releases"][0],
    ]});
    world.desk.write("releases.json", whole.to_string());
    for form in ["text", "json", "markdown"] {
        let asked = world.desk.dibump(&["releases", "--diff", "..0.4.12", "--format", form]).await;
        let from_file = read(&world.desk, &["releases", "--diff", "..0.4.12", "--format", form]).await;
        assert_eq!(from_file.stdout, asked.stdout, "{form}");
        assert!(asked.stdout.contains("ubuntu-noble-plain-rke2-1-30-"), "{asked:#?}");
    }
}

#[tokio::test]
async fn the_json_of_a_difference_is_of_its_schema() {
    let schema = schemars::schema_for!(dibump::report::release_diff_json::ReleaseDiff);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for span in ["0.4.11..0.4.13", "0.4.13..0.4.11", "..0.4.12", "0.4.12..0.4.14"] {
        let json = json_of(&read(&desk(), &["releases", "--format", "json", "--diff", span]).await);
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{span}: {errors:?}");
        assert_eq!(json["schema"], "dibump.release-diff/1");
    }
}

#[tokio::test]
async fn half_of_a_release_is_said_loudly_and_an_unknown_one_ends_with_4() {
    let desk = desk();
    let partial = read(&desk, &["releases", "--diff", "0.4.11..0.4.12"]).await;
    assert_eq!(partial.exit, Some(0), "{partial:#?}");
    reads!(about(&partial.stdout, "0.4.12 is"), @"! 0.4.12 is known in part only, other images may exist: the list of @all was cut");
    reads!(about(&partial.stdout, "removed"), @"+ 2 added, ? 2 perhaps removed; in all 2 images, 4.0 GiB");

    let unknown = read(&desk, &["releases", "--diff", "0.4.13.."]).await;
    assert_eq!(unknown.exit, Some(4), "{unknown:#?}");
    reads!(about(&unknown.stdout, "0.4.14 is"), @"! 0.4.14 is unknown: 503");

    let world = World::new().await;
    world.registry.fault(Fault::status(503).on("/manifests/0.4.12"));
    let ran = world.desk.dibump(&["releases", "--diff", "0.4.11..0.4.12"]).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    reads!(about(&ran.stdout, "0.4.12 is"), @"! 0.4.12 is unknown: couldn't reach http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-12/manifests/0.4.12: it answered 503 Service Unavailable");
}

#[tokio::test]
async fn wrong_input_is_answered_with_what_would_be_right() {
    let desk = desk();
    let cases: [(&[&str], i32); 12] = [
        (&["releases", "--diff", "0.4.11"], 2),
        (&["releases", "--diff", ".."], 2),
        (&["releases", "--diff", "0.4.11-0.4.12"], 2),
        (&["releases", "--diff", "0.4..0.4.12"], 2),
        (&["releases", "--diff", "-1..0.4.12"], 2),
        (&["releases", "--diff", "0.4.11..", "--limit", "2"], 2),
        (&["releases", "--limit", "0"], 2),
        (&["releases", "--format", "html"], 2),
        (&["releases", "--diff", "0.4.10..0.4.13"], 3),
        (&["releases", "--diff", "0.4.13..0.4.99"], 3),
        (&["releases", "--diff", "..0.4.11"], 3),
        (&["artifacts", "0.4.99"], 3),
    ];
    let mut told = String::new();
    for (arguments, exit) in cases {
        let ran = read(&desk, arguments).await;
        assert_eq!(ran.exit, Some(exit), "{arguments:?}: {ran:#?}");
        assert!(ran.stdout.is_empty(), "{arguments:?}: {ran:#?}");
        // What the parser of the command line adds to each error is its own.
        let lines = ran.stderr.lines().take_while(|line| !line.starts_with("Usage:") && !line.is_empty());
        told += &lines.map(|line| format!("{line}\n")).collect::<String>();
    }
    reads!(told, @"
    error: invalid value '0.4.11' for '--diff <A..B>': expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous
    error: invalid value '..' for '--diff <A..B>': expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous
    error: invalid value '0.4.11-0.4.12' for '--diff <A..B>': expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous
    error: invalid value '0.4..0.4.12' for '--diff <A..B>': expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous; `0.4` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)
    error: invalid value '-1..0.4.12' for '--diff <A..B>': expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous; `-1` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)
    error: the argument '--diff <A..B>' cannot be used with '--limit <N>'
    error: invalid value '0' for '--limit <N>': 0 is not in 1..=4294967295
    error: invalid value 'html' for '--format <FORMAT>'
      [possible values: text, json, markdown]
    error: release 0.4.10 was not found
    hint: the nearest: 0.4.11
    error: release 0.4.99 was not found
    hint: the nearest: 0.4.14, 0.5.0-rc.1
    error: no release is older than 0.4.11
    error: release 0.4.99 was not found
    hint: the nearest: 0.4.14, 0.5.0-rc.1
    ");
}

#[tokio::test]
async fn a_version_that_the_registry_never_had_is_no_empty_release() {
    let world = World::new().await;
    for arguments in [vec!["artifacts", "0.4.2"], vec!["releases", "--diff", "0.4.2..0.4.12"]] {
        let ran = world.desk.dibump(&arguments).await;
        assert_eq!(ran.exit, Some(3), "{ran:#?}");
        reads!(ran.stderr, @"
        error: release 0.4.2 was not found
        hint: the nearest: 0.4.11
        ");
    }
    // A release that lost an image is one.
    world.registry.remove(&format!("{PREFIX}/ubuntu-noble-plain-rke2-1-30-11"), "0.4.11");
    let ran = world.desk.dibump(&["artifacts", "0.4.11"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("0.4.11: 1 artifact, "), "{ran:#?}");
}
