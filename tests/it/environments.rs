//! Environments over a chart, in sylva-core's layout: after an update no name of an image that the release does not have
//! is left in any file without a word in the plan, and `check` finds no error that the plan did not announce.
//!
//! The names are looked for in the text, line by line, by nothing of the program. The excerpts of this repository are
//! always updated; sylva-core's own files at five commits are, where they lie beside the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::errors::{Errors, beyond, errors};
use crate::world::{Desk, Ran};

/// A chart, its environments, and where they are updated.
struct Deployment {
    desk: Desk,
    /// The environments, as paths below the desk.
    files: Vec<String>,
    /// Names of images that go with the update.
    going: BTreeSet<String>,
    to: String,
}

impl Deployment {
    /// Copies `values.yaml` and every file below `folders` of `from`, to be updated to `to`.
    fn of(from: &Path, folders: &[&str], observed: &Path, version: &str, to: &str) -> Self {
        let desk = Desk::new();
        desk.write("values.yaml", std::fs::read(from.join("values.yaml")).unwrap());
        desk.write("releases.json", std::fs::read(observed).unwrap());
        let mut found = Vec::new();
        folders.iter().for_each(|folder| below(&from.join(folder), &mut found));
        found.sort();
        let copy = |path: &PathBuf| {
            let name = path.strip_prefix(from).unwrap().to_str().unwrap().to_owned();
            std::fs::create_dir_all(desk.path(&name).parent().unwrap()).unwrap();
            desk.write(&name, std::fs::read(path).unwrap());
            name
        };
        let files = found.iter().map(copy).collect();
        let names = |version: &str| published(observed, version);
        let going = names(version).difference(&names(to)).cloned().collect();
        Self { desk, files, going, to: to.to_owned() }
    }

    /// Updates everything: `overlays` with the mapping, the other files as references.
    async fn update(&self, overlays: &[&str]) -> (Ran, Value) {
        let overlay = |path: &&str| format!(", {{path: {path}, overlay: true}}");
        let config = format!(
            "version: 1\nproducers: [{{registry: oci://registry.example/sylva/diskimage-builder}}]\ntargets:\n  \
             - project: group/deployment\n    files: [values.yaml{}]\n    images: listed\n    \
             references: ['**/*.yaml']\n",
            overlays.iter().map(overlay).collect::<String>()
        );
        self.desk.write("dibump.yaml", config);
        let before = self.errors().await;
        let plan = ["plan", "values.yaml", "--observed", "releases.json", "--to", &self.to, "--write"];
        let ran = self.desk.dibump(&[&plan[..], &["--format", "json"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{overlays:?}: {ran:#?}");
        let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
        let announced = errors(&plan["findings"]["new"]);
        assert_eq!(announced, beyond(&before, self.errors().await), "{overlays:?}: {plan:#}");
        (ran, plan)
    }

    /// What `check` finds, by kind, file, keys and subject.
    async fn errors(&self) -> Errors {
        let ran = self.desk.dibump(&["check", "--observed", "releases.json", "--format", "json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        errors(&report["findings"])
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.desk.read(path)).unwrap()
    }

    /// Names in a file of images that are gone, without comments, each as often as it stands there.
    fn dead_names(&self, path: &str) -> Vec<String> {
        let text = self.text(path);
        let code = text.lines().map(|line| match line.find('#') {
            Some(at) if line[..at].trim().is_empty() || line[..at].ends_with(' ') => &line[..at],
            _ => line,
        });
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let words = code.flat_map(|line| line.split(move |c: char| !is_part(c)));
        let names = words.map(|word| word.split_once("--").map_or(word, |(_, name)| name));
        let mut dead: Vec<String> =
            names.filter(|name| self.going.contains(*name)).map(str::to_owned).collect();
        dead.sort();
        dead
    }

    /// Fails where a name is left that the plan does not speak of, and gives the number of those that it speaks of.
    fn nothing_is_left_unsaid(&self, plan: &Value, case: &str) -> usize {
        let told = told(plan);
        let mut count = 0;
        for path in self.files.iter().map(String::as_str).chain(["values.yaml"]) {
            if told.left_alone.contains(path) {
                continue;
            }
            let dead = self.dead_names(path);
            assert_eq!(
                dead,
                told.dangling.get(path).cloned().unwrap_or_default(),
                "{case}: {path}: {plan:#}"
            );
            count += dead.len();
        }
        count
    }
}

/// What a plan says of names that stay.
struct Told {
    dangling: BTreeMap<String, Vec<String>>,
    left_alone: BTreeSet<String>,
}

fn told(plan: &Value) -> Told {
    let mut told = Told { dangling: BTreeMap::new(), left_alone: BTreeSet::new() };
    let files = plan["files"].as_array().unwrap().iter().chain(plan["references"].as_array().unwrap());
    for file in files {
        let path = file["path"].as_str().unwrap().to_owned();
        if file["not_looked_at"].is_string() {
            told.left_alone.insert(path);
            continue;
        }
        let keys = file["dangling"].as_array().unwrap().iter().map(|name| name["key"].as_str().unwrap());
        let mut keys: Vec<String> =
            keys.map(|key| key.split_once("--").map_or(key, |(_, name)| name).to_owned()).collect();
        keys.sort();
        told.dangling.insert(path, keys);
    }
    told
}

/// The names that a release publishes.
fn published(observed: &Path, version: &str) -> BTreeSet<String> {
    let releases: Value = serde_json::from_slice(&std::fs::read(observed).unwrap()).unwrap();
    let mut all = releases["releases"].as_array().unwrap().iter();
    let release = all.find(|release| release["version"] == version).unwrap();
    let names = release["artifacts"].as_array().unwrap().iter();
    names.map(|artifact| artifact["name"].as_str().unwrap().to_owned()).collect()
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

fn excerpts() -> Deployment {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/environments");
    Deployment::of(&folder, &["environments"], &folder.join("releases.json"), "0.4.11", "0.4.12")
}

#[tokio::test]
async fn no_key_of_an_environment_is_left_dead_unsaid() {
    for overlays in [&[][..], &["environments/kubeadm/values.yaml", "environments/flow/values.yaml"]] {
        let deployment = excerpts();
        let (_, plan) = deployment.update(overlays).await;
        let left = deployment.nothing_is_left_unsaid(&plan, "excerpts");
        // An overlay drops what goes from its mapping, and only what names it is left.
        let expected = if overlays.is_empty() { 5 } else { 4 };
        assert_eq!(left, expected, "{overlays:?}: {plan:#}");
        assert!(told(&plan).left_alone.contains("environments/own/values.yaml"), "{plan:#}");

        let before: Vec<String> = deployment.files.iter().map(|path| deployment.text(path)).collect();
        let (_, again) = deployment.update(overlays).await;
        assert_eq!(again["outcome"], "up-to-date", "{again:#}");
        let after: Vec<String> = deployment.files.iter().map(|path| deployment.text(path)).collect();
        assert_eq!(before, after, "a second run changes nothing");
    }
}

#[tokio::test]
async fn environments_follow_byte_for_byte() {
    let deployment = excerpts();
    let before: Vec<String> = deployment.files.iter().map(|path| deployment.text(path)).collect();
    let (_, plan) = deployment.update(&[]).await;
    let follows = |text: &str| {
        text.replace("kubeadm-1-31-8", "kubeadm-1-31-9")
            .replace("ck8s-1-31-6", "ck8s-1-31-8")
            .replace("ubuntu-noble-plain-rke2-1-31-8", "ubuntu-noble-plain-rke2-1-31-9")
            .replace("hardened-rke2-1-31-8", "hardened-rke2-1-31-9")
            .replace("[ubuntu-noble-plain-rke2-1-30-12", "[ubuntu-noble-plain-rke2-1-30-13")
    };
    for (path, before) in deployment.files.iter().zip(&before) {
        let expected = if path.contains("/own/") { before.clone() } else { follows(before) };
        assert_eq!(deployment.text(path), expected, "{path}");
    }
    let map = deployment.text("values.yaml");
    for line in [
        "ternary \"v1.30.13+rke2r1\" \"v1.30.13\"",
        "$version := \"v1.31.9\"",
        "\"v1.31.9+rke2r1\"",
        "\"v1.31.8\" -}}",
    ] {
        assert!(map.contains(line), "{line}: {map}");
    }
    let mut references = plan["references"].as_array().unwrap().iter();
    let kubeadm = references.find(|file| file["path"] == "environments/kubeadm/values.yaml").unwrap();
    reads!(kubeadm["notes"][0].as_str().unwrap(), @"environments/kubeadm/values.yaml:3:16: Kubernetes v1.31.8 fits no listed image any more (listed images have 1.31.9, 1.31.9+rke2r1); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`");
}

/// sylva-core's own charts and environments, and the next releases of each.
const COMMITS: [(&str, &str, &[&str]); 5] = [
    ("cb66f267e", "0.1.8", &["0.1.9", "0.1.10", "0.2.0"]),
    ("890fdd4a9", "0.3.3", &["0.3.4", "0.3.7", "0.4.0"]),
    ("e340d303d", "0.4.5", &["0.4.6", "0.4.8"]),
    ("4ac439062", "0.4.8", &["0.4.9", "0.4.10", "0.4.12"]),
    ("fd968edcf", "0.4.12", &["0.4.11"]),
];

#[tokio::test]
async fn no_key_of_sylva_cores_environments_is_left_dead_unsaid() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.join("sylva-core").is_dir() {
        println!(
            "sylva-core's own files do not lie beside the checkout; the excerpts are updated in any case"
        );
        return;
    }
    let mut updates = 0;
    for (commit, version, releases) in COMMITS {
        let folder = data.join("sylva-core").join(commit);
        for to in releases {
            let folders = ["environments", "deployments"];
            let deployment = Deployment::of(&folder, &folders, &data.join("observed.json"), version, to);
            let case = format!("{commit} to {to}");
            let (_, plan) = deployment.update(&[]).await;
            assert_eq!(plan["to"], *to, "{case}: {plan:#}");
            let left = deployment.nothing_is_left_unsaid(&plan, &case);
            println!(
                "{case}: {} files, {} names go, {left} told, {} new errors announced",
                deployment.files.len(),
                deployment.going.len(),
                errors(&plan["findings"]["new"]).values().sum::<usize>(),
            );
            updates += 1;
        }
    }
    assert_eq!(updates, 12);
}
