//! Blobs, from their beginning or where a download goes on.
//!
//! Every request goes to the registry itself: the URL that it redirects to is signed for a while only (RFC 9110, section 14
//! for ranges; distribution-spec, "Pulling blobs").

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;

use super::answer::{not_understood, unanswered, unexpected};
use super::client::Client;
use super::session::AccessScope;
use crate::blob::{BlobBody, OpenBlob, ResumePoint};
use crate::http::{OpenAnswer, Request, UnreadBody, redacted};
use crate::registry::{RegistryError, Repository};
use crate::release::Digest;

/// Opens a blob; `None` where the download cannot go on.
pub(super) async fn open(
    client: Arc<Client>,
    repository: &Repository,
    digest: &Digest,
    resume: Option<&ResumePoint>,
) -> Result<Option<OpenBlob>, RegistryError> {
    let url = client.endpoint(repository, &format!("blobs/{digest}"))?;
    let mut request = Request::get(url).streamed();
    if let Some(resume) = resume {
        let part = request.part(resume.from, resume.validator.as_deref());
        request = part.map_err(|error| RegistryError::NotUnderstood {
            subject: resume.validator.clone().unwrap_or_default(),
            reason: error.to_string(),
        })?;
    }
    let OpenAnswer { response, body } =
        client.open(&AccessScope::Pull(repository.path.clone()), request).await?;
    client.confirm_speaker(&response)?;
    let validator = response.strong_tag().map(str::to_owned);
    let is_there = match response.is_part(resume.map(ResumePoint::part)) {
        Some(is_there) => is_there,
        None if response.status == StatusCode::NOT_FOUND => {
            client.confirm_absence(&response).await?;
            return Err(not_understood(&response, "the manifest names it, and it does not exist".to_owned()));
        }
        None => return Err(unexpected(&response)),
    };
    let subject = redacted(&response.url);
    let body = body.filter(|_| is_there).map(|body| Body { body, subject, client });
    Ok(body.map(|body| OpenBlob { validator, body: Box::new(body) }))
}

struct Body {
    body: UnreadBody,
    subject: String,
    client: Arc<Client>,
}

#[async_trait]
impl BlobBody for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let failed = |error| self.client.masked(unanswered(error, self.subject.clone()));
        self.body.next().await.map_err(failed)
    }
}
