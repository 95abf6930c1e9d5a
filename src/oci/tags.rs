//! `tags/list` of one repository.

use http::StatusCode;
use serde::Deserialize;

use super::allowance::Allowed;
use super::client::Client;
use super::paging::{self, Items, Page};
use super::session::AccessScope;
use crate::http::Request;
use crate::registry::{RegistryError, Repository};

/// A page of tags; some registries write `null` for none.
#[derive(Deserialize)]
#[serde(expecting = "an object with its tags")]
struct TagPage {
    /// Named, so that serde misses it where it is missing: an answer about something else is no empty list.
    tags: Items,
}

impl Page for TagPage {
    const OF: Allowed = Allowed::Tags;

    fn into_items(self) -> Items {
        self.tags
    }
}

/// The tags of a repository; `None` where the registry lets us in and has no such repository. The first page is asked for without `n`: most registries then give everything, and
/// ECR refuses an `n` above its own.
pub(super) async fn list(
    client: &Client,
    repository: &Repository,
) -> Result<Option<Vec<String>>, RegistryError> {
    let url = client.endpoint(repository, "tags/list")?;
    let scope = AccessScope::Pull(repository.path.clone());
    let first = client.send(&scope, Request::get(url.clone())).await?;
    if first.status == StatusCode::NOT_FOUND {
        client.confirm_absence(&first).await?;
        return Ok(None);
    }
    paging::all::<TagPage>(client, &scope, url, &first).await.map(Some)
}
