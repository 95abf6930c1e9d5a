//! Targets as meant: projects, branches and files.

use super::meaning::Meaning;
use super::meant::{ConfiguredProducer, ConfiguredTarget, ForgeKind, TargetBranch};
use super::place::FieldPath;
use super::raw::{
    RawBranch, RawConfig, RawFile, RawFullBranch, RawFullFile, RawPolicy, RawSchedule, RawTarget,
};
use super::shape::nearest;
use crate::forge::Branch;
use crate::plan::{self, FileSpec};
use crate::release::accepted::Accepted;
use crate::values::KeyPath;

impl Meaning<'_> {
    pub(super) fn target(
        &mut self,
        config: &RawConfig,
        raw: &RawTarget,
        producers: Option<&[ConfiguredProducer]>,
        at: &FieldPath,
    ) -> Option<ConfiguredTarget> {
        let project = self.project(&raw.project, config.forge.kind, &at.key("project"));
        let producer = producers.and_then(|producers| self.producer_of(config, raw, producers, at));
        let update_group = self
            .maybe(raw.update_group.as_ref(), |meaning, name| meaning.name(name, &at.key("update_group")));
        let accept = self.accept(&raw.accept, producer.as_ref().and_then(Option::as_ref), &at.key("accept"));
        let branches = self.branches(config, raw, accept.as_deref().unwrap_or_default(), at);
        let files = self.files(&raw.files, &at.key("files"));
        let references = self.references(&raw.references, &at.key("references"));
        let rules = self.kubernetes_versions(&raw.kubernetes_versions, &at.key("kubernetes_versions"));
        let values_from =
            self.values_from(&raw.values_from, &config.values_from_hosts, &at.key("values_from"));
        let (files, registry_key) = files?;
        let merge_request = raw.merge_request.or(&config.merge_request);
        // What is inherited was read, and complained about, where it stands.
        let own = self.templates(&raw.merge_request, &at.key("merge_request"));
        let templates = own.and_then(|_| self.silently(|meaning| meaning.templates(&merge_request, at)));
        Some(ConfiguredTarget {
            project: project?,
            producer: producer?,
            update_group: update_group?,
            generations: raw.generations,
            branches: accept.and(branches)?,
            files: plan::Target {
                files,
                images: raw.images,
                default_enabled: raw.default_enabled,
                registry_key,
                kubernetes_versions: rules?,
                values_from: values_from?,
                references: references?,
                severities: config.check.severities(),
            },
            merge_request: merge_request.settings(),
            upkeep: merge_request.upkeep(),
            branch_prefix: merge_request.branch_prefix(),
            templates: templates?,
            enabled: raw.enabled.unwrap_or(true),
        })
    }

    /// Releases that a person accepted; those of a target's only producer are that one's.
    fn accept(&mut self, raw: &[String], only: Option<&String>, at: &FieldPath) -> Option<Vec<Accepted>> {
        self.each(raw, at, |meaning, text, at| {
            let mut accepted = meaning.take(text.parse::<Accepted>(), at)?;
            let Some(only) = only else { return Some(accepted) };
            let producer = accepted.producer.get_or_insert_with(|| only.clone());
            if producer == only {
                return Some(accepted);
            }
            let problem = format!("`{producer}` is not the producer of this target, which is `{only}`");
            meaning.error(at, problem);
            None
        })
    }

    fn project(&mut self, text: &str, kind: ForgeKind, at: &FieldPath) -> Option<String> {
        let path = text.trim_matches('/');
        let depth = path.split('/').count();
        let (fits, expected) = match kind {
            ForgeKind::Gitlab => (depth > 1, "group/project"),
            ForgeKind::Github => (depth == 2, "owner/repository"),
        };
        if fits && path.split('/').all(is_path_segment) {
            return Some(path.to_owned());
        }
        self.error(at, format!("invalid project path `{text}`: expected {expected}"));
        None
    }

    fn producer_of(
        &mut self,
        config: &RawConfig,
        raw: &RawTarget,
        producers: &[ConfiguredProducer],
        at: &FieldPath,
    ) -> Option<Option<String>> {
        let names = || producers.iter().map(|producer| producer.name.as_str());
        match (&raw.producer, producers) {
            (None, [only]) if config.registries_allowed.is_empty() => {
                return Some(Some(only.name.clone()));
            }
            (None, _) => return Some(None),
            (Some(name), _) if names().any(|known| known == name) => return Some(Some(name.clone())),
            (Some(name), _) => {
                let problem = format!("unknown producer `{name}`");
                self.error_with_nearest(&at.key("producer"), problem, nearest(name, names()));
            }
        }
        None
    }

    fn branches(
        &mut self,
        config: &RawConfig,
        raw: &RawTarget,
        accept: &[Accepted],
        at: &FieldPath,
    ) -> Option<Vec<TargetBranch>> {
        self.policy(&raw.policy, accept, &at.key("policy"));
        let above = raw.policy.or(&config.policy);
        self.own_schedule(raw.schedule.as_ref(), at)?;
        let schedule = |meaning: &mut Self, own: Option<&RawSchedule>| {
            meaning.nearest_schedule([own, raw.schedule.as_ref(), config.schedule.as_ref()])
        };
        if raw.branches.is_empty() {
            let (policy, schedule) = (self.inherited(&above, accept)?, schedule(self, None)?);
            return Some(vec![TargetBranch { name: None, policy, schedule, written: above }]);
        }
        self.each(&raw.branches, &at.key("branches"), |meaning, raw, at| {
            let (raw, name_at) = match raw {
                RawBranch::Name(name) => {
                    (RawFullBranch { name: name.clone(), ..RawFullBranch::default() }, at.clone())
                }
                RawBranch::Full(full) => ((**full).clone(), at.key("name")),
            };
            let name = meaning.branch(&raw.name, &name_at);
            meaning.policy(&raw.policy, accept, &at.key("policy"));
            let written = raw.policy.or(&above);
            let policy = meaning.inherited(&written, accept);
            let own = meaning.own_schedule(raw.schedule.as_ref(), at);
            let schedule = own.and_then(|()| schedule(meaning, raw.schedule.as_ref()));
            Some(TargetBranch { name: Some(name?), policy: policy?, schedule: schedule?, written })
        })
    }

    /// A schedule read for its mistakes, where it stands.
    pub(super) fn own_schedule(&mut self, raw: Option<&RawSchedule>, at: &FieldPath) -> Option<()> {
        self.maybe(raw, |meaning, raw| meaning.schedule(raw, &at.key("schedule"))).map(drop)
    }

    /// The policy of all levels together. What is wrong in it was reported where it stands, so it is not said again.
    fn inherited(
        &mut self,
        policy: &RawPolicy,
        accept: &[Accepted],
    ) -> Option<crate::release::policy::Policy> {
        self.silently(|meaning| meaning.policy(policy, accept, &FieldPath::default()))
    }

    fn branch(&mut self, text: &str, at: &FieldPath) -> Option<Branch> {
        if Branch(text.to_owned()).is_usable() {
            return Some(Branch(text.to_owned()));
        }
        self.error(at, format!("`{text}` is not the name of a branch"));
        None
    }

    /// The files, the one that holds the version first, and the entry of the registries that it names as ours.
    fn files(&mut self, raw: &[RawFile], at: &FieldPath) -> Option<(Vec<FileSpec>, Option<String>)> {
        let mut files = self.each(raw, at, Self::file)?;
        let leading = files.iter().filter(|(spec, _)| !spec.overlay).count();
        if leading != 1 {
            let problem = match leading {
                0 => "no file holds the version; one must not be an overlay".to_owned(),
                n => format!("{n} files hold a version; mark all but one with `overlay: true`"),
            };
            self.error(at, problem);
            return None;
        }
        files.sort_by_key(|(spec, _)| spec.overlay);
        let registry_key = files.first().and_then(|(_, registry_key)| registry_key.clone());
        Some((files.into_iter().map(|(spec, _)| spec).collect(), registry_key))
    }

    fn file(&mut self, raw: &RawFile, at: &FieldPath) -> Option<(FileSpec, Option<String>)> {
        let (raw, path_at) = match raw {
            RawFile::Path(path) => (RawFullFile { path: path.clone(), ..RawFullFile::default() }, at.clone()),
            RawFile::Full(full) => (full.clone(), at.key("path")),
        };
        let path = self.path(&raw.path, &path_at);
        let mut key_path = |text: &Option<String>, key: &str| {
            self.maybe(text.as_ref(), |meaning, text| meaning.take(text.parse::<KeyPath>(), &at.key(key)))
        };
        let version_key = key_path(&raw.version_key, "version_key");
        let images_key = key_path(&raw.images_key, "images_key");
        if raw.overlay && raw.version_key.is_some() {
            self.error(&at.key("version_key"), "an overlay holds no version".to_owned());
        }
        let (overlay, version_key, images_key) = (raw.overlay, version_key?, images_key?);
        Some((FileSpec { path: path?, overlay, version_key, images_key }, raw.registry_key))
    }

    /// A path inside the repository.
    pub(super) fn path(&mut self, text: &str, at: &FieldPath) -> Option<String> {
        let path = text.strip_prefix("./").unwrap_or(text);
        if path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
            return Some(path.to_owned());
        }
        self.error(at, format!("`{text}` is not a path in the repository (expected charts/values.yaml)"));
        None
    }
}

/// What GitLab allows in the path of a group or project, and GitHub in the name of an owner or repository.
pub(super) fn is_path_segment(segment: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !segment.is_empty()
        && segment.chars().all(allowed)
        && !segment.starts_with('-')
        && !matches!(segment, "." | "..")
        && !segment.ends_with(".git")
        && !segment.ends_with(".atom")
}
