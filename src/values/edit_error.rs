//! What an edit says: notes for the person who looks at it, and why it was not made.

use super::text_edit::Overlap;
use super::{Document, KeyPath, Position, ValuesError};

/// Something about an edit that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditNote {
    /// The comment lines directly above a removed entry stayed.
    CommentAboveStays {
        /// The key of the entry that went.
        key: String,
        /// The first line of the comment, in the old text.
        at: Position,
    },
    /// A comment below a removed entry that is indented like a part of it stayed.
    CommentBelowStays {
        /// The key of the entry that went.
        key: String,
        /// The comment, in the old text.
        at: Position,
    },
}

impl std::fmt::Display for EditNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CommentAboveStays { key, at } => write!(f, "the comment above {key} ({at}) stays"),
            Self::CommentBelowStays { key, at } => write!(f, "the comment below {key} ({at}) stays"),
        }
    }
}

/// Why an edit was not made. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place cannot be read.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// There is no such key.
    #[error("`{path}` was not found")]
    NoSuchKey {
        /// The path.
        path: KeyPath,
    },
    /// What is to change is written twice; with one of them changed, the file would say two things.
    #[error("{second}: `{path}` is written twice, first at {first}; remove one of them")]
    WrittenTwice {
        /// The path.
        path: KeyPath,
        /// The first.
        first: Position,
        /// The second.
        second: Position,
    },
    /// The mapping has fewer entries.
    #[error("`{path}` has no entry number {entry}")]
    NoSuchEntry {
        /// The mapping.
        path: KeyPath,
        /// The index that was named.
        entry: usize,
    },
    /// An entry is to change in two ways that exclude one another.
    #[error("entry number {entry} of `{path}` is changed in two ways")]
    Contradiction {
        /// The mapping.
        path: KeyPath,
        /// The entry.
        entry: usize,
    },
    /// All entries would go.
    #[error("{at}: the edit empties the mapping `{path}`")]
    EmptiesMapping {
        /// The mapping.
        path: KeyPath,
        /// Its key.
        at: Position,
    },
    /// The entry is to go, or be copied, and something else refers to it.
    #[error("{at}: the anchor in `{key}` is used elsewhere")]
    AnchorUsedElsewhere {
        /// The entry.
        key: String,
        /// The anchor.
        at: Position,
    },
    /// The entry is to be copied and refers to something else.
    #[error("{at}: `{key}` holds an alias, and is not copied")]
    CopiesAlias {
        /// The entry.
        key: String,
        /// The alias.
        at: Position,
    },
    /// A way of writing that cannot be edited safely.
    #[error("{at}: cannot be edited safely: {why}")]
    Layout {
        /// Where.
        at: Position,
        /// What is in the way.
        why: &'static str,
    },
    /// A scalar is to change in two ways that exclude one another.
    #[error("{at}: the text is changed in two ways")]
    ChangedTwice {
        /// The scalar.
        at: Position,
    },
    /// sops keeps a checksum of the whole file, which the edit would make wrong.
    #[error(
        "{at}: the file is encrypted by sops, whose `mac` covers all of its values: after the edit it could not be \
         decrypted; edit it with sops, or let sops write it with `mac_only_encrypted: true`"
    )]
    Sops {
        /// The key `mac`.
        at: Position,
    },
    /// sops binds an encrypted value to its keys, and its checksum to the encrypted values.
    #[error("{at}: `{key}` holds a value that sops encrypted, and can only be changed with sops")]
    Encrypted {
        /// The entry.
        key: String,
        /// Where it stands.
        at: Position,
    },
    /// Two changes meet.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// A reader that read the old text does not read the new one.
    #[error("{at}: {reader} cannot read the edited text: {message}; nothing was written")]
    Unreadable {
        /// Whose reader it is.
        reader: &'static str,
        /// Where it stopped, in the new text.
        at: Position,
        /// What it said.
        message: String,
    },
    /// No second reader reads the old text, so that none can check an edit of it.
    #[error(
        "{at}: no second YAML reader can check an edit of this file: {message}; write it in a simpler form here"
    )]
    NoSecondReader {
        /// Where one of them stopped, in the old text.
        at: Position,
        /// What it said.
        message: String,
    },
    /// Another reader finds something else in the old text.
    #[error(
        "{at}: Helm reads this differently (it finds {found}, dibump {expected}); write it in a simpler form"
    )]
    ReadOtherwise {
        /// Where, in the old text.
        at: Position,
        /// What we find.
        expected: String,
        /// What the other reader finds.
        found: String,
    },
    /// The new text does not say what was planned.
    #[error(
        "{at}: the edited text does not say what was planned (expected {expected}, found {found}); nothing was written"
    )]
    NotAsPlanned {
        /// Where, in the new text.
        at: Position,
        /// What the plan says.
        expected: String,
        /// What the text says.
        found: String,
    },
    /// A byte outside the planned ranges would change.
    #[error("bytes outside the planned ranges would change; nothing was written")]
    OutsideTheRanges,
}

impl EditError {
    /// Whether sops forbids the edit. An update that leaves such a file out is half an update, and must be refused.
    pub fn is_of_sops(&self) -> bool {
        matches!(self, Self::Sops { .. } | Self::Encrypted { .. })
    }
}

impl Document {
    /// The error for a way of writing that cannot be edited safely, at a byte of the text.
    pub(crate) fn layout(&self, offset: usize, why: &'static str) -> EditError {
        EditError::Layout { at: self.position(offset), why }
    }
}
