//! yaml-rust2's events. Its loader fails on duplicate keys and is not used.

use std::str::Chars;

use granit_parser::ScalarStyle;
use yaml_rust2::Event;
use yaml_rust2::parser::{Parser, Tag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::reader::{Heard, Properties, Reader, Unreadable};
use crate::values::Position;

/// A reader of YAML 1.2.
pub(super) struct YamlRust2<'a>(Parser<Chars<'a>>);

impl<'a> YamlRust2<'a> {
    /// It answers to every text.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        Some(Self(Parser::new_from_str(text)))
    }
}

impl Reader for YamlRust2<'_> {
    const NAME: &'static str = "yaml-rust2";

    fn next(&mut self) -> Result<(Heard, Position), Unreadable> {
        loop {
            match self.0.next_token() {
                Ok((Event::Nothing, _)) => {}
                Ok((event, mark)) => return Ok((heard(event), position(mark))),
                Err(error) => {
                    let at = position(*error.marker());
                    return Err(Unreadable { at, message: error.info().to_owned() });
                }
            }
        }
    }
}

fn heard(event: Event) -> Heard {
    match event {
        Event::Nothing | Event::StreamStart => Heard::StreamStart,
        Event::StreamEnd => Heard::StreamEnd,
        Event::DocumentStart => Heard::DocumentStart,
        Event::DocumentEnd => Heard::DocumentEnd,
        Event::Alias(anchor) => Heard::Alias(anchor.to_string()),
        Event::Scalar(text, form, anchor, tag) => Heard::Scalar(text, style(form), properties(anchor, tag)),
        Event::SequenceStart(anchor, tag) => Heard::Sequence(properties(anchor, tag)),
        Event::SequenceEnd => Heard::SequenceEnd,
        Event::MappingStart(anchor, tag) => Heard::Mapping(properties(anchor, tag)),
        Event::MappingEnd => Heard::MappingEnd,
    }
}

/// Anchors are numbered from 1.
fn properties(anchor: usize, tag: Option<Tag>) -> Properties {
    Properties {
        anchor: (anchor != 0).then(|| anchor.to_string()),
        tag: tag.map(|tag| format!("{}{}", tag.handle, tag.suffix)),
    }
}

fn style(form: TScalarStyle) -> ScalarStyle {
    match form {
        TScalarStyle::Plain => ScalarStyle::Plain,
        TScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        TScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        TScalarStyle::Literal => ScalarStyle::Literal,
        TScalarStyle::Folded => ScalarStyle::Folded,
    }
}

/// Lines count from 1 and columns from 0.
fn position(mark: Marker) -> Position {
    Position { line: mark.line(), column: mark.col() + 1 }
}
