//! Source `gitlab`: the repositories of a project's container registry. Every image that ever existed is among
//! them; which release carries it, the registry says.

use async_trait::async_trait;
use gitlab::api::projects::registry::Repositories;
use serde::Deserialize;
use url::Url;

use super::client::{Client, built};
use super::error::{Failure, InvalidGitLab, catalogue_error};
use super::{GitLabToken, ProjectId};
use crate::catalogue::{Candidates, Catalogue, CatalogueError, RepositoryNames};
use crate::http::Transport;
use crate::registry::Prefix;

/// The registry's list of one project.
#[derive(Debug)]
pub struct RegistryRepositories {
    client: Client,
    project: ProjectId,
    prefix: Prefix,
}

/// One entry of `GET /projects/:id/registry/repositories`.
#[derive(Debug, Deserialize)]
struct WireRepository {
    /// The path below the registry's host.
    path: String,
}

impl RegistryRepositories {
    /// The repositories of `project` that stand directly below `prefix`. `api` is `https://host[/root]/api/v4`.
    ///
    /// # Errors
    /// If `api` is no http(s) URL, or the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Url,
        token: Option<GitLabToken>,
        project: ProjectId,
        prefix: Prefix,
    ) -> Result<Self, InvalidGitLab> {
        Ok(Self { client: Client::new(transport, api, token)?, project, prefix })
    }

    async fn read(&self) -> Result<RepositoryNames, Failure> {
        let endpoint = built(Repositories::builder().project(&self.project).build())?;
        let repositories: Vec<WireRepository> = self.client.all(&endpoint).await?;
        Ok(RepositoryNames::below(
            &self.prefix,
            repositories.iter().map(|repository| repository.path.as_str()),
        ))
    }
}

#[async_trait]
impl Catalogue for RegistryRepositories {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn asked(&self) -> String {
        format!("registry of {} at {}", self.project, self.client.host())
    }

    async fn candidates(&self) -> Result<Candidates, CatalogueError> {
        let names = self.read().await.map_err(|f| catalogue_error(f, self.asked(), &self.client.caller()))?;
        Ok(Candidates::Names(names))
    }
}
