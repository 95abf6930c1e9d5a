//! The part of an edited text that must be read again: entries of one block mapping that change, and those between.
//!
//! Block entries that begin their lines at one column end where a line begins at that column or less, whatever stands in
//! them. So text that is byte for byte the old one around the region still says what it said, if the region says
//! something complete by itself.

use super::Document;
use super::planned::Plans;
use super::tree::{Kind, Pair, Tree};

/// Entries that follow each other, and their new text.
#[derive(Debug)]
pub(crate) struct Region<'a> {
    /// The entries as they were.
    pub(crate) pairs: Vec<Pair>,
    /// What stands in their place, from the beginning of a line to the beginning of another.
    pub(crate) text: &'a str,
}

impl<'a> Region<'a> {
    /// The smallest region that holds all changes; `None` where none can be cut out, so that the whole text must be read.
    pub(crate) fn of(document: &Document, plans: &Plans<'_>, new: &'a str) -> Option<Self> {
        let changed: Vec<usize> = plans.nodes().collect();
        let (first, last) = (*changed.iter().min()?, *changed.iter().max()?);
        let tree = document.tree();
        let around = (0..first).rev().filter(|node| tree.next(*node) > last);
        around.filter_map(|mapping| Self::within(document, mapping, &changed, new)).next()
    }

    fn within(document: &Document, mapping: usize, changed: &[usize], new: &'a str) -> Option<Self> {
        let (tree, old) = (document.tree(), document.text());
        let entries = entries(document, mapping)?;
        let changes = |pair: &Pair| changed.iter().any(|node| nodes(tree, *pair).contains(node));
        let first = entries.iter().position(changes)?;
        let last = entries.iter().rposition(changes)?;
        let pairs = entries.get(first..=last)?.to_vec();

        let begin = document.line_start(tree.head(pairs.first()?.key));
        let end = match entries.get(last + 1) {
            Some(next) => document.line_start(tree.head(next.key)),
            None => end(document, mapping, tree.head(pairs.first()?.key) - begin)?,
        };
        let (before, after) = (old.get(..begin)?, old.get(end..)?);
        let text = new.strip_prefix(before)?.strip_suffix(after)?;
        let key = old.get(begin..tree.end(pairs.first()?.key))?;
        let closed = text.starts_with(key) && (after.is_empty() || text.ends_with('\n'));
        let nodes = pairs.first()?.key..tree.next(pairs.last()?.value);
        let alone = !tree.has_anchor(&nodes) && tree.alias_in(nodes).is_none();
        // A lone CR ends a line for YAML, and hides the next one's column from us.
        let lines = !text.replace("\r\n", "").contains('\r') && !text.lines().any(is_marker);
        (closed && alone && lines).then_some(Self { pairs, text })
    }
}

fn nodes(tree: &Tree, pair: Pair) -> std::ops::Range<usize> {
    pair.key..tree.next(pair.value)
}

/// The entries of a block mapping, if each begins its line with blanks and its key.
fn entries(document: &Document, mapping: usize) -> Option<Vec<Pair>> {
    let tree = document.tree();
    let bare = tree.anchor(mapping) == 0 && tree.tag(mapping).is_none();
    if tree.kind(mapping) != (Kind::Mapping { flow: false }) || !bare {
        return None;
    }
    let entries: Vec<Pair> = tree.pairs(mapping).collect();
    let simple = |pair: &Pair| {
        let (begin, key) = (tree.head(pair.key), tree.span(pair.key));
        matches!(tree.kind(pair.key), Kind::Scalar(_))
            && begin == key.start
            && !key.is_empty()
            && is_blank(document.slice(document.line_start(begin)..begin))
            && !document.slice(key).contains(['\n', '\r'])
    };
    entries.iter().all(simple).then_some(entries)
}

/// Where the lines of a mapping end that is indented by `column`: at the next key, at its column or less; `None` where
/// something else follows.
fn end(document: &Document, mapping: usize, column: usize) -> Option<usize> {
    let tree = document.tree();
    let next = tree.next(mapping);
    if next == tree.len() {
        return Some(document.text().len());
    }
    let head = tree.head(next);
    let line = document.line_start(head);
    let is_key = is_blank(document.slice(line..head)) && head - line <= column;
    (is_key && !tree.roots.contains(&next)).then_some(line)
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ')
}

/// Lines that end or begin a document, or direct one, mean something else alone than in the midst of a file.
fn is_marker(line: &str) -> bool {
    ["---", "...", "%", "\u{feff}"].iter().any(|marker| line.starts_with(marker))
}
