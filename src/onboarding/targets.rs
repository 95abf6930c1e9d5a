//! The targets and producers of a first configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::{ListedImages, NamedVersion, ReadFile, Reading, above};
use super::companions::Companions;
use super::{Checkout, UnknownProducer, Wishes, renovate};
use crate::budget::Budget;
use crate::config::{DraftProducer, DraftTarget};
use crate::plan::{
    FileProducer, FileSpec, Mention, Parsed, PlanError, Target, producer_of_project, producers,
    project_above, switched_off,
};
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::release::{Facets, Prefix};
use crate::sylva::{BUILDER, IMAGES, K8S_VERSION_MAP, VERSION};
use crate::values::KeyPath;

/// Targets as they are found, file by file.
pub(super) struct Targets<'r> {
    checkout: &'r Checkout,
    wishes: &'r Wishes,
    reading: &'r Reading<'r>,
    companions: Companions<'r>,
    budget: Budget,
    pub(super) found: Found,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) producers: Vec<DraftProducer>,
    pub(super) targets: Vec<DraftTarget>,
    pub(super) unknown: Vec<UnknownProducer>,
    pub(super) notes: Vec<String>,
}

/// Where the releases of a version are.
struct Source {
    registry: Prefix,
    /// What the file calls the producer.
    name: Option<String>,
    why: String,
}

impl<'r> Targets<'r> {
    pub(super) fn new(checkout: &'r Checkout, reading: &'r Reading<'r>, wishes: &'r Wishes) -> Self {
        let companions = Companions::new(reading);
        Self { checkout, wishes, reading, companions, budget: Budget::default(), found: Found::default() }
    }

    /// A target for each version of a file that is of the release of images which the file lists.
    pub(super) fn add(&mut self, file: &ReadFile<'_>) {
        for (listed, versions) in file.pairs() {
            for version in versions {
                if let Err(error) = self.version(file, listed, version) {
                    self.found.notes.push(error.to_string());
                }
            }
        }
        if file.mappings.is_empty() {
            let names = file.versions.iter().map(|version| format!("{}: `{}`", file.path, version.key));
            self.found.notes.extend(names.map(|name| format!("{name} stays: the file lists no images")));
        }
    }

    fn version(
        &mut self,
        file: &ReadFile<'_>,
        listed: &ListedImages,
        version: &NamedVersion,
    ) -> Result<(), PlanError> {
        let mut target = self.target(file, listed, version);
        let parsed = Parsed::new(&target, self.contents(&target))?;
        if !self.is_wanted(&target, &parsed, version)? {
            return Ok(());
        }
        // What a plan cannot read either is not a target.
        parsed.survey(&target, None, true)?;
        target.kubernetes_versions = self.kubernetes_versions(&target, listed);
        let at = file.document.key_at(&version.key).map(|at| format!(":{at}")).unwrap_or_default();
        let place = format!("{}{at}", file.path);
        match self.source(&target, &parsed, version, &place) {
            Ok(Some(source)) => {
                let producer = self.named(file.path, source);
                let why = format!("`{}` names the release, `{}` lists the images.", version.key, listed.path);
                self.found.targets.push(DraftTarget { producer, target, why: vec![why] });
                self.note_renovate(file, version);
            }
            unknown => {
                let why = unknown.err().map(|error| error.to_string());
                let likely = self.likely(&target, &parsed, version);
                self.found.unknown.push(UnknownProducer { place, likely, why });
            }
        }
        Ok(())
    }

    /// Whether images come by a version: not where its registry is switched off, nor where the registry that a person names
    /// is that of another version of the file.
    fn is_wanted(
        &mut self,
        target: &Target,
        parsed: &Parsed,
        version: &NamedVersion,
    ) -> Result<bool, PlanError> {
        let off = switched_off(parsed, &self.budget)?.into_iter().find(|(_, key)| *key == version.key);
        if let Some((entry, _)) = off {
            let path = target.primary().map(|file| file.path.as_str()).unwrap_or_default();
            let note = format!("{path}: `{}` stays: the registry `{entry}` is switched off", version.key);
            self.found.notes.push(note);
            return Ok(false);
        }
        let found = producers(target, parsed, &self.budget).unwrap_or_default();
        let named = found.iter().find(|producer| Some(&producer.prefix) == self.wishes.registry.as_ref());
        Ok(named.is_none_or(|producer| producer.version_key == version.key))
    }

    /// Renovate would change the version alone, in a merge request of its own.
    fn note_renovate(&mut self, file: &ReadFile<'_>, version: &NamedVersion) {
        let configured = renovate::FILES.iter().find(|path| self.checkout.files.contains_key(**path));
        let project = project_above(&file.document, &version.key).or_else(|| version.project.clone());
        if let (Some(configured), Some(project)) = (configured, project) {
            self.found.notes.push(format!(
                "Renovate may update `{}` of {} too: set `enabled: false` for {project} in {configured}",
                version.key, file.path
            ));
        }
    }

    /// The file with all that goes with it.
    fn target(&self, file: &ReadFile<'_>, listed: &ListedImages, version: &NamedVersion) -> Target {
        // The chart's values begin above the mapping, wherever the version stands.
        let apart = above(&version.key) != above(&listed.path);
        let unusual = |key: &KeyPath, names: &[&str]| {
            let is_usual = matches!(key.0.as_slice(), [name] if names.contains(&name.as_str()));
            Some(key.clone()).filter(|_| apart || !is_usual)
        };
        let primary = FileSpec {
            path: file.path.to_owned(),
            overlay: false,
            version_key: unusual(&version.key, &[VERSION]),
            images_key: unusual(&listed.path, &IMAGES),
        };
        let overlays = self.companions.overlays(file.path, listed);
        Target {
            files: [vec![primary], overlays].concat(),
            references: self.companions.references(file.path, listed, self.checkout),
            ..Target::default()
        }
    }

    fn contents(&self, target: &Target) -> BTreeMap<String, Vec<u8>> {
        let is_its = |file: &&ReadFile<'_>| target.files.iter().any(|spec| spec.path == file.path);
        self.reading.files.iter().filter(is_its).map(|file| (file.path.to_owned(), file.bytes())).collect()
    }

    /// Where the version's releases are; `None` where nothing says it.
    fn source(
        &self,
        target: &Target,
        parsed: &Parsed,
        version: &NamedVersion,
        place: &str,
    ) -> Result<Option<Source>, PlanError> {
        let said = |registry: Option<&Prefix>, why: &str| {
            Some(Source { registry: registry?.clone(), name: None, why: why.to_owned() })
        };
        if let Some(given) = said(self.wishes.registry.as_ref(), "Given by --registry.") {
            return Ok(Some(given));
        }
        let assumed = || said(self.wishes.assumed.get(place), "Assumed: no file names it.");
        let found = match producers(target, parsed, &self.budget) {
            Ok(found) => found.into_iter().find(|producer| producer.version_key == version.key),
            Err(error) => return assumed().map(Some).ok_or(error),
        };
        let found = match (found, &version.project) {
            (None, Some(project)) => producer_of_project(target, parsed, project, &self.budget)?,
            (found, _) => found,
        };
        Ok(found.map(Source::of_file).or_else(assumed))
    }

    /// The version's name says whose it is, but not where its images are pulled from.
    fn likely(&self, target: &Target, parsed: &Parsed, version: &NamedVersion) -> Option<Prefix> {
        let is_usual = version.key.0.last().is_some_and(|key| key == VERSION);
        let found = is_usual.then(|| producer_of_project(target, parsed, BUILDER, &self.budget));
        Some(found?.ok().flatten()?.prefix)
    }

    /// The name of a new producer. Targets of one project and one producer would share a merge request, so that each target
    /// has a producer of its own, also where their registry is the same.
    fn named(&mut self, path: &str, Source { registry, name, why }: Source) -> String {
        let is_taken = |name: &String| self.found.producers.iter().any(|known| known.name == *name);
        let last = registry.producer().to_owned();
        let folder = path.rsplit('/').nth(1).map(|folder| format!("{last}-{}", sanitized(folder)));
        let numbered = (2..).map(|n| format!("{last}-{n}"));
        let mut names = name.into_iter().chain([last.clone()]).chain(folder).chain(numbered);
        let name = names.find(|name| *name == sanitized(name) && !is_taken(name)).unwrap_or_default();
        let plain_http = self.wishes.plain_http;
        self.found.producers.push(DraftProducer { name: name.clone(), registry, plain_http, why: vec![why] });
        name
    }

    /// A map of Kubernetes versions outside of the version's file follows by rules only, and rules stand for all maps.
    fn kubernetes_versions(&self, target: &Target, listed: &ListedImages) -> KubernetesVersions {
        let mut maps: BTreeSet<(bool, KeyPath)> = BTreeSet::new();
        for (i, spec) in target.files.iter().enumerate() {
            let file = self.reading.files.iter().find(|file| file.path == spec.path);
            let fields =
                file.map(|file| file.document.fields_where(|path| path.last() == Some(&K8S_VERSION_MAP)));
            let fields = fields.into_iter().flatten().filter(|field| field.text.is_none());
            maps.extend(
                fields
                    .map(|field| (i > 0, KeyPath(field.path.iter().map(|key| (*key).to_owned()).collect()))),
            );
        }
        if maps.iter().all(|(is_elsewhere, _)| !is_elsewhere) {
            return KubernetesVersions::default();
        }
        let flavors: BTreeSet<String> = listed
            .keys
            .iter()
            .filter_map(|key| Some(Facets::from_name(key)?.k8s_flavor.to_string()))
            .collect();
        let maps: BTreeSet<KeyPath> = maps.into_iter().map(|(_, path)| path).collect();
        let rules = maps.iter().flat_map(|map| flavors.iter().map(move |flavor| format!("{flavor}={map}")));
        KubernetesVersions::from_texts(&rules.collect::<Vec<_>>()).unwrap_or_default()
    }
}

impl Source {
    fn of_file(producer: FileProducer) -> Self {
        let why = match &producer.mention {
            Mention::Registry(entry) => format!("{} names it, for `{entry}`.", producer.place),
            Mention::Comment(project) => {
                format!("Assumed to be the registry of {project} ({}).", producer.place)
            }
        };
        Self { registry: producer.prefix, name: Some(producer.name), why }
    }
}

/// A name as it may be a part of a branch's.
fn sanitized(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.chars().map(|c| if fits(c) { c } else { '-' }).collect()
}
