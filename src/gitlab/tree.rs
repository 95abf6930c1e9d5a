//! The paths of all files at a commit.

use std::borrow::Cow;

use gitlab::api::common::NameOrId;
use gitlab::api::endpoint_prelude::{Endpoint, Method, QueryParams};
use serde::Deserialize;

use super::client::Client;
use super::error::Failure;
use super::project::ProjectId;
use crate::forge::CommitId;
use crate::forge_api::{MAX_PAGES, PER_PAGE};

/// `GET /projects/:id/repository/tree`. The crate's own endpoint sends its parameters in a body, which GitLab does not
/// read in a GET.
struct Tree<'a> {
    project: &'a ProjectId,
    at: &'a CommitId,
    /// `None` for pages that lead to the next one by a link.
    page: Option<usize>,
}

/// One entry: a file, a folder, a link or a submodule.
#[derive(Debug, Deserialize)]
struct WireEntry {
    path: String,
    /// `100644` and `100755` are files.
    mode: String,
}

impl Endpoint for Tree<'_> {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("projects/{}/repository/tree", NameOrId::from(self.project)).into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        parameters.push("ref", self.at.0.as_str()).push("recursive", true).push("per_page", PER_PAGE as u64);
        match self.page {
            Some(page) => parameters.push("page", page as u64),
            None => parameters.push("pagination", "keyset"),
        };
        parameters
    }
}

/// The paths of all files. GitLab gives no total here, so that a full page without a link may be the last one, or one
/// whose link a proxy dropped: then the next page is asked for by its number, and must be empty.
pub(super) async fn paths(
    client: &Client,
    project: &ProjectId,
    at: &CommitId,
) -> Result<Vec<String>, Failure> {
    let mut entries: Vec<WireEntry> = Vec::new();
    let mut query: Option<String> = None;
    for page in 1..=MAX_PAGES {
        let tree = Tree { project, at, page: None };
        let (read, next) = client.page::<WireEntry>(&tree, query.as_deref()).await?;
        let full = read.len() >= PER_PAGE;
        entries.extend(read);
        match next {
            Some(next) if query.as_ref() != Some(&next) => query = Some(next),
            Some(_) => break,
            None if full => {
                let tree = Tree { project, at, page: Some(page + 1) };
                let (beyond, _) = client.page::<WireEntry>(&tree, None).await?;
                return if beyond.is_empty() { Ok(files(entries)) } else { Err(cut()) };
            }
            None => return Ok(files(entries)),
        }
    }
    Err(cut())
}

fn files(entries: Vec<WireEntry>) -> Vec<String> {
    entries.into_iter().filter(|entry| entry.mode.starts_with("100")).map(|entry| entry.path).collect()
}

fn cut() -> Failure {
    Failure::Malformed("the list of files was cut: a page does not lead to the next".to_owned())
}
