//! Which project: by path or number, and how to find the one behind a registry's path.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use gitlab::api::common::NameOrId;
use gitlab::api::projects::Project as ProjectEndpoint;
use serde::Deserialize;
use url::Url;

use super::GitLabToken;
use super::client::{Client, built};
use super::error::{Failure, catalogue_error};
use crate::catalogue::CatalogueError;
use crate::forge::Branch;
use crate::http::Transport;

/// A project as GitLab addresses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProjectId {
    /// Its number, which it keeps when it is moved or renamed.
    Number(u64),
    /// Its path with groups, `group/subgroup/project`.
    Path(String),
}

/// `GET /projects/:id`, as far as we use it.
#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: u64,
    pub(super) path_with_namespace: String,
    /// Absent where GitLab has no merge trains.
    #[serde(default)]
    pub(super) merge_trains_enabled: Option<bool>,
    pub(super) default_branch: Option<String>,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) permissions: Option<Permissions>,
}

/// The access levels of whoever asks.
#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    pub(super) project_access: Option<AccessLevel>,
    pub(super) group_access: Option<AccessLevel>,
}

/// An access level: 30 is Developer.
#[derive(Debug, Deserialize)]
pub(super) struct AccessLevel {
    pub(super) access_level: u64,
}

/// The project whose path is the longest prefix of `path` (a registry's, host left out) that the API knows.
/// It costs one request for each prefix that is tried.
///
/// # Errors
/// When the API refuses us or does not answer. That it knows no such project is `None`.
pub async fn find_project(
    transport: Transport,
    api: &Url,
    token: Option<GitLabToken>,
    path: &str,
) -> Result<Option<ProjectId>, CatalogueError> {
    let client = Client::new(transport, api, token)
        .map_err(|error| CatalogueError::Invalid { subject: path.to_owned(), reason: error.to_string() })?;
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    // A project stands in a group or below a user, so its path has two segments at least.
    for end in (2..=segments.len()).rev() {
        let id = ProjectId::Path(segments[..end].join("/"));
        match read(&client, &id).await {
            Ok(project) => return Ok(Some(ProjectId::Number(project.id))),
            Err(failure) if failure.status() == Some(404) => {}
            Err(failure) => {
                return Err(catalogue_error(failure, format!("{}: {id}", client.host()), &client.caller()));
            }
        }
    }
    Ok(None)
}

pub(super) async fn read(client: &Client, id: &ProjectId) -> Result<Project, Failure> {
    client.ask(&built(ProjectEndpoint::builder().project(id).build())?).await
}

impl Project {
    /// An empty repository has no default branch.
    pub(super) fn default_branch(&self) -> Result<Branch, Failure> {
        let branch = self.default_branch.clone().map(Branch);
        branch.ok_or_else(|| Failure::Malformed("the project has no default branch".to_owned()))
    }

    /// The role of whoever asks, in GitLab's words.
    pub(super) fn role(&self) -> Option<String> {
        self.permissions.as_ref().and_then(Permissions::level).map(role)
    }
}

impl Permissions {
    pub(super) fn level(&self) -> Option<u64> {
        let levels = [&self.project_access, &self.group_access];
        levels.into_iter().flatten().map(|level| level.access_level).max()
    }
}

/// GitLab's names of its access levels.
fn role(level: u64) -> String {
    match level {
        0..10 => "no role",
        10..15 => "Guest",
        15..20 => "Planner",
        20..30 => "Reporter",
        30..40 => "Developer",
        40..50 => "Maintainer",
        _ => "Owner",
    }
    .to_owned()
}

impl ProjectId {
    /// Its path in the API, relative to the API's root.
    pub(super) fn route(&self) -> String {
        format!("projects/{}", NameOrId::from(self))
    }
}

impl<'a> From<&'a ProjectId> for NameOrId<'a> {
    fn from(id: &'a ProjectId) -> Self {
        match id {
            ProjectId::Number(number) => Self::from(*number),
            ProjectId::Path(path) => Self::from(path),
        }
    }
}

impl FromStr for ProjectId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let path = || Self::Path(text.trim_matches('/').to_owned());
        Ok(text.parse().map_or_else(|_| path(), Self::Number))
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "project {number}"),
            Self::Path(path) => f.pad(path),
        }
    }
}
