//! Which GitLab it is, and who we are there.

use url::Url;

use super::{Environment, WiringError};
use crate::config::{ForgeKind, ForgeSettings};
use crate::gitlab::{self, GitLabToken, ProjectId, api_url};

/// GitLab's public instance, where nothing names another.
const PUBLIC: &str = "https://gitlab.com/api/v4";

/// Its registry.
pub(super) const PUBLIC_REGISTRY: &str = "registry.gitlab.com";

/// The API of GitLab's public instance.
pub(super) fn public_api() -> Option<Url> {
    PUBLIC.parse().ok()
}

/// The API of the targets' GitLab, and our token for it.
pub(super) fn api(
    environment: &Environment,
    forge: &ForgeSettings,
) -> Result<(Url, Option<GitLabToken>), WiringError> {
    let found = at_home(environment, forge)?;
    let api = found.api.clone().ok_or_else(|| variable("CI_API_V4_URL", "names no GitLab"))?;
    let token = found.token_for(&api);
    Ok((api, token))
}

fn variable(name: &str, reason: &'static str) -> WiringError {
    WiringError::Variable { variable: name.to_owned(), reason }
}

/// The GitLab that the environment's token belongs to: that of the targets, else that of the pipeline we run in, else the
/// public one.
pub(super) fn at_home(
    environment: &Environment,
    forge: &ForgeSettings,
) -> Result<gitlab::GitLabVariables, WiringError> {
    let forge = Some(forge).filter(|forge| forge.kind == ForgeKind::Gitlab);
    let configured = forge.and_then(|forge| forge.url.as_ref()).and_then(api_url);
    // The token's variable may have another name; to the adapter it is GITLAB_TOKEN.
    let lookup = |name: &str| match (name, forge) {
        ("GITLAB_TOKEN", Some(forge)) => environment.get(&forge.token_env),
        (name, _) => environment.get(name),
    };
    let found = gitlab::from_environment(&lookup, configured.as_ref()).map_err(WiringError::access)?;
    match (&found.api, public_api()) {
        (None, Some(public)) => gitlab::from_environment(&lookup, Some(&public)).map_err(WiringError::access),
        _ => Ok(found),
    }
}

/// `42` or `group/project`.
pub(super) fn project_id(text: &str) -> ProjectId {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}
