//! Source `github`: the container packages of an organisation or user. Every image that ever existed is among them;
//! which release carries it, the registry says.

use async_trait::async_trait;
use serde::Deserialize;

use super::api::Api;
use super::client::Client;
use super::error::{Failure, InvalidGitHub, catalogue_error};
use super::repository::{RepositoryId, encoded};
use super::{Identity, Pacing};
use crate::catalogue::{Candidates, Catalogue, CatalogueError, RepositoryNames};
use crate::http::Transport;
use crate::registry::Prefix;

/// The package list of one account.
#[derive(Debug)]
pub struct Packages {
    client: Client,
    /// The account.
    owner: String,
    prefix: Prefix,
}

/// One entry of the list.
#[derive(Debug, Deserialize)]
struct WirePackage {
    /// Below the account; it may hold slashes.
    name: String,
}

impl Packages {
    /// The packages that stand directly below `prefix`, whose first segment is the account.
    ///
    /// # Errors
    /// If the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Api,
        identity: Option<Identity>,
        prefix: &Prefix,
    ) -> Result<Self, InvalidGitHub> {
        let owner = prefix.path().split('/').next().unwrap_or_default();
        let nowhere = RepositoryId { owner: owner.to_owned(), name: String::new() };
        let client = Client::new(transport, api, identity, &nowhere, &Pacing::default())?;
        Ok(Self { client, owner: owner.to_owned(), prefix: prefix.clone() })
    }

    /// An account that is no organisation is a user.
    async fn read(&self) -> Result<RepositoryNames, Failure> {
        let owner = encoded(&self.owner);
        let of = |kind: &str| format!("/{kind}/{owner}/packages?package_type=container");
        let list = match self.client.all::<WirePackage>(&of("orgs")).await {
            Err(failure) if failure.status() == Some(404) => self.client.all(&of("users")).await?,
            list => list?,
        };
        let paths: Vec<String> =
            list.entries.iter().map(|package| format!("{}/{}", self.owner, package.name)).collect();
        Ok(RepositoryNames::below(&self.prefix, paths.iter().map(String::as_str)))
    }
}

#[async_trait]
impl Catalogue for Packages {
    fn name(&self) -> &'static str {
        "github"
    }

    fn asked(&self) -> String {
        format!("packages of {} at {}", self.owner, self.client.host())
    }

    /// Nobody is told without a token, not even of public packages, and of the tokens only classic ones are.
    async fn candidates(&self) -> Result<Candidates, CatalogueError> {
        let offered =
            |reason: &str| CatalogueError::NotOffered { subject: self.asked(), reason: reason.to_owned() };
        match self.client.identity() {
            None => return Err(offered("the list needs a token of scope read:packages")),
            Some(Identity::App(_)) => return Err(offered("the list is not for Apps")),
            Some(Identity::Token(_)) => {}
        }
        let names = self.read().await.map_err(|f| catalogue_error(f, self.asked(), &self.client.caller()))?;
        Ok(Candidates::Names(names))
    }
}
