//! Finding what stands at a path, and refusing what cannot be read or changed there.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::tree::{Kind, Pair};
use super::{Document, Entry, KeyPath, Mapping, MappingStyle, Position, ValuesError, sops};

/// A scalar as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Its value; empty where the key has none.
    pub value: String,
    /// Where it begins.
    pub at: Position,
    /// Its bytes, quotes included.
    pub span: Range<usize>,
    /// How it is written.
    pub style: ScalarForm,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarForm {
    /// `0.4.12`
    Plain,
    /// `'0.4.12'`
    SingleQuoted,
    /// `"0.4.12"`
    DoubleQuoted,
    /// `|` or `>` with lines below.
    Block,
}

impl Document {
    /// The scalar at a path; `None` if there is no such key.
    ///
    /// # Errors
    /// It is an alias, a template, encrypted, a mapping or a list; the key is written twice with different values, or in two
    /// documents of the file.
    pub fn scalar(&self, path: &KeyPath) -> Result<Option<Scalar>, ValuesError> {
        let Some(pair) = self.locate(path)? else { return Ok(None) };
        let style = match self.tree().kind(pair.value) {
            Kind::Scalar(style) => style,
            _ => return Err(self.unexpected(path, pair.value, "a scalar")),
        };
        let value = self.text_of(pair.value).to_owned();
        if value.contains("{{") {
            return Err(ValuesError::Template { path: path.clone(), at: self.at(pair.value) });
        }
        if sops::is_encrypted(&value) {
            return Err(ValuesError::Encrypted { path: path.clone(), at: self.at(pair.value) });
        }
        let (at, span) = (self.at(pair.value), self.tree().span(pair.value));
        Ok(Some(Scalar { value, at, span, style: form(style) }))
    }

    /// The mapping at a path; `None` if there is no such key.
    ///
    /// # Errors
    /// As [`Document::scalar`], and: a scalar or a list, a merge key inside, tabs as indentation.
    pub fn mapping(&self, path: &KeyPath) -> Result<Option<Mapping>, ValuesError> {
        let Some(pair) = self.locate(path)? else { return Ok(None) };
        let style = match self.tree().kind(pair.value) {
            Kind::Mapping { flow: false } => MappingStyle::Block,
            Kind::Mapping { flow: true } if !self.is_template(pair.value) => MappingStyle::Flow,
            Kind::Scalar(_) if self.is_null(pair.value) => MappingStyle::Null,
            _ => return Err(self.unexpected(path, pair.value, "a mapping")),
        };
        let pairs = self.entry_pairs(pair.value);
        for entry in &pairs {
            self.refuse_entry(path, *entry, style)?;
        }
        let entries = (0..pairs.len()).map(|i| self.entry(pair, &pairs, i)).collect::<Result<_, _>>()?;
        let at = if style == MappingStyle::Null { self.at(pair.key) } else { self.at(pair.value) };
        Ok(Some(Mapping { path: path.clone(), style, entries, at }))
    }

    /// What stands at a path, as data: aliases resolved, merge keys merged, booleans as Helm reads them (YAML 1.1).
    ///
    /// # Errors
    /// The path leads through an alias or a template, is written twice with different values or in two documents;
    /// aliases that stand for too much.
    pub fn value(&self, path: &KeyPath) -> Result<Option<serde_json::Value>, ValuesError> {
        self.locate(path)?.map(|pair| self.data(pair.value)).transpose()
    }

    /// The key and the value at a path, found in exactly one document of the file.
    pub(crate) fn locate(&self, path: &KeyPath) -> Result<Option<Pair>, ValuesError> {
        let mut found: Option<Pair> = None;
        for root in &self.tree().roots {
            let Some(pair) = self.locate_in(*root, path)? else { continue };
            if let Some(first) = found {
                let (first, second) = (self.at(first.key), self.at(pair.key));
                return Err(ValuesError::TwoDocuments { path: path.clone(), first, second });
            }
            found = Some(pair);
        }
        Ok(found)
    }

    /// Where a key of the path is written a first and a second time. To read, equal values are as good as one; to change
    /// one of them would make the file say two things.
    pub(crate) fn written_twice(&self, path: &KeyPath) -> Option<(Position, Position)> {
        self.tree().roots.iter().find_map(|root| {
            let mut node = *root;
            for key in &path.0 {
                let Kind::Mapping { .. } = self.tree().kind(node) else { return None };
                let mut same = self.scalars_called(node, key);
                let first = same.next()?;
                if let Some(second) = same.next() {
                    return Some((self.at(first.key), self.at(second.key)));
                }
                node = first.value;
            }
            None
        })
    }

    fn scalars_called(&self, mapping: usize, key: &str) -> impl Iterator<Item = Pair> {
        let is_scalar = |pair: &Pair| matches!(self.tree().kind(pair.key), Kind::Scalar(_));
        self.pairs_called(mapping, key).filter(is_scalar)
    }

    fn locate_in(&self, root: usize, path: &KeyPath) -> Result<Option<Pair>, ValuesError> {
        let mut node = root;
        let mut found = None;
        for (depth, key) in path.0.iter().enumerate() {
            let so_far = || KeyPath(path.0[..depth].to_vec());
            match self.tree().kind(node) {
                Kind::Mapping { .. } if !self.is_template(node) => {}
                Kind::Scalar(_) if !self.text_of(node).contains("{{") => return Ok(None),
                Kind::Sequence { .. } => return Ok(None),
                _ if depth == 0 => return Ok(None),
                _ => return Err(self.unexpected(&so_far(), node, "a mapping")),
            }
            let Some(pair) = self.child(node, key, || KeyPath(path.0[..=depth].to_vec()))? else {
                return Ok(None);
            };
            node = pair.value;
            found = Some(pair);
        }
        Ok(found)
    }

    /// The entry of a mapping with a key. Written twice with equal values it is the first one.
    fn child(
        &self,
        mapping: usize,
        key: &str,
        path: impl Fn() -> KeyPath,
    ) -> Result<Option<Pair>, ValuesError> {
        let mut same = self.scalars_called(mapping, key);
        let Some(first) = same.next() else { return Ok(None) };
        for other in same {
            if self.data(first.value)? != self.data(other.value)? {
                let (first, second) = (self.at(first.key), self.at(other.key));
                return Err(ValuesError::WrittenTwice { path: path(), first, second });
            }
        }
        Ok(Some(first))
    }

    /// The entries of the mapping at a node; none where the value is null.
    pub(crate) fn entry_pairs(&self, mapping: usize) -> Vec<Pair> {
        match self.tree().kind(mapping) {
            Kind::Mapping { .. } => self.tree().pairs(mapping).collect(),
            _ => Vec::new(),
        }
    }

    fn refuse_entry(&self, path: &KeyPath, entry: Pair, style: MappingStyle) -> Result<(), ValuesError> {
        if self.text_of(entry.key) == "<<" && self.tree().kind(entry.key) == Kind::Scalar(ScalarStyle::Plain)
        {
            return Err(ValuesError::MergeKey { path: path.clone(), at: self.at(entry.key) });
        }
        let head = self.tree().head(entry.key);
        let before = self.slice(self.line_start(head)..head);
        if style == MappingStyle::Block && before.trim().is_empty() && before.contains('\t') {
            return Err(ValuesError::Tab { at: self.position(self.line_start(head)) });
        }
        Ok(())
    }

    fn entry(&self, owner: Pair, pairs: &[Pair], index: usize) -> Result<Entry, ValuesError> {
        let (tree, pair) = (self.tree(), pairs[index]);
        let nodes = pair.key..tree.next(pair.value);
        let scalar = matches!(tree.kind(pair.key), Kind::Scalar(_));
        let key_span = tree.span(pair.key);
        let key = if scalar { self.text_of(pair.key) } else { self.slice(key_span.clone()) };
        let inside = pair.value..nodes.end;
        Ok(Entry {
            key: key.to_owned(),
            at: self.at(pair.key),
            value: self.data(pair.value)?,
            key_span,
            anchor_used_elsewhere: tree.used_elsewhere(nodes).is_some(),
            has_alias_or_anchor: tree.alias_in(inside.clone()).is_some() || tree.has_anchor(&inside),
            comment_above: self.comments_above(owner, pairs, index).is_some(),
        })
    }

    pub(crate) fn text_of(&self, node: usize) -> &str {
        self.tree().scalar(self.text(), node)
    }

    pub(crate) fn at(&self, node: usize) -> Position {
        self.position(self.tree().span(node).start)
    }

    /// A key without a value, or with `null` or `~`.
    pub(crate) fn is_null(&self, node: usize) -> bool {
        self.tree().kind(node) == Kind::Scalar(ScalarStyle::Plain)
            && matches!(self.text_of(node), "" | "~" | "null" | "Null" | "NULL")
    }

    /// `{{ … }}` without quotes: to YAML a flow mapping whose key is a flow mapping.
    pub(crate) fn is_template(&self, node: usize) -> bool {
        let flow = Kind::Mapping { flow: true };
        let mut pairs = self.tree().pairs(node);
        // Any of its keys: the first one may go, and then another is the first.
        self.tree().kind(node) == flow && pairs.any(|pair| self.tree().kind(pair.key) == flow)
    }

    pub(crate) fn unexpected(&self, path: &KeyPath, node: usize, expected: &'static str) -> ValuesError {
        let (path, at) = (path.clone(), self.at(node));
        let found = match self.tree().kind(node) {
            Kind::Alias => return ValuesError::Alias { path, at },
            Kind::Scalar(_) if self.text_of(node).contains("{{") => {
                return ValuesError::Template { path, at };
            }
            Kind::Mapping { .. } if self.is_template(node) => return ValuesError::Template { path, at },
            Kind::Scalar(_) => "a scalar",
            Kind::Mapping { .. } => "a mapping",
            Kind::Sequence { .. } => "a list",
        };
        ValuesError::Unexpected { path, at, found, expected }
    }
}

fn form(style: ScalarStyle) -> ScalarForm {
    match style {
        ScalarStyle::Plain => ScalarForm::Plain,
        ScalarStyle::SingleQuoted => ScalarForm::SingleQuoted,
        ScalarStyle::DoubleQuoted => ScalarForm::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded => ScalarForm::Block,
    }
}
