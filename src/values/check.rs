//! The second opinion: another parser reads the edited text, and must find the old nodes with the plan's changes.
//!
//! Nothing here looks at byte ranges or at what the edit wrote: the expected events come from the tree of the old
//! text and from the plan alone. yaml-rust2's events are used and not its loader, which fails on duplicate keys.

use std::collections::HashMap;
use std::str::Chars;

use granit_parser::ScalarStyle;
use yaml_rust2::Event;
use yaml_rust2::parser::{Parser, Tag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::planned::{MappingPlan, Planned, Plans};
use super::region::Region;
use super::tree::{Kind, Pair};
use super::{Document, ENABLING, EditError, Position};

/// Compares the edited text with the plan.
///
/// Where the changes can be read by themselves, the rest being the old text byte for byte, that is enough. Everywhere
/// else, and whenever that reading finds fault, the whole text is read and has the last word.
pub(crate) fn says_the_plan(document: &Document, plans: &Plans<'_>, text: &str) -> Result<(), EditError> {
    if region_says_the_plan(document, plans, text) {
        Ok(())
    } else {
        whole_says_the_plan(document, plans, text)
    }
}

/// Whether the changes can be read by themselves, and say the plan.
pub(crate) fn region_says_the_plan(document: &Document, plans: &Plans<'_>, text: &str) -> bool {
    let region = Region::of(document, plans, text);
    region.is_some_and(|region| Comparison::new(document, plans, region.text).entries(&region.pairs).is_ok())
}

/// Compares the whole edited text with the plan.
pub(crate) fn whole_says_the_plan(
    document: &Document,
    plans: &Plans<'_>,
    text: &str,
) -> Result<(), EditError> {
    // yaml-rust2 takes a byte order mark for content.
    Comparison::new(document, plans, text.strip_prefix('\u{feff}').unwrap_or(text)).file()
}

struct Comparison<'a> {
    document: &'a Document,
    mappings: HashMap<usize, &'a MappingPlan<'a>>,
    scalars: HashMap<usize, &'a str>,
    reader: Parser<Chars<'a>>,
    /// Anchors are numbered anew where one is gone: the new text's numbers, and those of the old.
    anchors: HashMap<usize, u32>,
}

/// How a node is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// As it is, with what is planned for it.
    Itself,
    /// As a copy: without anchors.
    Copy,
}

impl<'a> Comparison<'a> {
    fn new(document: &'a Document, plans: &'a Plans<'a>, text: &'a str) -> Self {
        Self {
            document,
            mappings: plans.mappings.iter().map(|plan| (plan.owner.value, plan)).collect(),
            scalars: plans
                .scalars
                .iter()
                .map(|(_, pair, value)| (pair.value, *value))
                .chain(plans.texts.iter().map(|text| (text.node, text.value.as_str())))
                .collect(),
            reader: Parser::new_from_str(text),
            anchors: HashMap::new(),
        }
    }

    /// Some entries of a mapping, as a file of their own.
    fn entries(&mut self, pairs: &[Pair]) -> Result<(), EditError> {
        self.expect("the beginning", |event| *event == Event::StreamStart)?;
        self.expect("a document", |event| *event == Event::DocumentStart)?;
        self.expect("a mapping", |event| matches!(event, Event::MappingStart(0, None)))?;
        for pair in pairs {
            self.node(pair.key, As::Itself)?;
            self.node(pair.value, As::Itself)?;
        }
        self.end_of_mapping()?;
        self.expect("the end of the document", |event| *event == Event::DocumentEnd)?;
        self.expect("the end", |event| *event == Event::StreamEnd)
    }

    fn file(&mut self) -> Result<(), EditError> {
        self.expect("the beginning", |event| *event == Event::StreamStart)?;
        for root in &self.document.tree().roots {
            self.expect("a document", |event| *event == Event::DocumentStart)?;
            self.node(*root, As::Itself)?;
            self.expect("the end of the document", |event| *event == Event::DocumentEnd)?;
        }
        self.expect("the end", |event| *event == Event::StreamEnd)
    }

    fn node(&mut self, node: usize, how: As) -> Result<(), EditError> {
        if how == As::Itself
            && let Some(plan) = self.mappings.get(&node).copied()
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
                self.expect("the end of the list", |event| *event == Event::SequenceEnd)
            }
            Kind::Mapping { .. } => {
                self.begin(node, how, "a mapping")?;
                self.pairs(node, how, |_| true)?;
                self.end_of_mapping()
            }
        }
    }

    fn planned(&mut self, plan: &MappingPlan<'_>) -> Result<(), EditError> {
        if plan.pairs.is_empty() && plan.inserted.is_empty() {
            self.unplanned(plan.owner.value)?;
            return Ok(());
        }
        self.begin(plan.owner.value, As::Itself, "the mapping")?;
        for entry in plan.entries() {
            match entry {
                Planned::Kept { pair, renamed, enabled } => {
                    match renamed {
                        Some(key) => self.replaced(pair.key, key)?,
                        None => self.node(pair.key, As::Itself)?,
                    }
                    self.enabled_value(pair, enabled)?;
                }
                Planned::New { key, like } => {
                    self.text(key)?;
                    self.copy(like)?;
                }
            }
        }
        self.end_of_mapping()
    }

    /// A mapping for which nothing came to be planned.
    fn unplanned(&mut self, node: usize) -> Result<(), EditError> {
        self.mappings.remove(&node);
        self.node(node, As::Itself)
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

    fn copy(&mut self, like: Option<Pair>) -> Result<(), EditError> {
        let tree = self.document.tree();
        match like {
            Some(like) if matches!(tree.kind(like.value), Kind::Mapping { .. }) => {
                self.begin(like.value, As::Copy, "the copied value")?;
                self.pairs(like.value, As::Copy, |key| !ENABLING.contains(&key))?;
            }
            Some(like) => return self.node(like.value, As::Copy),
            None => self.expect("{}", |event| matches!(event, Event::MappingStart(0, None)))?,
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
        let (event, mark) = self.next()?;
        let same = match &event {
            Event::SequenceStart(anchor, tag) if list => self.properties(node, how, *anchor, tag.as_ref()),
            Event::MappingStart(anchor, tag) if !list => self.properties(node, how, *anchor, tag.as_ref()),
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(what, &event, mark)) }
    }

    fn end_of_mapping(&mut self) -> Result<(), EditError> {
        self.expect("the end of the mapping", |event| *event == Event::MappingEnd)
    }

    fn scalar(&mut self, node: usize, style: ScalarStyle, how: As) -> Result<(), EditError> {
        if how == As::Itself
            && let Some(value) = self.scalars.get(&node).copied()
        {
            return self.replaced(node, value);
        }
        let value = self.document.text_of(node);
        let (event, mark) = self.next()?;
        let same = match &event {
            Event::Scalar(found, form, anchor, tag) => {
                found == value && *form == second(style) && self.properties(node, how, *anchor, tag.as_ref())
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(value, &event, mark)) }
    }

    /// A scalar whose text is planned to be another; it may have got quotes, and keeps anchor and tag.
    fn replaced(&mut self, node: usize, value: &str) -> Result<(), EditError> {
        let (event, mark) = self.next()?;
        let style = match self.document.tree().kind(node) {
            Kind::Scalar(style) => second(style),
            _ => TScalarStyle::DoubleQuoted,
        };
        let same = match &event {
            Event::Scalar(found, form, anchor, tag) => {
                let quotes = *form == style || *form == TScalarStyle::DoubleQuoted;
                found == value && quotes && self.properties(node, As::Itself, *anchor, tag.as_ref())
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(differs(value, &event, mark)) }
    }

    fn text(&mut self, value: &str) -> Result<(), EditError> {
        self.expect(value, |event| matches!(event, Event::Scalar(found, _, 0, None) if found == value))
    }

    fn alias(&mut self, node: usize) -> Result<(), EditError> {
        let id = self.document.tree().anchor(node);
        let (event, mark) = self.next()?;
        match event {
            Event::Alias(found) if self.anchors.get(&found) == Some(&id) => Ok(()),
            event => Err(differs("an alias", &event, mark)),
        }
    }

    fn properties(&mut self, node: usize, how: As, anchor: usize, tag: Option<&Tag>) -> bool {
        let tree = self.document.tree();
        let expected = if how == As::Copy { 0 } else { tree.anchor(node) };
        if anchor != 0 {
            self.anchors.insert(anchor, expected);
        }
        let named = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
        (expected == 0) == (anchor == 0) && named.as_deref() == tree.tag(node)
    }

    fn expect(&mut self, what: &str, same: impl Fn(&Event) -> bool) -> Result<(), EditError> {
        let (event, mark) = self.next()?;
        if same(&event) { Ok(()) } else { Err(differs(what, &event, mark)) }
    }

    fn next(&mut self) -> Result<(Event, Marker), EditError> {
        self.reader.next_token().map_err(|error| {
            let at = position(*error.marker());
            EditError::SecondReader { at, message: error.info().to_owned() }
        })
    }
}

fn differs(expected: &str, found: &Event, mark: Marker) -> EditError {
    let found = match found {
        Event::Scalar(text, ..) => format!("`{text}`"),
        Event::MappingStart(..) => "a mapping".to_owned(),
        Event::SequenceStart(..) => "a list".to_owned(),
        Event::Alias(_) => "an alias".to_owned(),
        _ => "an end".to_owned(),
    };
    EditError::NotAsPlanned { at: position(mark), expected: format!("`{expected}`"), found }
}

/// yaml-rust2 counts lines from 1 and columns from 0.
fn position(mark: Marker) -> Position {
    Position { line: mark.line(), column: mark.col() + 1 }
}

fn second(style: ScalarStyle) -> TScalarStyle {
    match style {
        ScalarStyle::Plain => TScalarStyle::Plain,
        ScalarStyle::SingleQuoted => TScalarStyle::SingleQuoted,
        ScalarStyle::DoubleQuoted => TScalarStyle::DoubleQuoted,
        ScalarStyle::Literal => TScalarStyle::Literal,
        ScalarStyle::Folded => TScalarStyle::Folded,
    }
}
