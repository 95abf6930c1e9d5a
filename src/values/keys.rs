//! The keys of large mappings, by their texts: each is found without a look at all others.

use super::tree::{Kind, Pair, Tree};

/// So many pairs are looked at one by one before it is worth to know where each is.
const FEW: usize = 64;

/// The pairs of all large mappings of a document, by mapping, key and place.
#[derive(Debug)]
pub(super) struct LargeMappings(Vec<Pair>);

/// Whether a mapping has so many pairs that they are kept here.
pub(super) fn is_large(tree: &Tree, mapping: usize) -> bool {
    tree.pairs(mapping).nth(FEW).is_some()
}

impl LargeMappings {
    pub(super) fn of(tree: &Tree, text: &str) -> Self {
        let is_mapping = |node: &usize| matches!(tree.kind(*node), Kind::Mapping { .. });
        let large = (0..tree.len()).filter(is_mapping).filter(|mapping| is_large(tree, *mapping));
        let mut pairs: Vec<Pair> = large.flat_map(|mapping| tree.pairs(mapping)).collect();
        pairs.sort_by_key(|pair| (tree.mapping_of_key(pair.key), tree.scalar(text, pair.key)));
        Self(pairs)
    }

    /// The pairs of a mapping whose key has this text, in their order.
    pub(super) fn called(&self, tree: &Tree, text: &str, mapping: usize, key: &str) -> &[Pair] {
        let sought = (Some(mapping), key);
        let place = |pair: &Pair| (tree.mapping_of_key(pair.key), tree.scalar(text, pair.key));
        let first = self.0.partition_point(|pair| place(pair) < sought);
        let after = self.0[first..].partition_point(|pair| place(pair) <= sought);
        &self.0[first..first + after]
    }
}
