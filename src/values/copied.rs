//! The value of an entry as another entry gets it: byte for byte, but without what enables it, anchors and comments.

use std::ops::Range;

use super::tree::{Kind, Pair};
use super::{Document, ENABLING, EditError};

/// What stands after the colon of a copy: blanks and the value.
pub(crate) fn copied_value(document: &Document, like: Pair) -> Result<String, EditError> {
    let start = document.colon_end(like.key);
    let start =
        start.ok_or_else(|| document.layout(document.tree().end(like.key), "the key has no colon"))?;
    let nodes = like.value..document.tree().next(like.value);
    let whole = start..document.entry_end(like);
    let children = document.entry_pairs(like.value);
    let enabling: Vec<bool> =
        children.iter().map(|child| ENABLING.contains(&document.text_of(child.key))).collect();
    if !children.is_empty() && enabling.iter().all(|dropped| *dropped) {
        return Ok(" {}".to_owned());
    }
    let mut cuts = match document.tree().kind(like.value) {
        Kind::Mapping { flow: true } => flow_cuts(document, &children, &enabling),
        _ => block_cuts(document, &children, &enabling)?,
    };
    cuts.extend(
        document.comments(whole.clone(), nodes.clone()).into_iter().map(|c| comment_cut(document, c)),
    );
    cuts.extend(nodes.filter_map(|node| document.tree().anchor_span(node)).map(|a| anchor_cut(document, a)));
    Ok(without(document, whole, cuts))
}

fn block_cuts(
    document: &Document,
    children: &[Pair],
    dropped: &[bool],
) -> Result<Vec<Range<usize>>, EditError> {
    children
        .iter()
        .zip(dropped)
        .filter(|(_, gone)| **gone)
        .map(|(child, _)| document.entry_lines(*child))
        .collect()
}

/// A pair goes with the comma that follows; the last ones with the comma before.
fn flow_cuts(document: &Document, children: &[Pair], dropped: &[bool]) -> Vec<Range<usize>> {
    let last_kept = dropped.iter().rposition(|gone| !gone).unwrap_or(0);
    let cut = |(index, child): (usize, &Pair)| {
        if index < last_kept {
            document.tree().head(child.key)..document.tree().head(children[index + 1].key)
        } else {
            document.entry_end(children[last_kept])..document.entry_end(*child)
        }
    };
    children.iter().enumerate().filter(|(index, _)| dropped[*index]).map(cut).collect()
}

/// A comment goes with the blanks before it, and with its line if there is nothing else in it.
fn comment_cut(document: &Document, comment: Range<usize>) -> Range<usize> {
    let line = document.line_start(comment.start);
    let before = document.slice(line..comment.start).trim_end();
    if before.is_empty() { line..document.next_line(comment.end) } else { line + before.len()..comment.end }
}

/// An anchor goes with the blanks before it, so that what follows keeps its distance from the colon.
fn anchor_cut(document: &Document, anchor: Range<usize>) -> Range<usize> {
    let before = document.slice(0..anchor.start).trim_end_matches([' ', '\t']).len();
    before..anchor.end
}

fn without(document: &Document, whole: Range<usize>, mut cuts: Vec<Range<usize>>) -> String {
    cuts.sort_by_key(|cut| cut.start);
    let last_is_cut = cuts.iter().any(|cut| cut.end >= whole.end);
    let mut out = String::new();
    let mut at = whole.start;
    for cut in cuts {
        out += document.slice(at..cut.start.clamp(at, whole.end));
        at = at.max(cut.end.min(whole.end));
    }
    out += document.slice(at..whole.end);
    if last_is_cut {
        // What is left ends with the line end before the cut, which is the caller's to write.
        out.truncate(out.trim_end_matches(['\n', '\r']).len());
    }
    out
}

/// `key: value` without anchors and comments.
pub(crate) fn pair_text(document: &Document, pair: Pair) -> String {
    let slice = |node| document.slice(document.tree().span(node));
    format!("{}: {}", slice(pair.key), slice(pair.value))
}
