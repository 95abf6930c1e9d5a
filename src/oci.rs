//! Adapter: an OCI registry over HTTP (distribution-spec 1.1, and distribution's token authentication).
//!
//! Serves the port [`crate::registry`], and [`crate::catalogue`] where the registry lists its repositories. Requests
//! are our own; `oci-distribution` gives the manifest types. No other room knows what a registry's answer looks
//! like.
#![expect(clippy::disallowed_methods, reason = "tokens expire, and credentials stand in docker's files")]

mod allowance;
mod annotations;
mod answer;
mod blob;
mod catalog;
mod challenge;
mod client;
pub mod credentials;
mod docker_config;
mod keychain;
#[doc(hidden)]
pub mod fuzz;
mod index;
mod manifest;
mod paging;
mod refusal;
mod session;
mod signatures;
mod tags;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;
use url::Url;

use crate::blob::{Blobs, OpenBlob, ResumePoint};
use crate::http::Transport;
use crate::registry::{Manifest, Registry, RegistryError, Repository};
use crate::release::{Digest, Tag};
use crate::signature::{Evidence, Layout};
use answer::is_about_the_host;
use client::Client;
use index::Platform;
use manifest::Tagged;
use session::AccessScope;

pub use catalog::OciCatalog;
pub use client::origin;
pub use credentials::Credentials;

/// One registry host with one set of credentials. Clones share tokens and what was learnt about the registry.
#[derive(Debug, Clone)]
pub struct OciRegistry(Arc<Client>);

impl OciRegistry {
    /// The registry at `host` (with the port if there is one), over TLS unless `plain_http`.
    ///
    /// # Errors
    /// [`RegistryError::Unusable`] if `host` cannot be one, or the credentials belong to another one.
    pub fn new(
        transport: Transport,
        host: &str,
        plain_http: bool,
        credentials: Credentials,
    ) -> Result<Self, RegistryError> {
        Client::new(transport, host, plain_http, credentials).map(|client| Self(Arc::new(client)))
    }

    /// Where the registry sends its clients for tokens; `None` if it wants no tokens. One request, unless the
    /// registry has said so before. A GitLab registry names its GitLab by this.
    pub async fn token_realm(&self) -> Result<Option<Url>, RegistryError> {
        if self.0.session.realm().is_none() {
            self.0.probe().await.map_err(|error| self.0.masked(error))?;
        }
        Ok(self.0.session.realm())
    }

    fn client(&self) -> &Client {
        &self.0
    }

    /// The image at a tag, where several may stand there.
    async fn chosen(
        &self,
        repository: &Repository,
        answer: Result<Tagged, RegistryError>,
        around: &BTreeSet<Platform>,
    ) -> Result<Option<Manifest>, RegistryError> {
        match answer? {
            Tagged::Nothing => Ok(None),
            Tagged::Image(manifest, _) => Ok(Some(manifest)),
            Tagged::Several(index) => {
                let manifest = manifest::of_platform(&self.0, repository, *index, around).await;
                manifest.map(Some).map_err(|error| self.0.masked(error))
            }
        }
    }

    /// Asks about each repository; an answer that is an error repeats no secret.
    async fn each<Q, T, F>(
        &self,
        questions: &[Q],
        repository: impl Fn(&Q) -> &Repository,
        ask: impl Fn(Arc<Client>, Q) -> F,
    ) -> Vec<Result<T, RegistryError>>
    where
        Q: Clone,
        F: Future<Output = Result<T, RegistryError>>,
    {
        let answers = self.unmasked(questions, repository, ask).await;
        answers.into_iter().map(|answer| answer.map_err(|error| self.0.masked(error))).collect()
    }

    /// Asks about each repository. Until the registry has let us in, the first one is asked about alone, so that refused
    /// credentials, and a host that cannot be reached, are found out once. Where only that repository is refused, as
    /// many others are asked about as go side by side; if all of them are refused, the rest would be, too.
    async fn unmasked<Q, T, F>(
        &self,
        questions: &[Q],
        repository: impl Fn(&Q) -> &Repository,
        ask: impl Fn(Arc<Client>, Q) -> F,
    ) -> Vec<Result<T, RegistryError>>
    where
        Q: Clone,
        F: Future<Output = Result<T, RegistryError>>,
    {
        let mut answers = Vec::with_capacity(questions.len());
        for sample in [1, self.0.width()] {
            if self.0.was_let_in() || !answers.iter().all(is_denied) {
                break;
            }
            let asked = questions[answers.len()..].iter().take(sample);
            answers.extend(self.side_by_side(asked, &repository, &ask).await);
            let mut errors = answers.iter().filter_map(|answer| answer.as_ref().err());
            if let Some(error) = errors.find(|error| is_about_the_host(error) || self.0.is_no_registry()) {
                return questions.iter().map(|_| Err(error.clone())).collect();
            }
        }
        let rest = &questions[answers.len()..];
        match answers.last() {
            Some(Err(RegistryError::Denied { status, .. }))
                if !self.0.was_let_in() && answers.iter().all(is_denied) =>
            {
                let scope = |question| AccessScope::Pull(repository(question).path.clone());
                let denied = |question| self.0.denied(&scope(question), status.clone());
                let denied: Vec<_> = rest.iter().map(|question| Err(denied(question))).collect();
                answers.extend(denied);
            }
            _ => answers.extend(self.side_by_side(rest.iter(), &repository, &ask).await),
        }
        answers
    }

    /// Asks about each repository, as many at once as one host may be asked.
    async fn side_by_side<'q, Q, T, F>(
        &self,
        questions: impl Iterator<Item = &'q Q> + Clone,
        repository: impl Fn(&Q) -> &Repository,
        ask: impl Fn(Arc<Client>, Q) -> F,
    ) -> Vec<Result<T, RegistryError>>
    where
        Q: Clone + 'q,
        F: Future<Output = Result<T, RegistryError>>,
    {
        self.0.session.expect(questions.clone().map(|question| repository(question).path.as_str()));
        // Unordered, because one slow answer must not hold up the window; numbered, because order is promised.
        let numbered = questions.cloned().enumerate().map(|(number, question)| {
            let answer = ask(Arc::clone(&self.0), question);
            async move { (number, answer.await) }
        });
        let mut numbered: Vec<_> = stream::iter(numbered).buffer_unordered(self.0.width()).collect().await;
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, answer)| answer).collect()
    }
}

fn is_denied<T>(answer: &Result<T, RegistryError>) -> bool {
    matches!(answer, Err(RegistryError::Denied { .. }))
}

/// A repository is asked about as it is.
fn itself(repository: &Repository) -> &Repository {
    repository
}

#[async_trait]
impl Registry for OciRegistry {
    async fn tags(&self, repositories: &[Repository]) -> Vec<Result<Option<Vec<String>>, RegistryError>> {
        self.each(
            repositories,
            itself,
            |client, repository| async move { tags::list(&client, &repository).await },
        )
        .await
    }

    async fn exists(&self, repositories: &[Repository], tag: &Tag) -> Vec<Result<bool, RegistryError>> {
        let ask = |client: Arc<Client>, repository| async move {
            manifest::exists(&client, &repository, tag).await
        };
        self.each(repositories, itself, ask).await
    }

    async fn manifests(
        &self,
        repositories: &[Repository],
        tag: &Tag,
    ) -> Vec<Result<Option<Manifest>, RegistryError>> {
        let ask =
            |client: Arc<Client>, repository| async move { manifest::read(&client, &repository, tag).await };
        let answers = self.each(repositories, itself, ask).await;
        let platform = |answer: &Result<Tagged, _>| match answer {
            Ok(Tagged::Image(_, platform)) => platform.clone(),
            _ => None,
        };
        let around = answers.iter().filter_map(platform).collect();
        let chosen = repositories
            .iter()
            .zip(answers)
            .map(|(repository, answer)| self.chosen(repository, answer, &around));
        futures::future::join_all(chosen).await
    }

    async fn signatures(
        &self,
        images: &[(Repository, Digest)],
        layout: Layout,
    ) -> Vec<Result<Vec<Evidence>, RegistryError>> {
        let ask = |client: Arc<Client>, (repository, digest): (Repository, Digest)| async move {
            signatures::read(&client, &repository, &digest, layout).await
        };
        self.each(images, |(repository, _)| repository, ask).await
    }
}

#[async_trait]
impl Blobs for OciRegistry {
    async fn open(
        &self,
        repository: &Repository,
        digest: &Digest,
        resume: Option<&ResumePoint>,
    ) -> Result<Option<OpenBlob>, RegistryError> {
        let opened = blob::open(Arc::clone(&self.0), repository, digest, resume).await;
        opened.map_err(|error| self.0.masked(error))
    }
}
