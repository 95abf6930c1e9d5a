//! What becomes of mappings, a row a story.

use super::world::{apply, keys, long, mapping, release, report, run, run_with};
use crate::reconcile::{
    Because, DefaultEnabled, Images, Inputs, Ownership, Reconciliation, Refusal, overlay,
};
use crate::release::Naming;
use crate::values::{Change, Mapping, NewValue};

struct Story {
    name: &'static str,
    images: &'static str,
    current: &'static str,
    wanted: &'static str,
    listed: &'static str,
    after: &'static str,
    report: &'static str,
}

#[test]
fn mappings_become_what_their_policy_and_the_release_ask_for() {
    for story in STORIES {
        let before = mapping(&story.listed.replace(", ", "\n"));
        let result = run(story.images, story.current, story.wanted, &before)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", story.name));
        let after = apply(&before, &result.changes);
        assert_eq!(keys(&after), story.after, "{}", story.name);
        assert_eq!(report(&result), story.report, "{}", story.name);
    }
}

const STORIES: &[Story] = &[
    Story {
        name: "a patch renames in place",
        images: "follow",
        current: "0.4.11: u-1-31-7 u-1-30-10 s-1-31-7",
        wanted: "0.4.12: u-1-31-8 u-1-30-10 s-1-31-8",
        listed: "u-1-31-7 *, u-1-30-10, s-1-31-7",
        after: "u-1-31-8* u-1-30-10 s-1-31-8",
        report: "",
    },
    Story {
        name: "kubernetes goes down",
        images: "follow",
        current: "0.2.9: t-1-28-9 t-1-27-13",
        wanted: "0.2.10: t-1-28-8 t-1-27-10",
        listed: "t-1-28-9, t-1-27-13",
        after: "t-1-28-8 t-1-27-10",
        report: "",
    },
    Story {
        name: "two old keys have one successor, and the enabled one goes",
        images: "follow",
        current: "0.4.11: u-1-31-7 u-1-31-6 u-1-30-1",
        wanted: "0.4.12: u-1-31-8 u-1-30-1",
        listed: "u-1-31-6 *, u-1-31-7, u-1-30-1",
        after: "u-1-31-8* u-1-30-1",
        report: "- u-1-31-6 ENABLED superseded by u-1-31-8",
    },
    Story {
        name: "a dead key is superseded by a living one of its line",
        images: "follow",
        current: "0.4.11: u-1-31-7 u-1-31-8",
        wanted: "0.4.12: u-1-31-8",
        listed: "u-1-31-7 *, u-1-31-8",
        after: "u-1-31-8*",
        report: "- u-1-31-7 ENABLED superseded by u-1-31-8",
    },
    Story {
        name: "the same os release is paired before a newer one",
        images: "listed",
        current: "0.4.2: j-1-31-7 u-1-31-6",
        wanted: "0.4.3: j-1-31-8 u-1-31-8",
        listed: "u-1-31-6, j-1-31-7",
        after: "u-1-31-8 j-1-31-8",
        report: "",
    },
    Story {
        name: "of two old os releases the newest takes the only new one",
        images: "listed",
        current: "0.4.2: t-1-31-8 s-1-31-7",
        wanted: "0.4.3: opensuse-15-10-plain-rke2-1-31-8",
        listed: "t-1-31-8, s-1-31-7",
        after: "opensuse-15-10-plain-rke2-1-31-8",
        report: "- t-1-31-8 superseded by opensuse-15-10-plain-rke2-1-31-8",
    },
    Story {
        name: "an os release changes",
        images: "follow",
        current: "0.4.2: j-1-31-2",
        wanted: "0.4.3: u-1-31-3",
        listed: "j-1-31-2",
        after: "u-1-31-3",
        report: "",
    },
    Story {
        name: "a line leaves the release, loudly where it is enabled",
        images: "follow",
        current: "0.5.7: u-1-30 u-1-29 h-1-29",
        wanted: "0.5.8: u-1-30",
        listed: "u-1-30, u-1-29 *, h-1-29",
        after: "u-1-30",
        report: "- u-1-29 ENABLED its series is not published any more\n\
                 - h-1-29 its series is not published any more",
    },
    Story {
        name: "follow adds new lines of listed families on top, and suggests the rest",
        images: "follow",
        current: "0.2.0: u-1-27-10 u-1-26-9 u-1-25-1 s-1-27-10",
        wanted: "0.2.5: u-1-28-8 u-1-27-10 u-1-26-9 u-1-25-1 s-1-28-8 s-1-27-10 k-1-28-8",
        listed: "u-1-27-10, u-1-26-9, s-1-27-10",
        after: "u-1-28-8 u-1-27-10 u-1-26-9 s-1-28-8 s-1-27-10",
        report: "? k-1-28-8 its family is not listed\n\
                 ? u-1-25-1 its series was there before and is not listed",
    },
    Story {
        name: "a family that ascends goes on ascending",
        images: "follow",
        current: "0.2.0: u-1-26-9 u-1-27-10 s-1-27-10",
        wanted: "0.2.5: u-1-26-9 u-1-27-10 u-1-28-8 u-1-29-1 s-1-27-10",
        listed: "u-1-26-9, u-1-27-10, s-1-27-10",
        after: "u-1-26-9 u-1-27-10 u-1-28-8 u-1-29-1 s-1-27-10",
        report: "",
    },
    Story {
        name: "a family that stands in two places gets its new line before its first lower neighbour",
        images: "follow",
        current: "0.2.0: h-1-28-8 u-1-28-8 h-1-27-1",
        wanted: "0.2.5: h-1-29-1 h-1-28-8 u-1-28-8 h-1-27-1",
        listed: "h-1-28-8, u-1-28-8, h-1-27-1",
        after: "h-1-29-1 h-1-28-8 u-1-28-8 h-1-27-1",
        report: "",
    },
    Story {
        name: "a far jump keeps families in their places though every line is new",
        images: "follow",
        current: "0.2.0: j-1-26-9 j-1-25-1 t-1-26-9",
        wanted: "0.4.12: u-1-31-8 u-1-30-1 s-1-31-8 h-1-31-8",
        listed: "j-1-26-9, j-1-25-1, t-1-26-9",
        after: "u-1-31-8 u-1-30-1 s-1-31-8",
        report: "- j-1-26-9 its series is not published any more\n\
                 - j-1-25-1 its series is not published any more\n\
                 - t-1-26-9 its series is not published any more\n\
                 ? h-1-31-8 its family is not listed",
    },
    Story {
        name: "dots become dashes",
        images: "follow",
        current: "0.1.7: w-1.26.9 w-1.25.14",
        wanted: "0.1.8: t-1-27-6 t-1-26-9 t-1-25-14",
        listed: "w-1.26.9, w-1.25.14",
        after: "t-1-27-6 t-1-26-9 t-1-25-14",
        report: "",
    },
    Story {
        name: "names lose their patch",
        images: "auto",
        current: "0.4.12: u-1-31-8 u-1-30-12 s-1-31-8 s-1-30-12 u-1-29-9",
        wanted: "0.5.8: u-1-32 u-1-31 u-1-30 s-1-32 s-1-31 s-1-30",
        listed: "u-1-31-8, u-1-30-12, s-1-31-8, s-1-30-12, u-1-29-9",
        after: "u-1-32 u-1-31 u-1-30 s-1-32 s-1-31 s-1-30",
        report: "- u-1-29-9 its series is not published any more",
    },
    Story {
        name: "all lists what the release has, new families at the end, newest first",
        images: "all",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12: u-1-31-8 u-1-30-1 s-1-29-9 s-1-31-8 k-1-31-8 diskimage-extra",
        listed: "u-1-31-7",
        after: "u-1-31-8 u-1-30-1 s-1-31-8 s-1-29-9 k-1-31-8 diskimage-extra",
        report: "",
    },
    Story {
        name: "a lower line goes behind its family and before the next one",
        images: "all",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.11: s-1-31-8 s-1-32-1 u-1-31-7 u-1-30-1 u-1-29-1",
        listed: "u-1-31-7, s-1-31-8",
        after: "u-1-31-7 u-1-30-1 u-1-29-1 s-1-32-1 s-1-31-8",
        report: "",
    },
    Story {
        name: "listed renames and drops only",
        images: "listed",
        current: "0.4.11: u-1-31-7 u-1-29-1",
        wanted: "0.4.12: u-1-32-1 u-1-31-8",
        listed: "u-1-31-7, u-1-29-1",
        after: "u-1-31-8",
        report: "- u-1-29-1 its series is not published any more\n\
                 ? u-1-32-1 the policy `listed` adds nothing",
    },
    Story {
        name: "wrong keys are put right while the version stays",
        images: "follow",
        current: "0.4.12: u-1-31-8 u-1-30-1",
        wanted: "0.4.12: u-1-31-8 u-1-30-1",
        listed: "u-1-31-7, u-1-29-1",
        after: "u-1-31-8",
        report: "- u-1-29-1 its series is not published any more\n\
                 ? u-1-30-1 its series was there before and is not listed",
    },
    Story {
        name: "nothing is added where the release of the file is not known",
        images: "auto",
        current: "0.4.11?",
        wanted: "0.4.12: u-1-32-1 u-1-31-8 u-1-30-1",
        listed: "u-1-31-7",
        after: "u-1-31-8",
        report: "? u-1-32-1 it is not known whether its series is new\n\
                 ? u-1-30-1 it is not known whether its series is new\n\
                 ! no new series was added: 0.4.11 is not completely known (HTTP 503)",
    },
    Story {
        name: "nothing is added where the file names no release",
        images: "auto",
        current: "",
        wanted: "0.4.12: u-1-32-1 u-1-31-8",
        listed: "u-1-31-7",
        after: "u-1-31-8",
        report: "? u-1-32-1 it is not known whether its series is new\n\
                 ! no new series was added: the file names no release to compare with",
    },
    Story {
        name: "an empty release tells nothing about what was left out",
        images: "auto",
        current: "0.4.11:",
        wanted: "0.4.12: u-1-32-1 u-1-31-8",
        listed: "u-1-31-7",
        after: "u-1-31-8",
        report: "? u-1-32-1 it is not known whether its series is new\n\
                 ! no new series was added: 0.4.11 is not completely known (it has no artifacts)",
    },
    Story {
        name: "known in part, dead keys get proven artifacts and nothing else happens",
        images: "all",
        current: "0.4.11: u-1-31-7 s-1-31-7",
        wanted: "0.4.12~: !u-1-31-7 u-1-31-8 s-1-31-7 u-1-32-1",
        listed: "u-1-31-7, u-1-31-7, s-1-31-7",
        after: "u-1-31-8 u-1-31-8 s-1-31-7",
        report: "? u-1-32-1 it is not known whether its series is new\n\
                 ! nothing was removed or added: 0.4.12 is known in part (HTTP 503)",
    },
    Story {
        name: "known in part, a key that stays dead holds the version and every rename",
        images: "follow",
        current: "0.4.11: u-1-31-7 s-1-31-7",
        wanted: "0.4.12~: !u-1-31-7 u-1-31-8 !s-1-31-7",
        listed: "u-1-31-7, s-1-31-7",
        after: "u-1-31-7 s-1-31-7",
        report: "x s-1-31-7 absent\n\
                 ! the version stays: listed keys were not found in 0.4.12, which is known in part\n\
                 the version stays",
    },
    Story {
        name: "known in part, a key that could not be asked for is not renamed",
        images: "follow",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12~: u-1-31-8",
        listed: "u-1-31-7",
        after: "u-1-31-7",
        report: "x u-1-31-7 unproven\n\
                 ! the version stays: listed keys were not found in 0.4.12, which is known in part\n\
                 the version stays",
    },
    Story {
        name: "known in part, keys are not put right while the version stays",
        images: "follow",
        current: "0.4.12~: u-1-31-8 !u-1-31-7",
        wanted: "0.4.12~: u-1-31-8 !u-1-31-7",
        listed: "u-1-31-7",
        after: "u-1-31-7",
        report: "x u-1-31-7 absent\n! no key changes: 0.4.12 is not completely known (HTTP 503)\nthe version stays",
    },
    Story {
        name: "unknown, nothing changes",
        images: "all",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12?",
        listed: "u-1-31-7, u-1-31-7",
        after: "u-1-31-7 u-1-31-7",
        report: "! no key changes: 0.4.12 is not completely known (HTTP 503)\nthe version stays",
    },
    Story {
        name: "a key that is written twice stays where it is first",
        images: "follow",
        current: "0.4.11: u-1-31-7 u-1-30-1",
        wanted: "0.4.12: u-1-31-8 u-1-30-1",
        listed: "u-1-31-7, u-1-30-1, #, u-1-31-7",
        after: "u-1-31-8 u-1-30-1",
        report: "- u-1-31-7 written twice, first at 1:3\n\
                 ! the comment above u-1-31-7 (4:3) stays; it may be about more than this entry",
    },
    Story {
        name: "template keys are left alone",
        images: "all",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12: u-1-31-8",
        listed: "ubuntu-{{ .Values.k8s }}, u-1-31-7",
        after: "ubuntu-{{ .Values.k8s }} u-1-31-8",
        report: "t ubuntu-{{ .Values.k8s }}",
    },
    Story {
        name: "an empty mapping is filled under all",
        images: "all",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12: u-1-31-8 s-1-30-1 s-1-31-8",
        listed: "",
        after: "s-1-31-8 s-1-30-1 u-1-31-8",
        report: "",
    },
    Story {
        name: "an empty mapping stays empty otherwise",
        images: "auto",
        current: "0.4.11: u-1-31-7",
        wanted: "0.4.12: u-1-31-8",
        listed: "",
        after: "",
        report: "? u-1-31-8 its family is not listed",
    },
    Story {
        name: "a published key without a line goes when its image went",
        images: "follow",
        current: "0.0.10: diskimage-builder-plain u-1-31-7",
        wanted: "0.4.12: u-1-31-8",
        listed: "diskimage-builder-plain *, u-1-31-7",
        after: "u-1-31-8",
        report: "- diskimage-builder-plain ENABLED no artifact has this key",
    },
];

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
