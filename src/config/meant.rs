//! The configuration as meant: every word read, every default filled in, everything checked against everything else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::raw::RawPolicy;
use crate::check::Severities;
use crate::merge_request::template::Templates;
use crate::merge_request::{Branch, BranchPrefix, MergeRequestSettings, Upkeep};
use crate::plan;
use crate::registry::Prefix;
use crate::release::Naming;
use crate::release::policy::Policy;
use crate::run::Limits;
use crate::schedule::Schedule;
use crate::signature::PublicKey;

/// The variable that GitLab's own tools read.
pub(super) const GITLAB_TOKEN: &str = "GITLAB_TOKEN";

/// What dibump follows, where, and how. The default is what holds without a configuration file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where releases are published; names are unique.
    pub producers: Vec<ConfiguredProducer>,
    /// Where the targets are.
    pub forge: ForgeSettings,
    /// What is kept in step, in the order of the file; (project, target branch, producer) is unique.
    pub targets: Vec<ConfiguredTarget>,
    /// Where projects are looked for that are not named.
    pub queries: Vec<Query>,
    /// Hosts of registries that `run` may ask although only a values file names them.
    pub registries_allowed: Vec<String>,
    /// Hosts that the lists of `values_from` may be read from.
    pub values_from_hosts: Vec<String>,
    /// How many merge requests there may be.
    pub limits: Limits,
    /// How severe each kind of finding of `check` is.
    pub severities: Severities,
    /// How servers are spoken to.
    pub network: Network,
    /// The folder for what is remembered between runs; `None` for the user's cache folder.
    pub cache_dir: Option<PathBuf>,
}

/// A producer of releases.
#[derive(Debug, Clone)]
pub struct ConfiguredProducer {
    /// Its name in targets and source branches.
    pub name: String,
    /// Where it publishes.
    pub registry: Prefix,
    /// Whether this registry is spoken to without TLS.
    pub plain_http: bool,
    /// Where versions and names come from.
    pub discovery: Discovery,
    /// The GitLab instance of the producer's project; `None` for the one that the registry's token realm names.
    pub gitlab_url: Option<Url>,
    /// The path of the producer's project; `None` for what GitLab knows of the registry path.
    pub gitlab_project: Option<String>,
    /// The GitHub that the registry belongs to; `None` for what its host says.
    pub github_url: Option<Url>,
    /// How image keys are read.
    pub naming: Naming,
    /// Where the registry's credentials are looked for.
    pub credentials: CredentialSource,
    /// The public keys of its signatures; none for those of the values file.
    pub keys: Vec<KeySource>,
    /// Who names its registry.
    pub named_by: NamedBy,
    /// `names.pattern` as written.
    pub(super) pattern: Option<String>,
}

/// Who names a registry: what it may be sent follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The user, by a flag or the configuration.
    Configuration,
    /// A values file alone. Its author can name any host, so it is spoken to over TLS only and gets what docker keeps for
    /// it, no other credential; no forge is asked but gitlab.com about its own registry.
    ValuesFile,
}

/// Where a public key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// It stands in the configuration.
    Pem {
        /// The key.
        key: PublicKey,
        /// The same as written.
        written: String,
    },
    /// It stands in a file, relative to the working directory.
    File(PathBuf),
}

/// Where versions and names come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// The cheapest source that fits.
    Auto,
    /// These sources, asked in this order.
    Sources(Vec<ConfiguredSource>),
}

/// A source of versions and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfiguredSource {
    /// Releases of the producer's GitLab project.
    ReleaseNotes,
    /// Registry repositories of the producer's GitLab project.
    Gitlab,
    /// Container packages of the producer's account on GitHub.
    Github,
    /// The registry's catalogue.
    Catalog,
    /// Names that are guessed and asked for.
    Known,
    /// A file that `releases --format json` printed, relative to the working directory.
    File(PathBuf),
}

/// Text that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a source (expected auto, release-notes, gitlab, github, catalog, known or file:PATH)")]
pub struct InvalidSource(pub String);

impl std::str::FromStr for ConfiguredSource {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        match text {
            "release-notes" => Ok(Self::ReleaseNotes),
            "gitlab" => Ok(Self::Gitlab),
            "github" => Ok(Self::Github),
            "catalog" => Ok(Self::Catalog),
            "known" => Ok(Self::Known),
            _ => match text.strip_prefix("file:") {
                Some(path) if !path.is_empty() => Ok(Self::File(path.into())),
                _ => Err(InvalidSource(text.to_owned())),
            },
        }
    }
}

impl std::fmt::Display for ConfiguredSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReleaseNotes => f.write_str("release-notes"),
            Self::Gitlab => f.write_str("gitlab"),
            Self::Github => f.write_str("github"),
            Self::Catalog => f.write_str("catalog"),
            Self::Known => f.write_str("known"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Where the credentials of a registry are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// In these variables, which must be set.
    Named(CredentialNames),
    /// In the two variables that name no registry, where they are set, because only this one can be meant; else by host.
    Usual,
    /// Where docker and GitLab's jobs keep them by the name of the host, and nowhere else.
    ByHost,
}

/// Names of environment variables. Their values are kept in a type that cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialNames {
    /// The variable with the user name.
    pub username_env: String,
    /// The variable with the password or token.
    pub password_env: String,
}

/// Where the targets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeSettings {
    /// Which forge it is.
    pub kind: ForgeKind,
    /// Its address; `None` for that of the pipeline that we run in, else the public one.
    pub url: Option<Url>,
    /// The environment variable with the token.
    pub token_env: String,
    /// The least time between two writes to a GitHub; `None` for what GitHub asks for.
    pub write_interval: Option<Duration>,
    /// How long a run waits for checks for conflicts; `None` for the usual time.
    pub conflict_check_wait: Option<Duration>,
    /// The GitHub App that is used in place of a token.
    pub app: Option<AppNames>,
}

/// Names of environment variables of a GitHub App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppNames {
    /// The variable with its id or client id.
    pub id_env: String,
    /// The variable with the private key, or with the path of a file that holds it.
    pub private_key_env: String,
    /// The variable with the number of the installation; `None` to look it up.
    pub installation_id_env: Option<String>,
}

/// A kind of forge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeKind {
    /// GitLab, gitlab.com or self-managed.
    #[default]
    Gitlab,
    /// GitHub, github.com, with data residency or Enterprise Server.
    Github,
}

/// A project whose values files are kept in step with a producer.
#[derive(Debug, Clone)]
pub struct ConfiguredTarget {
    /// The path of the project.
    pub project: String,
    /// The producer's name, which [`Config::producer`] knows; `None` for every producer that its files name.
    pub producer: Option<String>,
    /// The name of the group in which its producers are offered together; `None` for that of the first producer.
    pub update_group: Option<String>,
    /// Whether the registries that are at a release of their own are kept in step, each by itself.
    pub generations: bool,
    /// The target branches, at least one.
    pub branches: Vec<TargetBranch>,
    /// Its files, the one that holds the version first, and what follows them.
    pub files: plan::Target,
    /// Settings of new merge requests.
    pub merge_request: MergeRequestSettings,
    /// How an open merge request here is kept.
    pub upkeep: Upkeep,
    /// What the names of its source branches begin with.
    pub branch_prefix: BranchPrefix,
    /// What merge requests here say in the user's words.
    pub templates: Templates,
    /// Whether anything is written.
    pub enabled: bool,
}

/// Projects of a group that are not named.
#[derive(Debug, Clone)]
pub struct Query {
    /// The group, its subgroups included, or the organisation.
    pub group: String,
    /// A topic that they have.
    pub topic: Option<String>,
    /// A path that they have.
    pub has: Option<String>,
    /// What is kept in step in each of them; its project stands for any.
    pub target: ConfiguredTarget,
}

/// A target branch.
#[derive(Debug, Clone)]
pub struct TargetBranch {
    /// Its name; `None` for the project's default branch.
    pub name: Option<Branch>,
    /// Which releases may be proposed to it, the target's `accept:` included.
    pub policy: Policy,
    /// When merge requests may be opened to it; `None` for always.
    pub schedule: Option<Schedule>,
    /// The policy as written, because ranges and globs are not printed from their compiled form.
    pub(super) written: RawPolicy,
}

/// How servers are spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// How many requests may be under way to one host at once, 1 to 64.
    pub concurrency: usize,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a server may be silent in the middle of an answer.
    pub read_timeout: Duration,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long a server may send nothing, repetitions included, before it is given up.
    pub give_up_after: Duration,
    /// How often a request that only reads is repeated.
    pub retries: u32,
    /// PEM files with further certificate authorities.
    pub ca_files: Vec<PathBuf>,
    /// Whether the proxy variables of the environment are honoured.
    pub proxy_from_environment: bool,
}

impl ConfiguredProducer {
    /// A producer of which only the registry prefix is known, and where its credentials are.
    pub fn of_registry(registry: Prefix, credentials: CredentialSource) -> Self {
        Self {
            name: registry.producer().to_owned(),
            registry,
            plain_http: false,
            discovery: Discovery::Auto,
            gitlab_url: None,
            gitlab_project: None,
            github_url: None,
            naming: Naming::default(),
            credentials,
            keys: Vec::new(),
            named_by: NamedBy::Configuration,
            pattern: None,
        }
    }

    /// A producer that only a values file names.
    pub fn of_values_file(registry: Prefix) -> Self {
        let named_by = NamedBy::ValuesFile;
        Self { named_by, ..Self::of_registry(registry, CredentialSource::ByHost) }
    }
}

impl ConfiguredTarget {
    /// Whether both may follow the same producer: one that names none may follow any.
    pub fn may_follow_as(&self, other: &Self) -> bool {
        let (own, other) = (&self.producer, &other.producer);
        own.is_none() || other.is_none() || own == other
    }

    /// How reports call what it follows.
    pub fn called(&self) -> &str {
        self.producer.as_deref().unwrap_or("the producers of its files")
    }

    /// Whether a branch of both is kept in step with the same producer.
    pub(super) fn shares_a_branch(&self, other: &Self) -> bool {
        let names = |target: &Self| target.branches.iter().map(|b| b.name.clone()).collect::<Vec<_>>();
        let theirs = names(other);
        self.may_follow_as(other) && names(self).iter().any(|name| theirs.contains(name))
    }
}

impl Config {
    /// Whether a producer names one of these variables under `credentials:`.
    pub fn names_a_variable(&self, variables: &[&str]) -> bool {
        self.producers.iter().any(|producer| match &producer.credentials {
            CredentialSource::Named(names) => [&names.username_env, &names.password_env]
                .iter()
                .any(|name| variables.contains(&name.as_str())),
            CredentialSource::Usual | CredentialSource::ByHost => false,
        })
    }

    /// The producer of that name. Every name in [`Config::targets`] has one.
    pub fn producer(&self, name: &str) -> Option<&ConfiguredProducer> {
        self.producers.iter().find(|producer| producer.name == name)
    }
}

impl Default for ForgeSettings {
    fn default() -> Self {
        let token_env = GITLAB_TOKEN.to_owned();
        Self {
            kind: ForgeKind::Gitlab,
            url: None,
            token_env,
            write_interval: None,
            conflict_check_wait: None,
            app: None,
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            concurrency: 16,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            give_up_after: Duration::from_secs(60),
            retries: 3,
            ca_files: Vec::new(),
            proxy_from_environment: true,
        }
    }
}
