//! The projects of a group.

use async_trait::async_trait;
use gitlab::api::groups::projects::GroupProjects;
use serde::Deserialize;
use url::Url;

use super::client::{Client, built};
use super::error::{self, Failure, InvalidAccess};
use super::{ProjectId, Token};
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
    pub fn new(transport: Transport, api: &Url, token: Option<Token>) -> Result<Self, InvalidAccess> {
        Ok(Self { client: Client::new(transport, api, token)? })
    }

    /// A project that was shared with the group belongs to another one.
    async fn read(&self, group: &str) -> Result<Vec<WireProject>, Failure> {
        let group = ProjectId::Path(group.to_owned());
        let mut endpoint = GroupProjects::builder();
        endpoint.group(&group).archived(false).include_subgroups(true).with_shared(false).simple(true);
        self.client.all(&built(endpoint.build())?).await
    }
}

#[async_trait]
impl Projects for Groups {
    async fn projects(&self, group: &str) -> Result<Vec<FoundProject>, ForgeError> {
        let action = format!("couldn't list the projects of group `{group}`");
        let read = self.read(group).await;
        let projects = read.map_err(|failure| error::forge_error(failure, action, &self.client))?;
        let found = |project: WireProject| FoundProject {
            path: project.path_with_namespace,
            default_branch: project.default_branch.map(Branch),
            topics: project.topics,
        };
        Ok(projects.into_iter().map(found).collect())
    }
}
