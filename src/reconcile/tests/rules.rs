//! Rules of reconciliation, one by one.

use super::world::{apply, keys, long, mapping, release, report, run, run_with};
use crate::reconcile::{
    Because, DefaultEnabled, Images, Inputs, Ownership, Reconciliation, Refusal, overlay,
};
use crate::release::Naming;
use crate::values::{Change, Mapping, NewValue};

#[test]
fn auto_is_all_only_where_the_file_lists_the_whole_release() {
    let table = [
        ("0.4.11: u-1-31-7 s-1-31-7", "u-1-31-7\ns-1-31-7", "all"),
        ("0.4.11: u-1-31-7 s-1-31-7", "u-1-31-7", "follow"),
        ("0.4.11: u-1-31-7", "u-1-31-7\ns-1-31-7", "follow"),
        ("0.4.11~: u-1-31-7", "u-1-31-7", "follow"),
        ("0.4.11?", "u-1-31-7", "follow"),
        ("", "u-1-31-7", "follow"),
    ];
    for (current, listed, policy) in table {
        let result = run("auto", current, "0.4.12: u-1-31-8", &mapping(listed)).unwrap();
        assert_eq!(result.policy.to_string(), policy, "{current} / {listed}");
    }
    let result = run("auto", "0.4.11: u-1-31-7 s-1-31-7", "0.4.12: u-1-31-8", &mapping("u-1-31-7")).unwrap();
    assert_eq!(result.because.to_string(), "the mapping leaves out 1 of the 2 artifacts of 0.4.11");
}

#[test]
fn a_mapping_is_never_emptied() {
    let refused = run("follow", "0.4.11: u-1-29-7", "0.4.12: s-1-31-8", &mapping("u-1-29-7")).unwrap_err();
    assert!(matches!(refused, Refusal::EmptiesTheMapping { listed: 1, .. }), "{refused}");
    let others = mapping("u-1-29-7 @sylva\nx-1 @kiwi");
    let refused = run_with(&Ownership::of_registry("sylva"), "all", "0.4.11: u-1-29-7", "0.4.12:", &others)
        .unwrap_err();
    assert!(matches!(refused, Refusal::EmptiesTheMapping { .. }), "{refused}");
}

#[test]
fn a_key_with_two_values_is_an_error_that_names_both_lines() {
    let refused = run("all", "0.4.11?", "0.4.12: u-1-31-8", &mapping("u-1-31-7\n\nu-1-31-7 *")).unwrap_err();
    assert_eq!(
        refused.to_string().replace(&long("u-1-31-7"), "u"),
        "`u` is written twice with different values, first at 1:3 (remove one of them)"
    );
    assert_eq!(refused.at().map(|at| at.to_string()).as_deref(), Some("3:3"));
}

#[test]
fn entries_of_another_registry_are_left_alone() {
    let before = mapping("u-1-31-7 @sylva\nleapmicro-6-0-plain-rke2-1-35 @kiwi\nh-1-31-8 @kiwi\nk-1-31-7");
    let wanted = "0.4.12: u-1-31-8 u-1-30-1 h-1-31-8 k-1-31-8";
    let ours = Ownership::of_registry("sylva");
    let result = run_with(&ours, "all", "0.4.11: u-1-31-7", wanted, &before).unwrap();
    let after = apply(&before, &result.changes);
    assert_eq!(keys(&after), "u-1-31-8 u-1-30-1 leapmicro-6-0-plain-rke2-1-35 h-1-31-8 k-1-31-8");
    assert_eq!(after.entries[1].value, before.entries[0].value, "a new entry copies an entry of ours");
    assert_eq!(
        report(&result),
        "@ leapmicro-6-0-plain-rke2-1-35 kiwi\n@ h-1-31-8 kiwi\n\
         ! h-1-31-8 is not listed: another registry's entry has this key"
    );
}

#[test]
fn a_key_whose_successor_is_another_registrys_entry_goes() {
    let before = mapping("u-1-31-7 @sylva\nu-1-31-8 @kiwi\ns-1-31-8");
    let ours = Ownership::of_registry("sylva");
    let wanted = "0.4.12: u-1-31-8 s-1-31-8";
    let result = run_with(&ours, "follow", "0.4.11: u-1-31-7", wanted, &before).unwrap();
    assert_eq!(keys(&apply(&before, &result.changes)), "u-1-31-8 s-1-31-8");
    insta::assert_snapshot!(report(&result), @"
    - u-1-31-7 its successor u-1-31-8 is another registry's entry
    @ u-1-31-8 kiwi
    ");
}

#[test]
fn the_only_registry_is_ours_and_of_several_none_is() {
    let wanted = "0.4.12: u-1-31-8 h-1-31-8";
    let one = mapping("u-1-31-7 @sylva\nh-1-31-7 @sylva");
    assert_eq!(keys(&apply(&one, &run("follow", "", wanted, &one).unwrap().changes)), "u-1-31-8 h-1-31-8");
    for several in ["u-1-31-7 @sylva\nh-1-31-8 @kiwi", "u-1-31-7 @sylva\nh-1-31-8"] {
        let refused = run("follow", "", wanted, &mapping(several)).unwrap_err();
        let Refusal::KeysOfUnknownRegistry { keys, .. } = &refused else { panic!("{refused}") };
        assert_eq!(keys.iter().map(|k| &*k.key).collect::<Vec<_>>(), [long("u-1-31-7")]);
        assert!(refused.to_string().contains("(1:3)"), "{refused}");
    }
    let living = mapping("u-1-31-8 @sylva\nh-1-31-8 @kiwi");
    assert!(run("follow", "", wanted, &living).unwrap().is_empty());
}

#[test]
fn a_key_that_nothing_explains_is_refused_unless_its_registry_is_ours() {
    let wanted = "0.4.12: u-1-31-8";
    let refused = run("follow", "0.4.11: u-1-31-8", wanted, &mapping("u-1-31-8\nmy-own-image")).unwrap_err();
    assert!(matches!(refused, Refusal::KeysOfUnknownRegistry { .. }), "{refused}");
    let ours = mapping("u-1-31-8 @sylva\nmy-own-image @sylva");
    let result =
        run_with(&Ownership::of_registry("sylva"), "follow", "0.4.11: u-1-31-8", wanted, &ours).unwrap();
    assert_eq!(report(&result), "- my-own-image no artifact has this key");
}

#[test]
fn a_comment_goes_with_its_entry_unless_it_may_be_a_heading() {
    let before = mapping("#\nu-1-29-1\n#\nu-1-30-1\n#\nh-1-29-1\n#\nh-1-31-8\n#\ns-1-29-1\n#\ns-1-28-1");
    let result = run("listed", "0.4.11: u-1-30-1", "0.4.12: u-1-31-8 h-1-31-8", &before).unwrap();
    let with_comments: Vec<(usize, bool)> = result
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Remove { entry, with_comments_above, .. } => Some((*entry, *with_comments_above)),
            _ => None,
        })
        .collect();
    assert_eq!(with_comments, [(0, false), (1, true), (2, false), (4, true), (5, true)]);
    assert_eq!(result.notes.len(), 2, "{:?}", result.notes);
}

#[test]
fn a_new_entry_stands_below_a_heading_and_above_a_neighbours_own_comment() {
    let before = mapping("#\nu-1-31-8\n#\nu-1-29-1\n#\ns-1-31-8");
    let wanted = "0.4.11: u-1-32-1 u-1-31-8 u-1-30-1 u-1-29-1 u-1-28-1 s-1-32-1 s-1-31-8 k-1-31-8";
    let result = run("all", wanted, wanted, &before).unwrap();
    let inserts: Vec<(String, Option<usize>, bool)> = result
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Insert { key, before, above_comments, .. } => {
                Some((super::world::short(key), *before, *above_comments))
            }
            _ => None,
        })
        .collect();
    let expected = [
        ("u-1-32-1", Some(0), false),
        ("u-1-30-1", Some(1), true),
        ("u-1-28-1", Some(2), true),
        ("s-1-32-1", Some(2), false),
        ("k-1-31-8", None, true),
    ];
    assert_eq!(inserts, expected.map(|(key, before, above)| (key.to_owned(), before, above)));
}

#[test]
fn a_new_entry_copies_the_usual_value_of_its_family() {
    let table = [
        ("u-1-31-8 *\nu-1-30-1\ns-1-31-8 = {\"a\": 1}", Some(1)),
        ("u-1-31-8 = {\"a\": 1}\nu-1-30-1\ns-1-31-8", Some(0)),
        ("u-1-31-8 = {\"a\": 1, \"enabled\": true}\nu-1-30-1 = {\"a\": 1}\ns-1-31-8", Some(1)),
        ("u-1-31-8 &\ns-1-31-8", Some(1)),
        ("u-1-31-8 &", None),
    ];
    for (listed, expected) in table {
        let wanted = "0.4.12: u-1-32-1 u-1-31-8 u-1-30-1 s-1-31-8";
        let result = run("all", wanted, wanted, &mapping(listed)).unwrap();
        let like = result.changes.iter().find_map(|change| match change {
            Change::Insert { key, value, .. } if *key == long("u-1-32-1") => Some(value.clone()),
            _ => None,
        });
        let expected = expected.map_or(NewValue::Fields(Vec::new()), NewValue::Like);
        assert_eq!(like, Some(expected), "{listed}");
    }
}

#[test]
fn an_entry_whose_anchor_is_used_elsewhere_is_not_removed() {
    let refused =
        run("follow", "0.4.11: u-1-29-1", "0.4.12: u-1-31-8", &mapping("u-1-31-8\nu-1-29-1 &")).unwrap_err();
    assert!(matches!(refused, Refusal::AnchorUsedElsewhere { .. }), "{refused}");
}

#[test]
fn a_rename_says_when_the_os_release_changes() {
    let result = run("follow", "", "0.1.8: t-1-26-9 u-1-31-8", &mapping("w-1.26.9\nj-1-31-7")).unwrap();
    let releases: Vec<_> = result.renamed.iter().map(|renamed| renamed.os_release.clone()).collect();
    assert_eq!(releases, [None, Some(("jammy".to_owned(), "noble".to_owned()))]);
}

const BEFORE: &str = "0.4.11: u-1-31-7 u-1-31-6 u-1-29-1 s-1-31-8 h-1-31-7 h-1-29-1";
const AFTER: &str = "0.4.12: u-1-31-8 s-1-31-8 h-1-31-8";

/// An overlay of the mapping that `primary` reconciled, between [`BEFORE`] and [`AFTER`].
fn overlaid(mapping: &Mapping, primary: &Reconciliation) -> Result<Reconciliation, Refusal> {
    let (current, wanted, naming) = (release(BEFORE), release(AFTER), Naming::default());
    let ownership = Ownership::of_registry("sylva");
    let images = Images::Listed;
    let (current, wanted) = (Some(&current), &wanted);
    let (ownership, naming, default_enabled) = (&ownership, &naming, DefaultEnabled::Stay);
    overlay(Inputs { mapping, ownership, current, wanted, images, default_enabled, naming }, primary)
}

#[test]
fn an_overlay_follows_its_mapping_and_what_only_it_lists_follows_the_release() {
    let listed = mapping("u-1-31-7\nu-1-31-6\nu-1-29-1\ns-1-31-8\nk-1-31-7 @kiwi");
    let primary = run_with(&Ownership::of_registry("sylva"), "follow", BEFORE, AFTER, &listed).unwrap();
    let table = [
        ("u-1-31-7 *\ns-1-31-8", "u-1-31-8* s-1-31-8", ""),
        ("u-1-31-6 *", "u-1-31-8*", ""),
        ("u-1-31-6 *\nu-1-31-7", "u-1-31-8*", "- u-1-31-6 ENABLED superseded by u-1-31-8"),
        ("u-1-29-1 *\ns-1-31-8", "s-1-31-8", "- u-1-29-1 ENABLED its series is not published any more"),
        (
            "mine *\nx-{{ y }}",
            "mine* x-{{ y }}",
            "t x-{{ y }}\n! mine (1:3) stays; the mapping does not have it",
        ),
        ("h-1-31-7 *\nu-1-31-7", "h-1-31-8* u-1-31-8", ""),
        ("h-1-31-8", "h-1-31-8", ""),
        ("h-1-31-6 *\nh-1-31-7", "h-1-31-8*", "- h-1-31-6 ENABLED superseded by h-1-31-8"),
        ("h-1-29-1 *\ns-1-31-8", "s-1-31-8", "- h-1-29-1 ENABLED its series is not published any more"),
        ("h-1-31-7 @sylva", "h-1-31-8", ""),
        ("h-1-31-7 @kiwi", "h-1-31-7", "@ h-1-31-7 kiwi"),
        (
            "u-1-31-7 @kiwi",
            "u-1-31-7",
            "@ u-1-31-7 kiwi\n! u-1-31-7 (1:3) is an image of the registry `kiwi` here and stays; the mapping does \
             not have this key any more",
        ),
        ("k-1-31-7", "k-1-31-7", "@ k-1-31-7 kiwi"),
    ];
    for (listed, after, said) in table {
        let before = mapping(listed);
        let result = overlaid(&before, &primary).unwrap();
        assert_eq!(keys(&apply(&before, &result.changes)), after, "{listed}");
        assert_eq!(report(&result), said, "{listed}");
        assert_eq!((result.policy, result.because), (Images::Listed, Because::Overlay));
    }
    let refused = overlaid(&mapping("u-1-29-1 *"), &primary).unwrap_err();
    assert!(matches!(refused, Refusal::EmptiesTheMapping { .. }), "{refused}");
}
