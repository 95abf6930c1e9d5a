//! The first minutes with an installed program: it brings its example, its manual, and finds its configuration.

use std::path::Path;

use crate::world::{Desk, World};

const CONFIG: &str = "\
version: 1
producers: [{registry: 'oci://registry.example/dib'}]
targets: [{project: group/deployment, files: [values.yaml]}]
";

#[tokio::test]
async fn the_configuration_is_found_where_people_put_it() {
    for name in [
        "dibump.yaml",
        "dibump.yml",
        ".dibump.yaml",
        ".dibump.yml",
        ".gitlab/dibump.yaml",
        ".gitlab/dibump.yml",
        ".github/dibump.yaml",
        ".github/dibump.yml",
    ] {
        let desk = Desk::new();
        std::fs::create_dir_all(desk.path(name).parent().unwrap()).unwrap();
        desk.write(name, CONFIG);
        let ran = desk.dibump(&["config", "validate"]).await;
        assert_eq!(ran.exit, Some(0), "{name}: {ran:#?}");
        desk.write(name, "version: 2\n");
        let wrong = desk.dibump(&["plan"]).await;
        assert_eq!(wrong.exit, Some(3), "{name}: {wrong:#?}");
        assert!(wrong.stderr.contains(&format!("{name}:1:")), "{name}: {wrong:#?}");
    }
}

#[tokio::test]
async fn of_two_configurations_none_is_taken_and_both_are_named() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path(".gitlab")).unwrap();
    desk.write("dibump.yaml", CONFIG).write(".gitlab/dibump.yaml", CONFIG);
    let ran = desk.dibump(&["config", "show"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    insta::assert_snapshot!(ran.stderr, @"
    error: several configuration files: dibump.yaml, .gitlab/dibump.yaml
    hint: keep one of them, or name one with --config
    ");
    let named = desk.dibump(&["config", "validate", "--config", "dibump.yaml"]).await;
    assert_eq!(named.exit, Some(0), "{named:#?}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_not_taken_for_absent() {
    let desk = Desk::new();
    desk.write("values.yaml", "sylva_diskimagebuilder_version: 0.4.11\n");
    std::os::unix::fs::symlink("nowhere.yaml", desk.path(".dibump.yaml")).unwrap();
    let ran = desk.dibump(&["plan", "values.yaml", "--registry", "oci://registry.example/dib"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: couldn't read .dibump.yaml: No such file or directory (os error N)");
}

#[tokio::test]
async fn without_a_configuration_the_program_brings_one_to_begin_with() {
    let desk = Desk::new();
    let missing = desk.dibump(&["config", "show"]).await;
    assert_eq!(missing.exit, Some(3), "{missing:#?}");
    insta::assert_snapshot!(missing.stderr, @"
    error: configuration file dibump.yaml not found (nor .dibump.yaml, …, .github/dibump.yml)
    hint: name another file with --config; `dibump config example` prints one to begin with
    ");
    let example = desk.dibump(&["config", "example"]).await;
    assert_eq!(example.stdout, include_str!("../../config/example.yaml"));
    desk.write("dibump.yaml", example.stdout).write("more-targets.yaml", "targets: []\n");
    let shown = desk.dibump(&["config", "show"]).await;
    assert_eq!(shown.exit, Some(0), "{shown:#?}");
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    let desk = Desk::new();
    let page = desk.dibump(&["man"]).await;
    assert_eq!(page.exit, Some(0), "{page:#?}");
    assert!(page.stdout.contains(".TH dibump 1"), "{page:#?}");
    assert_eq!(desk.dibump(&["man", "--write", "."]).await.exit, Some(0));
    let help = desk.dibump(&["help"]).await.stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands =
        commands.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|name| *name != "help").collect();
    assert!(commands.contains(&"plan"), "{help}");
    for command in commands {
        let page = String::from_utf8(desk.read(&format!("dibump-{command}.1"))).unwrap();
        assert!(page.contains("SYNOPSIS"), "{command}: {page}");
    }
    let nowhere = desk.dibump(&["man", "--write", "nowhere"]).await;
    assert_eq!(nowhere.exit, Some(3), "{nowhere:#?}");
}

#[tokio::test]
async fn the_long_version_says_what_was_built() {
    let desk = Desk::new();
    let (short, long) = (desk.dibump(&["-V"]).await.stdout, desk.dibump(&["--version"]).await.stdout);
    assert_eq!(short, format!("dibump {}\n", env!("CARGO_PKG_VERSION")));
    let lines: Vec<&str> = long.lines().collect();
    let features = if cfg!(feature = "kube") { "features: kube" } else { "features: none" };
    assert_eq!((lines[0], lines[2]), (short.trim_end(), features), "{long}");
    assert!(lines[1].starts_with("commit: "), "{long}");
}

/// `packaging/project.env` has the addresses; Cargo and Helm need them written again.
#[test]
fn the_addresses_of_the_project_are_the_same_everywhere() {
    let read =
        |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let settings = read("packaging/project.env");
    let setting = |name: &str| {
        let line = settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name} in {settings}")).to_owned()
    };
    let (home, image) = (setting("DIBUMP_HOME"), setting("DIBUMP_IMAGE"));
    let manifest = read("Cargo.toml");
    assert_eq!(env!("CARGO_PKG_REPOSITORY"), home);
    assert!(manifest.contains(&format!("homepage = \"{home}\"\n")), "{home}");
    let chart: serde_json::Value = yaml_serde::from_str(&read("charts/dibump/Chart.yaml")).unwrap();
    assert_eq!((&chart["home"], &chart["sources"][0]), (&home.as_str().into(), &home.as_str().into()));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    let values: serde_json::Value = yaml_serde::from_str(&read("charts/dibump/values.yaml")).unwrap();
    assert_eq!(values["image"]["repository"], image.as_str());
}

#[tokio::test]
async fn the_cache_is_where_the_user_keeps_such_things_and_nowhere_in_a_pipeline() {
    for (variables, expected) in [
        (&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")][..], "cache:\n  dir: /x/dibump\n"),
        (&[("XDG_CACHE_HOME", "not/absolute"), ("HOME", "/h")], "cache:\n  dir: /h/.cache/dibump\n"),
        (&[("HOME", "/h"), ("CI", "true")], "cache: {}\n"),
        (&[], "cache: {}\n"),
    ] {
        let mut desk = Desk::new();
        desk.write("dibump.yaml", CONFIG);
        desk.variables
            .extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let shown = desk.dibump(&["config", "show"]).await;
        assert!(shown.stdout.ends_with(expected), "{variables:?}: {shown:#?}");
        desk.write("dibump.yaml", format!("{CONFIG}cache: {{dir: mine}}\n"));
        let named = desk.dibump(&["config", "show"]).await;
        assert!(named.stdout.ends_with("cache:\n  dir: mine\n"), "{variables:?}: {named:#?}");
    }
}

#[tokio::test]
async fn what_was_read_is_kept_in_the_users_cache_folder() {
    let mut world = World::new().await;
    let home = world.desk.path("home").display().to_string();
    world.desk.variables.push(("HOME".to_owned(), home));
    world.run().await;
    assert!(world.desk.path("home/.cache/dibump").is_dir());
}

#[tokio::test]
async fn every_shell_has_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "nushell", "powershell", "zsh"] {
        let script = desk.dibump(&["completions", shell]).await;
        assert_eq!(script.exit, Some(0), "{shell}: {script:#?}");
        assert!(script.stdout.contains("machine-image"), "{shell}: {script:#?}");
    }
}
