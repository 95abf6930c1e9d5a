//! The nodes of a values file with the bytes that they stand on, built from the parser's events.
//!
//! Nodes lie in one vector in the order in which they are written, so that a subtree is a range of indices.
//! Nothing here knows what a node means to us.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A scalar, a missing one too.
    Scalar(ScalarStyle),
    /// A mapping; its children are key, value, key, value.
    Mapping { flow: bool },
    /// A sequence.
    Sequence { flow: bool },
    /// An alias of the anchor in [`Node::anchor`].
    Alias,
}

/// One node. Offsets are bytes of the text; they fit because a document is capped far below 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The number of the anchor that stands at the node, or that an alias names; 0 for none.
    pub(crate) anchor: u32,
    /// Where its anchor or tag begins, or itself.
    pub(super) head: u32,
    /// Where its content begins: the first byte of a scalar, quotes included, or of the first child.
    pub(super) start: u32,
    /// The end of its last leaf: never on a comment or a line that follows.
    pub(super) end: u32,
    /// The index after its last descendant.
    pub(super) next: u32,
    /// The collection that it is a child of; itself at the top of a document.
    pub(super) parent: u32,
    /// Whether it is a key of its parent.
    pub(super) is_key: bool,
    /// Whether its text is in [`Tree::decoded`].
    pub(super) is_decoded: bool,
}

/// All nodes of all documents of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The root of each document.
    pub(crate) roots: Vec<usize>,
    /// Every alias.
    pub(super) aliases: Vec<usize>,
    /// Every anchor, by node and by number.
    pub(super) anchors: Vec<Anchor>,
    /// The texts of scalars that are not simply the bytes between their quotes, by node.
    pub(super) decoded: Vec<(usize, Box<str>)>,
    /// Tags that are written out, by node; full names.
    pub(super) tags: Vec<(usize, Box<str>)>,
}

/// An anchor that stands at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) node: usize,
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// The last alias of it; the node itself, where there is none.
    pub(super) last_use: usize,
}

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: usize,
    pub(crate) value: usize,
}

impl Tree {
    pub(crate) fn parse(text: &str) -> Result<Self, ScanError> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_anchor_events: true,
            // A long comment under a key is buffered even where it is not emitted.
            max_buffered_comment_events: usize::MAX,
        };
        let mut builder = Builder { text, tree: Self::default(), open: Vec::new(), cursor: 0 };
        for item in Parser::new_from_str_with_options(text, options) {
            let (event, span) = item?;
            builder.take(event, span);
        }
        builder.tree.nodes.shrink_to_fit();
        Ok(builder.tree)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn kind(&self, node: usize) -> Kind {
        self.nodes[node].kind
    }

    pub(crate) fn anchor(&self, node: usize) -> u32 {
        self.nodes[node].anchor
    }

    /// The bytes of the node without anchor and tag.
    pub(crate) fn span(&self, node: usize) -> Range<usize> {
        let node = &self.nodes[node];
        node.start as usize..node.end as usize
    }

    /// Where the node begins, anchor and tag included.
    pub(crate) fn head(&self, node: usize) -> usize {
        self.nodes[node].head as usize
    }

    pub(crate) fn end(&self, node: usize) -> usize {
        self.nodes[node].end as usize
    }

    /// The index after the last descendant.
    pub(crate) fn next(&self, node: usize) -> usize {
        self.nodes[node].next as usize
    }

    /// The index of the first node that begins behind an offset: nodes lie in the order in which they begin.
    pub(crate) fn first_after(&self, offset: usize) -> usize {
        self.nodes.partition_point(|node| node.start as usize <= offset)
    }

    /// The collections around the node, the innermost first.
    pub(crate) fn around(&self, node: usize) -> impl Iterator<Item = usize> {
        let parent = |node: &usize| Some(self.nodes[*node].parent as usize).filter(|parent| parent != node);
        std::iter::successors(parent(&node), parent)
    }

    /// The mapping of which the node is a key.
    pub(crate) fn mapping_of_key(&self, node: usize) -> Option<usize> {
        self.around(node).next().filter(|_| self.nodes[node].is_key)
    }

    /// The pair of a mapping in which a node stands, if its key is a leaf.
    pub(crate) fn pair_around(&self, mapping: usize, node: usize) -> Option<Pair> {
        let is_child = |child: &usize| self.nodes[*child].parent as usize == mapping;
        let child = std::iter::once(node).chain(self.around(node)).find(is_child)?;
        let key = if self.nodes[child].is_key { child } else { child - 1 };
        let is_leaf = is_child(&key) && self.next(key) == key + 1;
        is_leaf.then(|| Pair { key, value: key + 1 })
    }

    /// The pair of the mapping that follows one of its pairs.
    pub(crate) fn pair_after(&self, mapping: usize, pair: Pair) -> Option<Pair> {
        let key = self.next(pair.value);
        (key < self.next(mapping)).then(|| Pair { key, value: self.next(key) })
    }

    /// The text of a scalar.
    pub(crate) fn scalar<'a>(&'a self, text: &'a str, node: usize) -> &'a str {
        match self.nodes[node] {
            Node { is_decoded: true, .. } => by_node(&self.decoded, node).unwrap_or_default(),
            Node { kind: Kind::Scalar(style), start, end, .. } => {
                let quote = usize::from(quoted(style));
                text.get(start as usize + quote..end as usize - quote).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// Children of a mapping, two by two.
    pub(crate) fn pairs(&self, mapping: usize) -> impl Iterator<Item = Pair> + '_ {
        let mut at = mapping + 1;
        let last = self.next(mapping);
        std::iter::from_fn(move || {
            (at < last).then(|| {
                let pair = Pair { key: at, value: self.next(at) };
                at = self.next(pair.value);
                pair
            })
        })
    }

    /// Children of a sequence.
    pub(crate) fn items(&self, sequence: usize) -> impl Iterator<Item = usize> + '_ {
        let mut at = sequence + 1;
        let last = self.next(sequence);
        std::iter::from_fn(move || {
            (at < last).then(|| {
                let item = at;
                at = self.next(item);
                item
            })
        })
    }

    pub(crate) fn tag(&self, node: usize) -> Option<&str> {
        by_node(&self.tags, node)
    }

    /// The bytes of the anchor at a node.
    pub(crate) fn anchor_span(&self, node: usize) -> Option<Range<usize>> {
        let found = self.anchors.binary_search_by_key(&node, |anchor| anchor.node).ok()?;
        Some(self.anchors[found].span.clone())
    }

    /// The node that an alias stands for.
    pub(crate) fn target(&self, alias: usize) -> Option<usize> {
        self.anchor_of(alias).map(|at| self.anchors[at].node)
    }

    /// Which anchor an alias names. Anchors are numbered as they come.
    fn anchor_of(&self, alias: usize) -> Option<usize> {
        let number = self.anchor(alias);
        self.anchors.binary_search_by_key(&number, |anchor| self.anchor(anchor.node)).ok()
    }

    /// The first alias among the nodes.
    pub(crate) fn alias_in(&self, nodes: Range<usize>) -> Option<usize> {
        let first = self.aliases.partition_point(|alias| *alias < nodes.start);
        self.aliases.get(first).copied().filter(|alias| nodes.contains(alias))
    }

    /// The first of the nodes whose anchor an alias behind them uses; none can stand before them.
    pub(crate) fn used_elsewhere(&self, nodes: Range<usize>) -> Option<usize> {
        self.anchors_in(&nodes).find(|anchor| anchor.last_use >= nodes.end).map(|anchor| anchor.node)
    }

    /// Whether an anchor stands at one of the nodes.
    pub(crate) fn has_anchor(&self, nodes: &Range<usize>) -> bool {
        self.anchors_in(nodes).next().is_some()
    }

    fn anchors_in(&self, nodes: &Range<usize>) -> impl Iterator<Item = &Anchor> {
        let first = self.anchors.partition_point(|anchor| anchor.node < nodes.start);
        self.anchors[first..].iter().take_while(|anchor| nodes.contains(&anchor.node))
    }
}

/// What is kept of a node beside the nodes.
fn by_node(kept: &[(usize, Box<str>)], node: usize) -> Option<&str> {
    let found = kept.binary_search_by_key(&node, |(at, _)| *at).ok()?;
    kept.get(found).map(|(_, text)| text.as_ref())
}

/// Whether the style has a quote at both ends.
pub(crate) fn quoted(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
}

struct Builder<'a> {
    text: &'a str,
    tree: Tree,
    /// Collections that have begun and not ended.
    open: Vec<Open>,
    /// The end of the last token seen: where a missing scalar stands.
    cursor: usize,
}

struct Open {
    node: usize,
    /// Whether the next child is a key.
    awaits_key: bool,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let range = span.byte_range().unwrap_or(self.cursor..self.cursor);
        let flow = |style| style == StructureStyle::Flow;
        match event {
            Event::DocumentStart(..) => self.cursor = self.cursor.max(range.end),
            Event::Scalar(value, style, anchor, tag) => {
                let node = self.push(Kind::Scalar(style), anchor, range.clone(), &span, tag.as_deref());
                self.place_scalar(node, &value, style, range);
            }
            Event::Alias(anchor) => {
                let node = self.push(Kind::Alias, anchor, range.clone(), &span, None);
                self.tree.aliases.push(node);
                if let Some(at) = self.tree.anchor_of(node) {
                    self.tree.anchors[at].last_use = node;
                }
                self.close(node, range.end);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(Kind::Mapping { flow: flow(style) }, anchor, range, &span, tag.as_deref());
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(Kind::Sequence { flow: flow(style) }, anchor, range, &span, tag.as_deref());
            }
            Event::MappingEnd | Event::SequenceEnd => self.end_collection(range),
            Event::Anchor(_, _) => self.place_anchor(range),
            _ => {}
        }
    }

    fn open(&mut self, kind: Kind, anchor: usize, range: Range<usize>, span: &Span, tag: Option<&Tag>) {
        // A flow collection begins with its bracket, a block collection with its first child.
        let node = self.push(kind, anchor, range.clone(), span, tag);
        self.cursor = self.cursor.max(range.end);
        self.open.push(Open { node, awaits_key: matches!(kind, Kind::Mapping { .. }) });
    }

    /// A block collection ends with its last leaf: the event stands on whatever token follows.
    fn end_collection(&mut self, range: Range<usize>) {
        let Some(Open { node, .. }) = self.open.pop() else { return };
        let flow =
            matches!(self.tree.kind(node), Kind::Mapping { flow: true } | Kind::Sequence { flow: true });
        let end = if flow { range.end } else { self.cursor };
        self.close(node, end);
    }

    fn push(
        &mut self,
        kind: Kind,
        anchor: usize,
        range: Range<usize>,
        span: &Span,
        tag: Option<&Tag>,
    ) -> usize {
        let index = self.tree.nodes.len();
        let tag_span = span.tag_span().and_then(|tag| tag.byte_range());
        let head = tag_span.as_ref().map_or(range.start, |tag| tag.start);
        if let Some(tag) = tag {
            self.tree.tags.push((index, format!("{}{}", tag.handle(), tag.suffix()).into()));
        }
        if let Some(tag) = tag_span {
            self.cursor = self.cursor.max(tag.end);
        }
        let (parent, is_key) = self.place(index);
        self.tree.nodes.push(Node {
            kind,
            anchor: narrow(anchor),
            head: narrow(head),
            start: narrow(range.start),
            end: narrow(range.end),
            next: narrow(index + 1),
            parent: narrow(parent),
            is_key,
            is_decoded: false,
        });
        index
    }

    /// The parent of the node that comes next, and whether that is a key of it.
    fn place(&mut self, index: usize) -> (usize, bool) {
        let Some(open) = self.open.last_mut() else {
            self.tree.roots.push(index);
            return (index, false);
        };
        let is_key = open.awaits_key;
        if matches!(self.tree.nodes[open.node].kind, Kind::Mapping { .. }) {
            open.awaits_key = !is_key;
        }
        (open.node, is_key)
    }

    fn place_scalar(&mut self, node: usize, value: &str, style: ScalarStyle, range: Range<usize>) {
        let missing = style == ScalarStyle::Plain && range.is_empty();
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if missing {
            self.stand_at_cursor(node, self.cursor);
            return;
        }
        if block {
            let end = self.block_scalar_end(&range);
            if range.is_empty() {
                self.stand_at_cursor(node, end);
            } else {
                self.close(node, end);
            }
        } else {
            self.close(node, range.end);
        }
        if block || self.tree.scalar(self.text, node) != value {
            self.tree.nodes[node].is_decoded = true;
            self.tree.decoded.push((node, value.into()));
        }
    }

    /// Gives a scalar without bytes of its own the end of what was written last before it.
    fn stand_at_cursor(&mut self, node: usize, end: usize) {
        let at = narrow(end);
        let tagged = self.tree.tag(node).is_some();
        let scalar = &mut self.tree.nodes[node];
        scalar.start = at;
        if !tagged {
            scalar.head = at;
        }
        self.close(node, end);
    }

    /// The end of a block scalar's content. Blank lines that follow belong to it only if its header says `+`.
    fn block_scalar_end(&self, content: &Range<usize>) -> usize {
        let before = self.text.get(self.cursor..content.start).unwrap_or_default();
        let header_at = before.find(['|', '>']).map_or(content.start, |at| self.cursor + at);
        let header = self.text.get(header_at..).unwrap_or_default();
        let header = &header[..header.find([' ', '\t', '\r', '\n']).unwrap_or(header.len())];
        let body = self.text.get(content.clone()).unwrap_or_default();
        if body.is_empty() {
            return header_at + header.len();
        }
        // The span runs on into the indentation of what follows.
        let body = body.trim_end_matches([' ', '\t']);
        let kept = if header.contains('+') {
            body.strip_suffix('\n').map_or(body, |body| body.strip_suffix('\r').unwrap_or(body))
        } else {
            body.trim_end_matches(['\n', '\r', ' '])
        };
        content.start + kept.len()
    }

    /// The parser reports an anchor directly after the node that it stands at.
    fn place_anchor(&mut self, range: Range<usize>) {
        let Some(index) = self.tree.nodes.len().checked_sub(1) else { return };
        let tagged = self.tree.tag(index).is_some();
        let node = &mut self.tree.nodes[index];
        let missing = node.start == node.end && !tagged;
        node.head = if missing { narrow(range.start) } else { node.head.min(narrow(range.start)) };
        if (node.start as usize) < range.end {
            (node.start, node.end) = (narrow(range.end), narrow(range.end.max(node.end as usize)));
        }
        self.cursor = self.cursor.max(range.end);
        self.tree.anchors.push(Anchor { node: index, span: range, last_use: index });
    }

    fn close(&mut self, node: usize, end: usize) {
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[node];
        (node.end, node.next) = (narrow(end).max(node.start), next);
        self.cursor = self.cursor.max(end);
    }
}

/// Offsets and counts fit: a document is capped at 32 MiB.
pub(super) fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
