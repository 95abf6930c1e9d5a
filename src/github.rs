//! Adapter: GitHub's REST API and the parts of its GraphQL API that REST lacks, as a forge and as a source of candidates
//! (`github`).
//!
//! octocrab makes the requests and our own transport sends them; wire structs hold the fields that we use and do not
//! leave this folder. There is no clone: files are read at a commit, and a branch is made equal to one commit through
//! the Git database. Nothing here decides what to write, or whether to. A merge request is a pull request here.

mod access;
mod api;
mod app;
mod auto_merge;
mod branches;
mod client;
mod environment;
mod error;
mod files;
mod limit;
mod opening;
mod organisation;
mod packages;
mod pull_requests;
mod push;
mod repository;
mod reviews;
mod send;
mod session;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::forge::{
    Access, Branch, CommitId, Comparison, Forge, ForgeError, MergeRequest, MergeRequestEdit,
    MergeRequestSettings, NewCommit, NewMergeRequest, PipelineStatus, TitleLimit,
};
use crate::http::{BoundSecret, Transport};

pub use api::{Api, api_of_registry, api_url};
pub use app::{App, PrivateKey};
pub use environment::{GitHubVariables, InvalidGitHubVariables, from_environment};
pub use error::InvalidGitHub;
pub use organisation::Organisations;
pub use packages::Packages;
pub use repository::{InvalidRepository, RepositoryId};
pub use session::Pacing;

use client::Client;
use error::Failure;
use repository::RepositoryInfo;

/// GitHub takes titles of 256 characters.
const TITLE_LIMIT: TitleLimit = TitleLimit(256);

/// GitHub takes bodies of this many characters.
const DESCRIPTION_LIMIT: usize = 65_536;

/// Who we are.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A personal access token, or the token of an Actions job.
    Token(BoundSecret),
    /// A GitHub App, which gets itself a token for each installation.
    App(App),
}

/// One repository of a GitHub.
pub struct GitHub {
    client: Client,
    repository: RepositoryId,
    /// What GitHub says of the repository, read once and only when asked for.
    about: OnceCell<RepositoryInfo>,
}

impl GitHub {
    /// A repository behind an API. All of one run share the session.
    ///
    /// # Errors
    /// If the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Api,
        identity: Option<Identity>,
        repository: RepositoryId,
        session: &Pacing,
    ) -> Result<Self, InvalidGitHub> {
        let client = Client::new(transport, api, identity, &repository, session)?;
        Ok(Self { client, repository, about: OnceCell::new() })
    }

    /// The same, in an Actions job, whose own token serves the job's repository `home` only.
    #[must_use]
    pub fn at_home_in(mut self, home: Option<RepositoryId>) -> Self {
        self.client.is_other_repository = home.is_some_and(|home| home != self.repository);
        self
    }

    /// The repository by its present name, for requests that are not redirected: reads of a moved one are, writes are
    /// not.
    async fn writable(&self) -> Result<RepositoryId, Failure> {
        Ok(self.about().await?.id())
    }

    async fn about(&self) -> Result<&RepositoryInfo, Failure> {
        self.about.get_or_try_init(|| self.client.repository(&self.repository)).await
    }

    /// What is not there (404) is absent only in a repository that we see: GitHub does not tell the two apart.
    async fn absent<T>(&self, failure: Failure, nothing: T) -> Result<T, Failure> {
        if failure.status() != Some(404) {
            return Err(failure);
        }
        self.about().await.map(|_| nothing)
    }

    /// For `map_err`: a failure as the port's error.
    fn failed(&self, action: impl Into<String>) -> impl FnOnce(Failure) -> ForgeError {
        let (action, client) = (action.into(), self.client.clone());
        move |failure| error::forge_error(failure, action, &client.caller())
    }
}

/// Up to date costs four requests: the target branch's head, a file, our branches, and the pull requests. Each open one
/// is one more.
#[async_trait]
impl Forge for GitHub {
    fn name(&self) -> &'static str {
        "GitHub"
    }

    fn title_limit(&self) -> TitleLimit {
        TITLE_LIMIT
    }

    fn description_limit(&self) -> usize {
        DESCRIPTION_LIMIT
    }

    async fn head(&self, branch: &Branch) -> Result<Option<CommitId>, ForgeError> {
        self.branch_head(&self.repository, branch)
            .await
            .map_err(self.failed(format!("couldn't read the head of branch `{branch}`")))
    }

    async fn branches(&self, prefix: &str) -> Result<BTreeMap<Branch, CommitId>, ForgeError> {
        branches::beginning_with(&self.client, &self.repository, prefix)
            .await
            .map_err(self.failed(format!("couldn't list the branches below `{prefix}`")))
    }

    async fn file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, ForgeError> {
        self.read_file(path, at).await.map_err(self.failed(format!("couldn't read `{path}` at {at:.8}")))
    }

    async fn paths(&self, at: &CommitId) -> Result<Vec<String>, ForgeError> {
        self.read_paths(at).await.map_err(self.failed(format!("couldn't list the files at {at:.8}")))
    }

    async fn compare(&self, target: &CommitId, source: &CommitId) -> Result<Comparison, ForgeError> {
        branches::compare(&self.client, &self.repository, target, source)
            .await
            .map_err(self.failed(format!("couldn't compare {source:.8} with {target:.8}")))
    }

    async fn merge_requests(&self, source: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        self.of_branch(source)
            .await
            .map_err(self.failed(format!("couldn't list the pull requests of branch `{source}`")))
    }

    async fn merge_request(&self, number: u64) -> Result<MergeRequest, ForgeError> {
        self.single(number)
            .await
            .and_then(pull_requests::Wire::read)
            .map_err(self.failed(format!("couldn't read pull request #{number}")))
    }

    async fn open_merge_requests(&self, target: &Branch) -> Result<Vec<MergeRequest>, ForgeError> {
        self.open_into(target)
            .await
            .map_err(self.failed(format!("couldn't list the open pull requests into branch `{target}`")))
    }

    async fn is_approved(&self, number: u64) -> Result<bool, ForgeError> {
        self.has_approvals(number)
            .await
            .map_err(self.failed(format!("couldn't read the reviews of pull request #{number}")))
    }

    async fn pipeline(&self, number: u64) -> Result<Option<PipelineStatus>, ForgeError> {
        self.checks(number)
            .await
            .map_err(self.failed(format!("couldn't read the checks of pull request #{number}")))
    }

    async fn default_branch(&self) -> Result<Branch, ForgeError> {
        let about = self.about().await;
        about
            .map(|about| Branch(about.default_branch.clone()))
            .map_err(self.failed(format!("couldn't look up the default branch of {}", self.repository)))
    }

    async fn access(&self, _: &Branch) -> Result<Access, ForgeError> {
        self.read_access()
            .await
            .map_err(self.failed(format!("couldn't look up what we may do in {}", self.repository)))
    }

    async fn check_settings(&self, settings: &MergeRequestSettings) -> Result<(), ForgeError> {
        self.know_all(settings, "couldn't open a pull request").await
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
        if let (Some(settings), Some(body)) = (&edit.settings, &edit.description) {
            return self.catch_up(number, settings, body).await.map(|()| true);
        }
        self.edit(number, edit).await.map_err(self.failed(format!("couldn't edit pull request #{number}")))
    }

    async fn enable_auto_merge(&self, number: u64, head: &CommitId) -> Result<(), ForgeError> {
        self.merge_when_ready(number, head).await
    }

    async fn cancel_auto_merge(&self, number: u64) -> Result<(), ForgeError> {
        self.do_not_merge(number)
            .await
            .map_err(self.failed(format!("couldn't cancel the auto-merge of pull request #{number}")))
    }
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub").field("repository", &self.repository).field("client", &self.client).finish()
    }
}
