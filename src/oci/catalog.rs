//! `/v2/_catalog` as a source of names (distribution, spec/api.md, "Listing Repositories"). Most public registries have
//! none.

use async_trait::async_trait;
use serde::Deserialize;

use super::OciRegistry;
use super::allowance::Allowed;
use super::paging::{self, Items, Page};
use super::session::AccessScope;
use crate::catalogue::{Candidates, Catalogue, CatalogueError, RepositoryNames};
use crate::ending::Ends as _;
use crate::http::Request;
use crate::registry::{Prefix, RegistryError};

/// As many names a page as distribution gives at most; then without a wish, for registries that give fewer and say
/// so (400).
const FIRST_PAGES: [&str; 2] = ["_catalog?n=1000", "_catalog"];

/// The names below a prefix, from the registry's own list.
#[derive(Debug, Clone)]
pub struct OciCatalog {
    registry: OciRegistry,
    prefix: Prefix,
}

/// A page of repositories.
#[derive(Deserialize)]
#[serde(expecting = "an object with its repositories")]
struct CatalogPage {
    /// Named, so that serde misses it where it is missing.
    repositories: Items,
}

impl Page for CatalogPage {
    const OF: Allowed = Allowed::Names;

    fn into_items(self) -> Items {
        self.repositories
    }
}

impl OciCatalog {
    /// The catalogue of `registry`, as far as it is directly below `prefix`.
    pub fn new(registry: OciRegistry, prefix: Prefix) -> Self {
        Self { registry, prefix }
    }

    /// `None` where the registry says that it has no catalogue.
    async fn repositories(&self) -> Result<Option<Vec<String>>, RegistryError> {
        let client = self.registry.client();
        for page in FIRST_PAGES {
            let url = client.url(format_args!("{page}"))?;
            let first = client.send(&AccessScope::Catalog, Request::get(url.clone())).await?;
            match first.status.as_u16() {
                400 => {}
                404 | 405 | 501 => return Ok(None),
                _ => {
                    let list = paging::all::<CatalogPage>(client, &AccessScope::Catalog, url, &first);
                    return list.await.map(Some);
                }
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Catalogue for OciCatalog {
    fn name(&self) -> &'static str {
        "catalog"
    }

    fn asked(&self) -> String {
        "_catalog".to_owned()
    }

    async fn candidates(&self) -> Result<Candidates, CatalogueError> {
        let subject = format!("{}/v2/_catalog", self.prefix.host());
        let not_offered = |reason: String| CatalogueError::NotOffered { subject: subject.clone(), reason };
        let answer = self.repositories().await;
        let repositories = match answer.map_err(|error| self.registry.client().masked(error)) {
            Ok(Some(repositories)) => repositories,
            Ok(None) => return Err(not_offered("the registry has no catalogue".to_owned())),
            Err(RegistryError::Refused { status, .. } | RegistryError::Denied { status, .. }) => {
                return Err(not_offered(status));
            }
            Err(RegistryError::Unusable { reason, hint }) => {
                return Err(CatalogueError::Unusable { reason, hint });
            }
            Err(RegistryError::Unavailable { subject, source }) => {
                return Err(CatalogueError::Unavailable { subject, source });
            }
            Err(RegistryError::Invalid { subject, reason }) => {
                return Err(CatalogueError::Invalid { subject, reason });
            }
            Err(error @ (RegistryError::NotUnderstood { .. } | RegistryError::Broken { .. })) => {
                return Err(CatalogueError::Broken { reason: error.to_string(), hint: error.hint() });
            }
        };
        Ok(Candidates::Names(RepositoryNames::below(&self.prefix, repositories.iter().map(String::as_str))))
    }
}
