//! Why a values file cannot be read, or not in the way that was asked for.

use super::{KeyPath, Position};

/// The largest values file that is read. The real one of sylva-core has 0.4 MB.
pub const SIZE_LIMIT: usize = 32 * 1024 * 1024;

/// Why a values file, or a place in it, cannot be read as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// The file is larger than [`SIZE_LIMIT`].
    #[error("the file has {size} bytes (at most {SIZE_LIMIT} are read)")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Bytes that are no UTF-8.
    #[error("{at}: not UTF-8 (byte {offset})")]
    NotUtf8 {
        /// The first wrong byte.
        at: Position,
        /// Its offset.
        offset: usize,
    },
    /// A tab where YAML wants spaces.
    #[error("{at}: a tab as indentation (YAML allows spaces only)")]
    Tab {
        /// The line.
        at: Position,
    },
    /// What Git holds in place of a file that Git LFS keeps.
    #[error("1:1: a Git LFS pointer, not the file itself")]
    LfsPointer,
    /// A line of a template, which becomes YAML when it is rendered.
    #[error("{at}: a template action; the file is not YAML before it is rendered")]
    TemplateLine {
        /// The action.
        at: Position,
    },
    /// Not YAML.
    #[error("{at}: not YAML: {message}")]
    Syntax {
        /// Where reading stopped.
        at: Position,
        /// What the parser said.
        message: String,
    },
    /// An alias where the value itself must stand.
    #[error("{at}: `{path}` is an alias, and can only be changed at its anchor")]
    Alias {
        /// The path.
        path: KeyPath,
        /// The alias.
        at: Position,
    },
    /// A Go template where the value itself must stand.
    #[error("{at}: `{path}` is a template, which only Helm can read")]
    Template {
        /// The path.
        path: KeyPath,
        /// The template.
        at: Position,
    },
    /// A list where a path leads on.
    #[error("{at}: `{path}` is a list; a path through a list is not supported")]
    ThroughList {
        /// The path to the list.
        path: KeyPath,
        /// The list.
        at: Position,
    },
    /// A text where a path leads on, or that holds YAML of its own.
    #[error("{at}: `{path}` is a text, not a mapping")]
    ThroughText {
        /// The path to the text.
        path: KeyPath,
        /// The text.
        at: Position,
    },
    /// A value that sops encrypted.
    #[error("{at}: `{path}` is encrypted by sops")]
    Encrypted {
        /// The path.
        path: KeyPath,
        /// The value.
        at: Position,
    },
    /// Something else than what was expected.
    #[error("{at}: `{path}` is {found} (expected {expected})")]
    Unexpected {
        /// The path.
        path: KeyPath,
        /// The value.
        at: Position,
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// Something else than one mapping as the whole file.
    #[error("{at}: the file is {found} (expected a mapping)")]
    TopLevel {
        /// Where it begins.
        at: Position,
        /// What it is.
        found: &'static str,
    },
    /// A key that says two things.
    #[error("{second}: `{path}` is written twice with different values, first at {first}")]
    WrittenTwice {
        /// The path.
        path: KeyPath,
        /// The first.
        first: Position,
        /// The second.
        second: Position,
    },
    /// The path exists in two documents of the file.
    #[error("{second}: `{path}` is in two documents of the file, first at {first}")]
    TwoDocuments {
        /// The path.
        path: KeyPath,
        /// The first.
        first: Position,
        /// The second.
        second: Position,
    },
    /// A merge key in the mapping.
    #[error("{at}: `{path}` has a merge key `<<`, so some of its entries are written elsewhere")]
    MergeKey {
        /// The mapping.
        path: KeyPath,
        /// The merge key.
        at: Position,
    },
    /// Aliases that stand for too much, or for themselves.
    #[error("{at}: the aliases expand to more than can be read")]
    TooManyAliases {
        /// The value.
        at: Position,
    },
}
