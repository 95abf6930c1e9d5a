use std::collections::BTreeMap;

use super::*;
use crate::release::{Digest, Naming};
use crate::report::release_diff_json;

const GIB: u64 = 1 << 30;

fn image(name: &str, k8s: &str, content: &str, size: u64) -> Artifact {
    let named = Facets::from_name(name).unwrap();
    let annotations: BTreeMap<String, String> = [
        ("os", named.os),
        ("os-release", named.os_release.replace('-', ".").into()),
        ("flavor", named.flavor),
        ("k8s-flavor", named.k8s_flavor),
        ("k8s-version", k8s.into()),
    ]
    .map(|(key, value)| (format!("sylvaproject.org/diskimage/{key}"), value.to_string()))
    .into();
    let digest = Some(Digest::of(content.as_bytes()));
    Artifact::described(name.parse().unwrap(), digest, annotations, &Naming::default()).sized(Some(size))
}

fn before() -> Release {
    let images = [
        image("ubuntu-noble-plain-rke2-1-30-11", "1.30.11+rke2r1", "a", 2 * GIB),
        image("ubuntu-noble-plain-rke2-1-29-15", "1.29.15+rke2r1", "b", 2 * GIB),
        image("ubuntu-noble-hardened-rke2-1-31", "1.31.7+rke2r1", "c", 2 * GIB),
        image("ubuntu-noble-hardened-rke2-1-30", "1.30.11+rke2r1", "d", 2 * GIB),
        image("opensuse-15-5-plain-kubeadm-1-30-11", "1.30.11", "e", GIB),
    ];
    Release::complete("0.4.11".parse().unwrap(), images)
}

fn after() -> Release {
    let images = [
        image("ubuntu-noble-plain-rke2-1-30-12", "1.30.12+rke2r2", "f", 2 * GIB + GIB / 4),
        image("ubuntu-noble-plain-rke2-1-32-4", "1.32.4+rke2r1", "g", 2 * GIB),
        image("ubuntu-noble-hardened-rke2-1-31", "1.31.8+rke2r1", "h", 2 * GIB - GIB / 8),
        image("ubuntu-noble-hardened-rke2-1-30", "1.30.11+rke2r1", "d", 2 * GIB),
        image("opensuse-15-6-plain-kubeadm-1-30-12", "1.30.12", "i", GIB),
    ];
    Release::complete("0.4.12".parse().unwrap(), images)
}

fn plain(text: String) -> String {
    anstream::adapter::strip_str(&text).to_string()
}

fn partial(release: Release) -> Release {
    let reason = "the tag list of @all was |cut| \u{1b}[31m".to_owned();
    Release { coverage: Coverage::Partial { reason }, ..release }
}

#[test]
fn what_changes_is_said_family_by_family() {
    let (from, to) = (before(), after());
    let difference = ReleaseDifference::between(&from, &to);
    insta::assert_snapshot!(plain(text(&difference, None)), @r"
    0.4.11 → 0.4.12

      IMAGE                                               KUBERNETES                       OS           SIZE
    opensuse plain kubeadm  1 image, 1.0 GiB
      ~ opensuse-15-{5 → 6}-plain-kubeadm-1-30-{11 → 12}  1.30.11 → 1.30.12                15.5 → 15.6  1.0 GiB
    ubuntu hardened rke2  2 images, 4.0 GiB → 3.9 GiB
      * ubuntu-noble-hardened-rke2-1-31                   1.31.7 → 1.31.8+rke2r1           noble        1.9 GiB -128.0 MiB
      = ubuntu-noble-hardened-rke2-1-30                   1.30.11+rke2r1                   noble        2.0 GiB
    ubuntu plain rke2  2 images, 4.0 GiB → 4.3 GiB
      + ubuntu-noble-plain-rke2-1-32-4                    1.32.4+rke2r1                    noble        2.0 GiB
      ~ ubuntu-noble-plain-rke2-1-30-{11 → 12}            1.30.11+rke2r1 → 1.30.12+rke2r2  noble        2.3 GiB +256.0 MiB
      - ubuntu-noble-plain-rke2-1-29-15                   1.29.15+rke2r1                   noble        2.0 GiB

    ~ 2 renamed, * 1 rebuilt, + 1 added, - 1 removed, = 1 unchanged; in all 5 images, 9.0 GiB → 9.1 GiB
    ");
    insta::assert_snapshot!(plain(text(&difference, Some(72))), @r"
    0.4.11 → 0.4.12

      IMAGE
    opensuse plain kubeadm  1 image, 1.0 GiB
      ~ opensuse-15-{5 → 6}-plain-kubeadm-1-30-{11 → 12}
    ubuntu hardened rke2  2 images, 4.0 GiB → 3.9 GiB
      * ubuntu-noble-hardened-rke2-1-31
      = ubuntu-noble-hardened-rke2-1-30
    ubuntu plain rke2  2 images, 4.0 GiB → 4.3 GiB
      + ubuntu-noble-plain-rke2-1-32-4
      ~ ubuntu-noble-plain-rke2-1-30-{11 → 12}
      - ubuntu-noble-plain-rke2-1-29-15
      KUBERNETES, OS, SIZE left out: shown from 118 columns on

    ~ 2 renamed, * 1 rebuilt, + 1 added, - 1 removed, = 1 unchanged; in all 5 images, 9.0 GiB → 9.1 GiB
    ");
}

#[test]
fn a_release_that_is_known_in_part_is_said_loudly() {
    let (from, to) = (before(), partial(after()));
    let difference = ReleaseDifference::between(&from, &to);
    insta::assert_snapshot!(plain(text(&difference, None)), @r"
    0.4.11 → 0.4.12
    ! 0.4.12 is known in part only, other images may exist: the tag list of @all was |cut| �[31m

      IMAGE                                  KUBERNETES              OS     SIZE
    opensuse plain kubeadm  1 image, 1.0 GiB
      + opensuse-15-6-plain-kubeadm-1-30-12  1.30.12                 15.6   1.0 GiB
      ? opensuse-15-5-plain-kubeadm-1-30-11  1.30.11                 15.5   1.0 GiB
    ubuntu hardened rke2  2 images, 4.0 GiB → 3.9 GiB
      * ubuntu-noble-hardened-rke2-1-31      1.31.7 → 1.31.8+rke2r1  noble  1.9 GiB -128.0 MiB
      = ubuntu-noble-hardened-rke2-1-30      1.30.11+rke2r1          noble  2.0 GiB
    ubuntu plain rke2  2 images, 4.0 GiB → 4.3 GiB
      + ubuntu-noble-plain-rke2-1-32-4       1.32.4+rke2r1           noble  2.0 GiB
      + ubuntu-noble-plain-rke2-1-30-12      1.30.12+rke2r2          noble  2.3 GiB
      ? ubuntu-noble-plain-rke2-1-30-11      1.30.11+rke2r1          noble  2.0 GiB
      ? ubuntu-noble-plain-rke2-1-29-15      1.29.15+rke2r1          noble  2.0 GiB

    * 1 rebuilt, + 3 added, = 1 unchanged, ? 3 perhaps removed; in all 5 images, 9.0 GiB → 9.1 GiB
    ");
}

#[test]
fn a_change_of_the_naming_scheme_shows_both_names() {
    let from = Release::complete(
        "0.4.14".parse().unwrap(),
        [image("ubuntu-noble-plain-rke2-1-31-8", "1.31.8", "a", 1)],
    );
    let to = Release::complete(
        "0.5.0".parse().unwrap(),
        [image("ubuntu-noble-plain-rke2-1-31", "1.31.9", "b", 1)],
    );
    insta::assert_snapshot!(plain(text(&ReleaseDifference::between(&from, &to), None)), @r"
    0.4.14 → 0.5.0

      IMAGE                                                            KUBERNETES       OS     SIZE
    ubuntu plain rke2  1 image, 1 B
      ~ ubuntu-noble-plain-rke2-1-31-8 → ubuntu-noble-plain-rke2-1-31  1.31.8 → 1.31.9  noble  1 B

    ~ 1 renamed; in all 1 image, 1 B
    ");
}

#[test]
fn markdown_has_whole_names_and_inert_text() {
    let (from, to) = (before(), partial(after()));
    insta::assert_snapshot!(markdown(&ReleaseDifference::between(&from, &to)), @"
    ## 0.4.11 → 0.4.12

    **Not all is known:** 0.4.12 is known in part only, other images may exist: the tag list of @\u{200b}all was \\|cut\\| \\[\u{200b}31m

    ### opensuse plain kubeadm

    | Change | Before | After | Kubernetes | OS | Size |
    | --- | --- | --- | --- | --- | --- |
    | added |  | `opensuse-15-6-plain-kubeadm-1-30-12` | 1.30.12 | 15.6 | 1.0 GiB |
    | perhaps removed | `opensuse-15-5-plain-kubeadm-1-30-11` |  | 1.30.11 | 15.5 | 1.0 GiB |

    ### ubuntu hardened rke2

    | Change | Before | After | Kubernetes | OS | Size |
    | --- | --- | --- | --- | --- | --- |
    | rebuilt | `ubuntu-noble-hardened-rke2-1-31` | `ubuntu-noble-hardened-rke2-1-31` | 1.31.7 → 1.31.8+rke2r1 | noble | 1.9 GiB -128.0 MiB |
    | unchanged | `ubuntu-noble-hardened-rke2-1-30` | `ubuntu-noble-hardened-rke2-1-30` | 1.30.11+rke2r1 | noble | 2.0 GiB |

    ### ubuntu plain rke2

    | Change | Before | After | Kubernetes | OS | Size |
    | --- | --- | --- | --- | --- | --- |
    | added |  | `ubuntu-noble-plain-rke2-1-32-4` | 1.32.4+rke2r1 | noble | 2.0 GiB |
    | added |  | `ubuntu-noble-plain-rke2-1-30-12` | 1.30.12+rke2r2 | noble | 2.3 GiB |
    | perhaps removed | `ubuntu-noble-plain-rke2-1-30-11` |  | 1.30.11+rke2r1 | noble | 2.0 GiB |
    | perhaps removed | `ubuntu-noble-plain-rke2-1-29-15` |  | 1.29.15+rke2r1 | noble | 2.0 GiB |

    1 rebuilt, 3 added, 1 unchanged, 3 perhaps removed; in all 5 images, 9.0 GiB → 9.1 GiB
    ");
}

#[test]
fn a_release_beside_itself_has_no_change() {
    let release = before();
    let difference = ReleaseDifference::between(&release, &release);
    assert_eq!(
        plain(text(&difference, None)).lines().last(),
        Some("= 5 unchanged; in all 5 images, 9.0 GiB")
    );
    let empty = Release::complete("0.4.11".parse().unwrap(), []);
    assert_eq!(
        plain(text(&ReleaseDifference::between(&empty, &empty), None)),
        "0.4.11\nno images; in all 0 images\n"
    );
}

#[test]
fn the_json_has_bytes_and_both_sides() {
    let (from, to) = (before(), partial(after()));
    let report = release_diff_json::report(&ReleaseDifference::between(&from, &to));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "dibump.release-diff/1");
    assert_eq!(json["to"]["state"], "partial");
    assert_eq!(json["from"]["size"], 9 * GIB);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["families"][0]).unwrap(), @r#"
    {
      "family": {
        "flavor": "plain",
        "k8s_flavor": "kubeadm",
        "os": "opensuse"
      },
      "images": [
        {
          "after": {
            "digest": "sha256:de7d1b721a1e0632b7cf04edf5032c8ecffa9f9a08492152b926f1a5a7e765d7",
            "k8s_version": "1.30.12",
            "name": "opensuse-15-6-plain-kubeadm-1-30-12",
            "os_release": "15.6",
            "size": 1073741824
          },
          "change": "added"
        },
        {
          "before": {
            "digest": "sha256:3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea",
            "k8s_version": "1.30.11",
            "name": "opensuse-15-5-plain-kubeadm-1-30-11",
            "os_release": "15.5",
            "size": 1073741824
          },
          "change": "perhaps-removed"
        }
      ]
    }
    "#);
}
