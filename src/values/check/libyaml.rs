//! libyaml's events: Helm, Flux and Argo CD read with its grammar (go-yaml is a port of it, and so is libyaml-safer).

use std::io::{Chain, Read};

use granit_parser::ScalarStyle;
use libyaml_safer::{EventData, Mark, Parser};

use super::reader::{Heard, Properties, Reader, Unreadable};
use crate::values::Position;

/// A text, with a line end after its last line.
type Text<'a> = Chain<&'a [u8], &'static [u8]>;

/// The grammar that Helm reads with.
pub(super) struct Libyaml<'a>(Parser<Text<'a>>);

impl<'a> Libyaml<'a> {
    /// `None` where the port has no answer: it panics at a tag directly before a comma
    /// (<https://github.com/simonask/libyaml-safer/issues/7>), and at a text without a last line end (issue 6), which
    /// it is given.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        let word = |rest: &str| rest.split(char::is_whitespace).next().is_some_and(|word| word.contains(','));
        if text.match_indices('!').any(|(at, _)| word(&text[at..])) {
            return None;
        }
        let last: &'static [u8] = if text.ends_with(['\n', '\r']) { b"" } else { b"\n" };
        let mut parser = Parser::new();
        parser.set_input(text.as_bytes().chain(last));
        Some(Self(parser))
    }
}

impl Reader for Libyaml<'_> {
    const NAME: &'static str = "Helm";

    fn next(&mut self) -> Result<(Heard, Position), Unreadable> {
        match self.0.parse() {
            Ok(event) => Ok((heard(event.data), position(event.start_mark))),
            Err(error) => {
                let at = position(error.problem_mark().unwrap_or_default());
                Err(Unreadable { at, message: error.problem().to_owned() })
            }
        }
    }
}

fn heard(event: EventData) -> Heard {
    match event {
        EventData::StreamStart { .. } => Heard::StreamStart,
        EventData::StreamEnd => Heard::StreamEnd,
        EventData::DocumentStart { .. } => Heard::DocumentStart,
        EventData::DocumentEnd { .. } => Heard::DocumentEnd,
        EventData::Alias { anchor } => Heard::Alias(anchor),
        EventData::Scalar { anchor, tag, value, style: form, .. } => {
            Heard::Scalar(value, style(form), Properties { anchor, tag })
        }
        EventData::SequenceStart { anchor, tag, .. } => Heard::Sequence(Properties { anchor, tag }),
        EventData::SequenceEnd => Heard::SequenceEnd,
        EventData::MappingStart { anchor, tag, .. } => Heard::Mapping(Properties { anchor, tag }),
        EventData::MappingEnd => Heard::MappingEnd,
    }
}

fn style(form: libyaml_safer::ScalarStyle) -> ScalarStyle {
    use libyaml_safer::ScalarStyle as Form;
    match form {
        Form::SingleQuoted => ScalarStyle::SingleQuoted,
        Form::DoubleQuoted => ScalarStyle::DoubleQuoted,
        Form::Literal => ScalarStyle::Literal,
        Form::Folded => ScalarStyle::Folded,
        _ => ScalarStyle::Plain,
    }
}

/// Lines and columns count from 0.
fn position(mark: Mark) -> Position {
    let from_one = |count: u64| usize::try_from(count).map_or(usize::MAX, |count| count.saturating_add(1));
    Position { line: from_one(mark.line), column: from_one(mark.column) }
}
