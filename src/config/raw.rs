//! `dibump.yaml` as written. What the words mean, and whether they fit together, is [`super::meaning`]'s matter.
//!
//! The doc comments are the descriptions in the JSON schema, which is read by people in their editors.

mod check;
mod fleet;
mod following;
mod layered;
mod merge_request;
mod policy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use check::RawCheck;
pub(super) use fleet::{RawInclude, RawLimits, RawPattern, RawSchedule, RawTargets};
pub(super) use following::{
    RawFollowing, RawKubernetesRule, RawKubernetesVersions, RawMapLines, RawValueFrom, RawValuesFrom,
};
pub(super) use merge_request::{RawMergeRequest, RawSemanticCommits};
pub(super) use policy::RawPolicy;

use super::meant::ForgeKind;
use crate::reconcile::{DefaultEnabled, Images};

/// What dibump follows, where, and how.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "dibump.yaml")]
pub(super) struct RawConfig {
    /// The format of this file.
    #[schemars(range(min = 1, max = 1))]
    pub(super) version: u32,
    /// Where releases are published.
    #[schemars(length(min = 1))]
    pub(super) producers: Vec<RawProducer>,
    /// Hosts of registries (`registry.example:5000`) that `run` and `serve` may ask although only a values file names them, beside those of the producers. TLS is used for them, and no credential but the one that docker has for their host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) registries_allowed: Vec<String>,
    /// Hosts (`raw.githubusercontent.com`, `lists.example:8443`) that the lists of `values_from` may be read from, over TLS and without credentials. Redirects lead to these hosts only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values_from_hosts: Vec<String>,
    /// Which releases may be proposed; targets and their branches may say otherwise, key by key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) policy: RawPolicy,
    /// Where the targets are.
    #[serde(default)]
    pub(super) forge: RawForge,
    /// What is kept in step.
    #[serde(default)]
    pub(super) targets: Vec<RawTarget>,
    /// Where more targets come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) include: Vec<RawInclude>,
    /// How many merge requests there may be.
    #[serde(default)]
    pub(super) limits: RawLimits,
    /// When merge requests may be opened; targets and their branches may say otherwise. Default: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<RawSchedule>,
    /// Settings of new merge requests; targets may say otherwise, key by key.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) merge_request: RawMergeRequest,
    /// How severe each kind of finding of `dibump check` is: `error`, `warn` or `off`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) check: RawCheck,
    /// How servers are contacted.
    #[serde(default)]
    pub(super) network: RawNetwork,
    /// What is remembered between runs.
    #[serde(default)]
    pub(super) cache: RawCache,
}

/// A producer of releases.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProducer {
    /// The registry prefix below which each image key is a repository: `oci://HOST[:PORT]/PATH`.
    pub(super) registry: String,
    /// Its name in targets and source branches; the last segment of the prefix unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Speak plain HTTP to this registry.
    #[serde(default)]
    pub(super) plain_http: bool,
    /// Where versions and names come from: `auto`, or sources in the order in which they are asked.
    #[serde(default)]
    pub(super) discovery: RawDiscovery,
    /// The producer's GitLab project, where it cannot be told from the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gitlab: Option<RawGitlab>,
    /// The GitHub that the registry belongs to, where it cannot be told from the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) github: Option<RawGithub>,
    /// How image keys are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<RawNames>,
    /// Which environment variables hold the registry's credentials. `DIBUMP_REGISTRY_USERNAME` and `DIBUMP_REGISTRY_PASSWORD` need no mention where this is the only producer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) credentials: Option<RawCredentials>,
    /// The public keys (ECDSA P-256, PEM) of which one must have signed each image; those of the values file unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cosign_public_keys: Vec<RawKey>,
}

/// A public key, as it is or in a file.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawKey {
    Pem(String),
    File(RawKeyFile),
}

/// A file with a public key.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeyFile {
    /// Its path, relative to the working directory.
    pub(super) file: String,
}

/// `auto`, or a list of sources.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawDiscovery {
    Auto(RawAuto),
    Sources(Vec<RawSource>),
}

/// The word `auto`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawAuto {
    /// The cheapest source that fits.
    Auto,
}

/// A source of versions and names.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawSource {
    Named(RawSourceName),
    File(RawFileSource),
}

/// A source that needs no setting of its own.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawSourceName {
    /// The releases of the producer's GitLab project and the images that their notes list.
    ReleaseNotes,
    /// The registry repositories of the producer's GitLab project.
    Gitlab,
    /// The container packages of the producer's account on GitHub.
    Github,
    /// The registry's catalogue.
    Catalog,
    /// Keys of the file, their next patches and minors, each asked for by itself.
    Known,
}

/// A file that `dibump releases --format json` printed elsewhere.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFileSource {
    /// Its path, relative to the working directory.
    pub(super) file: String,
}

/// A GitLab project.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGitlab {
    /// The address of the GitLab instance; the host of the registry's token realm unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// The path of the project; the longest prefix of the registry path that GitLab knows unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<String>,
}

/// A GitHub.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGithub {
    /// The address of the GitHub instance.
    pub(super) url: String,
}

/// How image keys are read.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNames {
    /// A regular expression over the whole key with the groups `os`, `flavor`, `k8s_flavor` and `k8s_version`, asked before the known schemes.
    pub(super) pattern: String,
}

/// Names of environment variables. Secrets themselves never stand in this file.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCredentials {
    /// The variable that holds the user name.
    pub(super) username_env: String,
    /// The variable that holds the password or token.
    pub(super) password_env: String,
}

/// Where the targets are.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForge {
    /// Which forge it is. Default: gitlab.
    #[serde(default)]
    pub(super) kind: ForgeKind,
    /// Its address; that of the pipeline's own forge, else `https://gitlab.com` or `https://github.com`, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// The environment variable that holds the token. Default: GITLAB_TOKEN or GITHUB_TOKEN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_env: Option<String>,
    /// The least time between two writes to a GitHub, which asks for a second. Default: 1s.
    #[schemars(example = "1s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) write_interval: Option<String>,
    /// How long a run waits, for all its targets together, until the forge has checked open merge requests for conflicts. Default: 30s.
    #[schemars(example = "30s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conflict_check_wait: Option<String>,
    /// A GitHub App in place of a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app: Option<RawApp>,
}

/// A GitHub App, by names of environment variables. Secrets themselves never stand in this file.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApp {
    /// The variable that holds the App's id or client id. Default: GITHUB_APP_ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_env: Option<String>,
    /// The variable that holds the private key in PEM form, or the path of a file that does. Default: GITHUB_APP_PRIVATE_KEY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) private_key_env: Option<String>,
    /// The variable that holds the number of the installation; looked up for each project unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) installation_id_env: Option<String>,
}

/// A project whose values files are kept in step with a producer.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    /// The path of the project: `group/deployment`.
    pub(super) project: String,
    /// The name of the producer. Default: the only one; if there are several, or with `registries_allowed`, all that the files name, in one merge request. Targets of the same files that name different producers have one merge request as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) producer: Option<String>,
    /// The name of the group: the merge request of this target, and of others of the same files with this group, is on the branch `dibump/<target branch>/<group>`. Without it, targets of the same files that name different producers are one group, named after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) update_group: Option<String>,
    /// Whether entries of `os_images_oci_registries` with a literal release as `tag` are updated too: each within its own minor release, with its own merge request. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) generations: bool,
    /// The target branches; the project's default branch unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) branches: Vec<RawBranch>,
    /// The values files: one holds the version, others may be overlays of its mapping.
    #[schemars(length(min = 1))]
    pub(super) files: Vec<RawFile>,
    /// What happens to `default_enabled` when a newer Kubernetes of the family is added: `stay`, or `follow` (it moves to the newest, if it was at the newest before). Default: stay.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) default_enabled: DefaultEnabled,
    /// How the mapping of image keys is reconciled. Default: auto.
    #[serde(default)]
    pub(super) images: Images,
    /// Globs of other YAML files of the project that name image keys: keys that are renamed in the mapping are renamed there, removed keys are reported. Only `**` matches files in subfolders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<String>,
    /// Which Kubernetes versions in the files of the target follow those of the images: `auto` (a `k8s_version_map` in the file that holds the version), `{add: true, remove: true}` (the same, and lines of the map are added and removed), `off`, or rules for any place in any of the files. Default: auto.
    #[serde(default)]
    pub(super) kubernetes_versions: RawKubernetesVersions,
    /// Values of the files that follow the Kubernetes versions of the images and come from published lists, such as RKE2's chart versions: one, or a list of several.
    #[serde(default, skip_serializing_if = "RawValuesFrom::is_empty")]
    pub(super) values_from: RawValuesFrom,
    /// Which releases may be proposed here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) policy: RawPolicy,
    /// Releases whose holds a person ended, as `0.4.13` or `kiwi-imagebuilder@0.1.3`. A version alone must belong to one producer only. It overrides every gate except signatures.
    #[serde(default)]
    pub(super) accept: Vec<String>,
    /// Settings of new merge requests here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) merge_request: RawMergeRequest,
    /// When merge requests may be opened here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<RawSchedule>,
    /// Whether dibump writes here. With `false` it only reports what it would do. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
}

/// A target branch: its name, or its name and settings.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawBranch {
    Name(String),
    Full(Box<RawFullBranch>),
}

/// A target branch with settings of its own.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFullBranch {
    /// Its name.
    pub(super) name: String,
    /// Which releases may be proposed to it.
    #[serde(default)]
    pub(super) policy: RawPolicy,
    /// When merge requests may be opened to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<RawSchedule>,
}

/// A values file: its path, or its path and settings.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawFile {
    Path(String),
    Full(RawFullFile),
}

/// A values file with settings.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFullFile {
    /// Its path in the repository.
    pub(super) path: String,
    /// Where the version stands, as in `spec.values.version`; found by its usual name unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version_key: Option<String>,
    /// Where the mapping of image keys stands; found by its usual names unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) images_key: Option<String>,
    /// The entry of `os_images_oci_registries` whose images are ours, where several registries share the mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry_key: Option<String>,
    /// Whether it is an overlay: it lists keys of another file's mapping and holds no version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) overlay: bool,
}

/// How servers are spoken to. Proxies come from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNetwork {
    /// How many requests may be under way to one host at once. Default: 16.
    #[schemars(range(min = 1, max = 64))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) concurrency: Option<u8>,
    /// How long a connection may take to be made. Default: 10s.
    #[schemars(example = "10s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connect_timeout: Option<String>,
    /// How long a server may be silent in the middle of an answer. Default: 30s.
    #[schemars(example = "30s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) read_timeout: Option<String>,
    /// How long one request may take. Default: 60s.
    #[schemars(example = "60s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_timeout: Option<String>,
    /// How long a server may send nothing, repetitions included, before it is given up. Default: 60s.
    #[schemars(example = "60s")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) give_up_after: Option<String>,
    /// How often a request that only reads is repeated. Default: 3.
    #[schemars(range(max = 10))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retries: Option<u8>,
    /// PEM files with certificate authorities to trust beside those of the system.
    #[serde(default)]
    pub(super) ca_files: Vec<String>,
    /// Whether the proxy variables of the environment are honoured. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proxy_from_environment: Option<bool>,
}

/// What is remembered between runs. Losing it costs requests or waiting, nothing else.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCache {
    /// The folder; the user's cache folder unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dir: Option<String>,
}

impl Default for RawDiscovery {
    fn default() -> Self {
        Self::Auto(RawAuto::Auto)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
