//! Branches: their heads, and what they have on top of another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::GitHub;
use super::client::Client;
use super::error::Failure;
use super::repository::{RepositoryId, encoded};
use crate::forge::{Branch, Commit, CommitId, Comparison, ForgeError};

/// Where branches stand among the references.
const HEADS: &str = "refs/heads/";

/// A comparison never lists more files.
const MOST_FILES: usize = 300;

/// A reference.
#[derive(Debug, Deserialize)]
struct WireRef {
    #[serde(rename = "ref")]
    name: String,
    object: WireObject,
}

#[derive(Debug, Deserialize)]
struct WireObject {
    sha: String,
}

#[derive(Debug, Deserialize)]
struct WireComparison {
    total_commits: usize,
    commits: Vec<WireCommit>,
    /// Absent for more than the API wants to compare.
    files: Option<Vec<WireFile>>,
}

#[derive(Debug, Deserialize)]
struct WireCommit {
    sha: String,
    commit: WireMessage,
    parents: Vec<WireObject>,
}

#[derive(Debug, Deserialize)]
struct WireMessage {
    message: String,
}

#[derive(Debug, Deserialize)]
struct WireFile {
    filename: String,
    /// The name before a rename.
    previous_filename: Option<String>,
}

/// The API finds by the start of the name, which is what is wanted.
pub(super) async fn beginning_with(
    client: &Client,
    repository: &RepositoryId,
    prefix: &str,
) -> Result<BTreeMap<Branch, CommitId>, Failure> {
    let route = format!("{}/git/matching-refs/heads/{}", repository.route(), encoded(prefix));
    let found = match client.all_unsized::<WireRef>(&route).await {
        Err(failure) if is_empty_repository(&failure) => return Ok(BTreeMap::new()),
        found => found?.entries,
    };
    let ours = found.into_iter().filter_map(|found| {
        let name = found.name.strip_prefix(HEADS)?;
        name.starts_with(prefix).then(|| (Branch(name.to_owned()), CommitId(found.object.sha)))
    });
    Ok(ours.collect())
}

/// Of more than 250 commits the answer lists some only, and of more than 300 files: both are a cut.
pub(super) async fn compare(
    client: &Client,
    repository: &RepositoryId,
    target: &CommitId,
    source: &CommitId,
) -> Result<Comparison, Failure> {
    let (target, source) = (encoded(&target.0), encoded(&source.0));
    let read: WireComparison =
        client.get(&format!("{}/compare/{target}...{source}", repository.route())).await?;
    let whole = read.total_commits == read.commits.len();
    let files = read.files.filter(|files| whole && files.len() < MOST_FILES);
    let names = |file: WireFile| std::iter::once(file.filename).chain(file.previous_filename);
    let paths = files.map(|files| files.into_iter().flat_map(names).collect::<BTreeSet<String>>());
    let commits = read.commits.into_iter().map(|commit| Commit {
        id: CommitId(commit.sha),
        parents: commit.parents.into_iter().map(|parent| CommitId(parent.sha)).collect(),
        message: commit.commit.message,
    });
    Ok(Comparison { commits: commits.collect(), paths: paths.map(Vec::from_iter) })
}

impl GitHub {
    pub(super) async fn branch_head(
        &self,
        repository: &RepositoryId,
        branch: &Branch,
    ) -> Result<Option<CommitId>, Failure> {
        let route = format!("{}/git/ref/heads/{}", repository.route(), encoded(&branch.0));
        match self.client.get::<WireRef>(&route).await {
            Ok(found) => Ok(Some(CommitId(found.object.sha))),
            Err(failure) if is_empty_repository(&failure) => Ok(None),
            Err(failure) => self.absent(failure, None).await,
        }
    }

    /// GitHub removes a branch wherever it is, so the head is read directly before.
    pub(super) async fn remove(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), ForgeError> {
        let action = format!("couldn't remove branch `{branch}`");
        self.remove_unmoved(branch, expected_head).await.map_err(self.failed(action))
    }

    async fn remove_unmoved(&self, branch: &Branch, expected_head: &CommitId) -> Result<(), Failure> {
        let repository = self.writable().await?;
        match self.branch_head(&repository, branch).await? {
            None => return Ok(()),
            Some(head) if head != *expected_head => {
                return Err(Failure::Rejected(moved(Some(&head), Some(expected_head))));
            }
            Some(_) => {}
        }
        let route = format!("{}/git/refs/heads/{}", repository.route(), encoded(&branch.0));
        match self.client.delete(&route).await {
            Err(failure) if failure.says("Reference does not exist") => Ok(()),
            answer => answer,
        }
    }
}

/// Why a branch is left alone.
pub(super) fn moved(is: Option<&CommitId>, was: Option<&CommitId>) -> String {
    let show = |head: Option<&CommitId>| head.map_or("nothing".to_owned(), |id| format!("{id:.8}"));
    format!("the branch moved from {} to {} in the meantime", show(was), show(is))
}

/// A repository without any commit has no branches, and says so by a conflict.
fn is_empty_repository(failure: &Failure) -> bool {
    failure.status() == Some(409) && failure.says("repository is empty")
}
