//! Why an adapter could not be made.

use std::path::PathBuf;

use crate::catalogue::CatalogueError;
use crate::cluster::ClusterError;
use crate::config::ConfiguredSource;
use crate::disk::values_file::FileError;
use crate::ending::{Ending, Ends};
use crate::http::TransportError;
use crate::oci::credentials::CredentialsError;
use crate::registry::{Prefix, RegistryError};
use crate::signature::InvalidKey;

/// Why an adapter could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// An environment variable is missing or cannot be used. Its value may be a secret and is not kept.
    #[error("{variable} {reason}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file holds no public key.
    #[error("{}: {error}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: InvalidKey,
    },
    /// The credentials of a registry cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// An address, an account or a token cannot be used.
    #[error(transparent)]
    Access(Box<dyn std::error::Error + Send + Sync>),
    /// A source was asked for by name, and does not apply.
    #[error("no {} of {registry} was found, which discovery `{source_name}` needs", what_it_needs(.source_name))]
    NoSource {
        /// The source.
        source_name: ConfiguredSource,
        /// The producer's registry.
        registry: Prefix,
    },
    /// No target is in the project that was named.
    #[error("project `{project}` has no target")]
    NoTarget {
        /// The project.
        project: String,
    },
    /// This build cannot reach a cluster.
    #[error("this dibump was built without the feature `kube`")]
    NoKube,
    /// The client could not be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The producer's project could not be found.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The registry did not say where its tokens come from.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The cluster cannot be reached.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl WiringError {
    /// An address, an account or a token that cannot be used.
    pub(super) fn access(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Access(Box::new(error))
    }
}

impl Ends for WiringError {
    fn ending(&self) -> Ending {
        match self {
            Self::File(error) => error.ending(),
            Self::Credentials(error) => error.ending(),
            Self::Transport(error) => error.ending(),
            Self::Catalogue(error) => error.ending(),
            Self::Registry(error) => error.ending(),
            Self::Cluster(error) => error.ending(),
            Self::Variable { .. }
            | Self::Key { .. }
            | Self::Access(_)
            | Self::NoSource { .. }
            | Self::NoTarget { .. }
            | Self::NoKube => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Credentials(error) => return error.hint(),
            Self::Catalogue(error) => return error.hint(),
            Self::Registry(error) => return error.hint(),
            Self::Cluster(error) => return error.hint(),
            Self::NoSource { source_name: ConfiguredSource::Github, .. } => {
                "name it as `github: {url: …}` of the producer in the configuration"
            }
            Self::NoSource { .. } => {
                "name it with --gitlab-url and --gitlab-project, or in the configuration"
            }
            Self::NoKube => "kubectl apply -f takes the output",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn what_it_needs(source: &ConfiguredSource) -> &'static str {
    match source {
        ConfiguredSource::Github => "GitHub",
        _ => "GitLab project",
    }
}
