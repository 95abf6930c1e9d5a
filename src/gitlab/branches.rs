//! Branches: their heads, what they have on top of another, and making one equal to a single commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlab::api::common::path_escaped;
use gitlab::api::projects::repository::branches::{Branch as BranchEndpoint, Branches};
use gitlab::api::projects::repository::commits::CompareCommits;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::GitLab;
use super::client::{Client, built};
use super::error::Failure;
use super::project::ProjectId;
use crate::forge::{Branch, Commit, CommitId, Comparison, ForgeError, NewCommit};

/// `GET /projects/:id/repository/branches/:branch`
#[derive(Debug, Deserialize)]
struct WireBranch {
    name: String,
    commit: WireId,
}

#[derive(Debug, Deserialize)]
struct WireId {
    id: String,
}

/// `GET /projects/:id/repository/compare`
#[derive(Debug, Deserialize)]
struct WireComparison {
    commits: Vec<WireCommit>,
    diffs: Vec<WireDiff>,
    /// Despite its name it says that the list of diffs is not whole.
    #[serde(default)]
    compare_timeout: bool,
}

#[derive(Debug, Deserialize)]
struct WireCommit {
    id: String,
    parent_ids: Vec<String>,
    message: String,
}

#[derive(Debug, Deserialize)]
struct WireDiff {
    old_path: String,
    new_path: String,
}

pub(super) async fn head(
    client: &Client,
    project: &ProjectId,
    branch: &Branch,
) -> Result<Option<CommitId>, Failure> {
    let endpoint = BranchEndpoint::builder().project(project).branch(branch.0.as_str()).build();
    match client.ask::<WireBranch>(&built(endpoint)?).await {
        Ok(branch) => Ok(Some(CommitId(branch.commit.id))),
        Err(failure) if failure.is_missing("Branch") => Ok(None),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn beginning_with(
    client: &Client,
    project: &ProjectId,
    prefix: &str,
) -> Result<BTreeMap<Branch, CommitId>, Failure> {
    let endpoint = Branches::builder().project(project).search(format!("^{prefix}")).build();
    let found: Vec<WireBranch> = client.all(&built(endpoint)?).await?;
    let ours = found.into_iter().filter(|branch| branch.name.starts_with(prefix));
    Ok(ours.map(|branch| (Branch(branch.name), CommitId(branch.commit.id))).collect())
}

pub(super) async fn compare(
    client: &Client,
    project: &ProjectId,
    target: &CommitId,
    source: &CommitId,
) -> Result<Comparison, Failure> {
    let mut endpoint = CompareCommits::builder();
    endpoint.project(project).from(target.0.as_str()).to(source.0.as_str()).straight(false);
    let read: WireComparison = client.ask(&built(endpoint.build())?).await?;
    let paths: BTreeSet<String> = read.diffs.into_iter().flat_map(|d| [d.old_path, d.new_path]).collect();
    let paths = (!read.compare_timeout).then(|| paths.into_iter().collect());
    let commits = read.commits.into_iter().map(|commit| Commit {
        id: CommitId(commit.id),
        parents: commit.parent_ids.into_iter().map(CommitId).collect(),
        message: commit.message,
    });
    Ok(Comparison { commits: commits.collect(), paths })
}

impl GitLab {
    /// GitLab has no compare-and-swap on a forced commit, so the head is read directly before the write. A branch
    /// that must not exist is made without force, and then GitLab itself refuses if somebody was faster.
    pub(super) async fn push_commit(&self, commit: &NewCommit) -> Result<CommitId, ForgeError> {
        let action = format!("couldn't push branch `{}`", commit.branch);
        let project = self.writable().await.map_err(self.failed(action.as_str()))?;
        let head =
            head(&self.client, &project, &commit.branch).await.map_err(self.failed(action.as_str()))?;
        if head != commit.expected_head {
            let reason = moved(head.as_ref(), commit.expected_head.as_ref());
            return Err(ForgeError::Rejected { action, reason });
        }
        create(&self.client, &project, commit, head.is_some()).await.map_err(self.failed(action))
    }

    /// GitLab removes a branch wherever it is, so here too the head is read directly before.
    pub(super) async fn remove(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), ForgeError> {
        let action = format!("couldn't remove branch `{branch}`");
        let project = self.writable().await.map_err(self.failed(action.as_str()))?;
        match head(&self.client, &project, branch).await.map_err(self.failed(action.as_str()))? {
            None => return Ok(()),
            Some(head) if head != *expected_head => {
                let reason = moved(Some(&head), Some(expected_head));
                return Err(ForgeError::Rejected { action, reason });
            }
            Some(_) => {}
        }
        match delete(&self.client, &project, branch).await {
            Err(failure) if failure.is_missing("Branch") => Ok(()),
            answer => answer.map_err(self.failed(action)),
        }
    }
}

async fn delete(client: &Client, project: &ProjectId, branch: &Branch) -> Result<(), Failure> {
    let path = format!("{}/repository/branches/{}", project.route(), path_escaped(&branch.0));
    client.write(Method::DELETE, &path, &json!({})).await.map(drop)
}

/// `POST /projects/:id/repository/commits`
#[derive(Serialize)]
struct Body<'a> {
    branch: &'a str,
    commit_message: &'a str,
    start_sha: &'a str,
    force: bool,
    actions: Vec<Action<'a>>,
}

/// Base64 keeps every byte.
#[derive(Serialize)]
struct Action<'a> {
    action: &'static str,
    file_path: &'a str,
    content: String,
    encoding: &'static str,
}

impl<'a> Action<'a> {
    fn of(commit: &NewCommit, path: &'a String, bytes: &Arc<[u8]>) -> Self {
        // GitLab refuses to make a file that is there, and to change one that is not.
        let action = if commit.added.contains(path) { "create" } else { "update" };
        Self { action, file_path: path, content: STANDARD.encode(bytes), encoding: "base64" }
    }
}

/// One commit on `start_sha`. `last_commit_id` must not go along with it: GitLab then looks for the file's last
/// change on the default branch and refuses commits for any other.
async fn create(
    client: &Client,
    project: &ProjectId,
    commit: &NewCommit,
    overwrite: bool,
) -> Result<CommitId, Failure> {
    let body = Body {
        branch: &commit.branch.0,
        commit_message: &commit.message,
        start_sha: &commit.parent.0,
        force: overwrite,
        actions: commit.files.iter().map(|(path, bytes)| Action::of(commit, path, bytes)).collect(),
    };
    let path = format!("{}/repository/commits", project.route());
    let created: WireId = client.made(Method::POST, &path, &body).await?;
    Ok(CommitId(created.id))
}

fn moved(is: Option<&CommitId>, was: Option<&CommitId>) -> String {
    let show = |head: Option<&CommitId>| head.map_or("nothing".to_owned(), |id| format!("{id:.8}"));
    format!("the branch moved from {} to {} in the meantime", show(was), show(is))
}
