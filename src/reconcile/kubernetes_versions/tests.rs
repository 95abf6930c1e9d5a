//! Versions of a small file, coupled with small releases.

use std::collections::BTreeMap;

use super::*;
use crate::release::facets::ANNOTATION_PREFIX;
use crate::release::{Artifact, Naming};

const MAP: &str = "\
_internal:
  k8s_version_map:
    1.30: '{{ .x | eq \"cabpr\" | ternary \"v1.30.11+rke2r1\" \"v1.30.11\" }}'   # by hand
    \"1.31\":   >-
      {{ ternary \"v1.31.7-rke2r1\"
                 \"v1.31.7\" }}
    default: v1.31.7+rke2r1
cluster: {k8s_version: v1.31.7+rke2r1}
";

/// An image by its key and its annotation; without one only the name tells what it is.
fn image(key: &str, version: Option<&str>) -> Artifact {
    let naming = Naming::default();
    let named = naming.facets(key).unwrap();
    let mut annotations = BTreeMap::new();
    if let Some(version) = version {
        let facets = [
            ("os", named.os),
            ("flavor", named.flavor),
            ("k8s-flavor", named.k8s_flavor),
            ("k8s-version", version.to_owned()),
        ];
        annotations.extend(facets.map(|(name, value)| (format!("{ANNOTATION_PREFIX}{name}"), value)));
    }
    Artifact::described(key.parse().unwrap(), None, annotations, &naming)
}

fn release(images: &[(&str, Option<&str>)]) -> Release {
    let images = images.iter().map(|(key, version)| image(key, *version));
    Release::complete("0.4.12".parse().unwrap(), images)
}

/// rke2 is listed, kubeadm is published only; both at 1.30 and 1.31.
fn usual() -> Release {
    release(&[
        ("ubuntu-noble-plain-rke2-1-30-12", Some("1.30.12+rke2r2")),
        ("ubuntu-noble-plain-rke2-1-31-8", Some("1.31.8-rke2r1")),
        ("ubuntu-noble-plain-kubeadm-1-30-12", Some("1.30.12-rke2r1")),
        ("ubuntu-noble-plain-kubeadm-1-31-9", Some("1.31.9")),
    ])
}

/// The file with its versions set, and the notes.
fn set(rules: &[&str], text: &str, release: &Release) -> (String, Vec<String>) {
    let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let keys = release.artifacts.keys().map(crate::release::ImageKey::as_str);
    let listed = keys.filter(|key| key.contains("-rke2-")).collect();
    let coupled = couple(&rules, &document, Wanted { release, listed: &listed });
    let edited = document.edit(&coupled.changes).unwrap();
    (edited.text, coupled.notes.iter().map(ToString::to_string).collect())
}

const BOTH: [&str; 2] = ["rke2=_internal.k8s_version_map", "kubeadm=_internal.k8s_version_map"];

#[test]
fn versions_inside_of_templates_become_those_of_the_images_and_every_other_byte_stays() {
    let (text, notes) = set(&BOTH, MAP, &usual());
    let expected = MAP
        .replace("\"v1.30.11+rke2r1\" \"v1.30.11\"", "\"v1.30.12+rke2r2\" \"v1.30.12\"")
        .replace("\"v1.31.7-rke2r1\"", "\"v1.31.8-rke2r1\"")
        .replace("\"v1.31.7\" }}", "\"v1.31.9\" }}");
    assert_eq!(text, expected);
    assert_eq!(notes, [""; 0]);
    assert_eq!(set(&BOTH, &text, &usual()).0, text, "a second time changes nothing");
}

#[test]
fn a_rule_sets_the_versions_of_its_flavor_only() {
    let (text, _) = set(&BOTH[..1], MAP, &usual());
    assert!(text.contains("\"v1.30.12+rke2r2\" \"v1.30.11\"") && text.contains("\"v1.31.7\" }}"), "{text}");
}

#[test]
fn a_single_value_is_set_by_its_path_or_by_a_pattern() {
    let expected = MAP.replace("k8s_version: v1.31.7+rke2r1", "k8s_version: v1.31.8+rke2r1");
    assert_eq!(set(&["rke2=cluster.k8s_version"], MAP, &usual()), (expected.clone(), vec![]));
    let pattern = "rke2~k8s_version: (?<version>[^}]+)";
    assert_eq!(set(&[pattern], MAP, &usual()), (expected, vec![]));
}

#[test]
fn a_pattern_reaches_no_comment_and_says_when_it_finds_nothing() {
    let text = "a: 1 # v1.31.7+rke2r1\nb: latest\nv1.31.7+rke2r1: 1\n";
    let (same, notes) = set(
        &[
            "rke2~# (?<version>.*)",
            "rke2~b: (?<version>.*)",
            "rke2~^(?<version>v[^:]+):",
            "rke2~x(?<version>y)",
        ],
        text,
        &usual(),
    );
    assert_eq!(same, text);
    assert_eq!(
        notes,
        [
            "v1.31.7+rke2r1 (1:8) stays: it does not stand in a value",
            "latest (2:4) stays: it is no exact version",
            "v1.31.7+rke2r1 (3:1) stays: it does not stand in a value",
            "no Kubernetes version is set at /x(?<version>y)/: it matches nothing",
        ]
    );
}

#[test]
fn a_minor_that_the_map_lacks_is_reported_once_and_not_added() {
    let mut release = usual();
    for key in ["ubuntu-noble-plain-rke2-1-32-4", "opensuse-15-6-plain-rke2-1-32-4"] {
        let artifact = image(key, Some("1.32.4+rke2r1"));
        release.artifacts.insert(artifact.key.clone(), artifact);
    }
    let (text, notes) = set(&BOTH, MAP, &release);
    assert!(!text.contains("1.32"), "{text}");
    assert_eq!(notes, ["_internal.k8s_version_map has no 1.32, which listed images have; add it by hand"]);
}

#[test]
fn images_that_contradict_each_other_set_nothing() {
    let release = release(&[
        ("ubuntu-noble-plain-rke2-1-31-8", Some("1.31.8+rke2r1")),
        ("opensuse-15-6-plain-rke2-1-31-8", Some("1.31.8+rke2r2")),
    ]);
    let (text, notes) = set(&BOTH, MAP, &release);
    assert_eq!(text, MAP);
    assert_eq!(
        notes,
        ["v1.31.7-rke2r1 (5:19) stays: the images of rke2 1.31 are at 1.31.8+rke2r1 and 1.31.8+rke2r2"]
    );
}

#[test]
fn a_name_tells_no_revision_and_drops_none() {
    let named = release(&[
        ("ubuntu-noble-plain-rke2-1-30-11", None),
        ("ubuntu-noble-plain-rke2-1-31-8", None),
        ("ubuntu-noble-plain-kubeadm-1-31-8", None),
    ]);
    let (text, notes) = set(&BOTH, MAP, &named);
    assert_eq!(text, MAP.replace("\"v1.31.7\" }}", "\"v1.31.8\" }}"), "kubeadm has no revision to lose");
    assert_eq!(
        notes,
        ["v1.31.7-rke2r1 (5:19) stays: the images of rke2 1.31 are at 1.31.8, of unknown revision"]
    );

    let minor_only = release(&[("ubuntu-noble-plain-rke2-1-31", None)]);
    let (text, notes) = set(&BOTH, MAP, &minor_only);
    assert_eq!(text, MAP);
    assert_eq!(
        notes,
        ["v1.31.7-rke2r1 (5:19) stays: no annotation tells the patch of the images of rke2 1.31"]
    );
}

#[test]
fn listed_images_count_before_those_that_are_only_published() {
    let mut release = usual();
    release.artifacts.extend(
        [image("old-x-plain-rke2-1-31-2", Some("1.31.2+rke2r1"))].map(|image| (image.key.clone(), image)),
    );
    let document = Document::parse(MAP.as_bytes().to_vec()).unwrap();
    let rules = BOTH.map(|rule| rule.parse().unwrap());
    let listed = BTreeSet::from(["ubuntu-noble-plain-rke2-1-31-8"]);
    let coupled = couple(&rules, &document, Wanted { release: &release, listed: &listed });
    let set: Vec<String> = coupled.set.iter().map(ToString::to_string).collect();
    assert!(set.contains(&"rke2 1.31: v1.31.7-rke2r1 → v1.31.8-rke2r1".to_owned()), "{set:?}");
}

#[test]
fn two_versions_of_one_kind_are_not_told_apart() {
    let text = "m:\n  1.31: '{{ ternary \"v1.31.6\" \"v1.31.7\" }}'\n";
    let (same, notes) = set(&["kubeadm=m"], text, &usual());
    assert_eq!(same, text);
    assert_eq!(
        notes,
        [
            "v1.31.6 (2:22) stays: another version of this kind stands beside it",
            "v1.31.7 (2:32) stays: another version of this kind stands beside it",
        ]
    );
}

#[test]
fn a_place_that_is_not_there_or_an_alias_is_told() {
    let (_, notes) =
        set(&["rke2=nowhere", "rke2=alias"], "a: &a {1.31: v1.31.7+rke2r1}\nalias: *a\n", &usual());
    assert_eq!(
        notes,
        [
            "no Kubernetes version is set at nowhere: it is not there",
            "no Kubernetes version is set at alias: 2:8: `alias` is an alias, and can only be changed where its anchor stands",
        ]
    );
}

#[test]
fn without_rules_the_rule_is_suggested_where_versions_differ() {
    let (text, notes) = set(&[], MAP, &usual());
    assert_eq!(text, MAP);
    assert_eq!(
        notes,
        ["_internal.k8s_version_map differs from the images (rke2 1.30: v1.30.11+rke2r1 → v1.30.12+rke2r2, \
             rke2 1.31: v1.31.7-rke2r1 → v1.31.8-rke2r1, kubeadm 1.30: v1.30.11 → v1.30.12, \
             kubeadm 1.31: v1.31.7 → v1.31.9); kubernetes_versions: [{path: _internal.k8s_version_map, k8s_flavor: kubeadm}, \
             {path: _internal.k8s_version_map, k8s_flavor: rke2}] sets it"]
    );
    assert_eq!(set(&[], &set(&BOTH, MAP, &usual()).0, &usual()).1, [""; 0]);
}

#[test]
fn rules_read_back_as_they_are_written() {
    for text in ["rke2=_internal.k8s_version_map", "ck8s~^k8s: (?<version>v=~.*)$"] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
    }
    for wrong in ["rke2", "=a", "rke2=", "rke2=a..b", "rke2~(", "rke2~v1"] {
        assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
    }
}
