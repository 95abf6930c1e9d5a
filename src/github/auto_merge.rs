//! Auto-merge: GitHub merges by itself once the rules of the target branch allow it. The rules are never touched.

use http::Method;
use serde::de::IgnoredAny;
use serde_json::json;

use super::GitHub;
use super::branches::moved;
use super::error::Failure;
use super::repository::RepositoryInfo;
use crate::forge::{CommitId, ForgeError};

const ENABLE: &str = "mutation($input: EnablePullRequestAutoMergeInput!) { \
                      enablePullRequestAutoMerge(input: $input) { clientMutationId } }";

const DISABLE: &str = "mutation($input: DisablePullRequestAutoMergeInput!) { \
                       disablePullRequestAutoMerge(input: $input) { clientMutationId } }";

impl GitHub {
    /// What could be merged at once cannot be set to auto-merge ("clean status"), so it is merged.
    pub(super) async fn merge_when_ready(&self, number: u64, head: &CommitId) -> Result<(), ForgeError> {
        let action = format!("couldn't set pull request #{number} to auto-merge");
        let enabled = match self.enable(number, head).await {
            Err(failure) if failure.says("clean status") => self.merge(number, head).await,
            enabled => enabled,
        };
        enabled.map_err(|failure| self.not_now(failure, action))
    }

    async fn enable(&self, number: u64, head: &CommitId) -> Result<(), Failure> {
        let request = self.single(number).await?;
        if request.head.sha != head.0 {
            return Err(Failure::Rejected(moved(Some(&CommitId(request.head.sha)), Some(head))));
        }
        let method = method(self.about().await?).to_uppercase();
        let input =
            json!({"pullRequestId": request.node_id, "mergeMethod": method, "expectedHeadOid": head.0});
        self.client.mutate(ENABLE, json!({"input": input})).await
    }

    /// With `sha`, GitHub refuses when the head is another by now.
    async fn merge(&self, number: u64, head: &CommitId) -> Result<(), Failure> {
        let about = self.about().await?;
        let route = format!("{}/pulls/{number}/merge", about.id().route());
        let body = json!({"sha": head.0, "merge_method": method(about)});
        self.client.write::<IgnoredAny>(Method::PUT, &route, &body).await.map(drop)
    }

    /// What is not set needs no canceling.
    pub(super) async fn do_not_merge(&self, number: u64) -> Result<(), Failure> {
        let request = self.single(number).await?;
        if request.auto_merge.is_none() {
            return Ok(());
        }
        self.client.mutate(DISABLE, json!({"input": {"pullRequestId": request.node_id}})).await
    }

    /// Checks that nobody requires still run ("unstable status"), or GitHub is still looking (405): both pass.
    fn not_now(&self, failure: Failure, action: String) -> ForgeError {
        if failure.says("auto merge is not allowed") {
            let hint = "switch on \"Allow auto-merge\" under Settings, General of the repository, which needs a branch \
                        rule that asks for something";
            return ForgeError::Refused { action, reason: failure.to_string(), hint: Some(hint.to_owned()) };
        }
        let passing = ["unstable status", "in the correct state", "status is unknown"];
        if failure.status() == Some(405) || passing.iter().any(|words| failure.says(words)) {
            return ForgeError::NotYet { action, reason: failure.to_string() };
        }
        self.failed(action)(failure)
    }
}

/// How it is merged: as the repository allows, a merge commit first. Who may not push is not told.
fn method(about: &RepositoryInfo) -> &'static str {
    let allowed = |way: Option<bool>| way.unwrap_or(false);
    match about {
        _ if about.allow_merge_commit.unwrap_or(true) => "merge",
        _ if allowed(about.allow_squash_merge) => "squash",
        _ if allowed(about.allow_rebase_merge) => "rebase",
        _ => "merge",
    }
}
