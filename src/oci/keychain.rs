//! Which credentials are kept for a registry: by docker's and containers' files, then by the job of a GitLab pipeline.

use std::path::{Path, PathBuf};

use super::credentials::{Credentials, CredentialsError, Variables};
use super::docker_config::{self, WantedCredentials};
use crate::http::Origin;
use crate::registry::Prefix;

impl Credentials {
    /// What is kept by host for the repositories below `prefix` at `origin`, from the first source that has any:
    /// `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`; `$REGISTRY_AUTH_FILE`; `containers/auth.json` below
    /// `$XDG_RUNTIME_DIR` or `~/.config`; `CI_REGISTRY_USER` and `…_PASSWORD` if `CI_REGISTRY` is this registry.
    pub async fn of_host(
        prefix: &Prefix,
        origin: &Origin,
        environment: &Variables<'_>,
    ) -> Result<Self, CredentialsError> {
        if let Some(found) = Self::of_files(prefix, origin, environment).await? {
            return Ok(found);
        }
        if environment("CI_REGISTRY").is_some_and(|host| host == prefix.host())
            && let (Some(user), Some(password)) =
                (environment("CI_REGISTRY_USER"), environment("CI_REGISTRY_PASSWORD"))
        {
            return Ok(Self::password(user, password, origin));
        }
        Ok(Self::Anonymous)
    }

    /// What docker's and containers' files keep for the host.
    pub async fn of_files(
        prefix: &Prefix,
        origin: &Origin,
        environment: &Variables<'_>,
    ) -> Result<Option<Self>, CredentialsError> {
        let target = WantedCredentials::new(prefix, origin);
        for path in files(environment) {
            if let Some(found) = docker_config::look_up(&path, &target).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The files in the order of go-containerregistry's keychain.
fn files(variable: &Variables<'_>) -> Vec<PathBuf> {
    let home = variable("HOME").map(PathBuf::from);
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let docker = variable("DOCKER_CONFIG").map(|folder| Path::new(&folder).join("config.json"));
    let runtime = variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("containers/auth.json"));
    let files = [
        docker.or_else(|| below_home(".docker/config.json")),
        variable("REGISTRY_AUTH_FILE").map(PathBuf::from),
        runtime,
        below_home(".config/containers/auth.json"),
    ];
    files.into_iter().flatten().collect()
}
