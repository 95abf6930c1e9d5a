//! What Helm reads is edited, or refused with the true reason; what it could not read afterwards is not written.

use dibump::values::{Change, Document, EditError, KeyPath, NewValue};

fn path(text: &str) -> KeyPath {
    text.parse().expect("a path")
}

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn refusal(text: &str) -> String {
    Document::parse(text.as_bytes().to_vec()).expect_err(text).to_string()
}

fn set() -> Change {
    Change::SetScalar { path: path("version"), value: "0.4.12".to_owned() }
}

fn rename(entry: usize) -> Change {
    Change::Rename { mapping: path("images"), entry, to: "b-2".to_owned() }
}

fn insert() -> Change {
    let (mapping, key) = (path("images"), "x".to_owned());
    Change::Insert { mapping, before: None, above_comments: false, key, value: NewValue::Fields(Vec::new()) }
}

#[test]
fn tabs_where_helm_takes_them_stay() {
    for text in [
        "version:\t0.4.11\nimages:\n  b-1: {}\n",
        "version: 0.4.11\t# by hand\nimages:\n  b-1: {}\n",
        "version: 0.4.11\nimages:\n  b-1:\t{}\n",
        "version: 0.4.11\nimages:\t# list\n  b-1:\n    enabled:\ttrue\t# why\n",
        "version: 0.4.11\nimages: {\tb-1:\t{},\tc: ~\t}\n",
        "version:\t'0.4.11'\r\nimages:\r\n  b-1:\t{}\r\n",
        "\u{feff}version:\t0.4.11\nimages:\n  b-1:\t{}\n",
        "%YAML 1.1\n---\nversion:\t0.4.11\nimages:\n  b-1: {}\n",
        "a:\t1\n---\nversion:\t0.4.11\nimages:\n  b-1: {}\n---\nb:\t2\n",
        "a: [1,\t2]\nversion: 0.4.11\nimages:\n  b-1: {}\nc:\t|\n  text\n",
    ] {
        let edited =
            document(text).edit(&[set(), rename(0)]).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert_eq!(edited.text(), text.replace("0.4.11", "0.4.12").replace("b-1", "b-2"));
    }
}

#[test]
fn a_brace_at_the_beginning_of_a_line_ends_a_mapping() {
    let text = "version: 0.4.11\nimages: {\n  \"b-1\": {},\n  \"c\": {}\n}\nafter: 1\n";
    let edited = document(text).edit(&[set(), rename(0)]).expect("Helm reads it");
    assert_eq!(edited.text(), text.replace("0.4.11", "0.4.12").replace("b-1", "b-2"));
}

#[test]
fn an_edit_that_helm_could_not_read_is_refused() {
    let text = "version: 0.4.11\nimages:\n  b-1:\n    enabled: true\n     \t\nafter: 1\n";
    document(text).edit(&[set()]).expect("Helm reads the line of blanks as part of the value");
    let error = document(text).edit(&[insert()]).expect_err("not any more");
    assert!(matches!(error, EditError::Unreadable { reader: "Helm", .. }), "{error}");
    assert!(error.to_string().starts_with("6:"), "{error}");
}

#[test]
fn tabs_that_no_reader_takes_are_told() {
    assert_eq!(refusal("a:\n\tb: 1\n"), "2:1: a tab as indentation (YAML allows spaces only)");
    assert_eq!(refusal("x:\n    c: [1,\n  \t  2]\n"), "3:3: a tab as indentation (YAML allows spaces only)");
}

#[test]
fn a_pointer_of_git_lfs_is_told() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:2d6c\nsize 4743\n";
    assert_eq!(refusal(pointer), "1:1: a Git LFS pointer, not the file itself");
    let quoted = format!("version: 1\nnote: |\n  {}", pointer.replace('\n', "\n  "));
    assert_eq!(document(&quoted).scalar(&path("version")).expect("readable").expect("there").value, "1");
}

#[test]
fn lines_of_a_template_are_told_where_they_are_the_reason() {
    let template = |at: &str| format!("{at}: a template action; the file is not YAML before it is rendered");
    for (text, at) in [
        ("a: 1\nextra:\n  {{- range .Values.list }}\n  - {{ . }}\n  {{- end }}\n", "3:3"),
        ("{{ if .Values.a }}\na: 1\n{{ end }}\n", "1:1"),
        ("a: 1\n{{- if .Values.a }}\nb: 2\n{{- end }}\n", "2:1"),
        ("a: {{ .Values.a }}-{{ .Values.b }}\nc: 1\n", "1:4"),
        ("# {{ no }}\na: 1\n{% if x %}\nb: 2\n{% endif %}\n", "3:1"),
        ("{{- /*\n  comment\n*/ -}}\na: 1\n", "1:1"),
    ] {
        assert_eq!(refusal(text), template(at), "{text}");
    }
    for text in ["a: |\n  {{ x }}\nb: [1\nc: 2\n", "a: '{{ x }}'\nb: ]\n", "# {{ x }}\na: b: c\n"] {
        assert!(refusal(text).contains("not YAML"), "{}", refusal(text));
    }
}

#[test]
fn what_is_in_the_way_of_a_path_is_told() {
    let text = "images:\n  - name: dib\n    keys: {a: {}}\nspec:\n  helm:\n    values: |\n      version: 1\n";
    let obstacle = |at: &str| document(text).obstacle(&path(at)).map(|error| error.to_string());
    let list = Some("2:3: `images` is a list; a path through a list is not supported".to_owned());
    for at in ["images.keys", "images.0.keys", "images[0].keys", "images[*].keys.a"] {
        assert_eq!(obstacle(at), list, "{at}");
    }
    let inside = Some("7:7: `spec.helm.values` is a text, not a mapping".to_owned());
    assert_eq!(obstacle("spec.helm.values.version"), inside);
    assert_eq!(document(text).text_with("version").map(|error| error.to_string()), inside);
    assert_eq!(obstacle("spec.other.version"), None);
    assert_eq!(document(text).text_with("name"), None);
}

/// A file as sops writes it; `more` stands in its metadata.
fn by_sops(more: &str) -> String {
    let secret = "ENC[AES256_GCM,data:aGVs,iv:AAAA,tag:AAAA,type:str]";
    let values = "version: 0.4.11\nimages:\n  b-1: {}\n  c-1:\n    token: SECRET\n";
    let metadata = "sops:\n    lastmodified: \"2026-05-21T15:21:04Z\"\n    mac: SECRET\n    version: 3.8.1\n";
    format!("{values}password: SECRET\n{metadata}{more}").replace("SECRET", secret)
}

#[test]
fn what_sops_keeps_a_checksum_of_is_not_edited() {
    for text in [
        by_sops(""),
        by_sops("    mac_only_encrypted: false\n"),
        format!("{}---\nother: 1\n", by_sops("")),
        format!("other: 1\n---\n{}", by_sops("")),
        "{\"version\": \"0.4.11\", \"images\": {\"b-1\": {}}, \"sops\": {\"mac\": \"ENC[x]\"}}".to_owned(),
    ] {
        let document = document(&text);
        let error = document.edit(&[set()]).expect_err(&text);
        assert!(matches!(error, EditError::Sops { .. }), "{error}");
        assert_eq!(document.edit(&[]).expect("nothing changes").text(), text);
    }
    for text in ["version: 0.4.11\nsops: {enabled: true}\n", "version: 0.4.11\nchart:\n  sops: {mac: x}\n"] {
        assert!(document(text).edit(&[set()]).is_ok(), "{text}");
    }
}

#[test]
fn where_sops_has_a_checksum_of_encrypted_values_only_all_others_may_change() {
    let text = by_sops("    mac_only_encrypted: true\n");
    let edited = document(&text).edit(&[set(), rename(0), insert()]).expect("plain values");
    let expected = text.replace("0.4.11", "0.4.12").replace("b-1", "b-2");
    assert_eq!(edited.text(), expected.replace("password:", "  x: {}\npassword:"));
    // An encrypted value is bound to the path of its key.
    for change in [
        rename(1),
        Change::Remove { mapping: path("images"), entry: 1, with_comments_above: false },
        Change::Insert {
            mapping: path("images"),
            before: None,
            above_comments: false,
            key: "x".to_owned(),
            value: NewValue::Like(1),
        },
    ] {
        let error = document(&text).edit(&[change]).expect_err("encrypted");
        reads!(error.to_string(), @"4:3: `c-1` holds a value that sops encrypted, and can only be changed with sops");
    }
    let error = document(&text).scalar(&path("password")).expect_err("encrypted");
    reads!(error.to_string(), @"6:11: `password` is encrypted by sops");
}
