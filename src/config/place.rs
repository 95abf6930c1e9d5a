//! Fields of the file and where they stand: `targets[2].branches[0].policy.range` at line 12.

use std::collections::HashMap;
use std::fmt;

use granit_parser::{Event, Parser, ScanError, Span};

use crate::values::Position;

/// The path of a field from the top of the file; empty for the file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FieldPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

impl FieldPath {
    pub(super) fn key(&self, key: &str) -> Self {
        self.below(Step::Key(key.to_owned()))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        self.below(Step::Index(index))
    }

    fn below(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// The field that this one is a part of.
    fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, above)| Self(above.to_vec()))
    }

    /// Whether one of both is the other, or a part of it.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one == other)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if place == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Where the keys and values of a text stand.
#[derive(Debug, Default)]
pub(super) struct Places {
    keys: HashMap<FieldPath, Position>,
    values: HashMap<FieldPath, Position>,
}

impl Places {
    /// Reads the first document of a text, which is the only one that a configuration has.
    pub(super) fn of(text: &str) -> Result<Self, ScanError> {
        let options = granit_parser::options! {
            emit_comments: false,
            max_buffered_comment_events: usize::MAX,
        };
        let mut walk = Walk::default();
        for item in Parser::new_from_str_with_options(text, options) {
            let (event, span) = item?;
            if event == Event::DocumentEnd {
                break;
            }
            walk.take(&event, &span);
        }
        Ok(walk.places)
    }

    /// Where the value of a field stands; where it came by an alias, its key or what it is a part of.
    pub(super) fn value(&self, field: &FieldPath) -> Option<Position> {
        let own = self.values.get(field).or_else(|| self.keys.get(field));
        own.copied().or_else(|| self.value(&field.parent()?))
    }

    /// Where the key of a field stands.
    pub(super) fn key(&self, field: &FieldPath) -> Option<Position> {
        self.keys.get(field).copied().or_else(|| self.value(field))
    }
}

/// A collection that has begun and not ended.
enum Open {
    Mapping { at: FieldPath, key: Option<String> },
    Sequence { at: FieldPath, next: usize },
}

#[derive(Default)]
struct Walk {
    places: Places,
    open: Vec<Open>,
}

impl Walk {
    fn take(&mut self, event: &Event<'_>, span: &Span) {
        match event {
            Event::Scalar(text, ..) => {
                self.node(text, span);
            }
            Event::Alias(_) => {
                self.node("*", span);
            }
            Event::MappingStart(..) => {
                let at = self.node("?", span);
                self.open.push(Open::Mapping { at, key: None });
            }
            Event::SequenceStart(..) => {
                let at = self.node("?", span);
                self.open.push(Open::Sequence { at, next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
            }
            _ => {}
        }
    }

    /// Notes where a node stands and says which field it is. `text` is the key that it makes if it is one.
    fn node(&mut self, text: &str, span: &Span) -> FieldPath {
        let position = Position { line: span.start.line(), column: span.start.col() + 1 };
        let (field, is_key) = match self.open.last_mut() {
            None => (FieldPath::default(), false),
            Some(Open::Sequence { at, next }) => {
                *next += 1;
                (at.index(*next - 1), false)
            }
            Some(Open::Mapping { at, key }) => match key.take() {
                Some(key) => (at.key(&key), false),
                None => {
                    *key = Some(text.to_owned());
                    (at.key(text), true)
                }
            },
        };
        let places = if is_key { &mut self.places.keys } else { &mut self.places.values };
        places.entry(field.clone()).or_insert(position);
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_path() {
        let text = "a:\n  - b: {c: 1}\n  - d:\ne: &x [1, 2]\nf: *x\n";
        let places = Places::of(text).unwrap();
        let root = FieldPath::default();
        let value = |field: &FieldPath| places.value(field).unwrap().to_string();
        let item = root.key("a").index(0);
        assert_eq!(item.key("b").key("c").to_string(), "a[0].b.c");
        assert_eq!(value(&item.key("b").key("c")), "2:12");
        assert_eq!(places.key(&item.key("b").key("c")).unwrap().to_string(), "2:9");
        assert_eq!(value(&root.key("a").index(1).key("d")), "3:6", "a missing value is at its colon");
        assert_eq!(value(&root.key("e").index(1)), "4:11");
        assert_eq!(value(&root.key("f").index(1)), "5:4", "an alias's parts are where the alias is");
        assert_eq!(value(&root.key("nowhere")), "1:1");
    }
}
