//! What a reviewer reads.

use super::*;

fn image(key: &str) -> Option<Image> {
    Some(Image { key: key.into(), facets: Facets::from_name(key) })
}

fn renamed(from: &str, to: &str) -> KeyChange {
    KeyChange { from: image(from), to: image(to), ..KeyChange::default() }
}

fn summary(changes: Vec<KeyChange>) -> Summary {
    Summary {
        producer: "diskimage-builder".into(),
        prefix: "oci://registry.example/group/diskimage-builder".into(),
        from: "0.4.11".parse().ok(),
        to: "0.4.12".parse().unwrap(),
        files: vec![FileSummary {
            path: "charts/units/values.yaml".into(),
            policy: Some(("follow".into(), "the mapping leaves out 3 of 22 artifacts".into())),
            changes,
            kept: ["ubuntu-noble-plain-rke2-1-30-9", "ubuntu-noble-plain-rke2-1-29-9"]
                .map(|key| renamed(key, key))
                .into(),
            suggested: vec!["opensuse-15-6-hardened-rke2-1-31-8".into()],
        }],
        findings: FindingsSummary::default(),
        os_releases: OsReleases::default(),
        following: Following::default(),
        missing: vec![],
        complete: Some("19 images, nothing is missing that 0.4.11 had".into()),
        signatures: Some("19 of 19 images are signed, by key 0123456789ab".into()),
        warnings: vec![],
        unchecked: vec!["the registry refused the tag list of 1 repository".into()],
        rolls: vec![],
        others: vec![("0.5.0".parse().unwrap(), "held (incomplete): 2 images are missing".into())],
        images: vec![],
        release_notes: vec![("0.4.12".parse().unwrap(), "## Changes\n- closes #12, thanks @all".into())],
        reproduce: "dibump plan charts/units/values.yaml --to 0.4.12".into(),
    }
}

#[test]
fn a_reviewer_reads_what_changes_and_what_was_not_checked() {
    let text = describe(&summary(vec![
        renamed("ubuntu-noble-plain-rke2-1-31-7", "ubuntu-noble-plain-rke2-1-31-8"),
        KeyChange { to: image("ubuntu-noble-plain-rke2-1-32-4"), ..KeyChange::default() },
        KeyChange {
            from: image("ubuntu-jammy-plain-kubeadm-1-29-15"),
            why: Some("no longer published".into()),
            enabled: true,
            ..KeyChange::default()
        },
    ]));
    insta::assert_snapshot!(text.replace('\u{200b}', "·"), @r#"
    Moves from release `0.4.11` to `0.4.12` of diskimage-builder (`oci://registry.example/group/diskimage-builder`).

    - `charts/units/values.yaml`: 1 renamed, 1 added, 1 removed, 2 kept (images: follow, the mapping leaves out 3 of 22 artifacts)

    **Please look at:**

    - `ubuntu-jammy-plain-kubeadm-1-29-15` was enabled, and goes
    - not checked: the registry refused the tag list of 1 repository

    **Complete:** 19 images, nothing is missing that 0.4.11 had

    **Signatures:** 19 of 19 images are signed, by key 012345·6789ab

    **What to do:** judge what is listed above; then merge once the pipeline is green. Closing it says no to this release only.

    **Other releases:**

    - `0.5.0`: held \(incomplete\): 2 images are missing

    | Family | Kubernetes |
    |---|---|
    | ubuntu plain kubeadm | removed 1.29.15 |
    | ubuntu plain rke2 | 1.30.9, 1.29.9, 1.31.7 → 1.31.8, added 1.32.4 |

    **See it for yourself:**

    ```shell
    dibump plan charts/units/values.yaml --to 0.4.12
    ```

    **Keys:**

    - `ubuntu-noble-plain-rke2-1-31-7` → `ubuntu-noble-plain-rke2-1-31-8`
    - added `ubuntu-noble-plain-rke2-1-32-4`
    - removed `ubuntu-jammy-plain-kubeadm-1-29-15` (no longer published)

    **Published, and not in `charts/units/values.yaml`:**

    - `opensuse-15-6-hardened-rke2-1-31-8`

    ### What diskimage-builder says

    **0.4.12**

    > **Changes**\
    > - closes \#·12, thanks @·all
    "#);
}

#[test]
fn the_essentials_of_a_large_update_stand_in_the_first_2700_characters() {
    let key = |i: usize, patch| format!("ubuntu-noble-hardened-rke2-1-{i}-{patch}");
    let text = describe(&summary((0..80).map(|i| renamed(&key(i, 1), &key(i, 2))).collect()));
    let start: String = text.chars().take(ESSENTIALS).collect();
    for essential in ["80 renamed", "not checked", "`0.5.0`", "dibump plan"] {
        assert!(start.contains(essential), "{essential}");
    }
    assert!(text.contains("more keys"));
    for i in 0..80 {
        assert!(text.contains(&format!("`{}`", key(i, 2))), "{i}");
    }
}

#[test]
fn titles_say_what_the_update_does() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    let title =
        |from: Option<&str>| title("diskimage-builder", from.map(version).as_ref(), &version("0.4.12"));
    assert_eq!(title(Some("0.4.11")), "Update diskimage-builder to 0.4.12");
    assert_eq!(title(None), "Update diskimage-builder to 0.4.12");
    assert_eq!(title(Some("0.4.12")), "Align image keys with 0.4.12");
}
