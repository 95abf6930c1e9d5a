//! Which repository, and what GitHub says of it as a whole.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// A repository as GitHub addresses it. Upper and lower case are the same.
#[derive(Debug, Clone)]
pub struct RepositoryId {
    /// The user or organisation.
    pub owner: String,
    /// The name.
    pub name: String,
}

/// Text that names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a repository of a GitHub (expected owner/name)")]
pub struct InvalidRepository(pub String);

/// `GET /repos/{owner}/{repo}`, as far as we use it.
#[derive(Debug, Deserialize)]
pub(super) struct RepositoryInfo {
    pub(super) name: String,
    pub(super) owner: Owner,
    pub(super) default_branch: String,
    pub(super) permissions: Option<Permissions>,
    /// The ways of merging are shown to those only who may push.
    #[serde(default)]
    pub(super) allow_merge_commit: Option<bool>,
    #[serde(default)]
    pub(super) allow_squash_merge: Option<bool>,
    #[serde(default)]
    pub(super) allow_rebase_merge: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Owner {
    pub(super) login: String,
}

/// What whoever asks may do.
#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    #[serde(default)]
    pub(super) admin: bool,
    #[serde(default)]
    pub(super) maintain: bool,
    #[serde(default)]
    pub(super) push: bool,
    #[serde(default)]
    pub(super) triage: bool,
    #[serde(default)]
    pub(super) pull: bool,
}

impl RepositoryInfo {
    /// Its present name.
    pub(super) fn id(&self) -> RepositoryId {
        RepositoryId { owner: self.owner.login.clone(), name: self.name.clone() }
    }
}

impl RepositoryId {
    /// The route of the repository, below which almost everything stands.
    pub(super) fn route(&self) -> String {
        format!("/repos/{}/{}", encoded(&self.owner), encoded(&self.name))
    }
}

/// What stands as it is in a path.
const SAFE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The same without slashes.
const SAFE_WHOLE: AsciiSet = SAFE.add(b'/');

/// A part of a route; slashes stay, as in branches and paths of files.
pub(super) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, &SAFE).to_string()
}

/// A value of a query, or a name that may hold slashes but is one part of a route.
pub(super) fn encoded_whole(part: &str) -> String {
    utf8_percent_encode(part, &SAFE_WHOLE).to_string()
}

impl PartialEq for RepositoryId {
    fn eq(&self, other: &Self) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.name.eq_ignore_ascii_case(&other.name)
    }
}

impl Eq for RepositoryId {}

impl FromStr for RepositoryId {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, InvalidRepository> {
        match text.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
            [owner, name] if !owner.is_empty() && !name.is_empty() => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(InvalidRepository(text.to_owned())),
        }
    }
}

impl fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}
