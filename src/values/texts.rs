//! Scalars by themselves, wherever they stand: values, items of lists and mapping keys, to be found by what they say.
//!
//! Nothing here follows an alias or reads a template: an alias is no scalar, and a template says something else.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::tree::{Kind, Pair};
use super::{Document, KeyPath, Position, ValuesError};

/// Which scalar of a document; it means nothing in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub(crate) usize);

impl TextId {
    /// What follows this one in the document.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which mapping of a document; it means nothing in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId(usize);

/// A scalar by itself: a value, an item of a list, or a mapping key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    /// Which one.
    pub id: TextId,
    /// What it says.
    pub value: &'a str,
    /// Where it begins.
    pub at: Position,
    /// Its bytes, quotes included.
    pub span: Range<usize>,
    /// Whether it stands in one line, plain or in quotes, so that all of it can be replaced.
    pub is_one_line: bool,
}

/// What stands at a path, as far as it consists of scalars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextsAt<'a> {
    /// A scalar.
    One(Text<'a>),
    /// A mapping: its keys with those values that are scalars.
    Entries(Vec<(&'a str, Text<'a>)>),
}

impl Document {
    /// Every scalar and mapping key that says something wanted, in the order of the file.
    pub fn texts(&self, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Text<'_>> {
        let scalars = (0..self.tree().len()).filter(|node| self.is_scalar(*node));
        scalars.filter(move |node| wanted(self.text_of(*node))).map(|node| self.text_at(node))
    }

    /// What stands at a path; `None` if there is no such key. Templates in quotes are scalars like others here.
    ///
    /// # Errors
    /// The path leads through or to an alias, a template without quotes or a list; it is written twice with different
    /// values, or in two documents of the file.
    pub fn texts_at(&self, path: &KeyPath) -> Result<Option<TextsAt<'_>>, ValuesError> {
        let Some(Pair { value, .. }) = self.locate(path)? else { return Ok(None) };
        match self.tree().kind(value) {
            Kind::Scalar(_) => Ok(Some(TextsAt::One(self.text_at(value)))),
            Kind::Mapping { .. } if !self.is_template(value) => {
                let pairs = self.tree().pairs(value);
                let scalars = pairs.filter(|pair| self.is_scalar(pair.key) && self.is_scalar(pair.value));
                let entry = |pair: Pair| (self.text_of(pair.key), self.text_at(pair.value));
                Ok(Some(TextsAt::Entries(scalars.map(entry).collect())))
            }
            _ => Err(self.unexpected(path, value, "a mapping or a scalar")),
        }
    }

    /// The scalar, no mapping key, that holds these bytes; `None` for a comment, a key, or what lies between scalars.
    pub fn value_around(&self, bytes: &Range<usize>) -> Option<Text<'_>> {
        let says_something = |node: &usize| self.is_scalar(*node) && !self.tree().span(*node).is_empty();
        let node = (0..self.tree().first_after(bytes.start)).rev().find(says_something)?;
        if self.tree().span(node).end < bytes.end {
            return None;
        }
        self.tree().mapping_of_key(node).is_none().then(|| self.text_at(node))
    }

    /// The mapping that has a scalar as a key; `None` for a value and an item of a list.
    pub fn mapping_of(&self, text: TextId) -> Option<MappingId> {
        self.tree().mapping_of_key(text.0).map(MappingId)
    }

    /// The scalars of each entry of the mapping at a path, in their order: its key is the first of them.
    pub fn entry_texts(&self, mapping: &KeyPath) -> Vec<Range<TextId>> {
        let pairs = self.locate(mapping).ok().flatten().map(|pair| self.entry_pairs(pair.value));
        let texts = |pair: Pair| TextId(pair.key)..TextId(self.tree().next(pair.value));
        pairs.into_iter().flatten().map(texts).collect()
    }

    /// The entry of which a node is the key.
    pub(crate) fn entry_of_key(&self, node: usize) -> Option<Pair> {
        self.tree().mapping_of_key(node).map(|_| Pair { key: node, value: self.tree().next(node) })
    }

    pub(crate) fn is_scalar(&self, node: usize) -> bool {
        matches!(self.tree().kind(node), Kind::Scalar(_))
    }

    pub(crate) fn text_at(&self, node: usize) -> Text<'_> {
        let span = self.tree().span(node);
        let block = [ScalarStyle::Literal, ScalarStyle::Folded].map(Kind::Scalar);
        Text {
            id: TextId(node),
            value: self.text_of(node),
            at: self.at(node),
            is_one_line: !block.contains(&self.tree().kind(node))
                && !self.slice(span.clone()).contains(['\n', '\r'])
                && !span.is_empty(),
            span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_around_bytes_is_the_one_that_holds_them() {
        for text in [
            "a: &x !t one\nb: *x\n? [c, {d: }]\n: - \n  - |\n    two\n\n  - {e: 'f', g: }\n---\n- h\n-\n- \"i\"\n",
            "? a\n: b\n? {c: d}\n: {e, f: , g: [], h: {}}\n",
            "# only\n",
            "a:\n\n# c\nb: !!str\nc: &y\n  d: >-\n    e\n    f\n",
        ] {
            let document = Document::parse(text.as_bytes().to_vec()).unwrap();
            let tree = document.tree();
            for node in (0..tree.len()).filter(|node| document.is_scalar(*node)) {
                let span = tree.span(node);
                let expected =
                    (!span.is_empty() && tree.mapping_of_key(node).is_none()).then_some(TextId(node));
                let found = document.value_around(&(span.start..span.end)).map(|text| text.id);
                assert!(span.is_empty() || found == expected, "{text}: {span:?}");
                assert_eq!(
                    document.value_around(&(span.start..span.end + 1)).filter(|text| text.id.0 == node),
                    None
                );
            }
        }
    }
}
