//! Approvals and checks of a pull request, which REST spreads over several lists and GraphQL sums up.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::GitHub;
use super::error::Failure;
use crate::forge::{CommitId, PipelineStatus};

/// The latest review of each person who may write; anybody may approve what is public.
const REVIEWS: &str = "query($owner: String!, $name: String!, $number: Int!) { \
                       repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewDecision \
                       latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } } } } }";

/// The sum of check runs and commit statuses, as the page of the pull request shows it.
const CHECKS: &str = "query($owner: String!, $name: String!, $number: Int!) { \
                      repository(owner: $owner, name: $name) { pullRequest(number: $number) { \
                      commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } } } } }";

/// States of a sum that let somebody down. `EXPECTED` and `PENDING` have not ended.
const FAILED: [&str; 2] = ["FAILURE", "ERROR"];

#[derive(Deserialize)]
struct WireRepository<T> {
    repository: Option<WirePullRequest<T>>,
}

#[derive(Deserialize)]
struct WirePullRequest<T> {
    #[serde(rename = "pullRequest")]
    pull_request: Option<T>,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReviews {
    /// Null where no review is asked for.
    review_decision: Option<String>,
    latest_opinionated_reviews: Option<Nodes<WireState>>,
}

#[derive(Deserialize)]
struct WireChecks {
    commits: Nodes<WireCommit>,
}

#[derive(Deserialize)]
struct WireCommit {
    commit: WireRollup,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRollup {
    oid: String,
    /// Null where there is no check at all.
    status_check_rollup: Option<WireState>,
}

#[derive(Deserialize)]
struct WireState {
    state: String,
}

impl GitHub {
    pub(super) async fn has_approvals(&self, number: u64) -> Result<bool, Failure> {
        let read: WireReviews = self.of_pull_request(REVIEWS, number).await?;
        let reviews = read.latest_opinionated_reviews.map(|reviews| reviews.nodes).unwrap_or_default();
        let any = |state: &str| reviews.iter().any(|review| review.state == state);
        Ok(match read.review_decision.as_deref() {
            Some(decision) => decision == "APPROVED" && any("APPROVED"),
            None => any("APPROVED") && !any("CHANGES_REQUESTED"),
        })
    }

    pub(super) async fn checks(&self, number: u64) -> Result<Option<PipelineStatus>, Failure> {
        let read: WireChecks = self.of_pull_request(CHECKS, number).await?;
        let head = read.commits.nodes.into_iter().next().map(|node| node.commit);
        Ok(head.and_then(|head| {
            let state = head.status_check_rollup?.state;
            let (failed, succeeded) = (FAILED.contains(&state.as_str()), state == "SUCCESS");
            Some(PipelineStatus { head: CommitId(head.oid), failed, succeeded })
        }))
    }

    async fn of_pull_request<T: DeserializeOwned>(&self, query: &str, number: u64) -> Result<T, Failure> {
        let variables =
            json!({"owner": self.repository.owner, "name": self.repository.name, "number": number});
        let read: WireRepository<T> = self.client.graphql(query, variables).await?;
        let found = read.repository.and_then(|repository| repository.pull_request);
        found.ok_or_else(|| Failure::Rejected(format!("pull request #{number} was not found")))
    }
}
