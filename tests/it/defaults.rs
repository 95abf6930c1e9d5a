//! `default_enabled` that follows the newest Kubernetes of its family, where the target says so.

use serde_json::{Value, json};

use crate::said::about;
use crate::world::{Desk, Ran, VALUES};

/// A desk with these entries at 0.4.12, and a release with Kubernetes 1.32, 1.31 and 1.30.
fn desk(entries: &str, setting: &str) -> Desk {
    let release = |version: &str, kubernetes: &[&str]| {
        let image = |version: &&str| json!({"name": format!("ubuntu-noble-plain-rke2-{version}")});
        let other = json!({"name": "opensuse-15-6-plain-kubeadm-1-30-1"});
        let artifacts: Vec<Value> = kubernetes.iter().map(image).chain([other]).collect();
        json!({"version": version, "artifacts": artifacts})
    };
    let releases = json!({"schema": "dibump.releases/1", "releases": [
        release("0.4.13", &["1-32-5", "1-31-9", "1-30-13"]),
        release("0.4.12", &["1-31-8", "1-30-12"]),
    ]});
    let desk = Desk::new();
    let config = format!(
        "version: 1
producers: [{{registry: 'oci://registry.example/group/diskimage-builder'}}]
targets:
  - project: group/deployment
    files: [values.yaml]
{setting}"
    );
    desk.write("dibump.yaml", config).write(VALUES, file("0.4.12", entries));
    desk.write("releases.json", releases.to_string());
    desk
}

fn file(version: &str, entries: &str) -> String {
    format!("sylva_diskimagebuilder_version: {version}\nsylva_diskimagebuilder_images:\n{entries}other: 1\n")
}

const FOLLOW: &str = "    default_enabled: follow\n";

async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES, "--observed", "releases.json"], more].concat()).await
}

/// The entries before and after, with what is told.
#[tokio::test]
async fn the_default_moves_with_its_entry_to_the_newest_beside_it() {
    for (before, after) in [
        (
            "  ubuntu-noble-plain-rke2-1-31-8:\n    default_enabled: true\n  ubuntu-noble-plain-rke2-1-30-12: {}\n",
            "  ubuntu-noble-plain-rke2-1-32-5:\n    default_enabled: true\n  ubuntu-noble-plain-rke2-1-31-9: {}\n  \
             ubuntu-noble-plain-rke2-1-30-13: {}\n",
        ),
        (
            "  # the family\n  ubuntu-noble-plain-rke2-1-31-8: {default_enabled: true, size: 3}\n  # older\n  \
             ubuntu-noble-plain-rke2-1-30-12: {size: 3}\n",
            "  # the family\n  ubuntu-noble-plain-rke2-1-32-5: {default_enabled: true, size: 3}\n  \
             ubuntu-noble-plain-rke2-1-31-9: {size: 3}\n  # older\n  ubuntu-noble-plain-rke2-1-30-13: {size: 3}\n",
        ),
        (
            "  ubuntu-noble-plain-rke2-1-30-12: {}\n  # newest\n  ubuntu-noble-plain-rke2-1-31-8:\n    \
             default_enabled: true\n  # another\n  opensuse-15-6-plain-kubeadm-1-30-1: {}\n",
            "  ubuntu-noble-plain-rke2-1-30-13: {}\n  # newest\n  ubuntu-noble-plain-rke2-1-31-9: {}\n  \
             ubuntu-noble-plain-rke2-1-32-5:\n    default_enabled: true\n  # another\n  \
             opensuse-15-6-plain-kubeadm-1-30-1: {}\n",
        ),
    ] {
        let desk = desk(before, FOLLOW);
        let ran = plan(&desk, &["--write"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert_eq!(String::from_utf8(desk.read(VALUES)).unwrap(), file("0.4.13", after), "{}", ran.stdout);
        reads!(about(&ran.stdout, "`default_enabled`"), @"~ `default_enabled` moves from ubuntu-noble-plain-rke2-1-31-8 to ubuntu-noble-plain-rke2-1-32-5");
        let again = plan(&desk, &["--detailed-exitcode"]).await;
        assert_eq!(again.exit, Some(0), "{again:#?}");
    }
}

#[tokio::test]
async fn it_stays_where_nothing_says_so_or_more_than_the_default_enables_the_entry() {
    let plain =
        "  ubuntu-noble-plain-rke2-1-31-8: {default_enabled: true}\n  ubuntu-noble-plain-rke2-1-30-12: {}\n";
    let enabled = plain.replace("default_enabled: true", "default_enabled: true, enabled: true");
    for (entries, setting) in [(plain, ""), (plain, "    default_enabled: stay\n"), (&*enabled, FOLLOW)] {
        let desk = desk(entries, setting);
        let ran = plan(&desk, &["--format", "json"]).await;
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
        assert_eq!(report["files"][0]["moved_defaults"], json!([]), "{report:#}");
        let notes = report["files"][0]["notes"].as_array().unwrap().iter();
        let notes: String = notes.map(|note| format!("{}\n", note.as_str().unwrap())).collect();
        reads!(about(&notes, "`default_enabled`"), @"`default_enabled` stays with ubuntu-noble-plain-rke2-1-31-9 (3:3); ubuntu-noble-plain-rke2-1-32-5 is newer: move it by hand if wanted");
        let diff = report["files"][0]["diff"].as_str().unwrap();
        assert!(diff.contains("+  ubuntu-noble-plain-rke2-1-31-9: {default_enabled: true"), "{diff}");
    }
}

#[tokio::test]
async fn a_default_that_was_not_with_the_newest_stays_with_its_entry() {
    let entries =
        "  ubuntu-noble-plain-rke2-1-31-8: {}\n  ubuntu-noble-plain-rke2-1-30-12: {default_enabled: true}\n";
    let desk = desk(entries, FOLLOW);
    let ran = plan(&desk, &["--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let after = String::from_utf8(desk.read(VALUES)).unwrap();
    assert!(after.contains("ubuntu-noble-plain-rke2-1-30-13: {default_enabled: true}"), "{after}");
    assert!(!ran.stdout.contains("`default_enabled`"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_flag_says_so_at_a_terminal_and_the_way_to_reproduce_it_has_the_flag() {
    let plain =
        "  ubuntu-noble-plain-rke2-1-31-8: {default_enabled: true}\n  ubuntu-noble-plain-rke2-1-30-12: {}\n";
    let mut told = String::new();
    for (setting, flag, follows) in [("", "follow", true), (FOLLOW, "stay", false)] {
        let desk = desk(plain, setting);
        let ran = plan(&desk, &["--default-enabled", flag]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        told += &format!("# {flag}\n{}", about(&ran.stdout, "`default_enabled`"));
        let text = plan(&desk, &["--default-enabled", flag, "--format", "markdown"]).await;
        assert_eq!(text.stdout.contains(" --default-enabled follow"), follows, "{text:#?}");
    }
    reads!(told, @"
    # follow
    ~ `default_enabled` moves from ubuntu-noble-plain-rke2-1-31-8 to ubuntu-noble-plain-rke2-1-32-5
    # stay
    note: `default_enabled` stays with ubuntu-noble-plain-rke2-1-31-9 (3:3); ubuntu-noble-plain-rke2-1-32-5 is newer: move it by hand if wanted
    ");
}
