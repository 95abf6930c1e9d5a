//! `plan --format diff` is what `git apply` reads, whatever the file is called: with the real git.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::world::{AT_0_4_11, Desk, Ran, images, values_at};

fn desk() -> Desk {
    let release = |patch: u32| {
        let artifacts: Vec<_> = images(patch).iter().map(|image| json!({"name": image.name})).collect();
        json!({"version": format!("0.4.{patch}"), "artifacts": artifacts})
    };
    let desk = Desk::new();
    let observed = json!({"schema": "dibump.releases/1", "releases": [release(11), release(12)]});
    desk.write("releases.json", observed.to_string());
    desk
}

fn write(desk: &Desk, path: &str) {
    let path = desk.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, AT_0_4_11).unwrap();
}

/// The diff of a file, as it is planned in a folder of the desk.
async fn diff(desk: &Desk, folder: &str, path: &str) -> String {
    let observed = desk.path("releases.json");
    let mut command =
        desk.command(&["plan", path, "--format", "diff", "--observed", observed.to_str().unwrap()]);
    let output = command.current_dir(desk.path(folder)).output().await.unwrap();
    let ran = Ran {
        exit: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert_eq!(ran.exit, Some(0), "{path}: {ran:#?}");
    ran.stdout
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env("GIT_CEILING_DIRECTORIES", "/").stdin(Stdio::null());
    let output = git.output().unwrap();
    assert!(output.status.success(), "{arguments:?} in {}: {output:?}", folder.display());
}

async fn is_applied(desk: &Desk, [planned_in, path]: [&str; 2], [applied_in, file]: [&str; 2]) {
    let patch = diff(desk, planned_in, path).await;
    desk.write("change.diff", &patch);
    git(&desk.path(applied_in), &["apply", "-v", desk.path("change.diff").to_str().unwrap()]);
    let text = String::from_utf8(desk.read(file)).unwrap();
    assert_eq!(text, values_at(12), "{path}: {patch}");
}

#[tokio::test]
async fn git_applies_the_diff_of_every_name() {
    for path in [
        "values.yaml",
        "my values.yaml",
        "charts/sylva units/values.yaml",
        " leading and trailing ",
        "a \"quoted\" name.yaml",
        "back\\slash.yaml",
        "tab\there.yaml",
        "line\nbreak.yaml",
        "größe/値.yaml",
        "größe \"値\".yaml",
        "values.yaml 2026-01-01 00:00:00",
        "values.yaml\t2026-01-01 00:00:00.000000000 +0000",
    ] {
        let desk = desk();
        write(&desk, path);
        is_applied(&desk, [".", path], [".", path]).await;
    }
}

#[tokio::test]
async fn git_applies_the_diff_however_the_path_is_written() {
    let desk = desk();
    let absolute = desk.path("charts/values.yaml");
    for path in ["./charts/values.yaml", "charts/../charts/./values.yaml", absolute.to_str().unwrap()] {
        write(&desk, "charts/values.yaml");
        is_applied(&desk, [".", path], [".", "charts/values.yaml"]).await;
    }
    std::os::unix::fs::symlink(desk.path("charts"), desk.path("link")).unwrap();
    write(&desk, "charts/values.yaml");
    is_applied(&desk, [".", "link/values.yaml"], [".", "charts/values.yaml"]).await;
}

#[tokio::test]
async fn a_file_beside_the_working_directory_is_named_from_the_top_of_its_checkout() {
    let desk = desk();
    write(&desk, "checkout/charts/values.yaml");
    std::fs::create_dir(desk.path("checkout/environments")).unwrap();
    git(&desk.path("checkout"), &["init", "-q"]);
    let file = "checkout/charts/values.yaml";
    is_applied(&desk, ["checkout/environments", "../charts/values.yaml"], ["checkout", file]).await;
    // In a folder of a checkout, git takes the names from that folder.
    write(&desk, file);
    is_applied(&desk, ["checkout/charts", "values.yaml"], ["checkout/charts", file]).await;
}
