//! What becomes of mappings, a row a story.

use super::world::{apply, keys, mapping, report, run};

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
