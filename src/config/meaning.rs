//! From the configuration as written to the configuration as meant. Goes on after an error, so that all are found.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::meant::{
    AppNames, Config, ConfiguredTarget, CredentialSource, ForgeKind, ForgeSettings, GITLAB_TOKEN, Network,
};
use super::place::{FieldPath, Places};
use super::raw::{RawApp, RawConfig, RawForge, RawNetwork, RawTargets};
use super::{ConfigError, ConfiguredProducer, IncludeFile, UsedFile, Written};
use crate::run::Limits;

/// The variable that GitHub's own tools read.
const GITHUB_TOKEN: &str = "GITHUB_TOKEN";

/// The variables of a GitHub App unless others are named.
const APP_ID: &str = "GITHUB_APP_ID";
const APP_PRIVATE_KEY: &str = "GITHUB_APP_PRIVATE_KEY";

/// What has been found wrong so far.
pub(super) struct Meaning<'a> {
    places: &'a Places,
    /// Fields that do not fit: what is said of them, or of what they are a part of, may only follow from that.
    mended: &'a [FieldPath],
    used: Option<&'a UsedFile<'a>>,
    /// Whether the targets are on a GitLab.
    pub(super) on_gitlab: bool,
    errors: Vec<ConfigError>,
}

/// A target and the place that names its branch.
type OnBranch<'a> = (&'a ConfiguredTarget, FieldPath);

impl<'a> Meaning<'a> {
    pub(super) fn new<T>(written: &'a Written<T>, used: Option<&'a UsedFile<'a>>) -> Self {
        Self { places: &written.places, mended: &written.mended, used, on_gitlab: false, errors: Vec::new() }
    }

    /// Everything that is wrong, in the file of this name.
    pub(super) fn into_errors(self, file: &str) -> impl Iterator<Item = ConfigError> {
        self.errors.into_iter().map(move |error| ConfigError { file: file.to_owned(), ..error })
    }

    /// The texts of the files of targets, each with its name.
    pub(super) fn included(
        &mut self,
        raw: &RawConfig,
        read: Option<&IncludeFile<'_>>,
    ) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        let Some(read) = read else { return texts };
        for (i, include) in raw.include.iter().enumerate() {
            let Some(file) = &include.file else { continue };
            let (name, text) = read(file);
            let at = FieldPath::default().key("include").index(i).key("file");
            texts.extend(self.take(text, &at).map(|text| (name, text)));
        }
        texts
    }

    /// The targets of another file, under the settings of the configuration that includes it, whose own are `known`.
    pub(super) fn targets(
        &mut self,
        raw: &RawConfig,
        targets: &RawTargets,
        producers: Option<&[ConfiguredProducer]>,
        known: &[ConfiguredTarget],
    ) -> Vec<ConfiguredTarget> {
        self.on_gitlab = raw.forge.kind == ForgeKind::Gitlab;
        let at = FieldPath::default().key("targets");
        let read = self.each(&targets.targets, &at, |meaning, target, at| {
            let target = meaning.target(raw, target, producers, at)?;
            let is_same = |other: &ConfiguredTarget| other.project.eq_ignore_ascii_case(&target.project);
            if known.iter().any(|other| is_same(other) && other.shares_a_branch(&target)) {
                let problem = "another file has the same project, branch and producer";
                meaning.error(at, problem.to_owned());
            }
            Some(target)
        });
        let read = read.unwrap_or_default();
        self.no_branch_twice(&read);
        read
    }

    /// What a configuration means, and its producers where only something else is wrong.
    pub(super) fn config(&mut self, raw: &RawConfig) -> (Option<Config>, Option<Vec<ConfiguredProducer>>) {
        let producers = self.producers(raw);
        (self.with_producers(raw, producers.as_deref()), producers)
    }

    /// The producers; none where the name of one is not known, so that it cannot be told which one a target means.
    fn producers(&mut self, raw: &RawConfig) -> Option<Vec<ConfiguredProducer>> {
        let at = FieldPath::default().key("producers");
        let producers = self.each(&raw.producers, &at, Self::producer);
        let mut producers = producers.and_then(|producers| self.all_named_differently(producers))?;
        if let [ConfiguredProducer { credentials: credentials @ CredentialSource::ByHost, .. }] =
            &mut producers[..]
        {
            *credentials = CredentialSource::Usual;
        }
        let is_named = |i: usize| {
            let named_by = ["registry", "name"].map(|key| at.index(i).key(key));
            !self.mended.iter().any(|mended| named_by.iter().any(|field| field.touches(mended)))
        };
        (0..producers.len()).all(is_named).then_some(producers)
    }

    fn with_producers(
        &mut self,
        raw: &RawConfig,
        producers: Option<&[ConfiguredProducer]>,
    ) -> Option<Config> {
        self.on_gitlab = raw.forge.kind == ForgeKind::Gitlab;
        let root = FieldPath::default();
        let forge = self.forge(&raw.forge, &root.key("forge"));
        let network = self.network(&raw.network, &root.key("network"));
        let allowed = root.key("registries_allowed");
        let allowed = self.each(&raw.registries_allowed, &allowed, Self::registry_host);
        let list_hosts = root.key("values_from_hosts");
        let list_hosts = self.each(&raw.values_from_hosts, &list_hosts, Self::list_host);
        // Read here for its mistakes, so that each is said once; targets and branches inherit it silently.
        self.policy(&raw.policy, &[], &root.key("policy"));
        self.templates(&raw.merge_request, &root.key("merge_request"));
        self.own_schedule(raw.schedule.as_ref(), &root);
        let target =
            |meaning: &mut Self, target: &_, at: &FieldPath| meaning.target(raw, target, producers, at);
        let targets = self.each(&raw.targets, &root.key("targets"), target);
        let query =
            |meaning: &mut Self, include: &_, at: &FieldPath| meaning.query(raw, include, producers, at);
        let queries = self.each(&raw.include, &root.key("include"), query);
        let (targets, queries) = (targets?, queries?);
        self.no_branch_twice(&targets);
        let cache_dir = raw.cache.dir.as_ref().map(PathBuf::from);
        let severities = raw.check.severities();
        Some(Config {
            producers: producers?.to_vec(),
            forge: forge?,
            targets,
            queries: queries.into_iter().flatten().collect(),
            registries_allowed: allowed?,
            values_from_hosts: list_hosts?,
            limits: Limits::from(&raw.limits),
            severities,
            network: network?,
            cache_dir,
        })
    }

    fn forge(&mut self, raw: &RawForge, at: &FieldPath) -> Option<ForgeSettings> {
        let kind = raw.kind;
        let usual_token = match kind {
            ForgeKind::Gitlab => GITLAB_TOKEN,
            ForgeKind::Github => GITHUB_TOKEN,
        };
        let url = self.maybe(raw.url.as_ref(), |meaning, url| meaning.url(url, &at.key("url")));
        let token_env = raw.token_env.as_deref().unwrap_or(usual_token);
        let token_env = self.environment_name(token_env, &at.key("token_env"));
        let app = self.maybe(raw.app.as_ref(), |meaning, app| meaning.app(app, kind, &at.key("app")));
        let interval = self.maybe(raw.write_interval.as_ref(), |meaning, text| {
            meaning.duration(text, &at.key("write_interval")).map(SignedDuration::unsigned_abs)
        });
        let conflict_check_wait = self.maybe(raw.conflict_check_wait.as_ref(), |meaning, text| {
            let wait = meaning.take(super::duration(text), &at.key("conflict_check_wait"));
            wait.map(SignedDuration::unsigned_abs)
        });
        let (url, token_env, write_interval) = (url?, token_env?, interval?);
        let conflict_check_wait = conflict_check_wait?;
        Some(ForgeSettings { kind, url, token_env, write_interval, conflict_check_wait, app: app? })
    }

    fn app(&mut self, raw: &RawApp, kind: ForgeKind, at: &FieldPath) -> Option<AppNames> {
        if kind != ForgeKind::Github {
            self.error(at, "is for `kind: github`".to_owned());
            return None;
        }
        let mut name = |raw: &Option<String>, usual: &str, key: &str| {
            self.environment_name(raw.as_deref().unwrap_or(usual), &at.key(key))
        };
        let id_env = name(&raw.id_env, APP_ID, "id_env");
        let private_key_env = name(&raw.private_key_env, APP_PRIVATE_KEY, "private_key_env");
        let installation = raw.installation_id_env.as_ref();
        let installation_id_env = self.maybe(installation, |meaning, name| {
            meaning.environment_name(name, &at.key("installation_id_env"))
        });
        let (id_env, private_key_env) = (id_env?, private_key_env?);
        Some(AppNames { id_env, private_key_env, installation_id_env: installation_id_env? })
    }

    fn network(&mut self, raw: &RawNetwork, at: &FieldPath) -> Option<Network> {
        let default = Network::default();
        self.certificates(&raw.ca_files, &at.key("ca_files"));
        let mut timeout = |raw: &Option<String>, default: Duration, key: &str| match raw {
            Some(text) => self.duration(text, &at.key(key)).map(SignedDuration::unsigned_abs),
            None => Some(default),
        };
        let connect_timeout = timeout(&raw.connect_timeout, default.connect_timeout, "connect_timeout");
        let read_timeout = timeout(&raw.read_timeout, default.read_timeout, "read_timeout");
        let request_timeout = timeout(&raw.request_timeout, default.request_timeout, "request_timeout");
        let give_up_after = timeout(&raw.give_up_after, default.give_up_after, "give_up_after");
        Some(Network {
            concurrency: raw.concurrency.map_or(default.concurrency, usize::from),
            connect_timeout: connect_timeout?,
            read_timeout: read_timeout?,
            request_timeout: request_timeout?,
            give_up_after: give_up_after?,
            retries: raw.retries.map_or(default.retries, u32::from),
            ca_files: raw.ca_files.iter().map(PathBuf::from).collect(),
            proxy_from_environment: raw.proxy_from_environment.unwrap_or(default.proxy_from_environment),
        })
    }

    fn certificates(&mut self, files: &[String], at: &FieldPath) {
        for (i, file) in files.iter().enumerate() {
            let at = at.index(i);
            let bytes = self.used_file(file, &at);
            let is_pem =
                |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("-----BEGIN CERTIFICATE-----");
            if bytes.is_some_and(|bytes| !is_pem(&bytes)) {
                self.error(&at, format!("{file} holds no certificate in PEM form"));
            }
        }
    }

    fn all_named_differently(
        &mut self,
        producers: Vec<ConfiguredProducer>,
    ) -> Option<Vec<ConfiguredProducer>> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let before = self.errors.len();
        for (i, producer) in producers.iter().enumerate() {
            if let Some(first) = seen.insert(&producer.name, i) {
                let name = &producer.name;
                let problem =
                    format!("`{name}` is the name of producers[{first}] already; give one a `name:`");
                self.error(&FieldPath::default().key("producers").index(i), problem);
            }
        }
        (self.errors.len() == before).then_some(producers)
    }

    /// Two of the same project, branch and producer would fight over one merge request.
    fn no_branch_twice(&mut self, targets: &[ConfiguredTarget]) {
        // GitLab's paths do not tell upper case from lower case.
        let mut seen: HashMap<(String, Option<&str>), Vec<OnBranch<'_>>> = HashMap::new();
        for (t, target) in targets.iter().enumerate() {
            let at = FieldPath::default().key("targets").index(t);
            for (b, branch) in target.branches.iter().enumerate() {
                let name = branch.name.as_ref().map(|name| name.0.as_str());
                let place = if name.is_some() { at.key("branches").index(b) } else { at.clone() };
                let before = seen.entry((target.project.to_lowercase(), name)).or_default();
                if let Some((other, first)) = before.iter().find(|(other, _)| other.may_follow_as(target)) {
                    let line = self.places.value(first).map_or(0, |at| at.line);
                    let what = match (&other.producer, &target.producer) {
                        (Some(_), Some(_)) => "the same project, branch and producer as",
                        _ => "without `producer` it follows every producer of its files; the same branch has",
                    };
                    self.error(&place, format!("{what} {first} (line {line})"));
                }
                let is_namesake = |other: &ConfiguredTarget| {
                    target.update_group.is_some()
                        && other.update_group == target.update_group
                        && !other.files.goes_with(&target.files)
                };
                if let Some((_, first)) = before.iter().find(|(other, _)| is_namesake(other)) {
                    let problem = format!("its group is that of {first}, which has other files");
                    self.error(&at.key("update_group"), problem);
                }
                before.push((target, place));
            }
        }
    }

    /// Reads every item, also after one that is wrong.
    pub(super) fn each<R, T>(
        &mut self,
        raw: &[R],
        at: &FieldPath,
        mut read: impl FnMut(&mut Self, &R, &FieldPath) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items: Vec<_> = raw.iter().enumerate().map(|(i, item)| read(self, item, &at.index(i))).collect();
        items.into_iter().collect()
    }

    /// `Some(None)` where nothing was written, `None` where what was written is wrong.
    pub(super) fn maybe<R: ?Sized, T>(
        &mut self,
        raw: Option<&R>,
        read: impl FnOnce(&mut Self, &R) -> Option<T>,
    ) -> Option<Option<T>> {
        match raw {
            Some(raw) => read(self, raw).map(Some),
            None => Some(None),
        }
    }

    /// The value of a field, or its error noted.
    pub(super) fn take<T, E: ToString>(&mut self, value: Result<T, E>, at: &FieldPath) -> Option<T> {
        value.map_err(|error| self.error(at, error.to_string())).ok()
    }

    /// Reads something whose mistakes were reported before.
    pub(super) fn silently<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.errors.len();
        let value = read(self);
        self.errors.truncate(before);
        value
    }

    pub(super) fn error(&mut self, at: &FieldPath, problem: String) {
        self.error_with_nearest(at, problem, None);
    }

    pub(super) fn error_with_nearest(&mut self, at: &FieldPath, problem: String, nearest: Option<String>) {
        if self.mended.iter().any(|mended| mended.touches(at)) {
            return;
        }
        let (at, field) = (self.places.value(at), at.to_string());
        self.errors.push(ConfigError { file: String::new(), at, field, problem, nearest });
    }

    /// The bytes of a file that is used later, where it is to be looked at now.
    pub(super) fn used_file(&mut self, path: &str, at: &FieldPath) -> Option<Vec<u8>> {
        let read = self.used?;
        self.take(read(Path::new(path)), at)
    }

    /// A duration that is more than nothing.
    pub(super) fn duration(&mut self, text: &str, at: &FieldPath) -> Option<SignedDuration> {
        let duration = self.take(super::duration(text), at)?;
        if duration.is_zero() {
            self.error(at, format!("`{text}` is nothing (expected something like 3 days, 12h or 90s)"));
            return None;
        }
        Some(duration)
    }

    /// The address of a server.
    pub(super) fn url(&mut self, text: &str, at: &FieldPath) -> Option<Url> {
        self.take(super::address(text), at)
    }

    /// The name of an environment variable. The text is not repeated: people paste tokens here.
    pub(super) fn environment_name(&mut self, text: &str, at: &FieldPath) -> Option<String> {
        let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits || text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
            let problem =
                "is not the name of an environment variable (the secret itself does not belong here)";
            self.error(at, problem.to_owned());
            return None;
        }
        Some(text.to_owned())
    }
}
