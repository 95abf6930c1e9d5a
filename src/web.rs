//! Adapter: files of web servers, from their beginning or where a download goes on.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::blob::{BlobBody, BlobSource, OpenBlob, ResumePoint};
use crate::ending::Ends as _;
use crate::http::{OpenAnswer, Request, Response, Transport, TransportError, UnreadBody, redacted};
use crate::registry::RegistryError;

/// A file of a web server.
pub struct WebFile {
    transport: Transport,
    url: Url,
    /// The hosts that redirects may lead to.
    hosts: Arc<[String]>,
}

impl WebFile {
    /// The file at a URL, of which only these hosts are asked.
    pub fn new(transport: Transport, url: Url, hosts: Arc<[String]>) -> Self {
        Self { transport, url, hosts }
    }
}

#[async_trait]
impl BlobSource for WebFile {
    async fn open(&self, resume: Option<&ResumePoint>) -> Result<Option<OpenBlob>, RegistryError> {
        let mut request = Request::get(self.url.clone()).streamed().redirects_to(Arc::clone(&self.hosts));
        if let Some(resume) = resume {
            // Without a name of the content, what follows may be that of another one.
            let Some(validator) = resume.validator.as_deref() else { return Ok(None) };
            request = request.part(resume.from, Some(validator)).map_err(|error| {
                RegistryError::NotUnderstood { subject: validator.to_owned(), reason: error.to_string() }
            })?;
        }
        let subject = redacted(&self.url);
        let opened = self.transport.open(request).await;
        let OpenAnswer { response, body } = opened.map_err(|error| unanswered(error, subject.clone()))?;
        let validator = response.strong_tag().map(str::to_owned);
        let is_there =
            response.is_part(resume.map(ResumePoint::part)).ok_or_else(|| unexpected(&response))?;
        let body = body.filter(|_| is_there).map(|body| Body { body, subject });
        Ok(body.map(|body| OpenBlob { validator, body: Box::new(body) }))
    }
}

struct Body {
    body: UnreadBody,
    subject: String,
}

#[async_trait]
impl BlobBody for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        self.body.next().await.map_err(|error| unanswered(error, self.subject.clone()))
    }
}

fn unanswered(error: TransportError, subject: String) -> RegistryError {
    match &error {
        _ if error.retry_helps() => RegistryError::Unavailable { subject, source: Arc::new(error) },
        _ if error.is_unreachable() => {
            RegistryError::Unusable { reason: error.to_string(), hint: error.hint() }
        }
        _ => RegistryError::NotUnderstood { subject, reason: error.to_string() },
    }
}

fn unexpected(response: &Response) -> RegistryError {
    let subject = redacted(&response.url);
    match response.retry_helps() {
        true => RegistryError::Unavailable { subject, source: Arc::new(response.status_error()) },
        false => RegistryError::NotUnderstood { subject, reason: format!("answered {}", response.status) },
    }
}
