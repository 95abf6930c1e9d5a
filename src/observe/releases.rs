//! The releases of one producer, read as far as the question needs it.
//!
//! Candidates come from the sources of `discovery:` in their order; whether an artifact exists is the registry's answer alone.

mod gates;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use self::sources::{Listing, Source};
use crate::catalogue::{Catalogue, CatalogueError, Note};
use crate::registry::{Manifest, Prefix, Registry, RegistryError, Repository};
use crate::release::choice::{Candidate, Choice, Known, Next, Question, next_wanted};
use crate::release::guess::guesses;
use crate::release::{Artifact, Coverage, ImageKey, Naming, Release, Tag, Version};
use crate::signature::Keys;
use crate::store::Store;

/// How long a complete release may be taken from the cache. Images are promoted one by one, over hours.
const CACHE_LIFE: SignedDuration = SignedDuration::from_hours(6);

/// A producer and how it can be asked.
pub struct Producer {
    /// Where it publishes.
    pub prefix: Prefix,
    /// Whether its registry is spoken to without TLS; a reviewer's own look-up needs to know.
    pub plain_http: bool,
    /// How its names are read.
    pub naming: Naming,
    /// The registry that the deployments pull from.
    pub registry: Arc<dyn Registry>,
    /// The sources of candidates, in the order in which they are asked.
    pub sources: Vec<Arc<dyn Catalogue>>,
    /// Whether names that no source lists are guessed and probed (`known`).
    pub probe: bool,
    /// The public keys that are configured for its signatures.
    pub keys: Option<Keys>,
    /// Releases that were read before.
    pub store: Arc<dyn Store>,
}

/// Why the producer's releases could not be looked up at all.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A source failed.
    #[error("couldn't look up the releases of {producer} ({source_name})")]
    Catalogue {
        /// The producer.
        producer: String,
        /// The source's name in `discovery:`.
        source_name: &'static str,
        /// What happened.
        #[source]
        error: CatalogueError,
    },
    /// The registry failed.
    #[error("couldn't look up the releases of {producer}")]
    Registry {
        /// The producer.
        producer: String,
        /// What happened.
        #[source]
        error: RegistryError,
    },
}

impl ObserveError {
    /// Whether a person must act (credentials), as opposed to a retry that may help.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Catalogue { error: CatalogueError::Refused { .. }, .. }
                | Self::Registry { error: RegistryError::Refused { .. }, .. }
        )
    }
}

/// What was read of one producer.
pub struct Snapshot<'a> {
    producer: &'a Producer,
    /// The keys that the files list: they are always asked for.
    listed: BTreeSet<ImageKey>,
    sources: Vec<Source>,
    unopened: std::slice::Iter<'a, Arc<dyn Catalogue>>,
    manifests: BTreeMap<(ImageKey, Version), Option<Manifest>>,
    known: Known,
    cached: BTreeSet<Version>,
    skipped: Vec<String>,
}

impl<'a> Snapshot<'a> {
    /// Asks the sources, in their order, until one offers candidates.
    pub async fn open(producer: &'a Producer, listed: BTreeSet<ImageKey>) -> Result<Self, ObserveError> {
        let mut snapshot = Self {
            producer,
            listed,
            sources: Vec::new(),
            unopened: producer.sources.iter(),
            manifests: BTreeMap::new(),
            known: Known::default(),
            cached: BTreeSet::new(),
            skipped: Vec::new(),
        };
        snapshot.open_next().await?;
        Ok(snapshot)
    }

    /// What is known by now.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What is known by now, to keep.
    pub fn into_known(self) -> Known {
        self.known
    }

    /// Whether the registry itself named all releases that it has, so that one which is not among them is gone.
    pub fn is_exhaustive(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Tagged { .. }))
    }

    /// The sources that did not apply, each with its reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The release notes that a source had for a version.
    pub fn note(&self, version: &Version) -> Option<&Note> {
        self.sources.iter().find_map(|source| source.note(version))
    }

    /// Reads what the question needs and answers it. With `fresh`, nothing comes from the cache.
    pub async fn answer(&mut self, question: &Question<'_>, fresh: bool) -> Result<Choice, ObserveError> {
        loop {
            match next_wanted(question, &self.known) {
                Next::Decided(choice) => return Ok(choice),
                Next::Read(mut versions) => {
                    if !fresh
                        && let Some(current) = question.current.filter(|current| versions.contains(current))
                        && self.read_cached(current, question.now).await
                    {
                        versions.retain(|version| version != current);
                    }
                    self.read_ahead(&versions).await?;
                    for version in &versions {
                        if !self.known.releases.contains_key(version) {
                            self.read(version, question.now).await?;
                        }
                        if question.current != Some(version) {
                            self.read_for_gates(version, question).await?;
                        }
                    }
                }
            }
        }
    }

    /// Forgets what came from the cache; true if anything did.
    /// What is cached may only lead to "nothing to do": before anything changes, it is read again.
    pub fn forget_cached(&mut self) -> bool {
        let cached = std::mem::take(&mut self.cached);
        cached.iter().for_each(|version| drop(self.known.releases.remove(version)));
        !cached.is_empty()
    }

    /// How the producer's names are read.
    pub fn naming(&self) -> &Naming {
        &self.producer.naming
    }

    /// Reads every candidate's names, without manifests: what `releases` lists.
    pub async fn read_names(&mut self) -> Result<(), ObserveError> {
        if self.sources.first().is_some_and(Source::needs_proof) {
            let names = self.sources.iter().flat_map(Source::all_names).collect();
            let tags = self.tags(&names, BTreeSet::new()).await?;
            self.sources.insert(0, tags);
        }
        for version in self.known.candidates.keys().cloned().collect::<Vec<_>>() {
            let release =
                match self.sources.first().map(|source| source.listing(&version, &self.producer.naming)) {
                    Some(Listing::Proven(names)) => self.named(&version, names),
                    _ => Release::unknown(version.clone(), "no source lists its artifacts"),
                };
            self.known.releases.insert(version, release);
        }
        Ok(())
    }

    /// Reads one release: the manifests of the names that the first fitting source gives.
    pub async fn read(&mut self, version: &Version, now: Timestamp) -> Result<(), ObserveError> {
        let release = self.look_up(version).await?;
        if release.is_complete() {
            self.producer.store.keep(&self.producer.prefix, &release, now).await;
        }
        self.known.releases.insert(version.clone(), release);
        Ok(())
    }

    /// Reads the manifests of several releases at once, which saves a round trip for each but one.
    async fn read_ahead(&mut self, versions: &[Version]) -> Result<(), ObserveError> {
        let (Some(source), true) = (self.sources.first(), versions.len() > 1) else { return Ok(()) };
        let names = |version| match source.listing(version, &self.producer.naming) {
            Listing::Proven(names) | Listing::Claimed(names) => names.into_iter().collect(),
            Listing::Short { .. } => Vec::new(),
        };
        let names: Vec<Vec<ImageKey>> = versions.iter().map(names).collect();
        let repositories: Vec<Vec<Repository>> = names.iter().map(|names| self.repositories(names)).collect();
        let tags: Vec<Tag> = versions.iter().map(Tag::from).collect();
        let asked = tags.iter().zip(&repositories);
        let asked = asked.map(|(tag, repositories)| self.producer.registry.manifests(repositories, tag));
        let answers = futures::future::join_all(asked).await;
        for ((version, names), answers) in versions.iter().zip(names).zip(answers) {
            for (name, answer) in names.into_iter().zip(answers) {
                match answer {
                    Ok(manifest) => drop(self.manifests.insert((name, version.clone()), manifest)),
                    Err(error) => {
                        let unknown = Release::unknown(version.clone(), self.unknown(error)?);
                        self.known.releases.insert(version.clone(), unknown);
                    }
                }
            }
        }
        Ok(())
    }

    async fn read_cached(&mut self, version: &Version, now: Timestamp) -> bool {
        match self.producer.store.release(&self.producer.prefix, version).await {
            Some((release, read_at)) if now.duration_since(read_at) < CACHE_LIFE => {
                self.cached.insert(version.clone());
                self.known.releases.insert(version.clone(), release);
                true
            }
            _ => false,
        }
    }

    async fn look_up(&mut self, version: &Version) -> Result<Release, ObserveError> {
        let mut names = self.listed.clone();
        let mut reasons = Vec::new();
        let mut index = 0;
        while index < self.sources.len() || self.open_next().await? {
            let (source, listing) =
                (self.sources[index].name(), self.sources[index].listing(version, &self.producer.naming));
            index += 1;
            match listing {
                Listing::Proven(proven) => match self.manifests(&proven, version).await? {
                    Ok(()) => return Ok(self.described(version, Coverage::Complete, &proven, &proven)),
                    Err(reason) => return Ok(Release::unknown(version.clone(), reason)),
                },
                Listing::Claimed(claimed) => {
                    if let Err(reason) = self.manifests(&claimed, version).await? {
                        return Ok(Release::unknown(version.clone(), reason));
                    }
                    match self.missing(&claimed, version) {
                        None => {
                            return Ok(self.described(
                                version,
                                Coverage::Complete,
                                &claimed,
                                &BTreeSet::new(),
                            ));
                        }
                        Some(key) => reasons.push(format!("{key}, listed by {source}, does not exist")),
                    }
                    names.extend(claimed);
                }
                Listing::Short { names: some, reason } => {
                    names.extend(some);
                    reasons.push(reason);
                }
            }
        }
        self.probe(version, names, reasons).await
    }

    /// The end of the line: what can be proven is proven, and more may exist.
    async fn probe(
        &mut self,
        version: &Version,
        mut names: BTreeSet<ImageKey>,
        mut reasons: Vec<String>,
    ) -> Result<Release, ObserveError> {
        if self.producer.probe {
            let guessed = guesses(&self.listed, &self.producer.naming);
            let guessed: BTreeSet<ImageKey> = guessed.difference(&names).cloned().collect();
            match self.existing(guessed, version).await? {
                Ok(existing) => names.extend(existing),
                Err(reason) => return Ok(Release::unknown(version.clone(), reason)),
            }
        }
        if let Err(reason) = self.manifests(&names, version).await? {
            return Ok(Release::unknown(version.clone(), reason));
        }
        if reasons.is_empty() {
            reasons.push("no source lists the producer's artifacts".to_owned());
        }
        let coverage = Coverage::Partial { reason: reasons.join("; ") };
        Ok(self.described(version, coverage, &names, &BTreeSet::new()))
    }

    async fn existing(
        &self,
        names: BTreeSet<ImageKey>,
        version: &Version,
    ) -> Result<Result<Vec<ImageKey>, String>, ObserveError> {
        let names: Vec<ImageKey> = names.into_iter().collect();
        let answers = self.producer.registry.exists(&self.repositories(&names), &version.into()).await;
        let mut existing = Vec::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Ok(true) => existing.push(name),
                Ok(false) => {}
                Err(error) => return self.unknown(error).map(Err),
            }
        }
        Ok(Ok(existing))
    }

    /// Reads the manifests that were not read yet. The inner error says why nothing is known.
    async fn manifests(
        &mut self,
        names: &BTreeSet<ImageKey>,
        version: &Version,
    ) -> Result<Result<(), String>, ObserveError> {
        let unread = |name: &&ImageKey| !self.manifests.contains_key(&((*name).clone(), version.clone()));
        let names: Vec<ImageKey> = names.iter().filter(unread).cloned().collect();
        let answers = self.producer.registry.manifests(&self.repositories(&names), &version.into()).await;
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Ok(manifest) => drop(self.manifests.insert((name, version.clone()), manifest)),
                Err(error) => return self.unknown(error).map(Err),
            }
        }
        Ok(Ok(()))
    }

    /// A refusal ends the look-up: a person must act. Anything else makes the release unknown.
    fn unknown(&self, error: RegistryError) -> Result<String, ObserveError> {
        match error {
            RegistryError::Refused { .. } => Err(self.registry_error(error)),
            other => Ok(super::chain(&other)),
        }
    }

    fn missing<'n>(&self, names: &'n BTreeSet<ImageKey>, version: &Version) -> Option<&'n ImageKey> {
        names.iter().find(|name| self.manifest(name, version).is_none())
    }

    fn manifest(&self, name: &ImageKey, version: &Version) -> Option<&Manifest> {
        self.manifests.get(&(name.clone(), version.clone())).and_then(Option::as_ref)
    }

    /// The release as its manifests describe it. A tag list is proof too, where a mirror answers a manifest with 404.
    fn described(
        &self,
        version: &Version,
        coverage: Coverage,
        names: &BTreeSet<ImageKey>,
        proven: &BTreeSet<ImageKey>,
    ) -> Release {
        let naming = &self.producer.naming;
        let artifact = |name: &ImageKey| match self.manifest(name, version) {
            Some(manifest) => {
                let digest = Some(manifest.digest.clone());
                let artifact =
                    Artifact::described(name.clone(), digest, manifest.annotations.clone(), naming);
                Some(artifact.sized(Some(manifest.size)))
            }
            None => proven.contains(name).then(|| Artifact::named(name.clone(), naming)),
        };
        let artifacts: Vec<Artifact> = names.iter().filter_map(artifact).collect();
        let mut release = Release::with_coverage(version.clone(), coverage, artifacts);
        release.absent =
            names.iter().filter(|name| !release.artifacts.contains_key(*name)).cloned().collect();
        release
    }

    fn named(&self, version: &Version, names: BTreeSet<ImageKey>) -> Release {
        let naming = &self.producer.naming;
        Release::complete(version.clone(), names.into_iter().map(|name| Artifact::named(name, naming)))
    }

    /// Opens the next source that applies; false when there is none left.
    async fn open_next(&mut self) -> Result<bool, ObserveError> {
        while let Some(catalogue) = self.unopened.next() {
            match catalogue.candidates().await {
                Ok(candidates) => {
                    let source = match sources::open(catalogue.name(), candidates) {
                        Ok(source) => source,
                        Err(names) => self.tags(&names.published, names.snapshots).await?,
                    };
                    self.offer(&source);
                    self.sources.push(source);
                    return Ok(true);
                }
                Err(error @ CatalogueError::NotOffered { .. }) => {
                    self.skipped.push(format!("{}: {error}", catalogue.name()));
                }
                Err(error) => {
                    let producer = self.producer.prefix.to_string();
                    return Err(ObserveError::Catalogue { producer, source_name: catalogue.name(), error });
                }
            }
        }
        Ok(false)
    }

    fn offer(&mut self, source: &Source) {
        for (version, released_at) in source.versions() {
            if let Some(outline) = source.outline(&version, &self.producer.naming) {
                self.known.outlines.entry(version.clone()).or_insert(outline);
            }
            let candidate = Candidate { version: version.clone(), released_at, first_seen: None };
            self.known.candidates.entry(version).or_insert(candidate);
        }
    }

    /// One tag list a repository answers for all releases. A list that cannot be read makes all of it unknown.
    async fn tags(
        &self,
        names: &BTreeSet<ImageKey>,
        snapshots: BTreeSet<ImageKey>,
    ) -> Result<Source, ObserveError> {
        let names: Vec<ImageKey> = names.iter().cloned().collect();
        let answers = self.producer.registry.tags(&self.repositories(&names)).await;
        let mut tags = BTreeMap::new();
        for (name, answer) in names.into_iter().zip(answers) {
            tags.insert(name, answer.map_err(|error| self.registry_error(error))?.unwrap_or_default());
        }
        Ok(sources::tagged(tags, snapshots))
    }

    fn repositories(&self, names: &[ImageKey]) -> Vec<Repository> {
        names.iter().map(|name| self.producer.prefix.repository(name)).collect()
    }

    fn registry_error(&self, error: RegistryError) -> ObserveError {
        ObserveError::Registry { producer: self.producer.prefix.to_string(), error }
    }
}
