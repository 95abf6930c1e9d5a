//! What proves to a registry who we are, and what may be wrong with it. The environment is an argument.

use std::path::PathBuf;

use crate::ending::{Ending, Ends};
use crate::http::{BoundSecret, Origin, Secret};

/// What proves to one registry who we are; secrets that nobody else is sent.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user name and a password or token.
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: BoundSecret,
    },
    /// A refresh token, which the registry's realm exchanges for access tokens.
    IdentityToken(BoundSecret),
    /// A token that the registry itself takes.
    RegistryToken(BoundSecret),
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
    /// They are set, and nothing says which of several registries they belong to.
    #[error(
        "{USERNAME} and {PASSWORD} are sent to no registry, because none of the producers names them: {}",
        hosts.join(", ")
    )]
    Unclaimed {
        /// The hosts of the registries.
        hosts: Vec<String>,
    },
}

impl Ends for CredentialsError {
    fn ending(&self) -> Ending {
        match self {
            Self::File { .. } | Self::Helper { .. } | Self::Half { .. } | Self::Unclaimed { .. } => {
                Ending::Person
            }
        }
    }

    fn hint(&self) -> Option<String> {
        let Self::Unclaimed { .. } = self else { return None };
        let lines = format!("credentials: {{username_env: {USERNAME}, password_env: {PASSWORD}}}");
        Some(format!("add `{lines}` to the producer that they belong to"))
    }
}

/// Looks up an environment variable; an empty one is not set.
pub type Variables<'a> = dyn Fn(&str) -> Option<String> + Send + Sync + 'a;

/// The variables that name no registry: who reads them says which one they belong to.
pub const USERNAME: &str = "DIBUMP_REGISTRY_USERNAME";
/// The password beside [`USERNAME`].
pub const PASSWORD: &str = "DIBUMP_REGISTRY_PASSWORD";

impl Credentials {
    /// What `DIBUMP_REGISTRY_USERNAME` and `…_PASSWORD` hold, for the registry that they belong to.
    pub fn of_variables(
        origin: &Origin,
        environment: &Variables<'_>,
    ) -> Result<Option<Self>, CredentialsError> {
        match (environment(USERNAME), environment(PASSWORD)) {
            (Some(user), Some(password)) => Ok(Some(Self::password(user, password, origin))),
            (Some(_), None) => Err(CredentialsError::Half { missing: PASSWORD }),
            (None, Some(_)) => Err(CredentialsError::Half { missing: USERNAME }),
            (None, None) => Ok(None),
        }
    }

    /// A user and a password for one registry.
    pub fn password(user: impl Into<String>, password: impl Into<String>, origin: &Origin) -> Self {
        Self::Password { user: user.into(), password: Secret::new(password).bound_to(origin.clone()) }
    }

    /// Where they belong; `None` where there are none.
    pub(super) fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Anonymous => None,
            Self::Password { password: secret, .. }
            | Self::IdentityToken(secret)
            | Self::RegistryToken(secret) => Some(secret.origin()),
        }
    }
}
