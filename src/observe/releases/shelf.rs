//! What was read of one producer, once for all that ask. What failed stays failed for the rest of the run: a registry that
//! is down is asked once, and not once for every target.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex, MutexGuard};

use super::sources::{self, Listing, OpenSource};
use super::tag_lists::TagLists;
use super::{ObserveError, Producer};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::ending::{Ending, Ends as _, sentence};
use crate::plan::signed::Signatures;
use crate::registry::{Manifest, RegistryError, Repository};
use crate::release::data::{Candidate, ReleaseData};
use crate::release::{Artifact, ImageKey, Release, Tag, Version};
use crate::signature::Keys;

/// How long a complete release may be taken from the cache. Images are promoted one by one, over hours.
const CACHE_LIFE: SignedDuration = SignedDuration::from_hours(6);

/// A producer, and what was read of it in this run.
pub struct ReleaseCache {
    pub(super) producer: Arc<Producer>,
    facts: Mutex<Answers>,
    /// Verdicts by the keys that they were given under; targets may name keys of their own.
    pub(super) verdicts: Mutex<Vec<(Keys, Signatures)>>,
}

/// Answers by their questions.
pub(super) struct Answers {
    pub(super) producer: Arc<Producer>,
    pub(super) sources: Vec<Arc<OpenSource>>,
    /// What was asked for candidates, and what came of it.
    pub(super) asked: Vec<String>,
    /// Candidates and outlines, and of the releases those that are the same for everybody.
    pub(super) known: ReleaseData,
    unopened: std::vec::IntoIter<Arc<dyn Catalogue>>,
    failed: Option<ObserveError>,
    manifests: BTreeMap<(ImageKey, Version), Result<Option<Manifest>, RegistryError>>,
    exists: BTreeMap<(Repository, Version), Result<bool, RegistryError>>,
    cached: BTreeMap<Version, Option<Release>>,
}

impl ReleaseCache {
    /// An empty shelf.
    pub fn new(producer: Arc<Producer>) -> Self {
        let facts = Answers {
            producer: Arc::clone(&producer),
            sources: Vec::new(),
            asked: Vec::new(),
            known: ReleaseData::default(),
            unopened: producer.sources.clone().into_iter(),
            failed: None,
            manifests: BTreeMap::new(),
            exists: BTreeMap::new(),
            cached: BTreeMap::new(),
        };
        Self { producer, facts: Mutex::new(facts), verdicts: Mutex::default() }
    }

    /// The producer.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// Whoever holds the facts reads for all others, who wait for the same answers.
    pub(super) async fn facts(&self) -> MutexGuard<'_, Answers> {
        self.facts.lock().await
    }
}

impl Answers {
    /// Opens the first source that applies, unless one is open.
    pub(super) async fn open(&mut self) -> Result<(), ObserveError> {
        match self.sources.is_empty() {
            true => self.open_next().await.map(drop),
            false => Ok(()),
        }
    }

    /// Opens the next source that applies; false when there is none left.
    pub(super) async fn open_next(&mut self) -> Result<bool, ObserveError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let opened = self.try_next().await;
        self.failed = opened.as_ref().err().cloned();
        opened
    }

    async fn try_next(&mut self) -> Result<bool, ObserveError> {
        while let Some(catalogue) = self.unopened.next() {
            match catalogue.candidates().await {
                Ok(candidates) => {
                    if let Some(nothing) = sources::nothing_in(&candidates) {
                        self.asked.push(format!("{}, {nothing}", catalogue.asked()));
                        continue;
                    }
                    let source = match sources::open(catalogue.name(), candidates) {
                        Ok(source) => source,
                        Err(names) => self.tags(&names.published, names.snapshots).await?,
                    };
                    self.asked.push(match &source {
                        OpenSource::Untagged(names) => {
                            format!(
                                "{}, {} below the prefix, none tagged with a version",
                                catalogue.asked(),
                                names.len()
                            )
                        }
                        _ => catalogue.asked(),
                    });
                    self.offer(&source);
                    self.sources.push(Arc::new(source));
                    return Ok(true);
                }
                Err(error @ CatalogueError::NotOffered { .. }) => {
                    self.asked.push(error.to_string());
                }
                Err(error) => {
                    let producer = self.producer.prefix.to_string();
                    return Err(ObserveError::Catalogue { producer, source_name: catalogue.name(), error });
                }
            }
        }
        Ok(false)
    }

    fn offer(&mut self, source: &OpenSource) {
        for (version, released_at) in source.versions() {
            let candidate = Candidate { version: version.clone(), released_at, first_seen: None };
            self.known.candidates.entry(version).or_insert(candidate);
        }
    }

    /// Notes the lines of the release before this one: the next lower one of which any are known.
    pub(super) fn outline_before(&mut self, version: &Version) {
        let ReleaseData { candidates, releases, outlines } = &mut self.known;
        let lower = candidates.range(..version.clone()).rev().map(|(version, _)| version);
        for lower in lower.filter(|version| !version.is_prerelease()) {
            let is_read = releases.get(lower).is_some_and(|release| !release.lines().is_empty());
            if is_read || outlines.contains_key(lower) {
                return;
            }
            let naming = &self.producer.naming;
            if let Some(lines) = self.sources.iter().find_map(|source| source.outline(lower, naming)) {
                outlines.insert(lower.clone(), lines);
                return;
            }
        }
    }

    /// Refuses to go on where nothing that was asked has an image of the producer: what cannot be seen is not taken for
    /// up to date. A release that was withdrawn is none of it, as long as another one is there.
    pub(super) async fn must_have_seen_images(&mut self) -> Result<(), ObserveError> {
        if self.has_seen_images() {
            return Ok(());
        }
        let newest =
            self.sources.iter().flat_map(|source| source.newest_names()).max_by_key(|(v, _)| v.clone());
        let is_told = match newest {
            Some((version, names)) => self.manifests(&names, &version).await?.is_ok(),
            None => true,
        };
        match (is_told && !self.has_seen_images(), self.refusal()) {
            (true, Some(error)) => Err(self.registry_error(error.clone())),
            (true, None) => Err(self.no_images()),
            (false, _) => Ok(()),
        }
    }

    /// What the registry said of a repository that it refused.
    fn refusal(&self) -> Option<&RegistryError> {
        let manifests = self.manifests.values().filter_map(|answer| answer.as_ref().err());
        let others = self.exists.values().filter_map(|answer| answer.as_ref().err());
        manifests.chain(others).find(|error| is_denied(error))
    }

    fn has_seen_images(&self) -> bool {
        let is_tagged = |source: &Arc<OpenSource>| matches!(**source, OpenSource::Tagged { .. });
        self.sources.iter().any(is_tagged)
            || self.manifests.values().any(|answer| matches!(answer, Ok(Some(_))))
            || self.exists.values().any(|answer| matches!(answer, Ok(true)))
            || self.cached.values().any(Option::is_some)
    }

    pub(super) fn no_images(&self) -> ObserveError {
        // Repositories there are, and the tags of none of them are versions.
        if self.sources.iter().any(|source| matches!(**source, OpenSource::Untagged(_))) {
            return self.no_releases();
        }
        ObserveError::NoImages { producer: self.producer.prefix.to_string(), asked: self.asked_for() }
    }

    pub(super) fn no_releases(&self) -> ObserveError {
        ObserveError::NoReleases { producer: self.producer.prefix.to_string(), asked: self.asked_for() }
    }

    fn asked_for(&self) -> String {
        let probed = self.producer.probe.then_some("names that may exist");
        self.asked.iter().map(String::as_str).chain(probed).collect::<Vec<_>>().join("; ")
    }

    /// One tag list a repository answers for all releases. A list that cannot be read makes all of it unknown.
    async fn tags(
        &self,
        names: &BTreeSet<ImageKey>,
        snapshots: BTreeSet<ImageKey>,
    ) -> Result<OpenSource, ObserveError> {
        let names: Vec<ImageKey> = names.iter().cloned().collect();
        let answers = self.producer.registry.tags(&self.repositories(&names)).await;
        let mut tags = BTreeMap::new();
        let mut denied = BTreeMap::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Ok(list) => drop(tags.insert(name, list.unwrap_or_default())),
                Err(error) if is_denied(&error) => drop(denied.insert(name, error)),
                Err(error) => return Err(self.registry_error(error)),
            }
        }
        if let (true, Some(error)) = (tags.is_empty(), denied.first_entry()) {
            return Err(self.registry_error(error.remove()));
        }
        if let Some(told) = Version::passed_over(tags.values().flatten().map(String::as_str)) {
            tracing::warn!(registry = %self.producer.prefix, "{told}");
        }
        let lists = TagLists::new(tags).map_err(|error| {
            let (subject, reason) = (self.producer.prefix.to_string(), error.to_string());
            self.registry_error(RegistryError::Invalid { subject, reason })
        })?;
        let others = self.others(&lists).await;
        Ok(sources::tagged(lists, denied.into_keys().collect(), snapshots, others))
    }

    /// Names that are no disk images, as far as their newest version tells. What cannot be read may be one.
    async fn others(&self, lists: &TagLists) -> BTreeSet<ImageKey> {
        let naming = &self.producer.naming;
        let strange = lists
            .newest()
            .filter(|(name, version)| !Artifact::named((*name).clone(), naming).is_image(version, naming));
        let asked = strange.map(async |(name, version)| {
            let repositories = self.repositories(std::slice::from_ref(name));
            let answers = self.producer.registry.manifests(&repositories, &Tag::from(version)).await;
            let is_image = match answers.as_slice() {
                [Ok(Some(manifest))] => {
                    let annotations = Arc::clone(&manifest.annotations);
                    Artifact::described(name.clone(), None, annotations, naming).is_image(version, naming)
                }
                // Nothing says that it is one: no manifest, or an index of several as of any container image.
                [Ok(None) | Err(RegistryError::Broken { .. })] => false,
                _ => true,
            };
            (!is_image).then(|| name.clone())
        });
        futures::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// Every candidate with its names alone.
    pub(super) async fn read_names(&mut self) -> Result<BTreeMap<Version, Release>, ObserveError> {
        if self.sources.first().is_some_and(|source| source.needs_proof()) {
            let names = self.sources.iter().flat_map(|source| source.all_names()).collect();
            let tags = self.tags(&names, BTreeSet::new()).await?;
            self.sources.insert(0, Arc::new(tags));
        }
        let naming = &self.producer.naming;
        let source = self.sources.first();
        let release = |version: &Version| match source.map(|source| source.listing(version, naming)) {
            Some(Listing::Proven(names)) => {
                let is_image = |name: &ImageKey| !source.is_some_and(|source| source.is_other(name));
                let images = names.into_iter().filter(is_image);
                Release::complete(version.clone(), images.map(|name| Artifact::named(name, naming)))
            }
            Some(Listing::Short { reason, .. }) => Release::unknown(version.clone(), reason),
            Some(Listing::Claimed(_)) | None => {
                Release::unknown(version.clone(), "no source lists its artifacts")
            }
        };
        Ok(self.known.candidates.keys().map(|version| (version.clone(), release(version))).collect())
    }

    /// A release as a memory has it that is young enough; it is asked once.
    pub(super) async fn cached(&mut self, version: &Version, now: Timestamp) -> Option<Release> {
        if let Some(answer) = self.cached.get(version) {
            return answer.clone();
        }
        let remembered = self.producer.store.release(&self.producer.prefix, version).await;
        let young = remembered.filter(|(_, read_at)| now.duration_since(*read_at) < CACHE_LIFE);
        let answer = young.map(|(release, _)| release);
        self.cached.insert(version.clone(), answer.clone());
        answer
    }

    /// A release as the registry has it. `listed` are the names that whoever asks knows of.
    pub(super) async fn read(
        &mut self,
        version: &Version,
        listed: &BTreeSet<ImageKey>,
        now: Timestamp,
    ) -> Result<Release, ObserveError> {
        if let Some(release) = self.known.releases.get(version) {
            return Ok(release.clone());
        }
        let release = self.look_up(version, listed).await?;
        if release.is_complete() {
            self.producer.store.keep(&self.producer.prefix, &release, now).await;
            self.known.releases.insert(version.clone(), release.clone());
        }
        Ok(release)
    }

    /// Reads the manifests of several releases at once, which saves a round trip for each but one.
    pub(super) async fn read_ahead(&mut self, versions: &[Version]) {
        let unread: Vec<&Version> =
            versions.iter().filter(|version| !self.known.releases.contains_key(version)).collect();
        let (Some(source), true) = (self.sources.first(), unread.len() > 1) else { return };
        let names = |version| match source.listing(version, &self.producer.naming) {
            Listing::Proven(names) | Listing::Claimed(names) => names,
            Listing::Short { .. } => BTreeSet::new(),
        };
        let names: Vec<Vec<ImageKey>> =
            unread.iter().map(|version| self.unread(&names(version), version)).collect();
        let repositories: Vec<Vec<Repository>> = names.iter().map(|names| self.repositories(names)).collect();
        let tags: Vec<Tag> = unread.iter().map(|version| Tag::from(*version)).collect();
        let asked = tags.iter().zip(&repositories);
        let asked = asked.map(|(tag, repositories)| self.producer.registry.manifests(repositories, tag));
        let answers = futures::future::join_all(asked).await;
        for ((version, names), answers) in unread.into_iter().zip(names).zip(answers) {
            self.keep(version, names, answers);
        }
    }

    /// Reads the manifests that were not read yet. The inner error says why nothing is known. What one repository is
    /// refused says nothing of the others: of it alone nothing is known.
    pub(super) async fn manifests(
        &mut self,
        names: &BTreeSet<ImageKey>,
        version: &Version,
    ) -> Result<Result<(), String>, ObserveError> {
        self.read_manifests(names, version).await;
        let failed =
            names.iter().find_map(|name| self.failure(name, version).filter(|error| !is_denied(error)));
        match failed {
            Some(error) => self.unknown(error.clone()).map(Err),
            None => Ok(Ok(())),
        }
    }

    /// Reads the manifests that were not read yet, whatever comes of it.
    pub(super) async fn read_manifests(&mut self, names: &BTreeSet<ImageKey>, version: &Version) {
        let unread = self.unread(names, version);
        let answers = self.producer.registry.manifests(&self.repositories(&unread), &version.into()).await;
        self.keep(version, unread, answers);
    }

    /// Why it is not known whether this manifest is there, or what it says.
    pub(super) fn failure(&self, name: &ImageKey, version: &Version) -> Option<&RegistryError> {
        self.manifests.get(&(name.clone(), version.clone()))?.as_ref().err()
    }

    /// Why the registry does not tell whether it has this manifest.
    pub(super) fn denied(&self, name: &ImageKey, version: &Version) -> Option<&RegistryError> {
        self.failure(name, version).filter(|error| is_denied(error))
    }

    fn unread(&self, names: &BTreeSet<ImageKey>, version: &Version) -> Vec<ImageKey> {
        let is_unread = |name: &&ImageKey| !self.manifests.contains_key(&((*name).clone(), version.clone()));
        names.iter().filter(is_unread).cloned().collect()
    }

    fn keep(
        &mut self,
        version: &Version,
        names: Vec<ImageKey>,
        answers: Vec<Result<Option<Manifest>, RegistryError>>,
    ) {
        let answers = names.into_iter().zip(answers);
        self.manifests.extend(answers.map(|(name, answer)| ((name, version.clone()), answer)));
    }

    /// A manifest that was read, and is there.
    pub(super) fn manifest(&self, name: &ImageKey, version: &Version) -> Option<&Manifest> {
        self.manifests.get(&(name.clone(), version.clone()))?.as_ref().ok()?.as_ref()
    }

    /// Whether each repository carries the version, asked once.
    pub(super) async fn existing(
        &mut self,
        repositories: &[Repository],
        version: &Version,
    ) -> Vec<Result<bool, RegistryError>> {
        let key = |repository: &Repository| (repository.clone(), version.clone());
        let unasked: Vec<Repository> = repositories
            .iter()
            .filter(|repository| !self.exists.contains_key(&key(repository)))
            .cloned()
            .collect();
        let answers = self.producer.registry.exists(&unasked, &version.into()).await;
        self.exists.extend(unasked.iter().map(key).zip(answers));
        repositories.iter().filter_map(|repository| self.exists.get(&key(repository)).cloned()).collect()
    }

    pub(super) fn repositories(&self, names: &[ImageKey]) -> Vec<Repository> {
        names.iter().map(|name| self.producer.prefix.repository(name)).collect()
    }

    /// Where a person must act, the look-up ends. Anything else makes the release unknown.
    pub(super) fn unknown(&self, error: RegistryError) -> Result<String, ObserveError> {
        match error.ending() {
            Ending::Unknown => Ok(sentence(&error)),
            _ => Err(self.registry_error(error)),
        }
    }

    fn registry_error(&self, error: RegistryError) -> ObserveError {
        ObserveError::Registry { producer: self.producer.prefix.to_string(), error }
    }
}

/// Whether the registry refused one repository, of which nothing is known then.
fn is_denied(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Denied { .. })
}
