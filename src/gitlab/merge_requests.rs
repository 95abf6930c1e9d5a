//! Merge requests of a source branch.

use gitlab::api::projects::merge_requests::approvals::MergeRequestApprovals;
use gitlab::api::projects::merge_requests::{
    MergeRequest as SingleMergeRequest, MergeRequestState as OfState, MergeRequests,
};
use http::Method;
use serde::{Deserialize, Serialize};

use super::GitLab;
use super::client::{Client, built};
use super::error::Failure;
use super::project::ProjectId;
use super::settings::SettingIds;
use crate::forge::{
    Branch, CommitId, ForgeError, MergeRequest, MergeRequestEdit, MergeRequestState, Mergeability,
    NewMergeRequest, StateChange, TitleLimit,
};

/// The prefix that makes a merge request a draft (13.2 and newer).
const DRAFT: &str = "Draft: ";

/// GitLab takes titles of 255 characters (`Issuable::TITLE_LENGTH_MAX`), and counts the prefix.
pub(super) const TITLE_LIMIT: TitleLimit = TitleLimit(255 - DRAFT.len());

/// Values of `detailed_merge_status` and of `merge_status` while GitLab has not looked at the branches as they are now.
const NOT_CHECKED: [&str; 5] =
    ["unchecked", "checking", "preparing", "approvals_syncing", "cannot_be_merged_recheck"];

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

/// Every state (GitLab's default), and forks included: only our own project's can be ours, but a person wants to
/// know of others. GitLab remembers whether there are conflicts, forgets it after a push, and looks again only when it
/// is asked to, as here; the answer is in a later list.
pub(super) async fn of_branch(
    client: &Client,
    project: &ProjectId,
    source: &Branch,
) -> Result<Vec<MergeRequest>, Failure> {
    let mut endpoint = MergeRequests::builder();
    endpoint.project(project).source_branch(source.0.as_str()).with_merge_status_recheck(true);
    let found: Vec<Wire> = client.all(&built(endpoint.build())?).await?;
    let mut found: Vec<MergeRequest> = found.into_iter().map(Wire::read).collect::<Result<_, _>>()?;
    found.sort_by_key(|request| std::cmp::Reverse(request.number));
    Ok(found)
}

pub(super) async fn single(
    client: &Client,
    project: &ProjectId,
    number: u64,
) -> Result<MergeRequest, Failure> {
    let endpoint = SingleMergeRequest::builder().project(project).merge_request(number).build();
    client.ask::<Wire>(&built(endpoint)?).await?.read()
}

/// Without a check for conflicts, which would be one of every merge request of the branch.
pub(super) async fn open_into(
    client: &Client,
    project: &ProjectId,
    target: &Branch,
) -> Result<Vec<MergeRequest>, Failure> {
    let mut endpoint = MergeRequests::builder();
    endpoint.project(project).state(OfState::Opened).target_branch(target.0.as_str());
    let found: Vec<Wire> = client.all(&built(endpoint.build())?).await?;
    found.into_iter().map(Wire::read).collect()
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
        let ids = self.ids(&new.settings, &action).await?;
        match open(&self.client, &project, new, ids).await {
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
}

/// `POST /projects/:id/merge_requests`
#[derive(Serialize)]
struct NewBody<'a> {
    source_branch: &'a str,
    target_branch: &'a str,
    title: String,
    description: &'a str,
    remove_source_branch: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    squash: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone_id: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    labels: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignee_ids: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviewer_ids: Vec<u64>,
}

/// `PUT /projects/:id/merge_requests/:iid`
#[derive(Default, Serialize)]
struct EditBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_event: Option<&'static str>,
}

async fn open(
    client: &Client,
    project: &ProjectId,
    new: &NewMergeRequest,
    ids: SettingIds,
) -> Result<MergeRequest, Failure> {
    let body = NewBody {
        source_branch: &new.source_branch.0,
        target_branch: &new.target_branch.0,
        title: titled(new.settings.draft, &new.title),
        description: &new.description,
        remove_source_branch: new.settings.remove_source_branch,
        squash: new.settings.squash,
        milestone_id: ids.milestone,
        labels: new.settings.labels.join(","),
        assignee_ids: ids.assignees,
        reviewer_ids: ids.reviewers,
    };
    let path = format!("{}/merge_requests", project.route());
    client.made::<Wire>(Method::POST, &path, &body).await?.read()
}

/// A title with the prefix that says what it is. Of one that a person wrote, the prefix may leave no room for the end.
fn titled(draft: bool, title: &str) -> String {
    if draft { format!("{DRAFT}{}", TITLE_LIMIT.cut(title)) } else { title.to_owned() }
}

async fn change(
    client: &Client,
    project: &ProjectId,
    number: u64,
    edit: &MergeRequestEdit,
) -> Result<(), Failure> {
    let mut body = EditBody::default();
    if edit.title.is_some() || edit.draft {
        let now = SingleMergeRequest::builder().project(project).merge_request(number).build();
        let now: Wire = client.ask(&built(now)?).await?;
        let title = edit.title.as_deref().unwrap_or_else(|| without_draft(&now.title));
        body.title = Some(titled(now.is_draft() || edit.draft, title));
    }
    body.description = edit.description.as_deref();
    body.state_event = edit.state.map(|state| match state {
        StateChange::Close => "close",
        StateChange::Reopen => "reopen",
    });
    let path = format!("{}/merge_requests/{number}", project.route());
    client.made::<Wire>(Method::PUT, &path, &body).await.map(drop)
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
        let blocked_by = self.blocked_by(state);
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
            blocked_by,
            labels: self.labels,
            draft,
            auto_merge: self.merge_when_pipeline_succeeds,
        })
    }

    fn is_draft(&self) -> bool {
        self.draft.unwrap_or_else(|| without_draft(&self.title).len() < self.title.len())
    }

    /// `has_conflicts` means nothing until GitLab has looked. A status that we do not know is no conflict.
    fn mergeability(&self, state: MergeRequestState) -> Mergeability {
        let statuses = [self.detailed_merge_status.as_deref(), self.merge_status.as_deref()];
        let says = |words: &[&str]| statuses.into_iter().flatten().any(|status| words.contains(&status));
        if state != MergeRequestState::Open || says(&NOT_CHECKED) {
            return Mergeability::Unknown;
        }
        match says(&["conflict", "cannot_be_merged"]) || self.has_conflicts == Some(true) {
            true => Mergeability::Conflict,
            false => Mergeability::Clean,
        }
    }

    /// What keeps GitLab from merging it, in GitLab's word: `not_approved`, `discussions_not_resolved`.
    fn blocked_by(&self, state: MergeRequestState) -> Option<String> {
        let status = self.detailed_merge_status.as_deref().filter(|_| state == MergeRequestState::Open)?;
        let is_free = status == "mergeable" || NOT_CHECKED.contains(&status);
        (!is_free).then(|| status.replace('_', " "))
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
            (Some("not_approved"), Some("cannot_be_merged"), Some(true), Mergeability::Conflict),
            (None, Some("cannot_be_merged"), None, Mergeability::Conflict),
            (Some("checking"), Some("cannot_be_merged"), Some(true), Mergeability::Unknown),
            (Some("unchecked"), Some("can_be_merged"), Some(false), Mergeability::Unknown),
            (Some("approvals_syncing"), Some("can_be_merged"), Some(false), Mergeability::Unknown),
            (None, Some("cannot_be_merged_recheck"), Some(false), Mergeability::Unknown),
            (Some("a_word_of_2030"), Some("unchecked"), Some(false), Mergeability::Unknown),
            (Some("a_word_of_2030"), Some("can_be_merged"), Some(false), Mergeability::Clean),
            (Some("a_word_of_2030"), None, None, Mergeability::Clean),
            (None, Some("can_be_merged"), Some(false), Mergeability::Clean),
            (None, None, None, Mergeability::Clean),
        ] {
            assert_eq!(of(detailed, merge, conflicts), expected, "{detailed:?} {merge:?} {conflicts:?}");
        }
    }
}
