//! Files at a commit.

use gitlab::api::projects::repository::files::FileRaw;

use super::client::{Client, built};
use super::error::Failure;
use super::project::ProjectId;
use crate::forge::CommitId;

/// The bytes of a file. Read at a commit, not on a branch, so that nothing moves between reading and pushing.
pub(super) async fn read(
    client: &Client,
    project: &ProjectId,
    path: &str,
    at: &CommitId,
) -> Result<Option<Vec<u8>>, Failure> {
    let endpoint = FileRaw::builder().project(project).file_path(path).ref_(at.0.as_str()).build();
    match client.bytes(&built(endpoint)?).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(failure) if failure.is_missing("File") => Ok(None),
        Err(failure) => Err(failure),
    }
}
