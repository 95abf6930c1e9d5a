//! Making a branch equal to one commit, through the Git database.
//!
//! GraphQL's `createCommitOnBranch` would be one request with compare-and-swap, but it only adds to a branch: it cannot
//! put a rebuilt commit in place of the old one, nor start a branch. So the objects are made first, which nobody sees,
//! and the branch is pointed at them last, by the one request that matters. Without author and committer GitHub signs
//! the commits of Apps and Actions jobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use octocrab::models::git::CreateTreeEntry;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::GitHub;
use super::branches::moved;
use super::error::Failure;
use super::repository::{RepositoryId, encoded};
use crate::forge::{CommitId, ForgeError, NewCommit};

/// Git's mode of a file that is no program.
const FILE: u32 = 0o100_644;

/// Git's mode of a symbolic link.
const LINK: u32 = 0o120_000;

/// GitHub answers whoever may not write workflows as if the repository were not there.
const WORKFLOWS: &str = "a token that writes files below .github/workflows/ needs the scope `workflow`, or the permission \
                         Workflows (write); that of an Actions job never has it";

/// The tree of the parent, and how the files stand in it.
struct Base {
    tree: String,
    /// In the order of the commit's files.
    modes: Vec<u32>,
}

#[derive(Deserialize)]
struct WireSha {
    sha: String,
}

#[derive(Deserialize)]
struct WireEntry {
    /// Git's mode as a plain number: 33188 is 100644.
    mode: u32,
}

impl GitHub {
    pub(super) async fn push_commit(&self, commit: &NewCommit) -> Result<CommitId, ForgeError> {
        let action = format!("couldn't push branch `{}`", commit.branch);
        let made = self.make_and_point(commit).await;
        let may_lack_rights = matches!(&made, Err(failure) if matches!(failure.status(), Some(403 | 404)));
        let made = made.map_err(self.failed(action));
        match made {
            Err(ForgeError::Refused { action, reason, hint }) if may_lack_rights && has_workflow(commit) => {
                let hint = Some(hint.map_or(WORKFLOWS.to_owned(), |hint| format!("{WORKFLOWS}; {hint}")));
                Err(ForgeError::Refused { action, reason, hint })
            }
            made => made,
        }
    }

    /// GitHub has no compare-and-swap on a forced reference, so the head is read directly before the write. A branch
    /// that must not exist is made by another request, and then GitHub itself refuses if somebody was faster.
    async fn make_and_point(&self, commit: &NewCommit) -> Result<CommitId, Failure> {
        let repository = self.writable().await?;
        let made = self.make(&repository, commit).await?;
        let head = self.branch_head(&repository, &commit.branch).await?;
        if head != commit.expected_head {
            return Err(Failure::Rejected(moved(head.as_ref(), commit.expected_head.as_ref())));
        }
        let (route, branch) = (repository.route(), &commit.branch.0);
        match head {
            None => {
                let new = json!({"ref": format!("refs/heads/{branch}"), "sha": made});
                self.client.done(Method::POST, &format!("{route}/git/refs"), &new).await?;
            }
            Some(_) => {
                let to = json!({"sha": made, "force": true});
                let route = format!("{route}/git/refs/heads/{}", encoded(branch));
                self.client.done(Method::PATCH, &route, &to).await?;
            }
        }
        Ok(CommitId(made))
    }

    /// The commit that no branch points at yet. Base64 keeps every byte.
    async fn make(&self, repository: &RepositoryId, commit: &NewCommit) -> Result<String, Failure> {
        let base = self.base(repository, commit).await?;
        let git = self.client.octocrab().git(&repository.owner, &repository.name);
        let mut entries = Vec::new();
        for ((path, bytes), mode) in commit.files.iter().zip(&base.modes) {
            let blob = git.create_blob(BASE64.encode(bytes)).encoding("base64").send().await?;
            entries.push(CreateTreeEntry::new(path, format!("{mode:06o}"), "blob").with_sha(blob.sha));
        }
        let tree = git.create_tree(entries).base_tree(base.tree).send().await?;
        let new = json!({"message": commit.message, "tree": tree.sha, "parents": [commit.parent.0]});
        let route = format!("{}/git/commits", repository.route());
        Ok(self.client.write::<WireSha>(Method::POST, &route, &new).await?.sha)
    }

    /// One query for all files. A symbolic link is refused: its bytes would become the name of what it links to.
    async fn base(&self, repository: &RepositoryId, commit: &NewCommit) -> Result<Base, Failure> {
        let (query, variables) = query(repository, commit);
        let read: Value = self.client.graphql(&query, variables).await?;
        let parent = &read["repository"]["object"];
        let Some(tree) = parent["tree"]["oid"].as_str() else {
            return Err(Failure::Rejected(format!("commit {} was not found", commit.parent)));
        };
        let mode = |(i, path): (usize, &String)| match WireEntry::deserialize(&parent[format!("file{i}")]) {
            Ok(_) if commit.added.contains(path) => {
                Err(Failure::Rejected(format!("file `{path}` is there already at {:.8}", commit.parent)))
            }
            Ok(WireEntry { mode: LINK }) => Err(Failure::Rejected(format!("`{path}` is a symbolic link"))),
            Ok(entry) => Ok(entry.mode),
            Err(_) if commit.added.contains(path) => Ok(FILE),
            Err(_) => Err(Failure::Rejected(format!("file `{path}` was not found at {:.8}", commit.parent))),
        };
        let modes = commit.files.keys().enumerate().map(mode).collect::<Result<_, _>>()?;
        Ok(Base { tree: tree.to_owned(), modes })
    }
}

fn has_workflow(commit: &NewCommit) -> bool {
    commit.files.keys().any(|path| path.starts_with(".github/workflows/"))
}

/// The parent's tree, and each file as `file0`, `file1`, ….
fn query(repository: &RepositoryId, commit: &NewCommit) -> (String, Value) {
    let mut variables = Map::new();
    variables.insert("owner".to_owned(), json!(repository.owner));
    variables.insert("name".to_owned(), json!(repository.name));
    variables.insert("commit".to_owned(), json!(commit.parent.0));
    let (mut parameters, mut fields) = (String::new(), String::new());
    for (i, path) in commit.files.keys().enumerate() {
        variables.insert(format!("path{i}"), json!(path));
        parameters.push_str(&format!(", $path{i}: String!"));
        fields.push_str(&format!(" file{i}: file(path: $path{i}) {{ mode }}"));
    }
    let query = format!(
        "query($owner: String!, $name: String!, $commit: GitObjectID!{parameters}) {{ \
         repository(owner: $owner, name: $name) {{ object(oid: $commit) {{ \
         ... on Commit {{ tree {{ oid }}{fields} }} }} }} }}"
    );
    (query, Value::Object(variables))
}
