//! Replays real updates: a registry is filled with a producer's releases, each case's `before.yaml` is updated,
//! and the mapping must become that of `after.yaml`, byte for byte; unless `kubernetes_versions:` is off also the lines
//! of `k8s_version_map`, and with `references:` the keys that another file names.
//!
//! Whole files are compared too, and counted: as usual, with lines of `k8s_version_map` that come and go, and where the folder
//! has `lists/<version>.yaml` (RKE2's `charts/chart_versions.yaml` of that version), with the charts that follow them.
//!
//! `cargo test --test replay` runs the small cases of this repository. Other data are given by their folder, which holds
//! `releases.json` and `replay/<case>/{before,after}.yaml` with `replay/index.json`, and perhaps `observed.json`, by which
//! what plans announce is held against what `check` finds; cases that the maintainers decided
//! by hand are named behind it: `cargo test --test replay -- ../data --except 007,016`.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking, and sets up its own files, servers and processes"
)]

#[path = "fake/docker_registry.rs"]
mod docker_registry;
#[path = "replay/errors.rs"]
mod errors;
#[path = "replay/findings.rs"]
mod findings;
#[path = "replay/gates.rs"]
mod gates;
#[path = "replay/lists.rs"]
mod lists;
#[path = "replay/text.rs"]
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, ExitCode};

use docker_registry::{DockerRegistry, Push};
use serde::Deserialize;

const PREFIX: &str = "sylva-projects/sylva-elements/diskimage-builder";
const ANNOTATION: &str = "sylvaproject.org/diskimage/";

/// Where the maintainers moved the map in a later commit than the images: what they wrote then.
const LATER: [(&str, &str, &str); 1] = [("009", "1.27.6", "1.27.10")];

/// What follows the images in the second half of a case: what does so by itself, and the same by rules.
const FOLLOWING: [&str; 2] = ["", RULES];
/// What may be asked for besides.
const OPT_INS: &str = "    kubernetes_versions: {add: true, remove: true}\n";
const RULES: &str = "    kubernetes_versions:
      - {path: _internal.k8s_version_map, k8s_flavor: rke2}
      - {path: _internal.k8s_version_map, k8s_flavor: kubeadm}
";

#[derive(Deserialize)]
struct Releases {
    releases: Vec<Release>,
    #[serde(default)]
    other_tags: Vec<OtherTag>,
}

#[derive(Deserialize)]
struct Release {
    tag: String,
    date: String,
    commit: String,
    annotation_keys: Vec<String>,
    artifacts: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct OtherTag {
    tag: String,
    valid_oci_tag: bool,
    names: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    to: String,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--");
    let (mut folder, mut except) = (None, BTreeSet::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--except" => except.extend(arguments.next().unwrap_or_default().split(',').map(str::to_owned)),
            _ if argument.starts_with("--") => {}
            _ => {
                folder = std::path::absolute(argument).ok().filter(|path| path.join("releases.json").exists())
            }
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/replay");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let failed = runtime.block_on(replay(&folder.unwrap_or(own), &except));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all cases and prints a line for each; the number of failed ones.
async fn replay(folder: &Path, except: &BTreeSet<String>) -> usize {
    let releases: Releases =
        serde_json::from_slice(&std::fs::read(folder.join("releases.json")).unwrap()).unwrap();
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(folder.join("replay/index.json")).unwrap()).unwrap();
    let registry = DockerRegistry::start().await;
    registry.push(&releases.pushes()).await;
    let mut failed = 0;
    for case in &cases {
        let problems =
            replay_case(folder, case, &releases, &registry.prefix(PREFIX), except.contains(&case.id));
        let verdict = if problems.is_empty() {
            "ok".to_owned()
        } else {
            format!("FAILED\n    {}", problems.join("\n    "))
        };
        println!("test replay {} to {} ... {verdict}", case.id, case.to);
        failed += usize::from(!problems.is_empty());
    }
    for case in cases.iter().filter(|_| folder.join("observed.json").exists()) {
        let found = findings::check(folder, &case.id, &case.to);
        failed += usize::from(found.is_err());
        let told = found.unwrap_or_else(|problem| format!("FAILED\n    {problem}"));
        println!("test findings {} to {} ... {told}", case.id, case.to);
    }
    let gates = gates::check(&releases);
    failed += usize::from(gates.is_err());
    match gates {
        Ok(lines) => println!("test gates ... ok\n    {}", lines.join("\n    ")),
        Err(problem) => println!("test gates ... FAILED\n    {problem}"),
    }
    let usual = wholes(folder, &cases, &registry, |_| String::new());
    let opted = wholes(folder, &cases, &registry, |_| OPT_INS.to_owned());
    let count = |wholes: &[Whole<'_>]| {
        let equal: Vec<&str> = wholes.iter().filter(|whole| whole.is_equal).map(|whole| whole.id).collect();
        format!("{} of {} ({})", equal.len(), wholes.len(), equal.join(", "))
    };
    println!("whole files equal to the maintainers': {}", count(&usual));
    println!("the same with lines of k8s_version_map that come and go: {}", count(&opted));
    opted.iter().filter(|whole| !whole.is_equal).for_each(Whole::tell);
    if let Some(lists) = lists::Lists::start(folder).await {
        let listed = wholes(folder, &cases, &registry, |before| lists.rules(before));
        println!("the same with the charts that follow RKE2's lists: {}", count(&listed));
        listed.iter().filter(|whole| !whole.is_equal).for_each(Whole::tell);
    }
    for (_, opted) in usual.iter().zip(&opted).filter(|(usual, opted)| usual.others != opted.others) {
        println!("test opt-ins {} ... FAILED\n    lines beside k8s_version_map change", opted.id);
        failed += 1;
    }
    let state = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {state}. {} passed; {failed} failed; 0 ignored\n", cases.len() + 1 - failed);
    failed
}

fn replay_case(folder: &Path, case: &Case, releases: &Releases, prefix: &str, by_hand: bool) -> Vec<String> {
    let text = |name: &str| std::fs::read_to_string(folder.join("replay").join(&case.id).join(name)).unwrap();
    let (before, after) = (text("before.yaml"), text("after.yaml"));
    let run = |images: &str, text: &str, to: &str| plan(text, prefix, images, to);
    let plan = |images: &str, text: &str| run(images, text, &case.to);
    let follow = plan("follow", &before);
    let mut problems = Vec::new();
    let mut demand = |holds: bool, problem: &str| {
        if !holds {
            problems.push(problem.to_owned());
        }
    };
    demand(
        by_hand || mapping(&follow).2 == mapping(&after).2,
        "follow does not give the maintainers' mapping",
    );
    demand(outside(&follow) == outside(&before), "follow changes a line outside version and mapping");
    demand(plan("follow", &follow) == follow, "a second run changes something");
    demand(plan("auto", &before) == follow, "auto differs from follow");

    let all = plan("all", &before);
    demand(keys(&all) == releases.names(&case.to), "all does not leave exactly the artifacts of the release");
    demand(outside(&all) == outside(&before), "all changes a line outside version and mapping");
    let from = version(&before);
    demand(run("auto", &all, &from) == run("all", &all, &from), "auto differs from all on a whole release");
    problems.extend(text::problem(&before, prefix, &case.to));
    for rules in FOLLOWING {
        let found = following(case, [&before, &after, &follow], prefix, rules);
        problems.extend(found.into_iter().map(str::to_owned));
    }
    problems
}

/// What an update makes of a whole file.
struct Whole<'a> {
    id: &'a str,
    /// Whether it is that of the maintainers.
    is_equal: bool,
    /// Its lines beside `k8s_version_map`.
    others: Vec<String>,
    /// The lines that only it has, and that only the maintainers' has.
    differences: [Vec<String>; 2],
}

impl Whole<'_> {
    /// Prints how far it is from the maintainers'.
    fn tell(&self) {
        let [ours, theirs] = &self.differences;
        println!("    {}: {} lines are ours alone, {} theirs", self.id, ours.len(), theirs.len());
        let some = ours.iter().map(|line| format!("+{line}")).take(6);
        some.chain(theirs.iter().map(|line| format!("-{line}")).take(6))
            .for_each(|line| println!("        {}", line.chars().take(150).collect::<String>()));
    }
}

fn wholes<'a>(
    folder: &Path,
    cases: &'a [Case],
    registry: &DockerRegistry,
    rules: impl Fn(&str) -> String,
) -> Vec<Whole<'a>> {
    let whole = |case: &'a Case| {
        let read =
            |name: &str| std::fs::read_to_string(folder.join("replay").join(&case.id).join(name)).unwrap();
        let (before, after) = (read("before.yaml"), read("after.yaml"));
        let (written, ..) = updated(case, &before, &registry.prefix(PREFIX), &rules(&before));
        let others = written.lines().filter(|line| !is_version(line)).map(str::to_owned).collect();
        let only = |of: &str, other: &str| {
            let other: BTreeSet<&str> = other.lines().collect();
            of.lines().filter(|line| !other.contains(line)).map(str::to_owned).collect()
        };
        let differences = [only(&written, &after), only(&after, &written)];
        Whole { id: &case.id, is_equal: written == after, others, differences }
    };
    cases.iter().map(whole).collect()
}

/// The file, the references and the plan after an update by a configuration with these lines in its target.
fn updated(case: &Case, before: &str, prefix: &str, rules: &str) -> (String, String, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let [file, references] = ["values.yaml", "references/some.yaml"].map(|name| folder.path().join(name));
    std::fs::create_dir(folder.path().join("references")).unwrap();
    std::fs::write(&file, before).unwrap();
    std::fs::write(&references, naming(before)).unwrap();
    let config = format!(
        "version: 1\nproducers:\n  - registry: {prefix}\n    plain_http: true\n    discovery: [catalog]\n\
         targets:\n  - project: group/deployment\n    files: [values.yaml]\n    images: follow\n    \
         policy: {{signatures: off}}\n    \
         references: ['references/*.yaml']\n{rules}"
    );
    std::fs::write(folder.path().join("dibump.yaml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
        .args(["plan", "values.yaml", "--to", &case.to, "--write", "--format", "json"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "plan failed: {}", String::from_utf8_lossy(&output.stderr));
    let [file, references] = [file, references].map(|path| std::fs::read_to_string(path).unwrap());
    (file, references, output.stdout)
}

/// A list of the keys of a mapping.
fn naming(text: &str) -> String {
    keys(text).iter().map(|key| format!("- '{key}' # {key}\n")).collect()
}

/// The same update with all that follows the images.
fn following(
    case: &Case,
    [before, after, follow]: [&str; 3],
    prefix: &str,
    rules: &str,
) -> Vec<&'static str> {
    let (written, references, plan) = updated(case, before, prefix, rules);
    let mut problems = Vec::new();
    if versions(&written) != expected_versions(case, before, after) {
        problems.push("k8s_version_map is not the maintainers'");
    }
    let others =
        |text: &str| text.lines().filter(|line| !is_version(line)).map(str::to_owned).collect::<Vec<_>>();
    if others(&written) != others(follow) {
        problems.push("kubernetes_versions changes other lines");
    }
    if references != renamed(&naming(before), &plan) {
        problems.push("a reference does not follow its key");
    }
    problems
}

/// The references with the keys that the plan says it renamed; comments keep the old ones.
fn renamed(references: &str, plan: &[u8]) -> String {
    let plan: serde_json::Value = serde_json::from_slice(plan).unwrap();
    let renamed = plan["files"][0]["renamed"].as_array().unwrap().iter();
    let moves = renamed.map(|renamed| [&renamed["from"], &renamed["to"]].map(|key| key.as_str().unwrap()));
    moves.fold(references.to_owned(), |text, [from, to]| {
        text.replace(&format!("'{from}'"), &format!("'{to}'"))
    })
}

/// The lines of `k8s_version_map`.
fn versions(text: &str) -> Vec<String> {
    text.lines().filter(|line| is_version(line)).map(str::to_owned).collect()
}

fn is_version(line: &str) -> bool {
    line.starts_with("    1.") && line.contains("ternary \"v1.")
}

/// The maintainers' lines, without the minors that they added by hand.
fn expected_versions(case: &Case, before: &str, after: &str) -> Vec<String> {
    let later = LATER.iter().find(|(id, ..)| *id == case.id);
    let line = |line: String| later.map_or(line.clone(), |(_, old, new)| line.replace(old, new));
    let minor = |line: &str| line.split(':').next().map(str::to_owned);
    let had: BTreeSet<Option<String>> = versions(before).iter().map(|line| minor(line)).collect();
    versions(after).into_iter().filter(|line| had.contains(&minor(line))).map(line).collect()
}

/// Updates a copy of the file with the real program.
fn plan(text: &str, prefix: &str, images: &str, to: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.yaml");
    std::fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
        .args(["plan", "--registry", prefix, "--plain-http", "--discovery", "catalog"])
        .args(["--images", images, "--to", to, "--write", "--kubernetes-versions", "off"])
        .args(["--signatures", "off"])
        .arg(&file)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "plan failed: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(&file).unwrap()
}

/// Start and end of the mapping's lines, and the lines from the first key to the last.
fn mapping(text: &str) -> (usize, usize, Vec<&str>) {
    let lines: Vec<&str> = text.lines().collect();
    let head =
        lines.iter().position(|line| line.starts_with("sylva_diskimagebuilder_images:")).expect("a mapping");
    let inside = lines[head + 1..].iter().take_while(|line| line.starts_with(' ')).count();
    (head + 1, head + 1 + inside, lines[head + 1..head + 1 + inside].to_vec())
}

fn keys(text: &str) -> BTreeSet<String> {
    let key = |line: &&str| {
        line.strip_prefix("  ").filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase())).map(str::to_owned)
    };
    let name = |line: String| line.split_once(':').map(|(key, _)| key.to_owned());
    mapping(text).2.iter().filter_map(key).filter_map(name).collect()
}

/// The lines that no update may touch.
fn outside(text: &str) -> Vec<&str> {
    let (start, end, _) = mapping(text);
    let lines = text.lines().enumerate();
    let kept = lines.filter(|(i, line)| {
        !(start..end).contains(i) && !line.starts_with("sylva_diskimagebuilder_version:")
    });
    kept.map(|(_, line)| line).collect()
}

fn version(text: &str) -> String {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("sylva_diskimagebuilder_version: "))
        .expect("a version");
    line.trim().to_owned()
}

impl Releases {
    fn names(&self, tag: &str) -> BTreeSet<String> {
        let release = self.releases.iter().find(|release| release.tag == tag);
        release
            .map(|release| release.artifacts.iter().map(|a| a["basename"].clone()).collect())
            .unwrap_or_default()
    }

    /// Every artifact, first in `snapshots/` as the producer does, and the tags that are no releases.
    fn pushes(&self) -> Vec<Push> {
        let push = |name: &str, tag: &str, annotations: &BTreeMap<String, String>| {
            ["", "snapshots/"].map(|folder| Push {
                repository: format!("{PREFIX}/{folder}{name}"),
                tag: tag.to_owned(),
                annotations: annotations.clone(),
            })
        };
        let artifacts =
            self.releases.iter().flat_map(|release| release.artifacts.iter().map(move |a| (release, a)));
        let releases =
            artifacts.flat_map(|(release, a)| push(&a["basename"], &release.tag, &release.annotations(a)));
        let others = self.other_tags.iter().filter(|other| other.valid_oci_tag);
        let none = BTreeMap::new();
        let others =
            others.flat_map(|other| other.names.iter().flat_map(|name| push(name, &other.tag, &none)));
        releases.chain(others.collect::<Vec<_>>()).collect()
    }
}

impl Release {
    /// The annotations that the producer's pipeline of this release wrote.
    fn annotations(&self, artifact: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let of_flux =
            [("created", self.date.clone()), ("revision", format!("{}@sha1:{}", self.tag, self.commit))];
        let of_flux = of_flux.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value));
        let named = self.annotation_keys.iter().filter_map(|key| {
            let value = match key.strip_prefix(ANNOTATION)? {
                "k8s-version" => artifact.get("k8s_version_annotation")?.clone(),
                "hardened" => artifact.get("hardened_annotation")?.clone(),
                "commit-tag" => self.tag.clone(),
                "commit-id" => self.commit.clone(),
                "filename" => format!("{}.raw", artifact["basename"]),
                "sha256" => "0".repeat(64),
                "md5" => "0".repeat(32),
                "size" | "archive-size" => "22000000000".to_owned(),
                facet => artifact.get(&facet.replace('-', "_"))?.clone(),
            };
            Some((key.clone(), value))
        });
        named.chain(of_flux).collect()
    }
}
