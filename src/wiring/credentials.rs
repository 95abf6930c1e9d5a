//! Which secret of the environment belongs to which registry.
//!
//! Two variables name no registry. They belong to that of `--registry`, or to the producer that names them; where nobody
//! says so they are sent nowhere, because each registry could ask for them and only one may have them.

use super::{Environment, WiringError};
use crate::config::{Config, ConfiguredProducer, CredentialSource, NamedBy};
use crate::oci::credentials::{CredentialsError, PASSWORD, USERNAME};
use crate::oci::{Credentials, origin};

/// What is to be said where the two variables are set for a configuration that leaves open whose they are.
pub fn unclaimed(environment: &Environment, config: &Config) -> Option<CredentialsError> {
    let variables = [USERNAME, PASSWORD];
    let is_set = variables.iter().any(|name| environment.get(name).is_some());
    if !is_set || config.producers.len() < 2 || config.names_a_variable(&variables) {
        return None;
    }
    let mut hosts: Vec<String> =
        config.producers.iter().map(|producer| producer.registry.host().to_owned()).collect();
    hosts.sort();
    hosts.dedup();
    Some(CredentialsError::Unclaimed { hosts })
}

/// The credentials of a producer's registry.
pub(super) async fn credentials(
    environment: &Environment,
    settings: &ConfiguredProducer,
) -> Result<Credentials, WiringError> {
    let origin = origin(settings.registry.host(), settings.plain_http).map_err(WiringError::access)?;
    let lookup = |name: &str| environment.get(name);
    let given = match &settings.credentials {
        CredentialSource::Named(names) => {
            let user = environment.required(&names.username_env)?;
            let password = environment.required(&names.password_env)?;
            Some(Credentials::password(user, password, &origin))
        }
        CredentialSource::Usual => Credentials::of_variables(&origin, &lookup)?,
        CredentialSource::ByHost => None,
    };
    match given {
        Some(given) => Ok(given),
        None if settings.named_by == NamedBy::ValuesFile => {
            Ok(Credentials::of_files(&settings.registry, &origin, &lookup)
                .await?
                .unwrap_or(Credentials::Anonymous))
        }
        None => Ok(Credentials::of_host(&settings.registry, &origin, &lookup).await?),
    }
}
