//! The catalogues that name what a producer might have published.

use std::sync::Arc;

use url::Url;

use super::{Session, WiringError, github, gitlab};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::config::{ConfiguredProducer as Settings, ConfiguredSource, Discovery, NamedBy};
use crate::disk::releases::FileCatalogue;
use crate::gitlab::{GitLabToken, ProjectId, RegistryRepositories, ReleaseNotes, find_project};
use crate::oci::{OciCatalog, OciRegistry};

/// A GitLab's API, our token for it, and the producer's project there.
type GitlabProject = (Url, Option<GitLabToken>, ProjectId);

struct Sources<'a> {
    session: &'a Session<'a>,
    settings: &'a Settings,
    registry: &'a OciRegistry,
}

/// The catalogues of the wanted sources, in their order. Those of GitLab need a GitLab: it is looked for once.
pub(super) async fn open(
    session: &Session<'_>,
    settings: &Settings,
    registry: &OciRegistry,
    wanted: &[ConfiguredSource],
) -> Result<Vec<Arc<dyn Catalogue>>, WiringError> {
    let sources = Sources { session, settings, registry };
    let of_gitlab = wanted
        .iter()
        .any(|source| matches!(source, ConfiguredSource::ReleaseNotes | ConfiguredSource::Gitlab));
    let gitlab = if of_gitlab { sources.gitlab().await? } else { None };
    let mut catalogues = Vec::new();
    for source in wanted.iter().filter(|source| **source != ConfiguredSource::Known) {
        match sources.catalogue(source, gitlab.clone())? {
            Some(catalogue) => catalogues.push(catalogue),
            None => sources.only_if_auto(source)?,
        }
    }
    Ok(catalogues)
}

impl Sources<'_> {
    /// The catalogue of one source; `None` where it does not apply.
    fn catalogue(
        &self,
        source: &ConfiguredSource,
        gitlab: Option<GitlabProject>,
    ) -> Result<Option<Arc<dyn Catalogue>>, WiringError> {
        let (transport, prefix) = (self.session.transport.clone(), self.settings.registry.clone());
        Ok(match (source, gitlab) {
            (ConfiguredSource::ReleaseNotes, Some((api, token, project))) => {
                let notes = ReleaseNotes::new(transport, &api, token, project, prefix);
                Some(Arc::new(notes.map_err(WiringError::access)?))
            }
            (ConfiguredSource::Gitlab, Some((api, token, project))) => {
                let repositories = RegistryRepositories::new(transport, &api, token, project, prefix);
                Some(Arc::new(repositories.map_err(WiringError::access)?))
            }
            // The packages API wants our token.
            (ConfiguredSource::Github, _) if self.settings.named_by == NamedBy::ValuesFile => None,
            (ConfiguredSource::Github, _) => match github::packages(self.session, self.settings)? {
                Some(packages) => Some(Arc::new(packages)),
                None => None,
            },
            (ConfiguredSource::Catalog, _) => Some(Arc::new(OciCatalog::new(self.registry.clone(), prefix))),
            (ConfiguredSource::File(path), _) => {
                Some(Arc::new(FileCatalogue { path: path.clone(), naming: self.settings.naming.clone() }))
            }
            (ConfiguredSource::ReleaseNotes | ConfiguredSource::Gitlab, None)
            | (ConfiguredSource::Known, _) => None,
        })
    }

    /// A source that does not apply is passed over under `auto`, and a mistake when it was asked for by name.
    fn only_if_auto(&self, source: &ConfiguredSource) -> Result<(), WiringError> {
        match self.settings.discovery {
            Discovery::Auto => Ok(()),
            Discovery::Sources(_) => Err(WiringError::NoSource {
                source_name: source.clone(),
                registry: self.settings.registry.clone(),
            }),
        }
    }

    /// The producer's GitLab and project: as set, else by the registry's token realm and the longest path that it knows.
    async fn gitlab(&self) -> Result<Option<GitlabProject>, WiringError> {
        if self.settings.named_by == NamedBy::ValuesFile {
            return self.public_gitlab().await;
        }
        let api = match &self.settings.gitlab_url {
            Some(url) => crate::gitlab::api_url(url),
            None => match self.registry.token_realm().await {
                Ok(realm) => realm.as_ref().and_then(crate::gitlab::api_of_realm),
                Err(error) => return self.only_if_unneeded(error),
            },
        };
        let Some(api) = api else { return Ok(None) };
        // Whoever answers for the registry names this GitLab: our token goes there only if it is at home there.
        let home = gitlab::at_home(self.session.environment, &self.session.config.forge)?;
        let token = home.token_for(&api);
        if let Some(project) = &self.settings.gitlab_project {
            return Ok(Some((api, token, gitlab::project_id(project))));
        }
        let (transport, path) = (self.session.transport.clone(), self.settings.registry.path());
        match find_project(transport, &api, token.clone(), path).await {
            // A realm may only look like GitLab's.
            Err(error @ CatalogueError::NotOffered { .. }) => self.only_if_unneeded(error),
            found => Ok(found?.map(|project| (api, token, project))),
        }
    }

    /// The project of a registry that only a values file names: where that is gitlab.com's, gitlab.com knows it, and is
    /// asked as anybody may.
    async fn public_gitlab(&self) -> Result<Option<GitlabProject>, WiringError> {
        let prefix = &self.settings.registry;
        let Some(api) = gitlab::public_api().filter(|_| prefix.host() == gitlab::PUBLIC_REGISTRY) else {
            return Ok(None);
        };
        match find_project(self.session.transport.clone(), &api, None, prefix.path()).await {
            Ok(found) => Ok(found.map(|project| (api, None, project))),
            Err(error) => self.only_if_unneeded(error),
        }
    }

    /// A registry that cannot say where its tokens are will fail the look-up itself, with a better message; where a GitLab
    /// tells us nothing, the other sources are left.
    fn only_if_unneeded<T>(&self, error: impl Into<WiringError>) -> Result<Option<T>, WiringError> {
        match self.settings.discovery {
            Discovery::Auto => Ok(None),
            Discovery::Sources(_) => Err(error.into()),
        }
    }
}
