//! Producers as meant.

use std::path::PathBuf;

use super::meaning::Meaning;
use super::meant::{
    ConfiguredProducer, ConfiguredSource, CredentialNames, CredentialSource, Discovery, KeySource, NamedBy,
};
use super::place::FieldPath;
use super::raw::{RawCredentials, RawDiscovery, RawKey, RawProducer, RawSource, RawSourceName};
use crate::registry::Prefix;
use crate::release::{NamePattern, Naming};
use crate::signature::PublicKey;

impl Meaning<'_> {
    pub(super) fn producer(&mut self, raw: &RawProducer, at: &FieldPath) -> Option<ConfiguredProducer> {
        let registry = self.prefix(&raw.registry, &at.key("registry"));
        let pattern = raw.names.as_ref().map(|names| names.pattern.clone());
        let pattern_at = at.key("names").key("pattern");
        let compiled =
            self.maybe(pattern.as_ref(), |meaning, p| meaning.take(NamePattern::new(p), &pattern_at));
        let gitlab = raw.gitlab.clone().unwrap_or_default();
        let gitlab_url =
            self.maybe(gitlab.url.as_ref(), |meaning, url| meaning.url(url, &at.key("gitlab").key("url")));
        let github_url = self.maybe(raw.github.as_ref(), |meaning, github| {
            meaning.url(&github.url, &at.key("github").key("url"))
        });
        let credentials = self
            .maybe(raw.credentials.as_ref(), |meaning, raw| meaning.credentials(raw, &at.key("credentials")));
        self.sources(&raw.discovery, &at.key("discovery"));
        let keys = self.each(&raw.cosign_public_keys, &at.key("cosign_public_keys"), Self::key);
        let written = raw.name.clone().or_else(|| registry.as_ref().map(|r| r.producer().to_owned()));
        let name = self.maybe(written.as_ref(), |meaning, name| meaning.name(name, &at.key("name")));
        Some(ConfiguredProducer {
            name: name??,
            registry: registry?,
            plain_http: raw.plain_http,
            discovery: discovery(&raw.discovery),
            gitlab_url: gitlab_url?,
            gitlab_project: gitlab.project,
            github_url: github_url?,
            naming: Naming { pattern: compiled? },
            credentials: credentials?.map_or(CredentialSource::ByHost, CredentialSource::Named),
            keys: keys?,
            named_by: NamedBy::Configuration,
            pattern,
        })
    }

    /// A registry prefix. One with credentials in it is not repeated.
    fn prefix(&mut self, text: &str, at: &FieldPath) -> Option<Prefix> {
        if text.contains('@') {
            self.error(at, "holds credentials; name environment variables under `credentials:`".to_owned());
            return None;
        }
        self.take(text.parse::<Prefix>(), at)
    }

    /// The host of a registry, as the address of a producer begins with it.
    pub(super) fn registry_host(&mut self, text: &String, at: &FieldPath) -> Option<String> {
        let fits = !text.contains('/') && format!("oci://{text}/any").parse::<Prefix>().is_ok();
        if !fits {
            let what = "is not the host of a registry (expected HOST[:PORT], as in registry.example:5000)";
            // It may hold credentials.
            let shown = text.rsplit('@').next().unwrap_or_default();
            self.error(at, format!("`{shown}` {what}"));
        }
        fits.then(|| text.clone())
    }

    fn key(&mut self, raw: &RawKey, at: &FieldPath) -> Option<KeySource> {
        match raw {
            RawKey::Pem(written) => {
                let key = self.take(PublicKey::from_pem(written), at)?;
                Some(KeySource::Pem { key, written: written.clone() })
            }
            RawKey::File(file) => {
                let at = at.key("file");
                if let Some(bytes) = self.used_file(&file.file, &at) {
                    let key = PublicKey::from_pem(&String::from_utf8_lossy(&bytes));
                    self.take(key.map_err(|error| format!("{}: {error}", file.file)), &at);
                }
                Some(KeySource::File(PathBuf::from(&file.file)))
            }
        }
    }

    fn sources(&mut self, raw: &RawDiscovery, at: &FieldPath) {
        let RawDiscovery::Sources(sources) = raw else { return };
        for (i, source) in sources.iter().enumerate() {
            if let RawSource::File(file) = source {
                self.used_file(&file.file, &at.index(i).key("file"));
            }
        }
    }

    fn credentials(&mut self, raw: &RawCredentials, at: &FieldPath) -> Option<CredentialNames> {
        let username_env = self.environment_name(&raw.username_env, &at.key("username_env"));
        let password_env = self.environment_name(&raw.password_env, &at.key("password_env"));
        Some(CredentialNames { username_env: username_env?, password_env: password_env? })
    }

    /// The name of a producer or a group is a part of branch names.
    pub(super) fn name(&mut self, text: &str, at: &FieldPath) -> Option<String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(fits)
            && !text.contains("..")
        {
            return Some(text.to_owned());
        }
        self.error(
            at,
            format!("`{text}` cannot be a part of a branch name (expected letters, digits, - _ .)"),
        );
        None
    }
}

fn discovery(raw: &RawDiscovery) -> Discovery {
    let source = |source: &RawSource| match source {
        RawSource::Named(RawSourceName::ReleaseNotes) => ConfiguredSource::ReleaseNotes,
        RawSource::Named(RawSourceName::Gitlab) => ConfiguredSource::Gitlab,
        RawSource::Named(RawSourceName::Github) => ConfiguredSource::Github,
        RawSource::Named(RawSourceName::Catalog) => ConfiguredSource::Catalog,
        RawSource::Named(RawSourceName::Known) => ConfiguredSource::Known,
        RawSource::File(file) => ConfiguredSource::File(PathBuf::from(&file.file)),
    };
    match raw {
        RawDiscovery::Auto(_) => Discovery::Auto,
        RawDiscovery::Sources(sources) => Discovery::Sources(sources.iter().map(source).collect()),
    }
}
