//! Versions of a small file, coupled with small releases.

use std::collections::BTreeMap;

use super::*;
use crate::release::facets::ANNOTATION_PREFIX;
use crate::release::{Artifact, Naming, Release};

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
            ("k8s-version", version.into()),
        ];
        annotations
            .extend(facets.map(|(name, value)| (format!("{ANNOTATION_PREFIX}{name}"), value.to_string())));
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

/// The file with its versions set by these texts (`auto`, `off` or rules) from nothing to a release that lists rke2, and
/// the notes.
fn set(texts: &[&str], text: &str, release: &Release) -> (String, Vec<String>) {
    let before = Release::complete("0.4.11".parse().unwrap(), []);
    go(texts, text, [&before, release], |key| key.contains("-rke2-"))
}

/// The file with its versions set from one release to another, which list these keys, and the notes.
fn go(texts: &[&str], text: &str, releases: [&Release; 2], lists: fn(&str) -> bool) -> (String, Vec<String>) {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let setting = KubernetesVersions::from_texts(&texts).unwrap();
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let naming = Naming::default();
    let side = |release| ImagesSide::new(Some(release), keys(release).filter(|key| lists(key)), [], &naming);
    let images = ImagesBothSides::new(side(releases[0]), side(releases[1]));
    let file = VersionsFile { path: "v.yaml", document: &document, holds_version: true };
    let coupled = couple(&setting, file, &images);
    let edited = document.edit(&coupled.changes).unwrap();
    let notes = coupled.notes.iter().chain(&coupled.not_found).map(ToString::to_string);
    (edited.text().to_owned(), notes.collect())
}

fn keys(release: &Release) -> impl Iterator<Item = &str> {
    release.artifacts.keys().map(crate::release::ImageKey::as_str)
}

const BOTH: [&str; 2] = ["rke2=_internal.k8s_version_map", "kubeadm=_internal.k8s_version_map"];

#[test]
fn versions_inside_of_templates_become_those_of_the_images() {
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
            "v.yaml:1:8: Kubernetes v1.31.7+rke2r1 stays: it does not stand in a value",
            "v.yaml:2:4: Kubernetes latest stays: it is not an exact version",
            "v.yaml:3:1: Kubernetes v1.31.7+rke2r1 stays: it does not stand in a value",
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
    assert_eq!(
        notes,
        ["v.yaml: _internal.k8s_version_map has no 1.32, which listed images have; add it by hand"]
    );
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
        [
            "v.yaml:5:19: Kubernetes v1.31.7-rke2r1 stays: the images of rke2 1.31 are at 1.31.8+rke2r1 and 1.31.8+rke2r2"
        ]
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
        [
            "v.yaml:5:19: Kubernetes v1.31.7-rke2r1 stays: the images of rke2 1.31 are at 1.31.8, of unknown revision"
        ]
    );

    let minor_only = release(&[("ubuntu-noble-plain-rke2-1-31", None)]);
    let (text, notes) = set(&BOTH, MAP, &minor_only);
    assert_eq!(text, MAP);
    assert_eq!(
        notes,
        [
            "v.yaml:5:19: Kubernetes v1.31.7-rke2r1 stays: no annotation tells the patch of the images of rke2 1.31"
        ]
    );
}

#[test]
fn listed_images_count_before_those_that_are_only_published() {
    let mut release = usual();
    release.artifacts.extend(
        [image("old-x-plain-rke2-1-31-2", Some("1.31.2+rke2r1"))].map(|image| (image.key.clone(), image)),
    );
    let before = Release::complete("0.4.11".parse().unwrap(), []);
    let (text, _) = go(&BOTH, MAP, [&before, &release], |key| key == "ubuntu-noble-plain-rke2-1-31-8");
    assert!(text.contains("\"v1.31.8-rke2r1\""), "{text}");
}

#[test]
fn two_versions_of_one_kind_are_not_told_apart() {
    let text = "m:\n  1.31: '{{ ternary \"v1.31.6\" \"v1.31.7\" }}'\n";
    let (same, notes) = set(&["kubeadm=m"], text, &usual());
    assert_eq!(same, text);
    assert_eq!(
        notes,
        [
            "v.yaml:2:22: Kubernetes v1.31.6 stays: another version of this kind stands beside it",
            "v.yaml:2:32: Kubernetes v1.31.7 stays: another version of this kind stands beside it",
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
            "no Kubernetes version is set at alias: v.yaml:2:8: `alias` is an alias, and can only be changed at its anchor",
            "no Kubernetes version is set at nowhere: it is not there",
        ]
    );
}

#[test]
fn off_says_where_versions_differ_and_changes_nothing() {
    let (text, notes) = set(&["off"], MAP, &usual());
    assert_eq!(text, MAP);
    assert_eq!(
        notes,
        [
            "v.yaml: _internal.k8s_version_map differs from the images (rke2 1.30: v1.30.11+rke2r1 → v1.30.12+rke2r2, \
             kubeadm 1.30: v1.30.11 → v1.30.12, rke2 1.31: v1.31.7-rke2r1 → v1.31.8-rke2r1, \
             kubeadm 1.31: v1.31.7 → v1.31.9, rke2 1.31: v1.31.7+rke2r1 → v1.31.8+rke2r1); \
             `kubernetes_versions: auto` sets it"
        ]
    );
    assert_eq!(set(&["off"], &set(&["auto"], MAP, &usual()).0, &usual()).1, [""; 0]);
}

/// The line of sylva-core's map that three flavors share.
const SHARED: &str = r#"_internal:
  k8s_version_map:
    1.31: >-
      {{- $version := "v1.31.8" -}}
      {{- if eq .x "cabpr" -}}{{- $version = "v1.31.8+rke2r1" -}}{{- end -}}
      {{- if eq .x "cabpck" -}}{{- $version = "v1.31.6" -}}{{- end -}}
      {{- $version -}}
"#;

/// A release with images of three flavors at 1.31.
fn three(version: &str, rke2: &str, kubeadm: &str, ck8s: &str) -> Release {
    let images = [("rke2", rke2), ("kubeadm", kubeadm), ("ck8s", ck8s)];
    let images = images.iter().filter(|(_, version)| !version.is_empty()).map(|(flavor, version)| {
        let patch = version.split(['.', '+']).nth(2).unwrap();
        image(&format!("ubuntu-noble-plain-{flavor}-1-31-{patch}"), Some(version))
    });
    Release::complete(version.parse().unwrap(), images)
}

#[test]
fn the_old_version_says_whose_each_version_of_a_shared_text_is() {
    let before = three("0.4.12", "1.31.8+rke2r1", "1.31.8", "1.31.6");
    // The trap: what one flavor goes to is what another one had.
    for (ck8s, kubeadm) in [("1.31.6", "1.31.9"), ("1.31.8", "1.31.9"), ("1.31.8", "1.31.6")] {
        let after = three("0.4.13", "1.31.9+rke2r1", kubeadm, ck8s);
        let expected = SHARED
            .replace(":= \"v1.31.8\"", &format!(":= \"v{kubeadm}\""))
            .replace("v1.31.8+rke2r1", "v1.31.9+rke2r1")
            .replace("= \"v1.31.6\" -}}{{- end", &format!("= \"v{ck8s}\" -}}}}{{{{- end"));
        for setting in [&["auto"][..], &BOTH_AND_CK8S] {
            let (text, notes) = go(setting, SHARED, [&before, &after], |_| true);
            assert_eq!((&text, notes), (&expected, vec![]), "{setting:?}");
            let again = go(setting, &text, [&after, &after], |_| true);
            assert_eq!(again, (expected.clone(), vec![]), "a second time changes nothing: {setting:?}");
        }
    }
}

const BOTH_AND_CK8S: [&str; 3] = [BOTH[0], BOTH[1], "ck8s=_internal.k8s_version_map"];

#[test]
fn a_version_of_two_flavors_moves_where_both_go_the_same_way() {
    let text = "k8s_version_map: {1.31: v1.31.8}\n";
    let before = three("0.4.12", "", "1.31.8", "1.31.8");
    let rules = ["kubeadm=k8s_version_map", "ck8s=k8s_version_map"];
    for setting in [&["auto"][..], &rules] {
        let same = three("0.4.13", "", "1.31.9", "1.31.9");
        let (moved, notes) = go(setting, text, [&before, &same], |_| true);
        assert_eq!((moved, notes), (text.replace("31.8", "31.9"), vec![]));
        let apart = three("0.4.13", "", "1.31.9", "1.31.10");
        let (stays, notes) = go(setting, text, [&before, &apart], |_| true);
        assert_eq!(stays, text);
        assert_eq!(
            notes,
            ["v.yaml:1:25: Kubernetes v1.31.8 stays: ck8s and kubeadm had it, and ck8s goes to v1.31.10, \
              kubeadm goes to v1.31.9"]
        );
        let (stays, notes) = go(setting, text, [&apart, &apart], |_| true);
        assert_eq!(stays, text, "neither does the next run move it");
        assert_eq!(
            notes,
            ["v.yaml:1:25: Kubernetes v1.31.8 stays: its flavor is not known, because no image of ck8s and \
              kubeadm had it"]
        );
    }
}

#[test]
fn two_rules_on_one_path_are_told_apart_by_the_old_version_and_never_flip() {
    let text = "k8s: {1.31: v1.31.7}\n";
    let rules = ["kubeadm=k8s", "ck8s=k8s"];
    let before = three("0.4.8", "", "1.31.7", "1.31.5");
    let after = three("0.4.9", "", "1.31.8", "1.31.7");
    let (first, _) = go(&rules, text, [&before, &after], |_| true);
    assert_eq!(first, "k8s: {1.31: v1.31.8}\n");
    assert_eq!(go(&rules, &first, [&after, &after], |_| true), (first, vec![]));
}

#[test]
fn keys_that_name_a_flavor_say_whose_a_version_is() {
    let text = "k8s_version_map: {kubeadm: {1.31: v1.31.8}, ck8s: {1.31: v1.31.8}, rke2: {1.31: v1.31.8}}\n";
    let before = three("0.4.12", "1.31.8+rke2r1", "1.31.8", "1.31.8");
    let after = three("0.4.13", "1.31.9+rke2r1", "1.31.10", "1.31.11");
    let (text, notes) = go(&["auto"], text, [&before, &after], |_| true);
    assert_eq!(
        text,
        "k8s_version_map: {kubeadm: {1.31: v1.31.10}, ck8s: {1.31: v1.31.11}, rke2: {1.31: v1.31.9}}\n"
    );
    assert_eq!(notes, [""; 0]);
}

#[test]
fn a_cluster_s_own_version_is_reported_and_moves_only_by_a_rule() {
    let text = "cluster: {k8s_version: v1.31.8+rke2r1}\na: [{cluster: {k8s_version: 1.31.6}}]\n";
    let before = three("0.4.12", "1.31.8+rke2r1", "", "1.31.6");
    let after = three("0.4.13", "1.31.9+rke2r1", "", "1.31.7");
    for setting in ["auto", "off"] {
        let (stays, notes) = go(&[setting], text, [&before, &after], |_| true);
        assert_eq!(stays, text);
        assert_eq!(
            notes,
            [
                "v.yaml:1:24: Kubernetes v1.31.8+rke2r1 fits no listed image any more (listed images have 1.31.7, \
                 1.31.9+rke2r1); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`",
                "v.yaml:2:29: Kubernetes 1.31.6 fits no listed image any more (listed images have 1.31.7, \
                 1.31.9+rke2r1); decide whether a.cluster.k8s_version moves, or name it in `kubernetes_versions:`",
            ]
        );
    }
    let (moved, notes) = go(&["rke2=cluster.k8s_version"], text, [&before, &after], |_| true);
    assert_eq!(moved, text.replace("1.31.8", "1.31.9"));
    assert_eq!(notes.len(), 1, "{notes:?}");
    let bare = "cluster: {k8s_version: v1.31.8}\n";
    let (moved, _) = go(&["rke2=cluster.k8s_version"], bare, [&before, &after], |_| true);
    assert_eq!(moved, bare.replace("1.31.8", "1.31.9"), "a rule says whose it is");
}

#[test]
fn a_cluster_whose_machines_boot_no_image_is_nobody_s_concern() {
    let (before, after) = (three("0.4.12", "", "1.31.8", ""), three("0.4.13", "", "1.31.9", ""));
    for (infrastructure, told) in [("capd", 0), ("capo", 1), ("'{{ .x }}'", 1)] {
        let text = format!(
            "cluster: {{k8s_version: v1.31.8, capi_providers: {{infra_provider: {infrastructure}}}}}\n"
        );
        let (_, notes) = go(&["auto"], &text, [&before, &after], |_| true);
        assert_eq!(notes.len(), told, "{infrastructure}: {notes:?}");
    }
}

#[test]
fn another_registry_s_image_of_the_flavor_keeps_the_version_where_it_is() {
    let naming = Naming::default();
    let (before, after) =
        (three("0.4.12", "1.31.8+rke2r1", "", ""), three("0.4.13", "1.31.9+rke2r1", "", ""));
    let side =
        |release| ImagesSide::new(Some(release), keys(release), ["leapmicro-6-0-plain-rke2-1-31-8"], &naming);
    let text = "k8s_version_map: {1.31: v1.31.8+rke2r1}\n";
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let file = VersionsFile { path: "v.yaml", document: &document, holds_version: true };
    let rules = KubernetesVersions::from_texts(&["rke2=k8s_version_map".to_owned()]).unwrap();
    let coupled = couple(&rules, file, &ImagesBothSides::new(side(&before), side(&after)));
    let notes: Vec<String> = coupled.notes.iter().map(ToString::to_string).collect();
    assert_eq!(coupled.set, []);
    assert_eq!(
        notes,
        [
            "v.yaml:1:25: Kubernetes v1.31.8+rke2r1 stays: the images of rke2 1.31 are at 1.31.9+rke2r1 and 1.31.8"
        ]
    );
}

#[test]
fn rules_read_back_as_they_are_written() {
    for text in ["rke2=_internal.k8s_version_map", "ck8s~^k8s: (?<version>v=~.*)$"] {
        assert_eq!(text.parse::<VersionRule>().unwrap().to_string(), text);
    }
    for wrong in ["rke2", "=a", "rke2=", "rke2=a..b", "rke2~(", "rke2~v1"] {
        assert!(wrong.parse::<VersionRule>().is_err(), "{wrong}");
    }
}

#[test]
fn a_new_line_has_the_version_of_each_flavor() {
    let map = "_internal:\n  k8s_version_map:\n    1.31: 'a v1.31.8+rke2r1 b v1.31.8 c v1.31.6'\n";
    let images = [
        ("ubuntu-noble-plain-rke2-1-31-8", Some("1.31.8+rke2r1")),
        ("ubuntu-noble-plain-kubeadm-1-31-8", Some("1.31.8")),
        ("ubuntu-noble-plain-ck8s-1-31-6", Some("1.31.6")),
        ("ubuntu-noble-plain-rke2-1-32-6", Some("1.32.6+rke2r1")),
        ("ubuntu-noble-plain-kubeadm-1-32-6", Some("1.32.6")),
        ("ubuntu-noble-plain-ck8s-1-32-8", Some("1.32.8")),
    ];
    let (before, after) = (release(&images[..3]), release(&images));
    let line = "    1.32: 'a v1.32.6+rke2r1 b v1.32.6 c v1.32.8'\n";
    let added = go(&["add"], map, [&before, &after], |_| true);
    assert_eq!(added, (format!("{map}{line}"), vec![]));
    // Without an image of one of the flavors there is no line, and the lack is told.
    let (text, notes) = go(&["add"], map, [&before, &release(&images[..5])], |_| true);
    assert_eq!(text, map);
    insta::assert_snapshot!(notes.concat(), @"v.yaml: _internal.k8s_version_map has no 1.32, which listed images have; add it by hand");
    // The other way round the line goes.
    let removed = go(&["remove"], &format!("{map}{line}"), [&after, &before], |_| true);
    assert_eq!(removed, (map.to_owned(), vec![]));
    assert_eq!(go(&["add"], &format!("{map}{line}"), [&after, &before], |_| true).0, format!("{map}{line}"));
}
