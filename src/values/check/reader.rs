//! What a YAML reader says of a text, in words that readers share.

use granit_parser::ScalarStyle;

use crate::values::Position;

/// A YAML reader that shares no code with the one that made the tree.
pub(super) trait Reader {
    /// Whose reader it is, as people know it.
    const NAME: &'static str;

    /// What stands next in the text.
    fn next(&mut self) -> Result<(Heard, Position), Unreadable>;
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    /// The reader's name for the anchor.
    Alias(String),
    Scalar(String, ScalarStyle, Properties),
    Sequence(Properties),
    SequenceEnd,
    Mapping(Properties),
    MappingEnd,
}

/// What stands before a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Properties {
    /// The reader's name for the anchor.
    pub(super) anchor: Option<String>,
    /// The full name of the tag.
    pub(super) tag: Option<String>,
}

/// Where a reader stopped, and why.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) at: Position,
    pub(super) message: String,
}
