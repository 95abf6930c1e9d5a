//! Which producer is asked: the configuration's, with the flags laid over it.

use std::path::Path;

use super::args::{DemandArg, Lookup, Reach};
use super::failure::Failure;
use crate::config::{
    Config, ConfiguredProducer as Settings, ConfiguredSource, CredentialSource, Discovery, KeySource,
    NamedBy, address,
};
use crate::release::policy::{Demand, Policy};
use crate::release::{NamePattern, Naming, Prefix};

/// The producer's settings, from the flags or from the configuration, with the flags laid over it.
pub(super) fn settings(
    args: &Lookup,
    config: Option<&Config>,
    name: Option<&str>,
) -> Result<Settings, Failure> {
    let settings = match (args.reach.prefix()?, config) {
        (Some(registry), _) => Settings::of_registry(registry, CredentialSource::Usual),
        (None, Some(config)) => configured(config, name.or(args.reach.producer.as_deref()))?,
        (None, None) => return Err(no_registry()),
    };
    over(args, settings)
}

/// A producer's settings with the flags laid over them.
pub(super) fn over(args: &Lookup, mut settings: Settings) -> Result<Settings, Failure> {
    if !args.discovery.is_empty() {
        settings.discovery = discovery(&args.discovery)?;
    }
    if let Some(url) = &args.gitlab_url {
        let url = address(url).map_err(|error| Failure::usage(format!("--gitlab-url: {error}")))?;
        settings.gitlab_url = Some(url);
    }
    settings.gitlab_project = args.gitlab_project.clone().or(settings.gitlab_project);
    if let Some(pattern) = &args.names_pattern {
        settings.naming = naming(Some(pattern))?;
    }
    Ok(args.reach.over(settings))
}

/// The file of `--observed`, of which the command takes one.
pub(super) fn observed(args: &Lookup) -> Result<Option<&Path>, Failure> {
    match args.observed.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => Err(Failure::usage("--observed is given twice, and these are the releases of one producer")),
    }
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

impl Reach {
    /// The prefix of `--registry` or its variable.
    pub(super) fn prefix(&self) -> Result<Option<Prefix>, Failure> {
        self.registry.as_ref().map(|text| text.trim().parse().map_err(usage)).transpose()
    }

    /// A producer's settings with these flags laid over them.
    pub(super) fn over(&self, mut settings: Settings) -> Settings {
        // `--plain-http` does not count for a registry that only a values file names, unless it is on this machine.
        let may_be_plain = settings.named_by == NamedBy::Configuration || settings.registry.is_loopback();
        settings.plain_http |= self.plain_http && may_be_plain;
        if !self.cosign_key.is_empty() {
            settings.keys = self.cosign_key.iter().cloned().map(KeySource::File).collect();
        }
        settings
    }
}

/// The producer of `--producer`, which the configuration must have.
pub(super) fn asked<'a>(reach: &Reach, config: Option<&'a Config>) -> Result<Option<&'a Settings>, Failure> {
    match (&reach.producer, config) {
        (None, _) => Ok(None),
        (Some(name), Some(config)) => called(config, name).map(Some),
        (Some(name), None) => {
            let error = format!("no configuration file has a producer `{name}`");
            Err(Failure::usage(error)
                .hint("name the configuration with --config, or the registry with --registry"))
        }
    }
}

/// Nothing says whose releases are looked up.
pub(super) fn nothing_named(config: Option<&Config>) -> Failure {
    match config.filter(|config| !config.producers.is_empty()) {
        Some(config) => say_which(config),
        None => no_registry(),
    }
}

fn say_which(config: &Config) -> Failure {
    Failure::usage(format!("say which producer with --producer: {}", names(config)))
}

fn configured(config: &Config, name: Option<&str>) -> Result<Settings, Failure> {
    match (name, &config.producers[..]) {
        (Some(name), _) => called(config, name).cloned(),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(say_which(config)),
    }
}

fn called<'a>(config: &'a Config, name: &str) -> Result<&'a Settings, Failure> {
    config.producer(name).ok_or_else(|| {
        Failure::usage(format!("the configuration has no producer `{name}` (it has {})", names(config)))
    })
}

fn names(config: &Config) -> String {
    config.producers.iter().map(|producer| producer.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn discovery(words: &[String]) -> Result<Discovery, Failure> {
    if let [word] = words
        && word == "auto"
    {
        return Ok(Discovery::Auto);
    }
    let source = |word: &String| {
        word.parse::<ConfiguredSource>().map_err(|error| Failure::usage(format!("--discovery: {error}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_only_a_file_names_is_asked_over_tls() {
        let flags = Reach { plain_http: true, ..Reach::default() };
        for (host, of_file, by_flag) in [
            ("registry.example", false, true),
            ("registry.example:5000", false, true),
            ("10.0.0.1:5000", false, true),
            ("localhost:5000", true, true),
            ("127.0.0.1:5000", true, true),
            ("[::1]:5000", true, true),
        ] {
            let prefix: Prefix = format!("oci://{host}/group/dib").parse().unwrap();
            let of = |settings| flags.over(settings).plain_http;
            assert_eq!(of(Settings::of_values_file(prefix.clone())), of_file, "{host}");
            assert_eq!(of(Settings::of_registry(prefix, CredentialSource::Usual)), by_flag, "{host}");
        }
    }
}
