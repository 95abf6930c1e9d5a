//! Opening and editing pull requests.
//!
//! GitHub opens one by a first request, and takes reviewers by a second one, labels, assignees and milestone by a third.
//! What can be wrong with them is looked at before the first. Until the last is done, the marker in the text says that
//! settings are still to come: after a lost answer, or a run that was killed, the next pass sets them.

use http::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::GitHub;
use super::error::Failure;
use super::pull_requests::Wire;
use super::repository::{RepositoryId, encoded};
use crate::forge::{
    ForgeError, MergeRequest, MergeRequestEdit, MergeRequestSettings, MergeRequestState, NewMergeRequest,
    StateChange,
};

#[derive(Deserialize)]
struct WireMilestone {
    number: u64,
    title: String,
}

/// What a pull request has in common with an issue, all of it by one request.
#[derive(Serialize)]
struct Issue<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    assignees: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    milestone: Option<u64>,
    body: &'a str,
}

#[derive(Serialize)]
struct Edit<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

impl GitHub {
    /// `squash` and `remove_source_branch` are the repository's own settings on GitHub and not a pull request's.
    pub(super) async fn create(&self, new: &NewMergeRequest) -> Result<MergeRequest, ForgeError> {
        let action = format!("couldn't open a pull request for branch `{}`", new.source_branch);
        let repository = self.writable().await.map_err(self.failed(action.as_str()))?;
        self.know_all(&new.settings, &action).await?;
        let opened = match self.open(&repository, new, new.settings.draft).await {
            Err(failure) if new.settings.draft && has_no_drafts(&failure) => {
                self.open(&repository, new, false).await
            }
            opened => opened,
        };
        let opened = match opened {
            Err(failure) if failure.says("a pull request already exists") => {
                return self.existing(new, failure, &action).await;
            }
            opened => opened.map_err(self.failed(action.as_str()))?,
        };
        if new.settings.has_people_or_labels() {
            self.complete(&repository, &opened, &new.settings, &new.description).await?;
        }
        let opened = opened.read().map_err(self.failed(action))?;
        Ok(MergeRequest { labels: new.settings.labels.clone(), ..opened })
    }

    /// Whether people and milestone are there.
    pub(super) async fn know_all(
        &self,
        settings: &MergeRequestSettings,
        action: &str,
    ) -> Result<(), ForgeError> {
        let repository = self.writable().await.map_err(self.failed(action))?;
        self.know(&repository, &settings.assignees, "assignees", action).await?;
        self.know(&repository, &settings.reviewers, "reviewers", action).await?;
        self.milestone(&repository, settings.milestone.as_deref(), action).await.map(drop)
    }

    async fn open(
        &self,
        repository: &RepositoryId,
        new: &NewMergeRequest,
        draft: bool,
    ) -> Result<Wire, Failure> {
        let body = json!({
            "title": new.title,
            "body": new.unset_description,
            "head": new.source_branch.0,
            "base": new.target_branch.0,
            "draft": draft,
        });
        self.client.write(Method::POST, &format!("{}/pulls", repository.route()), &body).await
    }

    /// Somebody was faster, or our own answer was lost. What is open is returned as it is, if it is the project's.
    async fn existing(
        &self,
        new: &NewMergeRequest,
        duplicate: Failure,
        action: &str,
    ) -> Result<MergeRequest, ForgeError> {
        let found = self.of_branch(&new.source_branch).await.map_err(self.failed(action))?;
        let ours = |request: &MergeRequest| {
            request.state == MergeRequestState::Open
                && request.from_this_project
                && request.target_branch == new.target_branch
        };
        found.into_iter().find(ours).ok_or_else(|| self.failed(action)(duplicate))
    }

    /// What follows the first request, last the text that says that nothing is missing. Each of them sets a state, so one
    /// that got no answer is sent once more.
    async fn complete(
        &self,
        repository: &RepositoryId,
        opened: &Wire,
        settings: &MergeRequestSettings,
        body: &str,
    ) -> Result<(), ForgeError> {
        let number = opened.number;
        let action = format!("couldn't set labels, assignees and milestone of pull request #{number}");
        let asked = self.ask_for_reviews(repository, opened, &settings.reviewers).await;
        if let Err(ForgeError::Unavailable { .. } | ForgeError::Postponed { .. }) = asked {
            return asked;
        }
        let milestone = self.milestone(repository, settings.milestone.as_deref(), &action).await?;
        let route = format!("{}/issues/{number}", repository.route());
        let MergeRequestSettings { labels, assignees, .. } = settings;
        let set = self.set(Method::PATCH, &route, &Issue { labels, assignees, milestone, body }).await;
        set.map_err(self.failed(action))?;
        // Who cannot be asked for a review is told once, and does not keep the rest from being set.
        asked
    }

    /// What was still to come when the answer to opening it was lost.
    pub(super) async fn catch_up(
        &self,
        number: u64,
        settings: &MergeRequestSettings,
        body: &str,
    ) -> Result<(), ForgeError> {
        let failed = || self.failed(format!("couldn't read pull request #{number}"));
        let repository = self.writable().await.map_err(failed())?;
        let opened = self.single(number).await.map_err(failed())?;
        self.complete(&repository, &opened, settings, body).await
    }

    async fn ask_for_reviews(
        &self,
        repository: &RepositoryId,
        opened: &Wire,
        reviewers: &[String],
    ) -> Result<(), ForgeError> {
        let number = opened.number;
        let action = format!("couldn't ask for reviews of pull request #{number}");
        let author = opened.user.as_ref().map_or("", |user| user.login.as_str());
        let (own, others): (Vec<_>, Vec<_>) =
            reviewers.iter().partition(|name| name.eq_ignore_ascii_case(author));
        if !others.is_empty() {
            let route = format!("{}/pulls/{number}/requested_reviewers", repository.route());
            let set = self.set(Method::POST, &route, &json!({"reviewers": others})).await;
            set.map_err(|failure| self.no_reviewer(failure, action.clone()))?;
        }
        own.first().map_or(Ok(()), |name| {
            let reason = format!("`{name}` opened it and can't review it");
            Err(ForgeError::Refused { action, reason, hint: Some(REVIEWERS.to_owned()) })
        })
    }

    async fn set(
        &self,
        method: Method,
        route: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        match self.client.done(method.clone(), route, body).await {
            Err(failure) if failure.is_passing() => self.client.done(method, route, body).await,
            answer => answer,
        }
    }

    fn no_reviewer(&self, failure: Failure, action: String) -> ForgeError {
        match self.failed(action)(failure) {
            ForgeError::Rejected { action, reason } => {
                ForgeError::Refused { action, reason, hint: Some(REVIEWERS.to_owned()) }
            }
            other => other,
        }
    }

    /// Refuses people who cannot be assigned: GitHub would leave them out without a word.
    async fn know(
        &self,
        repository: &RepositoryId,
        names: &[String],
        setting: &str,
        action: &str,
    ) -> Result<(), ForgeError> {
        for name in names {
            let route = format!("{}/assignees/{}", repository.route(), encoded(name));
            match self.client.get_as(&route, None).await {
                Ok(_) => {}
                Err(failure) if failure.status() == Some(404) => {
                    return Err(ForgeError::Refused {
                        action: action.to_owned(),
                        reason: format!("`{name}` is not a collaborator of {repository}"),
                        hint: Some(format!("`{setting}` of the merge request settings takes user names")),
                    });
                }
                Err(failure) => return Err(self.failed(action)(failure)),
            }
        }
        Ok(())
    }

    /// The number of a milestone, which is written by title in the settings.
    async fn milestone(
        &self,
        repository: &RepositoryId,
        title: Option<&str>,
        action: &str,
    ) -> Result<Option<u64>, ForgeError> {
        let Some(title) = title else { return Ok(None) };
        let route = format!("{}/milestones?state=open", repository.route());
        let found = self.client.all::<WireMilestone>(&route).await.map_err(self.failed(action))?;
        let milestone = found.entries.into_iter().find(|milestone| milestone.title == title);
        milestone.map(|milestone| Some(milestone.number)).ok_or_else(|| ForgeError::Refused {
            action: action.to_owned(),
            reason: format!("{repository} has no open milestone `{title}`"),
            hint: Some("`milestone` of the merge request settings takes its title".to_owned()),
        })
    }

    /// A draft stays one, because it is no part of the title here. GitHub does not open a pull request again whose
    /// branch was forced or made anew since it was closed: that is rejected.
    ///
    /// Gives whether it became a draft where that was asked for.
    pub(super) async fn edit(&self, number: u64, edit: &MergeRequestEdit) -> Result<bool, Failure> {
        let is_draft = match edit.draft {
            true => self.make_draft(number).await?,
            false => true,
        };
        if matches!(edit, MergeRequestEdit { title: None, description: None, state: None, .. }) {
            return Ok(is_draft);
        }
        let state = edit.state.map(|state| match state {
            StateChange::Close => "closed",
            StateChange::Reopen => "open",
        });
        let route = format!("{}/pulls/{number}", self.writable().await?.route());
        let change = Edit { title: edit.title.as_deref(), body: edit.description.as_deref(), state };
        self.client.write::<IgnoredAny>(Method::PATCH, &route, &change).await.map(|_| is_draft)
    }
}

impl GitHub {
    /// Only GraphQL can turn an open pull request into a draft; `false` where the repository has none.
    async fn make_draft(&self, number: u64) -> Result<bool, Failure> {
        let request = self.single(number).await?;
        if request.draft {
            return Ok(true);
        }
        match self.client.mutate(TO_DRAFT, json!({"input": {"pullRequestId": request.node_id}})).await {
            Err(failure) if has_no_drafts(&failure) => Ok(false),
            answer => answer.map(|()| true),
        }
    }
}

/// Private repositories of GitHub Free have none; a normal pull request is better than none.
fn has_no_drafts(failure: &Failure) -> bool {
    failure.says("draft pull requests are not supported")
}

const TO_DRAFT: &str = "mutation($input: ConvertPullRequestToDraftInput!) { \
                        convertPullRequestToDraft(input: $input) { clientMutationId } }";

/// Who can be asked for a review.
const REVIEWERS: &str = "`reviewers` of the merge request settings takes collaborators of the repository, but not the account that opens it";
