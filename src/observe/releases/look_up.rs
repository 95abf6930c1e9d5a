//! One release, from the names that sources give for it to the artifacts that the registry has.

use std::collections::BTreeSet;

use super::ObserveError;
use super::shelf::Answers;
use super::sources::Listing;
use crate::ending::sentence;
use crate::registry::RegistryError;
use crate::release::guess::guesses;
use crate::release::{Artifact, Coverage, ImageKey, Release, Version};

impl Answers {
    /// Asks the open sources for its names, then those that are left; the registry proves them.
    pub(super) async fn look_up(
        &mut self,
        version: &Version,
        listed: &BTreeSet<ImageKey>,
    ) -> Result<Release, ObserveError> {
        let mut names = listed.clone();
        let mut reasons = Vec::new();
        let mut index = 0;
        while index < self.sources.len() || self.open_next().await? {
            let (source, listing) =
                (self.sources[index].name(), self.sources[index].listing(version, &self.producer.naming));
            index += 1;
            match listing {
                Listing::Proven(proven) => match self.manifests(&proven, version).await? {
                    Ok(()) => {
                        let denied = proven.iter().find_map(|name| self.denied(name, version));
                        let partial = |error| Coverage::Partial { reason: sentence(error) };
                        let coverage = denied.map_or(Coverage::Complete, |error| partial(error));
                        return Ok(self.described(version, coverage, &proven, &proven));
                    }
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
                        Some(key) => reasons.push(match self.denied(key, version) {
                            Some(error) => {
                                format!("{key}, listed by {source}, cannot be seen: {}", sentence(error))
                            }
                            None => format!("{key}, listed by {source}, does not exist"),
                        }),
                    }
                    names.extend(claimed);
                }
                Listing::Short { names: some, reason } => {
                    names.extend(some);
                    reasons.push(reason);
                }
            }
        }
        self.probe(version, listed, names, reasons).await
    }

    /// The end of the line: what can be proven is proven, and more may exist.
    async fn probe(
        &mut self,
        version: &Version,
        listed: &BTreeSet<ImageKey>,
        mut names: BTreeSet<ImageKey>,
        mut reasons: Vec<String>,
    ) -> Result<Release, ObserveError> {
        // What is listed comes first: a registry that is asked for guesses alone may refuse each of them.
        if let Err(reason) = self.manifests(&names, version).await? {
            return Ok(Release::unknown(version.clone(), reason));
        }
        if self.producer.probe {
            let guessed = guesses(listed, &self.producer.naming);
            let guessed: BTreeSet<ImageKey> = guessed.difference(&names).cloned().collect();
            let existing = match self.probed(guessed, version).await? {
                Ok(existing) => existing,
                Err(reason) => return Ok(Release::unknown(version.clone(), reason)),
            };
            self.read_manifests(&existing, version).await;
            names.extend(existing.into_iter().filter(|name| !self.is_no_image(name, version)));
            if let Err(reason) = self.manifests(&names, version).await? {
                return Ok(Release::unknown(version.clone(), reason));
            }
        }
        let denied = names.iter().find_map(|name| self.denied(name, version)).map(|error| sentence(error));
        reasons.extend(denied);
        if reasons.is_empty() {
            reasons.push("no source lists the producer's artifacts".to_owned());
        }
        let coverage = Coverage::Partial { reason: reasons.join("; ") };
        Ok(self.described(version, coverage, &names, &BTreeSet::new()))
    }

    /// Whether what answers for a guessed name is no image. Some registries answer 200 for whatever does not exist.
    fn is_no_image(&self, name: &ImageKey, version: &Version) -> bool {
        let failure = self.failure(name, version);
        failure.is_some_and(|error| {
            matches!(error, RegistryError::NotUnderstood { .. } | RegistryError::Broken { .. })
        })
    }

    /// Which of these names exist, as far as the registry tells. The inner error says why nothing is known.
    async fn probed(
        &mut self,
        names: BTreeSet<ImageKey>,
        version: &Version,
    ) -> Result<Result<BTreeSet<ImageKey>, String>, ObserveError> {
        let names: Vec<ImageKey> = names.into_iter().collect();
        let answers = self.existing(&self.repositories(&names), version).await;
        let mut existing = BTreeSet::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Ok(true) => drop(existing.insert(name)),
                Ok(false) | Err(RegistryError::Denied { .. } | RegistryError::NotUnderstood { .. }) => {}
                Err(error) => return self.unknown(error).map(Err),
            }
        }
        Ok(Ok(existing))
    }

    fn missing<'n>(&self, names: &'n BTreeSet<ImageKey>, version: &Version) -> Option<&'n ImageKey> {
        names.iter().find(|name| self.manifest(name, version).is_none())
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
        let is_absent =
            |name: &&ImageKey| !release.artifacts.contains_key(*name) && self.denied(name, version).is_none();
        release.absent = names.iter().filter(is_absent).cloned().collect();
        release.images_only(naming)
    }
}
