//! Adapter: GitLab's REST API v4, as a forge and as two sources of candidates (`release-notes`, `gitlab`).
//!
//! The typed endpoints of the `gitlab` crate run over our own transport; wire structs hold the fields that we
//! use and do not leave this folder. There is no clone: files are read at a commit, and a branch is made equal to
//! one commit by one request. Nothing here decides what to write, or whether to.

mod access;
mod branches;
mod client;
mod environment;
mod error;
mod files;
mod merge_requests;
mod notes;
mod project;
mod repositories;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use url::Url;

use crate::forge::{
    Access, Branch, CommitId, Comparison, Forge, ForgeError, MergeRequest, MergeRequestEdit, NewCommit,
    NewMergeRequest,
};
use crate::http::{Secret, Transport};

pub use environment::{Environment, InvalidEnvironment, from_environment};
pub use error::InvalidAccess;
pub use notes::ReleaseNotes;
pub use project::{ProjectId, find_project};
pub use repositories::RegistryRepositories;

use client::Client;
use error::Failure;

/// The API of a GitLab at `address`, which may already be that of its API.
pub fn api_url(address: &Url) -> Option<Url> {
    let address = address.as_str().trim_end_matches('/');
    let api = if address.ends_with("/api/v4") { address.to_owned() } else { format!("{address}/api/v4") };
    api.parse().ok()
}

/// The API of the GitLab that a registry's token realm belongs to. GitLab's realm is `<GitLab>/jwt/auth`
/// (`doc/administration/packages/container_registry.md`); other token servers have other paths.
pub fn api_of_realm(realm: &Url) -> Option<Url> {
    let mut realm = realm.clone();
    realm.set_query(None);
    api_url(&realm.as_str().strip_suffix("/jwt/auth")?.parse().ok()?)
}

/// A token, and the header into which it belongs.
#[derive(Debug, Clone)]
pub enum Token {
    /// A personal, project or group access token: `PRIVATE-TOKEN`.
    Private(Secret),
    /// The same or an OAuth token: `Authorization: Bearer`.
    Bearer(Secret),
    /// The token of a CI job: `JOB-TOKEN`. It reads; no GitLab up to 19.x lets it push or open merge requests by
    /// the API.
    Job(Secret),
}

/// One project of a GitLab.
#[derive(Debug)]
pub struct GitLab {
    client: Client,
    project: ProjectId,
    /// Reads of a moved project are redirected, writes are not: they need the number.
    number: OnceCell<u64>,
}

impl GitLab {
    /// A project behind an API: `api` is `https://host[/root]/api/v4`, which is `CI_API_V4_URL`.
    ///
    /// # Errors
    /// If `api` is no http(s) URL, or the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Url,
        token: Option<Token>,
        project: ProjectId,
    ) -> Result<Self, InvalidAccess> {
        Ok(Self { client: Client::new(transport, api, token)?, project, number: OnceCell::new() })
    }

    /// The project's number, which costs one request where only the path is known, once.
    async fn number(&self) -> Result<u64, Failure> {
        match &self.project {
            ProjectId::Number(number) => Ok(*number),
            ProjectId::Path(_) => {
                let read = || project::read(&self.client, &self.project);
                self.number.get_or_try_init(|| async { Ok(read().await?.id) }).await.copied()
            }
        }
    }

    /// For `map_err`: a failure as the port's error.
    fn failed(&self, action: impl Into<String>) -> impl FnOnce(Failure) -> ForgeError {
        let (action, client) = (action.into(), self.client.clone());
        move |failure| error::forge_error(failure, action, &client)
    }
}

/// Up to date costs four requests: the heads of two branches, a file, and the merge requests.
#[async_trait]
impl Forge for GitLab {
    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError> {
        branches::head(&self.client, &self.project, branch)
            .await
            .map_err(self.failed(format!("couldn't read the head of branch `{branch}`")))
    }

    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError> {
        files::read(&self.client, &self.project, path, at)
            .await
            .map_err(self.failed(format!("couldn't read `{path}` at {at:.8}")))
    }

    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError> {
        branches::compare(&self.client, &self.project, target, source)
            .await
            .map_err(self.failed(format!("couldn't compare {source:.8} with {target:.8}")))
    }

    async fn merge_requests(
        &self,
        source: &Branch,
        target: &Branch,
    ) -> Result<Vec<MergeRequest>, ForgeError> {
        merge_requests::between(&self.client, &self.project, source, target)
            .await
            .map_err(self.failed(format!("couldn't list the merge requests of branch `{source}`")))
    }

    async fn default_branch(&self) -> Result<Branch, ForgeError> {
        project::default_branch(&self.client, &self.project)
            .await
            .map_err(self.failed(format!("couldn't look up the default branch of {}", self.project)))
    }

    async fn access(&self) -> Result<Access, ForgeError> {
        access::read(&self.client, &self.project)
            .await
            .map_err(self.failed(format!("couldn't look up what we may do in {}", self.project)))
    }

    async fn push(&self, commit: &NewCommit) -> Result<CommitId, ForgeError> {
        self.push_commit(commit).await
    }

    async fn create_merge_request(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError> {
        self.create(new).await
    }

    async fn edit_merge_request(&self, number: u64, edit: &MergeRequestEdit) -> Result<(), ForgeError> {
        self.edit(number, edit).await
    }
}
