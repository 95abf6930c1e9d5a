//! From settings to a GitHub: who we are there, and which one it is.

use super::failure::Failure;
use super::{Context, Environment};
use crate::config::{AppNames, ForgeKind, ForgeSettings, Producer};
use crate::github::{
    self, Api, App, GitHub, Identity, Organisations, Packages, RepositoryId, Session, api_url,
};
use crate::http::{Secret, Transport};

/// How the text of a private key begins; anything else is the path of its file.
const PEM: &str = "-----BEGIN";

/// A repository of the forge in the configuration.
pub(super) fn repository(
    context: &Context,
    settings: &ForgeSettings,
    project: &str,
    transport: &Transport,
) -> Result<GitHub, Failure> {
    let Access { api, identity, home } = access(context, settings)?;
    let repository: RepositoryId = project.parse().map_err(Failure::person)?;
    let github = GitHub::new(transport.clone(), &api, identity, repository, session(context, settings));
    Ok(github.map_err(Failure::person)?.at_home_in(home))
}

/// The accounts of the forge in the configuration.
pub(super) fn organisations(
    context: &Context,
    settings: &ForgeSettings,
    transport: &Transport,
) -> Result<Organisations, Failure> {
    let Access { api, identity, .. } = access(context, settings)?;
    Organisations::new(transport.clone(), &api, identity, session(context, settings)).map_err(Failure::person)
}

/// Which GitHub, who we are there, and the repository of the job that we run in.
struct Access {
    api: Api,
    identity: Option<Identity>,
    home: Option<RepositoryId>,
}

fn access(context: &Context, settings: &ForgeSettings) -> Result<Access, Failure> {
    let configured = settings.url.as_ref().and_then(api_url);
    // The token's variable may have another name; to the adapter it is GITHUB_TOKEN.
    let lookup = |name: &str| match name {
        "GITHUB_TOKEN" => context.environment.get(&settings.token_env),
        name => context.environment.get(name),
    };
    let found = github::from_environment(&lookup, configured.as_ref()).map_err(Failure::person)?;
    let public = || Api::public().ok_or_else(|| Failure::usage("no GitHub"));
    let api = found.api.clone().map_or_else(public, Ok)?;
    let identity = match &settings.app {
        Some(names) => Some(Identity::App(app(&context.environment, names)?)),
        None => found.token_for(&api).or_else(|| public_token(&context.environment, settings, &found)),
    };
    Ok(Access { api, identity, home: found.repository })
}

fn session<'a>(context: &'a Context, settings: &ForgeSettings) -> &'a Session {
    context.github.get_or_init(|| settings.write_interval.map_or_else(Session::default, Session::with_pace))
}

/// Where nothing names a GitHub, the token is that of the public one.
fn public_token(
    environment: &Environment,
    settings: &ForgeSettings,
    found: &github::Environment,
) -> Option<Identity> {
    let token = environment.get(&settings.token_env).filter(|_| found.api.is_none())?;
    Some(Identity::Token(Secret::new(token.trim())))
}

fn app(environment: &Environment, names: &AppNames) -> Result<App, Failure> {
    let get = |name: &str| {
        let unset = || Failure::person(anyhow::anyhow!("{name}, which the GitHub App needs, is not set"));
        environment.get(name).ok_or_else(unset)
    };
    let number = |name: &String| {
        let number = get(name)?.trim().parse::<u64>();
        number.map_err(|_| Failure::person(anyhow::anyhow!("{name} is no number of an installation")))
    };
    let installation = names.installation_id_env.as_ref().map(number).transpose()?;
    let key = private_key(&names.private_key_env, &get(&names.private_key_env)?)?;
    App::new(get(&names.id_env)?.trim(), &key, installation).map_err(Failure::person)
}

/// CI systems hold a key as a text, as a text with `\n` for line ends, or as the path of a file.
fn private_key(name: &str, text: &str) -> Result<Secret, Failure> {
    if text.trim_start().starts_with(PEM) {
        return Ok(Secret::new(text.replace("\\n", "\n")));
    }
    // What is no path may be a secret, so it is not shown.
    if !crate::disk::exists(text.trim().as_ref()) {
        return Err(Failure::person(anyhow::anyhow!(
            "{name} is neither a key in PEM form nor the path of a file"
        )));
    }
    let bytes = crate::disk::read_small(text.trim().as_ref())?;
    let text = String::from_utf8(bytes);
    text.map(Secret::new)
        .map_err(|_| Failure::person(anyhow::anyhow!("the GitHub App's key file is no text")))
}

/// The packages beside a producer's registry; `None` for a registry that belongs to no GitHub.
pub(super) fn packages(
    environment: &Environment,
    forge: Option<&ForgeSettings>,
    producer: &Producer,
    transport: &Transport,
) -> Result<Option<Packages>, Failure> {
    let rest = match &producer.github_url {
        Some(url) => api_url(url),
        None => github::api_of_registry(producer.registry.host()),
    };
    let Some(api) = rest.as_ref().and_then(Api::new) else {
        return Ok(None);
    };
    let forge = forge.filter(|forge| forge.kind == ForgeKind::Github);
    let lookup = |name: &str| match (name, forge) {
        ("GITHUB_TOKEN", Some(forge)) => environment.get(&forge.token_env),
        (name, _) => environment.get(name),
    };
    // The token belongs to the forge of the targets; where that is no GitHub, to the one that the configuration names for
    // the producer; else to that of the job or the public one. A registry's address alone gets nothing.
    let home = match forge {
        Some(forge) => forge.url.as_ref(),
        None => producer.github_url.as_ref(),
    };
    let home = home.and_then(api_url);
    let found = github::from_environment(&lookup, home.as_ref()).map_err(Failure::person)?;
    let found = match (&found.api, Api::public()) {
        (None, Some(public)) => {
            github::from_environment(&lookup, Some(public.rest())).map_err(Failure::person)?
        }
        _ => found,
    };
    let token = found.token_for(&api);
    let packages = Packages::new(transport.clone(), &api, token, &producer.registry);
    Ok(Some(packages.map_err(Failure::person)?))
}
