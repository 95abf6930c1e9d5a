//! The part of an edited text that must be read again: the entries at the top of the file that change, and those between.
//!
//! Block entries that begin at column 0 end where the next one begins, whatever stands in them: nothing at that depth
//! can reach into the next line's column 0. So text that is byte for byte the old one around the region still says what
//! it said, if the region says something complete by itself.

use super::Document;
use super::planned::Plans;
use super::tree::{Kind, Pair};

/// Entries that follow each other, and their new text.
#[derive(Debug)]
pub(crate) struct Region<'a> {
    /// The entries as they were.
    pub(crate) pairs: Vec<Pair>,
    /// What stands in their place.
    pub(crate) text: &'a str,
}

impl<'a> Region<'a> {
    /// The region that holds all changes; `None` where it can't be cut out, so that the whole text must be read.
    pub(crate) fn of(document: &Document, plans: &Plans<'_>, new: &'a str) -> Option<Self> {
        let entries = entries(document)?;
        let changed = |pair: &Pair| {
            plans.nodes().any(|node| (pair.key..document.tree().next(pair.value)).contains(&node))
        };
        let first = entries.iter().position(changed)?;
        let last = entries.iter().rposition(changed)?;
        let pairs = entries.get(first..=last)?.to_vec();

        let old = document.text();
        let begin = document.tree().head(pairs.first()?.key);
        let end = entries.get(last + 1).map_or(old.len(), |next| document.tree().head(next.key));
        let (before, after) = (old.get(..begin)?, old.get(end..)?);
        let text = new.strip_prefix(before)?.strip_suffix(after)?;
        let key = old.get(begin..document.tree().end(pairs.first()?.key))?;
        let closed = text.starts_with(key) && (after.is_empty() || text.ends_with('\n'));
        let nodes = pairs.first()?.key..document.tree().next(pairs.last()?.value);
        let alone = !document.tree().has_anchor(&nodes) && document.tree().alias_in(nodes).is_none();
        // A lone CR ends a line for YAML, and hides the next one's column 0 from us.
        let lines = !text.replace("\r\n", "").contains('\r') && !text.lines().any(is_marker);
        (closed && alone && lines).then_some(Self { pairs, text })
    }
}

/// The entries of the file's only mapping, if each begins at column 0 with its key.
fn entries(document: &Document) -> Option<Vec<Pair>> {
    let tree = document.tree();
    let [root] = tree.roots.as_slice() else { return None };
    let plain = tree.kind(*root) == Kind::Mapping { flow: false }
        && tree.anchor(*root) == 0
        && tree.tag(*root).is_none();
    if !plain {
        return None;
    }
    let entries: Vec<Pair> = tree.pairs(*root).collect();
    let simple = |pair: &Pair| {
        let (begin, key) = (tree.head(pair.key), tree.span(pair.key));
        matches!(tree.kind(pair.key), Kind::Scalar(_))
            && begin == key.start
            && !key.is_empty()
            && document.line_start(begin) == begin
            && !document.slice(key).contains(['\n', '\r'])
    };
    entries.iter().all(simple).then_some(entries)
}

/// Lines that end or begin a document, or direct one, mean something else alone than in the midst of a file.
fn is_marker(line: &str) -> bool {
    ["---", "...", "%", "\u{feff}"].iter().any(|marker| line.starts_with(marker))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::FileFailurePersistence;

    use super::*;
    use crate::values::check::{region_says_the_plan, whole_says_the_plan};
    use crate::values::{Change, KeyPath};

    /// Entries at the top of a file, of many kinds. The versions and the mapping are what is changed.
    const ENTRIES: [&str; 16] = [
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
        "n:\n    deep:\n      deeper: yes\n  # odd\n",
    ];
    const CHANGED: &str = "version: 0.4.11  # by hand\nimages:\n  one-1: {}\n  two-1:\n    enabled: true\n";

    fn changes() -> Vec<Change> {
        let path = |text: &str| text.parse::<KeyPath>().unwrap();
        vec![
            Change::SetScalar { path: path("version"), value: "0.4.12".into() },
            Change::Rename { mapping: path("images"), entry: 0, to: "one-2".into() },
            Change::Remove { mapping: path("images"), entry: 1, with_comments_above: false },
        ]
    }

    fn document(before: &[usize], after: &[usize], last_line_end: bool) -> Option<Document> {
        let text = |entries: &[usize]| entries.iter().map(|entry| ENTRIES[*entry]).collect::<String>();
        let whole = format!("{}{CHANGED}{}", text(before), text(after));
        let whole = if last_line_end { whole } else { whole.trim_end().to_owned() };
        Document::parse(whole.into_bytes()).ok()
    }

    #[test]
    fn changes_at_the_top_of_a_file_are_read_by_themselves() {
        let document = document(&[0, 2, 3, 5, 6], &[1, 7, 13, 14, 15], true).unwrap();
        let (changes, edited) = (changes(), document.edit(&changes()).unwrap());
        let plans = Plans::new(&document, &changes).unwrap();
        let region = Region::of(&document, &plans, &edited.text).unwrap();
        assert_eq!(region.text, "version: 0.4.12  # by hand\nimages:\n  one-2: {}\n\n");
        assert!(region_says_the_plan(&document, &plans, &edited.text));
    }

    #[test]
    fn what_cannot_be_cut_out_is_read_whole() {
        let plain = "version: 0.4.11\nimages: {one-1: , two-1: }\n";
        for (name, text) in [
            ("two documents", format!("{plain}---\na: 1\n")),
            ("a flow mapping", "{version: 0.4.11, images: {one-1: , two-1: }}\n".to_owned()),
            ("an explicit key", format!("? a\n: 1\n{plain}")),
            ("indented", "  version: 0.4.11\n  images: {one-1: , two-1: }\n".to_owned()),
            ("an anchor in it", plain.replace("{one", "&x {one")),
            ("a tag on the root", format!("!!map\n{plain}")),
        ] {
            let document = Document::parse(text.clone().into_bytes()).unwrap();
            let changes = changes();
            let plans = Plans::new(&document, &changes).unwrap();
            let edited = text.replace("0.4.11", "0.4.12").replace("one-1: , two-1: ", "one-2: ");
            assert!(Region::of(&document, &plans, &edited).is_none(), "{name}");
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
            before in prop::collection::vec(0..ENTRIES.len(), 0..4),
            after in prop::collection::vec(0..ENTRIES.len(), 0..4),
            last_line_end: bool,
            damage in prop::collection::vec((0.0..1.0f64, 0..DAMAGE.len(), 0..3usize), 0..3),
        ) {
            let Some(document) = document(&before, &after, last_line_end) else { return Ok(()) };
            let changes = changes();
            let Ok(edited) = document.edit(&changes) else { return Ok(()) };
            let plans = Plans::new(&document, &changes).unwrap();
            let mut text = edited.text;
            for (place, what, cut) in damage {
                let mut at = (text.len() as f64 * place) as usize;
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let end = text.char_indices().map(|(i, _)| i).filter(|i| *i >= at).nth(cut).unwrap_or(text.len());
                text.replace_range(at..end.max(at), DAMAGE[what]);
            }
            if region_says_the_plan(&document, &plans, &text) {
                prop_assert_eq!(whole_says_the_plan(&document, &plans, &text), Ok(()), "{}", text);
            }
        }
    }

    const DAMAGE: [&str; 22] = [
        "", " ", "\n", "\r", "  ", ":", "- ", "#", " #", "'", "\"", "{", "}", "[", "|\n", "---\n", "...\n",
        "&x ", "*x", "!t ", "? ", "\t",
    ];
}
