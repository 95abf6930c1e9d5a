//! What of an edited text is read by itself, and that this accepts nothing that the whole text refuses.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::*;
use crate::values::{Change, KeyPath};

/// Entries at the top of a file, of many kinds. The versions and the mapping are what is changed.
const ENTRIES: [&str; 17] = [
    "# comment\n",
    "\n",
    "a: 1\n",
    "b: |\n  text\n  # no comment\n\n",
    "c: |+\n  kept\n\n",
    "d: >-\n  folded\n  text\n",
    "e:\n- one\n- two: 2\n",
    "f: {x: [1,\n  2]}\n",
    "g: plain\n  going on\n",
    "h: 'quoted\n\n  on'\n",
    "\"i\": ~\n",
    "j:\n",
    "k: \"{{ .Values.x }}\" # why\n",
    "l: &x {y: 1}\n",
    "m: *x\n",
    "? o\n: p\n",
    "n:\n    deep:\n      deeper: yes\n  # odd\n",
];
const CHANGED: &str = "version: 0.4.11  # by hand\nimages:\n  one-1: {}\n  two-1:\n    enabled: true\n";

/// What stands around the entries where they are not at the top.
const AROUND: [(&str, usize, &str); 4] = [
    ("", 0, ""),
    ("", 2, ""),
    ("kind: A\nspec:\n  # values\n  values:\n", 4, "  after: |\n    x\nlast: 1\n"),
    ("list:\n- one\nspec:\n", 1, "# end\nlast:\n- 2\n"),
];

/// What changes apart from the others.
const APART: &str = "far:\n  tag: 0.4.11\n";

fn changes(around: usize) -> Vec<Change> {
    let above = ["", "", "spec.values.", "spec."][around];
    let path = |text: &str| format!("{above}{text}").parse::<KeyPath>().unwrap();
    vec![
        Change::SetScalar { path: path("far.tag"), value: "0.4.12".into() },
        Change::SetScalar { path: path("version"), value: "0.4.12".into() },
        Change::Rename { mapping: path("images"), entry: 0, to: "one-2".into() },
        Change::Remove { mapping: path("images"), entry: 1, with_comments_above: false },
    ]
}

fn document(around: usize, before: &[usize], after: &[usize], last_line_end: bool) -> Option<Document> {
    let (above, column, below) = AROUND[around];
    let text = |entries: &[usize]| entries.iter().map(|entry| ENTRIES[*entry]).collect::<String>();
    let entries = format!("{}{CHANGED}{}{APART}r: 1\n", text(before), text(after));
    let indented =
        |line: &str| if line.trim().is_empty() { line.to_owned() } else { " ".repeat(column) + line };
    let whole = format!("{above}{}{below}", entries.split_inclusive('\n').map(indented).collect::<String>());
    let whole = if last_line_end { whole } else { whole.trim_end().to_owned() };
    Document::parse(whole.into_bytes()).ok()
}

#[test]
fn changes_at_the_top_of_a_file_are_read_by_themselves() {
    let document = document(0, &[0, 2, 3, 5, 6], &[1, 7, 13, 14, 15], true).unwrap();
    let (changes, edited) = (changes(0), document.edit(&changes(0)).unwrap());
    let plans = Plans::new(&document, &changes).unwrap();
    let regions = Region::all(&document, &plans, edited.text()).unwrap();
    assert_eq!(regions[0].text, "version: 0.4.12  # by hand\nimages:\n  one-2: {}\n\n");
    assert!(regions_say_the_plan(&document, &ByNode::new(&plans), &regions, YamlRust2::new));
    assert!(regions_say_the_plan(&document, &ByNode::new(&plans), &regions, Libyaml::new));
}

#[test]
fn a_change_below_another_key_is_read_with_the_lines_around_it() {
    let document = document(2, &[0, 2, 6], &[1], true).unwrap();
    let (changes, edited) = (changes(2), document.edit(&changes(2)).unwrap());
    let plans = Plans::new(&document, &changes).unwrap();
    let regions = Region::all(&document, &plans, edited.text()).unwrap();
    let expected = "    version: 0.4.12  # by hand\n    images:\n      one-2: {}\n\n";
    assert_eq!(regions[0].text, expected);
    assert!(regions_say_the_plan(&document, &ByNode::new(&plans), &regions, YamlRust2::new));
    assert!(regions_say_the_plan(&document, &ByNode::new(&plans), &regions, Libyaml::new));
}

#[test]
fn what_cannot_be_cut_out_is_read_whole() {
    let plain = "far: {tag: 0.4.11}\nversion: 0.4.11\nimages: {one-1: , two-1: }\n";
    for (name, text) in [
        ("two documents", format!("{plain}---\na: 1\n")),
        ("a flow mapping", "{far: {tag: 0.4.11}, version: 0.4.11, images: {one-1: , two-1: }}\n".to_owned()),
        ("an anchor in it", plain.replace("{one", "&x {one")),
        ("a tag on the root", format!("!!map\n{plain}")),
    ] {
        let document = Document::parse(text.clone().into_bytes()).unwrap();
        let changes = changes(0);
        let plans = Plans::new(&document, &changes).unwrap();
        let edited = text.replace("0.4.11", "0.4.12").replace("one-1: , two-1: ", "one-2: ");
        assert!(Region::all(&document, &plans, &edited).is_none(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    /// The short reading never accepts what the long one refuses, however wrong the edited text is.
    #[test]
    fn the_region_accepts_nothing_that_the_whole_text_refuses(
        around in 0..AROUND.len(),
        before in prop::collection::vec(0..ENTRIES.len(), 0..4),
        after in prop::collection::vec(0..ENTRIES.len(), 0..4),
        last_line_end: bool,
        damage in prop::collection::vec((0.0..1.0f64, 0..DAMAGE.len(), 0..3usize), 0..3),
    ) {
        let Some(document) = document(around, &before, &after, last_line_end) else { return Ok(()) };
        let changes = changes(around);
        let Ok(edited) = document.edit(&changes) else { return Ok(()) };
        prop_assert_eq!(&Document::parse(edited.text().as_bytes().to_vec()).unwrap(), &edited.document);
        let plans = Plans::new(&document, &changes).unwrap();
        let mut text = edited.text().to_owned();
        for (place, what, cut) in damage {
            let mut at = (text.len() as f64 * place) as usize;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let end = text.char_indices().map(|(i, _)| i).filter(|i| *i >= at).nth(cut).unwrap_or(text.len());
            text.replace_range(at..end.max(at), DAMAGE[what]);
        }
        let Some(regions) = Region::all(&document, &plans, &text) else { return Ok(()) };
        if regions_say_the_plan(&document, &ByNode::new(&plans), &regions, YamlRust2::new) {
            prop_assert_eq!(whole_says_the_plan(&document, &ByNode::new(&plans), &text, YamlRust2::new), Some(Ok(())), "{}", text);
        }
        if regions_say_the_plan(&document, &ByNode::new(&plans), &regions, Libyaml::new) {
            prop_assert_eq!(whole_says_the_plan(&document, &ByNode::new(&plans), &text, Libyaml::new), Some(Ok(())), "{}", text);
        }
    }
}

const DAMAGE: [&str; 22] = [
    "", " ", "\n", "\r", "  ", ":", "- ", "#", " #", "'", "\"", "{", "}", "[", "|\n", "---\n", "...\n",
    "&x ", "*x", "!t ", "? ", "\t",
];
