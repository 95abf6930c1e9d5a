//! A values file: its bytes with the spans of what they say, and the edits that leave every other byte alone.
//!
//! The document reads, a change says what reconciliation wants, an edit is byte ranges that were checked.

mod absence;
mod block;
mod check;
mod copied;
mod data;
mod diagnosis;
mod document;
mod edit;
mod edit_error;
mod error;
mod excerpt;
mod fields;
mod flow;
mod keys;
mod layout;
mod lines;
mod lookup;
mod merge;
mod planned;
mod planned_texts;
mod quotes;
mod records;
mod region;
mod rendered;
mod set;
mod sops;
mod splice;
mod text_edit;
mod texts;
mod tree;
mod walk;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

pub use document::Document;
pub use edit::Edited;
pub use edit_error::{EditError, EditNote};
pub use error::{SIZE_LIMIT, ValuesError};
pub use excerpt::{Layer, excerpt, place};
pub use lookup::{Scalar, ScalarForm};
pub use merge::{Unmerged, merged, merged_with};
pub use records::Record;
pub use rendered::{Lookups, Rendered, ValueError, WrongValue};
pub use set::{InvalidSetting, Setting, Unsettable};
pub use text_edit::{Overlap, Replacement, TextEdit};
pub use texts::{MappingId, Text, TextId, TextsAt};
pub use walk::{Comment, Field};

/// A place in a text, for people: both count from 1, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where something stands in a values file: mapping keys from the top of a document down, `spec.values.images`.
/// A key that itself holds a dot is written in quotes: `data."values.yaml".images`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(pub Vec<String>);

/// How a mapping is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingStyle {
    /// One entry a line or more.
    Block,
    /// `{a: b, c: d}`; `{}` when it has no entries.
    Flow,
    /// The key stands there without a value (or with `null`, `~`).
    Null,
}

/// The mapping of image keys as the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Where it stands.
    pub path: KeyPath,
    /// How it is written.
    pub style: MappingStyle,
    /// The entries in their order; a key that is written twice is there twice.
    pub entries: Vec<Entry>,
    /// Where it begins.
    pub at: Position,
}

/// One entry of the mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as data.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// The value as data (YAML 1.1 booleans as Helm reads them); an alias as what it stands for.
    pub value: serde_json::Value,
    /// Bytes of the key, quotes included.
    pub key_span: Range<usize>,
    /// Whether an anchor stands in the entry that an alias outside of it uses.
    pub anchor_used_elsewhere: bool,
    /// Whether the value holds an alias or an anchor.
    pub has_alias_or_anchor: bool,
    /// Whether comment lines stand directly above the entry at its indentation.
    pub comment_above: bool,
}

impl Entry {
    /// Whether its value enables it.
    pub fn is_enabled(&self) -> bool {
        ENABLING.iter().any(|field| self.value.get(field) == Some(&serde_json::Value::Bool(true)))
    }
}

/// What reconciliation wants of a file. Entries are named by their index in [`Mapping::entries`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The scalar at `path` becomes `value`, in the quotes that it has.
    SetScalar {
        /// Where the scalar stands.
        path: KeyPath,
        /// Its new value.
        value: String,
    },
    /// A scalar, value or key, becomes `value`, in the quotes that it has.
    SetText {
        /// The scalar.
        text: TextId,
        /// What it will say.
        value: String,
    },
    /// Parts of a scalar are replaced; all its other bytes stay.
    ReplaceParts {
        /// The scalar.
        text: TextId,
        /// The bytes of the file that go, and what comes in their place.
        parts: Vec<Replacement>,
    },
    /// An entry gets another key; position, value and comments stay.
    Rename {
        /// The mapping.
        mapping: KeyPath,
        /// The entry.
        entry: usize,
        /// The new key.
        to: String,
    },
    /// An entry goes, with its trailing comment.
    Remove {
        /// The mapping.
        mapping: KeyPath,
        /// The entry.
        entry: usize,
        /// Whether the comment lines directly above it go too.
        with_comments_above: bool,
    },
    /// A new entry.
    Insert {
        /// The mapping.
        mapping: KeyPath,
        /// Before which entry; `None` for the end.
        before: Option<usize>,
        /// Whether it goes above the comment lines that stand directly above that entry.
        above_comments: bool,
        /// Its key.
        key: String,
        /// Its value.
        value: NewValue,
    },
    /// What enables entry `from` (`enabled: true`, `default_enabled: true`) is written into entry `to` as well.
    Enable {
        /// The mapping.
        mapping: KeyPath,
        /// The entry that was enabled, and goes.
        from: usize,
        /// The entry that takes its place.
        to: usize,
    },
}

/// The value of a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// That of another entry, without `enabled`, `default_enabled`, anchors and comments.
    Like(usize),
    /// The text of another entry with these words replaced, the longest that fits at each place.
    Reworded(usize, Vec<(String, String)>),
    /// A mapping of these texts, written as other entries write theirs; `{}` without any.
    Fields(Vec<(String, String)>),
}

impl NewValue {
    /// A text with words replaced, from its beginning on: the longest that fits at each place.
    pub fn reworded(text: &str, words: &[(String, String)]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let fits = words.iter().filter(|(from, _)| !from.is_empty() && rest.starts_with(from.as_str()));
            match fits.max_by_key(|(from, _)| from.len()) {
                Some((from, to)) => {
                    out.push_str(to);
                    rest = &rest[from.len()..];
                }
                None => {
                    out.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        out
    }

    /// What it says, copied from an entry of `mapping` or not.
    pub fn data(&self, mapping: &Mapping) -> serde_json::Value {
        match self {
            Self::Like(entry) => {
                let mut value =
                    mapping.entries.get(*entry).map(|entry| entry.value.clone()).unwrap_or_default();
                if let serde_json::Value::Object(fields) = &mut value {
                    fields.retain(|name, _| !ENABLING.contains(&name.as_str()));
                }
                value
            }
            Self::Reworded(entry, words) => {
                let text = mapping.entries.get(*entry).and_then(|entry| entry.value.as_str());
                serde_json::Value::String(Self::reworded(text.unwrap_or_default(), words))
            }
            Self::Fields(fields) => {
                fields.iter().cloned().map(|(name, text)| (name, serde_json::Value::String(text))).collect()
            }
        }
    }
}

/// The keys of an entry's value that enable it: the proposal's form and that of older charts.
pub const ENABLING: [&str; 2] = ["enabled", "default_enabled"];

/// Text that names no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path of keys (expected keys separated by dots, as in spec.values.images)")]
pub struct InvalidKeyPath(pub String);

impl FromStr for KeyPath {
    type Err = InvalidKeyPath;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPath> {
        let invalid = || InvalidKeyPath(text.to_owned());
        let mut keys = Vec::new();
        let mut rest = text;
        loop {
            let (key, tail) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(invalid)?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if key.is_empty() {
                return Err(invalid());
            }
            keys.push(key.to_owned());
            match tail.strip_prefix('.') {
                Some(next) => rest = next,
                None if tail.is_empty() => return Ok(Self(keys)),
                None => return Err(invalid()),
            }
        }
    }
}

impl KeyPath {
    /// The path of `keys` below this one.
    #[must_use]
    pub fn below(&self, keys: &[impl AsRef<str>]) -> Self {
        Self(self.0.iter().cloned().chain(keys.iter().map(|key| key.as_ref().to_owned())).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            let quote = if key.contains('.') { "\"" } else { "" };
            write!(f, "{dot}{quote}{key}{quote}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
