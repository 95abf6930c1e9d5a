//! From settings to a producer that can be asked: the adapters are put together here.

use std::sync::Arc;

use url::Url;

use super::args::{DemandArg, Lookup, Reach};
use super::failure::Failure;
use super::{Context, Environment, github};
use crate::catalogue::Catalogue;
use crate::config::{
    Config, Discovery, ForgeKind, ForgeSettings, KeySource, Network, Producer as Settings, Source,
};
use crate::disk::cache::DiskStore;
use crate::disk::releases::FileCatalogue;
use crate::gitlab::{self, ProjectId, RegistryRepositories, ReleaseNotes, find_project};
use crate::http::{Secret, Transport};
use crate::observe::releases::Producer;
use crate::oci::{Credentials, OciCatalog, OciRegistry};
use crate::registry::RegistryError;
use crate::release::policy::{Demand, Policy};
use crate::release::{NamePattern, Naming};
use crate::signature::{Keys, PublicKey};
use crate::store::{NoStore, Store};

/// GitLab's public instance, where nothing names another.
const PUBLIC_GITLAB: &str = "https://gitlab.com/api/v4";

/// The producer's settings, from the flags or from the configuration, with the flags laid over it.
pub(super) fn settings(
    args: &Lookup,
    config: Option<&Config>,
    name: Option<&str>,
) -> Result<Settings, Failure> {
    let mut settings = match (&args.reach.registry, config) {
        (Some(registry), _) => Settings::of_registry(registry.parse().map_err(usage)?),
        (None, Some(config)) => configured(config, name.or(args.reach.producer.as_deref()))?,
        (None, None) => return Err(no_registry()),
    };
    settings.plain_http |= args.reach.plain_http;
    if !args.discovery.is_empty() {
        settings.discovery = discovery(&args.discovery)?;
    }
    if let Some(url) = &args.gitlab_url {
        settings.gitlab_url = Some(url.parse().map_err(|_| Failure::usage(format!("`{url}` is no URL")))?);
    }
    settings.gitlab_project = args.gitlab_project.clone().or(settings.gitlab_project);
    if let Some(pattern) = &args.names_pattern {
        settings.naming = naming(Some(pattern))?;
    }
    if !args.reach.cosign_key.is_empty() {
        settings.keys = args.reach.cosign_key.iter().cloned().map(KeySource::File).collect();
    }
    Ok(settings)
}

/// How names are read, by the flag alone.
pub(super) fn naming(pattern: Option<&str>) -> Result<Naming, Failure> {
    let pattern = pattern.map(NamePattern::new).transpose();
    Ok(Naming { pattern: pattern.map_err(|error| Failure::usage(format!("--names-pattern: {error}")))? })
}

/// The policy of the flags, laid over that of the configuration.
pub(super) fn policy(args: &Lookup, configured: Option<&Policy>) -> Policy {
    let policy = configured.cloned().unwrap_or_default();
    Policy {
        range: args.range.clone().or(policy.range.clone()),
        signatures: args.reach.signatures.map(Demand::from).or(policy.signatures),
        ..policy
    }
}

/// The transport with the network settings of flags and configuration.
pub(super) fn transport(context: &Context, args: &Reach, network: &Network) -> Result<Transport, Failure> {
    let mut extra_ca = Vec::new();
    for file in network.ca_files.iter().chain(&args.ca_file) {
        extra_ca.push(crate::disk::read_small(file)?);
    }
    let settings = crate::http::Settings {
        connect_timeout: network.connect_timeout,
        read_timeout: network.read_timeout,
        request_timeout: network.request_timeout,
        retries: network.retries,
        per_host: args.concurrency.map_or(network.concurrency, usize::from),
        extra_ca,
        proxy_from_environment: network.proxy_from_environment,
        deadline: context.deadline,
        ..crate::http::Settings::default()
    };
    Ok(Transport::new(settings)?)
}

/// The producer with its registry, sources and memory.
pub(super) async fn producer(
    environment: &Environment,
    config: Option<&Config>,
    settings: &Settings,
    transport: &Transport,
    store: Arc<dyn Store>,
) -> Result<Producer, Failure> {
    let registry = registry(environment, settings, transport).await?;
    let wanted = match &settings.discovery {
        Discovery::Auto => {
            vec![Source::ReleaseNotes, Source::Gitlab, Source::Github, Source::Catalog, Source::Known]
        }
        Discovery::Sources(sources) => sources.clone(),
    };
    let sources =
        Sources { environment, config, settings, transport, registry: &registry }.open(&wanted).await?;
    Ok(Producer {
        prefix: settings.registry.clone(),
        plain_http: settings.plain_http,
        naming: settings.naming.clone(),
        registry: Arc::new(registry),
        sources,
        probe: wanted.contains(&Source::Known),
        keys: keys(&settings.keys)?,
        store,
    })
}

/// The registry of the settings, with the credentials for it.
pub(super) async fn registry(
    environment: &Environment,
    settings: &Settings,
    transport: &Transport,
) -> Result<OciRegistry, Failure> {
    let credentials = credentials(environment, settings).await?;
    OciRegistry::new(transport.clone(), settings.registry.host(), settings.plain_http, credentials)
        .map_err(Failure::person)
}

/// The public keys of the settings, read.
pub(super) fn keys(sources: &[KeySource]) -> Result<Option<Keys>, Failure> {
    let key = |source: &KeySource| match source {
        KeySource::Pem { key, .. } => Ok(*key),
        KeySource::File(path) => {
            let text = String::from_utf8_lossy(&crate::disk::read_small(path)?).into_owned();
            PublicKey::from_pem(&text)
                .map_err(|error| Failure::person(anyhow::anyhow!("{}: {error}", path.display())))
        }
    };
    Ok(Keys::new(sources.iter().map(key).collect::<Result<Vec<_>, _>>()?))
}

/// The cache, where a folder is named.
pub(super) fn store(args: &Reach, config: Option<&Config>, naming: &Naming) -> Arc<dyn Store> {
    let folder = args.cache_dir.as_deref().or(config.and_then(|config| config.cache_dir.as_deref()));
    match folder {
        Some(folder) => Arc::new(DiskStore::new(folder, naming.clone())),
        None => Arc::new(NoStore),
    }
}

struct Sources<'a> {
    environment: &'a Environment,
    config: Option<&'a Config>,
    settings: &'a Settings,
    transport: &'a Transport,
    registry: &'a OciRegistry,
}

impl Sources<'_> {
    /// The catalogues of the wanted sources, in their order. Those of GitLab need a GitLab: it is looked for once.
    async fn open(&self, wanted: &[Source]) -> Result<Vec<Arc<dyn Catalogue>>, Failure> {
        let of_gitlab = wanted.iter().any(|source| matches!(source, Source::ReleaseNotes | Source::Gitlab));
        let gitlab = if of_gitlab { self.gitlab().await? } else { None };
        let mut catalogues: Vec<Arc<dyn Catalogue>> = Vec::new();
        for source in wanted {
            let prefix = self.settings.registry.clone();
            match (source, &gitlab) {
                (Source::ReleaseNotes, Some((api, token, project))) => {
                    let (transport, token, project) =
                        (self.transport.clone(), token.clone(), project.clone());
                    let notes = ReleaseNotes::new(transport, api, token, project, prefix);
                    catalogues.push(Arc::new(notes.map_err(Failure::person)?));
                }
                (Source::Gitlab, Some((api, token, project))) => {
                    let (transport, token, project) =
                        (self.transport.clone(), token.clone(), project.clone());
                    let repositories = RegistryRepositories::new(transport, api, token, project, prefix);
                    catalogues.push(Arc::new(repositories.map_err(Failure::person)?));
                }
                (Source::Github, _) => {
                    let forge = self.config.map(|config| &config.forge);
                    match github::packages(self.environment, forge, self.settings, self.transport)? {
                        Some(packages) => catalogues.push(Arc::new(packages)),
                        None => self.only_if_auto(source)?,
                    }
                }
                (Source::Catalog, _) => {
                    catalogues.push(Arc::new(OciCatalog::new(self.registry.clone(), prefix)))
                }
                (Source::File(path), _) => {
                    let (path, naming) = (path.clone(), self.settings.naming.clone());
                    catalogues.push(Arc::new(FileCatalogue { path, naming }));
                }
                (Source::Known, _) => {}
                (Source::ReleaseNotes | Source::Gitlab, None) => self.only_if_auto(source)?,
            }
        }
        Ok(catalogues)
    }

    /// A source that does not apply is passed over under `auto`, and a mistake when it was asked for by name.
    fn only_if_auto(&self, source: &Source) -> Result<(), Failure> {
        if self.settings.discovery == Discovery::Auto {
            return Ok(());
        }
        let registry = &self.settings.registry;
        let (what, hint) = match source {
            Source::Github => {
                ("GitHub", "name it as `github: {url: …}` of the producer in the configuration")
            }
            _ => {
                ("GitLab project", "name it with --gitlab-url and --gitlab-project, or in the configuration")
            }
        };
        let error = anyhow::anyhow!("no {what} of {registry} was found, which discovery `{source}` needs");
        Err(Failure::person(error).hint(hint))
    }

    /// The producer's GitLab and project: as set, else by the registry's token realm and the longest path that it knows.
    async fn gitlab(&self) -> Result<Option<(Url, Option<gitlab::Token>, ProjectId)>, Failure> {
        let api = match &self.settings.gitlab_url {
            Some(url) => gitlab::api_url(url),
            None => match self.registry.token_realm().await {
                Ok(realm) => realm.as_ref().and_then(gitlab::api_of_realm),
                Err(error) => return self.only_if_unneeded(error),
            },
        };
        let Some(api) = api else { return Ok(None) };
        // Whoever answers for the registry names this GitLab: our token goes there only if it is at home there.
        let token =
            gitlab_at_home(self.environment, self.config.map(|config| &config.forge))?.token_for(&api);
        if let Some(project) = &self.settings.gitlab_project {
            return Ok(Some((api, token, project_id(project))));
        }
        let path = self.settings.registry.path();
        let project = find_project(self.transport.clone(), &api, token.clone(), path).await;
        Ok(project.map_err(Failure::catalogue)?.map(|project| (api, token, project)))
    }

    /// A registry that cannot say where its tokens are will fail the look-up itself, with a better message.
    fn only_if_unneeded<T>(&self, error: RegistryError) -> Result<Option<T>, Failure> {
        match self.settings.discovery {
            Discovery::Auto => Ok(None),
            Discovery::Sources(_) => Err(Failure::registry(error)),
        }
    }
}

/// The GitLab that the environment's token belongs to: that of the targets, else that of the pipeline we run in, else the
/// public one.
pub(super) fn gitlab_at_home(
    environment: &Environment,
    forge: Option<&ForgeSettings>,
) -> Result<gitlab::Environment, Failure> {
    let forge = forge.filter(|forge| forge.kind == ForgeKind::Gitlab);
    let configured = forge.and_then(|forge| forge.url.as_ref()).and_then(gitlab::api_url);
    // The token's variable may have another name; to the adapter it is GITLAB_TOKEN.
    let lookup = |name: &str| match (name, forge) {
        ("GITLAB_TOKEN", Some(forge)) => environment.get(&forge.token_env),
        (name, _) => environment.get(name),
    };
    let found = gitlab::from_environment(&lookup, configured.as_ref()).map_err(Failure::person)?;
    match (&found.api, PUBLIC_GITLAB.parse()) {
        (None, Ok(public)) => gitlab::from_environment(&lookup, Some(&public)).map_err(Failure::person),
        _ => Ok(found),
    }
}

async fn credentials(environment: &Environment, settings: &Settings) -> Result<Credentials, Failure> {
    let named = settings.credentials.as_ref();
    if let Some(names) = named {
        let get = |name: &str| {
            let unset =
                || Failure::person(anyhow::anyhow!("{name}, which the configuration names, is not set"));
            environment.get(name).ok_or_else(unset)
        };
        let (user, password) = (get(&names.username_env)?, get(&names.password_env)?);
        return Ok(Credentials::Password { user, password: Secret::new(password) });
    }
    let lookup = |name: &str| environment.get(name);
    Credentials::find(&settings.registry, &lookup).await.map_err(Failure::person)
}

fn configured(config: &Config, name: Option<&str>) -> Result<Settings, Failure> {
    let names =
        || config.producers.iter().map(|producer| producer.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, &config.producers[..]) {
        (Some(name), _) => config.producer(name).cloned().ok_or_else(|| {
            Failure::usage(format!("the configuration has no producer `{name}` (it has {})", names()))
        }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Failure::usage(format!("say which producer with --producer: {}", names()))),
    }
}

/// `42` or `group/project`.
pub(super) fn project_id(text: &str) -> ProjectId {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

fn discovery(words: &[String]) -> Result<Discovery, Failure> {
    if let [word] = words
        && word == "auto"
    {
        return Ok(Discovery::Auto);
    }
    let source = |word: &String| {
        word.parse::<Source>().map_err(|error| Failure::usage(format!("--discovery: {error}")))
    };
    Ok(Discovery::Sources(words.iter().map(source).collect::<Result<_, _>>()?))
}

fn no_registry() -> Failure {
    Failure::usage("there is nothing to ask: no --registry, no --observed, and no configuration file")
        .hint("dibump plan values.yaml --registry oci://registry.example/path/diskimage-builder")
}

fn usage(error: impl std::error::Error) -> Failure {
    Failure::usage(error.to_string())
}

impl From<DemandArg> for Demand {
    fn from(demand: DemandArg) -> Self {
        match demand {
            DemandArg::Required => Self::Required,
            DemandArg::Warn => Self::Warn,
            DemandArg::Off => Self::Off,
        }
    }
}
