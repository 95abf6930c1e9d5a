//! Which release is chosen, and what was read for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::release::policy::{Policy, Step};
use crate::release::{Artifact, Naming};

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn release(version: &str, names: &[&str]) -> Release {
    let artifact = |name: &&str| Artifact::named(name.parse().unwrap(), &Naming::default());
    Release::complete(v(version), names.iter().map(artifact))
}

fn candidate(version: Version) -> Candidate {
    Candidate { version, released_at: None, first_seen: None }
}

/// Asks until decided; returns what was read in order, and the table.
fn ask(policy: &Policy, current: &str, to: Option<&str>, world: &[Release]) -> (Vec<String>, String) {
    let listed =
        world.iter().filter(|r| r.version == v(current)).flat_map(|r| r.artifacts.keys().cloned()).collect();
    let (current, to) = (v(current), to.map(v));
    let query = SelectionQuery {
        policy,
        current: Some(&current),
        to: to.as_ref(),
        listed: &listed,
        naming: &Naming::default(),
        found: &BTreeMap::new(),
        requires_signatures: false,
        now: Timestamp::UNIX_EPOCH,
    };
    let candidate = |r: &Release| (r.version.clone(), candidate(r.version.clone()));
    let mut known =
        ReleaseData { candidates: world.iter().map(candidate).collect(), ..ReleaseData::default() };
    let mut read = Vec::new();
    loop {
        match next_wanted(&query, &known) {
            Next::Read(versions) => {
                for version in versions {
                    assert!(!known.releases.contains_key(&version), "{version} is read twice");
                    read.push(version.to_string());
                    let found = world.iter().find(|r| r.version == version).cloned();
                    known
                        .releases
                        .insert(version.clone(), found.unwrap_or_else(|| Release::complete(version, [])));
                }
            }
            Next::Decided(choice) => {
                let rows = choice.verdicts.iter().map(|(version, verdict)| format!("{version} {verdict}\n"));
                let proposed = choice.proposed.map_or("-".to_owned(), |v| v.to_string());
                return (read, format!("{}→ {proposed}", rows.collect::<String>()));
            }
        }
    }
}

const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";

#[test]
fn the_newest_release_is_proposed_and_older_ones_are_not_read() {
    let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), release("0.4.10", &[KEY])];
    let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
    assert_eq!(read, ["0.4.1", "0.4.10"]);
    insta::assert_snapshot!(table, @r"
    0.4.10 proposed
    0.4.2 superseded by a newer one
    0.4.1 named in the file
    → 0.4.10
    ");
}

#[test]
fn a_release_without_artifacts_is_held_and_the_next_lower_one_proposed() {
    let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), release("0.4.3", &[])];
    let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
    assert_eq!(read, ["0.4.1", "0.4.3", "0.4.2"]);
    insta::assert_snapshot!(table, @"
    0.4.3 held: no artifact carries it
    0.4.2 proposed
    0.4.1 named in the file
    → 0.4.2
    ");
}

#[test]
fn as_many_held_releases_are_looked_at_as_the_policy_says() {
    let above = (1..=50).map(|patch| release(&format!("0.5.{patch}"), &[]));
    let below = (1..=50).map(|patch| release(&format!("0.3.{patch}"), &[KEY]));
    let world: Vec<Release> = below.chain([release("0.4.1", &[KEY])]).chain(above).collect();
    let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
    assert_eq!(read.len(), 1 + 20, "{read:?}");
    assert_eq!(read.last().map(String::as_str), Some("0.5.31"));
    insta::assert_snapshot!(table.lines().find(|line| line.starts_with("0.5.30 ")).unwrap(), @"0.5.30 older than 0.5.31: not looked at (`look_back`)");
    assert!(table.ends_with("→ 0.4.1"), "{table}");
    let patient = Policy { look_back: 50, ..Policy::default() };
    assert_eq!(ask(&patient, "0.4.1", None, &world).0.len(), 1 + 50);
}

#[test]
fn releases_that_are_not_above_the_files_are_never_counted() {
    let mut world: Vec<Release> = (1..=50).map(|patch| release(&format!("0.5.{patch}"), &[KEY])).collect();
    world.extend([release("0.6.1", &[KEY]), release("0.6.0", &[])]);
    let policy = Policy { look_back: 1, ..Policy::default() };
    assert!(ask(&policy, "0.6.0", None, &world).1.ends_with("→ 0.6.1"));
    // A downgrade has a count of its own.
    let policy = Policy { range: "<0.6".parse().ok(), downgrade: true, ..policy };
    assert!(ask(&policy, "0.6.0", None, &world).1.ends_with("→ 0.5.50"));
}

#[test]
fn an_unknown_release_is_never_replaced_by_an_older_one() {
    let world =
        [release("0.4.1", &[KEY]), release("0.4.2", &[KEY]), Release::unknown(v("0.4.3"), "time-out")];
    let (_, table) = ask(&Policy::default(), "0.4.1", None, &world);
    insta::assert_snapshot!(table, @"
    0.4.3 unknown: time-out
    0.4.2 superseded by a newer one
    0.4.1 named in the file
    → -
    ");
}

#[test]
fn with_nothing_newer_the_files_own_release_is_wanted() {
    let world = [release("0.4.0", &[KEY]), release("0.4.1", &[KEY])];
    let (read, table) = ask(&Policy::default(), "0.4.1", None, &world);
    assert_eq!(read, ["0.4.1"]);
    assert!(table.ends_with("→ 0.4.1"), "{table}");
}

#[test]
fn a_person_may_force_a_version_and_is_told_what_was_overridden() {
    let world = [release("0.4.1", &[KEY]), release("0.4.2", &[KEY])];
    let (_, table) = ask(&Policy::default(), "0.4.2", Some("0.4.1"), &world);
    assert_eq!(table, "0.4.1 proposed as asked, although older than the file's\n→ 0.4.1");
    let (_, table) = ask(&Policy::default(), "0.4.2", Some("0.9.9"), &world);
    assert_eq!(table, "0.9.9 held: no artifact carries it\n→ -");
}

#[test]
fn step_series_takes_the_newest_release_that_keeps_a_series_of_each_family() {
    let policy = Policy { step: Step::Series, ..Policy::default() };
    let world = [
        release("0.4.1", &[KEY]),
        release("0.4.2", &["ubuntu-noble-plain-rke2-1-31-9"]),
        release("0.5.0", &["ubuntu-noble-plain-rke2-1-32"]),
    ];
    let (_, table) = ask(&policy, "0.4.1", None, &world);
    insta::assert_snapshot!(table, @"
    0.5.0 held: it has no listed series of ubuntu plain rke2 left
    0.4.2 proposed
    0.4.1 named in the file
    → 0.4.2
    ");
}

#[test]
fn a_minimum_age_holds_young_releases_and_those_of_unknown_age() {
    let day = SignedDuration::from_hours(24);
    let policy = Policy { minimum_age: Some(day), ..Policy::default() };
    let mut young = release("0.4.3", &[KEY]);
    for artifact in young.artifacts.values_mut() {
        artifact.created = Some(Timestamp::UNIX_EPOCH - SignedDuration::from_hours(1));
    }
    let mut old = release("0.4.2", &[KEY]);
    for artifact in old.artifacts.values_mut() {
        artifact.created = Some(Timestamp::UNIX_EPOCH - day);
    }
    let world = [release("0.4.1", &[KEY]), old, young, release("0.4.4", &[KEY])];
    let (_, table) = ask(&policy, "0.4.1", None, &world);
    insta::assert_snapshot!(table, @r"
    0.4.4 held: its age is not known
    0.4.3 held: too young until 1970-01-01 23:00 UTC
    0.4.2 proposed
    0.4.1 named in the file
    → 0.4.2
    ");
    let accepted = Policy { accept: vec!["0.4.4".parse().unwrap()], ..policy };
    assert!(ask(&accepted, "0.4.1", None, &world).1.ends_with("→ 0.4.4"));
}

use jiff::SignedDuration;
