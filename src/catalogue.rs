//! Port: which versions and names a producer *might* have published. Existence is the registry's answer, not ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::release::{ImageKey, Version};

/// What a source of `discovery:` can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// Repository names below the prefix; each one's tag list then says which versions it carries.
    Names(BTreeSet<ImageKey>),
    /// Releases with, where the notes list them, the names that each one published.
    Releases(Vec<Note>),
}

/// A release as its producer announced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The release's tag.
    pub version: Version,
    /// The names of the list "Produced images"; `None` where the notes have no such list.
    pub names: Option<BTreeSet<ImageKey>>,
    /// When the producer published it.
    pub released_at: Option<Timestamp>,
    /// The notes as they were written (Markdown, untrusted).
    pub description: String,
}

/// Why a source could not tell. A list that was cut is an error, not a short list.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogueError {
    /// The source does not apply here: no such API, no such project, not allowed. The next source is asked.
    #[error("{subject}: {reason}")]
    NotOffered {
        /// What was asked.
        subject: String,
        /// Why it cannot answer.
        reason: String,
    },
    /// Credentials were sent and refused.
    #[error("{subject} refuses our credentials ({status})")]
    Refused {
        /// The host that was asked.
        subject: String,
        /// The status, and the server's own words where it gave any.
        status: String,
    },
    /// No answer, or one that a retry may change.
    #[error("couldn't reach {subject}")]
    Unavailable {
        /// The URL that was asked.
        subject: String,
        /// What happened.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The answer breaks the protocol.
    #[error("{subject}: {reason}")]
    Invalid {
        /// The URL or file that was read.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// One source of candidates.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// The source's name in `discovery:`: `release-notes`, `gitlab`, `catalog`, ….
    fn name(&self) -> &'static str;

    /// Everything that the source knows of the producer. An answer is complete or an error.
    async fn candidates(&self) -> Result<Candidates, CatalogueError>;
}
