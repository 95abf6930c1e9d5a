//! What is refused, and where it says that the trouble is.

use dibump::values::{
    Change, Document, EditError, KeyPath, MappingStyle, NewValue, Replacement, SIZE_LIMIT, Text,
};

fn path(text: &str) -> KeyPath {
    text.parse().expect("a path")
}

fn document(text: &str) -> Document {
    Document::parse(text.as_bytes().to_vec()).expect("readable")
}

fn refusal(bytes: &[u8]) -> String {
    Document::parse(bytes.to_vec()).expect_err("a refusal").to_string()
}

fn mapping_refusal(text: &str) -> String {
    document(text).mapping(&path("images")).expect_err("a refusal").to_string()
}

fn scalar_refusal(text: &str) -> String {
    document(text).scalar(&path("version")).expect_err("a refusal").to_string()
}

fn remove(entry: usize) -> Change {
    Change::Remove { mapping: path("images"), entry, with_comments_above: false }
}

fn insert(like: usize) -> Change {
    let (mapping, key) = (path("images"), "new".to_owned());
    Change::Insert { mapping, before: None, above_comments: false, key, value: NewValue::Like(like) }
}

fn edit_refusal(text: &str, changes: &[Change]) -> String {
    document(text).edit(changes).expect_err("a refusal").to_string()
}

#[test]
fn a_file_that_is_no_yaml_is_refused_with_line_and_column() {
    assert!(refusal(b"a: 1\nb: [1\nc: 2\n").starts_with("3:"), "{}", refusal(b"a: 1\nb: [1\nc: 2\n"));
    assert_eq!(refusal(b"a:\n\tb: 1\n"), "2:1: a tab as indentation (YAML allows spaces only)");
    assert_eq!(refusal(b"a: 1\nb: \xff\n"), "2:4: not UTF-8 (byte 8)");
    let large = format!("the file has {} bytes (at most {SIZE_LIMIT} are read)", SIZE_LIMIT + 1);
    assert_eq!(refusal(&vec![b'#'; SIZE_LIMIT + 1]), large);
}

#[test]
fn what_is_written_twice_alike_is_read_but_not_changed() {
    let set = Change::SetScalar { path: path("version"), value: "1.0.1".to_owned() };
    let text = "version: 1.0.0\nimages: {}\nversion: 1.0.0\n";
    assert_eq!(document(text).scalar(&path("version")).expect("readable").expect("there").value, "1.0.0");
    let said = "3:1: `version` is written twice, first at 1:1; remove one of them";
    assert_eq!(edit_refusal(text, &[set]), said);
    let text = "images:\n  a: {}\n  b: {}\nimages: {a: {}, b: {}}\n";
    let said = "4:1: `images` is written twice, first at 1:1; remove one of them";
    assert_eq!(edit_refusal(text, &[remove(0)]), said);
}

#[test]
fn a_version_that_is_no_scalar_is_refused() {
    let cases = [
        ("x: &v 1.0.0\nversion: *v\n", "2:10: `version` is an alias, and can only be changed at its anchor"),
        ("version: '{{ .Values.v }}'\n", "1:10: `version` is a template, which only Helm can read"),
        ("version: {{ .Values.v }}\n", "1:10: `version` is a template, which only Helm can read"),
        ("version: {a: 1}\n", "1:10: `version` is a mapping (expected a scalar)"),
        ("version:\n- 1\n", "2:3: `version` is a list (expected a scalar)"),
        (
            "version: 1.0.0\nversion: 1.0.1\n",
            "2:1: `version` is written twice with different values, first at 1:1",
        ),
        (
            "version: 1.0.0\n---\nversion: 1.0.0\n",
            "3:1: `version` is in two documents of the file, first at 1:1",
        ),
    ];
    for (text, said) in cases {
        assert_eq!(scalar_refusal(text), said);
    }
    assert_eq!(document("a: 1\n").scalar(&path("version")), Ok(None));
    let twice = document("version: 1.0.0\nversion: \"1.0.0\"\n").scalar(&path("version"));
    assert_eq!(twice.expect("equal").expect("there").value, "1.0.0");
}

#[test]
fn a_mapping_that_cannot_be_reconciled_is_refused() {
    let cases = [
        ("x: &i {a: {}}\nimages: *i\n", "2:9: `images` is an alias, and can only be changed at its anchor"),
        ("images: \"{{ .Values.i }}\"\n", "1:9: `images` is a template, which only Helm can read"),
        ("images: {{ .Values.i }}\n", "1:9: `images` is a template, which only Helm can read"),
        ("images: {a: {}, {b}: {}}\n", "1:9: `images` is a template, which only Helm can read"),
        ("images: [a]\n", "1:9: `images` is a list (expected a mapping)"),
        ("images: none\n", "1:9: `images` is a scalar (expected a mapping)"),
        (
            "x: &i {a: {}}\nimages:\n  <<: *i\n",
            "3:3: `images` has a merge key `<<`, so some of its entries are written elsewhere",
        ),
    ];
    for (text, said) in cases {
        assert_eq!(mapping_refusal(text), said);
    }
    let style = |text: &str| document(text).mapping(&path("images")).expect("a mapping").map(|m| m.style);
    assert_eq!(style("images: {}\n"), Some(MappingStyle::Flow));
    assert_eq!(style("images: ~\n"), Some(MappingStyle::Null));
    assert_eq!(style("images:\n"), Some(MappingStyle::Null));
    assert_eq!(style("images:\n  a:\n"), Some(MappingStyle::Block));
    assert_eq!(style("other: 1\n"), None);
}

#[test]
fn an_edit_that_is_not_safe_is_refused() {
    assert_eq!(
        edit_refusal("images:\n  a: {}\n", &[remove(0)]),
        "1:1: the edit empties the mapping `images`"
    );
    let anchored = "images:\n  a: &x {}\n  b: *x\n  c: {}\n";
    assert_eq!(edit_refusal(anchored, &[remove(0)]), "2:6: the anchor in `a` is used elsewhere");
    assert_eq!(edit_refusal(anchored, &[insert(0)]), "2:6: the anchor in `a` is used elsewhere");
    assert_eq!(edit_refusal(anchored, &[insert(1)]), "3:6: `b` holds an alias, and is not copied");
    assert!(document(anchored).edit(&[remove(1)]).is_ok());
    let commented = "images: {a: {}, # about a\n  b: {}}\n";
    assert_eq!(
        edit_refusal(commented, &[remove(0)]),
        "1:17: cannot be edited safely: a comment between entries in braces"
    );
    assert_eq!(edit_refusal("images:\n  a: {}\n", &[remove(3)]), "`images` has no entry number 3");
    assert_eq!(edit_refusal("a: 1\n", &[remove(0)]), "`images` was not found");
    let set = Change::SetScalar { path: path("v"), value: "2".to_owned() };
    assert_eq!(
        edit_refusal("v: |\n  1\n", std::slice::from_ref(&set)),
        "2:3: cannot be edited safely: the value has more than one line"
    );
    assert_eq!(
        edit_refusal("images:\n  ? a\n  : {}\n  b: {}\n", &[remove(0)]),
        "2:5: cannot be edited safely: the entry does not begin its line"
    );
}

#[test]
fn one_entry_changed_in_two_ways_is_refused() {
    let rename = |to: &str| Change::Rename { mapping: path("images"), entry: 0, to: to.to_owned() };
    let text = "images:\n  a: {}\n  b: {}\n";
    for changes in [[remove(0), rename("c")], [rename("c"), rename("d")], [remove(0), remove(0)]] {
        assert_eq!(edit_refusal(text, &changes), "entry number 0 of `images` is changed in two ways");
    }
}

#[test]
fn aliases_without_end_are_refused() {
    let itself = document("a: &x\n  b: *x\n").value(&path("a"));
    reads!(itself.expect_err("endless").to_string(), @"2:3: the aliases expand to more than can be read");
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..40 {
        bomb += &format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1);
    }
    assert!(document(&bomb).value(&path("a39")).is_err());
}

#[test]
fn data_resolves_aliases_merge_keys_and_the_booleans_of_helm() {
    let text =
        "base: &b {tag: x, on: no}\nregistries:\n  one:\n    <<: *b\n    tag: '{{ .Values.v }}'\n  two: *b\n";
    let read = document(text).value(&path("registries")).expect("data").expect("there");
    let expected = serde_json::json!({
        "one": {"tag": "{{ .Values.v }}", "true": false},
        "two": {"tag": "x", "true": false},
    });
    assert_eq!(read, expected);
}

#[test]
fn every_place_of_a_text_is_found() {
    let found = document("a: {b: x}\nx: [x, \"x\", xx] # x\n")
        .texts(|said| said == "x")
        .map(|text| text.at)
        .collect::<Vec<_>>();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["1:8", "2:1", "2:5", "2:8"]);
}

#[test]
fn scalars_are_changed_by_themselves_in_the_quotes_that_they_have() {
    let text = "a: &x old  # old\nold: ['old', \"old\", *x]\n? old\n: {old: 1, b: old}\n";
    let read = document(text);
    let set = |text: Text<'_>| Change::SetText { text: text.id, value: "no".to_owned() };
    let changes: Vec<Change> = read.texts(|said| said == "old").map(set).collect();
    let edited = read.edit(&changes).expect("safe").text().to_owned();
    let expected = "a: &x \"no\"  # old\n\"no\": ['no', \"no\", *x]\n? \"no\"\n: {\"no\": 1, b: \"no\"}\n";
    assert_eq!(edited, expected);

    let list = document("- old\n");
    let text = list.texts(|said| said == "old").next().expect("one");
    let change = Change::SetText { text: text.id, value: "new".to_owned() };
    assert_eq!(list.edit(&[change]).expect("safe").text(), "- new\n", "a file need not be a mapping");
}

#[test]
fn parts_of_a_scalar_are_replaced_where_its_bytes_are_what_it_says() {
    let replaced = |text: &str, from: &str| {
        let read = document(text);
        let at = text.find(from).expect("there");
        let range = at..at + from.len();
        let id = read.value_around(&range).expect("a value").id;
        let parts = vec![Replacement { range, text: "1.3".to_owned() }];
        read.edit(&[Change::ReplaceParts { text: id, parts }]).map(|edited| edited.text().to_owned())
    };
    for text in [
        "a: x 1.2 y\n",
        "a: 'it''s 1.2'\n",
        "a: \"\\t\\\"1.2\\\"\"  # 1.2\n",
        "a: >-\n  x\n  1.2\n\n  y\nb: 1.2\n",
        "a: |+\n  {{ 1.2 }}\n\n",
        "a: plain\n  1.2 goes on\n",
    ] {
        assert_eq!(replaced(text, "1.2").expect(text), text.replacen("1.2", "1.3", 1));
    }
    let escaped = replaced("a: \"1.2 1\\x2e2\"\n", "1.2").expect_err("one is written otherwise");
    assert!(matches!(escaped, EditError::Layout { .. }), "{escaped}");
    assert!(document("1.2: 1 # 1.2\n").value_around(&(0..3)).is_none(), "a key is no value");
    assert!(document("1.2: 1 # 1.2\n").value_around(&(9..12)).is_none(), "a comment is no value");
}

#[test]
fn a_scalar_is_not_changed_in_two_ways() {
    let read = document("a: b c\n");
    let id = read.texts(|said| said == "b c").next().expect("one").id;
    let set = Change::SetText { text: id, value: "x".to_owned() };
    let part =
        |range| Change::ReplaceParts { text: id, parts: vec![Replacement { range, text: "x".to_owned() }] };
    let both = read.edit(&[part(3..4), part(5..6)]).expect("apart");
    assert_eq!(both.text(), "a: x x\n");
    for changes in [[set.clone(), set.clone()], [set, part(3..4)]] {
        assert!(matches!(read.edit(&changes), Err(EditError::ChangedTwice { .. })), "{changes:?}");
    }
    assert!(matches!(read.edit(&[part(3..4), part(3..4)]), Err(EditError::Overlap(_))));
    assert!(matches!(read.edit(&[part(0..1)]), Err(EditError::Layout { .. })), "outside of the scalar");
}

#[test]
fn entries_say_what_stands_around_them() {
    let text = "images:\n  # one\n  a: &x {enabled: yes}\n  b: *x\n  c: |\n    x\n\n  # d\n\n  d: 1\n";
    let mapping = document(text).mapping(&path("images")).expect("readable").expect("there");
    let facts: Vec<_> = mapping
        .entries
        .iter()
        .map(|e| (e.key.as_str(), e.comment_above, e.anchor_used_elsewhere, e.has_alias_or_anchor))
        .collect();
    let expected = [
        ("a", true, true, true),
        ("b", false, false, true),
        ("c", false, false, false),
        ("d", false, false, false),
    ];
    assert_eq!(facts, expected);
    assert_eq!(mapping.entries[1].value, serde_json::json!({"enabled": true}));
}
