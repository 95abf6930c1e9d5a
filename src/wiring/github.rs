//! From settings to a GitHub: who we are there, and which one it is.

use super::{Environment, Session, WiringError};
use crate::config::{AppNames, ConfiguredProducer, ForgeKind, ForgeSettings};
use crate::disk::{exists, read_small};
use crate::github::{
    self, Api, App, GitHub, Identity, Organisations, Packages, PrivateKey, RepositoryId, api_url,
    from_environment,
};
use crate::http::{Origin, Secret};

/// How the text of a private key begins; anything else is the path of its file.
const PEM: &str = "-----BEGIN";

/// A repository of the forge in the configuration.
pub(super) fn repository(session: &Session<'_>, project: &str) -> Result<GitHub, WiringError> {
    let Access { api, identity, home } = access(session)?;
    let repository: RepositoryId = project.parse().map_err(WiringError::access)?;
    let github = GitHub::new(session.transport.clone(), &api, identity, repository, shared(session));
    Ok(github.map_err(WiringError::access)?.at_home_in(home))
}

/// The accounts of the forge in the configuration.
pub(super) fn organisations(session: &Session<'_>) -> Result<Organisations, WiringError> {
    let Access { api, identity, .. } = access(session)?;
    Organisations::new(session.transport.clone(), &api, identity, shared(session))
        .map_err(WiringError::access)
}

/// Which GitHub, who we are there, and the repository of the job that we run in.
struct Access {
    api: Api,
    identity: Option<Identity>,
    home: Option<RepositoryId>,
}

fn access(session: &Session<'_>) -> Result<Access, WiringError> {
    let (environment, settings) = (session.environment, &session.config.forge);
    let configured = settings.url.as_ref().and_then(api_url);
    // The token's variable may have another name; to the adapter it is GITHUB_TOKEN.
    let lookup = |name: &str| match name {
        "GITHUB_TOKEN" => environment.get(&settings.token_env),
        name => environment.get(name),
    };
    let found = from_environment(&lookup, configured.as_ref()).map_err(WiringError::access)?;
    let api = found.api.clone().or_else(Api::public);
    let api = api.ok_or_else(|| variable("GITHUB_API_URL", "names no GitHub"))?;
    let identity = match &settings.app {
        Some(names) => Some(Identity::App(app(environment, names)?)),
        None => found.token_for(&api).or_else(|| public_token(environment, settings, &found, &api)),
    };
    Ok(Access { api, identity, home: found.repository })
}

fn variable(name: &str, reason: &'static str) -> WiringError {
    WiringError::Variable { variable: name.to_owned(), reason }
}

fn shared<'a>(session: &'a Session<'_>) -> &'a github::Pacing {
    let pace = session.config.forge.write_interval;
    session.github.get_or_init(|| pace.map_or_else(github::Pacing::default, github::Pacing::with_pace))
}

/// Where nothing names a GitHub, the token is that of the public one.
fn public_token(
    environment: &Environment,
    settings: &ForgeSettings,
    found: &github::GitHubVariables,
    public: &Api,
) -> Option<Identity> {
    let token = environment.get(&settings.token_env).filter(|_| found.api.is_none())?;
    Some(Identity::Token(Secret::new(token).bound_to(Origin::of(public.rest())?)))
}

fn app(environment: &Environment, names: &AppNames) -> Result<App, WiringError> {
    let number = |name: &String| {
        let number = environment.required(name)?.parse::<u64>();
        number.map_err(|_| variable(name, "is not the number of an installation"))
    };
    let id = environment.required(&names.id_env)?;
    let installation = names.installation_id_env.as_ref().map(number).transpose()?;
    let key = private_key(&names.private_key_env, &environment.required(&names.private_key_env)?)?;
    Ok(App::new(id, key, installation))
}

/// CI systems hold a key as a text, as a text with `\n` for line ends, or as the path of a file.
fn private_key(name: &str, text: &str) -> Result<PrivateKey, WiringError> {
    if text.starts_with(PEM) {
        return PrivateKey::from_pem(&text.replace("\\n", "\n")).map_err(WiringError::access);
    }
    // What is no path may be a secret, so it is not shown.
    if !exists(text.as_ref()) {
        return Err(variable(name, "is neither a key in PEM form nor the path of a file"));
    }
    let text = String::from_utf8(read_small(text.as_ref())?);
    let text = text.map_err(|_| variable(name, "names a file that holds no text"))?;
    PrivateKey::from_pem(&text).map_err(WiringError::access)
}

/// The packages beside a producer's registry; `None` for a registry that belongs to no GitHub.
pub(super) fn packages(
    session: &Session<'_>,
    producer: &ConfiguredProducer,
) -> Result<Option<Packages>, WiringError> {
    let rest = match &producer.github_url {
        Some(url) => api_url(url),
        None => github::api_of_registry(producer.registry.host()),
    };
    let Some(api) = rest.as_ref().and_then(Api::new) else {
        return Ok(None);
    };
    let token = at_home(session, producer)?.token_for(&api);
    let packages = Packages::new(session.transport.clone(), &api, token, &producer.registry);
    Ok(Some(packages.map_err(WiringError::access)?))
}

/// The GitHub that the environment's token belongs to: that of the targets; where those are elsewhere, the one that the
/// configuration names for the producer; else that of the job or the public one. A registry's address alone gets nothing.
fn at_home(
    session: &Session<'_>,
    producer: &ConfiguredProducer,
) -> Result<github::GitHubVariables, WiringError> {
    let forge = Some(&session.config.forge).filter(|forge| forge.kind == ForgeKind::Github);
    let lookup = |name: &str| match (name, forge) {
        ("GITHUB_TOKEN", Some(forge)) => session.environment.get(&forge.token_env),
        (name, _) => session.environment.get(name),
    };
    let home = match forge {
        Some(forge) => forge.url.as_ref(),
        None => producer.github_url.as_ref(),
    };
    let home = home.and_then(api_url);
    let found = from_environment(&lookup, home.as_ref()).map_err(WiringError::access)?;
    match (&found.api, Api::public()) {
        (None, Some(public)) => from_environment(&lookup, Some(public.rest())).map_err(WiringError::access),
        _ => Ok(found),
    }
}
