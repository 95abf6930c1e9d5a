//! `dibump init` over checkouts made of sylva-core's files: the configuration and the first plan are those that a person
//! would write who knows the chart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Verdict, Verdicts};

const CHART: &str = "charts/sylva-units/values.yaml";
const MAPPING: &str = "sylva_diskimagebuilder_images";
const REGISTRY: &str = "oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder";

/// How the configuration of each commit of a folder stands to that of a person.
pub fn verdicts(folder: &Path) -> Verdicts {
    let commits = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let commits =
        commits.filter(|path| path.join("expected.json").is_file() && path.join("values.yaml").is_file());
    commits
        .map(|commit| ("init", commit.file_name().unwrap().to_string_lossy().into_owned(), verdict(&commit)))
        .collect()
}

fn verdict(commit: &Path) -> Verdict {
    let checkout = checkout(commit);
    let folder = checkout.path();
    let init = run(folder, &["init", "--offline"]);
    if init.0 != Some(0) {
        return Verdict::Refused(init.1);
    }
    std::fs::write(folder.join("hand.yaml"), by_hand(folder).to_string()).unwrap();
    std::fs::write(folder.join("releases.json"), releases(folder).to_string()).unwrap();
    for command in [&["config", "show"][..], &["plan", "--observed", "releases.json", "--format", "diff"]] {
        let with = |file: &str| run(folder, &[command, &["--config", file]].concat());
        let (ours, theirs) = (with("dibump.yaml"), with("hand.yaml"));
        if ours.0 != Some(0) || ours != theirs || ours.1.is_empty() {
            return Verdict::Different(format!("{command:?}: {ours:?}, and by hand: {theirs:?}"));
        }
    }
    Verdict::Equal
}

/// sylva-core's own files at their own places.
fn checkout(commit: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: PathBuf, to: &str| {
        let to = folder.path().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, std::fs::read(from).unwrap()).unwrap();
    };
    for file in std::fs::read_dir(commit).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with("values.yaml") || name.starts_with("values.schema") {
            copy(file, &format!("charts/sylva-units/{name}"));
        }
    }
    for file in files(&commit.join("environments")) {
        let name = file.strip_prefix(commit.join("environments")).unwrap().to_str().unwrap().to_owned();
        copy(file, &format!("environment-values/{name}"));
    }
    for arguments in [
        &["init", "-q", "."][..],
        &["remote", "add", "origin", "https://gitlab.com/sylva-projects/sylva-core.git"],
        &["add", "."],
    ] {
        assert!(
            Command::new("git")
                .args(arguments)
                .current_dir(folder.path())
                .env_clear()
                .status()
                .unwrap()
                .success()
        );
    }
    folder
}

/// The environments that list images overlay the chart's, and those that name one of its keys follow it.
fn by_hand(folder: &Path) -> Value {
    let keys = keys(folder);
    let (mut listed, mut references) = (vec![json!(CHART)], Vec::new());
    for file in files(&folder.join("environment-values")).into_iter().chain(files(&folder.join("charts"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        let values: Value = yaml_serde::from_str(&text).unwrap_or_default();
        let code: Vec<&str> = text.lines().map(|line| line.split('#').next().unwrap()).collect();
        if path == CHART {
        } else if values[MAPPING].is_object() {
            listed.push(json!({"path": path, "overlay": true}));
        } else if keys.iter().any(|key| code.iter().any(|line| line.contains(key.as_str()))) {
            references.push(path);
        }
    }
    // Many in one folder are named by the folder.
    if references.len() >= 3 && references.iter().all(|path| path.starts_with("environment-values/")) {
        references = vec!["environment-values/**/*.yaml".to_owned()];
    }
    json!({
        "version": 1,
        "producers": [{"registry": REGISTRY}],
        "targets": [{"project": "sylva-projects/sylva-core", "files": listed, "references": references}],
    })
}

/// The release of the chart, and a next one whose images are a patch further.
fn releases(folder: &Path) -> Value {
    let chart: Value = yaml_serde::from_str(&std::fs::read_to_string(folder.join(CHART)).unwrap()).unwrap();
    let version = chart["sylva_diskimagebuilder_version"].as_str().unwrap();
    let raised = |text: &str| {
        let at = text.rfind(['.', '-']).unwrap() + 1;
        format!("{}{}", &text[..at], text[at..].parse::<u64>().unwrap() + 1)
    };
    let release = |version: &str, names: Vec<String>| {
        let artifacts: Vec<Value> = names.into_iter().map(|name| json!({"name": name})).collect();
        json!({"version": version, "artifacts": artifacts})
    };
    let keys: Vec<String> = keys(folder).into_iter().collect();
    let next = keys.iter().map(|key| raised(key)).collect();
    json!({"schema": "dibump.releases/1", "releases": [release(version, keys), release(&raised(version), next)]})
}

/// The keys that any file lists.
fn keys(folder: &Path) -> BTreeSet<String> {
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    let values = files(folder).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    let values = values.map(|path| yaml_serde::from_str::<Value>(&text(&path)).unwrap_or_default());
    let listed = values.flat_map(|values| values[MAPPING].as_object().cloned().unwrap_or_default());
    listed.map(|(key, _)| key).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// How it ended, and what it said: on stderr where it failed.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code(), String::from_utf8(text).unwrap())
}
