//! Auto-merge: GitLab merges by itself once pipeline and approvals allow it. Approval rules are never touched.

use std::borrow::Cow;

use gitlab::api::common::NameOrId;
use gitlab::api::{BodyError, Endpoint, FormParams, ignore};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::GitLab;
use super::client::Client;
use super::error::{self, Failure};
use super::project::ProjectId;
use crate::forge::{CommitId, ForgeError, Pipeline};

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
    pub(super) async fn head_pipeline(&self, number: u64) -> Result<Option<Pipeline>, Failure> {
        let path = &self.about().await?.path_with_namespace;
        let variables = json!({"project": path, "number": number.to_string()});
        let read: WireProject = self.client.graphql(HEAD_PIPELINE, variables).await?;
        let head = read.project.and_then(|project| project.merge_request);
        let found = head.and_then(|head| Some((head.diff_head_sha?, head.head_pipeline?)));
        Ok(found.map(|(head, pipeline)| Pipeline {
            head: CommitId(head),
            failed: FAILED.contains(&pipeline.status.to_uppercase().as_str()),
        }))
    }

    /// With `sha`, GitLab refuses when the head is another by now.
    pub(super) async fn merge_when_ready(&self, number: u64, head: &CommitId) -> Result<(), Failure> {
        let about = self.about().await?;
        let (project, train) = (ProjectId::Number(about.id), about.merge_trains_enabled == Some(true));
        self.client.done(&ignore(AutoMerge { project, number, head, train })).await
    }

    /// What is not set cannot be canceled (406), which is what was wanted.
    pub(super) async fn do_not_merge(&self, number: u64) -> Result<(), Failure> {
        let project = self.writable().await?;
        match self.client.done(&ignore(Cancel { project, number })).await {
            Err(failure) if failure.status() == Some(406) => Ok(()),
            answer => answer,
        }
    }
}

/// For `map_err`: GitLab says 405 when it cannot merge at the moment, and does not say why.
pub(super) fn not_now(action: String, client: &Client) -> impl FnOnce(Failure) -> ForgeError {
    move |failure| match failure.status() {
        Some(405) => ForgeError::NotYet { action, reason: "GitLab can't merge it now".to_owned() },
        _ => error::forge_error(failure, action, client),
    }
}

/// `PUT …/merge`, or the merge train's own endpoint. The crate knows only the parameter of before 17.11; GitLab
/// ignores the one that it does not know.
struct AutoMerge<'a> {
    project: ProjectId,
    number: u64,
    head: &'a CommitId,
    train: bool,
}

impl Endpoint for AutoMerge<'_> {
    fn method(&self) -> Method {
        if self.train { Method::POST } else { Method::PUT }
    }

    fn endpoint(&self) -> Cow<'static, str> {
        let (project, number) = (NameOrId::from(&self.project), self.number);
        match self.train {
            true => format!("projects/{project}/merge_trains/merge_requests/{number}").into(),
            false => format!("projects/{project}/merge_requests/{number}/merge").into(),
        }
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        let older = if self.train { "when_pipeline_succeeds" } else { "merge_when_pipeline_succeeds" };
        let mut parameters = FormParams::default();
        parameters.push("sha", self.head.0.as_str()).push("auto_merge", true).push(older, true);
        parameters.into_body()
    }
}

/// `POST …/cancel_merge_when_pipeline_succeeds`, which the crate lacks.
struct Cancel {
    project: ProjectId,
    number: u64,
}

impl Endpoint for Cancel {
    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Cow<'static, str> {
        let project = NameOrId::from(&self.project);
        format!("projects/{project}/merge_requests/{}/cancel_merge_when_pipeline_succeeds", self.number)
            .into()
    }
}
