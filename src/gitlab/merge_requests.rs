//! Merge requests of a source branch.

use std::borrow::Cow;

use gitlab::api::common::NameOrId;
use gitlab::api::projects::merge_requests::approvals::MergeRequestApprovals;
use gitlab::api::projects::merge_requests::{
    CreateMergeRequest, EditMergeRequest, MergeRequest as SingleMergeRequest, MergeRequestStateEvent,
    MergeRequests,
};
use gitlab::api::users::Users;
use gitlab::api::{Endpoint, QueryParams};
use serde::Deserialize;

use super::GitLab;
use super::client::{Client, built};
use super::error::Failure;
use super::project::ProjectId;
use crate::forge::{
    Branch, CommitId, ForgeError, MergeRequest, MergeRequestEdit, MergeRequestState, Mergeability,
    NewMergeRequest, StateChange,
};

/// The prefix that makes a merge request a draft (13.2 and newer).
const DRAFT: &str = "Draft: ";

/// Values of `detailed_merge_status` while GitLab has not looked at the branches as they are now.
const NOT_LOOKED_YET: [&str; 4] = ["unchecked", "checking", "preparing", "approvals_syncing"];

/// One entry of the list, and the answer of creating.
#[derive(Debug, Deserialize)]
struct Wire {
    iid: u64,
    web_url: String,
    state: String,
    title: String,
    description: Option<String>,
    source_branch: String,
    target_branch: String,
    /// Null when the fork was deleted.
    source_project_id: Option<u64>,
    target_project_id: u64,
    sha: Option<String>,
    has_conflicts: Option<bool>,
    detailed_merge_status: Option<String>,
    merge_status: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    draft: Option<bool>,
    #[serde(default)]
    merge_when_pipeline_succeeds: bool,
}

/// `GET …/approvals`. On GitLab Free nothing is required, and `approvals_left` is absent.
#[derive(Debug, Deserialize)]
struct WireApprovals {
    approvals_left: Option<u64>,
    #[serde(default)]
    approved_by: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct WireMilestone {
    id: u64,
    title: String,
}

#[derive(Debug, Deserialize)]
struct WireUser {
    id: u64,
    username: String,
}

/// Every state (GitLab's default), and forks included: only our own project's can be ours, but a person wants to
/// know of others.
pub(super) async fn of_branch(
    client: &Client,
    project: &ProjectId,
    source: &Branch,
) -> Result<Vec<MergeRequest>, Failure> {
    let mut endpoint = MergeRequests::builder();
    endpoint.project(project).source_branch(source.0.as_str());
    let found: Vec<Wire> = client.all(&built(endpoint.build())?).await?;
    let mut found: Vec<MergeRequest> = found.into_iter().map(Wire::read).collect::<Result<_, _>>()?;
    found.sort_by_key(|request| std::cmp::Reverse(request.number));
    Ok(found)
}

pub(super) async fn is_approved(client: &Client, project: &ProjectId, number: u64) -> Result<bool, Failure> {
    let endpoint = MergeRequestApprovals::builder().project(project).merge_request(number).build();
    let read: WireApprovals = client.ask(&built(endpoint)?).await?;
    Ok(!read.approved_by.is_empty() && read.approvals_left.unwrap_or(0) == 0)
}

impl GitLab {
    pub(super) async fn create(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError> {
        let action = format!("couldn't open a merge request for branch `{}`", new.source_branch);
        let project = self.writable().await.map_err(self.failed(action.as_str()))?;
        let assignees = self.users(&new.settings.assignees, "assignees", &action).await?;
        let reviewers = self.users(&new.settings.reviewers, "reviewers", &action).await?;
        let milestone = self.milestone(new.settings.milestone.as_deref(), &action).await?;
        let people = People { assignees, reviewers };
        match open(&self.client, &project, new, &people, milestone).await {
            Err(failure) if failure.says("already exists for this source branch") => {
                self.existing(&project, new, failure, &action).await
            }
            answer => answer.map_err(self.failed(action)),
        }
    }

    /// Somebody was faster, or our own answer was lost. What is open is returned as it is, if it is the project's.
    async fn existing(
        &self,
        project: &ProjectId,
        new: &NewMergeRequest,
        duplicate: Failure,
        action: &str,
    ) -> Result<MergeRequest, ForgeError> {
        let found =
            of_branch(&self.client, project, &new.source_branch).await.map_err(self.failed(action))?;
        let ours = |request: &MergeRequest| {
            request.state == MergeRequestState::Open
                && request.from_this_project
                && request.target_branch == new.target_branch
        };
        found.into_iter().find(ours).ok_or_else(|| self.failed(action)(duplicate))
    }

    /// Drafts are marked in the title on GitLab. A new title keeps what the merge request is.
    pub(super) async fn edit(&self, number: u64, edit: &MergeRequestEdit) -> Result<(), ForgeError> {
        let failed = || self.failed(format!("couldn't edit merge request !{number}"));
        if *edit == MergeRequestEdit::default() {
            return Ok(());
        }
        let project = self.writable().await.map_err(failed())?;
        change(&self.client, &project, number, edit).await.map_err(failed())
    }

    /// The id of a milestone, which is written by title in the settings.
    async fn milestone(&self, title: Option<&str>, action: &str) -> Result<Option<u64>, ForgeError> {
        let Some(title) = title else { return Ok(None) };
        let found = milestone(&self.client, &self.project, title).await.map_err(self.failed(action))?;
        found.map(Some).ok_or_else(|| ForgeError::Refused {
            action: action.to_owned(),
            reason: format!("there is no active milestone `{title}` in the project or its groups"),
            hint: Some("`milestone` of the merge request settings takes its title".to_owned()),
        })
    }

    /// The ids of users, who are written by name in the settings.
    async fn users(&self, names: &[String], setting: &str, action: &str) -> Result<Vec<u64>, ForgeError> {
        let mut ids = Vec::new();
        for name in names {
            let id = user(&self.client, name).await.map_err(self.failed(action))?;
            ids.push(id.ok_or_else(|| ForgeError::Refused {
                action: action.to_owned(),
                reason: format!("{} knows no user `{name}`", self.client.host()),
                hint: Some(format!("`{setting}` of the merge request settings takes user names")),
            })?);
        }
        Ok(ids)
    }
}

/// Users by id.
struct People {
    assignees: Vec<u64>,
    reviewers: Vec<u64>,
}

async fn open(
    client: &Client,
    project: &ProjectId,
    new: &NewMergeRequest,
    People { assignees, reviewers }: &People,
    milestone: Option<u64>,
) -> Result<MergeRequest, Failure> {
    let draft = if new.settings.draft { DRAFT } else { "" };
    let mut endpoint = CreateMergeRequest::builder();
    endpoint
        .project(project)
        .source_branch(new.source_branch.0.as_str())
        .target_branch(new.target_branch.0.as_str())
        .title(format!("{draft}{}", new.title))
        .description(new.description.as_str())
        .remove_source_branch(new.settings.remove_source_branch);
    if let Some(squash) = new.settings.squash {
        endpoint.squash(squash);
    }
    if let Some(milestone) = milestone {
        endpoint.milestone_id(milestone);
    }
    if !new.settings.labels.is_empty() {
        endpoint.labels(new.settings.labels.iter().map(String::as_str));
    }
    if !assignees.is_empty() {
        endpoint.assignees(assignees.iter().copied());
    }
    if !reviewers.is_empty() {
        endpoint.reviewers(reviewers.iter().copied());
    }
    client.ask::<Wire>(&built(endpoint.build())?).await?.read()
}

async fn change(
    client: &Client,
    project: &ProjectId,
    number: u64,
    edit: &MergeRequestEdit,
) -> Result<(), Failure> {
    let mut endpoint = EditMergeRequest::builder();
    endpoint.project(project).merge_request(number);
    if edit.title.is_some() || edit.draft {
        let now = SingleMergeRequest::builder().project(project).merge_request(number).build();
        let now: Wire = client.ask(&built(now)?).await?;
        let draft = if now.is_draft() || edit.draft { DRAFT } else { "" };
        let title = edit.title.as_deref().unwrap_or_else(|| without_draft(&now.title));
        endpoint.title(format!("{draft}{title}"));
    }
    if let Some(description) = &edit.description {
        endpoint.description(description.as_str());
    }
    if let Some(state) = edit.state {
        endpoint.state_event(match state {
            StateChange::Close => MergeRequestStateEvent::Close,
            StateChange::Reopen => MergeRequestStateEvent::Reopen,
        });
    }
    client.ask::<Wire>(&built(endpoint.build())?).await.map(drop)
}

async fn milestone(client: &Client, project: &ProjectId, title: &str) -> Result<Option<u64>, Failure> {
    let found: Vec<WireMilestone> = client.all(&Milestones { project, title }).await?;
    Ok(found.into_iter().find(|milestone| milestone.title == title).map(|milestone| milestone.id))
}

/// `GET /projects/:id/milestones`, which the crate lacks.
struct Milestones<'a> {
    project: &'a ProjectId,
    title: &'a str,
}

impl Endpoint for Milestones<'_> {
    fn method(&self) -> http::Method {
        http::Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("projects/{}/milestones", NameOrId::from(self.project)).into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.push("title", self.title).push("state", "active").push("include_ancestors", true);
        parameters
    }
}

async fn user(client: &Client, name: &str) -> Result<Option<u64>, Failure> {
    let found: Vec<WireUser> = client.ask(&built(Users::builder().username(name).build())?).await?;
    Ok(found.into_iter().find(|user| user.username.eq_ignore_ascii_case(name)).map(|user| user.id))
}

impl Wire {
    fn read(self) -> Result<MergeRequest, Failure> {
        let state = match self.state.as_str() {
            // Locked means that GitLab is about to merge it.
            "opened" | "locked" => MergeRequestState::Open,
            "closed" => MergeRequestState::Closed,
            "merged" => MergeRequestState::Merged,
            other => {
                let reason = format!("merge request !{} is in the unknown state `{other}`", self.iid);
                return Err(Failure::Malformed(reason));
            }
        };
        let (draft, mergeability) = (self.is_draft(), self.mergeability(state));
        let title = if draft { without_draft(&self.title).to_owned() } else { self.title };
        Ok(MergeRequest {
            number: self.iid,
            url: self.web_url,
            state,
            title,
            description: self.description.unwrap_or_default(),
            source_branch: Branch(self.source_branch),
            target_branch: Branch(self.target_branch),
            from_this_project: self.source_project_id == Some(self.target_project_id),
            head: self.sha.map(CommitId),
            mergeability,
            labels: self.labels,
            draft,
            auto_merge: self.merge_when_pipeline_succeeds,
        })
    }

    fn is_draft(&self) -> bool {
        self.draft.unwrap_or_else(|| without_draft(&self.title).len() < self.title.len())
    }

    /// `has_conflicts` means nothing until GitLab has looked. A status that we do not know says nothing either.
    fn mergeability(&self, state: MergeRequestState) -> Mergeability {
        let detailed = self.detailed_merge_status.as_deref();
        if state != MergeRequestState::Open || detailed.is_some_and(|status| NOT_LOOKED_YET.contains(&status))
        {
            return Mergeability::Unknown;
        }
        if detailed == Some("conflict") || self.has_conflicts == Some(true) {
            return Mergeability::Conflict;
        }
        let checked = self.merge_status.as_deref() == Some("can_be_merged");
        if checked || detailed == Some("mergeable") { Mergeability::Clean } else { Mergeability::Unknown }
    }
}

/// The title without the prefixes that GitLab understands as "draft".
fn without_draft(title: &str) -> &str {
    let mut rest = title;
    loop {
        let start = rest.trim_start();
        let stripped = ["draft:", "[draft]", "(draft)"].iter().find_map(|prefix| {
            let head = start.get(..prefix.len())?;
            head.eq_ignore_ascii_case(prefix).then(|| start[prefix.len()..].trim_start())
        });
        match stripped {
            Some(shorter) => rest = shorter,
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_prefix_is_no_part_of_the_title() {
        for (written, title) in [
            ("Draft: Update images", "Update images"),
            ("draft:[Draft] (DRAFT) Update images", "Update images"),
            ("Drafting a plan", "Drafting a plan"),
            ("é", "é"),
        ] {
            assert_eq!(without_draft(written), title);
        }
    }

    #[test]
    fn mergeability_is_believed_only_where_gitlab_has_looked() {
        let of = |detailed: Option<&str>, merge: Option<&str>, conflicts: Option<bool>| {
            let text = serde_json::json!({
                "iid": 1, "web_url": "", "state": "opened", "title": "", "description": null,
                "source_branch": "", "target_branch": "", "source_project_id": null, "target_project_id": 1,
                "sha": null, "detailed_merge_status": detailed, "merge_status": merge,
                "has_conflicts": conflicts,
            });
            let wire: Wire = serde_json::from_value(text).unwrap();
            wire.mergeability(MergeRequestState::Open)
        };
        for (detailed, merge, conflicts, expected) in [
            (Some("mergeable"), None, Some(false), Mergeability::Clean),
            (Some("not_approved"), Some("can_be_merged"), Some(false), Mergeability::Clean),
            (Some("conflict"), Some("cannot_be_merged"), Some(true), Mergeability::Conflict),
            (Some("checking"), Some("cannot_be_merged"), Some(true), Mergeability::Unknown),
            (Some("unchecked"), Some("can_be_merged"), Some(false), Mergeability::Unknown),
            (Some("a_word_of_2030"), Some("unchecked"), Some(false), Mergeability::Unknown),
            (None, Some("can_be_merged"), Some(false), Mergeability::Clean),
            (None, None, None, Mergeability::Unknown),
        ] {
            assert_eq!(of(detailed, merge, conflicts), expected, "{detailed:?} {merge:?} {conflicts:?}");
        }
    }
}
