//! Whose releases a values file is held against: those of the producers that it names itself, unless flags or the
//! configuration say which.

use std::path::{Path, PathBuf};

use super::args::TargetFileArgs;
use super::failure::Failure;
use super::local::Local;
use super::{Context, lookup};
use crate::budget::Budget;
use crate::config::{Config, ConfiguredProducer as Settings, NamedBy};
use crate::disk::releases::{ObservedReleases, read};
use crate::plan::{FileProducer, Mention, Parsed, Survey, SurveyError, generations, producers};
use crate::release::data::ReleaseData;
use crate::release::{Prefix, Version};
use crate::values::KeyPath;

/// A file that is held against the releases of one producer.
pub(super) struct AskedFile<'a> {
    pub(super) local: Local<'a>,
    pub(super) source: ReleasesFrom,
    /// How people call the producer; empty where nothing says.
    pub(super) name: String,
    parsed: Parsed,
}

/// Where releases come from.
#[derive(Clone)]
pub(super) enum ReleasesFrom {
    /// From a file, as they were observed elsewhere.
    File(PathBuf, ReleaseData),
    /// From the producer's registry.
    Registry(Box<Settings>),
}

impl AskedFile<'_> {
    /// The generations that the file names.
    pub(super) fn generations(&self) -> Result<Vec<FileProducer>, Failure> {
        Ok(generations(&self.parsed, &Budget::default())?)
    }

    /// The releases that were observed.
    pub(super) fn observed(&self) -> Option<&ReleaseData> {
        match &self.source {
            ReleasesFrom::File(_, known) => Some(known),
            ReleasesFrom::Registry(_) => None,
        }
    }

    /// The file of those.
    pub(super) fn observed_path(&self) -> Option<&Path> {
        match &self.source {
            ReleasesFrom::File(path, _) => Some(path),
            ReleasesFrom::Registry(_) => None,
        }
    }

    /// The registry that is asked.
    pub(super) fn settings(&self) -> Option<&Settings> {
        match &self.source {
            ReleasesFrom::File(..) => None,
            ReleasesFrom::Registry(settings) => Some(settings),
        }
    }

    /// What the files say.
    pub(super) fn survey(&self, from: Option<&Version>) -> Result<Survey, SurveyError> {
        let Local { target, policy, .. } = &self.local;
        let contents = self.local.contents();
        match self.parsed.is_of(&contents) {
            true => self.parsed.survey(target, from, policy.prereleases),
            // A target before this one changes them.
            false => Parsed::new(target, contents)?.survey(target, from, policy.prereleases),
        }
    }
}

/// Looks for the producers of one file.
pub(super) struct Asking<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a TargetFileArgs,
    pub(super) config: Option<&'a Config>,
    /// Flags of the command that speak of one producer, and whether they are given.
    pub(super) flags: &'a [(&'static str, bool)],
}

impl<'a> Asking<'a> {
    /// The file once for each producer that is asked.
    pub(super) fn each(&self, local: Local<'a>) -> Result<Vec<AskedFile<'a>>, Failure> {
        let parsed = Parsed::new(&local.target, local.contents())?;
        let with = |source, version_key: Option<KeyPath>, name: String| {
            let local = match version_key {
                Some(version_key) => local.clone().at(version_key),
                None => local.clone(),
            };
            AskedFile { local, source, name, parsed: parsed.clone() }
        };
        if !self.args.lookup.observed.is_empty() {
            let observed = self.observed(&local, &parsed)?;
            let asked = observed.into_iter().map(|(path, known, producer)| {
                let configured = local.producer.map(str::to_owned);
                let name = configured.or_else(|| Some(producer.as_ref()?.name.clone()));
                let version_key = producer.map(|producer| producer.version_key);
                with(ReleasesFrom::File(path, known), version_key, name.unwrap_or_default())
            });
            return Ok(asked.collect());
        }
        if let Some(settings) = self.settled(&local, &parsed)? {
            let by_flag = self.args.lookup.reach.registry.is_some();
            let version_key =
                by_flag.then(|| self.version_key_of(&settings.registry, &local, &parsed)).flatten();
            let name = settings.name.clone();
            return Ok(vec![with(ReleasesFrom::Registry(Box::new(settings)), version_key, name)]);
        }
        let asked = self.of_file(&local, &parsed)?.into_iter().map(|producer| {
            let settings = self.settings(&producer)?;
            Ok(with(ReleasesFrom::Registry(Box::new(settings)), Some(producer.version_key), producer.name))
        });
        asked.collect()
    }

    /// The same for targets of one file, each producer once.
    pub(super) fn all(&self, locals: Vec<Local<'a>>) -> Result<Vec<AskedFile<'a>>, Failure> {
        let mut asked: Vec<AskedFile<'a>> = Vec::new();
        for local in locals {
            for new in self.each(local)? {
                let is_known = |known: &AskedFile<'_>| !known.local.target.goes_with(&new.local.target);
                if !asked.iter().any(is_known) {
                    asked.push(new);
                }
            }
        }
        Ok(asked)
    }

    /// The only producer that is asked.
    pub(super) fn only(&self, local: Local<'a>) -> Result<AskedFile<'a>, Failure> {
        let asked = self.each(local)?;
        match <[AskedFile<'a>; 1]>::try_from(asked) {
            Ok([only]) => Ok(only),
            Err(asked) => {
                let names: Vec<&str> = asked.iter().map(|asked| asked.name.as_str()).collect();
                Err(Failure::usage(format!("say which producer with --producer: {}", names.join(", "))))
            }
        }
    }

    /// The releases of each `--observed`, and whose they are.
    fn observed(
        &self,
        local: &Local<'_>,
        parsed: &Parsed,
    ) -> Result<Vec<(PathBuf, ReleaseData, Option<FileProducer>)>, Failure> {
        let naming = lookup::naming(self.args.lookup.names_pattern.as_deref())?;
        let files = &self.args.lookup.observed;
        let read = |path: &'a PathBuf| Ok((path, read(path, &naming)?));
        let mut read: Vec<(&PathBuf, ObservedReleases)> =
            files.iter().map(read).collect::<Result<_, Failure>>()?;
        let is_picked = self.args.lookup.reach.producer.is_some() && local.producer.is_none();
        if let ([(path, only)], false) = (&mut read[..], is_picked) {
            let found = self.found(local, parsed).unwrap_or_default();
            let is_its = |producer: &FileProducer| only.registry.as_ref() == Some(&producer.prefix);
            let producer = found.into_iter().find(is_its).filter(|_| version_key(local).is_none());
            return Ok(vec![(path.clone(), std::mem::take(&mut only.known), producer)]);
        }
        let (found, picked) = (self.found(local, parsed)?, self.picked(local, parsed)?);
        let mut observed: Vec<(PathBuf, ReleaseData, Option<FileProducer>)> = Vec::new();
        for (path, ObservedReleases { registry, known }) in read {
            let is_its = |producer: &&FileProducer| registry.as_ref() == Some(&producer.prefix);
            if !found.iter().any(|producer| is_its(&producer)) {
                let whose = registry.map_or("no registry".to_owned(), |registry| registry.to_string());
                let problem =
                    format!("{} names {whose}, which is not a producer of the file", path.display());
                return Err(Failure::usage(problem).hint(names(&found)));
            }
            if observed.iter().filter_map(|(_, _, known)| known.as_ref()).any(|producer| is_its(&producer)) {
                let problem = format!("{} is of the same registry as a file before it", path.display());
                return Err(Failure::usage(problem));
            }
            observed.extend(
                picked.iter().find(is_its).map(|producer| (path.clone(), known, Some(producer.clone()))),
            );
        }
        match observed.len() {
            0 => Err(Failure::usage("no file of --observed belongs to the selected producer")),
            1 => Ok(observed),
            _ => self.refuse_flags().map(|()| observed),
        }
    }

    /// The producer that flags or the configuration name, whatever the file does.
    fn settled(&self, local: &Local<'_>, parsed: &Parsed) -> Result<Option<Settings>, Failure> {
        let lookup = &self.args.lookup;
        let unknown = lookup::asked(&lookup.reach, self.config).err().filter(|_| local.producer.is_some());
        if let (Some(error), Some(name)) = (unknown, &lookup.reach.producer) {
            // The configuration has the file and not this producer: the file may name it beside the configured one.
            let is_found = self.found(local, parsed)?.iter().any(|producer| is_called(producer, name));
            return if is_found { Ok(None) } else { Err(error) };
        }
        let is_named = lookup.reach.registry.is_some() || local.producer.is_some();
        if is_named {
            return lookup::settings(lookup, self.config, local.producer).map(Some);
        }
        let Some(config) = self.config.filter(|_| lookup.reach.producer.is_none()) else { return Ok(None) };
        // One that the file names too may be one of several.
        let is_found = |only: &Settings| {
            let found = self.found(local, parsed).unwrap_or_default();
            found.iter().any(|producer| producer.prefix == only.registry)
        };
        match config.producers.as_slice() {
            [only] if !is_found(only) => lookup::settings(lookup, Some(config), None).map(Some),
            _ => Ok(None),
        }
    }

    /// The producers of the file that are asked.
    fn of_file(&self, local: &Local<'_>, parsed: &Parsed) -> Result<Vec<FileProducer>, Failure> {
        let picked = self.picked(local, parsed)?;
        match picked.len() {
            0 => match version_key(local).filter(|_| local.target.is_generation()) {
                Some(key) => Err(Failure::usage(format!("`{key}` is not a release that is written out"))),
                None => Err(lookup::nothing_named(self.config)),
            },
            1 => Ok(picked),
            _ => self.refuse_flags().map(|()| picked),
        }
    }

    /// The producers of the file that --producer and --version-key leave.
    fn picked(&self, local: &Local<'_>, parsed: &Parsed) -> Result<Vec<FileProducer>, Failure> {
        let mut found = self.found(local, parsed)?;
        if let Some(name) = &self.args.lookup.reach.producer {
            let (of_name, others) =
                found.into_iter().partition::<Vec<_>, _>(|producer| is_called(producer, name));
            if of_name.is_empty() {
                let problem =
                    format!("no configuration file has a producer `{name}`, and the file names none");
                return Err(Failure::usage(problem).hint(names(&others)));
            }
            found = of_name;
        }
        if let Some(version_key) = version_key(local) {
            found.retain(|producer| producer.version_key == *version_key);
        }
        Ok(found)
    }

    fn found(&self, local: &Local<'_>, parsed: &Parsed) -> Result<Vec<FileProducer>, Failure> {
        match local.target.is_generation() {
            true => Ok(generations(parsed, &Budget::default())?),
            false => Ok(producers(&local.target, parsed, &Budget::default())?),
        }
    }

    /// Where the version of a registry stands, unless somebody said it.
    fn version_key_of(&self, registry: &Prefix, local: &Local<'_>, parsed: &Parsed) -> Option<KeyPath> {
        if version_key(local).is_some() {
            return None;
        }
        let found = self.found(local, parsed).unwrap_or_default();
        found.into_iter().find(|producer| producer.prefix == *registry).map(|producer| producer.version_key)
    }

    /// What the configuration says of the producer's registry; else only what the file says.
    fn settings(&self, producer: &FileProducer) -> Result<Settings, Failure> {
        let settings = match self.config {
            Some(config) => config.named_by_values(&producer.prefix),
            None => Settings::of_values_file(producer.prefix.clone()),
        };
        if settings.named_by == NamedBy::ValuesFile {
            self.context.note(&match &producer.mention {
                Mention::Registry(_) => format!("asking {}, which {} names", producer.prefix, producer.place),
                Mention::Comment(project) => format!(
                    "asking {}, assumed to be the registry of {project} ({})",
                    producer.prefix, producer.place
                ),
            });
        }
        lookup::over(&self.args.lookup, settings)
    }

    /// What is said of one producer cannot be meant for several.
    pub(super) fn refuse_flags(&self) -> Result<(), Failure> {
        let lookup = &self.args.lookup;
        let own = [
            ("--cosign-key", !lookup.reach.cosign_key.is_empty()),
            ("--discovery", !lookup.discovery.is_empty()),
            ("--gitlab-url", lookup.gitlab_url.is_some()),
            ("--gitlab-project", lookup.gitlab_project.is_some()),
            ("--from", self.args.from.is_some()),
            ("--registry-key", self.args.registry_key.is_some()),
        ];
        match own.iter().chain(self.flags).find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(Failure::usage(format!(
                "{flag} applies to one producer, and the file names several; name it with --producer"
            ))),
            None => Ok(()),
        }
    }
}

/// Where somebody says that the version stands.
fn version_key<'l>(local: &'l Local<'_>) -> Option<&'l KeyPath> {
    local.target.primary()?.version_key.as_ref()
}

fn is_called(producer: &FileProducer, name: &str) -> bool {
    producer.name == name || producer.mention == Mention::Registry(name.to_owned())
}

fn heading(producer: &FileProducer) -> String {
    format!("{} ({})", producer.name, producer.prefix)
}

fn names(producers: &[FileProducer]) -> String {
    match producers {
        [] => "name the registry with --registry".to_owned(),
        some => {
            let names: Vec<String> = some.iter().map(heading).collect();
            format!("the file names {}", names.join(", "))
        }
    }
}
