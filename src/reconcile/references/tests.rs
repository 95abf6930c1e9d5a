//! Names in small files, and what became of them.

use super::*;
use crate::reconcile::{Because, Images, Removed, Renamed};
use crate::release::Artifact;
use crate::values::Document;

fn renamed(from: &str, to: &str) -> Renamed {
    let (from, to) = (from.to_owned(), to.parse().unwrap());
    Renamed { from, to, line: None, os_release: None, at: Position { line: 1, column: 1 } }
}

fn removed(key: &str, why: Departure) -> Removed {
    let at = Position { line: 1, column: 1 };
    Removed { key: key.to_owned(), line: None, why, enabled: false, at }
}

fn reconciliation() -> Reconciliation {
    let first = Position { line: 1, column: 1 };
    Reconciliation {
        version: "0.4.12".parse().unwrap(),
        policy: Images::Follow,
        because: Because::Configured,
        changes: Vec::new(),
        version_may_move: true,
        kept: Vec::new(),
        renamed: vec![renamed("a-1-30-11", "a-1-30-12"), renamed("b-1-30-11", "b-1-30-12")],
        added: Vec::new(),
        removed: vec![
            removed("old-1-29-1", Departure::LineGone),
            removed("twice", Departure::Repeated { first }),
        ],
        os_changes: Vec::new(),
        moved_defaults: Vec::new(),
        suggested: Vec::new(),
        foreign: Vec::new(),
        templates: Vec::new(),
        dead: Vec::new(),
        notes: Vec::new(),
    }
}

/// Releases before and after; kubeadm is in no mapping.
fn releases() -> (Release, Release) {
    let release = |version: &str, names: &[&str]| {
        let artifact = |name: &&str| Artifact::named(name.parse().unwrap(), &Naming::default());
        Release::complete(version.parse().unwrap(), names.iter().map(artifact))
    };
    let before = ["x-y-plain-kubeadm-1-30-8", "x-y-plain-kubeadm-1-30-7", "x-y-plain-kubeadm-1-29-1"];
    (release("0.4.11", &before), release("0.4.12", &["x-y-plain-kubeadm-1-30-9"]))
}

/// The text with references followed, and what dangles.
fn followed(text: &str) -> (String, Vec<String>) {
    let mapping = reconciliation();
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let ((current, wanted), naming) = (releases(), Naming::default());
    let ownership = Ownership::of_registry("sylva");
    let releases =
        BothReleases { current: Some(&current), wanted: &wanted, naming: &naming, ownership: &ownership };
    let moves = Moves::new(releases, &BTreeSet::new(), [&mapping]);
    let here = Here::read(&document, KeysHere { version: &["version"], mapping: &["images"] }, &ownership);
    let found = moves.follow(&document, &here, &[]);
    let edited = document.edit(&found.changes).unwrap();
    let told = found.dangling.iter().map(|dangling| format!("{}: {dangling}", dangling.at));
    (edited.text().to_owned(), told.collect())
}

#[test]
fn values_items_and_keys_follow_and_every_other_byte_stays() {
    let text = "\u{feff}# a-1-30-11\r\nkey: a-1-30-11  # a-1-30-11\r\nlist: [ 'a-1-30-11',\"b-1-30-11\" ]\r\n\
                    map:\r\n   a-1-30-11: {x: a-1-30-110}\r\n   \"b-1-30-11\":   1\r\nsay: use a-1-30-110\r\n";
    let expected = "\u{feff}# a-1-30-11\r\nkey: a-1-30-12  # a-1-30-11\r\nlist: [ 'a-1-30-12',\"b-1-30-12\" ]\r\n\
                    map:\r\n   a-1-30-12: {x: a-1-30-110}\r\n   \"b-1-30-12\":   1\r\nsay: use a-1-30-110\r\n";
    assert_eq!(followed(text), (expected.to_owned(), vec![]));
}

#[test]
fn anchors_lead_aliases_along() {
    let text = "x: &k a-1-30-11\ny: *k\n---\n- a-1-30-11\n";
    let expected = "x: &k a-1-30-12\ny: *k\n---\n- a-1-30-12\n";
    assert_eq!(followed(text), (expected.to_owned(), vec![]));
}

#[test]
fn a_quoted_key_inside_of_a_template_follows() {
    let text = "\
a: '{{ eq .x \"1\" | ternary \"a-1-30-11\" \"sylva--b-1-30-11\" }}'
b: >-
  {{- $key := \"a-1-30-11\" -}}
  {{- $key -}}
'{{ \"a-1-30-11\" }}': 1
c: oci://host/a-1-30-11:0.4.11
d: |
  key: old-1-29-1
";
    let (after, told) = followed(text);
    let expected = text
        .replace("\"1\" | ternary \"a-1-30-11\"", "\"1\" | ternary \"a-1-30-12\"")
        .replace("sylva--b-1-30-11", "sylva--b-1-30-12")
        .replace(":= \"a-1-30-11\"", ":= \"a-1-30-12\"");
    assert_eq!(after, expected);
    assert_eq!(
        told,
        [
            "5:6: a-1-30-11 becomes a-1-30-12; change it by hand, because it is part of a longer text",
            "6:15: a-1-30-11 becomes a-1-30-12; change it by hand, because it is part of a longer text",
            "8:8: old-1-29-1 is named here and leaves the mapping: its series is not published any more",
        ]
    );
}

#[test]
fn the_name_of_our_registry_stays_before_the_key_and_another_ones_is_not_ours() {
    let text = "a: sylva--a-1-30-11\nb: kiwi--a-1-30-11\n";
    assert_eq!(followed(text), ("a: sylva--a-1-30-12\nb: kiwi--a-1-30-11\n".to_owned(), vec![]));
}

#[test]
fn a_key_that_no_mapping_of_the_target_lists_follows_its_line() {
    let text = "\
images:
  x-y-plain-kubeadm-1-30-7: {}
  x-y-plain-kubeadm-1-30-8: {enabled: true}
  x-y-plain-kubeadm-1-30-6: {os_images_oci_registry: mirror}
  a-1-30-11: {os_images_oci_registry: mirror}
old: x-y-plain-kubeadm-1-30-7
new: [x-y-plain-kubeadm-1-30-8, x-y-plain-kubeadm-1-30-6]
gone: x-y-plain-kubeadm-1-29-1
";
    let expected = text
        .replace("1-30-8", "1-30-9")
        .replace("old: x-y-plain-kubeadm-1-30-7", "old: x-y-plain-kubeadm-1-30-9");
    let told = [
        "2:3: x-y-plain-kubeadm-1-30-7 stays, because x-y-plain-kubeadm-1-30-9 is next to it already",
        "5:3: a-1-30-11 is an image of the registry `mirror` here and stays; the mapping does not have this key any more",
        "8:7: x-y-plain-kubeadm-1-29-1 is named here and leaves the mapping: its series is not published any more",
    ];
    assert_eq!(followed(text), (expected.clone(), told.map(str::to_owned).to_vec()));
    let (again, _) = followed(&expected);
    assert_eq!(again, expected, "a second time changes nothing");
}

#[test]
fn the_users_own_image_is_not_taken_away_by_a_release() {
    let text = "os_images:\n  x-y-plain-kubeadm-1-30-8: {uri: mine}\nkey: x-y-plain-kubeadm-1-30-8\n";
    assert_eq!(followed(text), (text.to_owned(), vec![]));
    let text = "os_images: {a-1-30-11: {uri: mine}}\n";
    assert_eq!(followed(text).0, "os_images: {a-1-30-12: {uri: mine}}\n", "the mapping has this key");
}

#[test]
fn a_version_of_its_own_is_found_at_any_depth_and_a_template_is_none() {
    let table = [
        ("version: 0.4.11\n", Some("1:10")),
        ("spec: {values: {version: '0.4'}}\n", Some("1:26")),
        ("list:\n- version: 1\n", Some("2:12")),
        ("version: '{{ .Values.version }}'\n", None),
        ("version:\n", None),
        ("versions: 1\n", None),
    ];
    for (text, at) in table {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let keys = KeysHere { version: &["version"], mapping: &["images"] };
        let here = Here::read(&document, keys, &Ownership::default());
        assert_eq!(here.version.map(|at| at.to_string()).as_deref(), at, "{text}");
    }
}

#[test]
fn a_key_that_goes_is_reported_and_stays() {
    let (text, told) = followed("images:\n  - old-1-29-1\n  - twice\n");
    assert_eq!(text, "images:\n  - old-1-29-1\n  - twice\n");
    assert_eq!(
        told,
        ["2:5: old-1-29-1 is named here and leaves the mapping: its series is not published any more"]
    );
}

#[test]
fn a_key_never_comes_to_stand_twice_in_a_mapping() {
    let (text, told) = followed("m: {a-1-30-11: 1, a-1-30-12: 2}\nn: a-1-30-11\n");
    assert_eq!(text, "m: {a-1-30-11: 1, a-1-30-12: 2}\nn: a-1-30-12\n");
    assert_eq!(told, ["1:5: a-1-30-11 stays, because a-1-30-12 is next to it already"]);
}

#[test]
fn what_is_not_in_one_line_is_reported() {
    let (text, told) = followed("m: |-\n  a-1-30-11\n");
    assert_eq!(text, "m: |-\n  a-1-30-11\n");
    assert_eq!(
        told,
        ["2:3: a-1-30-11 becomes a-1-30-12; change it by hand, because it is not written in one line"]
    );
}
