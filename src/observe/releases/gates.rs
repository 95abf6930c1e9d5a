//! What gates ask of releases beside their artifacts: images that wait to be promoted, first sights, signatures.

use std::collections::{BTreeMap, BTreeSet};

use super::super::signatures;
use super::shelf::{Answers, ReleaseCache};
use super::{ObserveError, Snapshot};
use crate::plan::signed::Signatures;
use crate::registry::{RegistryError, Repository};
use crate::release::data::SelectionQuery;
use crate::release::identity::Asked;
use crate::release::policy::IdentityDemand;
use crate::release::{Artifact, Digest, ImageKey, Release, Version};
use crate::signature::{Keys, Verdict};

impl Snapshot {
    /// The verdict on the signatures of images under `keys`; nothing is asked without any.
    pub async fn signatures(&self, images: &[(ImageKey, Digest)], keys: Option<&Keys>) -> Signatures {
        match keys {
            Some(keys) => self.shelf.verdicts(images, keys).await,
            None => Signatures::new(),
        }
    }

    /// The keys that are configured for the producer's signatures.
    pub fn keys(&self) -> Option<&Keys> {
        self.shelf.producer.keys.as_ref()
    }

    /// The verdict on the signatures of those artifacts of a release that was read; nothing is asked without a key.
    pub async fn signed(
        &self,
        version: &Version,
        of: &BTreeSet<ImageKey>,
        keys: Option<&Keys>,
        demand: IdentityDemand,
    ) -> BTreeMap<ImageKey, Verdict> {
        let Some(keys) = keys else { return BTreeMap::new() };
        let artifacts = || {
            let all = self.known.releases.get(version).into_iter().flat_map(|r| r.artifacts.values());
            all.filter(|artifact| of.contains(&artifact.key))
        };
        let digest = |artifact: &Artifact| Some((artifact.key.clone(), artifact.digest.clone()?));
        let images: Vec<(ImageKey, Digest)> = artifacts().filter_map(digest).collect();
        let verdicts = self.shelf.verdicts(&images, keys).await;
        let verdict = |artifact: &Artifact| {
            let known = artifact.digest.as_ref().and_then(|digest| verdicts.get(digest)).cloned();
            let unread = || Verdict::Unknown { reason: "its manifest was not read".to_owned() };
            let asked = Asked { name: &artifact.key, tag: version.as_str(), naming: self.naming() };
            known.unwrap_or_else(unread).judged_as(&asked, &artifact.annotations, demand)
        };
        artifacts().map(|artifact| (artifact.key.clone(), verdict(artifact))).collect()
    }
}

impl ReleaseCache {
    /// The verdicts on images under these keys, each asked for once.
    async fn verdicts(&self, images: &[(ImageKey, Digest)], keys: &Keys) -> Signatures {
        let mut all = self.verdicts.lock().await;
        let index = all.iter().position(|(known, _)| known == keys).unwrap_or_else(|| {
            all.push((keys.clone(), Signatures::new()));
            all.len() - 1
        });
        let known = &mut all[index].1;
        let unasked: Vec<(ImageKey, Digest)> =
            images.iter().filter(|(_, digest)| !known.contains_key(digest)).cloned().collect();
        known.extend(signatures::verdicts((&*self.producer).into(), &unasked, keys).await);
        let verdict = |(_, digest): &(ImageKey, Digest)| Some((digest.clone(), known.get(digest)?.clone()));
        images.iter().filter_map(verdict).collect()
    }
}

impl Answers {
    /// Reads what only gates ask of a candidate: images that wait for promotion, and its first sight if nothing dates it.
    pub(super) async fn read_for_gates(
        &mut self,
        release: &mut Release,
        query: &SelectionQuery<'_>,
    ) -> Result<(), ObserveError> {
        let version = release.version.clone();
        let naming = &self.producer.naming;
        let suspects: BTreeSet<ImageKey> =
            self.sources.iter().flat_map(|source| source.suspects(&version, naming)).collect();
        let repositories: Vec<Repository> =
            suspects.iter().map(|name| self.producer.prefix.snapshot(name)).collect();
        let answers = self.existing(&repositories, &version).await;
        let mut unpromoted = BTreeSet::new();
        for (name, answer) in suspects.into_iter().zip(answers) {
            match answer {
                Ok(true) => drop(unpromoted.insert(name)),
                // Snapshots may be private: then nothing is known of them.
                Ok(false) | Err(RegistryError::Refused { .. } | RegistryError::Denied { .. }) => {}
                Err(error) => *release = Release::unknown(version.clone(), self.unknown(error)?),
            }
        }
        release.unpromoted = unpromoted;
        self.see_first(release, query).await;
        Ok(())
    }

    async fn see_first(&mut self, release: &Release, query: &SelectionQuery<'_>) {
        let is_dated = release.artifacts.values().any(|artifact| artifact.created.is_some());
        if let Some(candidate) = self.known.candidates.get_mut(&release.version)
            && query.policy.minimum_age.is_some()
            && !is_dated
            && candidate.released_at.is_none()
            && candidate.first_seen.is_none()
        {
            let (prefix, store) = (&self.producer.prefix, &self.producer.store);
            candidate.first_seen = store.first_seen(prefix, &release.version, query.now).await;
        }
    }
}
