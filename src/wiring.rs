//! Adapters from configuration: the one module that names them together.
//!
//! A [`Session`] is what the commands, the demo, the benchmarks and the fault matrix work in: one transport, and over it
//! the registries, sources, caches and forges that the configuration describes. Flags are laid over the configuration as
//! [`Overrides`]; environment and time come in as a value, [`Environment`].

mod cluster;
mod credentials;
mod environment;
mod error;
mod fleet;
mod forge;
mod github;
mod gitlab;
mod sources;
mod variables;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures::FutureExt as _;
use url::Url;

pub use cluster::{ClusterSettings, cluster};
pub use credentials::unclaimed;
pub use environment::Environment;
pub use error::WiringError;
pub use fleet::{Fleet, TargetSelection};
pub use variables::{VARIABLES, Variable, VariableGroup};

use crate::apply::Patience;
use crate::blob::{BlobSource, Blobs};
use crate::config::{
    Config, ConfiguredProducer as Settings, ConfiguredSource, Discovery, KeySource, Network,
};
use crate::disk::cache::DiskStore;
use crate::disk::read_small;
use crate::http::Transport;
use crate::merge_request::Outcome;
use crate::observe::lists::ListReader;
use crate::observe::releases::{Producer, ReleaseCache};
use crate::oci::OciRegistry;
use crate::registry::Registry;
use crate::release::Naming;
use crate::run::{JobReport, Options, Producers, run};
use crate::signature::{Keys, PublicKey};
use crate::store::{NoStore, Store};
use crate::web::WebFile;

/// What `discovery: auto` asks, in this order.
const AUTO: [ConfiguredSource; 5] = [
    ConfiguredSource::ReleaseNotes,
    ConfiguredSource::Gitlab,
    ConfiguredSource::Github,
    ConfiguredSource::Catalog,
    ConfiguredSource::Known,
];

/// What is laid over the configuration for one session.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// How many requests may be under way to one host at once.
    pub concurrency: Option<usize>,
    /// Further certificate authorities (PEM files).
    pub ca_files: Vec<PathBuf>,
    /// The folder that keeps releases which were completely read.
    pub cache_dir: Option<PathBuf>,
    /// When every request must have ended.
    pub deadline: Option<Instant>,
}

/// The world as one command reaches it. When it ends, the log says how many requests it took.
pub struct Session<'a> {
    environment: &'a Environment,
    config: &'a Config,
    transport: Transport,
    cache_dir: Option<PathBuf>,
    /// What all repositories of a GitHub share.
    github: OnceLock<crate::github::Pacing>,
}

impl<'a> Session<'a> {
    /// Opens a session; nothing is asked yet.
    pub fn open(
        environment: &'a Environment,
        config: &'a Config,
        overrides: &Overrides,
    ) -> Result<Self, WiringError> {
        let transport = Transport::new(settings(&config.network, overrides)?)?;
        let mut session = Self::over(environment, config, transport);
        let named = overrides.cache_dir.clone().or_else(|| config.cache_dir.clone());
        session.cache_dir = named.or_else(|| environment.cache_dir());
        Ok(session)
    }

    /// A session over a transport that has settings of its own, and without a cache.
    pub fn over(environment: &'a Environment, config: &'a Config, transport: Transport) -> Self {
        Self { environment, config, transport, cache_dir: None, github: OnceLock::new() }
    }

    /// What all requests go over.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The producer with its registry, sources and memory.
    pub async fn producer(&self, settings: &Settings) -> Result<Arc<Producer>, WiringError> {
        let registry = self.oci(settings).await?;
        let wanted = match &settings.discovery {
            Discovery::Auto => AUTO.to_vec(),
            Discovery::Sources(sources) => sources.clone(),
        };
        let sources = sources::open(self, settings, &registry, &wanted).await?;
        Ok(Arc::new(Producer {
            prefix: settings.registry.clone(),
            plain_http: settings.plain_http,
            naming: settings.naming.clone(),
            registry: Arc::new(registry),
            sources,
            probe: wanted.contains(&ConfiguredSource::Known),
            keys: keys(&settings.keys)?,
            store: self.store(&settings.naming),
        }))
    }

    /// The producers that targets may follow, each made ready when the first target needs it. One that cannot be made ready
    /// fails its own targets only, and one that takes long is waited for by no other.
    pub fn producers(&self) -> Producers<'_> {
        let ready = move |settings: Settings| {
            let ready = async move {
                let producer = self.producer(&settings).await.map_err(|error| Outcome::of(&error));
                producer.map(|producer| Arc::new(ReleaseCache::new(producer)))
            };
            ready.boxed().shared()
        };
        let configured = self.config.producers.iter();
        let configured = configured.map(|settings| (settings.name.clone(), ready(settings.clone())));
        let only_named = move |prefix: &_| ready(self.config.named_by_values(prefix));
        Producers::new(configured.collect(), only_named, Arc::new(self.lists()))
    }

    /// The registry of a producer, with the credentials for it.
    pub async fn registry(&self, settings: &Settings) -> Result<Arc<dyn Registry>, WiringError> {
        Ok(Arc::new(self.oci(settings).await?))
    }

    /// What hands out the blobs of a producer, with the credentials for it.
    pub async fn blobs(&self, settings: &Settings) -> Result<Arc<dyn Blobs>, WiringError> {
        Ok(Arc::new(self.oci(settings).await?))
    }

    /// The file of a web server; redirects lead to these hosts only.
    pub fn web_file(&self, url: Url, hosts: Arc<[String]>) -> Arc<dyn BlobSource> {
        Arc::new(WebFile::new(self.transport.clone(), url, hosts))
    }

    /// What reads the lists of `values_from`, of the hosts that the configuration allows.
    pub fn lists(&self) -> ListReader {
        let hosts: Arc<[String]> = self.config.values_from_hosts.clone().into();
        let transport = self.transport.clone();
        let open = move |url: &str| {
            let url = url.parse().map_err(|_| format!("{url} is not a URL"))?;
            let file = WebFile::new(transport.clone(), url, Arc::clone(&hosts));
            Ok(Arc::new(file) as Arc<dyn BlobSource>)
        };
        ListReader::new(open, self.store(&Naming::default()))
    }

    async fn oci(&self, settings: &Settings) -> Result<OciRegistry, WiringError> {
        let credentials = credentials::credentials(self.environment, settings).await?;
        let (transport, host) = (self.transport.clone(), settings.registry.host());
        OciRegistry::new(transport, host, settings.plain_http, credentials).map_err(WiringError::access)
    }

    /// The cache, where a folder is named.
    pub fn store(&self, naming: &Naming) -> Arc<dyn Store> {
        match &self.cache_dir {
            Some(folder) => Arc::new(DiskStore::new(folder, naming.clone())),
            None => Arc::new(NoStore),
        }
    }

    /// How long the forge is waited for.
    pub fn patience(&self) -> Patience {
        let usual = Patience::default();
        Patience { checks: self.config.forge.conflict_check_wait.unwrap_or(usual.checks), ..usual }
    }

    /// Runs the jobs of a fleet and tells of each when it has ended, by its place in [`Fleet::jobs`].
    pub async fn run(&self, fleet: &Fleet, patience: Patience, tell: impl FnMut(usize, JobReport)) {
        let deadline = self.transport.settings().deadline;
        let options = Options { now: self.environment.now, patience, limits: self.config.limits, deadline };
        run(&fleet.jobs, &self.producers(), options, tell).await;
    }
}

/// Round trips are what a command costs.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        for ((origin, status), count) in self.transport.requests() {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            tracing::debug!(%origin, status, count, "requests");
        }
    }
}

fn settings(network: &Network, overrides: &Overrides) -> Result<crate::http::TransportSettings, WiringError> {
    let files = network.ca_files.iter().chain(&overrides.ca_files);
    Ok(crate::http::TransportSettings {
        connect_timeout: network.connect_timeout,
        read_timeout: network.read_timeout,
        request_timeout: network.request_timeout,
        give_up_after: network.give_up_after,
        retries: network.retries,
        per_host: overrides.concurrency.unwrap_or(network.concurrency),
        extra_ca: files.map(|file| read_small(file)).collect::<Result<_, _>>()?,
        proxy_from_environment: network.proxy_from_environment,
        deadline: overrides.deadline,
        ..crate::http::TransportSettings::default()
    })
}

/// The public keys of a producer, read.
pub fn keys(sources: &[KeySource]) -> Result<Option<Keys>, WiringError> {
    let key = |source: &KeySource| match source {
        KeySource::Pem { key, .. } => Ok(*key),
        KeySource::File(path) => public_key(path),
    };
    Ok(Keys::new(sources.iter().map(key).collect::<Result<Vec<_>, _>>()?))
}

fn public_key(path: &Path) -> Result<PublicKey, WiringError> {
    let text = String::from_utf8_lossy(&read_small(path)?).into_owned();
    PublicKey::from_pem(&text).map_err(|error| WiringError::Key { path: path.to_owned(), error })
}
