//! The configuration as meant, in the form of `dibump.yaml`: every default written out, every policy where it applies.

use std::time::Duration;

use super::meant::{
    Config, ConfiguredProducer, ConfiguredSource, ConfiguredTarget, CredentialSource, Discovery, KeySource,
    Network, Query,
};
use super::raw::{
    RawApp, RawAuto, RawBranch, RawCache, RawCheck, RawConfig, RawCredentials, RawDiscovery, RawFile,
    RawFileSource, RawForge, RawFullBranch, RawFullFile, RawGithub, RawGitlab, RawInclude, RawKey,
    RawKeyFile, RawKubernetesVersions, RawLimits, RawMergeRequest, RawNames, RawNetwork, RawPattern,
    RawPolicy, RawProducer, RawSchedule, RawSource, RawSourceName, RawTarget, RawValuesFrom,
};
use crate::plan::FileSpec;

/// The configuration as meant. Reading it again gives the same.
pub fn show(config: &Config) -> String {
    // Texts, numbers, lists and mappings with text keys can always be written as YAML.
    serde_yaml::to_string(&as_written(config)).unwrap_or_default()
}

fn as_written(config: &Config) -> RawConfig {
    RawConfig {
        version: 1,
        producers: config.producers.iter().map(producer).collect(),
        registries_allowed: config.registries_allowed.clone(),
        values_from_hosts: config.values_from_hosts.clone(),
        policy: RawPolicy::default(),
        forge: RawForge {
            kind: config.forge.kind,
            url: config.forge.url.as_ref().map(ToString::to_string),
            token_env: Some(config.forge.token_env.clone()),
            write_interval: config.forge.write_interval.map(written),
            conflict_check_wait: config.forge.conflict_check_wait.map(written),
            app: config.forge.app.as_ref().map(|names| RawApp {
                id_env: Some(names.id_env.clone()),
                private_key_env: Some(names.private_key_env.clone()),
                installation_id_env: names.installation_id_env.clone(),
            }),
        },
        targets: config.targets.iter().map(target).collect(),
        include: config.queries.iter().map(query).collect(),
        limits: RawLimits::of(&config.limits),
        schedule: None,
        merge_request: RawMergeRequest::default(),
        check: RawCheck::of(&config.severities),
        network: network(&config.network),
        cache: RawCache { dir: config.cache_dir.as_ref().map(|dir| dir.display().to_string()) },
    }
}

fn producer(producer: &ConfiguredProducer) -> RawProducer {
    let gitlab = RawGitlab {
        url: producer.gitlab_url.as_ref().map(ToString::to_string),
        project: producer.gitlab_project.clone(),
    };
    RawProducer {
        registry: format!("oci://{}/{}", producer.registry.host(), producer.registry.path()),
        name: Some(producer.name.clone()),
        plain_http: producer.plain_http,
        discovery: discovery(&producer.discovery),
        gitlab: (gitlab.url.is_some() || gitlab.project.is_some()).then_some(gitlab),
        github: producer.github_url.as_ref().map(|url| RawGithub { url: url.to_string() }),
        names: producer.pattern.clone().map(|pattern| RawNames { pattern }),
        credentials: match &producer.credentials {
            CredentialSource::Named(names) => Some(RawCredentials {
                username_env: names.username_env.clone(),
                password_env: names.password_env.clone(),
            }),
            CredentialSource::Usual | CredentialSource::ByHost => None,
        },
        cosign_public_keys: producer.keys.iter().map(key).collect(),
    }
}

fn key(key: &KeySource) -> RawKey {
    match key {
        KeySource::Pem { written, .. } => RawKey::Pem(written.clone()),
        KeySource::File(path) => RawKey::File(RawKeyFile { file: path.display().to_string() }),
    }
}

fn discovery(discovery: &Discovery) -> RawDiscovery {
    let source = |source: &ConfiguredSource| match source {
        ConfiguredSource::ReleaseNotes => RawSource::Named(RawSourceName::ReleaseNotes),
        ConfiguredSource::Gitlab => RawSource::Named(RawSourceName::Gitlab),
        ConfiguredSource::Github => RawSource::Named(RawSourceName::Github),
        ConfiguredSource::Catalog => RawSource::Named(RawSourceName::Catalog),
        ConfiguredSource::Known => RawSource::Named(RawSourceName::Known),
        ConfiguredSource::File(path) => RawSource::File(RawFileSource { file: path.display().to_string() }),
    };
    match discovery {
        Discovery::Auto => RawDiscovery::Auto(RawAuto::Auto),
        Discovery::Sources(sources) => RawDiscovery::Sources(sources.iter().map(source).collect()),
    }
}

/// A target without named branches has one policy, which then is the target's.
fn target(target: &ConfiguredTarget) -> RawTarget {
    let unnamed = target.branches.iter().find(|branch| branch.name.is_none());
    let branches = target.branches.iter().filter_map(|branch| {
        let name = branch.name.as_ref()?.0.clone();
        let schedule = branch.schedule.as_ref().map(RawSchedule::of);
        let full = RawFullBranch { name, policy: with_defaults(&branch.written), schedule };
        Some(RawBranch::Full(Box::new(full)))
    });
    let files = &target.files;
    let accept = target.branches.first().map(|branch| branch.policy.accept.as_slice()).unwrap_or_default();
    RawTarget {
        project: target.project.clone(),
        producer: target.producer.clone(),
        update_group: target.update_group.clone(),
        generations: target.generations,
        branches: branches.collect(),
        files: files.files.iter().map(|spec| file(spec, files.registry_key.as_ref())).collect(),
        images: files.images,
        default_enabled: files.default_enabled,
        references: files.references.written().to_vec(),
        kubernetes_versions: RawKubernetesVersions::of(&files.kubernetes_versions),
        values_from: RawValuesFrom::of(&files.values_from),
        policy: unnamed.map(|branch| with_defaults(&branch.written)).unwrap_or_default(),
        accept: accept.iter().map(ToString::to_string).collect(),
        merge_request: RawMergeRequest::of(
            &target.merge_request,
            target.upkeep,
            &target.branch_prefix,
            &target.templates,
        ),
        schedule: unnamed.and_then(|branch| branch.schedule.as_ref()).map(RawSchedule::of),
        enabled: Some(target.enabled),
    }
}

/// A query; the files of targets are shown by what they hold.
fn query(query: &Query) -> RawInclude {
    RawInclude {
        file: None,
        group: Some(query.group.clone()),
        topic: query.topic.clone(),
        has: query.has.clone(),
        target: Some(RawPattern::of(target(&query.target))),
    }
}

fn with_defaults(written: &RawPolicy) -> RawPolicy {
    written.or(&RawPolicy::defaults())
}

/// The registry's key stands with the file that holds the version.
pub(super) fn file(file: &FileSpec, registry_key: Option<&String>) -> RawFile {
    RawFile::Full(RawFullFile {
        path: file.path.clone(),
        version_key: file.version_key.as_ref().map(ToString::to_string),
        images_key: file.images_key.as_ref().map(ToString::to_string),
        registry_key: registry_key.filter(|_| !file.overlay).cloned(),
        overlay: file.overlay,
    })
}

impl RawFile {
    /// The same, as its path alone where it has no settings.
    pub(super) fn short(self) -> Self {
        match self {
            Self::Full(RawFullFile {
                path,
                version_key: None,
                images_key: None,
                registry_key: None,
                overlay: false,
            }) => Self::Path(path),
            full => full,
        }
    }
}

fn network(network: &Network) -> RawNetwork {
    RawNetwork {
        concurrency: u8::try_from(network.concurrency).ok(),
        connect_timeout: Some(written(network.connect_timeout)),
        read_timeout: Some(written(network.read_timeout)),
        request_timeout: Some(written(network.request_timeout)),
        give_up_after: Some(written(network.give_up_after)),
        retries: u8::try_from(network.retries).ok(),
        ca_files: network.ca_files.iter().map(|path| path.display().to_string()).collect(),
        proxy_from_environment: Some(network.proxy_from_environment),
    }
}

fn written(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}
