//! Pull requests as GitHub shows them.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::GitHub;
use super::client::List;
use super::error::Failure;
use super::repository::{Owner, RepositoryId, encoded_whole};
use crate::forge::{Branch, CommitId, MergeRequest, MergeRequestState, Mergeability};

/// One entry of the list, the single answer, and the answer of creating.
#[derive(Debug, Deserialize)]
pub(super) struct Wire {
    pub(super) number: u64,
    /// What GraphQL calls it.
    pub(super) node_id: String,
    html_url: String,
    state: String,
    merged_at: Option<String>,
    title: String,
    body: Option<String>,
    /// Null for an account that is gone.
    pub(super) user: Option<Owner>,
    pub(super) head: End,
    base: End,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) auto_merge: Option<IgnoredAny>,
    /// In the single answer only; null while GitHub looks.
    mergeable: Option<bool>,
    mergeable_state: Option<String>,
}

/// Where it comes from, or where it goes.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    #[serde(rename = "ref")]
    name: String,
    pub(super) sha: String,
    /// Null when the fork was deleted.
    repo: Option<WireId>,
}

#[derive(Debug, Deserialize)]
struct WireId {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Label {
    name: String,
}

impl GitHub {
    /// Every state. The API finds by the owner of the head, so those from forks of others do not appear, whatever their
    /// branches are called. A list that came from the repository's new address was filtered by the old owner.
    pub(super) async fn of_branch(&self, source: &Branch) -> Result<Vec<MergeRequest>, Failure> {
        let mut found = self.listed(&self.repository, source).await?;
        if found.moved {
            found = self.listed(&self.writable().await?, source).await?;
        }
        let mut requests = Vec::new();
        for listed in found.entries.into_iter().filter(|listed| listed.head.name == source.0) {
            let wire = if listed.is_open() { self.single(listed.number).await? } else { listed };
            requests.push(wire.read()?);
        }
        requests.sort_by_key(|request| std::cmp::Reverse(request.number));
        Ok(requests)
    }

    /// Whatever their heads are, those from forks included.
    pub(super) async fn open_into(&self, target: &Branch) -> Result<Vec<MergeRequest>, Failure> {
        let (route, base) = (self.repository.route(), encoded_whole(&target.0));
        let found: List<Wire> = self.client.all(&format!("{route}/pulls?state=open&base={base}")).await?;
        found.entries.into_iter().map(Wire::read).collect()
    }

    /// The head must carry the owner: GitHub ignores it otherwise and lists everything.
    async fn listed(&self, repository: &RepositoryId, source: &Branch) -> Result<List<Wire>, Failure> {
        let head = encoded_whole(&format!("{}:{source}", repository.owner));
        self.client.all(&format!("{}/pulls?state=all&head={head}", repository.route())).await
    }

    /// The only answer that says whether it could be merged.
    pub(super) async fn single(&self, number: u64) -> Result<Wire, Failure> {
        self.client.get(&format!("{}/pulls/{number}", self.repository.route())).await
    }
}

impl Wire {
    fn is_open(&self) -> bool {
        self.state == "open"
    }

    pub(super) fn read(self) -> Result<MergeRequest, Failure> {
        let state = match (self.state.as_str(), &self.merged_at) {
            ("open", _) => MergeRequestState::Open,
            ("closed", None) => MergeRequestState::Closed,
            ("closed", Some(_)) => MergeRequestState::Merged,
            (other, _) => {
                let reason = format!("pull request #{} is in the unknown state `{other}`", self.number);
                return Err(Failure::Malformed(reason));
            }
        };
        let id = |end: &End| end.repo.as_ref().map(|repo| repo.id);
        let from_this_project = id(&self.head).is_some() && id(&self.head) == id(&self.base);
        let mergeability = self.mergeability();
        Ok(MergeRequest {
            number: self.number,
            url: self.html_url,
            state,
            title: self.title,
            description: self.body.unwrap_or_default(),
            source_branch: Branch(self.head.name),
            target_branch: Branch(self.base.name),
            from_this_project,
            head: Some(CommitId(self.head.sha)),
            mergeability,
            blocked_by: None,
            labels: self.labels.into_iter().map(|label| label.name).collect(),
            draft: self.draft,
            auto_merge: self.auto_merge.is_some(),
        })
    }

    fn mergeability(&self) -> Mergeability {
        match self.mergeable {
            _ if !self.is_open() => Mergeability::Unknown,
            Some(false) => Mergeability::Conflict,
            _ if self.mergeable_state.as_deref() == Some("dirty") => Mergeability::Conflict,
            Some(true) => Mergeability::Clean,
            None => Mergeability::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wire(change: impl FnOnce(&mut serde_json::Value)) -> Wire {
        let end = |name: &str| json!({"ref": name, "sha": "0".repeat(40), "repo": {"id": 7}});
        let mut value = json!({
            "number": 1, "node_id": "PR_1", "html_url": "https://github.com/a/b/pull/1", "state": "open",
            "merged_at": null, "title": "Update", "body": null, "user": null, "head": end("dibump/x"),
            "base": end("main"), "labels": [], "draft": false, "auto_merge": null,
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn mergeability_is_believed_only_where_github_has_looked() {
        for (mergeable, state, expected) in [
            (json!(true), "clean", Mergeability::Clean),
            (json!(true), "blocked", Mergeability::Clean),
            (json!(true), "behind", Mergeability::Clean),
            (json!(false), "dirty", Mergeability::Conflict),
            (json!(null), "unknown", Mergeability::Unknown),
            (json!(null), "dirty", Mergeability::Conflict),
            (json!(null), "a_word_of_2030", Mergeability::Unknown),
        ] {
            let wire = wire(|v| {
                v["mergeable"] = mergeable.clone();
                v["mergeable_state"] = json!(state);
            });
            assert_eq!(wire.mergeability(), expected, "{mergeable} {state}");
        }
        assert_eq!(wire(|_| ()).mergeability(), Mergeability::Unknown);
    }

    #[test]
    fn a_deleted_fork_is_not_this_project() {
        assert!(wire(|_| ()).read().unwrap().from_this_project);
        assert!(!wire(|v| v["head"]["repo"] = json!(null)).read().unwrap().from_this_project);
        assert!(!wire(|v| v["head"]["repo"] = json!({"id": 8})).read().unwrap().from_this_project);
        let both = wire(|v| {
            v["head"]["repo"] = json!(null);
            v["base"]["repo"] = json!(null);
        });
        assert!(!both.read().unwrap().from_this_project);
        assert!(wire(|v| v["state"] = json!("frozen")).read().is_err());
    }
}
