//! A fleet that is up to date: 1,000 targets on one registry, each with a values file of real size, 100 of them distinct.
//! And a target whose open merge request GitLab has not checked for conflicts.

use std::path::Path;
use std::process::Command;

use crate::DIBUMP;
use crate::fake::gitlab::FakeGitLab;
use crate::fake::oci::{FakeRegistry, Image};
use crate::measure::{median, peak, row, time};

const TARGETS: usize = 1_000;
const SHARDS: usize = 4;
const RUNS: usize = 3;
/// To the forge, for each target that is up to date.
const MOST_REQUESTS: usize = 3;
const PREFIX: &str = "group/diskimage-builder";
const VERSION: &str = "0.4.12";
const TOKEN: &str = "token-of-the-bot";

/// All rows.
pub(crate) fn all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (gitlab, registry) =
        runtime.block_on(async { (FakeGitLab::start().await, FakeRegistry::start().await) });
    publish(&registry);
    fill(&gitlab);
    let config = configure(folder.path(), &gitlab, &registry, &fleet());
    time(&mut run(&config, &[]));
    let (looked_up, asked) = (registry.count(""), gitlab.log().len());
    time(&mut run(&config, &[]));
    let (looked_up, asked) = (registry.count("") - looked_up, gitlab.log().len() - asked);
    let took = median((0..RUNS).map(|_| time(&mut run(&config, &[]))).collect());
    let memory = peak(&run(&config, &[]));
    let per_target = asked as f64 / TARGETS as f64;
    assert!(asked <= MOST_REQUESTS * TARGETS, "{asked} requests to the forge for {TARGETS} targets");
    row(
        "1,000 targets that are up to date, 387 KB files, 100 of them distinct",
        &format!(
            "{:.1} s, {memory:.0} MiB, {looked_up} requests to the registry in all, {per_target:.2} to the forge a target",
            took.as_secs_f64()
        ),
        "",
    );
    let before = registry.count("");
    let shards: Vec<_> =
        (1..=SHARDS).map(|shard| time(&mut run(&config, &[&format!("--shard={shard}/{SHARDS}")]))).collect();
    let slowest = shards.iter().max().expect("a shard");
    row(
        "the same in 4 shards",
        &format!(
            "{:.1} s the slowest, {} requests to the registry in all",
            slowest.as_secs_f64(),
            registry.count("") - before
        ),
        "",
    );
    unchecked(&runtime);
}

/// A push to the target branch makes void what GitLab knows of conflicts: to ask for a check costs one request more.
fn unchecked(runtime: &tokio::runtime::Runtime) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (gitlab, registry) =
        runtime.block_on(async { (FakeGitLab::start().await, FakeRegistry::start().await) });
    for patch in [11, 12] {
        registry.release(PREFIX, &format!("0.4.{patch}"), &[Image::new(&image(patch))]);
    }
    let values = format!(
        "sylva_diskimagebuilder_version: 0.4.11\nsylva_diskimagebuilder_images:\n  {}: {{}}\n",
        image(11)
    );
    gitlab.state().add_project(1, "fleet/open", &[("values.yaml", values.as_bytes())]);
    gitlab.state().add_bot(1, "fleet-bot", TOKEN);
    let config = configure(folder.path(), &gitlab, &registry, &target("open"));
    let asked = || {
        let before = gitlab.log().len();
        time(&mut run(&config, &[]));
        gitlab.log().len() - before
    };
    asked();
    assert_eq!(gitlab.state().project(1).merge_requests.len(), 1, "the merge request is open");
    let checked = asked();
    let docs: &[(&str, &[u8])] = &[("README.md", b"hello\n")];
    gitlab.state().project(1).repository.commit_on("main", "Docs", "somebody", docs);
    let unchecked = asked();
    assert!(unchecked <= checked + 1, "{checked} requests to the forge, then {unchecked}");
    row(
        "a target whose merge request is open and right",
        &format!(
            "{checked} requests to the forge; {unchecked} where GitLab has not checked it for conflicts"
        ),
        "",
    );
}

fn image(patch: u32) -> String {
    format!("ubuntu-noble-plain-rke2-1-30-{patch}")
}

fn names() -> impl Iterator<Item = String> {
    (0..19).map(|i| format!("ubuntu-noble-plain-rke2-1-{}-{i}", 20 + i))
}

fn publish(registry: &FakeRegistry) {
    let images: Vec<Image> = names().map(|name| Image::new(&name)).collect();
    registry.release(PREFIX, VERSION, &images);
}

/// The files of a hundred deployments, over and over.
fn fill(gitlab: &FakeGitLab) {
    let keys: String = names().map(|name| format!("  {name}: {{}}\n")).collect();
    let filler: String = (0..5_700)
        .map(|line| {
            format!("unit_{line:04}: {{enabled: true, kustomization: \"./kustomize-units/{line}\"}}\n")
        })
        .collect();
    let mut state = gitlab.state();
    for number in 0..TARGETS {
        let file = format!(
            "sylva_diskimagebuilder_version: {VERSION}\nsylva_diskimagebuilder_images:\n{keys}# {}\n{filler}",
            number % 100
        );
        let id = 1_000 + number as u64;
        state.add_project(id, &format!("fleet/target-{number}"), &[("values.yaml", file.as_bytes())]);
        state.add_bot(id, "fleet-bot", TOKEN);
    }
}

fn fleet() -> String {
    (0..TARGETS).map(|number| target(&format!("target-{number}"))).collect()
}

fn target(name: &str) -> String {
    format!("  - {{project: fleet/{name}, branches: [main], files: [values.yaml]}}\n")
}

fn configure(
    folder: &Path,
    gitlab: &FakeGitLab,
    registry: &FakeRegistry,
    targets: &str,
) -> std::path::PathBuf {
    let config = format!(
        "version: 1\nproducers:\n  - {{registry: {}, plain_http: true, discovery: [catalog]}}\n\
         forge: {{kind: gitlab, url: \"{}\"}}\nnetwork: {{proxy_from_environment: false}}\ntargets:\n{targets}",
        registry.prefix(PREFIX),
        gitlab.address(),
    );
    let path = folder.join("dibump.yaml");
    std::fs::write(&path, config).expect("a file");
    path
}

fn run(config: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(DIBUMP);
    command.arg("run").arg("--config").arg(config).args(more).env_clear().env("GITLAB_TOKEN", TOKEN);
    command
}
