//! What a reconciliation decided: the changes, and a report of every entry for people.

use std::fmt;

use super::{Because, Images};
use crate::release::{Facets, Family, ImageKey, Series, Version};
use crate::values::{Change, Entry, Position};

/// The changes of a mapping, and what they mean. Every list is in the order of the file unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// The wanted release.
    pub version: Version,
    /// The policy that held; never [`Images::Auto`].
    pub policy: Images,
    /// Why that policy.
    pub because: Because,
    /// What is to be written; renames, then removals, then moved switches, then new entries as they follow each other.
    pub changes: Vec<Change>,
    /// Whether the version may become the wanted one: no listed key would be left without a proven artifact.
    pub version_may_move: bool,
    /// Our entries that stay as they are.
    pub kept: Vec<Listed>,
    /// Entries that get another key.
    pub renamed: Vec<Renamed>,
    /// New entries, in the order in which they are written.
    pub added: Vec<Added>,
    /// Entries that go.
    pub removed: Vec<Removed>,
    /// OS releases that change below keys that stay or get another name.
    pub os_changes: Vec<OsChange>,
    /// `default_enabled` that moves to the newest Kubernetes of its family.
    pub moved_defaults: Vec<MovedDefault>,
    /// Artifacts that are published and not listed, by family and from the newest Kubernetes down.
    pub suggested: Vec<Suggested>,
    /// Entries of other registries, left alone.
    pub foreign: Vec<Foreign>,
    /// Entries whose key is a template, left alone.
    pub templates: Vec<Listed>,
    /// Keys that stay though the wanted release was not shown to have them.
    pub dead: Vec<Dead>,
    /// What else a reader should know.
    pub notes: Vec<Note>,
}

/// A `default_enabled` that moves to the newest Kubernetes of its family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedDefault {
    /// The key that had it, as the file has it.
    pub from: String,
    /// The key that gets it.
    pub to: String,
}

impl fmt::Display for MovedDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`default_enabled` moves from {} to {}", self.from, self.to)
    }
}

impl Reconciliation {
    /// Whether the mapping stays as it is.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The keys that the mapping lists for our registry afterwards.
    pub fn listed_after(&self) -> impl Iterator<Item = &str> {
        let kept = self.kept.iter().map(|listed| listed.key.as_str());
        let renamed = self.renamed.iter().map(|renamed| renamed.to.as_str());
        kept.chain(renamed).chain(self.added.iter().map(|added| added.key.as_str()))
    }

    /// The keys that the mapping listed for our registry.
    pub fn listed_before(&self) -> impl Iterator<Item = &str> {
        let kept = self.kept.iter().map(|listed| listed.key.as_str());
        let renamed = self.renamed.iter().map(|renamed| renamed.from.as_str());
        kept.chain(renamed).chain(self.removed.iter().map(|removed| removed.key.as_str()))
    }

    /// Whether enough was known to remove entries.
    pub(super) fn removes(&self) -> bool {
        let in_part = |note: &Note| {
            matches!(note, Note::NothingChanges { .. } | Note::Holds { .. } | Note::InPart { .. })
        };
        !self.notes.iter().any(in_part)
    }
}

/// An entry of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// What it stands for, where that is known.
    pub line: Option<Series>,
    /// Where it stands.
    pub at: Position,
}

impl Listed {
    pub(super) fn of(entry: &Entry, facets: Option<&Facets>) -> Self {
        Self { key: entry.key.clone(), line: facets.map(Facets::line), at: entry.at }
    }
}

/// An entry that gets another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// The key so far.
    pub from: String,
    /// The new key.
    pub to: ImageKey,
    /// The line of both.
    pub line: Option<Series>,
    /// The OS release before and after, where it changes.
    pub os_release: Option<(String, String)>,
    /// Where the entry stands.
    pub at: Position,
}

/// A new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its key.
    pub key: ImageKey,
    /// What it stands for, where that is known.
    pub line: Option<Series>,
}

/// An entry that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its key.
    pub key: String,
    /// What it stood for, where that is known.
    pub line: Option<Series>,
    /// Why it goes.
    pub why: Departure,
    /// Whether its value enables it: somebody uses this image.
    pub enabled: bool,
    /// Where it stands.
    pub at: Position,
}

/// Why an entry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// Another entry has the artifact of its line; what enables it moves there.
    Superseded {
        /// The key of that entry, as it will be.
        by: ImageKey,
    },
    /// The release does not publish its line any more.
    LineGone,
    /// The only artifact of its line has the key of another registry's entry.
    Taken {
        /// That key.
        by: ImageKey,
    },
    /// No artifact has this key, and nothing says what it stood for.
    Unrecognised,
    /// It is the repetition of an entry above it.
    Repeated {
        /// Where that entry stands.
        first: Position,
    },
}

/// An entry of another registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its key.
    pub key: String,
    /// The registry that it names.
    pub registry: String,
    /// Where it stands.
    pub at: Position,
}

/// A family whose OS release changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsChange {
    /// The family.
    pub family: Family,
    /// The OS release so far.
    pub from: String,
    /// The OS release that it will be.
    pub to: String,
    /// The keys that will stand for it, in the order of the file.
    pub keys: Vec<ImageKey>,
}

/// An artifact that is published and not listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// Its key.
    pub key: ImageKey,
    /// What it stands for, where that is known.
    pub line: Option<Series>,
    /// Why it was not added.
    pub why: Unlisted,
}

/// Why an artifact was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// The policy adds nothing.
    NothingIsAdded,
    /// No key of its family is listed.
    OtherFamily,
    /// The release that the file names had its line too, and the file left it out.
    LeftOut,
    /// Another key of its line is listed.
    LineIsListed,
    /// A release is not completely known, so it cannot be told whether its line is new.
    NotKnown,
}

/// A key that stays though the wanted release was not shown to have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Its key.
    pub key: String,
    /// Where it stands.
    pub at: Position,
    /// Whether the registry said no; otherwise it could not be asked.
    pub proven: bool,
}

/// What a reader should know beside the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The wanted release is not known well enough to change anything.
    NothingChanges {
        /// The wanted release.
        version: Version,
        /// Why it is not known.
        reason: String,
    },
    /// The wanted release is known in part, and listed keys would be left dead.
    Holds {
        /// The wanted release.
        version: Version,
    },
    /// The wanted release is known in part: nothing was removed or added.
    InPart {
        /// The wanted release.
        version: Version,
        /// Why it is not known better.
        reason: String,
    },
    /// New lines cannot be told from those that were left out on purpose, so none was added.
    AddsNothing {
        /// Why not.
        reason: String,
    },
    /// A comment stays though the entry below it goes: it may speak of more than that entry.
    CommentStays {
        /// The entry's key.
        key: String,
        /// Where the entry stands.
        at: Position,
    },
    /// A newer Kubernetes of its family came in, and an entry goes on to be the default.
    DefaultStays {
        /// The key of that entry, as it will be.
        key: ImageKey,
        /// The newest image of its family.
        newest: ImageKey,
        /// Where the entry stands.
        at: Position,
    },
    /// An artifact cannot be listed because another registry's entry has its key.
    KeyTaken {
        /// The key.
        key: ImageKey,
    },
    /// An overlay says of a key of ours that another registry has it, and the mapping loses that key.
    OfRegistry {
        /// The key.
        key: String,
        /// The registry.
        registry: String,
        /// Where it stands.
        at: Position,
    },
    /// An overlay has a key that its mapping never had; it stays.
    NotInMapping {
        /// The key.
        key: String,
        /// Where it stands.
        at: Position,
    },
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded { by } => write!(f, "superseded by {by}"),
            Self::LineGone => write!(f, "its series is not published any more"),
            Self::Taken { by } => write!(f, "its successor {by} is another registry's entry"),
            Self::Unrecognised => write!(f, "no artifact has this key"),
            Self::Repeated { first } => write!(f, "written twice, first at {first}"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingChanges { version, reason } => {
                write!(f, "no key changes: {version} is not completely known ({reason})")
            }
            Self::Holds { version } => {
                write!(
                    f,
                    "the version stays: listed keys were not found in {version}, which is known in part"
                )
            }
            Self::InPart { version, reason } => {
                write!(f, "nothing was removed or added: {version} is known in part ({reason})")
            }
            Self::AddsNothing { reason } => write!(f, "no new series was added: {reason}"),
            Self::CommentStays { key, at } => {
                write!(f, "the comment above {key} ({at}) stays; it may be about more than this entry")
            }
            Self::DefaultStays { key, newest, at } => {
                write!(
                    f,
                    "`default_enabled` stays with {key} ({at}); {newest} is newer: move it by hand if wanted"
                )
            }
            Self::KeyTaken { key } => write!(f, "{key} is not listed: another registry's entry has this key"),
            Self::OfRegistry { key, registry, at } => write!(
                f,
                "{key} ({at}) is an image of the registry `{registry}` here and stays; the mapping does not have this key any more"
            ),
            Self::NotInMapping { key, at } => write!(f, "{key} ({at}) stays; the mapping does not have it"),
        }
    }
}
