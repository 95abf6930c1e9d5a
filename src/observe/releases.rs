//! The releases of one producer, read as far as the query needs it.
//!
//! Candidates come from the sources of `discovery:` in their order; whether an artifact exists is the registry's answer alone.
//! All targets of a producer read from one [`ReleaseCache`]; each of them sees what it asked for itself and nothing more, so that
//! its plan does not depend on who else was there.

mod gates;
mod look_up;
mod shelf;
mod sources;
mod tag_lists;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use self::shelf::Answers;
pub use self::shelf::ReleaseCache;
use self::sources::OpenSource;
use crate::catalogue::{Catalogue, CatalogueError, ReleaseNote};
use crate::ending::{Ending, Ends};
use crate::merge_request::text::Pages;
use crate::registry::{Prefix, Registry, RegistryError};
use crate::release::data::{Candidate, ReleaseData, SelectionQuery};
use crate::release::selection::{Choice, Next, next_wanted};
use crate::release::{Coverage, ImageKey, Naming, Release, Version};
use crate::signature::Keys;
use crate::store::Store;

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

/// Why the producer's releases could not be looked up at all. Whoever asks again is told the same.
#[derive(Debug, Clone, thiserror::Error)]
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
    /// Everything was asked, and nothing is there.
    #[error("no image repository found below {producer} (asked: {asked}); nothing was changed")]
    NoImages {
        /// The producer.
        producer: String,
        /// What was asked, and what came of it.
        asked: String,
    },
    /// There may be images, and nothing names the releases.
    #[error("no source names the releases of {producer} (asked: {asked}); nothing was changed")]
    NoReleases {
        /// The producer.
        producer: String,
        /// What was asked, and what came of it.
        asked: String,
    },
}

impl Ends for ObserveError {
    fn ending(&self) -> Ending {
        match self {
            Self::Catalogue { error, .. } => error.ending(),
            Self::Registry { error, .. } => error.ending(),
            // Asking again would give the same.
            Self::NoImages { .. } | Self::NoReleases { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Catalogue { error, .. } => error.hint(),
            Self::Registry { error, .. } => error.hint(),
            Self::NoImages { .. } => Some("is the path right? What a token may not see is not listed either".to_owned()),
            Self::NoReleases { .. } => Some(
                "name another source in `discovery:` (--discovery), give it a token, or name the release with --to".to_owned(),
            ),
        }
    }
}

/// What one target, or one command, knows of a producer.
pub struct Snapshot {
    shelf: Arc<ReleaseCache>,
    /// The keys that the files list: they are always asked for.
    listed: BTreeSet<ImageKey>,
    sources: Vec<Arc<OpenSource>>,
    known: ReleaseData,
    cached: BTreeSet<Version>,
}

impl Snapshot {
    /// Asks the sources, in their order, until one offers candidates. For whoever is alone.
    pub async fn open(producer: &Arc<Producer>, listed: BTreeSet<ImageKey>) -> Result<Self, ObserveError> {
        Self::from_shelf(&Arc::new(ReleaseCache::new(Arc::clone(producer))), listed).await
    }

    /// The same, where others ask as well: whatever one of them read is not asked for again.
    pub async fn from_shelf(
        shelf: &Arc<ReleaseCache>,
        listed: BTreeSet<ImageKey>,
    ) -> Result<Self, ObserveError> {
        let mut snapshot = Self {
            shelf: Arc::clone(shelf),
            listed,
            sources: Vec::new(),
            known: ReleaseData::default(),
            cached: BTreeSet::new(),
        };
        let mut facts = shelf.facts().await;
        facts.open().await?;
        // Names are guessed from those that are listed.
        let may_guess = shelf.producer.probe && !snapshot.listed.is_empty();
        if facts.sources.is_empty() && !may_guess {
            return Err(facts.no_images());
        }
        snapshot.learn(&facts, BTreeMap::new());
        drop(facts);
        Ok(snapshot)
    }

    /// What is known by now.
    pub fn known(&self) -> &ReleaseData {
        &self.known
    }

    /// What is known by now, to keep.
    pub fn into_known(self) -> ReleaseData {
        self.known
    }

    /// Whether the registry itself named all releases that it has, so that one which is not among them is gone.
    pub fn is_exhaustive(&self) -> bool {
        self.sources.iter().any(|source| source.is_exhaustive())
    }

    /// The release notes that a source had for a version.
    pub fn note(&self, version: &Version) -> Option<&ReleaseNote> {
        self.sources.iter().find_map(|source| source.note(version))
    }

    /// The pages of an update, as far as the source that announced both releases has some.
    pub fn pages(&self, from: &Version, to: &Version) -> Pages {
        let announces = |version| self.sources.iter().find(|source| source.note(version).is_some());
        let Some(source) = announces(to) else { return Pages::default() };
        let mut catalogues = self.shelf.producer.sources.iter();
        let Some(catalogue) = catalogues.find(|catalogue| catalogue.name() == source.name()) else {
            return Pages::default();
        };
        let comparison = source.note(from).and_then(|_| catalogue.comparison_page(from, to));
        Pages { release: catalogue.release_page(to), comparison }
    }

    /// How the producer's names are read.
    pub fn naming(&self) -> &Naming {
        &self.shelf.producer.naming
    }

    /// Reads what the query needs and answers it. With `fresh`, nothing comes from the cache.
    pub async fn answer(&mut self, query: &SelectionQuery<'_>, fresh: bool) -> Result<Choice, ObserveError> {
        loop {
            match next_wanted(query, &self.known) {
                Next::Decided(_) if query.to.is_none() && self.known.candidates.is_empty() => {
                    return Err(self.shelf.facts().await.no_releases());
                }
                Next::Decided(choice) => return Ok(choice),
                Next::Read(versions) => self.read_all(&versions, query, fresh).await?,
            }
        }
    }

    async fn read_all(
        &mut self,
        versions: &[Version],
        query: &SelectionQuery<'_>,
        fresh: bool,
    ) -> Result<(), ObserveError> {
        let shelf = Arc::clone(&self.shelf);
        let mut facts = shelf.facts().await;
        let mut releases = BTreeMap::new();
        let mut versions = versions.to_vec();
        if !fresh
            && let Some(current) = query.current.filter(|current| versions.contains(current))
            && let Some(release) = facts.cached(current, query.now).await
        {
            self.cached.insert(current.clone());
            releases.insert(current.clone(), release);
            versions.retain(|version| version != current);
        }
        facts.read_ahead(&versions).await;
        for version in versions {
            let mut release = facts.read(&version, &self.listed, query.now).await?;
            if query.current != Some(&version) {
                facts.read_for_gates(&mut release, query).await?;
            }
            releases.insert(version, release);
        }
        must_have_images(&mut facts, releases.values()).await?;
        releases.keys().for_each(|version| facts.outline_before(version));
        self.learn(&facts, releases);
        Ok(())
    }

    fn learn(&mut self, facts: &Answers, releases: BTreeMap<Version, Release>) {
        self.known.candidates.clone_from(&facts.known.candidates);
        self.known.outlines.clone_from(&facts.known.outlines);
        self.known.releases.extend(releases);
        for version in facts.sources.iter().flat_map(|source| source.versions_of(&self.listed)) {
            let candidate = Candidate { version: version.clone(), released_at: None, first_seen: None };
            self.known.candidates.entry(version).or_insert(candidate);
        }
        self.known.settle(&self.listed);
        self.sources.clone_from(&facts.sources);
    }

    /// Forgets what came from the cache; true if anything did.
    /// What is cached may only lead to "nothing to do": before anything changes, it is read again.
    pub fn forget_cached(&mut self) -> bool {
        let cached = std::mem::take(&mut self.cached);
        cached.iter().for_each(|version| drop(self.known.releases.remove(version)));
        !cached.is_empty()
    }

    /// Reads every candidate's names, without manifests: what `releases` lists.
    pub async fn read_names(&mut self) -> Result<(), ObserveError> {
        let shelf = Arc::clone(&self.shelf);
        let mut facts = shelf.facts().await;
        let releases = facts.read_names().await?;
        if releases.is_empty() {
            return Err(facts.no_releases());
        }
        self.learn(&facts, releases);
        Ok(())
    }

    /// Reads one release: the manifests of the names that the first fitting source gives.
    pub async fn read(&mut self, version: &Version, now: Timestamp) -> Result<(), ObserveError> {
        let shelf = Arc::clone(&self.shelf);
        let mut facts = shelf.facts().await;
        let release = facts.read(version, &self.listed, now).await?;
        must_have_images(&mut facts, std::iter::once(&release)).await?;
        facts.outline_before(version);
        self.learn(&facts, BTreeMap::from([(version.clone(), release)]));
        Ok(())
    }
}

/// Releases without any artifact are believed only of a producer that has some.
async fn must_have_images(
    facts: &mut Answers,
    mut releases: impl Iterator<Item = &Release>,
) -> Result<(), ObserveError> {
    let says_nothing = |release: &Release| {
        release.artifacts.is_empty() && !matches!(release.coverage, Coverage::Unknown { .. })
    };
    match releases.any(says_nothing) {
        true => facts.must_have_seen_images().await,
        false => Ok(()),
    }
}
