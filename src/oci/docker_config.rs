//! Docker's `config.json` and containers' `auth.json`.
//!
//! `docker_credential` decodes entries and runs helpers, but it compares hosts only. So the entry is chosen here, by
//! the longest path, and handed to it as a file with that one entry.

use std::io::ErrorKind;
use std::path::Path;

use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::{Map, Value, json};

use super::credentials::{Credentials, CredentialsError};
use crate::http::{BoundSecret, Origin, Secret};
use crate::registry::Prefix;

/// The key under which Docker Hub's credentials are kept, whatever it is called elsewhere.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The registry and path for which credentials are wanted.
#[derive(Debug, Clone)]
pub(super) struct WantedCredentials {
    host: String,
    path: String,
    /// What a helper is asked for.
    server: String,
    /// What is found belongs there.
    origin: Origin,
}

impl WantedCredentials {
    pub(super) fn new(prefix: &Prefix, origin: &Origin) -> Self {
        let is_hub = matches!(prefix.host(), "docker.io" | "index.docker.io" | "registry-1.docker.io");
        let (host, server) =
            if is_hub { ("index.docker.io", DOCKER_HUB) } else { (prefix.host(), prefix.host()) };
        let path = prefix.path().to_owned();
        Self { host: host.to_owned(), path, server: server.to_owned(), origin: origin.clone() }
    }

    fn bound(&self, secret: Secret) -> BoundSecret {
        secret.bound_to(self.origin.clone())
    }
}

/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 20;

/// The credentials that the file has for the target; `None` if it has none or is not there.
pub(super) async fn look_up(
    path: &Path,
    target: &WantedCredentials,
) -> Result<Option<Credentials>, CredentialsError> {
    let broken = |reason: String| CredentialsError::File { path: path.to_owned(), reason };
    let usable = |metadata: std::fs::Metadata| metadata.is_file() && metadata.len() <= MOST_BYTES;
    if tokio::fs::metadata(path).await.is_ok_and(|metadata| !usable(metadata)) {
        return Err(broken(format!("expected a regular file of at most {MOST_BYTES} bytes")));
    }
    let bytes = match tokio::fs::read(path).await {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(broken(error.to_string())),
    };
    // The error of the parser would quote the file; its place is enough.
    let file: Value = serde_json::from_slice(&bytes)
        .map_err(|error| broken(format!("no JSON at line {}, column {}", error.line(), error.column())))?;
    let Some(chosen) = choose(&file, target) else { return Ok(None) };
    if let Some(token) = chosen.registry_token {
        return Ok(Some(Credentials::RegistryToken(target.bound(token))));
    }
    let (reduced, server) = (chosen.reduced.to_string(), target.server.clone());
    // Helpers are processes, and the crate waits for them.
    let found = tokio::task::spawn_blocking(move || {
        docker_credential::get_credential_from_reader(reduced.as_bytes(), &server)
    });
    match found.await.map_err(|error| broken(error.to_string()))? {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            Ok(Some(Credentials::Password { user, password: target.bound(Secret::new(password)) }))
        }
        Ok(DockerCredential::IdentityToken(token)) => {
            Ok(Some(Credentials::IdentityToken(target.bound(Secret::new(token)))))
        }
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        Err(error) => match chosen.helper {
            Some(helper) => helper_failure(error, helper, target),
            None => Err(broken(format!("the entry for {} cannot be decoded", target.host))),
        },
    }
}

/// What of a file speaks of a target.
struct Chosen {
    registry_token: Option<Secret>,
    helper: Option<Helper>,
    reduced: Value,
}

struct Helper {
    name: String,
    /// Whether it is the store for everything, and was not named for this registry.
    is_general: bool,
}

fn choose(file: &Value, target: &WantedCredentials) -> Option<Chosen> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let entry = file.get("auths").and_then(Value::as_object).and_then(|auths| best(auths, target));
    let fields: Map<String, Value> = entry
        .into_iter()
        .flatten()
        .filter(|(_, value)| text(value).is_some())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if let Some(token) = fields.get("registrytoken").and_then(Value::as_str) {
        return Some(Chosen { registry_token: Some(Secret::new(token)), helper: None, reduced: Value::Null });
    }
    let named = file.get("credHelpers").and_then(|helpers| {
        [&target.server, &target.host].into_iter().find_map(|key| helpers.get(key).and_then(text))
    });
    if let Some(name) = named {
        let reduced = json!({ "credHelpers": { &target.server: &name } });
        return Some(Chosen {
            registry_token: None,
            helper: Some(Helper { name, is_general: false }),
            reduced,
        });
    }
    if !fields.is_empty() {
        let reduced = json!({ "auths": { &target.server: fields } });
        return Some(Chosen { registry_token: None, helper: None, reduced });
    }
    let name = file.get("credsStore").and_then(text)?;
    let reduced = json!({ "credsStore": &name });
    Some(Chosen { registry_token: None, helper: Some(Helper { name, is_general: entry.is_none() }), reduced })
}

/// The entry whose key covers most of the target's path (containers-auth.json(5): from the repository up to the host).
fn best<'a>(auths: &'a Map<String, Value>, target: &WantedCredentials) -> Option<&'a Map<String, Value>> {
    let covered = auths.iter().filter_map(|(key, value)| Some((coverage(key, target)?, value.as_object()?)));
    covered.max_by_key(|(coverage, _)| *coverage).map(|(_, entry)| entry)
}

/// How much of the target's path a key covers; `None` if it speaks of something else.
fn coverage(key: &str, target: &WantedCredentials) -> Option<usize> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = bare.unwrap_or(key).split_once('/').unwrap_or((bare.unwrap_or(key), ""));
    let host = if matches!(host, "docker.io" | "registry-1.docker.io") { "index.docker.io" } else { host };
    let path = path.trim_end_matches('/');
    if host != target.host {
        return None;
    }
    // Docker writes API roots as keys; with a scheme in front there is never a repository behind.
    if bare.is_some() || path.is_empty() {
        return Some(0);
    }
    let rest = target.path.strip_prefix(path)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(path.len())
}

/// What a helper's failure means. A store for everything that is not installed, or does not know this registry, is
/// no reason to stop; a helper that was named for this registry is.
fn helper_failure(
    error: CredentialRetrievalError,
    helper: Helper,
    target: &WantedCredentials,
) -> Result<Option<Credentials>, CredentialsError> {
    let reason = match error {
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => {
            if [&stdout, &stderr].iter().any(|text| text.contains("credentials not found")) {
                return Ok(None);
            }
            format!("it failed: {}", stderr.trim())
        }
        CredentialRetrievalError::HelperCommunicationError => "it could not be run".to_owned(),
        _ => "its answer cannot be read".to_owned(),
    };
    if helper.is_general {
        tracing::warn!(helper = helper.name, reason, "going on without the credential store");
        return Ok(None);
    }
    Err(CredentialsError::Helper { helper: helper.name, host: target.host.clone(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(prefix: &str) -> WantedCredentials {
        let prefix: Prefix = prefix.parse().unwrap();
        WantedCredentials::new(&prefix, &crate::oci::origin(prefix.host(), false).unwrap())
    }

    #[test]
    fn docker_hub_is_found_under_all_of_its_names() {
        for host in ["docker.io", "registry-1.docker.io", "index.docker.io"] {
            let target = target(&format!("oci://{host}/library"));
            for key in [DOCKER_HUB, "docker.io", "registry-1.docker.io/library"] {
                assert!(coverage(key, &target).is_some(), "{key} for {host}");
            }
            assert_eq!(target.server, DOCKER_HUB);
        }
    }

    #[test]
    fn a_helper_without_credentials_does_not_fail_a_run() {
        let target = target("oci://registry.example/group");
        let failed = |stdout: &str, is_general| {
            let error = CredentialRetrievalError::HelperFailure {
                helper: "docker-credential-x".to_owned(),
                stdout: stdout.to_owned(),
                stderr: "it is locked".to_owned(),
            };
            helper_failure(error, Helper { name: "x".to_owned(), is_general }, &target)
        };
        assert!(matches!(failed("credentials not found in native keychain", false), Ok(None)));
        assert!(matches!(failed("hunter2", true), Ok(None)));
        let error = failed("hunter2", false).unwrap_err().to_string();
        assert_eq!(
            error,
            "docker-credential-x gave no credentials for registry.example: it failed: it is locked"
        );
    }
}
