//! The parts of an edited text that must be read again: the entries of block mappings in which something changes.
//!
//! Block entries that begin their lines at one column end where a line begins at that column or less, whatever stands in
//! them. So text that is byte for byte the old one around such parts still says what it said, if each part says something
//! complete by itself.

use std::ops::Range;

use super::Document;
use super::planned::Plans;
use super::tree::{Kind, Pair};

/// Entries that follow each other, and their new text.
#[derive(Debug)]
pub(crate) struct Region<'a> {
    /// The entries as they were.
    pub(crate) pairs: Vec<Pair>,
    /// Their lines in the old text, in bytes.
    pub(crate) lines: Range<usize>,
    /// What stands in their place, from the beginning of a line to the beginning of another.
    pub(crate) text: &'a str,
}

/// Entries that follow each other in the old text.
struct Place {
    mapping: usize,
    pairs: Vec<Pair>,
    lines: Range<usize>,
}

impl<'a> Region<'a> {
    /// The smallest regions that hold all changes; `None` where one can't be cut out, so that the whole text must be read.
    pub(crate) fn all(document: &Document, plans: &Plans<'_>, new: &'a str) -> Option<Vec<Self>> {
        let places = plans.nodes().map(|node| Place::around(document, node)).collect::<Option<_>>()?;
        let places = joined(places);
        let texts = cut(document.text(), new, &places)?;
        let closed = |(place, text): (&Place, &&str)| place.is_closed(document, text);
        let all = places.iter().zip(&texts).all(closed);
        let region = |(place, text): (Place, &'a str)| Self { pairs: place.pairs, lines: place.lines, text };
        all.then(|| places.into_iter().zip(texts).map(region).collect())
    }
}

/// The new text of each place, where the text around the places is the old one. Where it fits in several ways, any is
/// right: each says what the new text consists of.
fn cut<'a>(old: &str, new: &'a str, places: &[Place]) -> Option<Vec<&'a str>> {
    let (Some(first), Some(last)) = (places.first(), places.last()) else {
        return (old == new).then(Vec::new);
    };
    let mut rest = new.strip_prefix(&old[..first.lines.start])?.strip_suffix(&old[last.lines.end..])?;
    let mut texts = Vec::new();
    for pair in places.windows(2) {
        let between = &old[pair[0].lines.end..pair[1].lines.start];
        let begins_line = |at: &usize| *at == 0 || rest[..*at].ends_with('\n');
        let at = rest.match_indices(between).map(|(at, _)| at).find(begins_line)?;
        texts.push(&rest[..at]);
        rest = &rest[at + between.len()..];
    }
    texts.push(rest);
    Some(texts)
}

/// The places in their order, without those inside of others; neighbours are one place.
fn joined(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by_key(|place| (place.lines.start, std::cmp::Reverse(place.lines.end)));
    let mut joined: Vec<Place> = Vec::new();
    for place in places {
        match joined.last_mut() {
            Some(last) if place.lines.end <= last.lines.end => {}
            Some(last) if place.mapping == last.mapping && place.lines.start == last.lines.end => {
                last.lines.end = place.lines.end;
                last.pairs.extend(place.pairs);
            }
            _ => joined.push(place),
        }
    }
    joined
}

impl Place {
    /// The smallest entry around a node whose lines can be told.
    fn around(document: &Document, node: usize) -> Option<Self> {
        document.tree().around(node).find_map(|mapping| Self::within(document, mapping, node))
    }

    fn within(document: &Document, mapping: usize, node: usize) -> Option<Self> {
        let tree = document.tree();
        let bare = tree.anchor(mapping) == 0 && tree.tag(mapping).is_none();
        if tree.kind(mapping) != (Kind::Mapping { flow: false }) || !bare {
            return None;
        }
        let pair = tree.pair_around(mapping, node);
        let pair = pair.filter(|pair| pair.key != node && is_simple(document, *pair))?;
        let head = tree.head(pair.key);
        let begin = document.line_start(head);
        let end = match tree.pair_after(mapping, pair) {
            Some(next) => is_simple(document, next).then(|| document.line_start(tree.head(next.key)))?,
            None => end(document, mapping, head - begin)?,
        };
        Some(Self { mapping, pairs: vec![pair], lines: begin..end })
    }

    /// Whether the place's new text begins as the old one did, ends with a line, and depends on nothing around it.
    fn is_closed(&self, document: &Document, text: &str) -> bool {
        let (tree, old) = (document.tree(), document.text());
        let (Some(first), Some(last)) = (self.pairs.first(), self.pairs.last()) else { return false };
        let nodes = first.key..tree.next(last.value);
        let key = document.slice(self.lines.start..tree.end(first.key));
        // A lone CR ends a line for YAML, and hides the next one's column from us.
        text.starts_with(key)
            && (self.lines.end == old.len() || text.ends_with('\n'))
            && !tree.has_anchor(&nodes)
            && tree.alias_in(nodes).is_none()
            && !text.replace("\r\n", "").contains('\r')
            && !text.lines().any(is_marker)
    }
}

/// Whether an entry begins its line with blanks and its key.
fn is_simple(document: &Document, pair: Pair) -> bool {
    let tree = document.tree();
    let (begin, key) = (tree.head(pair.key), tree.span(pair.key));
    matches!(tree.kind(pair.key), Kind::Scalar(_))
        && begin == key.start
        && !key.is_empty()
        && is_blank(document.slice(document.line_start(begin)..begin))
        && !document.slice(key).contains(['\n', '\r'])
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
