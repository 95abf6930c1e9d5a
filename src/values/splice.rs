//! The tree of an edited text: that of the old text, with what changed read anew.
//!
//! A [`Region`] says something complete by itself, and the text around it is the old one, byte for byte. So the nodes around
//! it are the old ones, moved.

use std::ops::Range;

use super::region::Region;
use super::tree::{Anchor, Kind, Node, Tree, narrow};

/// A region in both texts.
struct Part {
    bytes: Swap,
    nodes: Swap,
    /// What it says now: the root is the mapping of its entries, and stands for the one around it.
    tree: Tree,
}

/// A range of the old text or tree, and the range in its place.
struct Swap {
    old: Range<usize>,
    new: Range<usize>,
}

/// Parts in the order of the text.
struct Parts(Vec<Part>);

impl Tree {
    /// The tree of the text in which these regions changed; `None` where one cannot be read by itself.
    pub(crate) fn spliced(&self, regions: &[Region<'_>]) -> Option<Self> {
        let parts = Parts::read(self, regions)?;
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let mut decoded = Vec::new();
        let mut from = 0;
        for part in &parts.0 {
            let before = from..part.nodes.old.start;
            decoded.extend(self.decoded_in(&before).map(|(at, text)| (parts.index(*at), text.clone())));
            nodes.extend(self.nodes[before].iter().map(|node| parts.moved(node)));
            let (byte, index) = (part.bytes.new.start, part.nodes.new.start);
            // The root has index 0, and is not taken over: it is the mapping around the part.
            let mapping = parts.index(self.nodes[part.nodes.old.start].parent as usize);
            let moved = |at: usize| if at == 0 { mapping } else { index + at - 1 };
            decoded.extend(part.tree.decoded.iter().map(|(at, text)| (moved(*at), text.clone())));
            nodes.extend(part.tree.nodes[1..].iter().map(|node| node.moved(|at| byte + at, moved)));
            from = part.nodes.old.end;
        }
        let rest = from..self.nodes.len();
        decoded.extend(self.decoded_in(&rest).map(|(at, text)| (parts.index(*at), text.clone())));
        nodes.extend(self.nodes[rest].iter().map(|node| parts.moved(node)));
        let index = |at: &usize| parts.index(*at);
        let anchor = |Anchor { node, span, last_use }: &Anchor| Anchor {
            node: index(node),
            span: parts.byte(span.start)..parts.byte(span.end),
            last_use: index(last_use),
        };
        Some(Self {
            nodes,
            decoded,
            roots: self.roots.iter().map(index).collect(),
            aliases: self.aliases.iter().map(index).collect(),
            anchors: self.anchors.iter().map(anchor).collect(),
            tags: self.tags.iter().map(|(at, tag)| (index(at), tag.clone())).collect(),
        })
    }

    fn decoded_in(&self, nodes: &Range<usize>) -> impl Iterator<Item = &(usize, Box<str>)> {
        let first = self.decoded.partition_point(|(at, _)| *at < nodes.start);
        self.decoded[first..].iter().take_while(|(at, _)| nodes.contains(at))
    }

    /// Whether this is one block mapping in which nothing depends on what stands around it.
    fn is_bare_mapping(&self) -> bool {
        let has_properties = !self.anchors.is_empty() || !self.aliases.is_empty() || !self.tags.is_empty();
        self.roots == [0] && self.kind(0) == (Kind::Mapping { flow: false }) && !has_properties
    }
}

impl Parts {
    fn read(tree: &Tree, regions: &[Region<'_>]) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        for region in regions {
            let read = Tree::parse(region.text).ok().filter(Tree::is_bare_mapping)?;
            let (first, last) = (region.pairs.first()?, region.pairs.last()?);
            let before = parts.last();
            let bytes = Swap::after(before.map(|part| &part.bytes), region.lines.clone(), region.text.len());
            let nodes = first.key..tree.next(last.value);
            let nodes = Swap::after(before.map(|part| &part.nodes), nodes, read.len() - 1);
            parts.push(Part { bytes, nodes, tree: read });
        }
        Some(Self(parts))
    }

    /// A node outside of the parts; one that ends with a part ends with the last leaf of that.
    fn moved(&self, node: &Node) -> Node {
        let end = node.end as usize;
        let moved = node.moved(|at| self.byte(at), |at| self.index(at));
        let last = self.last(|part| part.bytes.old.start < end);
        match last.filter(|part| end <= part.bytes.old.end) {
            Some(part) => Node { end: narrow(part.bytes.new.start + part.tree.end(0)), ..moved },
            None => moved,
        }
    }

    fn byte(&self, at: usize) -> usize {
        self.last(|part| part.bytes.old.start <= at).map_or(at, |part| part.bytes.moved(at))
    }

    fn index(&self, at: usize) -> usize {
        self.last(|part| part.nodes.old.start <= at).map_or(at, |part| part.nodes.moved(at))
    }

    /// The last part that begins early enough.
    fn last(&self, is_early: impl Fn(&Part) -> bool) -> Option<&Part> {
        let after = self.0.partition_point(is_early);
        after.checked_sub(1).map(|last| &self.0[last])
    }
}

impl Swap {
    /// What comes in the place of `old`, given what was swapped before it.
    fn after(before: Option<&Self>, old: Range<usize>, length: usize) -> Self {
        let start = before.map_or(old.start, |before| before.moved(old.start));
        Self { old, new: start..start + length }
    }

    /// The new place of what lies behind the range, or where it begins: an entry around it begins with its first key.
    fn moved(&self, at: usize) -> usize {
        match at.checked_sub(self.old.end) {
            Some(behind) => self.new.end + behind,
            None => self.new.start + at - self.old.start,
        }
    }
}

impl Node {
    fn moved(&self, byte: impl Fn(usize) -> usize, index: impl Fn(usize) -> usize) -> Self {
        Self {
            head: narrow(byte(self.head as usize)),
            start: narrow(byte(self.start as usize)),
            end: narrow(byte(self.end as usize)),
            next: narrow(index(self.next as usize)),
            parent: narrow(index(self.parent as usize)),
            ..*self
        }
    }
}
