//! Users and milestones, which the settings name and GitLab takes by number.

use std::borrow::Cow;

use gitlab::api::users::Users;
use gitlab::api::{Endpoint, QueryParams};
use serde::Deserialize;

use super::GitLab;
use super::client::{Client, built};
use super::error::Failure;
use super::project::ProjectId;
use crate::forge::{ForgeError, MergeRequestSettings};

/// The settings of a new merge request, by number.
pub(super) struct SettingIds {
    pub(super) assignees: Vec<u64>,
    pub(super) reviewers: Vec<u64>,
    pub(super) milestone: Option<u64>,
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

impl GitLab {
    /// The numbers of what the settings name; an error where something is not there.
    pub(super) async fn ids(
        &self,
        settings: &MergeRequestSettings,
        action: &str,
    ) -> Result<SettingIds, ForgeError> {
        Ok(SettingIds {
            assignees: self.users(&settings.assignees, "assignees", action).await?,
            reviewers: self.users(&settings.reviewers, "reviewers", action).await?,
            milestone: self.milestone(settings.milestone.as_deref(), action).await?,
        })
    }

    async fn milestone(&self, title: Option<&str>, action: &str) -> Result<Option<u64>, ForgeError> {
        let Some(title) = title else { return Ok(None) };
        // Before 16.7 the parameter had another name, and the two exclude each other (`doc/api/milestones.md`).
        let is_old = self.version().await.map_err(self.failed(action))?.is_some_and(|v| v < (16, 7));
        let of_groups = if is_old { "include_parent_milestones" } else { "include_ancestors" };
        let endpoint = Milestones { project: &self.project, title, of_groups };
        let found: Vec<WireMilestone> = self.client.all(&endpoint).await.map_err(self.failed(action))?;
        let found = found.into_iter().find(|milestone| milestone.title == title);
        found.map(|milestone| Some(milestone.id)).ok_or_else(|| ForgeError::Refused {
            action: action.to_owned(),
            reason: format!("the project and its groups have no active milestone `{title}`"),
            hint: Some("`milestone` of the merge request settings takes its title".to_owned()),
        })
    }

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

/// `GET /projects/:id/milestones`, which the crate lacks.
struct Milestones<'a> {
    project: &'a ProjectId,
    title: &'a str,
    /// The parameter that adds those of the groups above.
    of_groups: &'static str,
}

impl Endpoint for Milestones<'_> {
    fn method(&self) -> http::Method {
        http::Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("{}/milestones", self.project.route()).into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.push("title", self.title).push("state", "active").push(self.of_groups, true);
        parameters
    }
}

async fn user(client: &Client, name: &str) -> Result<Option<u64>, Failure> {
    let found: Vec<WireUser> = client.ask(&built(Users::builder().username(name).build())?).await?;
    Ok(found.into_iter().find(|user| user.username.eq_ignore_ascii_case(name)).map(|user| user.id))
}
