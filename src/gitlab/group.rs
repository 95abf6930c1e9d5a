//! The projects of a group.

use std::borrow::Cow;

use async_trait::async_trait;
use gitlab::api::common::path_escaped;
use gitlab::api::{Endpoint, QueryParams};
use serde::Deserialize;
use url::Url;

use super::GitLabToken;
use super::client::Client;
use super::error::{self, Failure, InvalidGitLab};
use crate::forge::{Branch, ForgeError, FoundProject, Projects};
use crate::http::Transport;

/// The groups of a GitLab.
#[derive(Debug)]
pub struct Groups {
    client: Client,
}

/// One entry of `GET /groups/:id/projects`.
#[derive(Debug, Deserialize)]
struct WireProject {
    path_with_namespace: String,
    default_branch: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
}

impl Groups {
    /// Those behind an API: `api` is `https://host[/root]/api/v4`.
    ///
    /// # Errors
    /// If `api` is no http(s) URL, or the token cannot stand in a header.
    pub fn new(transport: Transport, api: &Url, token: Option<GitLabToken>) -> Result<Self, InvalidGitLab> {
        Ok(Self { client: Client::new(transport, api, token)? })
    }

    /// A project that was shared with the group belongs to another one.
    async fn read(&self, group: &str) -> Result<Vec<WireProject>, Failure> {
        self.client.all(&GroupProjects { group }).await
    }
}

/// `GET /groups/:id/projects`. The crate lacks `active`, which leaves out what is archived or marked for deletion; a
/// GitLab that does not know it yet ignores it.
struct GroupProjects<'a> {
    group: &'a str,
}

impl Endpoint for GroupProjects<'_> {
    fn method(&self) -> http::Method {
        http::Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("groups/{}/projects", path_escaped(self.group)).into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.push("archived", false).push("active", true).push("include_subgroups", true);
        parameters.push("with_shared", false).push("simple", true);
        parameters
    }
}

#[async_trait]
impl Projects for Groups {
    async fn projects(&self, group: &str) -> Result<Vec<FoundProject>, ForgeError> {
        let action = format!("couldn't list the projects of group `{group}`");
        let read = self.read(group).await;
        let projects = read.map_err(|failure| error::forge_error(failure, action, &self.client.caller()))?;
        let found = |project: WireProject| FoundProject {
            path: project.path_with_namespace,
            default_branch: project.default_branch.map(Branch),
            topics: project.topics,
        };
        Ok(projects.into_iter().map(found).collect())
    }
}
