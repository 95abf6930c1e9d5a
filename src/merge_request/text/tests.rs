//! What a reviewer reads.

use super::*;
use crate::plan::Planned;
use crate::plan::view::tests::{hostile, image, moved, update};
use crate::plan::view::{KeyAction, KeyView, ReplacedImage, ToJudge};

fn background() -> Background {
    let page = |below: &str| Some(format!("https://gitlab.example/group/diskimage-builder/-/{below}"));
    Background {
        sources: vec![ReleaseSource {
            pages: Pages { release: page("releases/0.4.12"), comparison: page("compare/0.4.11...0.4.12") },
            release_notes: vec![("0.4.12".parse().unwrap(), "## Changes\n- closes #12, thanks @all".into())],
        }],
        reproduce: "dibump plan charts/units/values.yaml --to 0.4.12".into(),
        merging: Merging::ByHand,
    }
}

fn removed(key: &str) -> KeyView {
    KeyView {
        action: KeyAction::Remove,
        to: None,
        why: Some("no longer published".into()),
        in_use: true,
        ..moved(key, key)
    }
}

fn added(key: &str) -> KeyView {
    KeyView { action: KeyAction::Add, from: None, to: image(key), ..moved(key, key) }
}

/// What a reader sees at once: lines that are not blank, a line for each folded part, none for the rule of a table.
fn visible(text: &str) -> Vec<&str> {
    let mut folded = false;
    let shown = |line: &&str| {
        folded = (folded || *line == "<details>") && *line != "</details>";
        line.starts_with("<summary>")
            || !(folded || line.is_empty() || line.contains("---") || *line == "</details>")
    };
    text.lines().filter(shown).collect()
}

/// The boxes of the description are two more lines.
const MOST_LINES: usize = 25 - 2;

fn assert_takes_a_minute(text: &str) {
    let before_folds = text.split("<details>").next().unwrap();
    assert!(
        before_folds.lines().count() <= 25 && before_folds.chars().count() <= ESSENTIALS,
        "{before_folds}"
    );
    assert!(visible(text).len() <= MOST_LINES, "{}", visible(text).join("\n"));
}

#[test]
fn a_reviewer_reads_the_whole_of_an_update() {
    let mut plan = update(vec![
        moved("ubuntu-noble-plain-rke2-1-30-9", "ubuntu-noble-plain-rke2-1-30-9"),
        KeyView { in_use: true, ..moved("ubuntu-noble-plain-rke2-1-31-7", "ubuntu-noble-plain-rke2-1-31-8") },
        added("ubuntu-noble-plain-rke2-1-32-4"),
        removed("ubuntu-jammy-plain-kubeadm-1-29-15"),
    ]);
    plan.files[0].suggested = vec!["opensuse-15-6-hardened-rke2-1-31-8".into()];
    plan.files[0].notes = vec!["`default_enabled` stays".into()];
    plan.replaced = vec![ReplacedImage {
        from: "ubuntu-noble-plain-rke2-1-31-7".into(),
        to: "ubuntu-noble-plain-rke2-1-31-8".into(),
    }];
    let text = describe(&plan, &background());
    assert_takes_a_minute(&text);
    insta::assert_snapshot!(text.replace('\u{200b}', "·"), @r#"
    Moves `charts/units/values.yaml` from diskimage-builder release `0.4.11` to [`0.4.12`](<https://gitlab.example/group/diskimage-builder/-/releases/0.4.12>) ([compare](<https://gitlab.example/group/diskimage-builder/-/compare/0.4.11...0.4.12>)).

    |  | Check | Result |
    | --- | --- | --- |
    | ✅ | Images | complete: 19 images, 18 of 18 series of 0.4.11 |
    | ➖ | Signatures | not checked, no public key is known |
    | ✅ | Findings | nothing new |
    | ⚠️ | Kubernetes | kubeadm (ubuntu plain): dropped `1.29.15`<br>rke2 (ubuntu plain): `1.31.7 → 1.31.8`, new `1.32.4` |

    **Look at:**

    - ubuntu-jammy-plain-kubeadm-1-29-15 is enabled in this file and will be removed
    - `default_enabled` stays

    **Merging** replaces the nodes that use 1 image: `ubuntu-noble-plain-rke2-1-31-7` → `ubuntu-noble-plain-rke2-1-31-8`.

    **What to do:** Review the notes above, then merge when the pipeline passes; to skip only this release, close the merge request.

    <details>
    <summary>Image keys: 1 renamed, 1 added, 1 removed, 1 kept</summary>

    `charts/units/values.yaml` (images: follow, the mapping leaves out 3 of the 22 artifacts of 0.4.12)

    **ubuntu plain kubeadm**

    | Old | New | In use |
    | --- | --- | --- |
    | `ubuntu-jammy-plain-kubeadm-1-29-15` | removed: no longer published | yes |

    **ubuntu plain rke2**

    | Old | New | In use |
    | --- | --- | --- |
    | `ubuntu-noble-plain-rke2-1-30-9` | unchanged |  |
    | `ubuntu-noble-plain-rke2-1-31-7` | `ubuntu-noble-plain-rke2-1-31-8` | yes |
    | new | `ubuntu-noble-plain-rke2-1-32-4` |  |

    </details>

    <details>
    <summary>Published and not listed: 1</summary>

    Not in `charts/units/values.yaml`:

    - `opensuse-15-6-hardened-rke2-1-31-8`

    </details>

    <details>
    <summary>Release notes: 1</summary>

    **0.4.12**

    > **Changes**\
    > - closes \#·12, thanks @·all

    </details>

    <details>
    <summary>How to reproduce</summary>

    ```shell
    dibump plan charts/units/values.yaml --to 0.4.12
    ```

    </details>
    "#);
}

#[test]
fn sixty_keys_and_hostile_texts_are_read_in_a_minute() {
    let key = |i: usize, patch| format!("ubuntu-noble-hardened-rke2-1-{i}-{patch}");
    let mut plan = update((0..60).map(|i| moved(&key(i, 1), &key(i, 2))).collect());
    plan.replaced = (0..60).map(|i| ReplacedImage { from: key(i, 1), to: key(i, 2) }).collect();
    plan.files[0].notes = (0..60).map(|i| format!("note {i} {}", "word ".repeat(100))).collect();
    let text = describe(&plan, &background());
    assert_takes_a_minute(&text);
    for i in 0..60 {
        assert!(text.contains(&format!("`{}`", key(i, 2))) && text.contains(&format!("- note {i} ")), "{i}");
    }
    for text in ["@all #1 ".repeat(200), "<>&*_".repeat(200), "x\n".repeat(200)] {
        assert_takes_a_minute(&describe(&hostile(&text), &background()));
    }
}

#[test]
fn what_to_do_is_one_sentence_by_what_there_is_to_judge_and_who_merges() {
    let told = |plan: &PlanView, merging| {
        let text = describe(plan, &Background { merging, ..background() });
        let line = text.lines().find_map(|line| line.strip_prefix("**What to do:** ")).unwrap().to_owned();
        assert_eq!(line.matches(". ").count(), 0, "{line}");
        format!("{line}\n")
    };
    let plain = update(vec![]);
    let mut noted = update(vec![]);
    noted.files[0].notes = vec!["note".into()];
    let judged = |to_judge| PlanView { to_judge, ..update(vec![]) };
    let nothing = ToJudge::default();
    let sentences = [
        told(&plain, Merging::ByHand),
        told(&noted, Merging::ByHand),
        told(&plain, Merging::Draft),
        told(&noted, Merging::Draft),
        told(&plain, Merging::Automatic),
        told(&noted, Merging::Automatic),
        told(&judged(ToJudge { errors: true, incomplete: true, ..nothing }), Merging::Draft),
        told(&judged(ToJudge { incomplete: true, ..nothing }), Merging::Draft),
        told(&judged(ToJudge { os_release: true, ..nothing }), Merging::Draft),
    ];
    insta::assert_snapshot!(sentences.concat(), @"
    Merge when the pipeline passes; to skip only this release, close the merge request.
    Review the notes above, then merge when the pipeline passes; to skip only this release, close the merge request.
    Mark this merge request ready and merge it when the pipeline passes; to skip only this release, close the merge request.
    Review the notes above, then mark this merge request ready and merge it; to skip only this release, close the merge request.
    Approve the merge request if your project requires that; it merges automatically when the pipeline passes; to skip only this release, close the merge request.
    Review the notes above now: the merge request merges automatically when the pipeline passes; to skip only this release, close the merge request.
    Fix the new errors, or accept them: mark this merge request ready and merge it when the pipeline passes; to skip only this release, close the merge request.
    Wait until the release is complete, or check that you need nothing of what is missing; then mark this merge request ready and merge it; to skip only this release, close the merge request.
    Check that your nodes can move to the new OS release; then mark this merge request ready and merge it; to skip only this release, close the merge request.
    ");
    let errors = judged(ToJudge { errors: true, ..nothing });
    assert_eq!(Merging::of(&errors, false, true), Merging::Draft);
    assert_eq!(
        [false, true].map(|auto| Merging::of(&plain, false, auto)),
        [Merging::ByHand, Merging::Automatic]
    );
    assert_eq!(Merging::of(&plain, true, true), Merging::Draft);
}

#[test]
fn kubernetes_versions_are_told_once_for_the_families_that_do_the_same() {
    let row = |keys| {
        let text = describe(&update(keys), &background());
        text.lines().find(|line| line.contains("| Kubernetes |")).unwrap().to_owned()
    };
    let every = |from: &str, to: &str| {
        ["ubuntu-noble-plain", "ubuntu-noble-hardened", "opensuse-15-6-plain"]
            .map(|os| moved(&format!("{os}-rke2-{from}"), &format!("{os}-rke2-{to}")))
            .to_vec()
    };
    assert_eq!(
        row(every("1-31-7", "1-31-8")),
        "| ✅ | Kubernetes | rke2 (all 3 families): `1.31.7 → 1.31.8` |"
    );
    assert_eq!(
        row(every("1-31-8", "1-31-8")),
        "| ✅ | Kubernetes | rke2 (all 3 families): `1.31.8` as before |"
    );
    assert_eq!(
        row(every("1-31-8", "1-31-7")),
        "| ⚠️ | Kubernetes | rke2 (all 3 families): `1.31.8 → 1.31.7` |"
    );
    // Not every scheme has a patch version.
    assert_eq!(row(every("1-31-8", "1-31")), "| ✅ | Kubernetes | rke2 (all 3 families): `1.31` as before |");
    let mut mixed = every("1-31-7", "1-31-8");
    mixed.extend([added("ubuntu-noble-plain-rke2-1-32-1"), removed("opensuse-15-6-plain-kubeadm-1-29-15")]);
    assert_eq!(
        row(mixed),
        "| ⚠️ | Kubernetes | kubeadm (opensuse plain): dropped `1.29.15`<br>rke2 (opensuse plain, ubuntu hardened): \
         `1.31.7 → 1.31.8`<br>rke2 (ubuntu plain): `1.31.7 → 1.31.8`, new `1.32.1` |"
    );
    assert_eq!(row(vec![]), "| ➖ | Kubernetes | the names of the keys do not say |");
}

#[test]
fn the_signs_of_images_signatures_and_findings_say_how_the_release_looks() {
    let rows = |plan: &PlanView| {
        let text = describe(plan, &background()).replace('\u{200b}', "");
        text.lines().skip(4).take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    let plan = update(vec![]);
    assert_eq!(
        rows(&plan),
        [
            "| ✅ | Images | complete: 19 images, 18 of 18 series of 0.4.11 |",
            "| ➖ | Signatures | not checked, no public key is known |",
            "| ✅ | Findings | nothing new |",
        ]
    );
    let mut incomplete = plan.clone();
    let release = incomplete.steps[0].completeness.as_mut().unwrap();
    release.missing = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    release.series.as_mut().unwrap().present = 13;
    assert_eq!(
        rows(&incomplete)[0],
        "| ⚠️ | Images | incomplete: 19 images, 13 of 18 series of 0.4.11; missing: a, b, c, d, 1 more |"
    );
    assert_eq!(
        rows(&hostile("x")),
        [
            "| ⚠️ | Images | 19 images found; the release may have others |",
            "| ⚠️ | Signatures | none of 1 images is signed as expected |",
            "| ❌ | Findings | 1 new error, 1 new warning; 1 resolved; 1 place not checked |",
        ]
    );
}

#[test]
fn titles_say_what_the_update_does() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    let title = |from: &str| title([("diskimage-builder", &version(from), &version("0.4.12"))]);
    assert_eq!(title("0.4.11"), "Update diskimage-builder to 0.4.12");
    assert_eq!(title("0.4.12"), "Align image keys with 0.4.12");
}

#[test]
fn a_plan_that_changes_nothing_is_a_sentence() {
    let mut plan = update(vec![]);
    plan.steps[0].verdict = Planned::UpToDate;
    assert_eq!(describe(&plan, &background()), "diskimage-builder up to date.");
}
