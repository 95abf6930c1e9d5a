//! Which credentials belong to a registry: given ones, the environment, docker's and containers' files, the job
//! of a GitLab pipeline, in this order. The environment is an argument.

use std::path::{Path, PathBuf};

use super::docker_config::{self, Target};
use crate::ending::{Ending, Ends};
use crate::http::Secret;
use crate::registry::Prefix;

/// What proves to a registry who we are.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user name and a password or token.
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, which the registry's realm exchanges for access tokens.
    IdentityToken(Secret),
    /// A token that the registry itself takes.
    RegistryToken(Secret),
}

/// Why the credentials of a registry could not be found out. A person must act.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read or is no credentials file.
    #[error("couldn't read the registry credentials in {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without its content.
        reason: String,
    },
    /// A credential helper failed. Its standard output may hold secrets and is not kept.
    #[error("docker-credential-{helper} gave no credentials for {host}: {reason}")]
    Helper {
        /// The helper's name, without `docker-credential-`.
        helper: String,
        /// The registry.
        host: String,
        /// What happened.
        reason: String,
    },
    /// Only one of `DIBUMP_REGISTRY_USERNAME` and `DIBUMP_REGISTRY_PASSWORD` is set.
    #[error("{missing} is not set, but its counterpart is")]
    Half {
        /// The variable that is missing.
        missing: &'static str,
    },
}

impl Ends for CredentialsError {
    fn ending(&self) -> Ending {
        match self {
            Self::File { .. } | Self::Helper { .. } | Self::Half { .. } => Ending::Person,
        }
    }
}

/// Looks up an environment variable.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + Send + Sync + 'a;

const USERNAME: &str = "DIBUMP_REGISTRY_USERNAME";
const PASSWORD: &str = "DIBUMP_REGISTRY_PASSWORD";

impl Credentials {
    /// The credentials for the repositories below `prefix`, from the first source that has any:
    /// `DIBUMP_REGISTRY_USERNAME` and `…_PASSWORD`; `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`;
    /// `$REGISTRY_AUTH_FILE`; `containers/auth.json` below `$XDG_RUNTIME_DIR` or `~/.config`; `CI_REGISTRY_USER`
    /// and `…_PASSWORD` if `CI_REGISTRY` is this registry. What is written in the configuration comes before all
    /// of these and does not need this function.
    pub async fn find(prefix: &Prefix, environment: &Environment<'_>) -> Result<Self, CredentialsError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        match (variable(USERNAME), variable(PASSWORD)) {
            (Some(user), Some(password)) => return Ok(Self::password(user, password)),
            (Some(_), None) => return Err(CredentialsError::Half { missing: PASSWORD }),
            (None, Some(_)) => return Err(CredentialsError::Half { missing: USERNAME }),
            (None, None) => {}
        }
        let target = Target::new(prefix);
        for path in files(&variable) {
            if let Some(found) = docker_config::look_up(&path, &target).await? {
                return Ok(found);
            }
        }
        if variable("CI_REGISTRY").is_some_and(|host| host == prefix.host())
            && let (Some(user), Some(password)) =
                (variable("CI_REGISTRY_USER"), variable("CI_REGISTRY_PASSWORD"))
        {
            return Ok(Self::password(user, password));
        }
        Ok(Self::Anonymous)
    }

    fn password(user: String, password: String) -> Self {
        Self::Password { user, password: Secret::new(password) }
    }
}

/// The files in the order of go-containerregistry's keychain.
fn files(variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
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
