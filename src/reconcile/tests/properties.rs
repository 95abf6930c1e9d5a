//! What holds for every mapping and every release.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::world::{apply, mapping, run};
use crate::reconcile::Refusal;
use crate::values::Mapping;

const VERSIONS: [&str; 8] = ["1-28-8", "1-28-10", "1-29-1", "1-30", "1-30-2", "1-31-7", "1-31-8", "1-32"];

fn names() -> impl Strategy<Value = BTreeSet<String>> {
    let name = (prop::sample::select(vec!["u", "j", "h", "s", "t"]), prop::sample::select(&VERSIONS[..]))
        .prop_map(|(family, version)| format!("{family}-{version}"));
    prop::collection::btree_set(name, 0..16)
}

/// Names in any order, some enabled, some with comments, some twice.
fn listed() -> impl Strategy<Value = Mapping> {
    (names(), any::<u64>()).prop_perturb(|(names, bits), mut rng| {
        let mut lines = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let mark = if bits >> i & 1 == 1 { " *" } else { "" };
            let comment = if bits >> (i + 16) & 1 == 1 { "#\n" } else { "" };
            let at = rng.random_range(0..=lines.len());
            lines.insert(at, format!("{comment}{name}{mark}"));
            if bits >> (i + 32) & 7 == 7 {
                lines.push(format!("{name}{mark}"));
            }
        }
        mapping(&lines.join("\n"))
    })
}

fn text(version: &str, names: &BTreeSet<String>) -> String {
    format!("{version}: {}", names.iter().cloned().collect::<Vec<_>>().join(" "))
}

fn key_set(mapping: &Mapping) -> BTreeSet<String> {
    mapping.entries.iter().map(|entry| entry.key.clone()).collect()
}

fn artifacts(text: &str) -> BTreeSet<String> {
    super::world::release(text).artifacts.keys().map(ToString::to_string).collect()
}

fn policy() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["auto", "all", "follow", "listed"])
}

proptest! {
    #[test]
    fn all_lists_exactly_the_artifacts(before in listed(), old in names(), new in names()) {
        prop_assume!(!new.is_empty());
        let (old, new) = (text("0.4.1", &old), text("0.4.2", &new));
        let result = run("all", &old, &new, &before).unwrap();
        let after = apply(&before, &result.changes);
        prop_assert_eq!(key_set(&after), artifacts(&new));
        prop_assert_eq!(after.entries.len(), artifacts(&new).len());
    }

    #[test]
    fn no_key_without_an_artifact_and_none_twice(before in listed(), old in names(), new in names(), images in policy()) {
        let (old, new) = (text("0.4.1", &old), text("0.4.2", &new));
        match run(images, &old, &new, &before) {
            Err(refusal) => {
                let is_empty = matches!(refusal, Refusal::EmptiesTheMapping { .. });
                prop_assert!(is_empty);
            }
            Ok(result) => {
                let after = apply(&before, &result.changes);
                prop_assert!(key_set(&after).is_subset(&artifacts(&new)));
                prop_assert_eq!(after.entries.len(), key_set(&after).len());
                prop_assert!(after.entries.is_empty() <= before.entries.is_empty());
            }
        }
    }

    #[test]
    fn the_second_time_nothing_changes(before in listed(), old in names(), new in names(), images in policy()) {
        let (old, new) = (text("0.4.1", &old), text("0.4.2", &new));
        if let Ok(result) = run(images, &old, &new, &before) {
            let after = apply(&before, &result.changes);
            let again = run(images, &new, &new, &after).unwrap();
            prop_assert_eq!(again.changes, []);
        }
    }

    #[test]
    fn living_keys_stay_in_their_order(before in listed(), old in names(), new in names(), images in policy()) {
        let (old, new) = (text("0.4.1", &old), text("0.4.2", &new));
        if let Ok(result) = run(images, &old, &new, &before) {
            let after = apply(&before, &result.changes);
            let living = artifacts(&new);
            let kept: Vec<&String> = before.entries.iter().map(|e| &e.key).filter(|k| living.contains(*k)).collect();
            let firsts: Vec<&String> =
                kept.iter().enumerate().filter(|(i, k)| !kept[..*i].contains(k)).map(|(_, k)| *k).collect();
            let there: Vec<&String> =
                after.entries.iter().map(|e| &e.key).filter(|k| firsts.contains(k)).collect();
            prop_assert_eq!(there, firsts);
        }
    }

    #[test]
    fn known_in_part_nothing_goes_or_comes(before in listed(), old in names(), new in names(), images in policy()) {
        let denied = VERSIONS.iter().flat_map(|v| ["u", "j", "h", "s", "t"].map(|f| format!("{f}-{v}")));
        let denied: Vec<String> = denied.filter(|name| !new.contains(name)).map(|n| format!("!{n}")).collect();
        let (old, new) = (text("0.4.1", &old), text("0.4.2~", &new) + " " + &denied.join(" "));
        let result = run(images, &old, &new, &before).unwrap();
        let after = apply(&before, &result.changes);
        prop_assert_eq!(after.entries.len(), before.entries.len());
        prop_assert!(!result.version_may_move || key_set(&after).is_subset(&artifacts(&new)));
        prop_assert!(result.version_may_move || result.changes.is_empty());
    }
}
