//! Adapter: GitLab's REST API v4, as a forge and as two sources of candidates (`release-notes`, `gitlab`).
//!
//! The typed endpoints of the `gitlab` crate run over our own transport; wire structs hold the fields that we
//! use and do not leave this folder. There is no clone: files are read at a commit, and a branch is made equal to
//! one commit by one request. Nothing here decides what to write, or whether to.

mod access;
mod auto_merge;
mod branches;
mod client;
mod environment;
mod error;
mod files;
mod group;
mod merge_requests;
mod notes;
mod project;
mod repositories;
mod settings;
mod tree;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use url::Url;

use crate::forge::{
    Access, Branch, CommitId, Comparison, Forge, ForgeError, MergeRequest, MergeRequestEdit,
    MergeRequestSettings, NewCommit, NewMergeRequest, PipelineStatus, TitleLimit,
};
use crate::http::{BoundSecret, Transport};

pub use environment::{GitLabVariables, InvalidGitLabVariables, from_environment};
pub use error::InvalidGitLab;
pub use group::Groups;
pub use notes::ReleaseNotes;
pub use project::{ProjectId, find_project};
pub use repositories::RegistryRepositories;

use client::Client;
use error::Failure;
use project::Project;

/// GitLab takes descriptions of this many characters (`Issuable::DESCRIPTION_LENGTH_MAX`).
const DESCRIPTION_LIMIT: usize = 1_048_576;

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
pub enum GitLabToken {
    /// A personal, project or group access token: `PRIVATE-TOKEN`.
    Private(BoundSecret),
    /// The same or an OAuth token: `Authorization: Bearer`.
    Bearer(BoundSecret),
    /// The token of a CI job: `JOB-TOKEN`. It reads; no GitLab up to 19.x lets it push or open merge requests by
    /// the API.
    Job(BoundSecret),
}

/// One project of a GitLab.
#[derive(Debug)]
pub struct GitLab {
    client: Client,
    project: ProjectId,
    /// What GitLab says of the project, read once and only when asked for.
    about: OnceCell<Project>,
    version: OnceCell<Option<(u32, u32)>>,
}

impl GitLab {
    /// A project behind an API: `api` is `https://host[/root]/api/v4`, which is `CI_API_V4_URL`.
    ///
    /// # Errors
    /// If `api` is no http(s) URL, or the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Url,
        token: Option<GitLabToken>,
        project: ProjectId,
    ) -> Result<Self, InvalidGitLab> {
        let client = Client::new(transport, api, token)?;
        Ok(Self { client, project, about: OnceCell::new(), version: OnceCell::new() })
    }

    /// The project by number, for requests that are not redirected: reads of a moved project are, writes are not.
    async fn writable(&self) -> Result<ProjectId, Failure> {
        if let ProjectId::Number(number) = &self.project {
            return Ok(ProjectId::Number(*number));
        }
        let about = self.about().await?;
        match about.archived {
            true => Err(Failure::Archived { project: about.path_with_namespace.clone() }),
            false => Ok(ProjectId::Number(about.id)),
        }
    }

    async fn about(&self) -> Result<&Project, Failure> {
        self.about.get_or_try_init(|| project::read(&self.client, &self.project)).await
    }

    /// GitLab's version, which is asked for only where requests differ by it.
    async fn version(&self) -> Result<Option<(u32, u32)>, Failure> {
        self.version.get_or_try_init(|| self.client.version()).await.copied()
    }

    /// For `map_err`: a failure as the port's error.
    fn failed(&self, action: impl Into<String>) -> impl FnOnce(Failure) -> ForgeError {
        let (action, client) = (action.into(), self.client.clone());
        move |failure| error::forge_error(failure, action, &client.caller())
    }
}

/// Up to date costs four requests: the target branch's head, a file, our branches, and the merge requests.
#[async_trait]
impl Forge for GitLab {
    fn name(&self) -> &'static str {
        "GitLab"
    }

    fn title_limit(&self) -> TitleLimit {
        merge_requests::TITLE_LIMIT
    }

    fn description_limit(&self) -> usize {
        DESCRIPTION_LIMIT
    }

    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError> {
        branches::head(&self.client, &self.project, branch)
            .await
            .map_err(self.failed(format!("couldn't read the head of branch `{branch}`")))
    }

    async fn branches(&self, prefix: &str) -> Result<BTreeMap<Branch, CommitId>, ForgeError> {
        branches::beginning_with(&self.client, &self.project, prefix)
            .await
            .map_err(self.failed(format!("couldn't list the branches below `{prefix}`")))
    }

    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError> {
        files::read(&self.client, &self.project, path, at)
            .await
            .map_err(self.failed(format!("couldn't read `{path}` at {at:.8}")))
    }

    async fn paths(&self, at: &CommitId) -> Result<Vec<String>, ForgeError> {
        tree::paths(&self.client, &self.project, at)
            .await
            .map_err(self.failed(format!("couldn't list the files at {at:.8}")))
    }

    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError> {
        branches::compare(&self.client, &self.project, target, source)
            .await
            .map_err(self.failed(format!("couldn't compare {source:.8} with {target:.8}")))
    }

    async fn merge_requests(&self, source: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        merge_requests::of_branch(&self.client, &self.project, source)
            .await
            .map_err(self.failed(format!("couldn't list the merge requests of branch `{source}`")))
    }

    async fn merge_request(&self, number: u64) -> Result<MergeRequest, ForgeError> {
        merge_requests::single(&self.client, &self.project, number)
            .await
            .map_err(self.failed(format!("couldn't read merge request !{number}")))
    }

    async fn open_merge_requests(&self, target: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        merge_requests::open_into(&self.client, &self.project, target)
            .await
            .map_err(self.failed(format!("couldn't list the open merge requests into branch `{target}`")))
    }

    async fn is_approved(&self, number: u64) -> Result<bool, ForgeError> {
        merge_requests::is_approved(&self.client, &self.project, number)
            .await
            .map_err(self.failed(format!("couldn't read the approvals of merge request !{number}")))
    }

    async fn pipeline(&self, number: u64) -> Result<Option<PipelineStatus>, ForgeError> {
        self.head_pipeline(number)
            .await
            .map_err(self.failed(format!("couldn't read the pipeline of merge request !{number}")))
    }

    async fn default_branch(&self) -> Result<Branch, ForgeError> {
        self.about()
            .await
            .and_then(Project::default_branch)
            .map_err(self.failed(format!("couldn't look up the default branch of {}", self.project)))
    }

    async fn access(&self, source: &Branch) -> Result<Access, ForgeError> {
        access::read(&self.client, &self.project, source)
            .await
            .map_err(self.failed(format!("couldn't look up what we may do in {}", self.project)))
    }

    async fn check_settings(&self, settings: &MergeRequestSettings) -> Result<(), ForgeError> {
        self.ids(settings, "couldn't open a merge request").await.map(drop)
    }

    async fn push(&self, commit: &NewCommit) -> Result<CommitId, ForgeError> {
        self.push_commit(commit).await
    }

    async fn remove_branch(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), ForgeError> {
        self.remove(branch, expected_head).await
    }

    async fn create_merge_request(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError> {
        self.create(new).await
    }

    async fn edit_merge_request(&self, number: u64, edit: &MergeRequestEdit) -> Result<bool, ForgeError> {
        self.edit(number, edit).await.map(|()| true)
    }

    async fn enable_auto_merge(&self, number: u64, head: &CommitId) -> Result<(), ForgeError> {
        self.enable(number, head).await
    }

    async fn cancel_auto_merge(&self, number: u64) -> Result<(), ForgeError> {
        self.do_not_merge(number)
            .await
            .map_err(self.failed(format!("couldn't cancel the auto-merge of merge request !{number}")))
    }
}
