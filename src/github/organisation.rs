//! The repositories of an organisation or user.

use async_trait::async_trait;
use serde::Deserialize;

use super::api::Api;
use super::client::Client;
use super::error::{self, Failure, InvalidGitHub};
use super::repository::{RepositoryId, encoded};
use super::{Identity, Pacing};
use crate::forge::{Branch, ForgeError, FoundProject, Projects};
use crate::http::Transport;

/// The accounts of a GitHub.
#[derive(Debug)]
pub struct Organisations {
    client: Client,
}

/// One entry of the list.
#[derive(Debug, Deserialize)]
struct WireRepository {
    full_name: String,
    default_branch: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
}

impl Organisations {
    /// Those behind an API.
    ///
    /// # Errors
    /// If the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Api,
        identity: Option<Identity>,
        session: &Pacing,
    ) -> Result<Self, InvalidGitHub> {
        let nowhere = RepositoryId { owner: String::new(), name: String::new() };
        Ok(Self { client: Client::new(transport, api, identity, &nowhere, session)? })
    }

    /// An account that is no organisation is a user.
    async fn read(&self, account: &str) -> Result<Vec<WireRepository>, Failure> {
        let account = encoded(account);
        let list = match self.client.all(&format!("/orgs/{account}/repos?type=all")).await {
            Err(failure) if failure.status() == Some(404) => {
                self.client.all(&format!("/users/{account}/repos?type=owner")).await
            }
            list => list,
        };
        Ok(list?.entries)
    }
}

#[async_trait]
impl Projects for Organisations {
    /// Not for Apps: which installation is meant, GitHub tells by a repository.
    async fn projects(&self, group: &str) -> Result<Vec<FoundProject>, ForgeError> {
        let action = format!("couldn't list the repositories of `{group}`");
        if let Some(Identity::App(_)) = self.client.identity() {
            let reason = "an App cannot be asked for the repositories of an account".to_owned();
            let hint = Some("use a token, or name the projects under `targets:`".to_owned());
            return Err(ForgeError::Refused { action, reason, hint });
        }
        let read = self.read(group).await;
        let repositories =
            read.map_err(|failure| error::forge_error(failure, action, &self.client.caller()))?;
        let living =
            repositories.into_iter().filter(|repository| !repository.archived && !repository.disabled);
        let found = |repository: WireRepository| FoundProject {
            path: repository.full_name,
            default_branch: repository.default_branch.map(Branch),
            topics: repository.topics,
        };
        Ok(living.map(found).collect())
    }
}
