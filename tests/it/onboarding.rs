//! `dibump init`: what it makes of a checkout is what a person would have written, and it does no harm.

mod layouts;
mod merge_request;

use serde_json::json;

use crate::fake::oci::{FakeRegistry, Image};
use crate::said::about;
use crate::world::{Desk, PATIENCE, Ran};
use layouts::{LAYOUTS, Layout, text};

/// A checkout on a desk.
struct Checkout {
    desk: Desk,
}

impl Checkout {
    /// Everything that is written is tracked.
    fn new(origin: &str, files: &[(&str, &str)]) -> Self {
        let checkout = Self { desk: Desk::new() };
        checkout.git(&["init", "-q", "."]);
        if !origin.is_empty() {
            checkout.git(&["remote", "add", "origin", origin]);
        }
        files.iter().for_each(|(path, text)| checkout.write(path, text));
        checkout.git(&["add", "."]);
        checkout
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.desk.path(path).parent().unwrap()).unwrap();
        self.desk.write(path, text);
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = std::process::Command::new("git");
        let ended = git.args(arguments).current_dir(self.desk.path("")).env_clear().status().unwrap();
        assert!(ended.success(), "{arguments:?}");
    }

    async fn init(&self, arguments: &[&str]) -> Ran {
        self.desk.dibump(&[&["init"], arguments].concat()).await
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.desk.read(path)).unwrap()
    }

    fn has(&self, path: &str) -> bool {
        self.desk.path(path).exists()
    }
}

const ORIGIN: &str = "https://git.example/group/deployment.git";
const VALUES: (&str, &str) = (
    "values.yaml",
    "# renovate: depName=sylva-projects/sylva-elements/diskimage-builder\n\
     sylva_diskimagebuilder_version: 0.4.11\n\
     diskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-11: {}\n",
);

/// Releases 0.4.11 and 0.4.12 of diskimage-builder and 0.1.2 and 0.1.3 of kiwi-imagebuilder.
fn releases(versions: [&str; 2], names: &[&str]) -> String {
    let release = |(version, patch): (&str, u32)| {
        let artifacts: Vec<_> = names.iter().map(|name| json!({"name": format!("{name}-{patch}")})).collect();
        json!({"version": version, "artifacts": artifacts})
    };
    let releases: Vec<_> = versions.into_iter().zip([11, 12]).map(release).collect();
    json!({"schema": "dibump.releases/1", "releases": releases}).to_string()
}

/// The file is accepted and means what the hand-written one means; so do the first plans.
#[tokio::test]
async fn what_is_written_is_what_a_person_would_have_written() {
    assert!(LAYOUTS.len() >= 25);
    let mut wrong = Vec::new();
    for layout in LAYOUTS {
        wrong.extend(differs(layout).await.err().map(|how| format!("{}: {how}", layout.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn differs(layout: &Layout) -> Result<(), String> {
    let files: Vec<(&str, String)> =
        layout.files.iter().map(|(path, written)| (*path, text(written))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let checkout = Checkout::new(layout.origin, &files);
    let same = |what: &str, one: &Ran, other: &Ran| match (one.exit, &one.stdout) == (Some(0), &other.stdout)
    {
        true => Ok(()),
        false => Err(format!("{what}: {one:#?}\n{other:#?}")),
    };
    let ran = checkout.init(&[&["--offline"], layout.arguments].concat()).await;
    same("init", &ran, &ran)?;
    let valid = checkout.desk.dibump(&["config", "validate"]).await;
    same("config validate", &valid, &valid)?;
    checkout.desk.write("hand.yaml", format!("version: 1\n{}", text(layout.hand)));
    let show = async |file: &str| checkout.desk.dibump(&["config", "show", "--config", file]).await;
    same("config show", &show("dibump.yaml").await, &show("hand.yaml").await)?;
    let dib = ["ubuntu-noble-plain-rke2-1-30", "opensuse-15-6-plain-kubeadm-1-30"];
    checkout.desk.write("dib.json", releases(["0.4.11", "0.4.12"], &dib));
    checkout.desk.write("kiwi.json", releases(["0.1.2", "0.1.3"], &["leapmicro-6-0-plain-rke2-1-31"]));
    let plan = async |file: &str, more: &[&str]| {
        checkout.desk.dibump(&[&["plan", "--config", file, "--format", "diff"], more].concat()).await
    };
    let alone: &[&[&str]] = &[&["--observed", "dib.json"]];
    let both: &[&[&str]] = &[
        &["--observed", "dib.json", "--producer", "diskimage-builder"],
        &["--observed", "kiwi.json", "--producer", "kiwi-imagebuilder"],
    ];
    for more in if layout.hand.contains("kiwi") { both } else { alone } {
        let (ours, by_hand) = (plan("dibump.yaml", more).await, plan("hand.yaml", more).await);
        same("plan", &ours, &by_hand)?;
        let changed = ours.stdout.lines().filter(|line| line.starts_with("+++ ")).count();
        if changed != layout.changed_files {
            return Err(format!("{changed} files change: {}", ours.stdout));
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_first_plan_is_asked_of_the_registry_that_the_file_names() {
    let registry = FakeRegistry::start().await;
    let prefix = "sylva-projects/diskimage-builder";
    for (version, patch) in [("0.4.11", 11), ("0.4.12", 12)] {
        registry.release(prefix, version, &[Image::new(&format!("ubuntu-noble-plain-rke2-1-30-{patch}"))]);
    }
    let values = format!(
        "os_images_oci_registries:\n  sylva:\n    url: {}\n    tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'\n{}",
        registry.prefix(prefix),
        VALUES.1
    );
    let checkout = Checkout::new(
        "https://bot:glpat-very-secret@gitlab.example/group/deployment.git",
        &[("values.yaml", &values)],
    );
    let ran = checkout.init(&["--plain-http"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("+sylva_diskimagebuilder_version: 0.4.12"), "{ran:#?}");
    let config = checkout.text("dibump.yaml");
    assert!(
        config.contains("plain_http: true") && config.contains("url: https://gitlab.example\n"),
        "{config}"
    );
    assert!(!format!("{config}{}", checkout.text(".gitlab-ci.yml")).contains("glpat"), "{config}");
    // What it wrote is found by the next command.
    let plan = checkout.desk.dibump(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.exit, Some(10), "{plan:#?}");
}

#[tokio::test]
async fn a_first_plan_that_fails_leaves_the_files_and_may_be_tried_again() {
    let nowhere = "os_images_oci_registries:\n  sylva:\n    url: oci://127.0.0.1:1/dib\n    tag: '{{ .Values.sylva_diskimagebuilder_version }}'\n";
    let values = format!("{nowhere}{}", VALUES.1);
    let checkout = Checkout::new(ORIGIN, &[("values.yaml", &values)]);
    let ran = checkout.init(&["--plain-http", "--max-time", "1s"]).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    reads!(about(&ran.stderr, "note"), @"note: the files are kept; `dibump plan` tries it again");
    assert_eq!(checkout.desk.dibump(&["config", "validate"]).await.exit, Some(0));
}

#[tokio::test]
async fn the_files_are_commented_and_say_what_is_left_to_do() {
    let checkout = Checkout::new(ORIGIN, &[VALUES]);
    let ran = checkout.init(&["--offline"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    insta::assert_snapshot!(ran.stdout, @"
    wrote dibump.yaml
    wrote .gitlab-ci.yml
    still needed:
    - a masked and protected CI/CD variable GITLAB_TOKEN: a project access token of scope `api` with the role Developer
    - a pipeline schedule with the variable DIBUMP set to `run`
    - your own addresses in place of `https://gitlab.example/dibump/dibump` and `registry.example/dibump/dibump`, which do not exist
    ");
    insta::assert_snapshot!(checkout.text("dibump.yaml"), @"
    # What dibump keeps in step in this repository, as `dibump init` found it.
    # `dibump config example` shows every setting, `dibump plan` what a merge request would change.
    version: 1

    producers:
      # Assumed to be the registry of sylva-projects/sylva-elements/diskimage-builder (values.yaml:2:1).
      - registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder

    forge:
      url: https://git.example

    targets:
      # `sylva_diskimagebuilder_version` names the release, `diskimage_builder_os_images` lists the images.
      - project: group/deployment
        files:
        - values.yaml
    ");
    insta::assert_snapshot!(checkout.text(".gitlab-ci.yml"), @"
    # Keeps the merge requests of dibump.yaml in pipelines of a schedule, and checks merge requests that change its files.
    include:
    - remote: https://gitlab.example/dibump/dibump/-/raw/v0.1.0/templates/run.yml
      inputs:
        image: registry.example/dibump/dibump:0.1.0-shell
    - remote: https://gitlab.example/dibump/dibump/-/raw/v0.1.0/templates/check.yml
      inputs:
        image: registry.example/dibump/dibump:0.1.0-shell
        files:
        - dibump.yaml
        - values.yaml
    ");
}

#[tokio::test]
async fn nothing_is_written_over_and_print_shows_what_would_be() {
    let mut told = String::new();
    for there in ["dibump.yaml", ".gitlab/dibump.yml", ".gitlab/dibump-ci.yml"] {
        let checkout =
            Checkout::new(ORIGIN, &[VALUES, (".gitlab-ci.yml", "stages: [test]\n"), (there, "mine: 1\n")]);
        let ran = checkout.init(&["--offline"]).await;
        assert_eq!(ran.exit, Some(3), "{there}: {ran:#?}");
        told += &ran.stderr;
        assert_eq!(checkout.text(there), "mine: 1\n");
        assert_eq!(checkout.text(".gitlab-ci.yml"), "stages: [test]\n");
        assert_eq!(
            ["dibump.yaml", ".gitlab/dibump-ci.yml"].iter().filter(|path| checkout.has(path)).count(),
            usize::from(there != ".gitlab/dibump.yml")
        );
        let printed = checkout.init(&["--offline", "--print"]).await;
        assert_eq!(printed.exit, Some(0), "{printed:#?}");
        assert!(
            printed.stdout.contains("# dibump.yaml\n")
                && printed.stdout.contains("# .gitlab/dibump-ci.yml\n"),
            "{printed:#?}"
        );
    }
    reads!(told, @"
    error: dibump.yaml: already there; nothing was written
    hint: see what would be written with --print
    error: .gitlab/dibump.yml: already there; nothing was written
    hint: see what would be written with --print
    error: .gitlab/dibump-ci.yml: already there; nothing was written
    hint: see what would be written with --print
    ");
}

#[tokio::test]
async fn only_tracked_files_of_a_usual_size_are_read() {
    let checkout = Checkout::new(ORIGIN, &[VALUES]);
    checkout.write("untracked/values.yaml", VALUES.1);
    checkout.write("large/values.yaml", &format!("{}# {}\n", VALUES.1, "x".repeat(5 << 20)));
    std::os::unix::fs::symlink("../untracked/values.yaml", checkout.desk.path("large/link.yaml")).unwrap();
    checkout.git(&["add", "large"]);
    let ran = checkout.init(&["--offline"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stderr.contains("note: large/values.yaml: "), "{ran:#?}");
    let config = checkout.text("dibump.yaml");
    assert!(!config.contains("untracked") && !config.contains("large"), "{config}");
}

#[tokio::test]
async fn a_hook_that_the_checkout_names_is_not_run() {
    let checkout = Checkout::new(ORIGIN, &[VALUES]);
    checkout.git(&["config", "core.fsmonitor", "touch was-run; false"]);
    assert_eq!(checkout.init(&["--offline"]).await.exit, Some(0));
    assert!(!checkout.has("was-run"));
}

#[tokio::test]
async fn a_path_with_a_line_end_stays_in_its_comment() {
    let path = "a\nproducers: []/values.yaml";
    let checkout = Checkout::new(ORIGIN, &[(path, VALUES.1)]);
    let ran = checkout.init(&["--offline"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let shown = checkout.desk.dibump(&["config", "show"]).await;
    assert!(shown.stdout.contains("path: |-\n      a\n      producers: []/values.yaml\n"), "{shown:#?}");
}

/// `script` (Debian's bsdutils) gives the program a terminal.
#[tokio::test]
async fn on_a_terminal_it_asks_what_it_cannot_tell() {
    let values = VALUES.1.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let checkout = Checkout::new("", &[("values.yaml", &values)]);
    checkout.desk.write("answers", "\ngroup/mine\n");
    let command =
        format!("script -qec '{} init --offline' /dev/null < answers", env!("CARGO_BIN_EXE_dibump"));
    let mut shell = tokio::process::Command::new("/bin/sh");
    shell.args(["-c", &command]).current_dir(checkout.desk.path("")).env_clear().env("PATH", "/usr/bin:/bin");
    let output = tokio::time::timeout(PATIENCE, shell.output()).await.expect("it ends").unwrap();
    assert!(output.status.success(), "{output:#?}");
    let config = checkout.text("dibump.yaml");
    assert!(
        config.contains("project: group/mine\n")
            && config.contains("oci://registry.gitlab.com/sylva-projects/"),
        "{config}"
    );
}

#[tokio::test]
async fn what_cannot_be_told_is_named_and_yes_assumes_it() {
    let values = VALUES.1.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let checkout = Checkout::new("", &[("values.yaml", &values)]);
    let registry = checkout.init(&["--offline"]).await;
    assert_eq!(registry.exit, Some(3), "{registry:#?}");
    insta::assert_snapshot!(registry.stderr, @"
    error: the registry of values.yaml:1:1 is not known: no file names it
    hint: name it with --registry oci://HOST/PATH; --yes assumes oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder
    ");
    let project = checkout.init(&["--offline", "--registry", "oci://registry.example/dib"]).await;
    assert_eq!(project.exit, Some(3), "{project:#?}");
    reads!(project.stderr, @"
    error: the project is not known: `origin` names none
    hint: name it with --project GROUP/PROJECT; --yes assumes group/FOLDER
    ");
    assert!(!checkout.has("dibump.yaml"));
    let assumed = checkout.init(&["--offline", "--yes", "--project", "group/deployment"]).await;
    assert_eq!(assumed.exit, Some(0), "{assumed:#?}");
    reads!(assumed.stderr, @"warning: the registry of values.yaml:1:1 is not known: no file names it; assumed: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder");
}

#[tokio::test]
async fn a_folder_without_anything_to_keep_in_step_says_so() {
    let checkout = Checkout::new(ORIGIN, &[("values.yaml", "sylva_diskimagebuilder_version: 0.4.11\n")]);
    let nothing = checkout.init(&[]).await;
    assert_eq!(nothing.exit, Some(3), "{nothing:#?}");
    insta::assert_snapshot!(nothing.stderr, @"
    note: values.yaml: `sylva_diskimagebuilder_version` stays: the file lists no images
    error: no tracked file names a release and lists its images
    hint: a values file needs a version and a mapping of image keys; `git add` it first, or write dibump.yaml by `dibump config example`
    ");
    let narrowed = checkout.init(&["charts"]).await;
    reads!(narrowed.stderr, @"
    error: no tracked file in charts names a release and lists its images
    hint: a values file needs a version and a mapping of image keys; `git add` it first, or write dibump.yaml by `dibump config example`
    ");
    let outside = Desk::new();
    let outside = outside.dibump(&["init"]).await;
    assert_eq!(outside.exit, Some(3), "{outside:#?}");
    assert!(outside.stderr.starts_with("error: git rev-parse: "), "{outside:#?}");
    reads!(about(&outside.stderr, "hint"), @"hint: run in the checkout of a repository");
    checkout.write("below/values.yaml", VALUES.1);
    let mut below = checkout.desk.command(&["init"]);
    let below = below.current_dir(checkout.desk.path("below")).output().await.unwrap();
    assert_eq!(below.status.code(), Some(3));
    reads!(String::from_utf8(below.stderr).unwrap(), @"
    error: FOLDER/below is a folder of a checkout, and paths are relative to its top
    hint: run in FOLDER
    ");
}

#[tokio::test]
async fn paths_and_a_name_for_the_configuration_may_be_given() {
    let other = ("other/values.yaml", VALUES.1);
    let checkout = Checkout::new(ORIGIN, &[VALUES, other]);
    let ran = checkout.init(&["--offline", "./other", "--config", "deploy/bot.yaml"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let config = checkout.text("deploy/bot.yaml");
    assert!(config.contains("- other/values.yaml\n") && !config.contains("- values.yaml\n"), "{config}");
    assert!(checkout.text(".gitlab-ci.yml").contains("config: deploy/bot.yaml\n"));
}

/// The snippet asks for what the templates of this very version take.
#[tokio::test]
async fn the_jobs_are_given_what_their_templates_ask_for() {
    let checkout = Checkout::new(ORIGIN, &[VALUES]);
    assert_eq!(checkout.init(&["--offline"]).await.exit, Some(0));
    let jobs: serde_json::Value = yaml_serde::from_str(&checkout.text(".gitlab-ci.yml")).unwrap();
    for (include, template) in jobs["include"]
        .as_array()
        .unwrap()
        .iter()
        .zip([include_str!("../../templates/run.yml"), include_str!("../../templates/check.yml")])
    {
        let spec: serde_json::Value =
            yaml_serde::from_str(template.split("\n---\n").next().unwrap()).unwrap();
        let (declared, given) =
            (spec["spec"]["inputs"].as_object().unwrap(), include["inputs"].as_object().unwrap());
        assert!(given.keys().all(|name| declared.contains_key(name)), "{given:?}");
        let needed = declared.iter().filter(|(_, input)| input.get("default").is_none());
        assert!(
            needed.clone().count() > 0 && needed.clone().all(|(name, _)| given.contains_key(name)),
            "{given:?}"
        );
    }
    let home = env!("CARGO_PKG_REPOSITORY").trim_end_matches("/dibump/dibump");
    let own = Checkout::new(&format!("{home}/group/deployment"), &[VALUES]);
    assert_eq!(own.init(&["--offline"]).await.exit, Some(0));
    let own = own.text(".gitlab-ci.yml");
    assert!(
        own.contains(&format!(
            "component: $CI_SERVER_FQDN/dibump/dibump/run@{}\n",
            env!("CARGO_PKG_VERSION")
        )),
        "{own}"
    );
}

#[tokio::test]
async fn a_checkout_of_github_gets_the_action_and_a_workflow_for_its_files() {
    let checkout = Checkout::new("git@github.com:owner/deployment.git", &[VALUES]);
    let ran = checkout.init(&["--offline"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(ran.stdout, @r#"
    wrote dibump.yaml
    wrote .github/actions/dibump/action.yml
    wrote .github/workflows/dibump.yml
    still needed:
    - a variable DIBUMP_IMAGE of the repository: registry.example/dibump/dibump:0.1.0, best with its digest
    - the setting "Allow GitHub Actions to create and approve pull requests" (Settings, Actions, General)
    - your own addresses in place of `https://gitlab.example/dibump/dibump` and `registry.example/dibump/dibump`, which do not exist
    "#);
    assert_eq!(checkout.text(".github/actions/dibump/action.yml"), include_str!("../../action.yml"));
    let workflow = checkout.text(".github/workflows/dibump.yml");
    assert!(workflow.contains("    paths: [\"dibump.yaml\", \"values.yaml\"]\n"), "{workflow}");
    let parse = |text: &str| yaml_serde::from_str::<serde_json::Value>(text).unwrap();
    let (ours, template) = (parse(&workflow), parse(include_str!("../../templates/github-workflow.yml")));
    assert_eq!(ours["jobs"], template["jobs"]);
    assert!(!checkout.has(".gitlab-ci.yml"));
}

#[tokio::test]
async fn renovate_is_told_to_leave_the_version_alone() {
    let renovate = ("renovate.json", "{\"extends\": [\"config:recommended\"]}");
    let checkout = Checkout::new(ORIGIN, &[VALUES, renovate]);
    let ran = checkout.init(&["--offline"]).await;
    reads!(ran.stderr, @"note: Renovate may update `sylva_diskimagebuilder_version` of values.yaml too: set `enabled: false` for sylva-projects/sylva-elements/diskimage-builder in renovate.json");
}
