//! What one reader must find in an edited text: the nodes of the old text with the plan's changes, event by event.

use std::collections::HashMap;

use granit_parser::ScalarStyle;

use super::reader::{Heard, Properties, Reader};
use crate::values::planned::{MappingPlan, PlannedEntry, PlannedValue, Plans};
use crate::values::tree::{Kind, Pair};
use crate::values::{Document, ENABLING, EditError, NewValue, Position};

/// The plan by the nodes of the old text.
#[derive(Default)]
pub(super) struct ByNode<'a> {
    mappings: HashMap<usize, &'a MappingPlan<'a>>,
    scalars: HashMap<usize, &'a str>,
}

/// The old text and its plan, and a reader of the new text.
pub(super) struct Reading<'a, R> {
    document: &'a Document,
    plan: &'a ByNode<'a>,
    reader: R,
    /// Readers name or number anchors in their own way: what this one calls each, and the number in the old text.
    anchors: HashMap<String, u32>,
}

/// How a node is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// As it is, with what is planned for it.
    Itself,
    /// As a copy: without anchors.
    Copy,
}

impl<'a> ByNode<'a> {
    pub(super) fn new(plans: &'a Plans<'a>) -> Self {
        // A mapping for which nothing came to be planned is as it was.
        let mappings =
            plans.mappings.iter().filter(|plan| !(plan.pairs.is_empty() && plan.inserted.is_empty()));
        let scalars = plans.scalars.iter().map(|(_, pair, value)| (pair.value, *value));
        let texts = plans.texts.iter().map(|text| (text.node, text.value.as_str()));
        Self {
            mappings: mappings.map(|plan| (plan.owner.value, plan)).collect(),
            scalars: scalars.chain(texts).collect(),
        }
    }
}

impl<'a, R: Reader> Reading<'a, R> {
    pub(super) fn new(document: &'a Document, plan: &'a ByNode<'a>, reader: R) -> Self {
        Self { document, plan, reader, anchors: HashMap::new() }
    }

    /// Some entries of a mapping, as a file of their own.
    pub(super) fn entries(&mut self, pairs: &[Pair]) -> Result<(), EditError> {
        self.expect("the beginning", |event| *event == Heard::StreamStart)?;
        self.expect("a document", |event| *event == Heard::DocumentStart)?;
        self.expect("a mapping", |event| *event == Heard::Mapping(Properties::default()))?;
        for pair in pairs {
            self.node(pair.key, As::Itself)?;
            self.node(pair.value, As::Itself)?;
        }
        self.end_of_mapping()?;
        self.expect("the end of the document", |event| *event == Heard::DocumentEnd)?;
        self.expect("the end", |event| *event == Heard::StreamEnd)
    }

    /// All documents of a file.
    pub(super) fn file(&mut self) -> Result<(), EditError> {
        self.expect("the beginning", |event| *event == Heard::StreamStart)?;
        for root in &self.document.tree().roots {
            self.expect("a document", |event| *event == Heard::DocumentStart)?;
            self.node(*root, As::Itself)?;
            self.expect("the end of the document", |event| *event == Heard::DocumentEnd)?;
        }
        self.expect("the end", |event| *event == Heard::StreamEnd)
    }

    fn node(&mut self, node: usize, how: As) -> Result<(), EditError> {
        if how == As::Itself
            && let Some(plan) = self.plan.mappings.get(&node).copied()
        {
            return self.planned(plan);
        }
        match self.document.tree().kind(node) {
            Kind::Alias => self.alias(node),
            Kind::Scalar(style) => self.scalar(node, style, how),
            Kind::Sequence { .. } => {
                self.begin(node, how, "a list")?;
                let mut item = node + 1;
                while item < self.document.tree().next(node) {
                    self.node(item, how)?;
                    item = self.document.tree().next(item);
                }
                self.expect("the end of the list", |event| *event == Heard::SequenceEnd)
            }
            Kind::Mapping { .. } => {
                self.begin(node, how, "a mapping")?;
                self.pairs(node, how, |_| true)?;
                self.end_of_mapping()
            }
        }
    }

    fn planned(&mut self, plan: &MappingPlan<'_>) -> Result<(), EditError> {
        self.begin(plan.owner.value, As::Itself, "the mapping")?;
        for entry in plan.entries() {
            match entry {
                PlannedEntry::Kept { pair, renamed, enabled } => {
                    match renamed {
                        Some(key) => self.replaced(pair.key, key)?,
                        None => self.node(pair.key, As::Itself)?,
                    }
                    self.enabled_value(pair, enabled)?;
                }
                PlannedEntry::New { key, value } => {
                    self.text(key)?;
                    self.new_value(value)?;
                }
            }
        }
        self.end_of_mapping()
    }

    fn enabled_value(&mut self, pair: Pair, enabled: &[Pair]) -> Result<(), EditError> {
        if enabled.is_empty() {
            return self.node(pair.value, As::Itself);
        }
        self.begin(pair.value, As::Itself, "the value that is enabled")?;
        for pair in enabled {
            self.node(pair.key, As::Copy)?;
            self.node(pair.value, As::Copy)?;
        }
        if matches!(self.document.tree().kind(pair.value), Kind::Mapping { .. }) {
            self.pairs(pair.value, As::Itself, |_| true)?;
        }
        self.end_of_mapping()
    }

    fn new_value(&mut self, value: PlannedValue<'_>) -> Result<(), EditError> {
        let tree = self.document.tree();
        match value {
            PlannedValue::Like(like) if matches!(tree.kind(like.value), Kind::Mapping { .. }) => {
                self.begin(like.value, As::Copy, "the copied value")?;
                self.pairs(like.value, As::Copy, |key| !ENABLING.contains(&key))?;
            }
            PlannedValue::Like(like) => return self.node(like.value, As::Copy),
            PlannedValue::Reworded(like, words) => return self.reworded(like.value, words),
            PlannedValue::Fields(fields) => {
                self.expect("a mapping", |event| *event == Heard::Mapping(Properties::default()))?;
                for (name, text) in fields {
                    self.text(name)?;
                    self.text(text)?;
                }
            }
        }
        self.end_of_mapping()
    }

    fn pairs(&mut self, mapping: usize, how: As, wanted: impl Fn(&str) -> bool) -> Result<(), EditError> {
        let document = self.document;
        for pair in document.tree().pairs(mapping) {
            if wanted(document.text_of(pair.key)) {
                self.node(pair.key, how)?;
                self.node(pair.value, how)?;
            }
        }
        Ok(())
    }

    /// The start of a collection with the anchor and tag of a node.
    fn begin(&mut self, node: usize, how: As, what: &str) -> Result<(), EditError> {
        let list = matches!(self.document.tree().kind(node), Kind::Sequence { .. });
        let (event, at) = self.next()?;
        let same = match &event {
            Heard::Sequence(properties) if list => self.properties(node, how, properties),
            Heard::Mapping(properties) if !list => self.properties(node, how, properties),
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(what, &event, at)) }
    }

    fn end_of_mapping(&mut self) -> Result<(), EditError> {
        self.expect("the end of the mapping", |event| *event == Heard::MappingEnd)
    }

    fn scalar(&mut self, node: usize, style: ScalarStyle, how: As) -> Result<(), EditError> {
        if how == As::Itself
            && let Some(value) = self.plan.scalars.get(&node).copied()
        {
            return self.replaced(node, value);
        }
        let value = self.document.text_of(node);
        let (event, at) = self.next()?;
        let same = match &event {
            Heard::Scalar(found, form, properties) => {
                found == value && *form == style && self.properties(node, how, properties)
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(value, &event, at)) }
    }

    /// A scalar whose text is planned to be another; it may have got quotes, and keeps anchor and tag.
    fn replaced(&mut self, node: usize, value: &str) -> Result<(), EditError> {
        let (event, at) = self.next()?;
        let style = match self.document.tree().kind(node) {
            Kind::Scalar(style) => style,
            _ => ScalarStyle::DoubleQuoted,
        };
        let same = match &event {
            Heard::Scalar(found, form, properties) => {
                let quotes = *form == style || *form == ScalarStyle::DoubleQuoted;
                found == value && quotes && self.properties(node, As::Itself, properties)
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(value, &event, at)) }
    }

    /// A copy of a scalar with words replaced, in its quotes.
    fn reworded(&mut self, node: usize, words: &[(String, String)]) -> Result<(), EditError> {
        let value = NewValue::reworded(self.document.text_of(node), words);
        let kind = self.document.tree().kind(node);
        let (event, at) = self.next()?;
        let same = match &event {
            Heard::Scalar(found, form, properties) => {
                *found == value && Kind::Scalar(*form) == kind && self.properties(node, As::Copy, properties)
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(&value, &event, at)) }
    }

    fn text(&mut self, value: &str) -> Result<(), EditError> {
        let bare = Properties::default();
        self.expect(
            value,
            |event| matches!(event, Heard::Scalar(found, _, properties) if found == value && *properties == bare),
        )
    }

    fn alias(&mut self, node: usize) -> Result<(), EditError> {
        let id = self.document.tree().anchor(node);
        let (event, at) = self.next()?;
        match event {
            Heard::Alias(found) if self.anchors.get(&found) == Some(&id) => Ok(()),
            event => Err(differs("an alias", &event, at)),
        }
    }

    fn properties(&mut self, node: usize, how: As, found: &Properties) -> bool {
        let tree = self.document.tree();
        let expected = if how == As::Copy { 0 } else { tree.anchor(node) };
        if let Some(anchor) = &found.anchor {
            self.anchors.insert(anchor.clone(), expected);
        }
        (expected == 0) == found.anchor.is_none() && found.tag.as_deref() == tree.tag(node)
    }

    fn expect(&mut self, what: &str, same: impl Fn(&Heard) -> bool) -> Result<(), EditError> {
        let (event, at) = self.next()?;
        if same(&event) { Ok(()) } else { Err(differs(what, &event, at)) }
    }

    fn next(&mut self) -> Result<(Heard, Position), EditError> {
        self.reader.next().map_err(|error| EditError::Unreadable {
            reader: R::NAME,
            at: error.at,
            message: error.message,
        })
    }
}

fn differs(expected: &str, found: &Heard, at: Position) -> EditError {
    let found = match found {
        Heard::Scalar(text, ..) => format!("`{text}`"),
        Heard::Mapping(_) => "a mapping".to_owned(),
        Heard::Sequence(_) => "a list".to_owned(),
        Heard::Alias(_) => "an alias".to_owned(),
        _ => "an end".to_owned(),
    };
    EditError::NotAsPlanned { at, expected: format!("`{expected}`"), found }
}
