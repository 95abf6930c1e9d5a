//! Files at a commit: their paths, and each byte for byte.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::GitHub;
use super::error::Failure;
use super::repository::encoded;
use crate::forge::CommitId;

/// The file itself, up to 100 MB; as JSON it would end at one.
const RAW: &str = "application/vnd.github.raw+json";

/// `GET …/git/trees/{sha}?recursive=1`, which takes a commit for its tree.
#[derive(Deserialize)]
struct WireTree {
    tree: Vec<WireEntry>,
    /// Above 100,000 entries or 7 MB GitHub leaves the rest out, and has no second page.
    truncated: bool,
}

#[derive(Deserialize)]
struct WireEntry {
    path: String,
    /// `100644` and `100755` are files.
    mode: String,
}

impl GitHub {
    pub(super) async fn read_paths(&self, at: &CommitId) -> Result<Vec<String>, Failure> {
        let route = format!("{}/git/trees/{}?recursive=1", self.repository.route(), encoded(&at.0));
        let read: WireTree = self.client.get(&route).await?;
        if read.truncated {
            let problem = "the repository has more files than GitHub lists";
            return Err(Failure::Malformed(problem.to_owned()));
        }
        let files = read.tree.into_iter().filter(|entry| entry.mode.starts_with("100"));
        Ok(files.map(|entry| entry.path).collect())
    }

    pub(super) async fn read_file(&self, path: &str, at: &CommitId) -> Result<Option<Vec<u8>>, Failure> {
        let route = self.repository.route();
        let (path, commit) = (encoded(path.trim_start_matches('/')), encoded(&at.0));
        let answer =
            match self.client.get_as(&format!("{route}/contents/{path}?ref={commit}"), Some(RAW)).await {
                Ok(answer) => answer,
                Err(failure) if failure.status() == Some(404) => return self.without_file(at).await,
                Err(failure) => return Err(failure),
            };
        let kind = answer.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(Failure::Rejected(format!("`{path}` is a folder or a submodule")));
        }
        Ok(Some(answer.body.into()))
    }

    /// Repository, commit and path are all answered alike when they are not there.
    async fn without_file(&self, at: &CommitId) -> Result<Option<Vec<u8>>, Failure> {
        let route = format!("{}/git/commits/{}", self.repository.route(), encoded(&at.0));
        match self.client.get::<IgnoredAny>(&route).await {
            Ok(_) => Ok(None),
            Err(failure) => {
                self.absent(failure, ()).await?;
                Err(Failure::Rejected(format!("commit {at} was not found")))
            }
        }
    }
}
