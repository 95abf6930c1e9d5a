//! Where an entry begins and ends, and which comments stand around it.

use std::ops::Range;

use super::tree::{Kind, Pair};
use super::{Document, EditError};

impl Document {
    /// The offset after the colon of a key; `None` where there is no colon directly after it (`{key}`, `? key`).
    pub(crate) fn colon_end(&self, key: usize) -> Option<usize> {
        let end = self.tree().end(key);
        let rest = self.text().get(end..)?;
        let blanks = rest.len() - rest.trim_start().len();
        rest[blanks..].starts_with(':').then_some(end + blanks + 1)
    }

    /// Where a value may be written: after the colon and after the anchor and tag that stand there.
    pub(crate) fn value_start(&self, pair: Pair) -> Result<usize, EditError> {
        let colon = self.colon_end(pair.key);
        let colon = colon.ok_or_else(|| self.layout(self.tree().end(pair.key), "the key has no colon"))?;
        let tree = self.tree();
        let span = tree.span(pair.value);
        let properties = tree.anchor_span(pair.value).is_some() || tree.tag(pair.value).is_some();
        if !properties {
            return Ok(colon);
        }
        // What stands between the head and the content is anchor, tag and blanks.
        let written = self.slice(tree.head(pair.value)..span.start);
        if written.contains('#') {
            return Err(
                self.layout(tree.head(pair.value), "a comment between the anchor or tag and the value")
            );
        }
        Ok((tree.head(pair.value) + written.trim_end().len()).max(colon))
    }

    /// The end of an entry without trailing comment.
    pub(crate) fn entry_end(&self, pair: Pair) -> usize {
        let key = self.colon_end(pair.key).unwrap_or_else(|| self.tree().end(pair.key));
        self.tree().end(pair.value).max(key)
    }

    /// The blanks before an entry that begins its line.
    pub(crate) fn indentation(&self, pair: Pair) -> Result<&str, EditError> {
        let head = self.tree().head(pair.key);
        let before = self.slice(self.line_start(head)..head);
        if before.trim().is_empty() {
            Ok(before)
        } else {
            Err(self.layout(head, "the entry does not begin its line"))
        }
    }

    /// The lines of an entry of a block mapping, with its trailing comment and its line end.
    pub(crate) fn entry_lines(&self, pair: Pair) -> Result<Range<usize>, EditError> {
        self.indentation(pair)?;
        if self.colon_end(pair.key).is_none() {
            return Err(self.layout(self.tree().head(pair.key), "the key has no colon"));
        }
        let end = self.entry_end(pair);
        let next = self.next_line(end);
        let rest = self.slice(end..next).trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(self.layout(end, "something follows the entry in its line"));
        }
        Ok(self.line_start(self.tree().head(pair.key))..next)
    }

    /// Where the comment lines begin that stand directly above an entry of a block mapping, at its indentation.
    pub(crate) fn comments_above(&self, owner: Pair, pairs: &[Pair], index: usize) -> Option<usize> {
        if self.tree().kind(owner.value) != (Kind::Mapping { flow: false }) {
            return None;
        }
        let indentation = self.indentation(*pairs.get(index)?).ok()?;
        // A line that looks like a comment may be content of a block scalar: never above the end of what precedes.
        let bound = match index.checked_sub(1) {
            Some(previous) => self.entry_end(pairs[previous]),
            None => self.colon_end(owner.key)?,
        };
        let first = self.line_start(self.tree().head(pairs[index].key));
        let mut start = first;
        while start > 0 {
            let above = self.line_start(start - 1);
            let comment =
                self.line(above).strip_prefix(indentation).is_some_and(|line| line.starts_with('#'));
            if above <= bound || !comment {
                break;
            }
            start = above;
        }
        (start < first).then_some(start)
    }

    /// A comment line directly below an entry that is indented more than its key, before the next entry.
    pub(crate) fn comment_below(&self, pair: Pair) -> Option<usize> {
        let indentation = self.indentation(pair).ok()?;
        let below = self.next_line(self.entry_end(pair));
        let line = self.line(below);
        let text = line.trim_start();
        let deeper = line.len() - text.len() > indentation.len();
        (below < self.text().len() && deeper && text.starts_with('#'))
            .then(|| below + line.len() - text.len())
    }

    /// Whether the node stands inside of a flow collection, or is one.
    pub(crate) fn in_flow(&self, node: usize) -> bool {
        let flow =
            |n| matches!(self.tree().kind(n), Kind::Mapping { flow: true } | Kind::Sequence { flow: true });
        std::iter::once(node).chain(self.tree().around(node)).any(flow)
    }

    /// The comments in a stretch of the text that holds the nodes: from `#` to the end of the line.
    pub(crate) fn comments(&self, range: Range<usize>, nodes: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = range.start;
        for node in nodes {
            let span = self.tree().span(node);
            if matches!(self.tree().kind(node), Kind::Scalar(_) | Kind::Alias) && span.start >= at {
                self.comments_between(at..span.start.min(range.end), &mut found);
                at = span.end;
            }
        }
        self.comments_between(at..range.end, &mut found);
        found
    }

    /// Comments where no scalar stands: a `#` after a blank or at the beginning of a line.
    fn comments_between(&self, gap: Range<usize>, found: &mut Vec<Range<usize>>) {
        let mut at = gap.start;
        while let Some(next) = self.text().get(at..gap.end).and_then(|text| text.find('#')) {
            let start = at + next;
            let before = &self.text()[..start];
            let blank = before.ends_with([' ', '\t', '\n', '\r']) || matches!(before, "" | "\u{feff}");
            let line = self.text()[start..].find(['\r', '\n']).map_or(self.text().len(), |end| start + end);
            at = if blank { line.min(gap.end) } else { start + 1 };
            if blank {
                found.push(start..at);
            }
        }
    }
}
