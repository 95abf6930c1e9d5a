//! Auto-merge: GitLab merges by itself once pipeline and approvals allow it. Approval rules are never touched.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitLab;
use super::error::Failure;
use super::project::{Project, ProjectId};
use crate::forge::{CommitId, ForgeError, PipelineStatus};

/// `headPipeline` is the pipeline of the head, or of its merge with the target branch (merged-results pipelines), whose
/// own commit REST reports and from which one cannot tell the head.
const HEAD_PIPELINE: &str = "query($project: ID!, $number: String!) { project(fullPath: $project) { \
                             mergeRequest(iid: $number) { diffHeadSha headPipeline { status } } } }";

/// Statuses of a pipeline that vouches for nothing (`PipelineStatusEnum`).
const FAILED: [&str; 4] = ["FAILED", "CANCELED", "CANCELING", "SKIPPED"];

#[derive(Deserialize)]
struct WireProject {
    project: Option<WireMergeRequests>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMergeRequests {
    merge_request: Option<WireHead>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHead {
    diff_head_sha: Option<String>,
    head_pipeline: Option<WirePipeline>,
}

#[derive(Deserialize)]
struct WirePipeline {
    status: String,
}

impl GitLab {
    pub(super) async fn head_pipeline(&self, number: u64) -> Result<Option<PipelineStatus>, Failure> {
        let path = &self.about().await?.path_with_namespace;
        let variables = json!({"project": path, "number": number.to_string()});
        let read: WireProject = self.client.graphql(HEAD_PIPELINE, variables).await?;
        let head = read.project.and_then(|project| project.merge_request);
        let found = head.and_then(|head| Some((head.diff_head_sha?, head.head_pipeline?)));
        Ok(found.map(|(head, pipeline)| PipelineStatus {
            head: CommitId(head),
            failed: FAILED.contains(&pipeline.status.to_uppercase().as_str()),
            succeeded: pipeline.status.eq_ignore_ascii_case("success"),
        }))
    }

    /// GitLab answers 401 to whoever may not merge into a protected branch (`can_be_merged_by?` in
    /// `lib/api/merge_requests.rb`), and 405 while it cannot merge, without saying why.
    pub(super) async fn enable(&self, number: u64, head: &CommitId) -> Result<(), ForgeError> {
        let action = format!("couldn't set merge request !{number} to auto-merge");
        match self.merge_when_ready(number, head).await {
            Err(failure) if failure.status() == Some(401) && !failure.says("token") => {
                let role = self.about().await.ok().and_then(Project::role);
                let role = role.map(|role| format!(" (role {role})")).unwrap_or_default();
                let reason = format!("the token{role} may not merge into the protected target branch");
                Err(ForgeError::Rejected { action, reason })
            }
            Err(failure) if failure.status() == Some(405) => {
                Err(ForgeError::NotYet { action, reason: "GitLab can't merge it now".to_owned() })
            }
            answer => answer.map_err(self.failed(action)),
        }
    }

    /// With `sha`, GitLab refuses when the head is another by now. With merge trains, the train has an endpoint of its own.
    async fn merge_when_ready(&self, number: u64, head: &CommitId) -> Result<(), Failure> {
        let about = self.about().await?;
        let train = about.merge_trains_enabled == Some(true);
        let mut body = json!({"sha": head.0});
        for name in names(train, self.version().await?) {
            body[*name] = json!(true);
        }
        let project = ProjectId::Number(about.id).route();
        let (method, path) = match train {
            true => (Method::POST, format!("{project}/merge_trains/merge_requests/{number}")),
            false => (Method::PUT, format!("{project}/merge_requests/{number}/merge")),
        };
        self.client.write(method, &path, &body).await.map(drop)
    }

    /// What is not set cannot be canceled (406), which is what was wanted.
    pub(super) async fn do_not_merge(&self, number: u64) -> Result<(), Failure> {
        let project = self.writable().await?.route();
        let path = format!("{project}/merge_requests/{number}/cancel_merge_when_pipeline_succeeds");
        match self.client.write(Method::POST, &path, &json!({})).await {
            Err(failure) if failure.status() == Some(406) => Ok(()),
            answer => answer.map(drop),
        }
    }
}

/// How the parameter is called: since 17.11 by one name everywhere. GitLab ignores the name that it does not know.
fn names(train: bool, version: Option<(u32, u32)>) -> &'static [&'static str] {
    match (version, train) {
        (Some(version), _) if version >= (17, 11) => &["auto_merge"],
        (Some(_), false) => &["merge_when_pipeline_succeeds"],
        (Some(_), true) => &["when_pipeline_succeeds"],
        (None, false) => &["auto_merge", "merge_when_pipeline_succeeds"],
        (None, true) => &["auto_merge", "when_pipeline_succeeds"],
    }
}
