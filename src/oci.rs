//! Adapter: an OCI registry over HTTP (distribution-spec 1.1, and distribution's token authentication).
//!
//! Serves the port [`crate::registry`], and [`crate::catalogue`] where the registry lists its repositories. Requests
//! are our own; `oci-distribution` gives the manifest types. No other room knows what a registry's answer looks
//! like.
#![expect(clippy::disallowed_methods, reason = "tokens expire, and credentials stand in docker's files")]

mod catalog;
mod challenge;
mod client;
pub mod credentials;
mod docker_config;
#[doc(hidden)]
pub mod fuzz;
mod manifest;
mod paging;
mod refusal;
mod session;
mod signatures;
mod tags;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream;
use url::Url;

use crate::http::Transport;
use crate::registry::{Manifest, Registry, RegistryError, Repository};
use crate::release::{Digest, Tag};
use crate::signature::{Evidence, Layout};
use client::{Client, is_about_the_host};

pub use catalog::OciCatalog;
pub use credentials::Credentials;

/// One registry host with one set of credentials. Clones share tokens and what was learnt about the registry.
#[derive(Debug, Clone)]
pub struct OciRegistry(Arc<Client>);

impl OciRegistry {
    /// The registry at `host` (with the port if there is one), over TLS unless `plain_http`.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] if `host` is no host.
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
            self.0.probe().await?;
        }
        Ok(self.0.session.realm())
    }

    fn client(&self) -> &Client {
        &self.0
    }

    /// Asks about each repository, the first one alone until the registry has let us in: a refusal, or a host that
    /// cannot be reached, is then the answer to all.
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
        let mut answers = Vec::with_capacity(questions.len());
        let canaries = usize::from(!self.0.was_let_in()).min(questions.len());
        let (canaries, rest) = questions.split_at(canaries);
        for canary in canaries {
            let answer = ask(Arc::clone(&self.0), canary.clone()).await;
            if let Err(error) = &answer
                && (is_about_the_host(error) || self.0.is_no_registry())
            {
                let error = error.clone();
                return questions.iter().map(|_| Err(error.clone())).collect();
            }
            answers.push(answer);
        }
        self.0.session.expect(rest.iter().map(|question| repository(question).path.as_str()));
        // Unordered, because one slow answer must not hold up the window; numbered, because order is promised.
        let numbered = rest.iter().cloned().enumerate().map(|(number, question)| {
            let answer = ask(Arc::clone(&self.0), question);
            async move { (number, answer.await) }
        });
        let mut numbered: Vec<_> = stream::iter(numbered).buffer_unordered(self.0.width()).collect().await;
        numbered.sort_by_key(|(number, _)| *number);
        answers.extend(numbered.into_iter().map(|(_, answer)| answer));
        answers
    }
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
        self.each(repositories, itself, ask).await
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
