use std::collections::BTreeSet;

use super::list::NoValue;
use super::*;
use crate::reconcile::kubernetes_versions::{BroughtVersions, MapLines};
use crate::release::{Digest, K8sVersion};
use crate::values::Document;

fn rule() -> ValuesFrom {
    ValuesFrom {
        url: ListUrl::new("https://lists.example/v{k8s_version}/charts.yaml").unwrap(),
        find: ("filename".to_owned(), "/charts/rke2-calico.yaml".to_owned()),
        take: "version".to_owned(),
        to: "units.calico.helm_chart_versions".parse().unwrap(),
        k8s_flavor: "rke2".to_owned(),
    }
}

#[test]
fn a_url_has_the_version_with_its_plus_escaped() {
    let version: K8sVersion = "v1.30.14+rke2r1".parse().unwrap();
    assert_eq!(rule().url.of(&version), "https://lists.example/v1.30.14%2Brke2r1/charts.yaml");
    for text in ["https://a.example/", "https://a.example/{x}/{k8s_version}", "{k8s_version}{k8s_version}"] {
        assert_eq!(ListUrl::new(text), Err(InvalidListUrl), "{text}");
    }
}

#[test]
fn a_list_tells_the_value_of_one_item() {
    let value =
        |text: &str| VersionList::parse(text.as_bytes()).map(|list| list.value(&rule()).map(str::to_owned));
    let calico = "- {version: v3.29.300, filename: /charts/rke2-calico.yaml, bootstrap: true}\n";
    let of = |text: &str| value(text).unwrap();
    assert_eq!(of(calico), Ok("v3.29.300".to_owned()));
    assert_eq!(of(&format!("charts:\n{calico}")), Ok("v3.29.300".to_owned()));
    assert_eq!(of(&format!("{calico}{calico}")), Ok("v3.29.300".to_owned()), "twice the same");
    // As it is written: YAML makes 1.47.003 no number, and what it makes one of is refused.
    assert_eq!(of("- {version: 1.47.003, filename: /charts/rke2-calico.yaml}\n"), Ok("1.47.003".to_owned()));
    for (text, why) in [
        (
            "- {version: a1, filename: /charts/rke2-canal.yaml}\n".to_owned(),
            "it has no item whose `filename` is `/charts/rke2-calico.yaml`",
        ),
        (
            format!("{calico}- {{version: v3.29.301, filename: /charts/rke2-calico.yaml}}\n"),
            "2 items have the `filename` `/charts/rke2-calico.yaml` and different values of `version`",
        ),
        ("- {filename: /charts/rke2-calico.yaml}\n".to_owned(), "its item has no text in `version`"),
        (
            "- {version: [a], filename: /charts/rke2-calico.yaml}\n".to_owned(),
            "its item has no text in `version`",
        ),
        (
            "- {version: 1.10, filename: /charts/rke2-calico.yaml}\n".to_owned(),
            r#"its `version` is "1.10", which cannot be a version"#,
        ),
        (
            "- {version: 'v1: {{ x }}', filename: /charts/rke2-calico.yaml}\n".to_owned(),
            r#"its `version` is "v1: {{ x }}", which cannot be a version"#,
        ),
    ] {
        assert_eq!(of(&text).map_err(|error: NoValue| error.to_string()), Err(why.to_owned()), "{text}");
    }
    for text in ["", "a: b\n", "- a\n", "a: [{b: c}]\nd: [{e: f}]\n", "<html>&nbsp;</html>", "a: [\n"] {
        assert!(value(text).is_err(), "{text}");
    }
}

fn listed(from: Option<&str>, to: &str, value: &str) -> ListedValue {
    ListedValue {
        from: from.map(|text| text.parse().unwrap()),
        to: to.parse().unwrap(),
        value: value.to_owned(),
        url: "https://lists.example/".to_owned(),
        digest: Digest::of(b""),
    }
}

/// The text after following, or what is said.
fn followed(text: &str, listed: &[ListedValue], brought: &BroughtVersions, lines: MapLines) -> String {
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let map = VersionMap::read("f", &document, &"m".parse().unwrap()).unwrap().unwrap();
    let followed = map.follow(brought, listed, lines);
    let after = document.edit(&followed.changes).unwrap().document.text().to_owned();
    let again = Document::parse(after.clone().into_bytes()).unwrap();
    let map = VersionMap::read("f", &again, &"m".parse().unwrap()).unwrap().unwrap();
    let misfits = listed.iter().filter_map(|listed| map.misfit(&listed.to, &listed.value)).count();
    assert_eq!(
        misfits == 0,
        followed.notes.iter().all(|note| note.ends_with("as well")),
        "{:?}",
        followed.notes
    );
    followed.notes.into_iter().fold(after, |after, note| format!("{after}# {note}\n"))
}

#[test]
fn entries_by_ranges_get_the_names_that_the_lists_have() {
    let none = MapLines::default();
    let (lower, upper) = (">=1.28.0,<1.30.0", ">=1.30.0");
    let range = |range: &str| {
        format!(
            r#">-
    {{{{ include "k8s-version-match" (tuple "{range}" .Values._internal.k8s_version) }}}}"#
        )
    };
    let two = |lowest: &str, highest: &str| {
        format!("m:\n  {lowest}: {}\n  {highest}: {}\n", range(lower), range(upper))
    };
    let file = two("v3.29.200", "v3.29.201");
    let [v29, v30, v31] = ["1.29.15+rke2r1", "1.30.12+rke2r1", "1.31.8+rke2r1"];
    let both = [listed(Some("1.30.11+rke2r1"), v30, "v3.29.300"), listed(None, v31, "v3.29.300")];
    let stays = BroughtVersions { stay: vec!["1.30.1+rke2r1".parse().unwrap()], ..Default::default() };
    insta::assert_snapshot!(followed(&file, &both, &stays, none), @r#"
    m:
      v3.29.200: >-
        {{ include "k8s-version-match" (tuple ">=1.28.0,<1.30.0" .Values._internal.k8s_version) }}
      v3.29.300: >-
        {{ include "k8s-version-match" (tuple ">=1.30.0" .Values._internal.k8s_version) }}
    # f:4:3: `m`: v3.29.300 is then for Kubernetes 1.30.1+rke2r1 as well
    "#);
    insta::assert_snapshot!(followed(&file, &[listed(None, v29, "v3.29.200")], &stays, none), @r#"
    m:
      v3.29.200: >-
        {{ include "k8s-version-match" (tuple ">=1.28.0,<1.30.0" .Values._internal.k8s_version) }}
      v3.29.201: >-
        {{ include "k8s-version-match" (tuple ">=1.30.0" .Values._internal.k8s_version) }}
    "#);
    let apart = [listed(None, v30, "v3.29.201"), listed(None, v31, "v3.29.300")];
    insta::assert_snapshot!(followed(&file, &apart, &stays, none), @r#"
    m:
      v3.29.200: >-
        {{ include "k8s-version-match" (tuple ">=1.28.0,<1.30.0" .Values._internal.k8s_version) }}
      v3.29.201: >-
        {{ include "k8s-version-match" (tuple ">=1.30.0" .Values._internal.k8s_version) }}
    # f:4:3: `m` does not follow its list: one entry is for versions of which the lists have v3.29.201 for 1.30.12+rke2r1, v3.29.300 for 1.31.8+rke2r1; split it by hand
    "#);
    insta::assert_snapshot!(followed(&file, &[listed(None, v29, "v3.29.201")], &stays, none), @r#"
    m:
      v3.29.200: >-
        {{ include "k8s-version-match" (tuple ">=1.28.0,<1.30.0" .Values._internal.k8s_version) }}
      v3.29.201: >-
        {{ include "k8s-version-match" (tuple ">=1.30.0" .Values._internal.k8s_version) }}
    # f:2:3: `m` does not follow its list: v3.29.201 would be written twice; join its entries by hand
    "#);
    insta::assert_snapshot!(followed(&file, &[listed(None, "1.27.16+rke2r1", "v3.26.0")], &stays, none), @r#"
    m:
      v3.29.200: >-
        {{ include "k8s-version-match" (tuple ">=1.28.0,<1.30.0" .Values._internal.k8s_version) }}
      v3.29.201: >-
        {{ include "k8s-version-match" (tuple ">=1.30.0" .Values._internal.k8s_version) }}
    # f:2:3: `m` does not follow its list: no entry is for Kubernetes 1.27.16+rke2r1; add one of v3.26.0 by hand
    "#);
    // A minor that is new leaves the name to the version that stays.
    let new = followed(&file, &[listed(None, v31, "v3.29.300")], &stays, none);
    let told = "one entry is for Kubernetes 1.30.1+rke2r1, which stays, and for 1.31.8+rke2r1, of which the list has \
                v3.29.300; split it by hand";
    assert_eq!(new, format!("{file}# f:4:3: `m` does not follow its list: {told}\n"));
    let all = "m:\n  v3.29.200: true\n  v3.29.201: true\n";
    insta::assert_snapshot!(followed(all, &[listed(None, v29, "v3.26.0")], &stays, none), @r#"
    m:
      v3.29.200: true
      v3.29.201: true
    # f:2:3: `m` does not follow its list: several entries are for Kubernetes 1.29.15+rke2r1; leave one of them by hand
    "#);
}

#[test]
fn entries_by_kubernetes_versions_get_the_values_that_the_lists_have() {
    let (none, both) = (MapLines::default(), MapLines { add: true, remove: true });
    let nothing = BroughtVersions::default();
    let minors = "m:\n  # newest\n  1.31: v3.29.200 # calico\n  \"1.30\": 'v3.29.100'\n  1.29: v3.1\n";
    let versions = "m: {v1.31.7+rke2r1: v3.29.200, v1.30.11+rke2r1: v3.29.100}\n";
    let newer = [listed(Some("1.31.7+rke2r1"), "1.31.8+rke2r1", "v3.29.300")];
    let added = [listed(None, "1.32.4+rke2r1", "v3.29.301")];
    let left = BroughtVersions {
        left: BTreeSet::from(["1.29".parse::<K8sVersion>().unwrap().minor]),
        ..nothing.clone()
    };
    insta::assert_snapshot!(followed(minors, &newer, &nothing, none), @r#"
    m:
      # newest
      1.31: v3.29.300 # calico
      "1.30": 'v3.29.100'
      1.29: v3.1
    "#);
    insta::assert_snapshot!(followed(versions, &newer, &nothing, none), @"m: {v1.31.8+rke2r1: v3.29.300, v1.30.11+rke2r1: v3.29.100}");
    insta::assert_snapshot!(followed(minors, &added, &nothing, none), @r#"
    m:
      # newest
      1.31: v3.29.200 # calico
      "1.30": 'v3.29.100'
      1.29: v3.1
    # f:3:3: `m` does not follow its list: no entry is for Kubernetes 1.32; add it with v3.29.301 by hand
    "#);
    insta::assert_snapshot!(followed(minors, &added, &left, both), @r#"
    m:
      1.32: v3.29.301
      # newest
      1.31: v3.29.200 # calico
      "1.30": 'v3.29.100'
    "#);
    insta::assert_snapshot!(followed(versions, &added, &nothing, both), @"m: {v1.32.4+rke2r1: v3.29.301, v1.31.7+rke2r1: v3.29.200, v1.30.11+rke2r1: v3.29.100}");
    let template = "m: {1.31: '{{ .Values.calico }}'}\n";
    let document = Document::parse(template.as_bytes().to_vec()).unwrap();
    let map = VersionMap::read("f", &document, &"m".parse().unwrap()).unwrap().unwrap();
    insta::assert_snapshot!(map.follow(&nothing, &newer, none).notes.join("\n"), @"f:1:5: `m` does not follow its list: it is not written out; set v3.29.300 for 1.31.8+rke2r1 by hand");
}

#[test]
fn entries_that_cannot_be_understood_stay() {
    let file = "m:\n  v3.25.001: '{{ not .Values.is_new }}'\n  v3.26.101: '{{ .Values.is_new }}'\n";
    let document = Document::parse(file.as_bytes().to_vec()).unwrap();
    let map = VersionMap::read("f", &document, &"m".parse().unwrap()).unwrap().unwrap();
    let listed = listed(None, "1.26.9+rke2r1", "v3.26.300");
    let done = map.follow(&BroughtVersions::default(), std::slice::from_ref(&listed), MapLines::default());
    assert_eq!((done.changes, map.misfit(&listed.to, &listed.value)), (Vec::new(), None));
    let told = "for which versions it counts is not understood; set v3.26.300 for 1.26.9+rke2r1 by hand";
    assert_eq!(done.notes, [format!("f:2:3: `m` does not follow its list: {told}")]);
}

#[test]
fn what_is_no_such_map_is_told_with_its_place() {
    let read = |text: &str| {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let map = VersionMap::read("f", &document, &"m".parse().unwrap());
        map.map(|map| map.is_some()).map_err(|error| error.to_string())
    };
    assert_eq!(read("a: b\n"), Ok(false));
    for text in [
        "m: v1\n",
        "m: [a]\n",
        "m: {}\n",
        "m:\n",
        "m: {1.31: {a: b}}\n",
        "m: {1.31: [a]}\n",
        "m: {1.31: }\n",
        "m: {calico: v3}\n",
        "a: &a {1.31: v1}\nm: *a\n",
    ] {
        assert!(read(text).is_err_and(|error| error.contains(':')), "{text}");
    }
}
